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


class _Spot(NamedTuple):
    """A place in an object where there may be an object, or a list of them, with learnt names."""

    path: str
    steps: tuple[str, ...]
    """Attributes that lead there."""
    get: Callable[[Any], tuple[Any, ...]] | None
    """What gives the fields with learnt names, the first of them once more at the end; None of a list."""
    absent: tuple[msgspec.Raw, ...]
    """What these are where they are not there."""
    inner: tuple[_Spot, ...]
    """Places in the objects of a list."""


_Reader = tuple[Callable[[bytes], Any], tuple[_Spot, ...]]


class Shapes(Generic[T]):
    """Decodes objects of a shape, with what it holds. `known` may be empty: then nothing is checked."""

    def __init__(self, shape: type[T], known: KnownNames, usual: KnownNames | None = None) -> None:
        """`usual`: of shapes with very many known names those that nearly all objects do with.

        An object that has room for all of them takes half as long again to read. The others are read a second time.
        """
        self._shape = shape
        self._usual = usual or {}
        self._orders = {one: list(dict.fromkeys((*names, *fields_of(one)))) for one, names in known.items()}
        self._learnt: dict[type[msgspec.Struct], list[str]] = {}
        self._paths: dict[str, type[msgspec.Struct]] = {}
        self._waiting: dict[Field, None] = {}
        self._slow = 0
        self._live = self._reader(self._usual)
        self._rare: _Reader | None = None
        self._strict = self._live[0]
        """What knows no learnt names."""
        self._without = 0
        """How many objects one after the other had none of them."""

    def decode(self, data: bytes, tally: Tally) -> T:
        """The object, with what it has of the learnt names added to the tally.

        Raises msgspec.DecodeError, also where there is a field that is neither known nor learnt.
        """
        if self._without > _PATIENCE:
            # Of an object that has none of them nothing need be looked up, and it has no room for them.
            try:
                return self._strict(data)  # type: ignore[no-any-return]
            except msgspec.ValidationError:
                pass
        decode, spots = self._live
        try:
            row: T = decode(data)
        except msgspec.ValidationError:
            if not self._usual:
                raise
            if self._rare is None:
                self._rare = self._reader({})
            decode, spots = self._rare
            row = decode(data)
        if spots:
            self._without = 0 if _look(row, spots, tally) else self._without + 1
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
        self._live, self._rare = self._reader(self._usual), None

    def _room(self) -> int:
        return MOST_LEARNT - sum(map(len, self._learnt.values()))

    # -- the decoder ---------------------------------------------------------------------------------------------

    def _reader(self, usual: KnownNames) -> _Reader:
        """What decodes objects, and where to look for the learnt names in them."""
        self._kept = {
            shape: {*names, *fields_of(shape), *self._learnt.get(shape, ())} for shape, names in usual.items()
        }
        self._attributes: dict[type[msgspec.Struct], dict[str, str]] = {}
        self._made: dict[type[msgspec.Struct], type[msgspec.Struct]] = {}
        closed = self._closed(self._shape) if self._orders else self._shape
        decode: Callable[[bytes], Any] = msgspec.json.Decoder(closed).decode
        return decode, tuple(self._spots(self._shape, "", ())) if self._learnt else ()

    def _closed(self, shape: type[msgspec.Struct]) -> type[msgspec.Struct]:
        """The shape, refusing fields that are not known, in itself and in what it holds.

        Known fields of no use are passed over unread.
        """
        made = self._made.get(shape)
        if made is not None:
            return made
        own = {field.encode_name: field for field in _fields(shape)}
        names: dict[str, str] = {}
        fields: list[tuple[str, Any, Any]] = []
        kept = self._kept.get(shape)
        for name in self._orders.get(shape, own):
            if kept is not None and name not in kept:
                continue
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
        made = self._made[shape] = msgspec.defstruct(
            f"Closed{shape.__name__}", fields, rename=names, forbid_unknown_fields=shape in self._orders, gc=False
        )
        return made

    def _closed_kind(self, kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._closed(kind)
        item = item_of(kind)
        if item is not None:
            return list[self._closed(item)]  # type: ignore[misc]
        options = () if typing.get_origin(kind) is list else typing.get_args(kind)
        return functools.reduce(operator.or_, map(self._closed_kind, options)) if options else kind

    def _spots(self, shape: type[msgspec.Struct], path: str, steps: tuple[str, ...]) -> Iterator[_Spot]:
        """Where in an object of a shape there may be learnt names."""
        learnt = self._learnt.get(shape)
        if learnt:
            self._paths[path] = shape
            attributes = [self._attributes[shape][name] for name in learnt]
            # `attrgetter` of one alone gives no tuple.
            attributes.append(attributes[0])
            yield _Spot(path, steps, operator.attrgetter(*attributes), (_ABSENT,) * len(attributes), ())
        for name, (attribute, kind) in fields_of(shape).items():
            for option in options_of(kind):
                item = item_of(option)
                if item is not None:
                    inner = tuple(self._spots(item, f"{path}{name}[].", ()))
                    if inner:
                        yield _Spot(path, (*steps, attribute), None, (), inner)
                elif isinstance(option, type) and issubclass(option, msgspec.Struct):
                    yield from self._spots(option, f"{path}{name}.", (*steps, attribute))


def _look(row: Any, spots: Sequence[_Spot], tally: Tally) -> bool:
    """Add to the tally what an object, and those in it, have of the learnt names; whether there is any."""
    found = False
    for path, steps, get, absent, inner in spots:
        value = row
        for step in steps:
            value = getattr(value, step, None)
            if value is None:
                break
        if value is None:
            continue
        if get is None:
            for entry in value if value.__class__ is list else ():
                found = _look(entry, inner, tally) or found
        elif not steps or isinstance(value, msgspec.Struct):
            given = get(value)
            if given != absent:
                found = True
                seen = path, tuple(map(operator.is_not, given[:-1], absent))
                tally[seen] = tally.get(seen, 0) + 1
    return found


# -- what a shape consists of ------------------------------------------------------------------------------------


_fields = functools.cache(msgspec.structs.fields)
"""The fields of a shape: to find them out reads its annotations anew, which takes longer than to make a shape."""


@functools.cache
def fields_of(shape: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """Names in JSON -> the attribute and its type."""
    return {field.encode_name: (field.name, field.type) for field in _fields(shape)}


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
