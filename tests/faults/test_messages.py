"""What the command line says when the store is out of order: one line, status 1, nothing lost, no traceback."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.storing import BESIDE, Holder
from tests.transcripts import Transcript, write


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
    return tmp_path / "claude"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.duckdb"


def run(capsys: pytest.CaptureFixture[str], claude: Path, path: Path, command: str, *more: str) -> tuple[int, str, str]:
    status = cli.main([command, "--json", "--store", str(path), "--source", f"claude={claude}", *more])
    told = capsys.readouterr()
    return status, told.out, told.err


def refused(capsys: pytest.CaptureFixture[str], claude: Path, path: Path, command: str) -> str:
    status, out, err = run(capsys, claude, path, command)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("agnes-stats: ")
    return err


def test_a_damaged_store_is_named_and_rebuilt_when_asked(
    capsys: pytest.CaptureFixture[str], claude: Path, path: Path
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 20000)
    for command in ("sessions", "ingest", "home"):
        assert "`agnes-stats ingest --rebuild`" in refused(capsys, claude, path, command)
    assert path.read_bytes() == b"x" * 20000
    status, out, _ = run(capsys, claude, path, "ingest", "--rebuild")
    told = json.loads(out)
    assert (status, told["files"]) == (0, 1)
    assert Path(told["set_aside"]).read_bytes() == b"x" * 20000
    assert run(capsys, claude, path, "ingest")[0] == 0


def test_a_newer_store_is_refused_and_not_rebuilt(capsys: pytest.CaptureFixture[str], claude: Path, path: Path) -> None:
    with Store(path).write() as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'store_version'")
    assert "newer agnes-stats" in refused(capsys, claude, path, "sessions")
    assert run(capsys, claude, path, "ingest", "--rebuild")[0] == 1
    assert {file.name for file in path.parent.iterdir()} == {"store.duckdb", *BESIDE}


def test_a_folder_or_somebody_elses_database_is_refused(
    capsys: pytest.CaptureFixture[str], claude: Path, path: Path
) -> None:
    path.mkdir(parents=True)
    assert "is a folder" in refused(capsys, claude, path, "sessions")
    assert run(capsys, claude, path, "ingest", "--rebuild")[0] == 1


def test_while_somebody_else_reads_at_length_the_answer_is_that_of_before(
    capsys: pytest.CaptureFixture[str], claude: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, claude, path, "ingest")[0] == 0
    write(claude, [Transcript("s2", "2026-03-10T09:00:00").prompt("hello").response()])
    monkeypatch.setattr(Store.__init__, "__kwdefaults__", {"wait": 0.05})
    with Holder(path, "read") as holder:
        status, out, err = run(capsys, claude, path, "sessions")
        assert (status, json.loads(out)["total"]) == (0, 1)
        assert f"process {holder.pid}" in err
    with Holder(path, "write"):
        assert "in use" in refused(capsys, claude, path, "ingest")
    assert json.loads(run(capsys, claude, path, "sessions")[1])["total"] == 2


def test_whatever_the_umask_nobody_else_can_read_anything(claude: Path, path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    watch = """
import os, sys
from agnes_stats.queries.store import file as store
from agnes_stats.tui import cli
seen = []
connect = store.connect
def look(files, *given, **named):
    connection = connect(files, *given, **named)
    seen.extend(found for found in files.path.parent.rglob("*") if found.stat().st_mode & 0o077)
    return connection
store.connect = look
import agnes_stats.ingest.load as loads
load = loads.load
def loaded(*given, **named):
    told = load(*given, **named)
    found = list(loads.Path(sys.argv[2]).parent.rglob("*"))
    seen.extend(one for one in found if one.stat().st_mode & 0o077)
    assert any(one.suffix == ".wal" for one in found), found
    return told
loads.load = loaded
status = cli.main(["ingest", "--store", sys.argv[2], "--source", f"claude={sys.argv[1]}"])
sys.exit(status or str(seen or ""))
"""
    run = subprocess.run([sys.executable, "-c", watch, claude, path], capture_output=True, text=True, umask=0)
    assert run.stderr.strip() == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {file.name for file in path.parent.iterdir()} == {"store.duckdb", *BESIDE}
