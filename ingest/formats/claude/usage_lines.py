"""Ordinary lines of responses, compared as they come: of each response those that count, and what is added up of all.

A line is compared by the orders from which the SQL of the store is made (`queries/facts.py`), without what is the same
for all ordinary lines of a file. It becomes a row only once all of the file is read, if it wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import msgspec

from ....queries.facts import RESPONSES, Half
from ...batch import Row as FactRow
from ...jsonl import Unusable, reader_of
from ...merged_rows import LATER
from ...short_rows import ShortRows, own_row
from ..events import ResponseKind, Tokens
from ..responses import UNKNOWN_MODEL
from .decoder import DENSEST_OUTPUT, PLACEHOLDER
from .keys import copy_signs_of
from .text import text_in
from .usage import SPEED, TIER, count_of, leaves_placeholders, shown_bytes, stop_of, tokens_of

NOTHING = msgspec.Raw()

# -- the shape of an ordinary row: whatever fits is told by its fields alone ---------------------------------------


class UsageWrites(msgspec.Struct, gc=False):
    """`usage.cache_creation`."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class UsageSearches(msgspec.Struct, gc=False):
    """`usage.server_tool_use`."""

    web_search_requests: int | None = None


class UsageDetails(msgspec.Struct, gc=False):
    """`usage.output_tokens_details`."""

    thinking_tokens: int | None = None


class UsagePart(msgspec.Struct, gc=False):
    """An entry of `usage.iterations`."""

    type: str | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """`message.usage`, as `Usage` has it; of the parts only how many there are, and of what type.

    Two that are equal say the same: nothing in it is of a kind that is not told apart from another.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: UsageWrites | None = None
    output_tokens_details: UsageDetails | None = None
    server_tool_use: UsageSearches | None = None
    speed: str | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    iterations: list[UsagePart] | None = None


class UsageMessage(msgspec.Struct, gc=False):
    """`message` of a response's row."""

    id: str
    usage: UsageCounts
    model: str | None = None
    stop_reason: str | None = None
    content: msgspec.Raw = NOTHING


class UsageRow(msgspec.Struct, gc=False):
    """A response's row, as far as it tells what that took and whose it is."""

    type: Literal["assistant"]
    timestamp: str
    sessionId: str  # noqa: N815
    message: UsageMessage
    session_id: str | None = None
    sessionKind: str | None = None  # noqa: N815
    forkedFrom: None = None  # noqa: N815
    agentId: str | None = None  # noqa: N815
    attributionAgent: str | None = None  # noqa: N815
    gitBranch: str | None = None  # noqa: N815
    version: str | None = None
    isSidechain: bool | None = None  # noqa: N815
    isApiErrorMessage: bool | None = None  # noqa: N815


class LabelledRow(UsageRow, gc=False):
    """The same with what else it says of its session."""

    uuid: str | None = None
    cwd: str | None = None
    customTitle: str | None = None  # noqa: N815
    aiTitle: str | None = None  # noqa: N815


class ShownBlock(msgspec.Struct, gc=False):
    """A content block: what of it the model wrote."""

    text: msgspec.Raw = NOTHING
    thinking: msgspec.Raw = NOTHING
    input: msgspec.Raw = NOTHING


class Shown(msgspec.Struct, gc=False):
    """What a message shows of what the model wrote."""

    content: str | list[ShownBlock] | None = None


_shown = reader_of(Shown)

# -- comparing them ------------------------------------------------------------------------------------------------

SAME = {"embedded": False, "is_copy": False, "usage_embedded": False, "is_api_error": False}
"""What ordinary lines say; and all of one file have its path."""


def _compared_by(half: Half) -> list[str]:
    """What two ordinary lines of a file are compared by in a group of columns."""
    columns = [term.column for term in half.terms if term.column not in SAME and not term.column.endswith("path")]
    return [RESPONSES.repeated.get(column, column) for column in columns]


