"""What the tools of Gemini CLI, and of agents that came out of it, did."""

from __future__ import annotations

import re
from typing import Any

from ...access import Access, accesses_of
from ...access.shell_files import web_access
from ..texts import text_in
from ..work import ChangedLines, lines_of_diff

SHELL = "run_shell_command"
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")


def server_in(name: str) -> str | None:
    """The server of an MCP tool, which is named `mcp_<server>_<tool>` or `<server>__<tool>`."""
    if "__" in name:
        return name.removeprefix("mcp__").split("__", 1)[0] or None
    return name.split("_")[1] if name.startswith("mcp_") and name.count("_") > 1 else None


def mcp_tool_in(name: str) -> tuple[str, str] | None:
    """The server of an MCP tool that is named `mcp__<server>__<tool>`, and what that calls the tool."""
    if not name.lower().startswith("mcp__"):
        return None
    server, _, tool = name[len("mcp__") :].rpartition("__")
    return server, tool


def accesses_in(name: str, given: dict[str, Any]) -> list[Access] | None:
    """The data that a tool of its own kind touches; None of tools that are like everybody's."""
    if name == "web_fetch":
        found = _ADDRESS.findall(str(given.get("prompt") or given.get("url") or ""))
        return [web_access(address) for address in dict.fromkeys(found[:20])]
    if name == "read_many_files" and isinstance(given.get("paths"), list):
        paths = [path for path in given["paths"][:50] if isinstance(path, str)]
        return [access for path in paths for access in accesses_of("read_file", {"path": path})]
    return None


def lines_in(shown: object) -> ChangedLines | None:
    """The lines that a call added and removed, as the diff shows that Gemini CLI and its kin keep of a changed file."""
    diff = shown.get("fileDiff") if isinstance(shown, dict) else None
    return lines_of_diff(diff) if isinstance(diff, str) else None


def result_text(call: dict[str, Any]) -> str:
    """What a call's tool answered: the output of its function response, else what was shown."""
    parts = call.get("result")
    for part in parts if isinstance(parts, list) else ():
        response = part.get("functionResponse") if isinstance(part, dict) else None
        answer = response.get("response") if isinstance(response, dict) else None
        for name in ("error", "output"):
            if isinstance(answer, dict) and isinstance(answer.get(name), str):
                return str(answer[name])
    shown = call.get("resultDisplay")
    return shown if isinstance(shown, str) else text_in(parts)
