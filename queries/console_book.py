"""What the console keeps between two runs: the queries asked last, and those that got a name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .regular import read_text
from .replaced import replace_text
from .store import StoreError

MOST = 100
"""Queries of the history."""

_MOST_BYTES = 64 * 1024 * 1024
"""More is not what was written here."""

_LONGEST = 20_000
"""Characters of a query that the history still keeps."""


@dataclass(frozen=True, slots=True)
class BookPages:
    """The history, newest first, and the saved queries by name, in the order of their names."""

    history: tuple[str, ...] = ()
    saved: dict[str, str] = field(default_factory=dict)


class Book:
    """The file of them, `console.json` beside the store, for its owner only.

    Every change reads the file anew, so that several dashboards can write into one.
    """

    def __init__(self, store: Path) -> None:
        """`store` is the store's file."""
        self.path = store.with_name("console.json")

    def read(self) -> BookPages:
        """What is kept. Raises StoreError if the file cannot be read; it is then left as it is."""
        try:
            told = json.loads(read_text(self.path, _MOST_BYTES))
        except FileNotFoundError:
            return BookPages()
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
        if not isinstance(told, dict):
            raise StoreError(f"{self.path} cannot be read: it holds no object")
        history, saved = told.get("history"), told.get("saved")
        return BookPages(
            tuple(sql for sql in history if isinstance(sql, str))[:MOST] if isinstance(history, list) else (),
            _by_name(saved) if isinstance(saved, dict) else {},
        )

    def note(self, sql: str) -> None:
        """Put a query on top of the history; it is in there once. Raises StoreError."""
        sql = sql.strip()
        if not sql or len(sql) > _LONGEST:
            return
        pages = self.read()
        if pages.history[:1] != (sql,):
            self._write((sql, *(old for old in pages.history if old != sql))[:MOST], pages.saved)

    def save(self, name: str, sql: str) -> None:
        """Give a query a name, in place of the one that had it. Raises StoreError."""
        pages = self.read()
        self._write(pages.history, _by_name(pages.saved | {name: sql.strip()}))

    def delete(self, name: str) -> None:
        """Forget a saved query. Raises StoreError."""
        pages = self.read()
        self._write(pages.history, {own: sql for own, sql in pages.saved.items() if own != name})

    def _write(self, history: tuple[str, ...], saved: dict[str, str]) -> None:
        told = json.dumps({"history": history, "saved": saved}, indent=1)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_text(self.path, told + "\n")
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}") from error


def _by_name(saved: dict[str, Any]) -> dict[str, str]:
    return {name: saved[name] for name in sorted(saved, key=str.lower) if isinstance(saved[name], str)}
