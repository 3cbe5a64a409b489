"""Drawn widgets with a cursor over their parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from ..ranges import Range
from .canvas import Canvas

NOTHING = (": nothing", ": 0")
"""How a part ends in words that has nothing in it."""


class Pointed(Canvas):
    """A canvas of numbered parts (bars, days) one of which keyboard and mouse can point at.

    A subclass says how many parts there are, where they lie, and what it posts when one is pointed at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point_by(-1)", "Earlier", show=False),
        Binding("right", "point_by(1)", "Later", show=False),
        Binding("k", "point_by(-1)", show=False),
        Binding("j", "point_by(1)", show=False),
        Binding("home,g", "point_at(0)", "First", show=False),
        Binding("end,G", "point_at(-1)", "Last", show=False),
        Binding("enter", "zoom", "Zoom", tooltip="Only the days or the hour under the cursor; Backspace goes back"),
    ]

    class Zoomed(Message):
        """Only what a part stands for is to be shown."""

        def __init__(self, span: Range) -> None:
            super().__init__()
            self.span = span

    _cursor: int | None = None
    _spans: tuple[Range, ...] = ()

    def stand_for(self, spans: Iterable[Range]) -> None:
        """Say which days or hours the parts stand for, from the first to the last: these can be zoomed into."""
        self._spans = tuple(spans)

    def span_of(self, index: int) -> Range | None:
        """The days or the hour that a part stands for; None if it stands for none."""
        return self._spans[index] if index < len(self._spans) else None

    def in_words(self) -> list[str]:
        """Every part in words, without those that say that there is nothing; first what is told without a cursor."""
        before = self._cursor
        told: list[str] = []
        try:
            for index in (None, *range(self.part_count())):
                self._cursor = index
                words = str(getattr(self, "caption", ""))
                if words and words not in told and not words.endswith(NOTHING):
                    told.append(words)
        finally:
            self._cursor = before
        return told

    def action_zoom(self) -> None:
        """Show only what the part under the cursor stands for."""
        span = None if self._cursor is None else self.span_of(self._cursor)
        if span is not None:
            self.post_message(self.Zoomed(span))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key does anything now."""
        return action != "zoom" or (self._cursor is not None and self.span_of(self._cursor) is not None)

    def part_count(self) -> int:
        """How many parts there are."""
        raise NotImplementedError

    def part_at(self, x: int, y: int) -> int | None:
        """The part drawn at a cell of the content area."""
        raise NotImplementedError

    def announce(self, index: int) -> None:
        """Post the message that tells which part is pointed at."""
        raise NotImplementedError

    @property
    def cursor(self) -> int | None:
        """The part pointed at, None as long as nobody pointed."""
        return self._cursor

    def point(self, index: int | None) -> None:
        """Point at a part (clamped to those there are), or at none."""
        if index is not None:
            index = max(0, min(index, self.part_count() - 1)) if self.part_count() else None
        if index == self._cursor:
            return
        self._cursor = index
        self.repaint()
        if index is not None:
            self.announce(index)
        self.refresh_bindings()

    def action_point_by(self, step: int) -> None:
        """Move by parts; the first move points at the last part."""
        self.point(self.part_count() - 1 if self._cursor is None else self._cursor + step)

    def action_point_at(self, index: int) -> None:
        """Point at a part counted from the first, or with a negative index from behind the last."""
        self.point(index if index >= 0 else self.part_count() + index)

    def on_focus(self) -> None:
        if self._cursor is None:
            self.action_point_by(0)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._point_with(event)

    def on_click(self, event: events.Click) -> None:
        if self._point_with(event):
            self.action_zoom()

    def _point_with(self, event: events.MouseEvent) -> bool:
        offset = event.get_content_offset(self)
        part = None if offset is None else self.part_at(offset.x, offset.y)
        if part is not None:
            self.point(part)
        return part is not None
