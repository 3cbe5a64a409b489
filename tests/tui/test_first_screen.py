"""The first screen is shown at once the next time, and exactly as it will be, or not at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.forget import Forgettable, forget
from agnes_stats.queries import kept, plan_limits, sessions
from agnes_stats.queries.plan_limits import PlanLimit
from agnes_stats.queries.store import Store
from agnes_stats.queries.tokens import TokenSums
from agnes_stats.tui import first_screen, start, terminal
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.first_frame import header_until
from agnes_stats.tui.header_data import HeaderData
from agnes_stats.tui.ranges import holds_until
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot

from tests import storing
from tests.storing import store_in
from tests.transcripts import Transcript, store_of
from tests.tui.running import screen_text, settle

NOON = "2026-01-10T12:00:00"
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class World:
    """A home folder with a session, the store of it, and the dashboard over it, whose screen is read and not shown."""

    def __init__(self, home: Path) -> None:
        self.root = home / ".claude"
        self.config = home / "config.toml"
        said = Transcript("one", NOON).title("about orders").prompt("count").wait(5).response()
        self.store = store_of(home / "kept", [said])
        shutil.move(home / "kept" / "claude", self.root)
        self.words = ["--since", "2000-01-01", "--store", str(self.store.path), "--no-ingest"]
        self.seen = ""

    def found(self, words: list[str] | None = None, now: float | None = None) -> bytes | None:
        may_keep = kept.screen_of(self.words if words is None else words)
        assert may_keep is not None
        return may_keep.find(time.time() if now is None else now)

    @property
    def files(self) -> list[Path]:
        folder = Path(kept.folder_beside(str(self.store.path)))
        return list(folder.iterdir()) if folder.exists() else []

    async def read(self, pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, AgnesStats)
        while app.first is not None:
            await pilot.pause(0.01)
        await settle(pilot)
        self.seen = screen_text(app)
        app.exit(0)

    def begin(self, words: list[str] | None = None) -> str:
        """What a start shows once it has everything."""
        assert start.main(self.words if words is None else words) == 0
        return self.seen

    def settle(self, after: str = "") -> str:
        """The same, when it is kept. A start that writes a file keeps nothing; the next one finds all as it was."""
        shown = self.begin()
        if self.found() is None:
            assert self.begin() == shown
        assert self.found() is not None, f"the screen is not kept after {after}"
        return shown


@pytest.fixture
def world(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(kept, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(first_screen, "_is_ours", lambda: True)
    monkeypatch.setattr(first_screen.FirstScreen, "_send", lambda *_: None)
    monkeypatch.setattr(terminal, "can_show_screen", lambda: True)
    monkeypatch.setattr("agnes_stats.tui.app.LATE_SECONDS", 60.0)
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(own_home / "config.toml"))
    made = World(own_home)

    def run(app: App[int]) -> int | None:
        return App.run(app, headless=True, size=(140, 45), auto_pilot=made.read)

    monkeypatch.setattr(AgnesStats, "run", run)
    return made


CHANGES: dict[str, Callable[[World], object]] = {
    "a zone": lambda world: world.config.write_text('tz = "Asia/Tokyo"\n'),
    "a row in the store": lambda world: storing.note(world.store, "x"),
    "forgotten": lambda world: forget(world.store, Forgettable(("none",), None)),
    "a byte of it": lambda world: storing.spoil(world.files),
    "prices": lambda world: world.config.write_text('[prices."claude-opus-4-5-20251101"]\ninput = 1\noutput = 2\n'),
    "people": lambda world: world.config.write_text('[users]\nabcd = "Dana"\n'),
    "a project": lambda world: world.config.write_text('project = "warehouse"\n'),
    "no costs": lambda world: world.config.write_text("no-cost = true\n"),
    "no settings": lambda world: world.config.unlink(),
    "another store": lambda world: storing.another_inode(world.store),
    "one that others may read": lambda world: [path.chmod(0o644) for path in world.files],
    "a log of the store": lambda world: world.store.log_path.write_bytes(b""),
    "no store": lambda world: world.store.path.unlink(),
}
USUAL = ("a zone", "a row in the store", "a byte of it", "forgotten")


@pytest.mark.parametrize("names", [USUAL, pytest.param(tuple(CHANGES), marks=pytest.mark.long)], ids=["usual", "all"])
def test_what_it_may_depend_on_makes_it_anew(world: World, names: tuple[str, ...]) -> None:
    before, seen = "the first", set()
    for name in names:
        seen.add(world.settle(before))
        CHANGES[name](world)
        assert world.found() is None, name
        before = name
    assert len(seen) > 1, "what changes the screen is seen on it"


def test_it_is_what_is_shown_and_for_its_owner_only(world: World) -> None:
    shown = world.settle()
    frame = world.found()
    assert frame is not None and "about orders" in shown
    assert [line.rstrip() for line in _CODES.sub("", frame.decode()).split("\n")] == [
        line.rstrip() for line in shown.split("\n")
    ]
    assert [stat.S_IMODE(path.stat().st_mode) for path in world.files] == [0o600]


def test_other_words_variables_and_days_have_another_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settle()
    assert world.found([*world.words, "--tz", "Asia/Tokyo"]) is None
    midnight = holds_until("UTC", None, dt.datetime.now(dt.UTC).replace(tzinfo=None)).replace(tzinfo=dt.UTC)
    assert world.found(now=midnight.timestamp() - 0.1) is not None
    assert world.found(now=midnight.timestamp()) is None
    assert world.found(now=time.time() - 3600.0) is None
    for name, value in {"TZ": "Asia/Tokyo", "AGNES_STATS_PROJECT": "work", "COLUMNS": "80", "TERM": "dumb"}.items():
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert world.found() is None, name
    monkeypatch.setenv("TMUX_PANE", "%77")
    assert world.found() is not None


@pytest.mark.parametrize("without", [False, True], ids=["reading", "not reading"])
def test_what_processes_say_is_looked_at_where_anything_is_read(world: World, without: bool) -> None:
    if not without:
        world.words = [word for word in world.words if word != "--no-ingest"]
    # Who reads may write to the store, or to its settings, for some starts.
    assert any(world.begin() and world.found() for _ in range(5))
    (world.root / "sessions").mkdir()
    (world.root / "sessions" / "4242.json").write_text('{"pid": 4242, "sessionId": "one", "status": "busy"}')
    assert (world.found() is not None) == without


def test_how_it_was_left_is_how_it_begins(world: World) -> None:
    world.settle()
    world.store.path.with_name("screen.json").write_text('{"tab": "tokens"}')
    assert world.found() is None
    world.begin()
    assert world.found() is None, "what that tab says is not kept"


@pytest.mark.parametrize("tab", ["sessions", "tokens", "access", "sync"])
def test_where_there_is_nothing_nobody_waits_for_more(world: World, tab: str) -> None:
    """What stands in place of a table is all there is, and the ingester begins then."""
    begun = time.monotonic()
    (world.store.path.parent / "empty").mkdir()
    empty = str(store_in(world.store.path.parent / "empty").path)
    assert "1 Sessions" in world.begin(["--no-ingest", "--store", empty, "--tab", tab])
    # The fixture has it wait for a minute.
    assert time.monotonic() - begun < 30.0


def test_what_is_forgotten_is_in_no_screen(world: World) -> None:
    world.settle()
    forget(world.store, Forgettable(("one",), None))
    assert not world.files


def test_where_something_runs_none_is_kept(world: World) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat()
    store = store_of(world.store.path.parent, [Transcript("two", now).prompt("go on").response()])
    words = ["--since", "2000-01-01", "--store", str(store.path), "--no-ingest"]
    for _ in range(2):
        world.begin(words)
        assert world.found(words) is None


def test_while_it_is_made_nothing_may_change(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.begin()
    nothing_runs = sessions.nothing_runs_until

    def slowly(*given: Any, **named: Any) -> dt.datetime:
        world.config.write_text("no-cost = true\n")
        return nothing_runs(*given, **named)

    monkeypatch.setattr(sessions, "nothing_runs_until", slowly)
    world.begin()
    assert world.found() is None


def test_what_a_command_looks_at_is_not_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    look, looks = os.stat, []

    class Noting(Store):
        def read(self, *given: Any, **named: Any) -> Any:
            looks.append(os.stat)
            return super().read(*given, **named)

    monkeypatch.setattr("agnes_stats.tui.commands.answering.Store", Noting)
    assert start.main([*world.words[2:], "tokens", "--json"]) == 0
    assert looks == [look] and "tokens" in capfd.readouterr().out


# -- until when it is right ------------------------------------------------------------------------------------------

AT = dt.datetime(2026, 3, 10, 12)
HOUR = dt.timedelta(hours=1)


def _limit(as_of: dt.datetime, resets_at: dt.datetime | None, *, stale: bool = True) -> PlanLimit:
    named: dict[str, Any] = dict.fromkeys(PlanLimit.__dataclass_fields__)
    named |= {"window": "five_hour", "used_percentage": 40.0, "as_of": as_of, "resets_at": resets_at, "stale": stale}
    return PlanLimit(**named)


def _header(**named: Any) -> HeaderData:
    usual: dict[str, Any] = {"live": [], "limits": [], "budgets": [], "has_workspace": False, "last_pull_at": None}
    sums = TokenSums(**dict.fromkeys(TokenSums.__dataclass_fields__, 0))
    return HeaderData(sums, **(usual | named))


@pytest.mark.parametrize(
    ("header", "until"),
    [
        (_header(), dt.datetime.max),
        (_header(live=["one"]), None),
        (_header(limits=[_limit(AT, None, stale=False)]), None),
        (_header(limits=[_limit(AT - 2 * HOUR, None)]), AT + HOUR),
        (_header(limits=[_limit(AT - 2 * HOUR, AT + HOUR / 2)]), AT + HOUR / 2),
        (_header(limits=[_limit(AT - 80 * HOUR, AT - 30 * HOUR)]), dt.datetime.max),
        (_header(has_workspace=True, last_pull_at=AT - dt.timedelta(seconds=90)), AT + dt.timedelta(seconds=30)),
    ],
    ids=["days", "runs", "a fresh limit", "a limit's age", "a limit's end", "a limit long ago", "a pull's age"],
)
def test_the_header_says_the_same_until(header: HeaderData, until: dt.datetime | None) -> None:
    assert header_until(header, AT) == until


def test_rows_ahead_of_the_clock_run_once_it_comes_near(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("one", NOON).prompt("x").response()])
    with store.read() as connection:
        ended = connection.rows("SELECT ended_at FROM sessions")[0][0]

        def until(now: dt.datetime) -> dt.datetime:
            return sessions.nothing_runs_until(connection, now=now)

        assert until(ended + HOUR) == dt.datetime.max
        assert until(ended) == ended
        assert until(ended - HOUR) == ended - sessions.LIVE_FOR
        assert not plan_limits.are_ahead(connection, now=ended)


def test_a_day_ends_where_its_zone_says() -> None:
    assert holds_until("Asia/Tokyo", None, AT) == dt.datetime(2026, 3, 10, 15)
    assert holds_until("UTC", AT + HOUR, AT) == AT + HOUR
    assert holds_until("UTC", AT - HOUR, AT) == dt.datetime(2026, 3, 11)


# -- in a terminal ---------------------------------------------------------------------------------------------------

BEGIN = """
import sys
from agnes_stats.queries import kept
from agnes_stats.tui import cli, start
kept.SETTLED_SECONDS = 0.0
later = cli.main
def main(arguments):
    import sys
    if "textual" not in sys.modules and "--wait" in sys.orig_argv:
        # What was kept is on the screen; nobody but us has the terminal. A signal that comes right before a read that
        # waits would not be heard.
        import select
        while not select.select([0], [], [], 0.05)[0]:
            pass
        sys.stdin.readline()
    return later(arguments)