_OWNER, _USED = RESPONSES.halves
# `UsageLines.add` looks at no more than decides, which for nearly every line is the time.
assert (_OWNER.pick, _compared_by(_OWNER)) == ("min", ["ts", "copy_signs", "is_sidechain", "pos"])
assert (_USED.pick, _compared_by(_USED)) == ("max", ["output_tokens", "total_tokens", "ts", "pos"])


class Line(msgspec.Struct, gc=False):
    """An ordinary line of a response."""

    ts: int
    pos: int
    row: UsageRow
    output: int
    """Tokens."""
    tokens: Tokens | None = None
    """All kinds, once they have been asked for."""

    def taken(self) -> Tokens:
        """What it tells that the response took."""
        if self.tokens is None:
            # The same function for all rows: it asks for no more than the fields.
            self.tokens = tokens_of(self.row.message.usage, nothing)  # type: ignore[arg-type]
        return self.tokens


class _Told(msgspec.Struct, gc=False):
    """What the lines of a response tell so far."""

    owner: Line
    """The one whose it is."""
    used: Line
    """The one that tells what it took."""
    ended: int
    """The latest time."""
    most: int = 0
    """No line shows more output than so many tokens."""
    contents: list[msgspec.Raw] | None = None
    """What those lines hold that may show more than any of them tells."""


