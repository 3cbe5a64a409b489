"""What commands share that answer once: a store brought up to date, limits and cursors, JSON or text."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

from ...ingest import early
from ...queries import kept
from ...queries.store import Store, StoreBusy
from .. import terminal, user_names
from ..factories import engine_of, filter_of, need_store, server_access, utc_now
from ..ranges import holds_until
from ..settings import BadSetting, Settings

if TYPE_CHECKING:
    from ...ingest.engine import Progress
    from ...queries.cursor import Cursor
    from ...queries.filters import Filter
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


MAX_LIMIT = 200


class Soon(Enum):
    """What an answer needs that does not wait until the store is full."""

    RESPONSES = "responses"
    """What responses took, and what they say themselves."""
    WITH_SESSIONS = "sessions"
    """Titles and times of sessions, too."""


@contextlib.contextmanager
def opened(settings: Settings, *, quiet: bool = False) -> Iterator[Reader]:
    """A connection for one answer, to the store as brought up to date now, unless the settings forbid that."""
    with opened_soon(settings, None, quiet=quiet) as (connection, _):
        yield connection


@contextlib.contextmanager
def opened_soon(settings: Settings, soon: Soon | None, *, quiet: bool = False) -> Iterator[tuple[Reader, bool]]:
    """The same, and False; or, where there is much to read, to what an answer needs that is wanted `soon`, and True.

    Such an answer is provisional, and whoever asked has to `fill` the store.
    """
    need_store(settings)
    store = Store(settings.store)
    may_keep = kept.current() if store.is_file else None
    with_sessions = soon is Soon.WITH_SESSIONS or settings.project is not None
    with contextlib.ExitStack() as whole:
        engine = None if settings.no_ingest else engine_of(settings, store)
        reads = None if soon is None else engine
        begun = reads.begin(whole, with_sessions=with_sessions) if reads is not None else None
        # If they still wait there is nothing for them to do.
        early.end()
        ahead = reads.ahead_of_nothing(whole, begun) if reads is not None and begun is not None else None
        if ahead is None:
            # To open the store takes as long as to answer: where nothing is new, what told so answers as well.
            with store.read() as connection:
                if not settings.agnes_server and (engine is None or not engine.has_news(connection)):
                    if may_keep is not None:
                        is_still_so = (lambda: not engine.has_news(connection)) if engine is not None else lambda: True
                        may_keep.settle(str(store.path), _holds_until(settings), is_still_so)
                    _know_people(connection, settings)
                    _tell_unknown(connection, settings)
                    yield connection, False
                    return
                ahead = reads.ahead(connection, whole, begun) if reads is not None else None
        if may_keep is not None:
            may_keep.give_up()
        if ahead is not None:
            connection = ahead.tell(with_sessions=with_sessions, only_rollups=not filter_of(settings).has_hours)
            _know_people(connection, settings)
            yield connection, True
            return
    _bring_up(store, settings, quiet)
    with store.read() as connection:
        _know_people(connection, settings)
        _tell_unknown(connection, settings)
        yield connection, False


PROVISIONAL = "Provisional: the store is not full yet, and is being filled now."


def fill(settings: Settings) -> None:
    """Go on and read all that is new, after an answer that was provisional: who waits for that has all of it."""
    terminal.close_answers()
    _bring_up(Store(settings.store), settings, quiet=False)


def _holds_until(settings: Settings) -> float:
    """When the day ends, or, where the last hours are asked for, the hour; in seconds since 1970."""
    until = holds_until(settings.tz, filter_of(settings).before, utc_now())
    return until.replace(tzinfo=dt.UTC).timestamp()


def _know_people(connection: Reader, settings: Settings) -> None:
    """Learn who there is, where names matter. Raises BadSetting if `--user` names nobody."""
    if settings.user is None and not settings.users:
        return
    from ...queries import sessions

    users = sessions.usernames(connection)
    user_names.learn(users)
    if settings.user is not None and (reason := user_names.nobody(settings.user, users)) is not None:
        raise BadSetting(reason)


def _tell_unknown(connection: Reader, settings: Settings) -> None:
    """Tell of a filter by an agent or a machine of which there is nothing, where there is something of others."""
    asked = {"agent": settings.agent, "machine": settings.machine}
    if not any(asked.values()):
        return
    from ...queries.tellers import tellers

    told = tellers(connection)
    for name, value in asked.items():
        known = [one for one in getattr(told, name) if one]
        if value is not None and known and value not in known:
            terminal.error(f"--{name}: there is nothing of {value}; there is of {', '.join(known)}")
            if (may_keep := kept.current()) is not None:
                may_keep.give_up()


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

    from ..format import percent

    def report(progress: Progress) -> None:
        done = int(progress.ratio * 30)
        line = (
            f"reading {progress.files_done:,} of {progress.files:,} files "
            f"[{'█' * done}{'░' * (30 - done)}] {percent(progress.ratio, 0):>5}"
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


def with_text(connection: Reader, chosen: Filter, given: argparse.Namespace) -> Filter:
    """The filter with the words of `--text`, and with the sessions that have them in any text that is stored."""
    if not given.text:
        return chosen
    from ...queries.search import narrowed

    return narrowed(connection, chosen.but(text=given.text))


_OWN_FILTERS = ("failures", "delegations", "direct", "tool", "session", "words", "text")
"""Options of single commands that leave something out, beside those that all have."""


def answered(
    given: argparse.Namespace,
    settings: Settings,
    ask: Callable[[Reader], Answer],
    show: Callable[[Answer, Page], list[str]],
    *,
    soon: Soon | None = None,
) -> int:
    """Ask the store, and tell the answer as JSON or in lines of text; the exit status.

    `soon`: what it needs if it is to be told before the store is full.
    """
    # Texts are read last: which sessions have one is known when all is read.
    with opened_soon(settings, None if getattr(given, "text", None) else soon) as (connection, is_provisional):
        answer = ask(connection)
        if not given.json:
            from .. import learnt

            learnt.learn(connection)
    if given.json:
        terminal.answer(marked(answer, is_provisional))
    else:
        from .page import page_of

        filtered = any(getattr(given, name, None) for name in _OWN_FILTERS)
        terminal.lines(show(answer, page_of(settings, filtered=filtered)))
        if is_provisional:
            terminal.lines(["", PROVISIONAL])
    if is_provisional:
        fill(settings)
    return 0


def marked(answer: Answer, is_provisional: bool) -> Answer:
    """An answer in JSON, which says so if it is provisional."""
    return {"provisional": True, **answer} if is_provisional else answer
