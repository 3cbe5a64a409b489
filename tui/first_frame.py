"""The first screen of the dashboard as it is made: it replaces the one that was kept, or is kept for next time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from textual.widget import Widget

from ..queries.store import StoreError
from . import format as words
from . import terminal
from .header import FORGOTTEN
from .kit.state import PaneState
from .kit.table import RecordTable
from .live_states import told_states
from .prefetch import LASTING
from .ranges import holds_until

if TYPE_CHECKING:
    from textual._compositor import LayoutUpdate

    from ..queries.plan_limits import PlanLimit
    from .app import AgnesStats
    from .first_screen import FirstScreen
    from .header_data import HeaderData

LATE_SECONDS = 2.0
"""After so long what is there is drawn, be it whole or not."""


SOON_SECONDS = 0.1
"""Where nothing is shown that was kept, what comes within so long is drawn at once, and not part by part."""


class FirstFrame:
    """Sees to what is drawn until the first screen is whole: the tab and the header have what they ask for."""

    def __init__(self, first: FirstScreen) -> None:
        self.is_late = False
        """Nobody waits any longer: what is there is drawn."""
        self.is_touched = False
        """Whether somebody has done something: what is there need not be what is there first."""
        self.draws_parts = False
        """Whether what is there is drawn, unless something is shown that was kept."""
        self.is_whole = False
        self._first = first
        self._is_shown = first.is_shown
        self._is_begun = False

    def is_to_be_drawn(self, app: AgnesStats) -> bool:
        """Whether the screen is to be drawn now: whole, or, where nothing is shown yet, the frame without data."""
        has_data = _has_data(app)
        self.is_whole = self.is_late or (has_data and _is_laid_out(app))
        if self.is_whole or self._is_shown or has_data:
            return self.is_whole
        was_begun, self._is_begun = self._is_begun, True
        return self.draws_parts or not was_begun

    def end(self, app: AgnesStats, update: LayoutUpdate) -> None:
        """Keep what is to be drawn for next time, if it will be right for a while. Nothing is recorded any more."""
        first = self._first
        until = _until(app) if first.is_wanted and not self.is_late and not self.is_touched else None
        if until is not None:
            frame = terminal.encoded(update.render_segments(app.console))
            told = told_states(app.settings)
            end = until.replace(tzinfo=dt.UTC).timestamp()
            first.keep(frame, str(app.store.path), end, lambda: told_states(app.settings) == told)
        first.give_up()


def _has_data(app: AgnesStats) -> bool:
    if not app.has_begun:
        return False
    mode = app.active_pane.query_one(PaneState).mode
    return mode in ("failed", "empty") or (mode == "ready" and app.header.told is not None)


def _is_laid_out(app: AgnesStats) -> bool:
    """Whether all has its place: a table has its rows one refresh later, and what scrolls it after another one."""
    tables = app.active_pane.query(RecordTable).results()
    return not app.screen._layout_required and all(table.is_laid_out for table in tables if _is_shown(table))


def _is_shown(widget: Widget) -> bool:
    """Whether it has a place on the screen: not in what is hidden, as where a sentence stands in place of a table."""
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


def _until(app: AgnesStats) -> dt.datetime | None:
    """Until when the screen says the same, if nobody writes and nothing is set otherwise; None: that is not known."""
    pane, header, now = app.active_pane, app.header.told, app.now()
    is_known = len(app.screen_stack) == 1 and pane.lasts and pane.query_one(PaneState).mode == "ready"
    if not is_known or header is None or app.ahead is None or not app.store.is_file:
        return None
    try:
        still = app.ahead.take(LASTING, app.chosen)
    except StoreError:
        return None
    told = header_until(header, now)
    if still is None or told is None:
        return None
    until: dt.datetime = min(still, told, holds_until(app.chosen.zone, app.chosen.before, now))
    return until if until > now else None


def header_until(data: HeaderData, now: dt.datetime) -> dt.datetime | None:
    """Until when the header says the same; None where that cannot be told. In UTC without a zone, as `now`.

    What is told of days is told until the day ends, which is not looked at here.
    """
    if data.live or any(budget.period == "session" for budget in data.budgets):
        return None
    ends = [_limit_until(limit, now) for limit in data.limits]
    if data.has_workspace and data.last_pull_at is not None:
        ends.append(_relative_until(data.last_pull_at, now))
    return None if None in ends else min((end for end in ends if end is not None), default=dt.datetime.max)


def _limit_until(limit: PlanLimit, now: dt.datetime) -> dt.datetime | None:
    if not limit.stale:
        # When it will be full is reckoned anew with every minute.
        return None
    begun = limit.as_of if limit.resets_at is None else limit.resets_at
    if now - begun >= FORGOTTEN:
        return dt.datetime.max
    ends = [begun + FORGOTTEN]
    if limit.resets_at is not None and limit.resets_at > now:
        ends.append(limit.resets_at)
    if limit.used_percentage is not None:
        ends.append(_relative_until(limit.as_of, now))
    return min(ends)


def _relative_until(moment: dt.datetime, now: dt.datetime) -> dt.datetime:
    until = words.relative_until(moment, now)
    return dt.datetime.fromtimestamp(until, dt.UTC).replace(tzinfo=None)
