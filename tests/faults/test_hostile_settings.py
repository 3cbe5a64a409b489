"""Whatever stands in an argument, a variable, the config file, on standard input or in the store: no traceback.

A mistake is one printable line on standard error with status 2, a store that cannot be used one with status 1.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from agnes_stats.queries import sessions
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from agnes_stats.tui.settings import BadSetting, default_store

from tests.transcripts import Transcript, store_of

ESC = "\x1b]0;title\x07\x9b31m\u202e"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that has read what lies beside it; each test has a copy, for which there is nothing new."""
    return store_of(
        tmp_path_factory.mktemp("hostile"), [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()]
    )


@pytest.fixture
def source(filled: Store) -> list[str]:
    return ["--source", f"claude={filled.path.with_name('claude')}"]


@pytest.fixture
def run(tmp_path: Path, filled: Store, source: list[str], capsys: pytest.CaptureFixture[str]) -> Run:
    shutil.copy(filled.path, tmp_path / "store.duckdb")
    options = [*_at(tmp_path), *source]

    def run(*words: str, options: list[str] = options) -> tuple[int, str, str]:
        status = cli.main([*words[:1], *options, *words[1:]])
        told = capsys.readouterr()
        assert "should not have happened" not in told.err
        assert (told.out + told.err).replace("\n", "").isprintable()
        # Of folders that variables name and that are not there everyone has a line to say.
        lines = [line for line in told.err.splitlines() if "_DIR names" not in line]
        assert len(lines) == (status != 0 and words[0] != "doctor"), told.err
        return status, told.out, told.err

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("tokens", "--since", "0001-01-01"),
        ("tokens", "--until", "9999-12-31"),
        ("tokens", "--since", "99999-01-01"),
        ("daily", "--since", "\udcff"),
        ("sessions", "--project", "\udcff"),
        ("sessions", "--limit", "9" * 5000),
        ("sessions", "--limit", ESC),
        ("sessions", "--offset", "9" * 40),
        ("queries", "--cursor-ts", "0001-01-01T00:00+14:00", "--cursor-id", "x"),
        ("queries", "--cursor-ts", "9999-12-31T23:59-14:00", "--cursor-id", "x"),
        ("sync", "--cursor-ts", ESC, "--cursor-id", "x"),
        ("sync", "--cursor-ts", "2026-01-01", "--cursor-id", "\udcff"),
        ("tokens", "--tz", ESC),
        ("tokens", "--tz", "a" * 9999),
        ("tokens", "--tz", "Europe"),
        ("tokens", "--source", f"claude=/nope{ESC}"),
        ("tokens", "--source", "claude=" + "x" * 5000),
        ("tokens", "--source", "claude=~nobody-of-that-name"),
        ("tokens", "--store", "~nobody-of-that-name/x"),
        ("tokens", "--store", "\udcff"),
        ("monthly", "--budget", "nan"),
        ("monthly", "--budget", "1e400"),
        ("forget", "--before", "0001-01-01"),
        ("forget", "--before", ESC),
        ("forget", "--session", "\udcff"),
        ("sql", "--saved", ESC),
        ("sql", "SELECT 1", "--parquet", "/"),
        ("sql", "SELECT 1", "--parquet", "~nobody-of-that-name/x"),
        ("home", f"--nope{ESC}"),
        (ESC,),
    ],
)
def test_a_hostile_argument_is_a_mistake(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"SELECT '{ESC}'::INT", "Could not convert"),
        (f'SELECT 1 FROM "{ESC}"', "no table"),
        ("SELECT error('a' || chr(27) || ']0;x' || chr(7) || 'b')", "ab"),
        ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "expression depth"),
        ("SELECT " + "NOT " * 900 + "true", "nested too deeply"),
        ("SELECT * FROM " + "(SELECT * FROM " * 900 + "sessions" + ") t" * 900, "nested too deeply"),
        (f"SELECT from_json('{'[' * 2000 + ']' * 2000}', '{'[' * 2000}\"VARCHAR\"{']' * 2000}')", "nested too deeply"),
        ("SELECT 1" + " " * 100_001 + "+ 1", "longer than 100,000 characters"),
        ("SELECT '\udcff'", "no text in UTF-8"),
        ("SELECT", "Parser Error"),
        ("", "only one SELECT"),
    ],
)
def test_a_hostile_query_is_one_line(run: Run, query: str, said: str) -> None:
    status, _, err = run("sql", query, "--json")
    assert (status in (1, 2), said in err) == (True, True), err


