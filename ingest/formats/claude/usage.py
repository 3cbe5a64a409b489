"""How many tokens a response of Claude Code took. The rules are those of docs/counting.md."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from ...jsonl import inner_of, value_in
from ..events import ResponseKind, StopReason, Tokens
from ..numbers import MAX_COUNT
from .rows import CacheCreation, Compaction, Iteration, Message, Row, Usage

Note = Callable[[str], None]


class Extra(NamedTuple):
    """Something billed with a response that its own counts leave out."""

    kind: ResponseKind
    """`advisor` and `fallback` are responses of their own, `compaction` is a bill without an answer."""
    number: int
    """Its place in `usage.iterations`."""
    model: Any
    """As the entry tells it; None where it does not."""
    usage: Iteration


PARTS = ("message", "fallback_message", None)
"""Types of iterations that the counts of their response include, unless another model was to answer after them."""


def extras_of(usage: Usage, note: Note) -> Iterator[Extra]:
    """What `usage.iterations` tells beside the counts of the response itself. New types of entries are noted.

    Where another model had to step in, the response's own counts are those of the attempt that served. An attempt
    that was given up before is billed if it had written anything.
    """
    entries = usage.iterations or ()
    given_up = _given_up(entries)
    for number, entry in enumerate(entries):
        if entry.type == "advisor_message":
            yield Extra(ResponseKind.ADVISOR, number, entry.model, entry)
        elif entry.type == "compaction":
            yield Extra(ResponseKind.COMPACTION, number, entry.model, entry)
        elif entry.type not in PARTS:
            note(f"usage iteration {entry.type}")
        elif number in given_up and count_of(entry.output_tokens, note):
            yield Extra(ResponseKind.FALLBACK, number, entry.model, entry)


def is_one_part(entries: Sequence[Any]) -> bool:
    """Whether entries of `usage.iterations` tell of nothing beside the response: there is one, which is all of it."""
    return len(entries) == 1 and entries[0].type in PARTS


def _given_up(entries: Sequence[Iteration]) -> set[int]:
    """Places of the attempts that came to nothing: those before the last `fallback_message`, unless of its model."""
    if len(entries) < 2:
        return set()
    served = max((number for number, entry in enumerate(entries) if entry.type == "fallback_message"), default=0)
    model = entries[served].model
    return {
        number
        for number, entry in enumerate(entries[:served])
        if entry.type == "message" or (entry.type == "fallback_message" and entry.model != model)
    }


def declined_in(message: Message) -> str | None:
    """The model that a message's `fallback` block says gave up; None if there is none."""
    for block in message.content if isinstance(message.content, list) else ():
        if block.type == "fallback":
            source = value_in(block.gave_up)
            model = source.get("model") if isinstance(source, dict) else None
            return model if isinstance(model, str) and model else None
    return None


def tokens_of(usage: Iteration, note: Note) -> Tokens:
    """Tokens of each kind. What cannot be read counts as 0 and is noted."""
    flat, split, details = usage.cache_creation_input_tokens, usage.cache_creation, usage.output_tokens_details
    written, short, long = None, 0, 0
    if split is not None:
        long = count_of(split.ephemeral_1h_input_tokens, note)
    if flat is not None:
        written = count_of(flat, note)
        entries: Sequence[Iteration] = getattr(usage, "iterations", None) or ()
        if len(entries) > 1:
            long = _long_writes_of_parts(entries, written, otherwise=long)
    elif split is not None:
        short = count_of(split.ephemeral_5m_input_tokens, note)
    return tokens_told(
        count_of(usage.input_tokens, note),
        count_of(usage.output_tokens, note),
        count_of(usage.cache_read_input_tokens, note),
        written,
        short,
        long,
        whole_number(details.thinking_tokens) if details is not None else None,
    )


def tokens_told(
    given: int, output: int, cache_read: int, written: int | None, short: int, long: int, reasoning: int | None
) -> Tokens:
    """Tokens of each kind, of counts that are some.

    `short` and `long`: cache writes that live five minutes, and an hour. `written` is their sum; without a split, which
    is one of zeros, all are short. Where a response took several turns at the API its split is that of the first one
    only (seen in 2.1.227 to 2.1.237), so it is added up from their entries, if these are all of it.
    """
    if written is not None:
        if long > written:
            long = written
        short = written - long
    return Tokens(given, output, cache_read, short, long, reasoning)


def _long_writes_of_parts(entries: Sequence[Iteration], total: int, *, otherwise: int) -> int:
    """The hour's part of `total` cache writes, by the entries that the response consists of."""
    given_up = _given_up(entries)
    writes = [
        entry.cache_creation or CacheCreation()
        for number, entry in enumerate(entries)
        if entry.type in ("message", "fallback_message") and number not in given_up
    ]
    long = sum(whole_number(split.ephemeral_1h_input_tokens) or 0 for split in writes)
    short = sum(whole_number(split.ephemeral_5m_input_tokens) or 0 for split in writes)
    return long if long + short == total else otherwise


def count_of(value: Any, note: Note, what: str = "token count") -> int:
    """A count as an integer; anything that is none counts as 0, and is noted unless it is just missing."""
    if type(value) is int and 0 <= value <= MAX_COUNT:
        return value
    if value is not None:
        note(f"{what} that is no whole number")
    return 0


def whole_number(value: Any) -> int | None:
    """A value that can be a count, else None; True and False are none, and neither is 3.0: Claude writes no such."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


SPEED = TIER = "standard"
"""Where nothing is told."""

_STOPS = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOL_USE,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "pause_turn": StopReason.PAUSE,
    "refusal": StopReason.REFUSAL,
}


def stop_of(reason: Any) -> StopReason | None:
    """Why a model stopped; None where that is not told."""
    return _STOPS.get(reason, StopReason.OTHER) if isinstance(reason, str) and reason else None


@functools.lru_cache(maxsize=256)
def leaves_placeholders(version: str | None) -> bool:
    """Whether a version of Claude Code often logs the output count from the start of the stream and never the last.

    Seen in 2.1.12 to 2.1.52, and in several of 1.0 and 2.0.
    """
    parts = version.split(".") if version is not None else []
    return bool(parts) and all(part.isdecimal() for part in parts) and [int(part) for part in parts] <= [2, 1, 52]


def effort_of(turn: Any, session: Any, requested: Any) -> str | None:
    """The thinking level that was asked for: of this turn, else the session's, else as the request had it."""
    asked = turn or session
    if asked is None:
        asked = requested
    return asked if asked and isinstance(asked, str) else None


def compaction_of(row: Row) -> Compaction:
    """What a compaction says of itself; nothing if it cannot be read."""
    return inner_of(_compaction, Compaction, row.compactMetadata) or Compaction()


_compaction = msgspec.json.Decoder(Compaction).decode


def shown_bytes(message: Message) -> int:
    """Bytes of JSON the model is seen to have written in this row: text, thinking and the input of tools."""
    if isinstance(message.content, str):
        return len(message.content.encode())
    total = 0
    for block in message.content or ():
        # Without their quotation marks, or braces.
        if (size := len(block.text)) > 2:
            total += size - 2
        if (size := len(block.thinking)) > 2:
            total += size - 2
        if (size := len(block.input)) > 2:
            total += size - 2
    return total
