"""The end of a tool call: a block of a user row, and the row's `toolUseResult` beside it, which tells more of it.

The content may be long, and nearly always tells nothing: it is kept as it stands in JSON, and looked at there first.
"""

from __future__ import annotations

import msgspec

from ... import access
from ...jsonl import value_in
from ..events import BACKGROUND, Place, ToolResult
from ..numbers import whole_number
from .rows import Beside, ContentBlock, Row
from .text import denial_of, text_in, text_of

_HINT_BYTES = 800
"""A count of rows stands at the end of a result, or its text need not be read."""

_MADE_TASK = b"Task #"
_BEGINNING = 80
"""Bytes in which something that has to stand at the beginning stands."""

_LAUNCHED, _TEAMMATE = "async_launched", "teammate_spawned"
"""What the result says of a sub-agent that goes on in the background."""

_NOTHING = Beside()


class RawResult(msgspec.Struct, gc=False):
    """What came back from a call."""

    content: bytes
    """Of the block, as it stands in JSON; empty if it has none."""
    beside: Beside
    """`toolUseResult`, without a value in any field if the row has none that is an object."""

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
    """What a block of a row tells, the content unread."""
    beside = row.toolUseResult
    return RawResult(bytes(block.content), beside if isinstance(beside, msgspec.Struct) else _NOTHING)


def result_of(row: Row, block: ContentBlock, call: str, raw: RawResult, place: Place, *, waits: bool) -> ToolResult:
    """The end of the call of this id, that the block is of; `waits`: its text is to be told, whatever it looks like."""
    content, beside = raw.content, raw.beside
    told = ToolResult(call_id=call, place=place, is_error=block.is_error is True, size=max(0, len(content) - 2))
    if told.is_error or waits or raw.may_tell() or content.find(_MADE_TASK, 0, _BEGINNING) >= 0:
        told.text = text_of(value_in(block.content))
    if told.is_error:
        told.denial = denial_of(row, told.text or "")
    if beside.taskId is not None:
        told.changed_nothing = beside.success is False
    if beside.agentId is not None or beside.status == _TEAMMATE:
        told.subagent_id = text_in(beside.agentId)
        status = text_in(beside.status)
        told.subagent_status = BACKGROUND if status in (_LAUNCHED, _TEAMMATE) else status
        told.subagent_tokens = whole_number(beside.totalTokens)
        told.subagent_ms = whole_number(beside.totalDurationMs)
        told.text = text_of(value_in(block.content)) if told.text is None else told.text
    return told
