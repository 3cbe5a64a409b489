"""What commands share that answer once: a store brought up to date, limits and cursors, JSON or text."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...queries import kept
from ...queries.store import Store, StoreBusy
from .. import learnt, terminal, user_names
from ..factories import engine_of, server_access
from ..settings import BadSetting, Settings

if TYPE_CHECKING:
    from ...ingest.engine import Progress
    from ...queries.cursor import Cursor
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


MAX_LIMIT = 200


@contextlib.contextmanager
def opened(settings: Settings, *, quiet: bool = False) -> Iterator[Reader]:
    """A connection for one answer, to the store as brought up to date now, unless the settings forbid that."""
    store = Store(settings.store)
    may_keep = kept.current()
    # To open the store takes as long as to answer: where nothing is new, what told so answers as well.
    with store.read() as connection:
        if settings.agnes_server or (has_news := _news(settings, store, connection))():
            if may_keep is not None:
                may_keep.give_up()
        else:
            if may_keep is not None:
                may_keep.settle(str(store.path), _midnight(settings), lambda: not has_news())
            _know_people(connection, settings)
            yield connection
            return
    _bring_up(store, settings, quiet)
    with store.read() as connection:
        _know_people(connection, settings)
        yield connection


def _news(settings: Settings, store: Store, connection: Reader) -> Callable[[], bool]:
    """What tells whether there is anything new, each time that it is asked."""
    if settings.no_ingest:
        return lambda: False
    engine = engine_of(settings, store)
    return lambda: engine.has_news(connection)


def _midnight(settings: Settings) -> float:
    """When the day ends, in seconds since 1970."""
    zone = ZoneInfo(settings.tz)
    tomorrow = dt.datetime.now(zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), zone).timestamp()


def _know_people(connection: Reader, settings: Settings) -> None:
    """Learn who there is, where names matter. Raises BadSetting if `--user` names nobody."""
    from ...queries import sessions

    if settings.user is None and not settings.users:
        return
    users = sessions.usernames(connection)
    user_names.learn(users)
    if settings.user is not None and (reason := user_names.nobody(settings.user, users)) is not None:
        raise BadSetting(reason)


def _bring_up(store: Store, settings: Settings, quiet: bool) -> None:
    report = progress_bar() if not quiet and terminal.shows_errors() else lambda _: None
    try:
        engine_of(settings, store).catch_up(report=report)
        store.back_up()
    except StoreBusy as error:
        # Somebody reads the store at length, in a shell perhaps: what it holds can still be told.
        terminal.error(f"{error}; this is from before the newest lines")
    if settings.agnes_server:
        _ask_server(store, settings)


def _ask_server(store: Store, settings: Settings) -> None:
    from ...ingest.server_source import AgnesServerError, ask_once

    try:
        ask_once(store, server_access(settings))
    except AgnesServerError as error:
        # What the store knows is told all the same; a script learns of it by the exit status.
        terminal.failure(error)


def progress_bar() -> Callable[[Progress], None]:
    """What shows on standard error how far a catch-up is."""

    def report(progress: Progress) -> None:
        done = int(progress.ratio * 30)
        line = (
            f"reading {progress.files_done:,} of {progress.files:,} files "
            f"[{'█' * done}{'░' * (30 - done)}] {progress.ratio:4.0%}"
        )
        terminal.progress(line if progress.ratio < 1 else " " * len(line), over=progress.ratio >= 1)

    return report


def between(name: str, value: int, low: int, high: int) -> int:
    """A number of the command line. Raises BadSetting if it is not between `low` and `high`."""
    if not low <= value <= high:
        raise BadSetting(f"--{name}: {value} is not between {low} and {high}")
    return value


def cursor_of(given: argparse.Namespace) -> Cursor | None:
    """The cursor of the command line, which counts only if both halves are given. Raises BadSetting."""
    from ...queries.cursor import Cursor

    if given.cursor_ts is None or given.cursor_id is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(given.cursor_ts)
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise BadSetting(f"--cursor-ts: {given.cursor_ts!r} is no time") from None
    return Cursor(moment, given.cursor_id)


def answered(
    given: argparse.Namespace,
    settings: Settings,
    ask: Callable[[Reader], Answer],
    show: Callable[[Answer, Page], list[str]],
) -> int:
    """Ask the store, and tell the answer as JSON or in lines of text; the exit status."""
    with opened(settings) as connection:
        answer = ask(connection)
        if not given.json:
            learnt.learn(connection)
    if given.json:
        terminal.answer(answer)
    else:
        from .page import page_of

        terminal.lines(show(answer, page_of(settings)))
    return 0
