"""Claude Code transcripts read for what responses took, and for little else: several times as fast as all of it.

Every number is the one that `ClaudeDecoder` tells, by the same functions; rows that are not quite ordinary are read by
it. Without `with_sessions` only rows of responses are read, once the time of the first row is known. Where a number
depends on a row that was passed over, the file is *doubtful*, and has to be read with its sessions.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import msgspec

from ...batch import Batch
from ...batch import Row as FactRow
from ...merged_rows import LATER
from ...usage_batch import UsageBatch
from ..emit import UNKNOWN_MODEL
from ..events import NoticeKind, Place, ResponseKind, Speaker, Tokens
from ..source import SourceFile, State
from ..times import parse_time
from .decoder import DENSEST_OUTPUT, PLACEHOLDER, SYNTHETIC, ClaudeDecoder, text_in
from .keys import AGENT, RowLine, copy_signs_of, is_unique
from .rows import CacheCreation, ContentBlock, Iteration, Message, OutputDetails, Row, ServerToolUse
from .usage import PARTS, SPEED, TIER, count_of, leaves_placeholders, shown_bytes, stop_of, tokens_of

NEEDLE = b'"assistant"'
"""In every row that tells of a response: within a text its quotes would be escaped."""


class _UsagePart(msgspec.Struct, gc=False):
    """An entry of `usage.iterations`."""

    type: Any = None


class _Usage(msgspec.Struct, gc=False):
    """`message.usage`, as `Usage` has it; of the parts only how many there are, and of what type."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerToolUse | None = None
    speed: Any = None
    service_tier: Any = None
    inference_geo: Any = None
    iterations: list[_UsagePart] | None = None


class _ShownBlock(msgspec.Struct, gc=False):
    """A content block: what of it the model wrote."""

    text: msgspec.Raw = msgspec.Raw()
    thinking: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct, gc=False):
    """`message` of a response's row."""

    id: Any = None
    model: Any = None
    stop_reason: Any = None
    usage: _Usage | None = None
    content: str | list[_ShownBlock] | None = None


class _UsageRow(msgspec.Struct, gc=False):
    """A row, as far as it tells what a response took and whose it is."""

    type: Any = None
    timestamp: Any = None
    sessionId: Any = None  # noqa: N815
    session_id: Any = None
    sessionKind: Any = None  # noqa: N815
    forkedFrom: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    attributionAgent: Any = None  # noqa: N815
    cwd: Any = None
    gitBranch: Any = None  # noqa: N815
    version: Any = None
    uuid: Any = None
    isSidechain: Any = None  # noqa: N815
    isApiErrorMessage: Any = None  # noqa: N815
    costUSD: Any = None  # noqa: N815
    customTitle: Any = None  # noqa: N815
    aiTitle: Any = None  # noqa: N815
    message: _Message | None = None


_decode = msgspec.json.Decoder(_UsageRow).decode


def _nothing(_: str) -> None:
    """Nobody is told of what is unknown: the whole reading tells."""


