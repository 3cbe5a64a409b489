"""What of a prompt is shown of it, and names its session: the first line that a person would call it by."""

from __future__ import annotations

import re

from ..late import Late
from ..text import MARGIN, kept

_OPENS = r"<(ide_\w+|system[-_]reminder|current_datetime|environment_context|user_instructions)\b[^>]*>"
_BEFORE = Late(rf"\s*{_OPENS}")
_AMIDST = Late(rf"{_OPENS}.*?</\1>", re.DOTALL)
"""Blocks that an agent or an editor writes beside what was typed."""
_MARKS = Late(r"(?:\s*\[(?:Image|Pasted text|Attachment)\b[^\]\n]*\])+\s*")
"""What an agent puts in the place of an image or of a long text."""
_TAG_ALONE = Late(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>")
_HEADING = Late(r"#{1,6}\s+")
_LABEL = Late(
    # Names of fields, as frameworks for prompts write them; and what OpenClaw tells a session that it started.
    r"\[\[ *#* *[\w-]+ *#* *\]\]|<<<[^<>]*>>>|\[Subagent (?:Context|Task)\].*|"
    # Of code and of rules, the mark; of an id, that it is one.
    r"(?:```|~~~)\w*|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}",
    re.IGNORECASE,
)
"""Lines that say nothing of what was asked."""


def typed_line(text: str, limit: int) -> str:
    """The first line that says what was asked, at most `limit` characters; "" if there are only marks and tags.

    Left out are what agents and editors add (reminders, places in files, marks of images), tags, labels and rules that
    stand alone. A line without any letter or digit, "?", is taken where there is no other.
    """
    begins, other = _after_blocks(text), ""
    for line in _AMIDST.sub("", kept(text[begins : begins + limit * 4 + MARGIN], limit * 4)).splitlines():
        marks = _MARKS.match(line)
        shown = (line[marks.end() :] if marks else line).strip()
        if not shown or _TAG_ALONE.fullmatch(shown):
            continue
        if any(char.isalnum() for char in shown) and not _LABEL.fullmatch(shown):
            return shown[_heading_end(shown) :][:limit]
        other = other or shown
    return other[:limit]


def _after_blocks(text: str) -> int:
    """Where what was typed begins; a block that was cut off reaches to the end."""
    begins = 0
    while found := _BEFORE.match(text, begins):
        closes = f"</{found[1]}>"
        ends = text.find(closes, found.end())
        begins = len(text) if ends < 0 else ends + len(closes)
    return begins


def _heading_end(line: str) -> int:
    found = _HEADING.match(line)
    return found.end() if found else 0
