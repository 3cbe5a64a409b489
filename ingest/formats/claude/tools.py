"""What a tool call is, and what it says in one line."""

from __future__ import annotations

from collections.abc import Mapping

from ..events import ToolKind
from ..texts import brief_of

_SPEAKING_FIELDS = {
    **dict.fromkeys(("Bash", "PowerShell", "Monitor"), ("command",)),
    "Task": ("description", "prompt"),
    "Agent": ("description", "prompt"),
    "SendMessage": ("summary", "message", "content"),
    "Grep": ("pattern",),
    "Glob": ("pattern",),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Skill": ("skill", "name"),
    "TodoWrite": (),
}
_FILE_FIELDS = ("file_path", "notebook_path", "path")
_TOLD_FIELDS = {name: (*fields, *_FILE_FIELDS) for name, fields in _SPEAKING_FIELDS.items()}


_MCP = "mcp__"
"""How the name of an MCP tool begins: `mcp__server__tool`."""


def kind_of(name: str) -> ToolKind:
    """What stands behind a tool's name."""
    if name.startswith(_MCP):
        return ToolKind.MCP
    return ToolKind.SUBAGENT if name in ("Task", "Agent") else ToolKind.TOOL


def mcp_server_of(name: str) -> str | None:
    """The server of an MCP tool; None of any other."""
    return name.split("__", 2)[1] if name.startswith(_MCP) else None


def mcp_tool_of(name: str) -> tuple[str, str] | None:
    """The server of an MCP tool, and what that calls the tool; None of any other. Its name may have `__` in it."""
    if not name.startswith(_MCP):
        return None
    server, _, tool = name.removeprefix(_MCP).rpartition("__")
    return server, tool


def detail_of(name: str, given: Mapping[str, object]) -> str | None:
    """The part of a call's input that tells a reader what it did."""
    for field in _TOLD_FIELDS.get(name, _FILE_FIELDS):
        value = given.get(field)
        if isinstance(value, str) and value:
            return value
    if name in _SPEAKING_FIELDS or not given:
        return None
    return brief_of(given)
