"""What is said in a Claude Code transcript: text of messages, who typed it, why a call was refused."""

from __future__ import annotations

import re
from typing import Any

from ...jsonl import value_in
from ...text import kept
from ..events import BackgroundEnd, Place, Subagent
from ..numbers import whole_number
from .rows import Row

_NOT_TYPED = (
    "<agent-message",
    "<bash-input>",
    "<bash-stderr>",
    "<bash-stdout>",
    # Says that a person typed it; it is the result of a pipeline.
    "<ci-monitor-event",
    "<command-message>",
    "<local-command-",
    "<task-notification",
    "<teammate-message",
    "Another Claude session sent a message:",
    "[SYSTEM NOTIFICATION",
    "<<autonomous-loop",
)
"""How texts begin that programs write in a person's place: commands' output, other agents, notifications, nudges."""

_INTERRUPT = "[Request interrupted"

_ADDED = re.compile(r"\s*<(ide_\w+|system-reminder)\b[^>]*>.*?(?:</\1>|\Z)", re.DOTALL)
"""A block that the editor or Claude Code puts before what was typed; one that was cut off reaches to the end."""

_IMAGE_NOTES = re.compile(r"(?:\s*\[Image: [^\]\n]*\])+\s*")
"""What Claude Code says of an image's size and source."""
_COMMAND = re.compile(r"<command-name>\s*/?([^<\s]*)")
_COMMAND_CHARS = 120
_KIND_CHARS = 60


def text_in(value: Any) -> str | None:
    """A text, or None: of what may be anything, and of what is empty."""
    return value if isinstance(value, str) and value else None


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or its text blocks joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for block in content:
        if _kind_of(block) != "text":
            continue
        value = block.get("text") if isinstance(block, dict) else value_in(block.text)
        if isinstance(value, str):
            parts.append(value)
    return "".join(parts)


def typed_in(row: Row, content: Any) -> str | None:
    """What a person typed in a user row; None if nobody did: a result, a note, another agent, a sub-agent's task.

    Newer rows say who wrote them, older ones are told by how they begin.
    """
    if row.isSidechain or row.isCompactSummary or not content or _is_of_program(row.origin, row.promptSource):
        return None
    if holds_result(content):
        return None
    # Before the row with its tag, newer versions write the bare command.
    text = text_of(content)
    if is_interrupt(text) or (row.promptSource is None and text.strip() == "/compact"):
        return None
    return _judged(content, text)


def holds_result(content: Any) -> bool:
    """Whether a message has the result of a tool."""
    if isinstance(content, list):
        for block in content:
            if block.type == "tool_result":
                return True
    return False


def queued_in(row: Row) -> str | None:
    """What a person typed while the model worked and what was taken up in the middle of its turn; None if nothing.

    The operations on the queue tell nothing more: what is taken from it after the turn comes as a user row.
    """
    queued = row.attachment
    if queued is None or queued.type != "queued_command" or queued.isMeta or row.isMeta or row.isSidechain:
        return None
    content = value_in(queued.prompt)
    if not content or queued.commandMode not in (None, "prompt") or _is_of_program(queued.origin, None):
        return None
    return _judged(content, text_of(content))


def _is_of_program(origin: Any, source: Any) -> bool:
    """Whether a row says that no person wrote it. `origin` is an object with a kind, or the kind."""
    kind = origin.get("kind") if isinstance(origin, dict) else origin
    return source == "system" or (isinstance(kind, str) and kind != "human")


def _judged(content: Any, text: str) -> str | None:
    """A text without the blocks that were put before it; None if it is, or what is left of it, a program's."""
    typed = _bare(text)
    if not typed.strip() and text.strip():
        # With an image beside it, the image is what was given.
        return "" if isinstance(content, list) and any(_kind_of(block) != "text" for block in content) else None
    return None if typed.lstrip().startswith(_NOT_TYPED) else typed


def _bare(text: str) -> str:
    while found := _ADDED.match(text) or _IMAGE_NOTES.match(text):
        text = text[found.end() :]
    return text


def _kind_of(block: Any) -> Any:
    return block.get("type") if isinstance(block, dict) else getattr(block, "type", None)


def is_interrupt(text: str) -> bool:
    """Whether the text of a user row says that the person stopped the model."""
    return _INTERRUPT in text and _bare(text).startswith(_INTERRUPT)


NOTIFICATION = "<task-notification>"

_SAID_OF_TASK = re.compile(r"<(task-id|tool-use-id|status|subagent_tokens|duration_ms)>\s*([^<]{1,200}?)\s*</\1>")


def end_in(text: str, key: str, place: Place) -> BackgroundEnd | None:
    """How a notification says that a task in the background ended, a sub-agent or a command; None if it does not."""
    found = _SAID_OF_TASK.findall(text[text.find(NOTIFICATION) :])
    # Between what it says of the task and of what that took stands what it reported, which may say anything.
    said = dict(found[::-1]) | {name: value for name, value in found if name in ("subagent_tokens", "duration_ms")}
    if "task-id" not in said or "status" not in said:
        return None
    return BackgroundEnd(
        id=key,
        place=place,
        task_id=said["task-id"],
        call_id=said.get("tool-use-id"),
        status=said["status"],
        tokens=_count_in(said.get("subagent_tokens")),
        duration_ms=_count_in(said.get("duration_ms")),
    )


def report_in(text: str) -> Subagent | None:
    """What a notification says of a sub-agent that worked in the background; None if it is of another task.

    A sub-agent may be told of several times; its tokens are all it has taken so far.
    """
    said = dict(_SAID_OF_TASK.findall(text[text.find(NOTIFICATION) :]))
    tokens = _count_in(said.get("subagent_tokens"))
    if tokens is None or "task-id" not in said:
        return None
    return Subagent(
        id=said["task-id"],
        reported_tokens=tokens,
        reported_ms=_count_in(said.get("duration_ms")),
        reported_status=said.get("status"),
        reported_call_id=said.get("tool-use-id"),
    )


def _count_in(text: str | None) -> int | None:
    return whole_number(int(text)) if text is not None and text.isascii() and text.isdecimal() else None


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
