"""The dashboard, running on a store, with a clock that stands still."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.asked import Costs
from agnes_stats.tui.memory import Memory
from agnes_stats.tui.ranges import Range
from agnes_stats.tui.settings import Settings
from textual._compositor import Compositor
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import WorkerCancelled

from tests.tui.cheaper import cheaper

_RENDER_UPDATE = Compositor.render_update

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
    soon: Any = None,
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
        looked_in=lambda: ("~/.claude",),
        memory=memory,
        days=days,
        widens=widens,
        soon=soon,
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
    with cheaper():
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            yield app, pilot


def _paint(app: App[Any]) -> None:
    """Paint what has changed. What a widget raises at that is the test's."""
    _RENDER_UPDATE(app.screen._compositor, screen_stack=app._background_screens)


async def until(pilot: Pilot[Any], is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a fact that nothing on the screen is at work for. Fails if it does not come."""
    give_up = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up, screen_text(pilot.app)
        await pilot.pause(0.02)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until no question to the store is open and what came of it is on the screen."""
    app = pilot.app
    while True:
        await _still(pilot)
        open_questions = [worker for worker in app.workers if not worker.is_finished]
        asking = [worker for worker in open_questions if worker.name != "action_pick"]
        if not asking:
            break
        # One that a newer question has replaced is as good as over.
        with contextlib.suppress(WorkerCancelled):
            await app.workers.wait_for_complete(asking)
    if app.is_running:
        _paint(app)


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


SIZES = ((80, 24), (140, 45), (200, 60))
"""Of terminals: small, usual, large."""


async def at_sizes(pilot: Pilot[Any], sizes: Sequence[tuple[int, int]]) -> AsyncIterator[tuple[tuple[int, int], str]]:
    """The terminal in one size after the other, and what is on the screen then: a start for each costs thrice that."""
    for size in sizes:
        await pilot.resize_terminal(*size)
        await settle(pilot)
        yield size, screen_text(pilot.app)


async def show_days(pilot: Pilot[Any], label: str) -> None:
    """Choose the days that are shown, by their name or as somebody would type them."""
    await press(pilot, "r")
    await press(pilot, *("space" if char == " " else char for char in label), "enter")


async def show_view(pilot: Pilot[Any], name: str) -> None:
    """Show a view of the tab that is on the screen, as a click on its name or `[` and `]` do."""
    tab = pilot.app.active_tab  # type: ignore[attr-defined]
    await tab.show_view(name)
    await settle(pilot)


def screen_text(app: App[Any]) -> str:
    """What is on the screen, without colours, and without blanks at the ends of lines."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
