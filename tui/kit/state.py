"""What a pane says when it has nothing to show."""

from __future__ import annotations

from typing import ClassVar

from ..format import block
from .lines import StillText

MODES = ("loading", "empty", "failed", "ready")
_GLYPHS = {"loading": "◌", "empty": "○", "failed": "✗"}


class PaneState(StillText):
    """A sentence in place of a pane's content: still loading, nothing there, or failed; hidden when ready.

    The mode is also a class (`-failed`), and told by a glyph, so that it needs no colour.
    """

    DEFAULT_CSS = """
    PaneState {
        width: 1fr; height: 1fr; padding: 1 2;
        content-align: center middle; text-align: center; color: $text-muted;
    }
    PaneState.-failed { color: $text-error; }
    PaneState.-ready { display: none; }
    """
    ALLOW_SELECT: ClassVar[bool] = True

    def __init__(
        self,
        sentence: str = "",
        mode: str = "loading",
    ) -> None:
        super().__init__(markup=False)
        self._mode = ""
        self._sentence = ""
        self.set(mode, sentence)

    @property
    def mode(self) -> str:
        """One of `MODES`."""
        return self._mode

    def set(self, mode: str, sentence: str = "") -> None:
        """Say a sentence in a mode of `MODES`; "ready" hides the widget. Raises ValueError for others."""
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}, expected one of {', '.join(MODES)}")
        if (mode, sentence) == (self._mode, self._sentence):
            # Each update has the whole screen laid out again.
            return
        self._mode, self._sentence = mode, sentence
        for name in MODES:
            self.set_class(name == mode, f"-{name}")
        text = block(sentence, max_lines=20)
        self.update(f"{_GLYPHS[mode]}  {text}" if mode in _GLYPHS and text else text)