class UsageLines:
    """The ordinary lines of a file. `whose`: the columns that say which agent, machine and person they are of."""

    def __init__(self, path: str, whose: FactRow, subagent: str | None) -> None:
        self._path = path
        self._same = {"path": path, **SAME, **{column: value for column, value in whose.items() if value is not None}}
        self._subagent = subagent
        self.first_ts: int | None = None
        """The time of the first row of the file that has one."""
        self._told: dict[str, _Told] = {}

    def add(self, row: UsageRow, ts: int, pos: int) -> None:
        """Take a line."""
        message = row.message
        line = Line(ts, pos, row, count_of(message.usage.output_tokens, nothing))
        told = self._told.get(message.id)
        if told is None:
            self._told[message.id] = told = _Told(line, line, ts)
        else:
            if ts <= told.owner.ts and self._owner_rank(line) < self._owner_rank(told.owner):
                told.owner = line
            used = told.used
            if line.output > used.output or (line.output == used.output and _used_rank(line) > _used_rank(used)):
                told.used = line
            if ts > told.ended:
                told.ended = ts
        # What a line shows is kept as long as that may be more than any line tells, and else nothing of it.
        content, message.content = message.content, NOTHING
        most = -(-len(content) // DENSEST_OUTPUT)
        if most > told.most:
            told.most = most
        if told.most <= told.used.output:
            told.contents = None
        elif told.contents is None:
            told.contents = [content]
        else:
            told.contents.append(content)

    def _owner_rank(self, line: Line) -> tuple[int, int, bool, int]:
        return line.ts, self._copy_signs(line), self._is_sidechain(line), line.pos

    def _copy_signs(self, line: Line) -> int:
        return copy_signs_of(line.row, line.ts, self.first_ts)  # type: ignore[arg-type]

    def _is_sidechain(self, line: Line) -> bool:
        return bool(line.row.isSidechain) or self._subagent is not None

    def __len__(self) -> int:
        return len(self._told)

    def pop_rows(self, key: str) -> Iterator[FactRow]:
        """The lines of a response that count, as rows to be merged with others, and are not told here any more."""
        if key in self._told:
            told = self._told.pop(key)
            for line in (told.owner, told.used):
                row = self._compared(key, line) | {"usage_path": self._path}
                row |= {"ended_at": told.ended, "least_output_tokens": _least_output(told)}
                yield row | {LATER: (partial(self._owned, line), partial(_taken, line))}

    def unfinished(self) -> Iterator[FactRow]:
        """Those responses as rows that do not say why they stopped."""
        for key, told in self._told.items():
            owner, used = told.owner, told.used
            if stop_of(used.row.message.stop_reason) is None:
                row = self._compared(key, owner) | {"output_tokens": used.output}
                yield row | self._owned(owner) | _taken(used) | {"least_output_tokens": _least_output(told)}

    def tell(self, rows: ShortRows) -> None:
        """Tell all responses in short."""
        said: dict[tuple[object, ...], int] = {}
        for key, told in self._told.items():
            owner, used = told.owner, told.used
            same = self._said_by(owner, used)
            number = said.get(same)
            if number is None:
                whose = {"copy_signs": same[0], "is_sidechain": same[1]} | self._owned(owner)
                number = said[same] = rows.say(self._same | whose | _described(used))
            least = (_least_output(told) or None) if told.contents else None
            row = own_row(key, number, owner.ts, owner.pos, used.taken(), used.ts, used.pos, told.ended, least)
            rows.rows.append(row)

    def _said_by(self, owner: Line, used: Line) -> tuple[object, ...]:
        """All that decides what is said of a response beside its own numbers."""
        row, used_row = owner.row, used.row
        message = used_row.message
        usage = message.usage
        searches = usage.server_tool_use
        return (
            self._copy_signs(owner),
            self._is_sidechain(owner),
            row.sessionId,
            row.agentId,
            row.attributionAgent,
            row.message.model,
            row.version,
            row.gitBranch,
            used_row.version,
            message.stop_reason,
            usage.speed,
            usage.service_tier,
            usage.inference_geo,
            searches and searches.web_search_requests,
            used.output in PLACEHOLDER,
        )

    def _compared(self, key: str, line: Line) -> FactRow:
        return self._same | {
            "key": key,
            "ts": line.ts,
            "pos": line.pos,
            "copy_signs": self._copy_signs(line),
            "is_sidechain": self._is_sidechain(line),
            "output_tokens": line.output,
            "total_tokens": line.taken().total,
            "usage_ts": line.ts,
            "usage_pos": line.pos,
        }

    def _owned(self, line: Line) -> FactRow:
        """What `Emitter.response` makes of whose it is, as far as it is asked for."""
        row = line.row
        return {
            "session_id": row.sessionId,
            "kind": ResponseKind.TURN,
            "subagent_id": self._subagent if row.agentId is None else row.agentId,
            "subagent_name": text_in(row.attributionAgent),
            "model": text_in(row.message.model) or UNKNOWN_MODEL,
            "version": text_in(row.version),
            "git_branch": text_in(row.gitBranch),
        }


def _used_rank(line: Line) -> tuple[int, int, int, int]:
    return line.output, line.taken().total, line.ts, line.pos


def _least_output(told: _Told) -> int:
    """The tokens that a line of a response shows must have been at the least; 0 where that is not more than is told.

    That is enough to know whether the response shows a placeholder: the most that any line tells is what it took.
    """
    found = 0
    for content in told.contents or ():
        # What does not fit is left out here as it is where all of the row is read.
        for shown in _shown(b'{"content":%b}' % bytes(content)) if content else ():
            if not isinstance(shown, Unusable):
                found = max(found, -(-shown_bytes(shown) // DENSEST_OUTPUT))  # type: ignore[arg-type]
    return found


def _taken(line: Line) -> FactRow:
    """What `Emitter.response` makes of what it took."""
    tokens = line.taken()
    counts = {
        "input_tokens": tokens.input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "reasoning_tokens": tokens.reasoning,
    }
    return counts | _described(line)


def _described(line: Line) -> FactRow:
    """The same without the tokens."""
    message, usage = line.row.message, line.row.message.usage
    used = usage.server_tool_use
    return {
        "web_searches": count_of(used.web_search_requests, nothing) if used is not None else 0,
        "speed": text_in(usage.speed) or SPEED,
        "service_tier": text_in(usage.service_tier) or TIER,
        "inference_geo": text_in(usage.inference_geo),
        "stop_reason": stop_of(message.stop_reason),
        "early_output": line.output in PLACEHOLDER,
        "stays_early": leaves_placeholders(text_in(line.row.version)),
    }


def nothing(_: str) -> None:
    """Nobody is told of what is unknown: the whole reading tells."""
