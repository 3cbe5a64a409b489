"""Text and numbers as people read them.

Everything a screen shows that came from a transcript passes `clean`, `block` or `cell`: titles, paths and
error texts may hold escape sequences, markup and characters that reorder or hide the text around them.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from .escape_codes import ESCAPE_CODES
from .project_names import name_of

# Commands speak no markup, and it takes as long to import as their answer.
if TYPE_CHECKING:
    from rich.text import Text

Number = int | float | Decimal

NONE = "–"
MINUS = "−"
MAX_CELLS = 8192
"""The widest line `clean` returns when the caller names no width, in cells."""

_MAX_CELL = 512
"""The widest table cell, in cells: no terminal shows more."""
_NEAR = timedelta(days=30)
"""How far away a day of another year is told with its clock and without a year: nobody takes it for another."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Blank or zero-width although Unicode files them under letters and marks: Hangul and Khmer fillers, the
# grapheme joiner, variation selectors (they change the width of the character before them).
_INVISIBLE = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}).union(
    range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)
)
# Two of these are a flag, or two letters of one or two cells each: terminals do not agree, so plain letters it is.
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
# Part of the emoji before it, or two cells more.
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_MAX_MARKS = 2
"""Combining marks kept on one character; stacks of them spill over the rows around."""


class _Sieve:
    """A `str.translate` table: line breaks become spaces; controls, formats and lone surrogates go."""

    @staticmethod
    @functools.lru_cache(maxsize=4096)
    def _lookup(code: int) -> int | None:
        char = chr(code)
        if char.isspace():
            return 0x20
        if code in _FLAG_LETTERS:
            return code - _FLAG_LETTERS.start + ord("A")
        if code in _INVISIBLE or code in _SKIN_TONES or unicodedata.category(char) in ("Cc", "Cf", "Cs"):
            return None
        return code

    def __getitem__(self, code: int) -> int | None:
        return self._lookup(code)


_SIEVE = _Sieve()


