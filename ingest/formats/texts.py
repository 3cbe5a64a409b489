"""What is kept of the texts that agents write: one short line."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..text import MARGIN, begun, kept, one_line

DETAIL_CHARS = 240
_VALUE_CHARS = 80

_SPEAKING_FIELDS = (
    *("command", "cmd", "script", "description", "prompt", "url", "query", "pattern"),
    *("file_path", "filePath", "absolute_path", "notebook_path", "path", "skill", "title", "task_name", "name"),
)
"""Fields of a tool's input that tell what it did, the most telling first."""


def input_line(given: Mapping[str, object]) -> str | None:
    """The part of a tool's input that tells a reader what it did, cut to one short line; None if there is none."""
    for field in _SPEAKING_FIELDS:
        value = given.get(field)
        if isinstance(value, str) and value:
            return one_line(value, DETAIL_CHARS)
    return brief_of(given) if given else None


def brief_of(given: Mapping[str, object]) -> str:
    """The first fields of a tool's input as JSON, in one short line."""
    fields = ", ".join(_field(key, value) for key, value in list(given.items())[:6])
    return kept(f"{{{fields}}}", DETAIL_CHARS)


def _field(key: str, value: object) -> str:
    """One field; of a long text its beginning. The key goes with it: that a value is a password, it alone may tell."""
    if not isinstance(value, str):
        return kept(_json({key: value})[1:-1], DETAIL_CHARS)
    most = len(_json(key)) + 3 + _VALUE_CHARS
    field = begun(_json({key: value[: _VALUE_CHARS + MARGIN]})[1:-1], _VALUE_CHARS + MARGIN, most + 2)
    return field if len(field) <= most + 1 else f'{field[:most]}"'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def text_in(content: object) -> str:
    """The text of a message: a text, or a list of texts and of blocks with a `text`, a line each."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (block.get("text") if isinstance(block, dict) else block for block in content)
    return "\n".join(part for part in parts if isinstance(part, str))
