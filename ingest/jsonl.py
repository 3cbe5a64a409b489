"""Lines of JSON, as they are found in the wild.

A line is normally one object. Real files also hold two objects on a line (a newline was lost), bytes that are not
UTF-8, fields of the wrong type and lines that are no JSON at all. A fault never costs more than its line, and a wrong
field never more than that field.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

MAX_LINE = 64 * 1024 * 1024
"""Bytes; a longer line is rejected, never held in memory."""

T = TypeVar("T", bound=msgspec.Struct)


class Unusable(ValueError):
    """Part of a line that is no JSON object; the message is the reason."""


def reader_of(shape: type[T]) -> Callable[[bytes], Iterator[T | Unusable]]:
    """A function that yields the objects on a line as `shape`, and an `Unusable` where the line goes wrong."""
    decode = msgspec.json.Decoder(shape).decode

    def read(line: bytes) -> Iterator[T | Unusable]:
        try:
            yield decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            yield from _read_leniently(line, shape)

    return read


def _read_leniently(line: bytes, shape: type[T]) -> Iterator[T | Unusable]:
    decoder = json.JSONDecoder()
    text = line.decode("utf-8", "replace").strip()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:
            yield Unusable(f"not JSON: {error}" if isinstance(error, ValueError) else "nested too deeply")
            return
        yield converted(value, shape) if isinstance(value, dict) else Unusable("not a JSON object")
        text = text[end:].lstrip()


def converted(value: dict[str, Any], shape: type[T]) -> T:
    """`value` as `shape`; fields that do not fit keep the default of the shape."""
    fields = {}
    for name, key, kind in _fields_of(shape):
        if key in value:
            fitted = _fit(value[key], kind)
            if fitted is not _MISFIT:
                fields[name] = fitted
    return shape(**fields)


_MISFIT = object()


def _fit(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        pass
    for option in _options(kind):
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, msgspec.Struct):
            return converted(value, option)
        item = _item_of(option)
        if isinstance(value, list) and item is not None:
            return [converted(entry, item) for entry in value if isinstance(entry, dict)]
        if option is msgspec.Raw:
            return msgspec.Raw(json.dumps(value).encode())
    return _MISFIT


@functools.cache
def _fields_of(shape: type[msgspec.Struct]) -> list[tuple[str, str, Any]]:
    return [(field.name, field.encode_name, field.type) for field in msgspec.structs.fields(shape)]


def _options(kind: Any) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = getattr(kind, "__args__", ())
    return (kind,) if getattr(kind, "__origin__", None) is list else (*arguments, kind)


def _item_of(kind: Any) -> type[msgspec.Struct] | None:
    if getattr(kind, "__origin__", None) is not list:
        return None
    item = kind.__args__[0]
    return item if isinstance(item, type) and issubclass(item, msgspec.Struct) else None
