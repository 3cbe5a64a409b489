"""Screens that come up over others, laid out and drawn no more often than it takes.

Textual (8.2) lays out a screen that comes up, draws it, draws it again because it has come up, and then tells it its
size as if that were another one: so it, and all screens below, are laid out and drawn once more. Each time takes 25 ms
of CPU, in which no key is heard. Where Textual names these parts otherwise all of that is done as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from textual.screen import ModalScreen

from .told_sizes import TellingCompositor

if TYPE_CHECKING:
    from typing import Self

    from textual.events import ScreenResume
    from textual.geometry import Region, Size
    from textual.screen import Screen

    _Mixed = Screen[Any]
else:
    # Styles are those of the first base that is a widget: this must be none.
    _Mixed = object

Result = TypeVar("Result")


class SteadySize(_Mixed):
    """For a screen that is laid out again only where its size is another one, and tells its widgets theirs."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """As a screen of Textual's."""
        super().__init__(*given, **named)
        self._compositor = TellingCompositor()

    def _screen_resized(self, size: Size) -> None:
        if size != self._size:
            super()._screen_resized(size)


class PopUp(SteadySize, ModalScreen[Result]):
    """One that comes up over others."""

    _is_coming_up = False

    def _on_screen_resume(self, event: ScreenResume) -> None:  # noqa: ARG002
        # Textual calls this first, and then its own, which lays out and draws a screen of another size.
        self._is_coming_up = self.is_attached and self.is_current and self._size != self.app.size

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw it anew, but not right after it has come up and was drawn."""
        if self._is_coming_up and not (regions or layout or recompose):
            self._is_coming_up = False
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
