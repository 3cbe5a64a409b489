"""Starting the dashboard from the settings."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.live import running_now
from ..queries.store import Store
from ..queries.store.scratch import remove, scratch
from . import ending, first_screen, terminal
from .factories import engine_of, filter_of, looked_in, roots_of, server_access, utc_now
from .header_data import HEADER, header_data, whatever_is_filtered
from .live_states import MOST_LIVE, told_states
from .memory import Memory, Remembered
from .prefetch import LASTING, Ahead
from .ranges import Range, first_range, range_named, ranged
from .restorer import restorer
from .settings import Settings
from .tabs import TABS, tab_of

if TYPE_CHECKING:
    from ..ingest.news import News
    from ..ingest.service import IngestService
    from ..queries.store import Reader
    from .app import AgnesStats
    from .soon import ReadingAhead


ESCAPE_MS = 25
"""So long after it has come Escape is a key of its own, not the beginning of another one: those come at once. Textual
waits for a tenth of a second, which is seen. A variable of that name says otherwise."""

TURN_SECONDS = 0.001
"""So long a thread that reads or asks may keep the screen's waiting, and the other way round."""


def dashboard(given: argparse.Namespace, settings: Settings) -> int:
    """Run the dashboard until the user quits; the exit status."""
    # What a start makes stays: to search it for garbage, again and again, would take a tenth of the time.
    gc.disable()
    sys.setswitchinterval(TURN_SECONDS)
    # Textual looks for these as it is imported.
    os.environ.setdefault("ESCDELAY", str(ESCAPE_MS))
    if settings.no_color:
        os.environ["NO_COLOR"] = "1"
    if terminal.is_browser():
        os.environ[terminal.DRIVER_VARIABLE] = "agnes_stats.tui.browser_driver:BrowserDriver"
    with _demo(settings) if given.demo else contextlib.nullcontext(settings) as named:
        memory = Memory(named.store)
        left = memory.recall()
        asked = None if named.range is None else range_named(named.range)
        chosen = replace(named, theme=named.theme or left.theme, tab=named.tab or left.tab, range=None)
        return _run(chosen, memory, replace(left, range=asked or left.range))


def _run(settings: Settings, memory: Memory, left: Remembered) -> int:
    first = first_screen.current()
    with ending.in_any_case(first.give_back), first_answers(settings, left.range) as ahead:
        app = app_of(settings, ahead, memory, left.range)
        app.follow(first)
        with ending.by(app.end), ending.in_any_case(restorer(first.before)):
            status = app.run() or app.return_code or 0
    if app.again:
        restart(app.again)
    return status


def restart(added: tuple[str, ...]) -> None:
    """Start the program anew in this process, as it was started, with more on its command line.

    What still ends of the old one ends with it.
    """
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], *added])


def app_of(
    settings: Settings,
    ahead: Ahead | None = None,
    memory: Memory | None = None,
    days: Range | None = None,
    *,
    prepares: bool = True,
) -> AgnesStats:
    """The dashboard for some settings, not running yet.

    `ahead` has its first answers, `memory` is told how it was left, `days` are those it begins with; `prepares` makes
    tabs before they are wanted.
    """
    from .app import AgnesStats

    store = Store(settings.store)
    server = server_access(settings) if settings.agnes_server and not settings.no_ingest else None

    def service(tell: Callable[[News], None]) -> IngestService:
        from ..ingest.service import IngestService
        from .line_keeper import LineKeeper

        return IngestService(
            engine_of(settings, store),
            tell,
            find_roots=lambda: roots_of(settings, store),
            server=server,
            follower=LineKeeper(settings),
        )

    def soon(told: Callable[[], None]) -> ReadingAhead:
        from .soon import ReadingAhead

        return ReadingAhead(settings, told)

    return AgnesStats(
        settings,
        store,
        None if settings.no_ingest else service,
        chosen=filter_of(settings),
        now=utc_now,
        looked_in=lambda: looked_in(settings),
        ahead=ahead,
        prepares=prepares,
        memory=memory,
        days=days,
        widens=True,
        soon=soon,
    )


def first_answers(settings: Settings, days: Range | None = None) -> Ahead:
    """What the dashboard asks first: what its first tab shows, where that says how, and the numbers of the header."""
    fixed, now = filter_of(settings), utc_now()
    chosen = ranged(fixed, fixed, first_range(fixed, days), now)

    tab = tab_of(settings.tab or TABS[0].name)

    def page(connection: Reader) -> object:
        return tab.ask_first(connection, chosen, now)

    def header(connection: Reader) -> object:
        everything, told = whatever_is_filtered(settings, chosen), told_states(settings)
        return header_data(
            connection,
            settings,
            chosen,
            now,
            lambda: running_now(connection, everything, now=now, told=told, limit=MOST_LIVE),
        )

    def lasting(connection: Reader) -> dt.datetime:
        from ..queries import plan_limits, sessions

        if plan_limits.are_ahead(connection, now=now):
            return now
        return sessions.nothing_runs_until(connection, now=now, told=told_states(settings).processes)

    questions = {tab.name: page} if tab.first else {}
    if first_screen.current().is_wanted:
        # Before the header, so that nobody waits for it once the screen is there: a tenth of the header's time.
        questions[LASTING] = lasting
        first_screen.current().take_down()
    questions[HEADER] = header
    return Ahead(Store(settings.store), chosen, questions)


@contextlib.contextmanager
def _demo(settings: Settings) -> Iterator[Settings]:
    """Settings for generated transcripts in a temporary folder, that grow until the block ends."""
    from ..demo.sessions import SOURCES, running_demo

    with (
        # One that the next demo finds, and removes, if this process is killed.
        scratch(Path(tempfile.gettempdir(), "demo")) as folder,
        ending.in_any_case(lambda: remove(folder)),
        running_demo(folder),
    ):
        yield replace(
            settings,
            store=folder / "store" / "store.duckdb",
            source=tuple(f"{kind}={folder / inner}" for kind, inner in SOURCES.items()),
            no_ingest=False,
            agnes_server=False,
        )