def _head(value: object, limit: int) -> tuple[str, bool]:
    """The first `limit` characters of the value's text, and whether there was more."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value[:limit]).decode("utf-8", "replace"), len(value) > limit
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text[:limit], len(text) > limit


def _fit(text: str, width: int, more: bool) -> str:
    """Cut to `width` display cells, with an ellipsis where something is missing."""
    if text.isascii():
        if len(text) <= width and not more:
            return text
        return text[: max(0, width - 1)].rstrip() + "…" if width > 0 else ""
    kept: list[str] = []
    cells = marks = room = 0  # `room`: how many characters fit when the last cell is an ellipsis
    for char in text:
        size = _cell_size(char)
        marks = marks + 1 if size == 0 else 0
        if marks > _MAX_MARKS or (size == 0 and not kept):
            continue
        if cells + size > width:
            more = True
            break
        cells += size
        kept.append(char)
        if cells < width:
            room = len(kept)
    if not more:
        return "".join(kept)
    return "".join(kept[:room]).rstrip() + "…" if width > 0 else ""


def clean(value: object, width: int | None = None) -> str:
    """The value as one harmless line of at most `width` display cells (default `MAX_CELLS`), cut with "…".

    Escape sequences, control and format characters (bidirectional overrides, zero-width), NULs and lone
    surrogates are dropped; line breaks and runs of space become one space. None is "". Costs no more than the
    width asks for, however long the value.
    """
    width = MAX_CELLS if width is None else max(0, width)
    text, more = _head(value, 4 * width + 1024)
    if not (text.isascii() and text.isprintable()):
        text = ESCAPE_CODES.sub("", text).translate(_SIEVE)
    return _fit(" ".join(text.split()), width, more)


def block(value: object, max_lines: int = 200, width: int | None = None) -> str:
    """The value as at most `max_lines` harmless lines; tabs become four spaces, indentation stays.

    Lines are cut to `width` cells like in `clean`; a last line "…" tells that lines are missing.
    """
    width = MAX_CELLS if width is None else max(0, width)
    text, more = _head(value, max_lines * min(4 * width, 512) + 1024)
    text = ESCAPE_CODES.sub("", text.replace("\t", "    "))
    lines = [_fit(line.translate(_SIEVE).rstrip(), width, False) for line in re.split(r"\r\n|[\n\r]", text)]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > max_lines or more:
        lines = [*lines[:max_lines], "…"]
    return "\n".join(lines)


@functools.cache
def _cells_of() -> Callable[[str], int]:
    # What asks and tells JSON only needs no library of the screen.
    from rich.cells import get_character_cell_size

    return get_character_cell_size


def _cell_size(char: str) -> int:
    return _cells_of()(char)


def cell(value: object, *, style: str = "", justify: Literal["left", "center", "right"] = "left") -> Text:
    """The value as one line of plain text for a table or label, never parsed as markup. None is "–"."""
    from rich.text import Text

    text = NONE if value is None else clean(value, _MAX_CELL)
    return Text(text, style=style, justify=justify, no_wrap=True, overflow="ellipsis", end="")


def _finite(n: Number | None) -> float | None:
    """The number as a finite float, else None."""
    if n is None:
        return None
    try:
        x = float(n)
    except OverflowError:
        return None
    return x if math.isfinite(x) else None


_Steps = tuple[tuple[float, float, int, str], ...]
"""(from, size of the unit, digits, unit), ascending: which unit a value is told in."""

_COUNT: _Steps = (
    (0, 1, 0, ""),
    (1e3, 1e3, 1, "k"),
    (1e4, 1e3, 0, "k"),
    (1e6, 1e6, 1, "M"),
    (1e9, 1e9, 1, "B"),
    (1e12, 1e12, 1, "T"),
)
_USD: _Steps = ((0, 1, 2, ""), (1e4, 1e3, 1, "k"), (1e6, 1e6, 1, "M"), (1e9, 1e9, 1, "B"))
_MILLIS: _Steps = ((0, 1, 0, " ms"), (1e3, 1e3, 1, " s"), (1e4, 1e3, 0, " s"), (6e4, 1e3, 0, " s"))
_EXACT_BELOW = 600
"""Seconds of a length of time up to which those beyond the minute are worth telling."""
_SIZE: _Steps = (
    (0, 1, 0, " B"),
    (1e3, 1e3, 1, " kB"),
    (1e4, 1e3, 0, " kB"),
    (1e6, 1e6, 1, " MB"),
    (1e7, 1e6, 0, " MB"),
    (1e9, 1e9, 1, " GB"),
    (1e10, 1e9, 0, " GB"),
    (1e12, 1e12, 1, " TB"),
)


def _scaled(x: float, steps: _Steps) -> str:
    """`x` >= 0 in the first unit in which its ROUNDED value stays below the next step: never "1000k"."""
    for (_, size, digits, unit), (limit, *_rest) in itertools.pairwise(steps):
        if round(x / size, digits) * size < limit:
            return f"{x / size:,.{digits}f}{unit}"
    _, size, digits, unit = steps[-1]
    return f"{x / size:,.{digits}f}{unit}"


def _signed(x: float, text: str) -> str:
    return MINUS + text if x < 0 else text


def rows(n: int) -> str:
    """How many rows there are, exactly: "1 row", "1,204 rows"."""
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def count(n: Number | None) -> str:
    """A number of things: "941", "1.2k", "14k", "18.4M", "1.2B"; None and non-finite numbers are "–"."""
    x = _finite(n)
    return NONE if x is None else _signed(round(x), _scaled(abs(x), _COUNT))


def plural(number: Number | None, thing: str) -> str:
    """ "1 prompt", "12 prompts"; large counts are shortened."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def usd(x: Number | None) -> str:
    """US dollars: "$1,234.56"; "$12.3k" from ten thousand on; "<$0.01" for a tiny sum; None is "–"."""
    value = _finite(x)
    if value is None:
        return NONE
    if 0 < abs(value) < 0.01:
        return "<$0.01" if value > 0 else f"{MINUS}<$0.01"
    return _signed(value, "$" + _scaled(abs(value), _USD))


