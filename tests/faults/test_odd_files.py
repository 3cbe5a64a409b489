"""A pipe, a socket, a device or a loop of links with the name of a file that is read costs one line, and no time."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from agnes_stats.queries.console_book import Book
from agnes_stats.queries.regular import NotRegularError, opened, read_bytes
from agnes_stats.queries.replaced import replacing
from agnes_stats.queries.store import Store, StoreError
from agnes_stats.tui import cli

from tests.faults.world import World
from tests.transcripts import Transcript, write


@pytest.fixture(autouse=True)
def not_for_ever() -> Iterator[None]:
    """What waits for a pipe is interrupted, so that the test fails instead of the run."""

    def give_up(*_: object) -> None:
        raise TimeoutError("still waiting")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sock(path: Path) -> None:
    # The name of a socket may have a hundred characters: its folder is gone to, and come back from.
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def system(path: Path) -> None:
    path.symlink_to("/proc/self/pagemap")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


KINDS: dict[Callable[[Path], None], str] = {
    pipe: "a pipe, not a regular file",
    sock: "a socket, not a regular file",
    device: "a device, not a regular file",
    system: "a file of the system, not a regular file",
    loop: os.strerror(40),
}
kinds = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)


def put(path: Path, make: Callable[[Path], None]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    return path


@kinds
def test_every_file_of_every_source(
    make: Callable[[Path], None], tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them at once, beside a good one: each has its line, and the good one is read."""
    claude, server, workspace, account = (tmp_path / name for name in ("claude", "server", "shop", "account"))
    folder = claude / "projects" / "-home-dana-work"
    write(claude, [Transcript("good", "2026-03-10T09:00:00", cwd=str(tmp_path / "cwd")).prompt("hello").response()])
    put(tmp_path / "cwd" / ".git", make)
    odd = [
        put(path, make)
        for path in (
            folder / "x.jsonl",
            folder / "s1" / "subagents" / "agent-a.jsonl",
            folder / "s1" / "subagents" / "agent-a.meta.json",
            server / "ann" / "s2.jsonl",
            workspace / ".claude" / "agnes" / "sync_state.json",
            workspace / ".claude" / "agnes" / "update.log",
            workspace / ".claude" / "sync_state.json",
            workspace / ".claude" / "init-complete",
            workspace / ".claude" / "agnes-sessions-uploaded.txt",
            workspace / "user" / "snapshots" / "orders.meta.json",
            account / "token.json",
            account / "config.yaml",
        )
    ]
    put(claude / "settings.json", make)
    options = ["--store", str(tmp_path / "s.duckdb")]
    for kind, root in (
        ("claude", claude),
        ("agnes-server-folder", server),
        ("workspace", workspace),
        ("account", account),
    ):
        options += ["--source", f"{kind}={root}"]
    assert cli.main(["doctor", "--json", *options]) == 1
    told = json.loads(capsys.readouterr().out)
    for path in odd:
        assert f"{path} cannot be read: {KINDS[make]}" in told["problems"], path
    assert any("settings.json" in note for note in told["notes"])
    assert cli.main(["tokens", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["responses"] == 1
    assert cli.main(["ingest", "--json", *options]) == 0
    # What is known to be no file is not tried again: a command that finds nothing else need not read.
    assert json.loads(capsys.readouterr().out)["files"] == 0


@kinds
@pytest.mark.parametrize("name", ["store.duckdb", "store.duckdb.wal"])
def test_the_store(make: Callable[[Path], None], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if name.endswith(".wal"):
        with Store(tmp_path / "store.duckdb").read():
            pass
    put(tmp_path / name, make)
    for command in (["sessions"], ["ingest", "--rebuild"], ["sql", "SELECT 1"]):
        assert cli.main([*command, "--store", str(tmp_path / "store.duckdb"), "--source", f"claude={tmp_path}"]) == 1
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert str(tmp_path / name) in told.err
    assert os.path.lexists(tmp_path / name)


@kinds
def test_the_config_file_and_the_console_s(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(put(tmp_path / "config.toml", make)))
    assert cli.main(["sessions", "--store", str(tmp_path / "s.duckdb")]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "config.toml" in told.err
    book = Book(tmp_path / "s.duckdb")
    put(book.path, make)
    for use in (book.read, lambda: book.note("SELECT 1"), lambda: book.save("one", "SELECT 1")):
        with pytest.raises(StoreError, match="cannot be read"):
            use()
    assert os.path.lexists(book.path)


@kinds
def test_no_file_is_written_over_what_is_none(make: Callable[[Path], None], tmp_path: Path) -> None:
    if make is loop:
        return
    path = put(tmp_path / "out.csv", make)
    with pytest.raises(NotRegularError):
        replacing(path, lambda aside: aside.write_text("x"))
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_a_pipe_that_takes_the_name_between_looking_and_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n")
    look = os.stat

    def then_replace(name: object, *given: object, **named: object) -> os.stat_result:
        found = look(name, *given, **named)  # type: ignore[call-overload]
        if name == path:
            put(path, pipe)
        return found  # type: ignore[no-any-return]

    monkeypatch.setattr(os, "stat", then_replace)
    with pytest.raises(NotRegularError, match="a pipe"):
        opened(path)


def test_what_is_larger_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bytes(tmp_path / "x", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_bytes(tmp_path / "x", 4)


def test_a_pipe_that_becomes_a_file_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    odd = put(world.file.with_name("s2.jsonl"), pipe)
    world.catch_up()
    assert world.errors() == ["cannot be read: a pipe, not a regular file"]
    odd.unlink()
    write(world.root, [Transcript("s2", "2026-03-10T09:00:00").prompt("hello").response()])
    world.catch_up()
    assert (world.errors(), world.count()) == ([], 4)


def test_of_a_terabyte_of_nothing_little_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    sparse = world.file.with_name("sparse.jsonl")
    with sparse.open("wb") as file, suppress(OSError):
        file.truncate(1 << 40)
    assert world.catch_up().seconds < 20
    assert world.count() == 3