cli.main = main
sys.exit(start.main([word for word in sys.argv[1:] if word != "--wait"]))
"""
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """The program in a terminal of its own, of 140 columns and 45 lines."""

    def __init__(self, world: World, *words: str) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *world.words, *words],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=os.environ | {"TERM": "xterm-256color", "PYTEST_CURRENT_TEST": ""},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def until(self, said: Callable[[], object]) -> None:
        give_up = time.monotonic() + 20.0
        while not said():
            assert time.monotonic() < give_up, self.seen[-3000:]
            if select.select([self.ours], [], [], 0.02)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.ours, 65536)

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def quit(self) -> None:
        self.until(lambda: b"about orders" in self.seen)
        self.type(b"q")
        self.until(lambda: self.has_ended)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None and not select.select([self.ours], [], [], 0.0)[0]

    @property
    def is_given_back(self) -> bool:
        is_left = self.seen.rfind(LEAVE) > self.seen.rfind(ENTER) and self.seen.rfind(b"\x1b[?25h") > 0
        return is_left and termios.tcgetattr(self.theirs) == self.before

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminals(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    """Programs over one store, whose first screen is kept by now."""
    monkeypatch.setattr(kept, "SETTLED_SECONDS", 0.0)
    world, begun = World(own_home), []

    def begin(*words: str) -> Terminal:
        begun.append(Terminal(world, *words))
        return begun[-1]

    def kept_now() -> list[tuple[Path, int]]:
        return [(path, path.stat().st_mtime_ns) for path in world.files]

    before = None
    # The first one writes down how it was left, and the next one begins so; one that takes too long keeps nothing.
    while not before or before != kept_now():
        before = kept_now()
        begin().quit()
    yield begin
    for each in begun:
        each.close()


def test_it_is_there_before_all_else_and_what_is_typed_meanwhile_is_done(terminals: Callable[..., Terminal]) -> None:
    one = terminals("--wait")
    one.until(lambda: b"Help" in one.seen)
    assert b"about orders" in one.seen and not termios.tcgetattr(one.theirs)[3] & termios.ECHO
    one.seen, shown = b"", one.seen
    one.type(b"\n")
    one.until(lambda: b"Help" in one.seen)
    assert b"about orders" in one.seen and b"Loading" not in one.seen, "nothing takes away what is shown"
    assert (shown + one.seen).count(ENTER) == 1, "to ask for a screen again would clear it"
    one.type(b"q")
    one.until(lambda: one.has_ended)
    assert one.process.returncode == 0 and one.is_given_back
    another = terminals("--wait")
    another.until(lambda: b"Help" in another.seen)
    another.type(b"\n?")
    another.until(lambda: b"Everywhere" in another.seen)
    another.type(b"\x03")
    another.until(lambda: another.has_ended)
    assert another.process.returncode == 0 and another.is_given_back


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGHUP, signal.SIGINT))],
)
def test_who_ends_it_before_all_else_is_there_has_the_terminal_back(
    terminals: Callable[..., Terminal], number: signal.Signals
) -> None:
    one = terminals("--wait")
    one.until(lambda: b"Help" in one.seen)
    one.process.send_signal(number)
    one.until(lambda: one.has_ended)
    assert one.process.returncode != 0 and one.is_given_back


def test_what_somebody_has_done_something_with_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.begin()
    begin = AgnesStats._begin

    def pressed(app: AgnesStats) -> None:
        begin(app)
        app.post_message(Key("down", None))

    with monkeypatch.context() as changed:
        changed.setattr(AgnesStats, "_begin", pressed)
        world.begin()
        assert world.found() is None
    sizes = iter([(140, 45), (120, 45)])
    with monkeypatch.context() as changed:
        changed.setattr(first_screen, "_size", lambda: next(sizes))
        world.begin()
        assert world.found() is None
    world.settle()
