"""Reading JSON objects into shapes, and noticing on the way which of their fields nobody knows.

A decoder that refuses unknown fields tells of them at no cost, as long as there are none. Where there are, the fields
are looked up one by one, which costs ten times as much; so a name that is new is learnt: from then on the decoder knows
it, and it is only counted. Transcripts of a new version are thus read as fast as those of the last one.
"""

from __future__ import annotations

import functools
import operator
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

KnownNames = Mapping[type[msgspec.Struct], Sequence[str]]
"""Shapes whose fields are checked -> names that are known, whether or not the shape has a use for them.

They are given in the order in which they usually stand in an object: what comes in that order is found soonest.
"""

Tally = dict[tuple[str, tuple[bool, ...]], int]
"""How often which of the learnt names were met: the path to an object, a mark for each name -> objects like that."""

MOST_LEARNT = 400
"""Names; a file that has more of them makes them up, and stays slow."""

_PATIENCE = 24
"""Objects that are looked through field by field before another decoder is built, which costs about as much."""

_ABSENT = msgspec.Raw()

_CAN_BE_LEARNT = re.compile(r"[^\\\"\x00-\x1f]+").fullmatch
"""What msgspec takes for the name of a field."""


class Field(NamedTuple):
    """A field that a shape does not know."""

    shape: type[msgspec.Struct]
    name: str
    before: str | None
    """The name of the field before it in the object."""


class _Watch(NamedTuple):
    """How to see which learnt names an object of one shape has, and where objects of other shapes are in it."""

    path: str
    marks: Callable[[Any], tuple[bool, ...]] | None
    inner: tuple[tuple[str, _Watch], ...]


