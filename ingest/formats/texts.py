"""What is kept of the texts that agents write: one short line."""

from __future__ import annotations

import json
from collections.abc import Mapping

SHORT_CHARS = 200
DETAIL_CHARS = 240

_SPEAKING_FIELDS = (
    *("command", "cmd", "script", "description", "prompt", "url", "query", "pattern"),
    *("file_path", "filePath", "absolute_path", "notebook_path", "path", "skill", "name"),
)
"""Fields of a tool's input that tell what it did, the most telling first."""


def first_line(text: str, limit: int) -> str:
    """The first line with something on it, at most `limit` characters."""
    return text.lstrip()[: limit * 4].split("\n", 1)[0].strip()[:limit]


def short(value: object) -> str | None:
    """A text cut to the length of a name; None if it is empty or no text."""
    return value[:SHORT_CHARS] if isinstance(value, str) and value else None


def input_line(given: Mapping[str, object]) -> str | None:
    """The part of a tool's input that tells a reader what it did, cut to one short line; None if there is none."""
    for field in _SPEAKING_FIELDS:
        value = given.get(field)
        if isinstance(value, str) and value:
            return " ".join(value[: DETAIL_CHARS * 4].split())[:DETAIL_CHARS]
    if not given:
        return None
    brief = {key: value[:80] if isinstance(value, str) else value for key, value in list(given.items())[:6]}
    return json.dumps(brief, ensure_ascii=False, default=str)[:DETAIL_CHARS]
