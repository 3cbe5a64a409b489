"""Claude Code transcripts read for what responses took, and for little else: several times as fast as all of it.

Every number is the one that `ClaudeDecoder` tells, by the same functions; rows that are not quite ordinary are read by
it. Without `with_sessions` only rows of responses are read, once the time of the first row is known. Where a number
depends on a row that was passed over, the file is *doubtful*, and has to be read with its sessions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import BROKEN
from ...usage_batch import UsageBatch
from ..events import NoticeKind, Place, Speaker
from ..source import SourceFile, State
from ..times import parse_time
from .decoder import SYNTHETIC, ClaudeDecoder
from .keys import AGENT, RowLine, is_unique
from .rows import ContentBlock, Message, Row
from .usage import is_one_part
from .usage_lines import LabelledRow, UsageLines, UsageRow

NEEDLE = b'"assistant"'
"""In every row that tells of a response: within a text its quotes would be escaped."""


_BEGIN = ord("{")

_usage_row = msgspec.json.Decoder(UsageRow).decode
_labelled_row = msgspec.json.Decoder(LabelledRow).decode


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
        whose = {"agent": AGENT, "machine": file.machine, "username": file.username}
        self._lines = batch.lines = UsageLines(str(file.path), whose, self._file_agent)
        self._decode = _labelled_row if self.wants_all else _usage_row

    @property
    def needle(self) -> bytes | None:
        """What has to be in a line that is to be fed, from now on; None: any line may matter."""
        return None if self.wants_all or self._first_ts is None else NEEDLE

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_ts is None:
            super().feed(line, pos)
        else:
            self.feed_all(((line, pos),))

    def feed_all(self, lines: Iterable[tuple[bytes | bytearray, int]]) -> None:
        """Read some lines, from when on the time of the first row is known."""
        decode, add, home, with_labels = self._decode, self._lines.add, self._home, self.wants_all
        self._lines.first_ts = self._first_ts
        for line, pos in lines:
            try:
                row = decode(line)
            except BROKEN:
                super().feed(bytes(line), pos)
                continue
            message, ts, session = row.message, parse_time(row.timestamp), row.sessionId
            parts = message.usage.iterations
            if (
                ts is None
                or not session
                or (home is not None and session != home)
                or row.isApiErrorMessage
                or message.model == SYNTHETIC
                # One part is all of it.
                or (parts and not is_one_part(parts))
                # Whitespace, a mark.
                or line[0] != _BEGIN
                or not add(row, ts, pos)
            ):
                super().feed(bytes(line), pos)
                continue
            self._session = self._session or session
            self._emit.last_ts = ts
            if with_labels:
                # It has the fields that are asked for.
                self._label(row, Place(session, ts, pos))  # type: ignore[arg-type]
                self._emit.active(session, ts)

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

    def _results(self, row: Row, message: Message, place: Place, agent: str | None) -> bool:
        return super()._results(row, message, place, agent) if place.home is not None else True

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
