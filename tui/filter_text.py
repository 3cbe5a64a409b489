"""What a filter leaves, in words."""

from __future__ import annotations

from ..queries.filters import Filter
from . import format as words
from .user_names import user_name

_PATH = ("/", "\\", *(f"{letter}:" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
"""How a path begins, on any system."""

FIELDS = ("session_id", "subagent_type", "branch", "version", "model", "agent", "machine", "project", "user")
"""The fields of a filter that are one value, in the order in which Backspace drops those set elsewhere."""

_WIDEST = 30


def chips(chosen: Filter, session_title: str = "") -> list[tuple[str, str]]:
    """The fields that are filtered by, each with its words; a session is told by its title if that is known."""
    told = {
        "project": chosen.project and _project(chosen.project),
        "model": chosen.model and words.model(chosen.model),
        "subagent_type": chosen.subagent_type and f"agent {chosen.subagent_type}",
        "branch": chosen.branch and f"branch {chosen.branch}",
        "agent": chosen.agent,
        "machine": chosen.machine and f"machine {chosen.machine}",
        "version": chosen.version and f"version {chosen.version}",
        "user": chosen.user and f"user {user_name(chosen.user)}",
        "session_id": chosen.session_id and f"session {session_title or chosen.session_id}",
    }
    return [(field, words.clean(text, _WIDEST)) for field, text in told.items() if text]


def unknown_to_sync(chosen: Filter) -> str:
    """Which fields of a filter sync actions do not know, in a sentence; "" if none is filtered by."""
    from ..queries.sync import FILTERED_BY

    unknown = [field for field in FIELDS if field not in FILTERED_BY and getattr(chosen, field) is not None]
    held = ["sub-agent" if field == "subagent_type" else field for field in unknown]
    return f"sync knows no {' or '.join(held)}: all is shown" if held else ""


def _project(typed: str) -> str:
    """A path by its project's name; what was typed as a name stays."""
    return words.project(typed) if typed.startswith(_PATH) else typed
