"""What the dashboard remembers of how it was left: theme, tab, days, and what was chosen of how things are shown."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..queries.regular import read_text
from .choices import Choices
from .ranges import Range, range_named
from .settings import TAB_NAMES

_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Remembered:
    """How the dashboard was left; None: nothing is known."""

    theme: str | None = None
    tab: str | None = None
    range: Range | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    """See `choices`."""


class Memory:
    """A small file, `screen.json` beside the store, for its owner only. What in it cannot be used counts as absent."""

    def __init__(self, store: Path) -> None:
        """`store` is the store's file."""
        self.path = store.with_name("screen.json")

    def recall(self) -> Remembered:
        """What is remembered. Raises nothing: nobody shall be kept from the dashboard by the colours it had."""
        try:
            told = json.loads(read_text(self.path, _MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return Remembered()
        texts = {key: value for key, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}
        tab, label = texts.get("tab"), texts.get("range")
        choices = told.get("choices") if isinstance(told, dict) else None
        return Remembered(
            texts.get("theme"),
            tab if tab in TAB_NAMES else None,
            range_named(label) if label is not None else None,
            Choices(choices).told if isinstance(choices, dict) else {},
        )

    def keep(self, left: Remembered) -> None:
        """Remember how it was left. Where nothing can be written, nothing is remembered."""
        if left == self.recall():
            return
        from ..queries.replaced import replace_text

        days = left.range and left.range.label
        told = json.dumps({"theme": left.theme, "tab": left.tab, "range": days, "choices": left.choices})
        with contextlib.suppress(OSError):
            replace_text(self.path, told)
