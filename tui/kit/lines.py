"""Text that has the screen laid out anew only where it takes another room than before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text
from textual.visual import VisualType
from textual.widget import Widget
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.css.types import TextOverflow, TextWrap


def same(one: object, other: object) -> bool:
    """Whether two texts look the same, styles and all, for which `==` does not care. Of other things nobody knows."""
    if isinstance(one, Text) and isinstance(other, Text):
        return (one.plain, one.style, one.spans, one.no_wrap, one.overflow, one.justify) == (
            other.plain,
            other.style,
            other.spans,
            other.no_wrap,
            other.overflow,
            other.justify,
        )
    return isinstance(one, str) and isinstance(other, str) and one == other


_OVERFLOWS: Mapping[str, TextOverflow] = {"ellipsis": "ellipsis", "crop": "clip"}
"""What a text of Rich does at the end of its room -> the same in Textual's words; the rest folds."""


class StillText(Static):
    """As Textual's own, which has all of the screen laid out with every update: that takes longer than to paint it."""

    _said: object = None

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Say something else. What is said already costs nothing; `layout` False: its size is the same for certain."""
        if same(self._said, content):
            return
        self._said = content.copy() if isinstance(content, Text) else content
        if isinstance(content, Text):
            self._end_lines_as(content)
        super().update(content, layout=False)
        if not layout:
            return
        if not all(node.display for node in self.ancestors_with_self if isinstance(node, Widget)):
            # Whoever shows it has it laid out, which only must not remember how it was.
            for node in self.ancestors:
                if isinstance(node, Widget):
                    node._clear_arrangement_cache()
        elif not self._fits():
            self.refresh(layout=True)

    def _end_lines_as(self, text: Text) -> None:
        """Wrap lines, or cut them, as the text wants it: Textual asks the widget's style only."""
        wrap: TextWrap = "nowrap" if text.no_wrap else "wrap"
        overflow: TextOverflow = _OVERFLOWS.get(text.overflow or "", "fold")
        if (self.styles.text_wrap, self.styles.text_overflow) != (wrap, overflow):
            self.styles.text_wrap = wrap
            self.styles.text_overflow = overflow

    def _fits(self) -> bool:
        """Whether it takes the room that it has. What is not laid out yet has none."""
        room, styles = self.content_size, self.styles
        # One that is folded away by its style has no lines, whatever it says.
        if not self.is_on_screen or (not room and styles.is_auto_height):
            return False
        screen = self.screen.size
        if styles.is_auto_width and self.get_content_width(self.container_size, screen) != room.width:
            return False
        if styles.is_auto_height:
            return self.get_content_height(self.container_size, screen, room.width) == room.height
        return True