class UsageDecoder(ClaudeDecoder):
    """Reads one stretch of one transcript for what its responses took, with or without what it says of sessions."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        super().__init__(file, state, batch)
        assert isinstance(batch, UsageBatch)
        self._usage = batch
        self.wants_all = batch.with_sessions
        """Whether every line is fed."""
        self.passes_over = False
        """Whether lines without the needle are not fed any more."""
        self._path = str(file.path)
        self._whose = {"agent": AGENT, "machine": file.machine, "username": file.username}

    @property
    def needle(self) -> bytes | None:
        """What has to be in a line that is to be fed, from now on; None: any line may matter."""
        return None if self.wants_all or self._first_ts is None else NEEDLE

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_ts is None or not self._quick(line, pos):
            super().feed(line, pos)

    def _quick(self, line: bytes, pos: int) -> bool:
        """Take an ordinary row of a response; whether it was one."""
        try:
            row = _decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return False
        message, session = row.message, row.sessionId
        if row.type != "assistant" or message is None or not _is_ordinary(row, message) or not line.startswith(b"{"):
            return False
        ts = parse_time(row.timestamp)
        if ts is None or type(session) is not str or not session or (self._home is not None and session != self._home):
            return False
        self._session = self._session or session
        self._emit.last_ts = ts
        if self._usage.with_sessions:
            self._quick_label(row, session, ts, pos)
        self._usage.take(self._quick_row(row, message, session, ts, pos))
        return True

    def _quick_label(self, row: Any, session: str, ts: int, pos: int) -> None:
        self._label(row, Place(session, ts, pos))
        self._emit.active(session, ts)

    def _quick_row(self, row: _UsageRow, message: _Message, session: str, ts: int, pos: int) -> FactRow:
        """What such a row is compared by, what is added up, and how to tell the rest, should it win."""
        tokens = tokens_of(cast("Iteration", message.usage), _nothing)
        return {
            "key": message.id,
            "path": self._path,
            "embedded": False,
            "ts": ts,
            "pos": pos,
            "is_copy": row.forkedFrom is not None,
            "copy_signs": copy_signs_of(cast("Row", row), ts, self._first_ts),
            "is_sidechain": bool(row.isSidechain) or self._file_agent is not None,
            "usage_embedded": False,
            "output_tokens": tokens.output,
            "total_tokens": tokens.total,
            "usage_ts": ts,
            "usage_path": self._path,
            "usage_pos": pos,
            "ended_at": ts,
            "is_api_error": False,
            "least_output_tokens": -(-shown_bytes(cast("Message", message)) // DENSEST_OUTPUT),
            LATER: (partial(self._owner, row, message, session), partial(_used, row, message, tokens)),
        }

    def _owner(self, row: _UsageRow, message: _Message, session: str) -> FactRow:
        """What `Emitter.response` makes of whose it is, as far as it is asked for."""
        agent = row.agentId
        return {
            "session_id": session,
            **self._whose,
            "kind": ResponseKind.TURN,
            "subagent_id": agent if isinstance(agent, str) else self._file_agent,
            "subagent_name": text_in(row.attributionAgent),
            "model": text_in(message.model) or UNKNOWN_MODEL,
            "version": text_in(row.version),
            "git_branch": text_in(row.gitBranch),
        }

    # -- what cannot be told without the rows that were passed over ----------------------------------------------------

    def _row(self, row: Row, data: bytes, pos: int) -> None:
        if self.passes_over and parse_time(row.timestamp) is None:
            # Its time is that of the row before it.
            self._usage.doubt()
        super()._row(row, data, pos)

    def _response_key(self, message: Message, request: Any, uuid: Any, line: RowLine, speaker: Speaker) -> str:
        is_told = message.id is None or is_unique(str(message.id)) or request is not None
        if self.passes_over and not is_told and message.model != SYNTHETIC:
            # It is told by the row that it answers.
            self._usage.doubt()
        return super()._response_key(message, request, uuid, line, speaker)

    # -- what is not asked for, unless it tells whose a sub-agent is ---------------------------------------------------

    def _tool_use(
        self, block: ContentBlock, call: str, key: str, place: Place, speaker: Speaker, folder: str | None
    ) -> None:
        if place.home is not None:
            super()._tool_use(block, call, key, place, speaker, folder)

    def _results(self, row: Row, message: Message, place: Place) -> None:
        if place.home is not None:
            super()._results(row, message, place)

    def _own_total(self, row: Row, line: RowLine) -> None:
        if line.place.home is not None:
            super()._own_total(row, line)

    def _notice(self, kind: NoticeKind, uuid: Any, line: RowLine, *told: Any, **more: Any) -> None:
        if line.place.home is not None:
            super()._notice(kind, uuid, line, *told, **more)

    def _notified(self, text: str, uuid: Any, line: RowLine) -> None:
        if line.place.home is not None:
            super()._notified(text, uuid, line)

    def _task_state(self, key: str, call: str | None, told: Any, place: Place) -> None:
        if place.home is not None:
            super()._task_state(key, call, told, place)


def _used(row: _UsageRow, message: _Message, tokens: Tokens) -> FactRow:
    """What `Emitter.response` makes of what it took."""
    usage = message.usage
    assert usage is not None
    used = usage.server_tool_use
    return {
        "input_tokens": tokens.input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "reasoning_tokens": tokens.reasoning,
        "web_searches": count_of(used.web_search_requests, _nothing) if used is not None else 0,
        "speed": text_in(usage.speed) or SPEED,
        "service_tier": text_in(usage.service_tier) or TIER,
        "inference_geo": text_in(usage.inference_geo),
        "stop_reason": stop_of(message.stop_reason),
        "early_output": tokens.output in PLACEHOLDER,
        "stays_early": leaves_placeholders(text_in(row.version)),
    }


def _is_ordinary(row: _UsageRow, message: _Message) -> bool:
    """Whether all that a row says of a response is in its own fields."""
    usage = message.usage
    return (
        usage is not None
        and type(message.id) is str
        and is_unique(message.id)
        and message.model != SYNTHETIC
        and not row.isApiErrorMessage
        # One part is all of it.
        and (not usage.iterations or (len(usage.iterations) == 1 and usage.iterations[0].type in PARTS))
    )
