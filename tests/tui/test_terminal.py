"""What goes to a terminal is harmless, and no stream is too broken to end in one line."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from agnes_stats.tui import cli, terminal

from tests.transcripts import Transcript, store_of

HOSTILE = "a\x1b]0;title\x07b\x1b[31mc\x9b31md\u202ee\u2066f\u200bg\x90Ph\x9ci\r\nj\ud800k\x7fl\0m"
"""Escape codes of every family, in seven and eight bits, what reorders and hides, and half a character."""
MARKS = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\u200b", "\x90", "\x9c", "\r", "\ud800", "\x7f", "\0")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of a store that has read all there is; nobody writes to it."""
    folder = tmp_path_factory.mktemp("terminal")
    store = store_of(folder, [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
    return ["--store", str(store.path), "--source", f"claude={folder / 'claude'}", "--tz", "UTC"]


def test_lines_errors_and_progress_keep_the_words_and_nothing_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.lines([HOSTILE, "second"])
    terminal.error(HOSTILE)
    terminal.progress(f"half {HOSTILE}")
    told = capsys.readouterr()
    assert told.out == "abcdefgi  jklm\nsecond\n"
    assert told.err.startswith("agnes-stats: abcdefgi jklm\n\rhalf abcdefgi")
    assert not [mark for mark in MARKS if mark in told.out + told.err.removeprefix("\r").replace("\n\r", "")]


def test_json_says_the_same_in_printable_characters() -> None:
    value = {HOSTILE: [HOSTILE, "Žluťoučký 🦆 “x”", None]}
    told = terminal.json_text(value)
    assert told.isprintable() and "Žluťoučký 🦆 “x”" in told
    assert json.loads(told) == value
    assert terminal.json_text(value, "latin-1").isascii()
    assert json.loads(terminal.json_text(value, "latin-1")) == value


def test_a_fault_of_ours_is_one_line_and_with_the_variable_a_harmless_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def fails(*_: object) -> int:
        raise LookupError(HOSTILE)

    monkeypatch.setattr(cli, "_command", lambda given: fails)
    assert cli.main(["sessions", *options]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "agnes-stats: this should not have happened, please report it: LookupError (abcdefgi jklm) in "
    )
    assert told.count("\n") == 1
    monkeypatch.setenv(terminal.TRACEBACK_VARIABLE, "1")
    assert cli.main(["sessions", *options]) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told and "in fails" in told
    assert told.replace("\n", "").isprintable()


def test_an_error_of_the_system_is_no_fault_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def fails(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "/x\x1b[31my")

    monkeypatch.setattr(cli, "_command", lambda given: fails)
    assert cli.main(["sessions", *options]) == 1
    assert capsys.readouterr().err == "agnes-stats: [Errno 13] Permission denied: '/x\\x1b[31my'\n"


HELP, LINES = ["--help"], ["daily"]
MANY = ["sql", "SELECT repeat('x', 1000) FROM range(1000)", "--csv"]


@pytest.mark.parametrize(
    ("shell", "arguments", "status", "said"),
    [
        ("{} <&-", ["statusline"], 0, ""),
        ("{} <&-", ["sql", "-"], 2, "standard input"),
        ("{} <&-", ["forget", "--session", "s1"], 2, "--yes"),
        ("{} >&-", LINES, 0, ""),
        ("{} >&-", HELP, 0, ""),
        ("{} 2>&-", ["daily", "--since", "never"], 2, ""),
        ("{} <&- >&- 2>&-", LINES, 0, ""),
        ("{} >/dev/full", LINES, 1, "cannot be written: No space left on device"),
        ("{} >/dev/full", MANY, 1, "cannot be written: No space left on device"),
        ("{} >/dev/full", HELP, 1, "cannot be written: No space left on device"),
        ("{} 2>/dev/full", ["daily", "--since", "never"], 2, ""),
        ("{} </dev/zero", ["statusline"], 0, ""),
        ("{} </dev/zero", ["sql", "-"], 2, "at most 100,000 characters"),
        ("{} 0>/dev/null", ["statusline"], 0, ""),
        ("{} | true; exit ${{PIPESTATUS[0]}}", LINES, 0, ""),
        ("{} | true; exit ${{PIPESTATUS[0]}}", MANY, 0, ""),
        ("{} 2>&1 | true; exit ${{PIPESTATUS[0]}}", ["daily", "--since", "never"], 2, ""),
        ("cd $(mktemp -d) && rmdir $PWD && {}", LINES, 0, ""),
        ("cd $(mktemp -d) && rmdir $PWD && {} --store s.duckdb", LINES, 2, "folder, which was deleted"),
    ],
)
def test_closed_full_and_endless_streams(
    options: list[str], shell: str, arguments: Sequence[str], status: int, said: str
) -> None:
    asked = [sys.executable, "-P", "-m", "agnes_stats", *arguments, *(options if arguments is not HELP else [])]
    quoted = " ".join(f"'{part.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'" for part in asked)
    run = subprocess.run(["bash", "-c", shell.format(quoted)], capture_output=True, text=True)
    assert (run.returncode, said in run.stderr) == (status, True), run.stderr
    assert run.stderr.count("\n") == (1 if said else 0), run.stderr


def test_a_store_is_never_opened_under_the_number_of_a_closed_stream(options: list[str]) -> None:
    # Whatever a library writes to its standard error would otherwise be written into the store.
    told = "import os, sys\nfrom agnes_stats.tui import terminal\nterminal.prepare()\nopened = open(os.devnull)\n"
    told += "sys.exit(opened.fileno())"
    run = subprocess.run(["bash", "-c", f"{sys.executable} -c '{told}' <&- >&- 2>&-"])
    assert run.returncode == 3


INTERRUPTED = """
import os, signal, sys
from agnes_stats.tui import start
class Finder:
    def find_spec(self, name, *_):
        if name == "agnes_stats.tui.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.exit(start.main())
"""
"""The program, and Ctrl-C while it is still imported."""


@pytest.mark.parametrize("words", [["sessions"], ["daily"], ["statusline"], ["ingest"], []])
def test_an_end_that_is_asked_for_while_all_is_imported_is_no_fault(
    tmp_path: Path, options: list[str], words: list[str]
) -> None:
    store = ["--store", str(tmp_path / "new.duckdb")]
    asked = [sys.executable, "-P", "-c", INTERRUPTED, *words, *options, *store]
    run = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")
    assert not list(tmp_path.iterdir()), "nothing was begun"
