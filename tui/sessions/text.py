"""How a session is told: its name, its marks, its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import format as words

if TYPE_CHECKING:
    from rich.text import Text
    from textual.app import App

    from ...queries.filters import Hit
    from ...queries.sessions import SessionRow

WAITS, IDLE = "◆", "○"
"""Marks of what a running session does, beside LIVE: it waits for the user, or nothing is asked of it."""

LIVE, PENDING, BROKEN, LOCK = "●", "◌", "✗", "🔒"
GONE = "(source gone)"

PRIVATE = f"{LOCK} private, never uploaded"
"""What the mark in a list of sessions means."""


def name(row: SessionRow) -> str:
    """The title; of one without it, in which nobody typed anything, what was done where; else the file's name."""
    if row.pending and not row.title:
        return words.clean(row.session_file or row.session_id)
    return words.session(
        row.title, row.session_id, row.project, tools=row.tool_calls_total, answers=row.assistant_messages
    )


def state(row: SessionRow) -> str:
    """The mark in front of a row: running, not read yet, unreadable, or nothing."""
    if row.error is not None:
        return BROKEN
    return PENDING if row.pending else LIVE if row.is_live else ""


def prefix(row: SessionRow) -> str:
    """What stands before the title: private, or gone from the disk."""
    return (f"{LOCK} " if row.private else "") + (f"{GONE} " if row.source_gone else "")


def project(path: str | None) -> str:
    """The project's folder name, "–" if unknown."""
    return words.project(path)


def models(name_: str | None) -> str:
    """The model's short name, "–" if there is none."""
    return words.model(name_) if name_ else words.NONE


def copy_id(app: App[Any], session_id: str) -> None:
    """Copy a session's id and say so."""
    app.copy_to_clipboard(session_id)
    app.notify(words.clean(session_id), title="Copied", markup=False)


def copy_file(app: App[Any], row: SessionRow) -> None:
    """Copy where a session's file is, or was, and say so."""
    if not row.path:
        app.notify("No file of this session is known.", severity="warning", markup=False)
        return
    app.copy_to_clipboard(row.path)
    title = "Copied, but gone from disk" if row.source_gone else "Copied"
    app.notify(words.clean(row.path), title=title, markup=False, timeout=10)


FOUND = "⌕"
_AROUND = 18
"""Characters before a word that was looked for: enough to know what it is about."""


def hit(found: Hit | None, sought: str) -> Text:
    """Behind a title: where else the words are that were looked for, and what stands around the first of them."""
    from rich.text import Text

    if found is None or found.where == "title":
        return Text()
    text = words.clean(found.text)
    places = [text.lower().find(word) for word in sought.lower().split()]
    start = max(0, min((place for place in places if place >= 0), default=0) - _AROUND)
    shown = f"{'…' if start else ''}{text[start : start + 200]}"
    return Text.assemble("  ", (f"{FOUND} {found.where}: ", "dim"), (shown, "italic"))