def duration(seconds: Number | None) -> str:
    """A length of time in its two largest units: "14 s", "42m", "1h 12m", "3d 4h"; seconds are rounded."""
    value = _finite(seconds)
    if value is None:
        return NONE
    whole = round(max(0.0, value))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes}m"
    large, small = (f"{hours}h", f"{minutes % 60}m") if days < 1 else (f"{days}d", f"{hours % 24}h")
    return large if small[:-1] == "0" else f"{large} {small}"


def millis(ms: Number | None) -> str:
    """A length of time in milliseconds: "123 ms", "1.2 s", "12 s", "1m 12s", and from ten minutes on as `duration`."""
    x = _finite(ms)
    if x is None:
        return NONE
    if 0 < x < 0.5:
        return "<1 ms"
    whole = round(max(0.0, x) / 1000)
    if whole < 60:
        return _scaled(max(0.0, x), _MILLIS)
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m {rest}s" if whole < _EXACT_BELOW and rest else duration(whole)


def size(n: Number | None) -> str:
    """A number of bytes in decimal units: "512 B", "1.2 kB", "88 MB"."""
    x = _finite(n)
    return NONE if x is None else _signed(x, _scaled(abs(x), _SIZE))


def percent(ratio: Number | None, digits: int = 1) -> str:
    """A share of one: "91.3 %". What is not quite nothing or all is told so: "<0.1 %", ">99.9 %"."""
    x = _finite(ratio)
    if x is None:
        return NONE
    least = 10.0**-digits
    shown = round(abs(x) * 100, digits)
    if x > 0 and shown == 0:
        return f"<{least:.{digits}f} %"
    if x < 1 and shown == 100:
        return f">{100 - least:.{digits}f} %"
    return _signed(-shown if x < 0 else shown, f"{shown:.{digits}f} %")


def change(now: Number | None, before: Number | None) -> str:
    """How much more than before: "+12 %", "−4 %", "±0 %"; "" when there is nothing to compare with."""
    new, old = _finite(now), _finite(before)
    if new is None or old is None or old <= 0:
        return ""
    step = round((new - old) / old * 100)
    return f"{'+' if step > 0 else MINUS if step < 0 else '±'}{abs(step):,} %"


