"""The dashboard, running on a store, with a clock that stands still."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.asked import Costs
from agnes_stats.tui.memory import Memory
from agnes_stats.tui.ranges import Range
from agnes_stats.tui.settings import Settings
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

NOW = dt.datetime(2026, 3, 10, 14, 44, 30)
"""A Tuesday; UTC, as in the store."""


def app_on(
    store: Store,
    *,
    now: dt.datetime = NOW,
    chosen: Filter | None = None,
    memory: Memory | None = None,
    days: Range | None = None,
    widens: bool = False,
    service: Any = None,
    **settings: Any,
) -> AgnesStats:
    """The dashboard over a store, without an ingester if none is made by `service`. More settings by name.

    `chosen` filters from the start.
    """
    made = replace(Settings(store=store.path, tz="UTC", no_ingest=True), **settings)
    app = AgnesStats(
        made,
        store,
        service,
        chosen=chosen or Filter(zone=made.tz),
        now=lambda: now,
        looked_in=("~/.claude",),
        memory=memory,
        days=days,
        widens=widens,
    )
    # How long an answer takes is another time each time.
    app.costs = Costs(keeps=False)
    return app


@contextlib.asynccontextmanager
async def running(
    store: Store, size: tuple[int, int] = (140, 45), **options: Any
) -> AsyncIterator[tuple[AgnesStats, Pilot[int]]]:
    """The dashboard at a size, its first tab loaded, and who presses its keys. Options as for `app_on`."""
    app = app_on(store, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield app, pilot


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until no question to the store is open and what came of it is on the screen."""
    app = pilot.app
    while True:
        await _still(pilot)
        open_questions = [worker for worker in app.workers if not worker.is_finished]
        asking = [worker for worker in open_questions if worker.name != "action_pick"]
        if not asking:
            break
        await app.workers.wait_for_complete(asking)


async def _still(pilot: Pilot[Any]) -> None:
    """Wait until no widget has a message left and nothing is left to lay out or to paint.

    `Pilot.pause` waits until the process seems idle instead, and on a busy machine takes waiting for work for that.
    """
    while await pilot._wait_for_screen() and pilot.app.is_running and _is_at_work(pilot.app):
        await pilot.app.screen.wait_for_refresh()


def _is_at_work(app: App[Any]) -> bool:
    screen = app.screen
    if screen._dirty_widgets or screen._layout_widgets or screen._callbacks or app._batch_count:
        return True
    return any(
        not node._message_queue.empty() or node._next_callbacks or (isinstance(node, Widget) and _wants_refresh(node))
        for node in (app, *screen.walk_children(with_self=True))
    )


def _wants_refresh(widget: Widget) -> bool:
    return bool(
        widget._layout_required or widget._repaint_required or widget._scroll_required or widget._recompose_required
    )


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and wait for what comes of each, as a person does; what is typed into a field comes at once."""
    for key in keys:
        await pilot.press(key)
        if not isinstance(pilot.app.focused, Input):
            await settle(pilot)
    await settle(pilot)


async def show_days(pilot: Pilot[Any], label: str) -> None:
    """Choose the days that are shown, by their name or as somebody would type them."""
    await press(pilot, "r")
    await press(pilot, *("space" if char == " " else char for char in label), "enter")


def screen_text(app: AgnesStats) -> str:
    """What is on the screen, without colours, and without blanks at the ends of lines."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