def test_values_that_python_has_no_word_for_are_answered(run: Run) -> None:
    for value in (
        "'infinity'::TIMESTAMP",
        "'44-03-15 (BC)'::DATE",
        "'290000-01-01'::TIMESTAMP",
        "'24:00:00'::TIME",
        "map([[1]], [2])",
        "'nan'::DOUBLE",
        "interval '-1 month'",
        "chr(0) || chr(27) || chr(155)",
    ):
        for form in ("--json", "--csv"):
            if "chr" not in value or form == "--json":
                assert run("sql", f"SELECT {value} AS v", form)[0] == 0, value


CONFIGS = {
    "a = " + "[" * 100_000: "nested too deeply",
    "[a" + ".a" * 20_000 + "]": "config.toml",
    "budget = " + "9" * 5000: "config.toml",
    "tz = ": "config.toml",
    'store = "a\\u0000b"': "no text",
    'store = "/' + "x" * 5000 + '"': "",
    'store = "~nobody-of-that-name/x"': "no home folder",
    f'tz = "{ESC}"'.encode("unicode_escape").decode().replace("\\x", "\\u00"): "no time zone",
    "tz = [1]": "no time zone",
    "since = 0001-01-01": "not between",
    "since = 2026-01-01T00:00:00Z": "no day",
    "budget = nan": "no amount",
    "no-cost = 3": "neither true nor false",
    'project = "a\\u0000b"': "no text",
    "prices = 5": "prices",
    "[prices.x]\ninput = inf\noutput = 1": "prices",
    "[prices.x]\ninput = nan\noutput = 1": "prices",
    "[prices.x]\ninput = 1e308\noutput = 1": "prices",
    "[prices.x]\ninput = 1\noutput = 1\ncontext_window = 99999999999999999999": "prices",
    "[prices.x]\ninput = -1\noutput = 1": "prices",
    "aliases = [1]": "prices",
    'agnes = "x"': "[agnes]",
    "[agnes]\nserver = 5": "[agnes]",
    '"\\u001b]0;x\\u0007" = 1': "no setting",
}


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_a_config_file_that_cannot_be_used_is_a_mistake(
    run: Run, source: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    config, said = list(CONFIGS.items())[number]
    (tmp_path / "config.toml").write_text(config)
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(tmp_path / "config.toml"))
    where = [] if config.startswith("store") else _at(tmp_path)
    status, _, err = run("tokens", "--json", options=[*source, *where])
    assert (status in (1, 2), said in err) == (True, True), err


def _at(tmp_path: Path) -> list[str]:
    return ["--store", str(tmp_path / "store.duckdb")]


