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
"""Sessions with a card; on a low screen one less, on a very low one one. The others are counted."""
_LOW = 30
_LOWEST = 20
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


_MARKS = {
    "permission": (told.WAITS, "warning"),
    "waiting": (told.WAITS, "warning"),
    "working": (told.LIVE, "success"),
    "shell": (told.IDLE, "success"),
    "idle": (told.IDLE, "success"),
}
"""What a session does -> its mark and its colour."""


def doing_in_words(live: LiveSession, now: dt.datetime) -> str:
    """What a session does, and since when; of what is inferred from its rows, that it is."""
    since = words.duration(max(0.0, (now - live.since).total_seconds())) if live.since else ""
    call = live.call
    if live.state == "working":
        if call is not None:
            told_since = f" {words.duration((now - call.started_at).total_seconds())}" if call.started_at else ""
            return f"running{told_since}" + (f", {live.calls - 1} more" if live.calls > 1 else "")
        seen = live.session.ended_at
        last = f", last seen {words.duration(max(0.0, (now - seen).total_seconds()))} ago" if seen else ""
        return f"working{f' for {since}' if since and live.exact else ''}{last}"
    doing = {
        "permission": "asks for permission",
        "waiting": "waiting for you",
        "shell": "a shell runs in the background",
        "idle": "idle",
    }[live.state]
    return f"{doing}{f' since {since}' if since else ''}{'' if live.exact else ' (inferred)'}"


def pace(live: LiveSession, *, cost: bool) -> str:
    """ "12.3K/min $4.20/h" of the last five minutes; nothing while nothing is taken."""
    if not live.tokens_per_minute:
        return ""
    told_cost = f" {words.usd(live.usd_per_hour)}/h" if cost and live.usd_per_hour else ""
    return f"{words.count(round(live.tokens_per_minute))}/min{told_cost}"


def _agents(live: LiveSession, *, brief: bool) -> str:
    if not live.agents:
        return ""
    taken = f" {words.count(live.agent_tokens)}" if live.agent_tokens and not brief else ""
    return f"{words.plural(live.agents, 'sub-agent')} running{taken}"


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
        return bool(self._live)

    def tick(self, now: dt.datetime) -> None:
        """Time has passed, nothing else."""
        before, self._now = self._now, now
        # From a minute on most of them say the same for a minute.
        others = [
            2 * number + 1
            for number, live in enumerate(self._live[: self._most])
            if doing_in_words(live, now) != doing_in_words(live, before)
        ]
        if others:
            self.repaint_lines(others)

    @property
    def _rows(self) -> int:
        shown = min(len(self._live), self._most)
        return 2 * shown + (len(self._live) > shown)

    @property
    def _most(self) -> int:
        height = self.app.size.height
        return _SHOWN if height >= _LOW else _SHOWN - 1 if height >= _LOWEST else 1

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
            grid.put(2, 2 * len(shown), f"and {words.plural(more, 'more session')} running", ink.muted)

    def _paint_session(self, grid: Grid, ink: Ink, live: LiveSession, y: int) -> None:
        row, narrow = live.session, grid.width < 100
        agent = clean(row.agent, 16) if differs("agent") else ""
        where = " · ".join(part for part in (agent, told.project(row.project), clean(row.git_branch, 24)) if part)
        pieces = [
            Piece(clean(where, 48), 7),
            Piece(told.models(row.primary_model), 8),
            Piece(words.duration(row.active_seconds), 3),
            Piece(words.plural(row.user_messages, "prompt"), 6),
            Piece(words.plural(row.tool_calls_total, "tool"), 5),
            Piece(words.plural(row.tool_errors, "error") if row.tool_errors else "", 4, "error"),
            Piece(marks.tokens(row.tokens_total, row.undercounted), 1),
            Piece(marks.cost(row) if self._cost else "", 0),
            Piece(sparkline(live.pulse, 8 if narrow else len(live.pulse)), 2, "success"),
        ]
        mark, tone = _MARKS[live.state]
        x = grid.put(0, y, f"{mark} ", self._tone(ink, tone))
        title = told.prefix(row) + told.name(row)
        self._paint_line(grid, ink, x, y, title, ink.strong, pieces)

    def _paint_work(self, grid: Grid, ink: Ink, live: LiveSession, y: int) -> None:
        row, call = live.session, live.call
        pieces = [
            Piece("▲ runs away" if live.runaway else "", 0, "error"),
            Piece(pace(live, cost=self._cost), 3),
            Piece(context.gauge(row, 8 if grid.width < 100 else 16), 2, context.tone(row)),
            Piece(context.to_compaction(row) if grid.width >= _ROOMY or context.tone(row) else "", 4),
            Piece(f"{live.tasks.done}/{live.tasks.total} tasks" if live.tasks is not None else "", 5),
            Piece(_agents(live, brief=grid.width < 100), 1),
        ]
        doing, tone = doing_in_words(live, self._now), _MARKS[live.state][1]
        style = self._tone(ink, tone) if live.waiting else ink.muted
        if call is None:
            self._paint_line(grid, ink, 2, y, doing, style, pieces)
            return
        x = grid.put(2, y, clean(call.name, 24), ink.strong)
        self._paint_line(grid, ink, x + 2, y, call.detail or "", ink.base, pieces, doing, style)

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
        after_style: Style | None = None,
    ) -> None:
        """Text from `x` on with a remark behind it; at the right edge the pieces that leave it enough room."""
        gap = 2 if grid.width < 100 else 3
        wanted = cell_len(clean(text)) + (cell_len(after) + 2 if after else 0)
        kept = fit(pieces, grid.width - x - min(wanted, _TITLE + (cell_len(after) + 2 if after else 0)), gap)
        end = grid.width - sum(cell_len(piece.text) + gap for piece in kept)
        x = grid.put(x, y, clean(text, end - x - (cell_len(after) + 2 if after else 0)), style)
        if after:
            grid.put(x + 2, y, after, after_style or ink.muted)
        for piece in kept:
            end = grid.put(end + gap, y, piece.text, self._tone(ink, piece.tone) if piece.tone else ink.base)

    def _tone(self, ink: Ink, name: str) -> Style:
        variables = self.app.theme_variables
        color = parse(variables, f"text-{name}", parse(variables, name, Color.parse("white")))
        return ink.base + Style(color=color.rich_color)
