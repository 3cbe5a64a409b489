"""Ordinary lines of responses, compared as they come: of each response those that count, and what is added up of all.

A line is compared by the orders from which the SQL of the store is made (`queries/facts.py`), without what is the same
for all ordinary lines of a file. It becomes a row only once all of the file is read, if it wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Literal

import msgspec

from ....queries.facts import RESPONSES, Half
from ...batch import Row as FactRow
from ...jsonl import Unusable, reader_of
from ...merged_rows import LATER
from ...short_rows import ShortRows, own_row
from ..events import ResponseKind, Tokens
from ..numbers import MAX_COUNT
from ..responses import UNKNOWN_MODEL
from .keys import copy_signs_of, is_unique
from .text import text_in
from .told import DENSEST_OUTPUT, PLACEHOLDER
from .usage import SPEED, TIER, leaves_placeholders, shown_bytes, stop_of, tokens_told

NOTHING = msgspec.Raw()

# -- the shape of an ordinary row: whatever fits is told by its fields alone ---------------------------------------


Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
"""What `count_of` takes for one."""


class UsageWrites(msgspec.Struct, gc=False):
    """`usage.cache_creation`."""

    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class UsageSearches(msgspec.Struct, gc=False):
    """`usage.server_tool_use`."""

    web_search_requests: Count | None = None


class UsageDetails(msgspec.Struct, gc=False):
    """`usage.output_tokens_details`."""

    thinking_tokens: Count | None = None


class UsagePart(msgspec.Struct, gc=False):
    """An entry of `usage.iterations`."""

    type: str | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """`message.usage`, as `Usage` has it; of the parts only how many there are, and of what type.

    Two that are equal say the same: nothing in it is of a kind that is not told apart from another.
    """

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
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
    """An ordinary line of a response, the one whose it is, or the one that tells what it took."""

    row: UsageRow
    ts: int
    pos: int

    def taken(self) -> Tokens:
        """What it tells that the response took."""
        return _tokens(self.row.message.usage)


def _tokens(usage: UsageCounts) -> Tokens:
    """As `tokens_of` reads them, of counts that are some or missing."""
    split, details = usage.cache_creation, usage.output_tokens_details
    return tokens_told(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_input_tokens or 0,
        usage.cache_creation_input_tokens,
        0 if split is None else split.ephemeral_5m_input_tokens or 0,
        0 if split is None else split.ephemeral_1h_input_tokens or 0,
        None if details is None else details.thinking_tokens,
    )


class _Told(msgspec.Struct, gc=False):
    """What the lines of a response tell so far."""

    row: UsageRow
    """Of the line whose it is; so with the next two."""
    ts: int
    pos: int
    used: UsageRow
    """Of the line that tells what it took; so with the next three."""
    used_ts: int
    used_pos: int
    output: int
    """Tokens."""
    ended: int
    """The latest time."""
    most: int
    """No line shows more output than so many bytes of JSON."""
    contents: list[msgspec.Raw] | None
    """What those lines hold that may show more than any of them tells."""

    def lines(self) -> tuple[Line, Line]:
        """The line whose it is, and the one that tells what it took."""
        return Line(self.row, self.ts, self.pos), Line(self.used, self.used_ts, self.used_pos)


class UsageLines:
    """The ordinary lines of a file. `whose`: the columns that say which agent, machine and person they are of."""

    def __init__(self, path: str, whose: FactRow, subagent: str | None) -> None:
        self._path = path
        self._same = {"path": path, **SAME, **{column: value for column, value in whose.items() if value is not None}}
        self._subagent = subagent
        self.first_ts: int | None = None
        """The time of the first row of the file that has one."""
        self._told: dict[str, _Told] = {}

    def add(self, row: UsageRow, ts: int, pos: int) -> bool:
        """Take a line; whether its response is one of which all lines have the same id, and nothing else has."""
        message = row.message
        # What it shows is kept as long as that may be more than any line tells, and else nothing of it.
        content, message.content = message.content, NOTHING
        shown = len(content)
        output = message.usage.output_tokens or 0
        told = self._told.get(message.id)
        if told is None:
            if not is_unique(message.id):
                return False
            contents = [content] if shown > output * DENSEST_OUTPUT else None
            self._told[message.id] = _Told(row, ts, pos, row, ts, pos, output, ts, shown, contents)
            return True
        if ts <= told.ts and self._owner_rank(row, ts, pos) < self._owner_rank(told.row, told.ts, told.pos):
            told.row, told.ts, told.pos = row, ts, pos
        if output > told.output or (output == told.output and _tells_more(row, ts, pos, told)):
            told.used, told.used_ts, told.used_pos, told.output = row, ts, pos, output
        if ts > told.ended:
            told.ended = ts
        if shown > told.most:
            told.most = shown
        if told.most <= told.output * DENSEST_OUTPUT:
            told.contents = None
        elif told.contents is None:
            told.contents = [content]
        else:
            told.contents.append(content)
        return True

    def _owner_rank(self, row: UsageRow, ts: int, pos: int) -> tuple[int, int, bool, int]:
        return ts, self._copy_signs(row, ts), self._is_sidechain(row), pos

    def _copy_signs(self, row: UsageRow, ts: int) -> int:
        return copy_signs_of(row, ts, self.first_ts)  # type: ignore[arg-type]

    def _is_sidechain(self, row: UsageRow) -> bool:
        return bool(row.isSidechain) or self._subagent is not None

    def __len__(self) -> int:
        return len(self._told)

    def pop_rows(self, key: str) -> Iterator[FactRow]:
        """The lines of a response that count, as rows to be merged with others, and are not told here any more."""
        if key in self._told:
            told = self._told.pop(key)
            for line in told.lines():
                row = self._compared(key, line) | {"usage_path": self._path}
                row |= {"ended_at": told.ended, "least_output_tokens": _least_output(told)}
                yield row | {LATER: (partial(self._owned, line.row), partial(_taken, line))}

    def unfinished(self) -> Iterator[FactRow]:
        """Those responses as rows that do not say why they stopped."""
        for key, told in self._told.items():
            if not told.used.message.stop_reason:
                owner, used = told.lines()
                row = self._compared(key, owner) | {"output_tokens": told.output}
                yield row | self._owned(owner.row) | _taken(used) | {"least_output_tokens": _least_output(told)}

    def tell(self, rows: ShortRows) -> None:
        """Tell all responses in short."""
        take, first_ts, numbers = rows.rows.append, self.first_ts or 0, dict[tuple[object, ...], int]()
        known: tuple[object, ...] | None = None
        number = 0
        for key, told in self._told.items():
            row, used, ts = told.row, told.used, told.ts
            message = used.message
            usage = message.usage
            searches = usage.server_tool_use
            # All that decides what is said of a response beside its own numbers.
            said = (
                (ts < first_ts, row.session_id, row.sessionKind, row.isSidechain),
                (row.sessionId, row.agentId, row.attributionAgent, row.message.model, row.version, row.gitBranch),
                (used.version, message.stop_reason, usage.speed, usage.service_tier, usage.inference_geo),
                (searches and searches.web_search_requests, told.output in PLACEHOLDER),
            )
            if said != known:
                known = said
                if said in numbers:
                    number = numbers[said]
                else:
                    number = numbers[said] = rows.say(self._said_of(told))
            least = (_least_output(told) or None) if told.contents else None
            tokens = _tokens(usage)
            take(own_row(key, number, ts, told.pos, tokens, told.used_ts, told.used_pos, told.ended, least))

    def _said_of(self, told: _Told) -> FactRow:
        """What others may say, too."""
        owner, used = told.lines()
        signs = {"copy_signs": self._copy_signs(told.row, told.ts), "is_sidechain": self._is_sidechain(told.row)}
        return self._same | signs | self._owned(owner.row) | _described(used)

    def _compared(self, key: str, line: Line) -> FactRow:
        return self._same | {
            "key": key,
            "ts": line.ts,
            "pos": line.pos,
            "copy_signs": self._copy_signs(line.row, line.ts),
            "is_sidechain": self._is_sidechain(line.row),
            "output_tokens": line.taken().output,
            "total_tokens": line.taken().total,
            "usage_ts": line.ts,
            "usage_pos": line.pos,
        }

    def _owned(self, row: UsageRow) -> FactRow:
        """What `Emitter.response` makes of whose it is, as far as it is asked for."""
        return {
            "session_id": row.sessionId,
            "kind": ResponseKind.TURN,
            "subagent_id": self._subagent if row.agentId is None else row.agentId,
            "subagent_name": text_in(row.attributionAgent),
            "model": text_in(row.message.model) or UNKNOWN_MODEL,
            "version": text_in(row.version),
            "git_branch": text_in(row.gitBranch),
        }


def _tells_more(row: UsageRow, ts: int, pos: int, told: _Told) -> bool:
    """Whether a line with as much output as the one that tells what the response took counts instead of it."""
    usage, known = row.message.usage, told.used.message.usage
    if usage == known:
        return (ts, pos) > (told.used_ts, told.used_pos)
    return (_tokens(usage).total, ts, pos) > (_tokens(known).total, told.used_ts, told.used_pos)


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
        "web_searches": (used.web_search_requests or 0) if used is not None else 0,
        "speed": text_in(usage.speed) or SPEED,
        "service_tier": text_in(usage.service_tier) or TIER,
        "inference_geo": text_in(usage.inference_geo),
        "stop_reason": stop_of(message.stop_reason),
        "early_output": line.taken().output in PLACEHOLDER,
        "stays_early": leaves_placeholders(text_in(line.row.version)),
    }
