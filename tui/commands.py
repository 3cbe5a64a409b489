"""The commands that answer once: on a terminal as a table, with --json for scripts."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..queries.store import Store, StoreBusy
from . import json_output as answers
from . import project_names, terminal
from .factories import engine_of, filter_of, roots_of, server_access, utc_now
from .settings import BadSetting, Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..ingest.engine import Progress
    from ..queries.access import Cursor

MAX_LIMIT = 200
MAX_DAYS = 365


@contextlib.contextmanager
def opened(settings: Settings, *, quiet: bool = False) -> Iterator[DuckDBPyConnection]:
    """A connection for one answer, to the store as brought up to date now, unless the settings forbid that."""
    store = Store(settings.store)
    # To open the store takes as long as to answer: where nothing is new, what told so answers as well.
    with store.read() as connection:
        if settings.no_ingest or not (settings.agnes_server or engine_of(settings, store).has_news(connection)):
            yield connection
            return
    _bring_up(store, settings, quiet)
    with store.read() as connection:
        yield connection


def _bring_up(store: Store, settings: Settings, quiet: bool) -> None:
    report = _progress_bar() if not quiet and terminal.shows_errors() else lambda _: None
    try:
        engine_of(settings, store).catch_up(report=report)
    except StoreBusy as error:
        # Somebody reads the store at length, in a shell perhaps: what it holds can still be told.
        terminal.error(f"{error}; this is from before the newest lines")
    if settings.agnes_server:
        _ask_server(store, settings)


def _ask_server(store: Store, settings: Settings) -> None:
    from ..ingest.server_source import AgnesServerError, ask_once

    try:
        ask_once(store, server_access(settings))
    except AgnesServerError as error:
        # What the store knows is told all the same; a script learns of it by the exit status.
        terminal.failure(error)


def _progress_bar() -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        done = int(progress.ratio * 30)
        line = (
            f"reading {progress.files_done:,} of {progress.files:,} files "
            f"[{'█' * done}{'░' * (30 - done)}] {progress.ratio:4.0%}"
        )
        terminal.progress(line if progress.ratio < 1 else " " * len(line), over=progress.ratio >= 1)

    return report


def _between(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise BadSetting(f"--{name}: {value} is not between {low} and {high}")
    return value


def _cursor_of(given: argparse.Namespace) -> Cursor | None:
    """The cursor, which counts only if both halves are given."""
    from ..queries.access import Cursor

    if given.cursor_ts is None or given.cursor_id is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(given.cursor_ts)
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise BadSetting(f"--cursor-ts: {given.cursor_ts!r} is no time") from None
    return Cursor(moment, given.cursor_id)


def _answer(given: argparse.Namespace, settings: Settings, ask: Callable[[DuckDBPyConnection], Any]) -> int:
    with opened(settings) as connection:
        answer = ask(connection)
        if not given.json:
            project_names.learn(connection)
    if given.json:
        terminal.answer(answer)
    else:
        from .text_output import show

        show(given.command, answer, settings)
    return 0


def sessions(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sessions`."""
    limit = _between("limit", given.limit, 1, MAX_LIMIT)
    offset = _between("offset", given.offset, 0, 2**53)
    chosen = filter_of(settings)
    return _answer(
        given,
        settings,
        lambda connection: answers.sessions_answer(connection, chosen, now=utc_now(), limit=limit, offset=offset),
    )


def tokens(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats tokens`."""
    days = _between("days", given.days, 1, MAX_DAYS)
    today = dt.datetime.now(ZoneInfo(settings.tz)).date()
    chosen = filter_of(settings)
    return _answer(
        given, settings, lambda connection: answers.tokens_answer(connection, chosen, today=today, days=days)
    )


def queries(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats queries`."""
    limit, cursor = _between("limit", given.limit, 1, MAX_LIMIT), _cursor_of(given)
    chosen = filter_of(settings)
    return _answer(
        given,
        settings,
        lambda connection: answers.queries_answer(connection, chosen, limit=limit, cursor=cursor, everything=given.all),
    )


def sync(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sync`."""
    limit, cursor = _between("limit", given.limit, 1, MAX_LIMIT), _cursor_of(given)
    chosen = filter_of(settings)
    return _answer(
        given,
        settings,
        lambda connection: answers.sync_answer(connection, chosen, limit=limit, cursor=cursor),
    )


def home(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats home`."""
    chosen = filter_of(settings)
    return _answer(
        given,
        settings,
        lambda connection: answers.home_answer(connection, chosen, window=given.window, now=utc_now()),
    )


def ingest(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats ingest`: catch up once."""
    from ..ingest.forget import recall

    store = Store(settings.store)
    report = _progress_bar() if terminal.shows_errors() else lambda _: None
    if given.with_forgotten:
        if not given.rebuild:
            raise BadSetting("--with-forgotten goes with --rebuild")
        recall(store)
    summary = engine_of(settings, store).catch_up(rebuild=given.rebuild, report=report)
    if given.json:
        answer = {
            "files": summary.files,
            "bytes": summary.bytes,
            "gone": summary.gone,
            "seconds": round(summary.seconds, 3),
            "store": str(settings.store),
            "set_aside": None if summary.set_aside is None else str(summary.set_aside),
        }
        terminal.answer(answer)
        return 0
    from .format import count, size

    if summary.set_aside is not None:
        terminal.lines([f"the old store could not be read; it is kept as {summary.set_aside}"])
    read = f"read {count(summary.files)} files, {size(summary.bytes)}, in {summary.seconds:.1f} s"
    gone = f"; {count(summary.gone)} are gone, what they said is kept" if summary.gone else ""
    terminal.lines([read + gone])
    return 0


def doctor(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats doctor`: exit status 1 if something is wrong."""
    from .doctor import examine, show

    findings = examine(settings, roots_of(settings, Store(settings.store)))
    if given.json:
        terminal.answer(findings.answer)
    else:
        show(findings)
    return 1 if findings.problems else 0


def forget(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats forget`."""
    from .forget import forget as carry_out

    return carry_out(given, settings)


def overview(given: argparse.Namespace, settings: Settings) -> int:
    """One plain page of the four tabs, for when standard output is no terminal."""
    from .text_output import show_overview

    if given.demo:
        raise BadSetting("--demo needs a terminal")
    with opened(settings, quiet=True) as connection:
        project_names.learn(connection)
        show_overview(connection, settings, filter_of(settings), utc_now())
    return 0


def _for_scripts(name: str) -> Callable[[argparse.Namespace, Settings], int]:
    def run(given: argparse.Namespace, settings: Settings) -> int:
        from . import script_commands

        function: Callable[[argparse.Namespace, Settings], int] = getattr(script_commands, name)
        return function(given, settings)

    return run


def _statusline(given: argparse.Namespace, settings: Settings) -> int:
    from .statusline import statusline

    return statusline(given, settings)


COMMAND_FUNCTIONS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
    "daily": _for_scripts("period_report"),
    "weekly": _for_scripts("period_report"),
    "monthly": _for_scripts("period_report"),
    "blocks": _for_scripts("block_report"),
    "models": _for_scripts("model_report"),
    "sql": _for_scripts("sql"),
    "statusline": _statusline,
    "ingest": ingest,
    "sessions": sessions,
    "tokens": tokens,
    "queries": queries,
    "sync": sync,
    "home": home,
    "doctor": doctor,
    "forget": forget,
}
