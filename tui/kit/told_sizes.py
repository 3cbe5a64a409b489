"""A compositor after which every widget is told its size.

Textual (8.2) tells a widget its size where a layout finds it at another place than the one before. Where somebody asks
for a place between the two, as the mouse does, it finds out all places anew and takes these for told ones: a widget
that came meanwhile never hears of its size, and a table that waits for it to choose its columns stays empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._compositor import Compositor

if TYPE_CHECKING:
    from textual._compositor import CompositorMap, ReflowResult
    from textual.geometry import Size
    from textual.widget import Widget


class TellingCompositor(Compositor):
    """Compares each layout with the one before, whatever was asked in between."""

    def __init__(self) -> None:
        super().__init__()
        self._told: CompositorMap = {}
        """The places of widgets by the layout before."""

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay out, and find whom to tell: as Textual's."""
        self._full_map = self._told
        result = super().reflow(parent, size)
        self._told = self._full_map
        return result

    def clear(self) -> None:
        """Let go of all widgets."""
        super().clear()
        self._told = {}
