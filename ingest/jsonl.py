"""Lines of JSON, as they are found in the wild.

A line is normally one object. Real files also hold two objects on a line (a newline was lost), bytes that are not
UTF-8, NUL bytes, halves of surrogate pairs, fields of the wrong type and lines that are no JSON at all. A fault never
costs more than its line, and a wrong field never more than that field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from .shapes import KnownNames, Shapes, Tally, fields_of, item_of, new_fields, options_of

MAX_LINE = 64 * 1024 * 1024
"""Bytes; a longer line is rejected, never held in memory."""

BROKEN = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What the quick decoder raises where something is not quite JSON, of another shape, or not quite UTF-8."""

_TOO_DEEP = "nested too deeply"

T = TypeVar("T", bound=msgspec.Struct)
S = TypeVar("S")

Note = Callable[[str], None]
"""Told of every field that the shape does not know, or that holds something else than the shape says."""


class Unusable(ValueError):
    """Part of a line that is no JSON object; the message is the reason."""


class Found(NamedTuple, Generic[T]):
    """One object, or what stands in the place of one."""

    row: T | Unusable
    offset: int
    """Where it begins, in bytes from the start of the line."""
    data: bytes
    """What it was read from, maybe with space around it."""


class LineReader(Generic[T]):
    """Yields the objects on a line as `shape`, and an `Unusable` where the line goes wrong."""

    def __init__(self, shape: type[T], known: KnownNames, usual: KnownNames | None = None) -> None:
        self._shape = shape
        self._known = known
        self._decode = msgspec.json.Decoder(shape).decode
        self._shapes = Shapes(shape, known, usual)

    def __call__(self, line: bytes) -> Iterator[T | Unusable]:
        """The objects on a line, which may end in a newline."""
        row = self.plain(line, {})
        if row is not None:
            yield row
        else:
            yield from (found.row for found in self.find(line))

    def plain(self, line: bytes, tally: Tally) -> T | None:
        """The object of a line that is nothing but one, with nothing new in it; None of any other: `find` it there.

        What is no longer new, but still without a meaning, is added to the tally; see `told`.
        """
        if not line.startswith(b"{"):
            return None
        try:
            return self._shapes.decode(line, tally)
        except BROKEN:
            return None

    def told(self, tally: Tally) -> Iterator[tuple[str, int]]:
        """What is in a tally, in the words of a `Note`, and how often it was met."""
        return ((f"field {path}", count) for path, count in self._shapes.told(tally))

    def each(self, line: bytes) -> Iterator[Found[T]]:
        """The objects on a line and where they stand; nearly every line is nothing but one."""
        row = self.plain(line, {})
        if row is not None:
            yield Found(row, 0, line)
        else:
            yield from self.find(line)

    def find(self, line: bytes, note: Note = lambda _: None) -> Iterator[Found[T]]:
        """The objects on a line that is not `plain`, and where they stand."""
        if self._known:
            try:
                row = self._decode(line)
                new = list(new_fields(msgspec.Raw(line.strip()), self._shape, self._known))
            except BROKEN:
                pass
            else:
                for path, field in new:
                    note(f"field {path}{field.name}")
                self._shapes.learn(field for _, field in new)
                yield Found(row, _indent(line), line)
                return
        for value, offset, data in values_on(line):
            try:
                fitted = value if isinstance(value, Unusable) else _converted(value, self._shape, self._known, "", note)
            except RecursionError:
                fitted = Unusable(_TOO_DEEP)
            yield Found(fitted, offset, data)


def _indent(line: bytes) -> int:
    return 0 if line.startswith(b"{") else len(line) - len(line.lstrip())


def reader_of(shape: type[T], known: KnownNames | None = None, usual: KnownNames | None = None) -> LineReader[T]:
    """A reader of lines that should hold objects of a shape. With `known` it can tell which fields are new.

    `usual`: as for `Shapes`.
    """
    return LineReader(shape, known or {}, usual)


# -- JSON that is not quite JSON ---------------------------------------------------------------------------------

_EDGES = " \t\r\n\0\ufeff"
_SKIP = re.compile(f"[{_EDGES}]*").match
_NOT_UTF_8 = re.compile("[\udc80-\udcff]").search
_SURROGATES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_MANY_DIGITS = 40


