"""The status line that the dashboard keeps: told again without the store, and exactly what the store says, or not."""

import contextlib
import io
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.forget import Forgettable, forget
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import kept
from agnes_stats.tui import cli, line_soon, start
from agnes_stats.tui.line_keeper import ASKED_SECONDS, LineKeeper
from agnes_stats.tui.settings import settings_from

from tests import storing
from tests.transcripts import Transcript, store_of, write

NOON = "2026-01-10T12:00:00"


class World:
    """A store with two sessions, whose lines a keeper keeps, and who asks for them."""

    def __init__(self, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.home = home
        said = [Transcript(name, NOON).prompt("count").wait(5).response() for name in ("one", "two")]
        self.store = store_of(home / "kept", said)
        self.root = home / "kept" / "claude"
        self.config = home / "config.toml"
        self.words = ["statusline", "--store", str(self.store.path)]
        self.told: dict[str, Any] = {"session_id": "one", "transcript_path": str(self.transcript)}
        self.keeper = self.another_keeper()
        self.keeper.follows([Root("claude", self.root)])
        self._capfd = capfd

    def another_keeper(self) -> LineKeeper:
        return LineKeeper(settings_from({"store": str(self.store.path), "tz": "UTC"}, {}))

    @property
    def transcript(self) -> Path:
        return next((self.home / "kept" / "claude").rglob("one.jsonl"))

    @property
    def lines(self) -> list[Path]:
        return list(Path(kept.folder_beside(str(self.store.path))).glob("*.line"))

    def says(self) -> None:
        """What is told on standard input from here on."""
        file = self.home / "told.json"
        file.write_text(json.dumps(self.told))
        descriptor = os.open(file, os.O_RDONLY)
        os.dup2(descriptor, 0)
        os.close(descriptor)

    def ask(self, main: Callable[[list[str]], int] = start.main) -> str:
        self.says()
        self._capfd.readouterr()
        with pytest.MonkeyPatch.context() as given:
            given.setattr("sys.stdin", io.StringIO(json.dumps(self.told)))
            assert main(self.words) == 0
        return self._capfd.readouterr().out

    def soon(self, now: float | None = None) -> str | None:
        """The line that is kept, if it can be told."""
        self.says()
        told = line_soon.take_input()
        line_soon.taken_input()
        with (
            pytest.MonkeyPatch.context() as clock,
            kept.beginning(self.words, *line_soon.matters(told)) as may_keep,
        ):
            assert told is not None and may_keep is not None
            if now is not None:
                clock.setattr(time, "time", lambda: now)
            answer = line_soon.answer(may_keep, told)
        return None if answer is None else answer.decode()

    def append(self) -> None:
        """The session goes on, and the store has it."""
        more = Transcript("one", NOON).prompt("count").wait(5).response().wait(5).response(tokens=(10, 90_000, 0, 0))
        write(self.root, [more])
        Engine(self.store, [Root("claude", self.root)]).catch_up()


@pytest.fixture
def world(own_home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[World]:
    monkeypatch.setattr(kept, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(line_soon, "RENEWAL_SECONDS", 0.0)
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(own_home / "config.toml"))
    before = os.dup(0)
    made = World(own_home, capfd)
    yield made
    made.keeper.stop()
    os.dup2(before, 0)
    os.close(before)


def test_a_line_is_told_again_without_the_store_as_long_as_it_is_what_the_store_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = world.ask()
    assert line.startswith("opus-4.5 · session")
    assert {stat.S_IMODE(path.stat().st_mode) for path in world.lines} == {0o600}
    with monkeypatch.context() as without:
        without.setattr(cli, "main", None)
        assert world.ask() == line
        world.told |= {"cost": {"total_cost_usd": 1.5}, "rate_limits": {"five_hour": {"used_percentage": 42.5}}}
        assert world.ask() == f"{line.rstrip()} · 5h 42 %\n", "what Claude Code says besides is told beside"
    assert "five_hour" in (world.store.path.parent / "limits.jsonl").read_text(), "and noted"
    del world.told["rate_limits"]
    world.append()
    stale = world.soon()
    assert stale is not None and stale.startswith(f"{line.rstrip()} · as of "), "it says how old it is"
    assert world.soon(time.time() + line_soon.BEHIND_SECONDS + 1) is None, "and not for long"
    world.keeper.look()
    renewed = world.soon()
    assert renewed == world.ask(cli.main) != line, "a line made anew is the one that the store gives"


def test_it_is_made_anew_while_the_store_is_open_and_right_also_when_it_is_closed(world: World) -> None:
    line = world.ask()
    with world.store.write() as connection:
        connection.execute("UPDATE sessions SET context_tokens = 123000 WHERE session_id = 'one'")
        world.keeper.written()
        while_open = world.soon()
    assert while_open == world.soon() == world.ask(cli.main) != line
    # Another write that nobody tells the keeper of: what it made of the one before is not taken for that of this one.
    with contextlib.ExitStack() as open_still:
        with world.store.write() as connection:
            connection.execute("UPDATE sessions SET context_tokens = 99000 WHERE session_id = 'one'")
            world.keeper.written()
            open_still.enter_context(world.store.read())
        with world.store.write() as connection:
            connection.execute("UPDATE sessions SET context_tokens = 50000 WHERE session_id = 'one'")
    told = world.soon()
    assert told is not None and " · as of " in told


def _spoil(world: World) -> None:
    for path in world.lines:
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        path.write_bytes(bytes(data))


def _another_keeps(world: World) -> None:
    world.keeper.stop()
    world.keeper = world.another_keeper()
    world.keeper.follows([Root("claude", world.root)])


def _prices(world: World) -> None:
    world.config.write_text('[prices."claude-opus-4-5-20251101"]\ninput = 1\noutput = 2\n')


CHANGES: dict[str, Callable[[World], object]] = {
    "another session": lambda world: world.told.update(session_id="two"),
    "no session": lambda world: world.told.pop("session_id"),
    "an odd session": lambda world: world.told.update(session_id=["one"]),
    "another file": lambda world: world.told.update(transcript_path=str(world.home / "x.jsonl")),
    "a window": lambda world: world.told.update(context_window={"context_window_size": 10_000}),
    "another word": lambda world: world.words.append("--no-cost"),
    "prices": _prices,
    "a zone": lambda world: world.config.write_text('tz = "Asia/Tokyo"\n'),
    "a budget": lambda world: world.config.write_text("budget = 1\n"),
    "no settings": lambda world: world.config.unlink(),
    "forgotten": lambda world: forget(world.store, Forgettable(("one",), None)),
    "a byte": _spoil,
    "others may read it": lambda world: [path.chmod(0o644) for path in world.lines],
    "another keeper": _another_keeps,
    "no keeper": lambda world: world.keeper.stop(),
}


def test_whatever_it_may_depend_on_makes_it_be_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told, words = dict(world.told), list(world.words)
    for name, change in CHANGES.items():
        world.told, world.words = dict(told), list(words)
        world.ask()
        assert world.soon() is not None, f"before {name}"
        change(world)
        assert world.soon() is None, name
    for name, value in (("TZ", "Asia/Tokyo"), ("AGNES_STATS_PROJECT", "x"), ("HOME", "/nowhere"), ("ANY", "thing")):
        _another_keeps(world)
        world.ask()
        assert world.soon() is not None
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert world.soon() is None, name


def test_nothing_is_kept_of_what_was_forgotten(world: World) -> None:
    world.ask()
    last = Path(f"{world.store.path}{kept.LAST_LINES}")
    assert last.exists() and world.lines
    forget(world.store, Forgettable(("one",), None))
    assert not last.exists() and not world.lines


def test_it_holds_until_the_day_ends_and_until_how_long_ago_is_another_word(world: World) -> None:
    world.ask()
    midnight = (time.time() // 86400 + 1) * 86400
    assert world.soon(midnight - 0.5) is not None
    assert world.soon(midnight) is None
    assert world.soon(time.time() - 3600) is None, "the clock was set back"
    pulled = int(time.time()) - 150
    with world.store.write() as connection:
        connection.execute(
            f"INSERT INTO server_reads BY NAME SELECT make_timestamp({pulled * 1_000_000}) AS last_pull_at"
        )
    world.keeper.look()
    told = world.soon()
    assert told is not None and "pulled 2m ago" in told
    assert world.soon(pulled + 180) is None


def test_only_who_reads_the_session_keeps_its_line_and_only_one_does(world: World) -> None:
    world.told["transcript_path"] = str(world.home / "elsewhere" / "one.jsonl")
    world.ask()
    assert not world.lines
    world.told["transcript_path"] = str(world.transcript)
    other = world.another_keeper()
    other.follows([Root("claude", world.home / "elsewhere")])
    world.ask()
    assert world.soon() is not None, "the first one goes on"
    for words in (["--user", "nobody"], []):
        world.words += words
    world.keeper.stop()
    other.follows([Root("claude", world.root)])
    assert line_soon.keeper_of(str(world.store.path)) is not None
    other.stop()
    assert line_soon.keeper_of(str(world.store.path)) is None


def test_what_nobody_asks_for_any_more_is_not_made_anew(world: World) -> None:
    world.ask()
    (path,) = world.lines
    long_ago = time.time() - ASKED_SECONDS - 1
    os.utime(path, (long_ago, long_ago))
    before = path.read_bytes()
    storing.note(world.store, "x")
    world.keeper.look()
    assert path.read_bytes() == before
    os.utime(path)
    world.keeper.look()
    assert path.read_bytes() != before


@pytest.mark.parametrize("told", [b"", b"{", b"[1]", b"\xff{}", b"[" * 100_000, b'{"session_id": "\\ud800"}'])
def test_what_is_not_understood_is_told_of_nobody(world: World, told: bytes) -> None:
    assert line_soon.matters(told)[1:] == ("None", None)
    assert line_soon.matters(told) == line_soon.matters(told)


def test_what_could_not_be_written_is_told_at_the_next_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = LineKeeper(settings_from({"store": str(tmp_path / "s.duckdb"), "tz": "UTC"}, {}))
    roots = [Root("claude", tmp_path / "claude")]

    def is_full(*_: object) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", is_full)
        keeper.follows(roots)
    keeper.follows(roots)
    keeper.stop()
    (told,) = tmp_path.iterdir()
    assert str(tmp_path / "claude") in told.read_text("utf-8").splitlines()
