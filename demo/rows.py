"""Rows as Claude Code 2.1.114 writes them, for the generated sessions of `--demo`."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

Row: TypeAlias = dict[str, Any]

_LETTERS = string.ascii_letters + string.digits
_CHARS_PER_TOKEN = 4
_CACHE_LIFE = 3600.0
"""Seconds until an unused prompt cache of the main conversation is gone."""

REJECTED = "The user doesn't want to proceed with this tool use."


@dataclass(frozen=True, slots=True)
class DemoLine:
    """A row to append to a file."""

    path: Path
    row: Row


@dataclass(frozen=True, slots=True)
class Note:
    """A small JSON file to write as a whole."""

    path: Path
    content: Row


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that passes before what follows, in seconds."""

    seconds: float


Event: TypeAlias = DemoLine | Note | Pause


@dataclass(slots=True)
class Clock:
    """The time of what is written next; moved by whoever plays the events."""

    now: datetime


@dataclass(frozen=True, slots=True)
class DemoReply:
    """What one API response is made of, and what it is billed as."""

    blocks: Sequence[Row]
    output_tokens: int
    stop_reason: str = "tool_use"
    web_searches: int = 0


@dataclass(slots=True)
class Transcript:
    """One transcript file that is being written: the main conversation of a session, or a sub-agent's."""

    path: Path
    session_id: str
    cwd: str
    branch: str
    model: str
    random: random.Random
    clock: Clock
    version: str = "2.1.114"
    speed: str = "standard"
    agent_id: str | None = None
    counts_output: bool = True
    """False for the versions that logged placeholders instead of output tokens."""
    context: int = 0
    """Tokens of the conversation that the prompt cache holds."""
    unsent: int = 0
    """Tokens that the next response reads for the first time."""
    rows: int = 0
    depth: int = 0
    """How many agents are above it."""
    _parent: str | None = None
    _prompt_id: str | None = None
    _answered_at: datetime | None = field(default=None)

    def uuid(self) -> str:
        """A new version-4 UUID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def identifier(self, prefix: str, length: int = 22) -> str:
        """A new id in the style of the API."""
        return prefix + "".join(self.random.choices(_LETTERS, k=length))

    def prompt(self, text: str, **extra: Any) -> DemoLine:
        """What a person typed, or the task that a sub-agent was given."""
        self._prompt_id = self.uuid()
        self.unsent += len(text) // _CHARS_PER_TOKEN + 20
        if self.agent_id is None and not extra:
            extra["permissionMode"] = "acceptEdits"
        return self.chained("user", message={"role": "user", "content": text}, **extra)

    def reply(self, reply: DemoReply) -> Iterator[Event]:
        """A response: one row per content block, all with the same id, most with the same usage."""
        message_id, request_id = self._ids()
        usage = self._usage(reply)
        partial = self.random.random() < 0.3
        for number, block in enumerate(reply.blocks):
            last = number == len(reply.blocks) - 1
            stop: str | None = reply.stop_reason
            billed = usage
            if not self.counts_output or (partial and not last):
                # A row that was written while the answer was still streaming.
                stop, billed = None, usage | {"output_tokens": self.random.randint(1, 5), "iterations": []}
            message = {
                "model": self.model,
                "id": message_id,
                "type": "message",
                "role": "assistant",
                "content": [block],
                "stop_reason": stop,
                "stop_sequence": None,
                "usage": billed,
            }
            yield self.chained("assistant", message=message, requestId=request_id)
            if not last:
                yield Pause(self.random.uniform(0.2, 1.8))

    def result(
        self, call: Row, text: str, told: Row | None = None, *, failed: bool = False, denied: bool = False
    ) -> DemoLine:
        """What a tool call gave back; `told` is the program's own account of it."""
        self.unsent += len(text) // _CHARS_PER_TOKEN + self.random.randint(200, 1_600)
        block: Row = {"type": "tool_result", "tool_use_id": call["id"], "content": text}
        extra: Row = {"toolUseResult": told}
        if told is not None and "agentId" in told:
            block["content"] = told["content"]
        if failed or denied:
            block["is_error"] = True
            extra["toolUseResult"] = f"Error: {text}"
        if denied:
            extra["toolDenialKind"] = "user-rejected"
        message = {"role": "user", "content": [block]}
        return self.chained("user", message=message, sourceToolAssistantUUID=self._parent, **extra)

    def api_error(self, text: str) -> DemoLine:
        """The row that stands for an answer that never came."""
        usage = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        message = {
            "id": self.uuid(),
            "model": "<synthetic>",
            "role": "assistant",
            "type": "message",
            "stop_reason": "stop_sequence",
            "stop_sequence": "",
            "usage": usage,
            "content": [{"type": "text", "text": text}],
        }
        return self.chained("assistant", message=message, error="unknown", isApiErrorMessage=True)

    def system(self, subtype: str, **fields: Any) -> DemoLine:
        """A note of the program itself."""
        return self.chained("system", subtype=subtype, isMeta=False, **fields)

    def bare(self, kind: str, **fields: Any) -> DemoLine:
        """A row outside the conversation, without a time."""
        self.rows += 1
        return DemoLine(self.path, {"type": kind, **fields, "sessionId": self.session_id})

    def compacted(self, summary: str) -> Iterator[Event]:
        """The conversation is replaced by a summary, because it grew too long."""
        before, parent = self.context, self._parent
        self._parent = None
        self.context, self.unsent = 0, self.random.randint(14_000, 22_000)
        metadata = {"trigger": "auto", "preTokens": before}
        yield self.system(
            "compact_boundary",
            content="Conversation compacted",
            level="info",
            logicalParentUuid=parent,
            compactMetadata=metadata,
        )
        yield self.chained(
            "user",
            message={"role": "user", "content": summary},
            isCompactSummary=True,
            isVisibleInTranscriptOnly=True,
        )

    def chained(self, kind: str, **fields: Any) -> DemoLine:
        """A row that follows the one before it in the conversation."""
        own = self.uuid()
        row: Row = {"parentUuid": self._parent, "isSidechain": self.agent_id is not None}
        if self.agent_id is not None:
            row["agentId"] = self.agent_id
        if kind == "user" and self._prompt_id is not None:
            row["promptId"] = self._prompt_id
        row |= {"type": kind, **{name: value for name, value in fields.items() if value is not None}}
        row |= {
            "uuid": own,
            "timestamp": timestamp(self.clock.now),
            "userType": "external",
            "entrypoint": "cli",
            "cwd": self.cwd,
            "sessionId": self.session_id,
            "version": self.version,
            "gitBranch": self.branch,
        }
        self._parent = own
        self.rows += 1
        return DemoLine(self.path, row)

    def _ids(self) -> tuple[str, str]:
        if self.model.startswith("claude"):
            return self.identifier("msg_01"), self.identifier("req_011C", 20)
        # A gateway in front of another vendor's model has ids of its own.
        return self.identifier("gen-", 16), self.identifier("req-", 12)

    def _usage(self, reply: DemoReply) -> Row:
        idle = (self.clock.now - self._answered_at).total_seconds() if self._answered_at else 0.0
        read, written = self.context, self.unsent
        if idle > _CACHE_LIFE:
            read, written = 0, read + written
        self.context, self.unsent = read + written + reply.output_tokens, 0
        self._answered_at = self.clock.now
        # Sub-agents are short and get the cheaper, shorter cache.
        long = written if self.agent_id is None else 0
        counts = {
            "input_tokens": self.random.randint(1, 12),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": reply.output_tokens,
            "cache_creation": {"ephemeral_1h_input_tokens": long, "ephemeral_5m_input_tokens": written - long},
        }
        return counts | {
            "server_tool_use": {"web_search_requests": reply.web_searches, "web_fetch_requests": 0},
            "service_tier": "standard",
            "inference_geo": "",
            "iterations": [counts | {"type": "message"}],
            "speed": self.speed,
        }


def timestamp(moment: datetime) -> str:
    """A time as transcripts write it: UTC, milliseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def thinking(transcript: Transcript) -> Row:
    """A block of thoughts, which the transcripts keep only as a signature."""
    return {"type": "thinking", "thinking": "", "signature": transcript.identifier("Ep", 60)}


def text_block(text: str) -> Row:
    """A block of text."""
    return {"type": "text", "text": text}


def tool_block(transcript: Transcript, name: str, given: Mapping[str, Any]) -> Row:
    """A block that calls a tool."""
    return {
        "type": "tool_use",
        "id": transcript.identifier("toolu_01"),
        "name": name,
        "input": dict(given),
        "caller": {"type": "direct"},
    }
