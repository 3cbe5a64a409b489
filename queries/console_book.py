"""What is kept of the user's own queries: those asked last, those with a name, and which of these are panels."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
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

BROKEN = ".broken.json"
"""How the name of a file ends that could not be read and was put aside for a new one."""

_LONGEST = 20_000
"""Characters of a query that the history still keeps."""


FORMS = ("auto", "table", "bars", "lines", "stacked")
"""How the answer of a panel can be shown; auto: by what its columns are."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A saved query on the Tokens tab, and how its answer is shown: one of FORMS."""

    name: str
    sql: str
    form: str = FORMS[0]


@dataclass(frozen=True, slots=True)
class BookPages:
    """The history, newest first, the saved queries by name, in the order of their names, and the panels in their own.

    `fault` says why nothing of what the file holds can be used.
    """

    history: tuple[str, ...] = ()
    saved: dict[str, str] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    fault: str = ""


class Book:
    """The file of them, `console.json` beside the store, for its owner only.

    Every change reads the file anew, so that several dashboards can write into one.
    """

    def __init__(self, store: Path) -> None:
        """`store` is the store's file."""
        self.store = store
        self.path = store.with_name("console.json")

    def read(self) -> BookPages:
        """What is kept; what has another shape is passed over. Raises StoreError if there is a file that is no text."""
        try:
            told = json.loads(read_text(self.path, _MOST_BYTES))
        except FileNotFoundError:
            return BookPages()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
        except (ValueError, RecursionError) as error:
            return self._broken(str(error))
        if not isinstance(told, dict):
            return self._broken("it holds no object")
        history, saved, panels = told.get("history"), told.get("saved"), told.get("panels")
        named = _by_name(saved) if isinstance(saved, dict) else {}
        return BookPages(
            tuple(sql for sql in history if isinstance(sql, str))[:MOST] if isinstance(history, list) else (),
            named,
            tuple(_panels(panels, named)) if isinstance(panels, list) else (),
        )

    def note(self, sql: str) -> None:
        """Put a query on top of the history; it is in there once. Raises StoreError."""
        sql = sql.strip()
        if not sql or len(sql) > _LONGEST:
            return
        pages = self.read()
        if pages.history[:1] != (sql,):
            history = (sql, *(old for old in pages.history if old != sql))[:MOST]
            self._write(dataclasses.replace(pages, history=history))

    def save(self, name: str, sql: str) -> None:
        """Give a query a name, in place of the one that had it; a panel of that name shows it. Raises StoreError."""
        pages = self.read()
        saved = pages.saved | {name: sql.strip()}
        self._write(dataclasses.replace(pages, saved=saved))

    def delete(self, name: str) -> None:
        """Forget a saved query, and its panel. Raises StoreError."""
        pages = self.read()
        saved = {own: sql for own, sql in pages.saved.items() if own != name}
        panels = tuple(panel for panel in pages.panels if panel.name != name)
        self._write(dataclasses.replace(pages, saved=saved, panels=panels))

    def pin(self, name: str, form: str = FORMS[0]) -> None:
        """Make a saved query a panel, the last one; one that is a panel is shown in that form. Raises StoreError."""
        pages = self.read()
        if name not in pages.saved:
            raise StoreError(f"no query is saved as {name!r}")
        panel = Panel(name, pages.saved[name], form)
        kept = [panel if own.name == name else own for own in pages.panels]
        self._write(dataclasses.replace(pages, panels=(*kept, panel) if panel not in kept else tuple(kept)))

    def unpin(self, name: str) -> None:
        """Take a panel away; its query stays saved. Raises StoreError."""
        pages = self.read()
        self._write(dataclasses.replace(pages, panels=tuple(one for one in pages.panels if one.name != name)))

    def rename(self, old: str, new: str) -> None:
        """Give a saved query another name, its panel, too; one that had the new name is replaced. Raises StoreError."""
        pages = self.read()
        if old == new or old not in pages.saved:
            return
        saved = {name: sql for name, sql in pages.saved.items() if name != old} | {new: pages.saved[old]}
        renamed = [
            dataclasses.replace(one, name=new) if one.name == old else one for one in pages.panels if one.name != new
        ]
        self._write(dataclasses.replace(pages, saved=saved, panels=tuple(renamed)))

    def _broken(self, why: str) -> BookPages:
        return BookPages(fault=f"{self.path} cannot be read: {why}")

    def _write(self, pages: BookPages) -> None:
        told = json.dumps(
            {
                "history": pages.history,
                "saved": _by_name(dict(pages.saved)),
                "panels": [{"name": panel.name, "form": panel.form} for panel in pages.panels],
            },
            indent=1,
        )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if pages.fault:
                # Whoever wrote in it by hand may want to mend it.
                self.path.replace(self.path.with_suffix(BROKEN))
            replace_text(self.path, told + "\n")
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}") from error


def _by_name(saved: dict[str, Any]) -> dict[str, str]:
    return {name: saved[name] for name in sorted(saved, key=str.lower) if isinstance(saved[name], str)}


def _panels(told: list[Any], saved: dict[str, str]) -> Iterator[Panel]:
    seen = set()
    for entry in told:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name in saved and name not in seen:
            seen.add(name)
            form = entry.get("form")
            yield Panel(name, saved[name], form if form in FORMS else FORMS[0])
