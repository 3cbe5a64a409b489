"""How many tokens a response of Claude Code took. The rules are those of docs/counting.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .rows import Iteration, Message

MAX_COUNT = 10**12
"""Counts above this are mistakes: no response comes near, and the sums of a store must fit 63 bits."""

Note = Callable[[str], None]


def tokens_of(usage: Iteration, note: Note) -> dict[str, int]:
    """Tokens of each kind, and their total. What cannot be read counts as 0 and is noted."""
    short, long = _cache_writes(usage, note)
    tokens = {
        "input_tokens": count_of(usage.input_tokens, note),
        "output_tokens": count_of(usage.output_tokens, note),
        "cache_read_tokens": count_of(usage.cache_read_input_tokens, note),
        "cache_write_5m_tokens": short,
        "cache_write_1h_tokens": long,
    }
    tokens["total_tokens"] = sum(tokens.values())
    return tokens


def _cache_writes(usage: Iteration, note: Note) -> tuple[int, int]:
    """Cache writes that live five minutes, and an hour. The flat count is their sum; without a split all are short."""
    flat, split = usage.cache_creation_input_tokens, usage.cache_creation
    long = count_of(split.ephemeral_1h_input_tokens, note) if split is not None else 0
    if flat is None:
        return (count_of(split.ephemeral_5m_input_tokens, note) if split is not None else 0), long
    total = count_of(flat, note)
    long = min(long, total)
    return total - long, long


def count_of(value: Any, note: Note, what: str = "token count") -> int:
    """A count as an integer; anything that is none counts as 0, and is noted unless it is just missing."""
    count = whole_number(value)
    if count is not None:
        return count
    if value is not None:
        note(f"{what} that is no whole number")
    return 0


def whole_number(value: Any) -> int | None:
    """A value that can be a count, else None; True and False are none."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def shown_bytes(message: Message) -> int:
    """Bytes of JSON the model is seen to have written in this row: text, thinking and the input of tools."""
    if isinstance(message.content, str):
        return len(message.content.encode())
    total = 0
    for block in message.content or ():
        for part in (block.text, block.thinking, block.input):
            # Without its quotation marks, or braces; 0 where there is none.
            total += max(0, len(part) - 2) if part else 0
    return total
