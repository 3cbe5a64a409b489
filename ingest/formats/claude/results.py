"""The end of a tool call: a block of a user row, and the row's `toolUseResult` beside it, which tells more of it.

Both may be long, and nearly all of them tell nothing: they are kept as they stand in JSON, and looked at once for the
names of what could be read there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from ... import access
from ...jsonl import value_in
from ..events import BACKGROUND, Place, ToolResult
from ..numbers import whole_number
from .rows import AgentResult, ContentBlock, Row
from .text import denial_of, text_in, text_of

_HINT_BYTES = 800
"""A count of rows stands at the end of a result, or its text need not be read."""

_MADE_TASK = b"Task #"
_BEGINNING = 80
"""Bytes in which something that has to stand at the beginning stands."""

_FAILED = re.compile(rb'"success"\s*:\s*false')
_STATE = re.compile(rb'\{\s*"tasks"\s*:')
_LAUNCHED, _TEAMMATE = "async_launched", "teammate_spawned"
"""What the result says of a sub-agent that goes on in the background."""

_SPAWNED = _TEAMMATE.encode()
_NAMES = re.compile(rb'"(agentId|gitOperation|structuredPatch|taskId|tasks|teammate_spawned)"')
"""Fields of `toolUseResult`, at any depth, that are read, and a status. A text that speaks of them has a backslash
before the end."""

_agent_result = msgspec.json.Decoder(AgentResult).decode


class RawResult(NamedTuple):
    """What came back from a call, as it stands in JSON."""

    content: bytes
    """Of the block; empty if it has none."""
    beside: memoryview
    """`toolUseResult`; empty if the row has none. It may be long, and is not copied to be looked at."""
    names: Collection[bytes]
    """Which of the fields that are read there are in `beside`."""

    @property
    def is_state_of_tasks(self) -> bool:
        """Whether the whole state of the tasks stands beside it."""
        return b"tasks" in self.names and _STATE.match(self.beside) is not None

    def may_tell(self) -> bool:
        """Whether its text has to be looked at."""
        content = self.content
        if len(content) <= _HINT_BYTES:
            return access.may_count_rows(content) or access.may_hold_note(content)
        end = content[-_HINT_BYTES:]
        # Looked at in one go: what stands between them is in no text.
        ends = content[:_HINT_BYTES] + b"\0" + end
        return access.may_count_rows(end, ends) or access.may_hold_note(ends)


def raw_result(row: Row, block: ContentBlock) -> RawResult:
    """What a block of a row tells, unread."""
    beside = memoryview(row.toolUseResult)
    return RawResult(bytes(block.content), beside, _NAMES.findall(beside))


def result_of(row: Row, block: ContentBlock, raw: RawResult, place: Place, *, waits: bool) -> ToolResult:
    """The end of the call that the block is of; `waits`: its text is to be told, whatever it looks like."""
    content, beside, names = raw
    told = ToolResult(
        call_id=block.tool_use_id, place=place, is_error=block.is_error is True, size=max(0, len(content) - 2)
    )
    if told.is_error or waits or raw.may_tell() or content.find(_MADE_TASK, 0, _BEGINNING) >= 0:
        told.text = text_of(value_in(block.content))
    if told.is_error:
        told.denial = denial_of(row, told.text or "")
    if not names:
        return told
    told.changed_nothing = b"taskId" in names and _FAILED.search(beside) is not None
    if b"agentId" in names or (_SPAWNED in names and _SPAWNED in bytes(beside[:_BEGINNING])):
        try:
            agent = _agent_result(beside)
        except (msgspec.DecodeError, RecursionError):
            return told
        told.subagent_id = text_in(agent.agentId)
        status = text_in(agent.status)
        told.subagent_status = BACKGROUND if status in (_LAUNCHED, _TEAMMATE) else status
        told.subagent_tokens = whole_number(agent.totalTokens)
        told.subagent_ms = whole_number(agent.totalDurationMs)
        told.text = text_of(value_in(block.content)) if told.text is None else told.text
    return told
