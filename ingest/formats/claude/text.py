"""What is said in a Claude Code transcript: text of messages, who typed it, why a call was refused."""

from __future__ import annotations

import re
from typing import Any

from ...jsonl import value_in
from ...text import kept
from .rows import Block, Row

_NOT_TYPED = (
    "<local-command-",
    "<bash-input>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<task-notification>",
    "<command-message>",
)
_COMMAND = re.compile(r"<command-name>\s*/?([^<\s]*)")
_COMMAND_CHARS = 120
_KIND_CHARS = 60


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or its text blocks joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for block in content:
        if isinstance(block, Block):
            value = value_in(block.text) if block.type == "text" else None
        else:
            value = block.get("text") if isinstance(block, dict) and block.get("type") == "text" else None
        if isinstance(value, str):
            parts.append(value)
    return "".join(parts)


def is_typed(row: Row, content: Any, text: str) -> bool:
    """Whether a user row is what a person typed, and not a result, a note or a sub-agent's task."""
    if row.isSidechain or row.isCompactSummary or not content:
        return False
    if isinstance(content, list) and any(block.type == "tool_result" for block in content):
        return False
    return not is_interrupt(text) and not text.lstrip().startswith(_NOT_TYPED)


def is_interrupt(text: str) -> bool:
    """Whether the text of a user row says that the person stopped the model."""
    return text.startswith("[Request interrupted")


def command_in(text: str) -> str | None:
    """The slash command a text records, without the slash; "" if its name cannot be told, None if there is none."""
    if "<command-name>" not in text:
        return None
    found = _COMMAND.search(text)
    return kept(found[1], _COMMAND_CHARS) if found else ""


def denial_of(row: Row, text: str) -> str | None:
    """Why a tool call was not allowed, or None if it was. Older versions say so only in words."""
    if isinstance(row.toolDenialKind, str):
        return kept(row.toolDenialKind, _KIND_CHARS)
    if text.startswith("The user doesn't want to proceed with this tool use"):
        return "user-rejected"
    return None
