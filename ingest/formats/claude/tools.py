"""What a tool call is, and what it says in one line."""

from __future__ import annotations

from collections.abc import Mapping

from ...text import one_line
from ..texts import DETAIL_CHARS, brief_of

_SPEAKING_FIELDS = {
    **dict.fromkeys(("Bash", "PowerShell", "Monitor"), ("command",)),
    "Task": ("description", "prompt"),
    "Agent": ("description", "prompt"),
    "Grep": ("pattern",),
    "Glob": ("pattern",),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Skill": ("skill", "name"),
    "TodoWrite": (),
}
_FILE_FIELDS = ("file_path", "notebook_path", "path")


def class_of(name: str) -> str:
    """The class of a tool by its name: `mcp_call`, `subagent` or `tool_use`."""
    if name.startswith("mcp__"):
        return "mcp_call"
    return "subagent" if name in ("Task", "Agent") else "tool_use"


def detail_of(name: str, given: Mapping[str, object]) -> str | None:
    """The part of a call's input that tells a reader what it did, cut to one short line."""
    for field in (*_SPEAKING_FIELDS.get(name, ()), *_FILE_FIELDS):
        value = given.get(field)
        if isinstance(value, str) and value:
            return one_line(value, DETAIL_CHARS)
    if name in _SPEAKING_FIELDS or not given:
        return None
    return brief_of(given)
