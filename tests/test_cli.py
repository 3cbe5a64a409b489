"""The command line: answers on stdout, mistakes in one line on stderr with exit status 2."""

import json
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.tui import cli
from agnes_stats.tui.settings import OPTIONS, THEMES, BadSetting, local_zone, read_config, settings_from
from textual.theme import BUILTIN_THEMES

ROW = (
    '{"type":"assistant","sessionId":"s1","uuid":"u%d","timestamp":"2026-11-20T10:00:0%dZ","cwd":"/w/shop",'
    '"message":{"id":"msg_%d","model":"claude-opus-4-6","stop_reason":"end_turn","content":[],'
    '"usage":{"input_tokens":10,"output_tokens":100,"cache_read_input_tokens":1000}}}\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "claude" / "projects" / "-w-shop"
    project.mkdir(parents=True)
    (project / "s1.jsonl").write_text("".join(ROW % (n, n, n) for n in range(3)))
    return tmp_path / "claude"


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert cli.main([str(part) for part in arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def mistake(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main([str(part) for part in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def common(tmp_path: Path, folder: Path) -> tuple[object, ...]:
    return ("--json", "--store", tmp_path / "s.duckdb", "--source", f"claude={folder}", "--tz", "UTC")


def test_ingest_then_ask(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "ingest", *common(tmp_path, folder))
    assert (told["files"], told["gone"]) == (1, 0)
    sessions = answer(capsys, "sessions", "--no-ingest", *common(tmp_path, folder))
    assert (sessions["total"], sessions["offset"], sessions["limit"]) == (1, 0, 50)
    row = sessions["rows"][0]
    assert (row["session_id"], row["session_file"], row["project"]) == ("s1", "s1.jsonl", "/w/shop")
    assert (row["input_tokens"], row["output_tokens"], row["tokens_total"]) == (30, 300, 3330)
    assert row["started_at"] == "2026-11-20T10:00:00+00:00"
    assert row["processed"] is True


def test_an_answer_reads_what_is_new_first(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("tokens", "--days", 365, *common(tmp_path, folder))
    assert answer(capsys, *arguments)["totals"]["responses"] == 3
    with (folder / "projects/-w-shop/s1.jsonl").open("a") as file:
        file.write(ROW % (4, 4, 4))
    assert answer(capsys, *arguments, "--no-ingest")["totals"]["responses"] == 3
    assert answer(capsys, *arguments)["totals"]["responses"] == 4


def test_every_day_of_the_window_is_in_daily(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "tokens", "--since", "2026-11-18", "--until", "2026-11-22", *common(tmp_path, folder))
    assert [(day["day"], day["responses"]) for day in told["daily"]] == [
        ("2026-11-18", 0),
        ("2026-11-19", 0),
        ("2026-11-20", 3),
        ("2026-11-21", 0),
        ("2026-11-22", 0),
    ]


def test_an_empty_store_answers_with_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    told = answer(capsys, "tokens", *common(tmp_path, tmp_path / "empty"))
    assert (told["totals"]["total"], told["daily"], told["by_model"], told["top_sessions"]) == (0, [], [], [])
    assert answer(capsys, "home", *common(tmp_path, tmp_path / "empty"))["last_pull_at"] is None


def test_an_unknown_window_is_24h(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "home", "--window", "bogus", *common(tmp_path, folder))["window"] == "24h"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sessions", "--limit", "0"), "--limit"),
        (("sessions", "--limit", "201"), "between 1 and 200"),
        (("sessions", "--offset", "-1"), "--offset"),
        (("sessions", "--limit", "many"), "many"),
        (("tokens", "--days", "366"), "between 1 and 365"),
        (("tokens", "--tz", "Mars/Olympus"), "no time zone"),
        (("tokens", "--since", "yesterday"), "2026-01-31"),
        (("tokens", "--since", "2026-02-01", "--until", "2026-01-01"), "after"),
        (("tokens", "--source", "claude"), "KIND=PATH"),
        (("tokens", "--source", "claude@=/"), "KIND@MACHINE=PATH"),
        (("tokens", "--source", "carrier-pigeon=/tmp"), "claude"),
        (("tokens", "--source", "claude=/does/not/exist"), "no folder"),
        (("--theme", "nope"), "'nope' is no theme"),
        (("--theme", "nope", "sessions"), "'nope' is no theme; there are textual-dark"),
        (("--theme", "textual-lite", "sessions"), "did you mean textual-light?"),
        (("queries", "--cursor-ts", "soon", "--cursor-id", "x"), "no time"),
        (("fly",), "fly"),
        (("--demo", "--no-such"), "--no-such"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in mistake(capsys, *arguments)


def test_a_value_may_begin_with_a_dash(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = common(tmp_path, folder)
    for words in (("--project", "-work/shop", "tokens"), ("tokens", "--project", "-work/shop")):
        assert answer(capsys, *words, *places) == answer(capsys, "tokens", "--project=-work/shop", *places)
    assert "--project: expected one argument" in mistake(capsys, "tokens", "--project", "--since", "2026-01-01")
    assert "--project: expected one argument" in mistake(capsys, "tokens", "--project", "-h")


def test_a_value_comes_from_the_line_then_the_environment_then_the_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('tz = "Asia/Tokyo"\nproject = "shop"\nno-cost = true\nsource = ["claude=/"]\n')
    environment = {"AGNES_STATS_TZ": "Europe/Prague", "AGNES_STATS_USER": "ann"}
    settings = settings_from({"user": "bob"}, environment, config)
    assert (settings.user, settings.tz, settings.project, settings.no_cost) == ("bob", "Europe/Prague", "shop", True)
    assert settings.source == ("claude=/",)


def test_names_of_earlier_versions_still_work(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('claude-version = "2.1.1"\nsource = ["agnes=/"]\n')
    assert settings_from({}, {}, config).agent_version == "2.1.1"
    assert settings_from({}, {}, config).source == ("agnes-server-folder=/",)
    assert settings_from({}, {"AGNES_STATS_CLAUDE_VERSION": "2"}, tmp_path / "none").agent_version == "2"
    told = [
        answer(capsys, "tokens", flag, "2.1.114", *common(tmp_path, folder))["totals"]
        for flag in ("--claude-version", "--agent-version")
    ]
    assert told[0] == told[1]
    assert "--claude-version" not in cli.parser().format_help()


def test_a_source_may_be_of_another_machine(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--json", "--store", tmp_path / "s.duckdb", "--tz", "UTC", "--source")
    for source, machine in (
        (f"claude={folder}", None),
        (f"claude@laptop={folder}", "laptop"),
        # Nobody says that it is another one now.
        (f"claude={folder}", "laptop"),
        (f"claude@tower={folder}", "tower"),
    ):
        told = answer(capsys, "sessions", *asked, source)
        assert [row["machine"] for row in told["rows"]] == [machine]
        assert [row["agent"] for row in told["rows"]] == ["claude-code"]


def test_a_misspelt_line_of_the_config_names_the_nearest(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('projct = "shop"\n')
    with pytest.raises(BadSetting, match="did you mean 'project'"):
        read_config(config)
    config.write_text("tz = \n")
    with pytest.raises(BadSetting, match=r"config\.toml"):
        read_config(config)


def test_every_option_has_a_variable_and_a_line(tmp_path: Path) -> None:
    values = {
        "source": "claude=/",
        "tz": "UTC",
        "range": "7 days",
        "theme": "nord",
        "since": "2026-01-01",
        "until": "2026-01-02",
    }
    values |= {option.name: "99.5" for option in OPTIONS if option.name.startswith("budget")}
    for option in OPTIONS:
        value = values.get(option.name, "1" if option.metavar is None else "x")
        by_variable = settings_from({}, {option.variable: value}, tmp_path / "none")
        config = tmp_path / f"{option.key}.toml"
        config.write_text(f'{option.name} = "{value}"\n')
        by_line = settings_from({}, {}, config)
        assert getattr(by_variable, option.key) == getattr(by_line, option.key)
        assert getattr(by_variable, option.key) or option.name == "tab"


def test_every_theme_of_the_dashboard_can_be_named() -> None:
    assert sorted(THEMES) == sorted(BUILTIN_THEMES)


def test_the_zone_of_the_machine(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Kathmandu")
    assert local_zone({}, link) == "Asia/Kathmandu"
    assert local_zone({"TZ": ":Europe/Prague"}, link) == "Europe/Prague"
    assert local_zone({"TZ": "nonsense"}, tmp_path / "none") == "UTC"