def test_the_config_files_place_may_be_anything(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    places = {
        str(tmp_path): 2,
        str(tmp_path / "loop"): 2,
        str(tmp_path / "binary"): 2,
        "/" + "x" * 5000: 2,
        "~nobody-of-that-name/x": 2,
        "/dev/null": 2,
        str(tmp_path / "none"): 0,
        "/etc/passwd/x": 0,
    }
    for place, status in places.items():
        monkeypatch.setenv("AGNES_STATS_CONFIG", place)
        assert run("home", "--json")[0] == status, place


@pytest.mark.parametrize(
    "variables",
    [
        {"HOME": "~"},
        {"HOME": ""},
        {"HOME": "/etc/passwd"},
        {"HOME": "/" + "h" * 5000},
        {"CLAUDE_CONFIG_DIR": "~nobody-of-that-name/x,/" + "x" * 5000},
        {"AGNES_SESSION_DATA_DIR": "~nobody-of-that-name", "CODEX_HOME": "~nobody-of-that-name"},
        {"AGNES_LOCAL_DIR": "x" * 5000, "AGNES_CONFIG_DIR": "x" * 5000},
        {"AGNES_LOCAL_DIR": "/etc/passwd", "AGNES_CONFIG_DIR": "/etc/passwd"},
        {"TZ": ":/etc/passwd"},
        {"TZ": ESC},
        {"COLUMNS": "0", "LINES": "x"},
        {"XDG_CONFIG_HOME": "/etc/passwd", "XDG_DATA_HOME": "/etc/passwd"},
    ],
)
def test_odd_variables_are_no_hindrance(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for command in ("sessions", "doctor", "sync"):
        status, _, err = run(command, "--json", options=_at(tmp_path))
        # The doctor has something to say of folders that are not there.
        assert status == 0 or command == "doctor", err if status != 1 else ""


def test_without_a_usable_home_folder_a_store_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", os.fsdecode(b"/tmp/\xff"))
    with pytest.raises(BadSetting, match="no usable home folder"):
        default_store()


TOLD = [
    '{"transcript_path": "a\\u0000b.jsonl", "session_id": "a\\u0000b"}',
    '{"transcript_path": "\\ud800.jsonl", "session_id": "\\ud800"}',
    '{"transcript_path": "' + "x" * 100_000 + '.jsonl"}',
    '{"transcript_path": "~nobody/x.jsonl", "session_id": "\\u001b]0;x\\u0007"}',
    '{"transcript_path": 5, "session_id": [1]}',
    '{"session_id": ' + "9" * 5000 + "}",
    '{"session_id": 1e999}',
    '{"session_id": NaN, "transcript_path": {}}',
    '{"session_id": "' + "x" * 900_000 + '"}',
    "[" * 200_000,
    '{"a":' * 100_000,
    "\0",
    "\ud800",
    "null",
    "x" * 2_000_000,
]


@pytest.mark.parametrize("told", range(len(TOLD)))
def test_the_status_line_takes_anything(run: Run, monkeypatch: pytest.MonkeyPatch, told: int) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TOLD[told]))
    status, out, _ = run("statusline")
    assert (status, out.count("\n"), out.startswith("today ")) == (0, 1, True)


@pytest.mark.parametrize("version", ["", "a\0b", "nan", "-1", "1.5", "1e3", "9" * 5000, "٣", None])
def test_a_store_whose_version_is_no_number_is_somebody_elses(run: Run, tmp_path: Path, version: str | None) -> None:
    with Store(tmp_path / "store.duckdb").write() as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'store_version'", [version])
    for words in (("sessions",), ("ingest", "--rebuild"), ("statusline",)):
        status, _, err = run(*words)
        assert (status, "no store of agnes-stats" in err) == (1, True) or words == ("statusline",)
    assert not list(tmp_path.glob("store-*"))


def test_a_database_with_another_table_of_that_name_is_somebody_elses(run: Run, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE meta (a INTEGER)")
    status, _, err = run("sessions", options=["--store", str(path)])
    assert (status, "no store of agnes-stats" in err) == (1, True)


@pytest.mark.parametrize("moment", ["290000-01-01", "1000-01-01 (BC)", "infinity", "-infinity", "0001-01-01"])
def test_times_that_python_has_none_for_are_told(run: Run, tmp_path: Path, moment: str) -> None:
    assert run("ingest")[0] == 0
    store = Store(tmp_path / "store.duckdb")
    with store.write() as connection:
        connection.execute(f"UPDATE sessions SET started_at = '{moment}', ended_at = '{moment}'")
    for words in (("sessions",), ("sessions", "--json"), ("tokens", "--json"), ("doctor",), ("statusline",)):
        status, out, _ = run(*words, "--no-ingest")
        assert status == 0 and out
        if "--json" in words:
            json.loads(out)
    with store.read() as connection:
        assert sessions.list_sessions(connection, Filter(), now=dt.datetime(2026, 3, 11), limit=5).totals.sessions == 1
