"""What Claude Code says of a plan's limit: an error of the API tells that it was hit, and until when."""

from __future__ import annotations

import datetime as dt
import re

from ...late import Late

_SAID = Late(r"limit reached|hit your ([a-z0-9-]+ )?limit", re.IGNORECASE)
"""What all the wordings have in common; the rest differs from version to version."""

_EPOCH = Late(r"\|\s*(\d{9,11})\b")
"""Up to version 1.0: "Claude AI usage limit reached|1750708800", in seconds, UTC."""

_CLOCK = Late(
    r"resets?\b(?: at)?\s+(?:(?P<month>[a-z]{3})[a-z]*\.? (?P<day>\d{1,2})(?:,| at)* +)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[ap])m(?: \((?P<zone>[\w+/-]+)\))?",
    re.IGNORECASE,
)
"""Later: "resets 3pm", "will reset at 10am (America/Lima)", "resets May 5 at 9pm (America/New_York)"."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_limit(text: str) -> bool:
    """Whether an error says that a limit was hit."""
    return _SAID.search(text) is not None


def resets_in(text: str) -> str | None:
    """Until when an error says that a limit lasts, as `Notice.resets`; None if it does not say."""
    epoch = _EPOCH.search(text)
    if epoch:
        return f"{dt.datetime.fromtimestamp(int(epoch[1]), dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    clock = _CLOCK.search(text)
    if clock is None or not 1 <= int(clock["hour"]) <= 12:
        return None
    day = ""
    if clock["day"]:
        name = clock["month"].lower()
        if name not in _MONTHS:
            return None
        day = f"{_MONTHS.index(name) + 1:02}-{int(clock['day']):02} "
    hour = int(clock["hour"]) % 12 + (12 if clock["half"] in "pP" else 0)
    zone = f" {clock['zone']}" if clock["zone"] else ""
    return f"{day}{hour:02}:{int(clock['minute'] or 0):02}{zone}"