def _aware(moment: datetime) -> datetime:
    """A moment without a zone is UTC, as in the store."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def local(moment: datetime, tz: tzinfo) -> datetime:
    """The moment in a zone; unchanged within a day of the years 1 and 9999, where the zone may have none."""
    try:
        return _aware(moment).astimezone(tz)
    except OverflowError:
        return _aware(moment)


def relative(dt: datetime | None, now: datetime) -> str:
    """How long ago: "12 s ago", "3m ago", "2h ago", "4d ago"; None is "never"; "now" if not past."""
    if dt is None:
        return "never"
    seconds = int((_aware(now) - _aware(dt)).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), (" s", 1)):
        if seconds >= length:
            return f"{seconds // length:,}{unit} ago"
    return "now"


def relative_until(dt: datetime, now: datetime) -> float:
    """Until when `relative` says the same of a moment, in seconds since 1970."""
    gone = max(0, int((_aware(now) - _aware(dt)).total_seconds()))
    length = next((length for length in (86400, 3600, 60) if gone >= length), 1)
    return _aware(dt).timestamp() + (gone // length + 1) * length


def when(dt: datetime | None, now: datetime, tz: tzinfo) -> str:
    """On the clock of `tz`: "14:02" today, "yesterday 19:20", "Nov 18 09:15" this year, "Nov 18 2025" else.

    What is less than 30 days away needs no year. Within a day it stays the same.
    """
    if dt is None:
        return NONE
    here, today = local(dt, tz), local(now, tz)
    clock = f"{here:%H:%M}"
    if here.date() == today.date():
        return clock
    if here.date() == today.date() - timedelta(days=1):
        return f"yesterday {clock}"
    return moment(here, today)


def moment(here: datetime, today: datetime) -> str:
    """A moment, both on one clock: "Nov 18 09:15" this year, or less than 30 days away; else "Nov 18 2025"."""
    dated = here.year != today.year and abs(today.date() - here.date()) >= _NEAR
    return _day(here, dated=True) if dated else f"{_day(here, dated=False)} {here:%H:%M}"


def day(date_: date, today: date) -> str:
    """A calendar day: "Nov 18" of this year, "Nov 18 2025" of another."""
    return _day(date_, dated=date_.year != today.year)


def _day(date_: date, *, dated: bool) -> str:
    told = f"{_MONTHS[date_.month - 1]} {date_.day:02d}"
    return f"{told} {date_.year:04d}" if dated else told


def month(date_: date) -> str:
    """A calendar month: "Nov 2025"."""
    return f"{_MONTHS[date_.month - 1]} {date_.year:04d}"


def axis(moments: Sequence[date], step: str, today: date | None = None) -> list[str]:
    """A short name for each hour, day, week or month of an axis, no two alike, in one form.

    All say their year unless all are of this one; without `today`, all do. `step` is "hour", "day", "week" or "month".
    """
    if step == "month":
        return [month(moment) for moment in moments]
    dated = today is None or any(moment.year != today.year for moment in moments)
    clock = " %H:%M" if step == "hour" else ""
    return [_day(moment, dated=dated) + (f"{moment:{clock}}" if clock else "") for moment in moments]


# claude-opus-4-6-20260101 and claude-3-5-haiku-20241022, as sold by the maker or, with affixes, by a cloud
_MODEL = re.compile(
    r"(?:[a-z0-9-]+[./])*claude-"
    r"(?:(?P<old>\d(?:[-.]\d)?)-(?P<family>[a-z]+)|(?P<family2>[a-z]+)-(?P<new>\d{1,2}(?:[-.]\d{1,2})?))"
    r"(?:[-@](?:20\d{6}|latest))?(?:-v\d+(?::\d+)?)?(?P<rest>\[\w+\])?"
)


def model(name: str | None) -> str:
    """A model's short name: "claude-opus-4-6-20260101": "opus-4.6"; others as they are; None: "(unknown)"."""
    if not name:
        return "(unknown)"
    match = _MODEL.fullmatch(name[:200])
    if match is None:
        return clean(name)
    version = match["old"] or match["new"]
    return f"{match['family'] or match['family2']}-{version.replace('-', '.')}{match['rest'] or ''}"


def priced(name: str, speed: str, service_tier: str) -> str:
    """The name of a model's row among those that are priced apart: "opus-5 fast", "opus-5 batch", "opus-5"."""
    return " ".join([name, *(kind for kind in (speed, service_tier) if kind != "standard")])


def project(path: str | None) -> str:
    """A project's name: as many last parts of its path as tell it from others, one if it is unknown; None is "–"."""
    if not path:
        return NONE
    name = name_of(path)
    if name is not None:
        return clean(name)
    parts = [part for part in re.split(r"[/\\]", path) if part]
    return clean(parts[-1] if parts else path) or NONE


def session(
    title: str | None, session_id: str | None, path: str | None = None, *, tools: int = 0, answers: int = 0
) -> str:
    """A session's title; of one that nobody gave a word, what is known of it, and never a bare id.

    `path` is its project, `tools` and `answers` are how many calls and responses it has.
    """
    if title or not session_id:
        return clean(title or "without a session")
    did = plural(tools, "tool") if tools else plural(answers, "answer") if answers else ""
    told = " in ".join(part for part in (did, project(path) if path else "") if part)
    return f"(no prompt) {told}{', ' if told else ''}{clean(session_id)[:8]}"
