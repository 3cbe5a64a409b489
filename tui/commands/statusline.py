"""`agnes-stats statusline`: one line about now, and soon, whatever is being done to the store.

A prompt waits for this line. So the store is asked in a process of its own, and if that takes too long the line is the
last answer, with its age; the process goes on, keeps its answer for next time, and is alone at it for a store, however
many prompts ask. Imports nothing slow: that is done beside.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import select
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...ingest.limit_log import log_beside, note
from ...queries import kept
from ...queries.regular import read_text
from ...queries.store import Store, StoreError
from .. import line_soon, terminal
from ..settings import Settings, is_text
from .command import BUDGETS, FILTERS, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...queries.store import Reader
    from ..marks import Used

SOON_SECONDS = 0.15
"""How long the answer is waited for, while another program keeps the store up to date."""

ALONE_SECONDS = 0.8
"""The same, where nobody else does: then what is new of the session is read first."""

FIRST_SECONDS = 3.0
"""The same, where there is no last answer."""

IDLE_SECONDS = 3.0
"""Where nobody has written to the store for this long, nobody keeps it up to date."""

STORE_SECONDS, READING_SECONDS, WORK_SECONDS = 2.0, 10.0, 30
"""In the process beside: how long it waits for the store, how long it reads what is new, how long it lives at most."""

BRIEF_SECONDS = 0.3
"""How long the store is waited for where there is no process beside."""

PROVISIONAL, PROVISIONAL_SECONDS = "provisional", 60.0
"""What a line ends with that is told before the store is full, and how long such a one is told again."""

NOTHING = "agnes-stats: no numbers yet"
_KEPT = 50
_LONGEST = 500
"""Characters of a line: what is written into a pipe at once is read at once."""
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What is told of the session, and of everything; both may be empty. `at` is in seconds since 1970."""

    session: str
    common: str
    at: float
    until: float = 0.0
    """From when on it says something else though nobody writes to the store."""

    def text(self, now: float | None = None) -> str:
        """The line; with its age, if `now` is given."""
        parts = [self.session, self.common]
        if now is not None:
            parts.append(f"as of {line_soon.age(now - self.at)} ago")
        return " · ".join(part for part in parts if part)


