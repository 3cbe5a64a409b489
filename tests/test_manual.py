"""`agnes-stats help`, `config`, `completion`: for people at a prompt, and what they may have meant."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from agnes_stats.tui import cli
from agnes_stats.tui.commands import COMMANDS, EXAMPLES, GROUPS, TOPICS, command_of
from agnes_stats.tui.commands.config import example_of, sample
from agnes_stats.tui.settings import OPTIONS, BadSetting, settings_from


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(list(words)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def mistake(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(list(words)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file that is not there yet."""
    path = tmp_path / "config" / "config.toml"
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(path))
    return path


def test_the_page_of_the_whole_has_all_commands_under_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "--help").splitlines()
    for heading, commands in GROUPS.items():
        start = page.index(f"{heading}:")
        end = page.index("", start)
        listed = [line.split()[0] for line in page[start + 1 : end] if line[2] != " "]
        assert listed == list(commands)
    assert told(capsys, "help").splitlines() == page


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_page(
    topic: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = told(capsys, "help", topic)
    assert page.startswith(f"{topic}: {TOPICS[topic]}\n")
    assert max(len(line) for line in page.splitlines() if "/" not in line) <= 80
    assert json.loads(told(capsys, "help", topic, "--json"))["text"] == page.rstrip("\n")


def test_the_page_of_a_command_is_that_of_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "help", "tokens") == told(capsys, "tokens", "--help")


@pytest.mark.parametrize("line", [*EXAMPLES, *(line for name in COMMANDS for line in command_of(name).examples)])
def test_every_example_can_be_typed(line: str) -> None:
    words = shlex.split(line)
    given = cli.parser(words).parse_args(words)
    try:
        settings_from(vars(given), {})
    except BadSetting as error:
        # A folder of the reader's machine.
        assert "there is no folder" in str(error)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["tokns"], "tokens"),
        (["sesions"], "sessions"),
        (["tokens", "--projct", "x"], "--project"),
        (["--buget=3"], "--budget"),
        (["tokens", "--dys", "3"], "--days"),
        (["help", "kys"], "keys"),
        (["help", "tokns"], "tokens"),
    ],
)
def test_what_was_perhaps_meant_is_named(words: list[str], near: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(capsys, *words).endswith(f"; did you mean {near}?\n")


def test_what_is_like_nothing_gets_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean" not in mistake(capsys, "xyzzy")
    assert "did you mean" not in mistake(capsys, "tokens", "--xyzzy")


# -- config ----------------------------------------------------------------------------------------------------------


def test_it_says_what_counts_and_where_it_comes_from(
    nowhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere.parent.mkdir()
    nowhere.write_text('theme = "nord"\nproject = "shop"\nbudget = 5\n[aliases]\na = "b"\n')
    monkeypatch.setenv("AGNES_STATS_PROJECT", "bank")
    answer = json.loads(told(capsys, "config", "--budget", "7", "--json"))
    rows = {row["name"]: (row["value"], row["from"]) for row in answer["settings"]}
    assert rows["theme"] == ("nord", "theme in the config file")
    assert rows["project"] == ("bank", "AGNES_STATS_PROJECT")
    assert rows["budget"] == (7.0, "--budget")
    assert rows["tab"] == (None, "default")
    assert rows["[aliases]"] == (1, "the config file")
    assert set(rows) == {option.name for option in OPTIONS} | {"[aliases]"}
    assert answer["exists"]
    assert "nord" in told(capsys, "config")


def test_the_token_of_the_file_is_told_nobody(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere.parent.mkdir()
    nowhere.write_text('[agnes]\nserver = "https://a.example"\ntoken = "hush-hush"\n')
    assert "hush" not in told(capsys, "config") + told(capsys, "config", "--json")


def test_it_writes_a_file_of_which_nothing_counts_yet(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "config", "--write")
    assert tomllib.loads(nowhere.read_text()) == {}
    assert nowhere.stat().st_mode & 0o077 == 0
    assert told(capsys, "config", "--sample") == nowhere.read_text()
    nowhere.write_text("# mine")
    assert "is there already" in mistake(capsys, "config", "--write")
    assert nowhere.read_text() == "# mine"
    shown = json.loads(told(capsys, "config", "--sample", "--json"))
    nowhere.unlink()
    written = json.loads(told(capsys, "config", "--write", "--json"))
    assert (shown["written"], written["written"], written["path"]) == (False, True, str(nowhere))
    assert shown["text"] == written["text"] == nowhere.read_text()


def test_each_line_of_the_sample_counts_once_its_sign_is_taken_away(tmp_path: Path) -> None:
    lines = [line.removeprefix("#") for line in sample().splitlines() if line.startswith("#") and line[1:2] != " "]
    found = tomllib.loads("\n".join(lines))
    assert {option.key for option in OPTIONS} < set(found)
    for option in OPTIONS:
        assert f"{option.key} = {example_of(option)}" in lines
        if option.name != "source":  # must be there to be named
            values = found[option.key]
            try:
                settings_from({}, {}, config=_file(tmp_path, f"{option.key} = {example_of(option)}"))
            except BadSetting as error:
                pytest.fail(f"{option.name}: {values}: {error}")


def _file(folder: Path, text: str) -> Path:
    path = folder / "one.toml"
    path.write_text(text)
    return path


# -- completion ------------------------------------------------------------------------------------------------------


def completed(line: str, tmp_path: Path) -> list[str]:
    """What the shell is told when Tab is pressed at the end of a line."""
    answer = tmp_path / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    code = "from agnes_stats.tui import cli; cli.main()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    return [word.strip() for word in answer.read_text().splitlines()]


def test_commands_options_and_values_are_completed(tmp_path: Path) -> None:
    assert completed("agnes-stats to", tmp_path) == ["tokens"]
    assert completed("agnes-stats tokens --proj", tmp_path) == ["--project"]
    assert completed("agnes-stats --tab acc", tmp_path) == ["access"]
    assert completed("agnes-stats --tab s", tmp_path) == ["sessions", "sync"]
    assert completed("agnes-stats tokens --range this", tmp_path) == [r"this\ week", r"this\ month"]
    assert completed("agnes-stats home --window ", tmp_path) == ["24h", "7d"]
    assert completed("agnes-stats sql --saved Longest", tmp_path) == [r"Longest\ sessions"]


def test_projects_of_the_store_are_completed(tmp_path: Path) -> None:
    folder = tmp_path / "claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    row = {"type": "user", "uuid": "p", "sessionId": "s", "cwd": "/w/shop", "timestamp": "2026-01-01T10:00:00Z"}
    (folder / "s.jsonl").write_text(json.dumps({**row, "message": {"role": "user", "content": "hi"}}) + "\n")
    places = ["--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]
    assert cli.main(["ingest", *places]) == 0
    assert completed(f"agnes-stats --store {places[1]} sessions --project sh", tmp_path) == ["shop"]
    assert completed(f"agnes-stats --store {tmp_path}/none.duckdb sessions --project sh", tmp_path) == []


def test_each_shell_has_a_script(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "agnes-stats" in told(capsys, "completion", shell)
        monkeypatch.setenv("SHELL", f"/bin/{shell}")
        assert told(capsys, "completion") == told(capsys, "completion", shell)
    assert "bash, zsh, fish" in mistake(capsys, "completion", "tcsh")
