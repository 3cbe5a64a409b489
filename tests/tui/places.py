"""Every place of the dashboard: all tabs and views and what is over them; and a store with something in each."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agnes_stats.queries.store import Store
from agnes_stats.tui.access.pane import VIEWS as ACCESS
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.table import RecordTable
from agnes_stats.tui.sessions.pane import SessionsTab
from agnes_stats.tui.sync.pane import VIEWS as SYNC
from agnes_stats.tui.tabs import TABS
from agnes_stats.tui.tokens.pane import VIEWS as TOKENS
from textual.pilot import Pilot

from tests.machine import Machine, bash
from tests.queries.test_hand_overs import call, launched
from tests.queries.test_tasks import made, todo
from tests.transcripts import Transcript
from tests.tui.running import NOW, press, running, show_view

_VIEWS = {
    "sessions": [view.name for view in SessionsTab.VIEWS],
    "tokens": [view.NAME for view in TOKENS],
    "access": [name for name, _ in ACCESS],
    "sync": [name for name, _ in SYNC],
}

PLACES: dict[str, tuple[str, str, list[str]]] = {
    **{
        f"{tab.name}, {view}": (str(number), view, [])
        for number, tab in enumerate(TABS, 1)
        for view in _VIEWS[tab.name]
    },
    "a session": ("1", "sessions", ["enter"]),
    "an access": ("3", "list", ["home", "enter"]),
    "a reject": ("4", "rejects", ["enter"]),
    "console": ("2", "overview", ["l"]),
    "console, answer": ("2", "overview", ["l", "f5", "tab"]),
}
"""The tab, the view, and the keys that lead on from there. What is over the tabs, Escape closes."""


def a_bit_of_everything(home: Path) -> Store:
    """A machine with sessions, accesses, a workspace, tasks, sub-agents, a line that cannot be read."""
    machine = Machine(home)
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "duckdb a.db -c 'select * from orders'", folder), folder)
    work = (
        Transcript("s3", NOW - dt.timedelta(seconds=90), cwd=str(folder))
        .prompt("Go")
        .response(call("c1", "coder", "x"))
    )
    work.result("c1", "Launched", toolUseResult=launched("a1"))
    todo(work, "w1", ("read", "completed"), ("write", "in_progress"), ("ship", "pending"))
    made(work, "t1", "1", "migrate")
    machine.session(work, folder)
    path = machine.session(Transcript("s2", "2026-03-10T13:00:00").prompt("Hi").response(), Path("/x"))
    path.write_bytes(path.read_bytes() + b"{bad\n")
    return machine.read().store


def cut_at_the_side(app: AgnesStats) -> list[str]:
    """The tables on the screen whose columns have not all of them room, by their ids and columns."""
    tables = [table for table in app.screen.query(RecordTable) if table.is_on_screen and table.region.area]
    return [f"{table.id}: {[column.label for column in table.all_columns]}" for table in tables if table.max_scroll_x]


@asynccontextmanager
async def everywhere(
    store: Store, size: tuple[int, int]
) -> AsyncIterator[AsyncIterator[tuple[str, AgnesStats, Pilot[int]]]]:
    """The dashboard at every place, one after the other."""
    async with running(store, size) as (app, pilot):

        async def walk() -> AsyncIterator[tuple[str, AgnesStats, Pilot[int]]]:
            for place, (tab, view, keys) in PLACES.items():
                await press(pilot, tab)
                await show_view(pilot, view)
                for key in keys:
                    await press(pilot, key)
                yield place, app, pilot
                if keys:
                    await press(pilot, "escape")
                assert len(app.screen_stack) == 1, place

        yield walk()
