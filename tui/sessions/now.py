"""What is running now: one card of two lines for each session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Size
from textual.message import Message

from .. import format as words
from .. import marks
from ..format import clean
from ..kit.canvas import Canvas, Grid
from ..kit.palette import Ink, parse
from ..kit.spark import sparkline
from ..learnt import differs
from . import context
from . import text as told

if TYPE_CHECKING:
    from ...queries.live import LiveSession

_SHOWN = 3
"""Sessions with a card; on a low screen one less. The others are counted."""
_LOW = 30
_ROOMY = 180
"""Cells from which there is room for what matters only when the context is nearly full."""
_TITLE = 20
"""Cells that a title gets before the less telling pieces beside it go."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something told at the right of a line; the lower its rank, the longer it stays when there is little room."""

    text: str
    rank: int
    tone: str = ""


def fit(pieces: Sequence[Piece], room: int, gap: int) -> list[Piece]:
    """The pieces that fit into `room` cells with `gap` blanks before each, dropped by rank, in their order."""
    kept = [piece for piece in pieces if piece.text]
    while kept and sum(cell_len(piece.text) + gap for piece in kept) > room:
        kept.remove(max(kept, key=lambda piece: piece.rank))
    return kept


class NowCards(Canvas, can_focus=False):
    """The running sessions; takes no room when there are none."""

    DEFAULT_CSS = """
    NowCards {
        width: 1fr; height: auto; margin: 0 1; padding: 0 1;
        border: round $success; border-title-color: $text-success; border-title-style: bold;
        &.-none { height: 0; border: none; }
    }
    """

    class Opened(Message):
        """A card was clicked."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    def __init__(self) -> None:
        super().__init__(classes="-none -always")
        self.border_title = "Now"
        self._live: tuple[LiveSession, ...] = ()
        self._now = dt.datetime.min
        self._cost = True

    def show(self, live: Sequence[LiveSession], now: dt.datetime, *, cost: bool) -> None:
        """Show these sessions as they are at `now`, in UTC without a zone."""
        before = self._rows
        self._live, self._now, self._cost = tuple(live), now, cost
        self.set_class(not live, "-none")
        self.repaint()
        if self._rows != before:
            self.refresh(layout=True)

    @property
    def is_timing(self) -> bool:
        """Whether something on the cards grows with every second."""
        return any(live.call is not None for live in self._live)

    def tick(self, now: dt.datetime) -> None:
        """Time has passed, nothing else."""
        self._now = now
        self.repaint()

    @property
    def _rows(self) -> int:
        shown = min(len(self._live), self._most)
        return 2 * shown + (len(self._live) > shown)

    @property
    def _most(self) -> int:
        return _SHOWN - 1 if self.app.size.height < _LOW else _SHOWN

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return self._rows

    def on_click(self, event: events.Click) -> None:
        """Open the session under the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y // 2 < min(len(self._live), self._most):
            self.post_message(self.Opened(self._live[offset.y // 2].session.session_id))

    # -- painting ------------------------------------------------------------------------------------------------

    def paint(self, grid: Grid, ink: Ink) -> None:
        shown = self._live[: self._most]
        for number, live in enumerate(shown):
            self._paint_session(grid, ink, live, 2 * number)
            self._paint_work(grid, ink, live, 2 * number + 1)
        more = len(self._live) - len(shown)
        if more:
            grid.put(2, 2 * len(shown), f"and {told.plural(more, 'more session')} running", ink.muted)

    def _paint_session(self, grid: Grid, ink: Ink, live: LiveSession, y: int) -> None:
        row, narrow = live.session, grid.width < 100
        agent = clean(row.agent, 16) if differs("agent") else ""
        where = " · ".join(part for part in (agent, told.project(row.project), clean(row.git_branch, 24)) if part)
        pieces = [
            Piece(clean(where, 48), 7),
            Piece(told.models(row.primary_model), 8),
            Piece(words.duration(row.active_seconds), 3),
            Piece(told.plural(row.user_messages, "prompt"), 6),
            Piece(told.plural(row.tool_calls_total, "tool"), 5),
            Piece(told.plural(row.tool_errors, "error") if row.tool_errors else "", 4, "error"),
            Piece(marks.tokens(row.tokens_total, row.undercounted), 1),
            Piece(marks.cost(row) if self._cost else "", 0),
            Piece(sparkline(live.pulse, 8 if narrow else len(live.pulse)), 2, "success"),
        ]
        x = grid.put(0, y, f"{told.LIVE} ", self._tone(ink, "success"))
        title = told.prefix(row) + told.name(row)
        self._paint_line(grid, ink, x, y, title, ink.strong, pieces)

    def _paint_work(self, grid: Grid, ink: Ink, live: LiveSession, y: int) -> None:
        row, call = live.session, live.call
        agents = f"{told.plural(live.agents, 'sub-agent')} running" if live.agents else ""
        pieces = [
            Piece(context.gauge(row, 8 if grid.width < 100 else 16), 1, context.tone(row)),
            Piece(context.to_compaction(row) if grid.width >= _ROOMY or context.tone(row) else "", 2),
            Piece(f"{live.tasks.done}/{live.tasks.total} tasks" if live.tasks is not None else "", 3),
            Piece(agents, 0),
        ]
        if call is None:
            idle = words.duration((self._now - row.ended_at).total_seconds()) if row.ended_at else ""
            doing = f"waiting for you since {idle}" if live.waiting else f"working, last seen {idle} ago"
            self._paint_line(grid, ink, 2, y, doing, ink.muted, pieces)
            return
        running = f"running {words.duration((self._now - call.started_at).total_seconds())}" if call.started_at else ""
        if live.calls > 1:
            running += f", {live.calls - 1} more"
        x = grid.put(2, y, clean(call.name, 24), ink.strong)
        self._paint_line(grid, ink, x + 2, y, call.detail or "", ink.base, pieces, running)

    def _paint_line(
        self,
        grid: Grid,
        ink: Ink,
        x: int,
        y: int,
        text: str,
        style: Style,
        pieces: Sequence[Piece],
        after: str = "",
    ) -> None:
        """Text from `x` on with a remark behind it; at the right edge the pieces that leave it enough room."""
        gap = 2 if grid.width < 100 else 3
        wanted = cell_len(clean(text)) + (cell_len(after) + 2 if after else 0)
        kept = fit(pieces, grid.width - x - min(wanted, _TITLE + (cell_len(after) + 2 if after else 0)), gap)
        end = grid.width - sum(cell_len(piece.text) + gap for piece in kept)
        x = grid.put(x, y, clean(text, end - x - (cell_len(after) + 2 if after else 0)), style)
        if after:
            grid.put(x + 2, y, after, ink.muted)
        for piece in kept:
            end = grid.put(end + gap, y, piece.text, self._tone(ink, piece.tone) if piece.tone else ink.base)

    def _tone(self, ink: Ink, name: str) -> Style:
        variables = self.app.theme_variables
        color = parse(variables, f"text-{name}", parse(variables, name, Color.parse("white")))
        return ink.base + Style(color=color.rich_color)
