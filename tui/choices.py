"""What somebody chose of how things are shown, as texts by name: orders of tables, their columns, what is measured.

What is kept may be from another version or written by hand: whoever asks says what is possible, and gets that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

# What starts the dashboard needs this before Textual is there.
if TYPE_CHECKING:
    from .kit.table import Column

_MOST, _LONGEST = 300, 1000
"""Choices that are kept, and characters of one."""


class Choices:
    """The choices of one run, begun with those that are remembered."""

    def __init__(self, told: Mapping[Any, Any] | None = None) -> None:
        """`told` is what was kept; what is no text in it counts as absent."""
        known = (told or {}).items()
        texts = [(name, value) for name, value in known if isinstance(name, str) and isinstance(value, str)]
        self._told = {name: value for name, value in texts[:_MOST] if len(value) <= _LONGEST}

    @property
    def told(self) -> dict[str, str]:
        """All of them, to be kept."""
        return dict(self._told)

    def note(self, name: str, value: str | None) -> None:
        """Something was chosen; None: whatever is usual."""
        self._told.pop(name, None)
        if value is not None:
            self._told[name] = value

    def one_of(self, name: str, possible: Collection[str], usual: str) -> str:
        """What was chosen of these."""
        value = self._told.get(name, usual)
        return value if value in possible else usual

    def order(self, name: str, columns: Iterable[Column], usual: tuple[str, bool]) -> tuple[str, bool]:
        """The column that a table is sorted by, and whether descending."""
        key, _, way = self._told.get(f"sort {name}", "").partition(" ")
        possible = way in ("asc", "desc") and key in {column.key for column in columns if column.sortable}
        return (key, way == "desc") if possible else usual

    def note_order(self, name: str, order: tuple[str, bool]) -> None:
        """A table is sorted by another column, or the other way round."""
        self.note(f"sort {name}", f"{order[0]} {'desc' if order[1] else 'asc'}")

    def columns(self, name: str) -> tuple[str, ...]:
        """The keys of the columns of a table, in their order; empty: the usual ones."""
        return tuple(key for key in self._told.get(f"columns {name}", "").split(",") if key)

    def note_columns(self, name: str, keys: Iterable[str]) -> None:
        """Other columns, or another order of them; none: the usual ones."""
        self.note(f"columns {name}", ",".join(keys) or None)
