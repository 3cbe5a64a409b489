"""Ordinary lines of responses, compared as they come: of each response those that count, and what is added up of all.

A line is compared by the orders from which the SQL of the store is made (`queries/facts.py`), without what is the same
for all ordinary lines of a file. It becomes a row only once all of the file is read, if it wins.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from ....queries.facts import RESPONSES, Half
from ...batch import Row as FactRow
from ...merged_rows import LATER
from ..events import ResponseKind, Tokens
from ..responses import UNKNOWN_MODEL
from .decoder import PLACEHOLDER
from .rows import Counts
from .text import text_in
from .usage import SPEED, TIER, count_of, leaves_placeholders, stop_of


class UsagePart(msgspec.Struct, gc=False):
    """An entry of `usage.iterations`."""

    type: Any = None


class UsageCounts(Counts, gc=False):
    """`message.usage`, as `Usage` has it; of the parts only how many there are, and of what type."""

    iterations: list[UsagePart] | None = None


class ShownBlock(msgspec.Struct, gc=False):
    """A content block: what of it the model wrote."""

    text: msgspec.Raw = msgspec.Raw()
    thinking: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()


class UsageMessage(msgspec.Struct, gc=False):
    """`message` of a response's row."""

    id: Any = None
    model: Any = None
    stop_reason: Any = None
    usage: UsageCounts | None = None
    content: str | list[ShownBlock] | None = None


class UsageRow(msgspec.Struct, gc=False):
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
    message: UsageMessage | None = None


SAME = {"embedded": False, "is_copy": False, "usage_embedded": False, "is_api_error": False}
"""What ordinary lines say; and all of one file have its path."""


class Line(msgspec.Struct, gc=False):
    """An ordinary line of a response; what it is compared by has the names of the columns."""

    ts: int
    pos: int
    copy_signs: int
    is_sidechain: bool
    output_tokens: int
    total_tokens: int
    least_output_tokens: int
    row: UsageRow
    message: UsageMessage
    tokens: Tokens


def _rank_of(half: Half) -> Callable[[Line], Any]:
    """What two ordinary lines of a file are compared by in a group of columns."""
    columns = [term.column for term in half.terms if term.column not in SAME and not term.column.endswith("path")]
    return operator.attrgetter(*(RESPONSES.repeated.get(column, column) for column in columns))


_OWNER, _USED = RESPONSES.halves
_owner_rank, _used_rank = _rank_of(_OWNER), _rank_of(_USED)
assert (_OWNER.pick, _USED.pick) == ("min", "max")


class UsageLines:
    """The ordinary lines of a file. `whose`: the columns that say which agent, machine and person they are of."""

    def __init__(self, path: str, whose: FactRow, subagent: str | None) -> None:
        self._path = path
        self._same = {"path": path, **SAME, **{column: value for column, value in whose.items() if value is not None}}
        self._subagent = subagent
        self._told: dict[str, tuple[Line, Line, int, int]] = {}
        """Of each response the line whose it is, the one that tells what it took, the latest time and the most output
        that a line shows."""

    def add(self, key: str, line: Line) -> None:
        """Take a line."""
        known = self._told.get(key)
        if known is None:
            self._told[key] = line, line, line.ts, line.least_output_tokens
            return
        owner, used, ended, least = known
        if _owner_rank(line) < _owner_rank(owner):
            owner = line
        if _used_rank(line) > _used_rank(used):
            used = line
        self._told[key] = owner, used, max(ended, line.ts), max(least, line.least_output_tokens)

    def __len__(self) -> int:
        return len(self._told)

    def pop_rows(self, key: str) -> Iterator[FactRow]:
        """The lines of a response that count, as rows to be merged with others, and are not told here any more."""
        if key in self._told:
            owner, used, ended, least = self._told.pop(key)
            for line in (owner, used):
                row = self._compared(key, line) | {"usage_path": self._path}
                row |= {"ended_at": ended, "least_output_tokens": least}
                yield row | {LATER: (partial(self._owned, line), partial(_taken, line))}

    def rows(self) -> Iterator[FactRow]:
        """A row for each response."""
        for key, (owner, used, ended, least) in self._told.items():
            row = self._compared(key, owner)
            if used is not owner:
                row["output_tokens"], row["total_tokens"] = used.output_tokens, used.total_tokens
                row["usage_ts"], row["usage_pos"] = used.ts, used.pos
            row.update(self._owned(owner))
            row.update(_taken(used))
            row["ended_at"], row["least_output_tokens"] = ended, least
            yield row

    def _compared(self, key: str, line: Line) -> FactRow:
        return self._same | {
            "key": key,
            "ts": line.ts,
            "pos": line.pos,
            "copy_signs": line.copy_signs,
            "is_sidechain": line.is_sidechain,
            "output_tokens": line.output_tokens,
            "total_tokens": line.total_tokens,
            "usage_ts": line.ts,
            "usage_pos": line.pos,
        }

    def _owned(self, line: Line) -> FactRow:
        """What `Emitter.response` makes of whose it is, as far as it is asked for."""
        row = line.row
        agent = row.agentId
        return {
            "session_id": row.sessionId,
            "kind": ResponseKind.TURN,
            "subagent_id": agent if isinstance(agent, str) else self._subagent,
            "subagent_name": text_in(row.attributionAgent),
            "model": text_in(line.message.model) or UNKNOWN_MODEL,
            "version": text_in(row.version),
            "git_branch": text_in(row.gitBranch),
        }


def _taken(line: Line) -> FactRow:
    """What `Emitter.response` makes of what it took."""
    usage, tokens = line.message.usage, line.tokens
    assert usage is not None
    used = usage.server_tool_use
    return {
        "input_tokens": tokens.input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "reasoning_tokens": tokens.reasoning,
        "web_searches": count_of(used.web_search_requests, nothing) if used is not None else 0,
        "speed": text_in(usage.speed) or SPEED,
        "service_tier": text_in(usage.service_tier) or TIER,
        "inference_geo": text_in(usage.inference_geo),
        "stop_reason": stop_of(line.message.stop_reason),
        "early_output": tokens.output in PLACEHOLDER,
        "stays_early": leaves_placeholders(text_in(line.row.version)),
    }


def nothing(_: str) -> None:
    """Nobody is told of what is unknown: the whole reading tells."""
