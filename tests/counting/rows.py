"""Rows of Claude Code transcripts, one short call each, for scenarios that must be read at a glance.

Times are clock times of one day ("10:00", in UTC) or whole ISO times. Every row has a uuid of its own; `again` repeats
a row as a resumed or forked session does.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

DAY = "2026-03-02"
OPUS, HAIKU = "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"

Row = dict[str, Any]
Line = Row | str | bytes
"""A row, or what stands on a line instead of one."""

_numbers = itertools.count(1)


def time(at: str) -> str:
    """An ISO time from a clock time of the usual day; anything longer is taken as it is."""
    return f"{DAY}T{at}:00.000Z" if len(at) == 5 else f"{DAY}T{at}.000Z" if len(at) == 8 else at


def row(kind: str | None, at: str | None = None, session: str | None = "s1", **fields: Any) -> Row:
    """Any row; fields given as None are left out."""
    usual = {
        "type": kind,
        "uuid": f"row-{next(_numbers)}",
        "timestamp": None if at is None else time(at),
        "sessionId": session,
        "cwd": "/w/shop",
        "version": "2.1.114",
    }
    return {name: value for name, value in (usual | fields).items() if value is not None}


def usage(inp: Any = 10, out: Any = 100, read: Any = None, flat: Any = None, **fields: Any) -> Row:
    """`message.usage`; `w5` and `w1h` are the split of the cache writes, `flat` their sum."""
    split = {
        name: fields.pop(short)
        for short, name in (("w5", "ephemeral_5m_input_tokens"), ("w1h", "ephemeral_1h_input_tokens"))
        if short in fields
    }
    tokens = {
        "input_tokens": inp,
        "output_tokens": out,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": flat,
        "cache_creation": split or None,
    }
    return {name: value for name, value in (tokens | fields).items() if value is not None}


def answer(
    key: Any,
    at: str | None = "10:00",
    *blocks: Row,
    inp: Any = 10,
    out: Any = 100,
    model: Any = OPUS,
    stop: str | None = "end_turn",
    request: Any = "req",
    used: Any = None,
    **fields: Any,
) -> Row:
    """One line of a response with this `message.id`. `used` is the whole `usage` instead of `inp` and `out`."""
    message = {
        "id": key,
        "role": "assistant",
        "model": model,
        "content": list(blocks) or [said("ok")],
        "stop_reason": stop,
        "usage": usage(inp, out) if used is None else used,
    }
    return row("assistant", at, message=message, requestId=request, **fields)


def person(text: Any, at: str | None = "09:00", **fields: Any) -> Row:
    """A user row with a text, or with any content."""
    return row("user", at, message={"role": "user", "content": text}, **fields)


def attached(prompt: Any, at: str | None = "09:02", **fields: Any) -> Row:
    """A prompt that was typed while the model worked, as an attachment; `fields` are those of the attachment."""
    queued = {"type": "queued_command", "prompt": prompt, "commandMode": "prompt"} | fields
    return row("attachment", at, attachment={name: value for name, value in queued.items() if value is not None})


def result(call: str, at: str | None = "10:01", text: Any = "done", error: Any = None, **fields: Any) -> Row:
    """What a tool call gave back."""
    block = {"type": "tool_result", "tool_use_id": call, "content": text}
    return person([block if error is None else block | {"is_error": error}], at, **fields)


def said(text: str) -> Row:
    """A block of text."""
    return {"type": "text", "text": text}


def call(key: str, name: str = "Read", **given: Any) -> Row:
    """A tool_use block."""
    return {"type": "tool_use", "id": key, "name": name, "input": given}


def progress(inner: Row, at: str | None = "10:00", **fields: Any) -> Row:
    """A sub-agent's row, embedded in its parent's file."""
    shown = {name: inner[name] for name in ("type", "uuid", "timestamp", "requestId", "message") if name in inner}
    return row("progress", at, data={"type": "agent_progress", "agentId": "a1", "message": shown}, **fields)


def own_total(cost: Any, session: str = "s1", **models: Any) -> Row:
    """What Claude Code says that a session took so far; models as (input, output, cache read, written, USD)."""
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "costUSD")
    used = {
        name.replace("_", "-"): dict(zip(names, counts, strict=False)) if isinstance(counts, tuple) else counts
        for name, counts in models.items()
    }
    fields = {"totalCostUSD": cost, "modelUsage": used, "hasUnknownModelCost": False}
    return row("cost-state", None, session, cwd=None, uuid=None, version=None, **fields)


def again(original: Row, **changes: Any) -> Row:
    """The same row, told again, with some fields changed or (None) left out."""
    return {name: value for name, value in (original | changes).items() if value is not None}


def later(original: Row, at: str | None = None, *blocks: Row, **changes: Any) -> Row:
    """Another line of the same response: same message, another uuid, other blocks, and what else is changed."""
    message = original["message"] | ({"content": list(blocks)} if blocks else {})
    message |= {name: changes.pop(name) for name in ("stop_reason", "usage", "model") if name in changes}
    if "out" in changes:
        message["usage"] = message["usage"] | {"output_tokens": changes.pop("out")}
    moved = {} if at is None else {"timestamp": time(at)}
    return again(original, uuid=f"row-{next(_numbers)}", message=message, **moved, **changes)


def line(item: Line) -> bytes:
    """A line as it stands in the file, without its end."""
    if isinstance(item, bytes):
        return item
    return (item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)).encode()


def content(lines: list[Line] | bytes) -> bytes:
    """A file of lines, or the bytes themselves."""
    return lines if isinstance(lines, bytes) else b"".join(line(item) + b"\n" for item in lines)