def values_on(line: bytes) -> Iterator[tuple[dict[str, Any] | Unusable, int, bytes]]:
    """The objects on a line, as far as they can be made out, with their offset and their bytes.

    Nothing that UTF-8 cannot hold is in them. After an `Unusable` the rest of the line may be given up.
    """
    # A byte that is not UTF-8 is one character here, so that places in the text can be told as places in the line.
    text = _without_half_surrogates(line.decode("utf-8", "surrogateescape"))
    start = _after_edges(text, 0)
    if start == len(text) and not line.isspace():
        yield Unusable("not JSON: nothing but NUL bytes or byte order marks"), 0, line
    offset = len(_bytes_of(text[:start]))
    while start < len(text):
        value, end = _value_at(text, start)
        data = _bytes_of(text[start:end])
        yield value, offset, data
        following = _after_edges(text, end)
        offset += len(data) + len(_bytes_of(text[end:following]))
        start = following


def _value_at(text: str, start: int) -> tuple[dict[str, Any] | Unusable, int]:
    """The value that begins at a place and where it ends: at the end of the text if it is none."""
    try:
        value, end = _LENIENT.raw_decode(text, start)
        if _NOT_UTF_8(text, start, end):
            value = _LENIENT.decode(_bytes_of(text[start:end]).decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        return Unusable(f"not JSON: {error.msg}"), len(text)
    except RecursionError:
        return Unusable(_TOO_DEEP), len(text)
    return (value if isinstance(value, dict) else Unusable("not a JSON object")), end


def _after_edges(text: str, start: int) -> int:
    found = _SKIP(text, start)
    return found.end() if found else start


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def value_in(raw: msgspec.Raw) -> Any:
    """The value of a field that was kept unread; None where there is none, or it cannot be read."""
    if not raw:
        return None
    try:
        return _any(raw)
    except BROKEN:
        pass
    try:
        return _LENIENT.decode(_without_half_surrogates(bytes(raw).decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return None


def inner_of(decode: Callable[[Any], S], kind: Any, raw: msgspec.Raw | bytes) -> S | None:
    """A field that was kept unread, as `decode` reads it, which decodes a `kind`.

    What does not fit costs no more than itself, as on a line; None where nothing fits.
    """
    try:
        return decode(raw)
    except BROKEN:
        pass
    fitted = _fit(value_in(msgspec.Raw(raw)), kind, {}, "", lambda _: None)
    return None if fitted is _MISFIT else fitted


def is_whole(line: bytes) -> bool:
    """Whether a last line without a newline is complete: no part of an object is an object."""
    return line.rstrip().endswith(b"}") and not any(isinstance(value, Unusable) for value, _, _ in values_on(line))


def _without_half_surrogates(text: str) -> str:
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _SURROGATES.sub(lambda found: "\\ufffd" if found[1] else found[0], text)


def _integer(digits: str) -> int | float:
    # Python refuses to read integers of thousands of digits; nobody here has a use for them.
    return int(digits) if len(digits) < _MANY_DIGITS else float(digits)


_any = msgspec.json.Decoder().decode
_LENIENT = json.JSONDecoder(strict=False, parse_int=_integer)


# -- objects that do not quite fit a shape -----------------------------------------------------------------------


def _converted(value: Mapping[str, Any], shape: type[T], known: KnownNames, path: str, note: Note) -> T:
    """`value` as `shape`; fields that do not fit keep the default of the shape."""
    fields = fields_of(shape)
    fitting = {}
    for key, given in value.items():
        if key in fields:
            name, kind = fields[key]
            fitted = _fit(given, kind, known, f"{path}{key}", note)
            if fitted is not _MISFIT:
                fitting[name] = fitted
            elif given is not None:
                note(f"field {path}{key} of another kind")
        elif shape in known and key not in known[shape]:
            note(f"field {path}{key}")
    return shape(**fitting)


_MISFIT = object()


def _fit(value: Any, kind: Any, known: KnownNames, path: str, note: Note) -> Any:
    for option in options_of(kind):
        if option is msgspec.Raw:
            return msgspec.Raw(json.dumps(value).encode())
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, msgspec.Struct):
            return _converted(value, option, known, f"{path}.", note)
        item = item_of(option)
        if isinstance(value, list) and item is not None:
            return [_converted(entry, item, known, f"{path}[].", note) for entry in value if isinstance(entry, dict)]
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return _MISFIT