class Shapes(Generic[T]):
    """Decodes objects of a shape, with what it holds. `known` may be empty: then nothing is checked."""

    def __init__(self, shape: type[T], known: KnownNames) -> None:
        self._shape = shape
        self._orders = {one: list(dict.fromkeys((*names, *fields_of(one)))) for one, names in known.items()}
        self._learnt: dict[type[msgspec.Struct], list[str]] = {}
        self._paths: dict[str, type[msgspec.Struct]] = {}
        self._waiting: dict[Field, None] = {}
        self._slow = 0
        self._build()

    @property
    def checks(self) -> bool:
        """Whether there are shapes whose fields are checked."""
        return bool(self._orders)

    def decode(self, data: bytes, tally: Tally) -> T:
        """The object, with what it has of the learnt names added to the tally.

        Raises msgspec.DecodeError, also where there is a field that is neither known nor learnt.
        """
        decode, watch = self._live
        row: T = decode(data)
        if watch is not None:
            _look(row, watch, tally)
        return row

    def learn(self, fields: Iterable[Field]) -> None:
        """Know some fields from now on, or soon: several that come close to each other are learnt together."""
        self._slow += 1
        if self._room() > 0:
            self._waiting.update(dict.fromkeys(field for field in fields if _CAN_BE_LEARNT(field.name)))
            if self._slow % _PATIENCE == 0 and self._waiting:
                self._learn_waiting()

    def told(self, tally: Tally) -> Iterator[tuple[str, int]]:
        """Path and name of what is in a tally, and how often it was met."""
        for (path, marks), count in tally.items():
            for name, is_there in zip(self._learnt[self._paths[path]], marks, strict=False):
                if is_there:
                    yield f"{path}{name}", count

    def _learn_waiting(self) -> None:
        for field in self._waiting:
            order, learnt = self._orders[field.shape], self._learnt.setdefault(field.shape, [])
            if field.name not in order and self._room() > 0:
                learnt.append(field.name)
                order.insert(order.index(field.before) + 1 if field.before in order else len(order), field.name)
        self._waiting.clear()
        self._build()

    def _room(self) -> int:
        return MOST_LEARNT - sum(map(len, self._learnt.values()))

    # -- the decoder ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._attributes: dict[type[msgspec.Struct], dict[str, str]] = {}
        closed = self._closed(self._shape) if self._orders else self._shape
        decode: Callable[[bytes], Any] = msgspec.json.Decoder(closed).decode
        self._live = decode, self._watch(self._shape, "") if self._learnt else None

    def _closed(self, shape: type[msgspec.Struct]) -> type[msgspec.Struct]:
        """The shape, refusing fields that are not known, in itself and in what it holds.

        Known fields of no use are passed over unread.
        """
        own = {field.encode_name: field for field in msgspec.structs.fields(shape)}
        names: dict[str, str] = {}
        fields: list[tuple[str, Any, Any]] = []
        for name in self._orders.get(shape, own):
            if name in own:
                field = own[name]
                names[field.name] = name
                fields.append((field.name, self._closed_kind(field.type), field.default))
            else:
                # A name of its own, so that it hides nothing of the shape, whatever it is.
                attribute = f"_known_{len(names)}"
                names[attribute] = name
                fields.append((attribute, msgspec.Raw, _ABSENT))
        self._attributes[shape] = {encoded: attribute for attribute, encoded in names.items()}
        return msgspec.defstruct(
            f"Closed{shape.__name__}", fields, rename=names, forbid_unknown_fields=shape in self._orders, gc=False
        )

    def _closed_kind(self, kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._closed(kind)
        item = item_of(kind)
        if item is not None:
            return list[self._closed(item)]  # type: ignore[misc]
        options = typing.get_args(kind)
        return functools.reduce(operator.or_, map(self._closed_kind, options)) if options else kind

    def _watch(self, shape: type[msgspec.Struct], path: str) -> _Watch | None:
        """How to look through objects of a shape; None where there is nothing to look for."""
        inner = []
        for name, (attribute, kind) in fields_of(shape).items():
            for option in options_of(kind):
                item = item_of(option)
                if item is not None:
                    watch = self._watch(item, f"{path}{name}[].")
                elif isinstance(option, type) and issubclass(option, msgspec.Struct):
                    watch = self._watch(option, f"{path}{name}.")
                else:
                    continue
                if watch is not None:
                    inner.append((attribute, watch))
        learnt = self._learnt.get(shape)
        if not learnt and not inner:
            return None
        self._paths[path] = shape
        attributes = [self._attributes[shape][name] for name in learnt or ()]
        return _Watch(path, _marker(attributes) if attributes else None, tuple(inner))


def _marker(attributes: Sequence[str]) -> Callable[[Any], tuple[bool, ...]]:
    # The second of the attributes is always there: `attrgetter` of one alone gives no tuple.
    get = operator.attrgetter(*attributes, attributes[0])
    absent = (_ABSENT,) * len(attributes)
    return lambda row: tuple(map(operator.is_not, get(row), absent))


def _look(row: Any, watch: _Watch, tally: Tally) -> None:
    """Add to the tally what an object, and those in it, have of the learnt names."""
    path, marks, inner = watch
    if marks is not None:
        seen = path, marks(row)
        tally[seen] = tally.get(seen, 0) + 1
    for attribute, deeper in inner:
        value = getattr(row, attribute)
        if value.__class__ is list:
            for entry in value:
                _look(entry, deeper, tally)
        elif isinstance(value, msgspec.Struct):
            _look(value, deeper, tally)


# -- what a shape consists of ------------------------------------------------------------------------------------


@functools.cache
def fields_of(shape: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """Names in JSON -> the attribute and its type."""
    return {field.encode_name: (field.name, field.type) for field in msgspec.structs.fields(shape)}


def options_of(kind: Any) -> tuple[Any, ...]:
    """The types that a field may have, itself among them."""
    return (kind,) if typing.get_origin(kind) is list else (*typing.get_args(kind), kind)


def item_of(kind: Any) -> type[msgspec.Struct] | None:
    """The shape of the entries of a list; None of any other type."""
    if typing.get_origin(kind) is not list:
        return None
    item = typing.get_args(kind)[0]
    return item if isinstance(item, type) and issubclass(item, msgspec.Struct) else None


def new_fields(raw: msgspec.Raw, shape: type[msgspec.Struct], known: KnownNames) -> Iterator[tuple[str, Field]]:
    """The fields of an object that fits its shape which are not known, each with the path to the object it is in."""
    yield from _new_fields(raw, shape, {one: frozenset(names) for one, names in known.items()}, "")


def _new_fields(
    raw: msgspec.Raw, shape: type[msgspec.Struct], known: Mapping[type[msgspec.Struct], frozenset[str]], path: str
) -> Iterator[tuple[str, Field]]:
    if _first_byte(raw) != b"{":
        return
    before = None
    for name, value in _fields_in(raw).items():
        fields = fields_of(shape)
        if name not in fields and shape in known and name not in known[shape]:
            yield path, Field(shape, name, before)
        for option in options_of(fields[name][1]) if name in fields else ():
            item = item_of(option)
            if item is not None and _first_byte(value) == b"[":
                for entry in _items_in(value):
                    yield from _new_fields(entry, item, known, f"{path}{name}[].")
            elif isinstance(option, type) and issubclass(option, msgspec.Struct):
                yield from _new_fields(value, option, known, f"{path}{name}.")
        before = name


def _first_byte(raw: msgspec.Raw) -> bytes:
    return bytes(memoryview(raw)[:1])


_fields_in = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_in = msgspec.json.Decoder(list[msgspec.Raw]).decode