class LastLines:
    """The last answers, one for each session, beside the store, for its owner only."""

    def __init__(self, settings: Settings, session_id: str | None) -> None:
        self.path = Path(f"{settings.store}{kept.LAST_LINES}")
        # What else the line depends on.
        chosen = (
            settings.project,
            settings.model,
            settings.branch,
            settings.agent_version,
            settings.agent,
            settings.machine,
            settings.user,
        )
        budgets = (settings.budget, settings.budget_week, settings.budget_day, settings.budget_session)
        self._settings = json.dumps([settings.tz, settings.no_cost, *budgets, *chosen])
        self._session_id = session_id or ""

    def read(self) -> StatusLine | None:
        """The last answer for the session, or else the newest for another one without what is told of that."""
        kept = [one for one in self._read() if one["settings"] == self._settings]
        own = [one for one in kept if one["session_id"] == self._session_id]
        found = max(own or kept, key=lambda one: float(one["at"]), default=None)
        return None if found is None else StatusLine(found["session"] if own else "", found["common"], found["at"])

    def write(self, line: StatusLine) -> None:
        """Keep an answer. Where that is not possible there will be none."""
        from ...queries.replaced import replace_text

        own = {
            "settings": self._settings,
            "session_id": self._session_id,
            "session": line.session,
            "common": line.common,
            "at": line.at,
        }
        others = [one for one in self._read() if any(one[key] != own[key] for key in ("settings", "session_id"))]
        newest = sorted([own, *others], key=lambda one: float(one["at"]), reverse=True)[:_KEPT]
        with contextlib.suppress(OSError):
            replace_text(self.path, json.dumps(newest))

    def _read(self) -> list[dict[str, Any]]:
        try:
            told = json.loads(read_text(self.path, _MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return []
        return [one for one in told if _is_line(one)] if isinstance(told, list) else []


def _is_line(one: object) -> bool:
    return (
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("settings", "session_id", "session", "common"))
        and isinstance(one.get("at"), int | float)
    )


def statusline(given: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    """One line for Claude Code's status line, which gives JSON on standard input. Always a line, always status 0."""
    told = _told_by_claude()
    session_id = _text_in(told, "session_id")
    transcript = None if settings.no_ingest else _text_in(told, "transcript_path")
    window = None if settings.no_ingest else line_soon.window_in(told)
    last = LastLines(settings, session_id)
    log, now = log_beside(settings.store), time.time()
    is_noted = note(log, told, now)
    store = Store(settings.store, wait=STORE_SECONDS if _can_fork() else BRIEF_SECONDS)
    keeping = _keeping_of(settings, session_id, transcript)
    # Whoever has just written will do so again: to read the session's file is left to that program.
    is_idle = keeping is None and store.idle_seconds() > IDLE_SECONDS
    is_alone = transcript is not None and is_idle

    def refreshed() -> str:
        from ..factories import need_store

        need_store(settings)
        if is_idle and not settings.no_ingest and (soon := _provisional(store, settings, session_id, last)) is not None:
            last.write(soon)
            return soon.text()
        line = None if is_alone else _asked(store, settings, session_id, keeping)
        if transcript is not None and (line is None or not line.session):
            _read_what_is_new(store, settings, [Path(transcript), *([log] if is_noted else [])])
            line = None
        if _note_window(store, session_id, window) or line is None:
            line = _asked(store, settings, session_id, keeping)
        last.write(line)
        return line.text()

    line = _soon(refreshed, last, ALONE_SECONDS if is_alone else SOON_SECONDS)
    terminal.lines([" · ".join([line, *line_soon.limits_in(told, now)])])
    return 0


def _soon(refreshed: Callable[[], str], last: LastLines, seconds: float) -> str:
    """A new line, if there is one soon, or else the last one."""
    beside = _Beside(Path(f"{last.path}-lock"), refreshed)
    line, problem = beside.answer(seconds)
    if line is not None:
        return line
    known = last.read()
    give_up = time.monotonic() + FIRST_SECONDS
    while known is None and problem is None and time.monotonic() < give_up:
        # Perhaps another one makes the first.
        line, problem = beside.answer(0.1)
        if line is not None:
            return line
        known = last.read()
    if known is not None:
        return known.text(time.time())
    return NOTHING if problem is None else f"agnes-stats: {problem}"


class _Beside:
    """Something done in a process of its own, unless another program does the same."""

    def __init__(self, lock: Path, work: Callable[[], str]) -> None:
        """Where no process can be made of this one, it is done here, at once."""
        self._told: tuple[str | None, str | None] | None = None
        self._pipe: int | None = None
        if not _can_fork():
            self._told = _result_of(work)
            return
        self._pipe, writer = os.pipe()
        if os.fork() == 0:
            _work_beside(writer, lock, work)
        os.close(writer)

    def answer(self, seconds: float) -> tuple[str | None, str | None]:
        """(what it says, what is wrong), or (None, None) if it does not say so within some seconds."""
        if self._pipe is None:
            if self._told is None:
                time.sleep(seconds)
            return self._told or (None, None)
        if not select.select([self._pipe], [], [], seconds)[0]:
            return None, None
        text = os.read(self._pipe, select.PIPE_BUF)
        os.close(self._pipe)
        self._pipe = None
        if text:
            line, problem = json.loads(text)
            self._told = line, problem
        return self._told or (None, None)


def _can_fork() -> bool:
    """Whether this process can be doubled: it is the program, of which no thread is at work but that for its end."""
    others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    return hasattr(os, "fork") and others == ["agnes-stats-ending"]


def _work_beside(writer: int, lock: Path, work: Callable[[], str]) -> None:
    """Do the work in this process, which was made for it, tell what came of it, and end."""
    from ...queries.store.locking import Lock

    try:
        # Whoever ends the status line that was asked for does not end this.
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(WORK_SECONDS)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        try:
            is_mine = Lock(lock, exclusive=True).take(blocking=False)
        except OSError:
            # There is no folder yet, or nothing can be made in it.
            is_mine = True
        if is_mine:
            os.write(writer, json.dumps(_result_of(work)).encode())
    finally:
        os._exit(0)


def _result_of(work: Callable[[], str]) -> tuple[str | None, str | None]:
    try:
        return work()[:_LONGEST], None
    except (StoreError, OSError) as error:
        return None, str(error)[:_LONGEST]
    except Exception as error:  # noqa: BLE001
        # A mistake of ours, which the line tells: a prompt shows nothing else.
        return None, f"this should not have happened, please report it: {type(error).__name__}: {error}"[:_LONGEST]


def _told_by_claude() -> dict[str, Any]:
    taken = line_soon.taken_input()
    if taken is not None:
        return line_soon.told_in(taken)
    try:
        return line_soon.told_in(terminal.read_input(line_soon.MAX_TOLD) or "")
    except (OSError, ValueError):
        return {}


def _text_in(told: dict[str, Any], key: str) -> str | None:
    """A text that Claude Code told; None for whatever no path and no id can be."""
    value = told.get(key)
    return value if isinstance(value, str) and is_text(value) else None


# -- what is kept up to date by another program ---------------------------------------------------------------------


SETTINGS_OF_A_LINE = (
    *("tz", "no_cost", "budget", "budget_week", "budget_day", "budget_session"),
    *("project", "model", "branch", "agent_version", "agent", "machine"),
)
"""What a line depends on of the settings, and what who keeps it is told of them."""


def _keeping_of(
    settings: Settings, session_id: str | None, transcript: str | None
) -> Callable[[StatusLine], None] | None:
    """What keeps a line so that the program which follows the session's file makes it anew; None if there is none.

    `--user` and days, which the config file may have, are for others to understand.
    """
    may_keep = kept.current()
    if may_keep is None:
        return None
    found = may_keep.line()
    keeper = line_soon.keeper_of(may_keep.store)
    is_usual = not (settings.user or settings.range or settings.since or settings.until)
    if found is None or keeper is None or not is_usual or str(settings.store) != may_keep.store:
        return None
    name, places = keeper
    if transcript is not None and not _is_below(transcript, places):
        return None
    of_line = {"encoding": terminal.encoding(), "session_id": session_id, "keeper": name}
    chosen = {key: getattr(settings, key) for key in SETTINGS_OF_A_LINE}

    def keep(line: StatusLine) -> None:
        told = json.dumps({"line": terminal.safe(line.text()), "settings": chosen, **of_line})
        with contextlib.suppress(OSError):
            found.keep(told.encode(), line.at, line.until)

    return keep


def _is_below(path: str, places: Sequence[str]) -> bool:
    return any(Path(path).is_relative_to(place) for place in places)


# -- asking the store --------------------------------------------------------------------------------------------


def _note_window(store: Store, session_id: str | None, window: int | None) -> bool:
    """Keep the size of the session's window, if it is another one than known; whether it was."""
    from ...queries.context import told_window

    if session_id is None or window is None:
        return False
    with contextlib.suppress(StoreError):
        with store.read() as connection:
            known = told_window(connection, session_id)
        if known != window:
            from ...ingest.context_windows import note_context_window
            from ..factories import utc_now

            note_context_window(store, session_id, window, utc_now())
            return True
    return False


def _read_what_is_new(store: Store, settings: Settings, paths: Sequence[Path]) -> None:
    """Read what is new in the session's file and in others, as far as that goes quickly; the rest next time."""
    from ..factories import engine_of

    engine = engine_of(settings, store)
    files = [file for file in map(engine.recognise, paths) if file is not None]
    if not files:
        return
    limit = threading.Timer(READING_SECONDS, engine.stop.set)
    limit.daemon = True
    limit.start()
    with contextlib.suppress(StoreError):
        engine.ingest(files)
    limit.cancel()


def _provisional(store: Store, settings: Settings, session_id: str | None, last: LastLines) -> StatusLine | None:
    """What will be so once the store is full; None where it is, or nearly. Nobody fills it: that is for others to do.

    To read so much again for each prompt would be too much: it is told again for a while.
    """
    from ..factories import engine_of

    known = last.read()
    if known is not None and known.common.endswith(PROVISIONAL) and 0 <= time.time() - known.at < PROVISIONAL_SECONDS:
        return known
    with contextlib.ExitStack() as whole:
        with store.read() as connection:
            ahead = engine_of(settings, store).ahead(connection, whole)
        if ahead is None:
            return None
        line = line_of(ahead.tell(with_sessions=True), settings, session_id)
        return StatusLine(line.session, f"{line.common} · {PROVISIONAL}", line.at)


def _asked(
    store: Store, settings: Settings, session_id: str | None, keeping: Callable[[StatusLine], None] | None
) -> StatusLine:
    with store.read() as connection:
        line = line_of(connection, settings, session_id)
        if keeping is not None:
            # While the store is open: so it is the store of the line.
            keeping(line)
    return line


def line_of(connection: Reader, settings: Settings, session_id: str | None) -> StatusLine:
    """The line of a store, for one session."""
    from ...queries import budget, servers, sessions, tokens
    from .. import budget_text
    from .. import format as words
    from ..factories import budgets_of, filter_of, utc_now
    from ..sessions import context
    from .ccusage import today_of

    now, today = utc_now(), today_of(settings)
    # All of the session, and all of today: what the line names says which days count.
    chosen = filter_of(settings).but(since=None, until=None)
    sums = tokens.totals(connection, chosen.but(since=today, until=today))
    pulled_at = servers.last_pull(connection)
    spent = budget.budgets(connection, chosen, budgets_of(settings), now=now, session_id=session_id)
    own = None if session_id is None else chosen.but(session_id=session_id)
    page = sessions.list_sessions(connection, own, now=now, limit=1) if own else None
    session = []
    if page and page.rows:
        row = page.rows[0]
        session.append(words.model(row.primary_model))
        session.append(f"session {_amount(row, row.tokens_total, settings)}")
        session += [context.brief(row)] if row.context_share is not None else []
    common = [f"today {_amount(sums, sums.total_tokens, settings)}"]
    for one in spent:
        if one.state != "within":
            (session if page and one.session_id else common).append(budget_text.brief(one))
    until = _end_of(today, settings.tz)
    if pulled_at is not None:
        common.append(f"pulled {words.relative(pulled_at, now)}")
        until = min(until, words.relative_until(pulled_at, now))
    return StatusLine(" · ".join(session), " · ".join(common), now.replace(tzinfo=dt.UTC).timestamp(), until)


def _end_of(day: dt.date, zone: str) -> float:
    """When a day ends in a zone, in seconds since 1970."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(zone)).timestamp()


def _amount(used: Used, count: int, settings: Settings) -> str:
    from .. import marks

    told = marks.tokens_of(count, used)
    return told if settings.no_cost or not count else f"{marks.cost(used)} {told}"


_ANY_DAY = tuple(name for name in FILTERS if name not in ("range", "since", "until"))

COMMAND = Command(
    heeds=("store", "source", "tz", "no-ingest", *_ANY_DAY, *BUDGETS, "no-cost"),
    run=statusline,
    needs_store=False,
    has_json=False,
)
