"""Fields that nobody knows: they are counted to the last one, and looked up one by one only until they are learnt."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from agnes_stats.ingest import jsonl, shapes
from agnes_stats.ingest.jsonl import LineReader
from agnes_stats.ingest.shapes import MOST_LEARNT, KnownNames, Tally


class Part(msgspec.Struct, gc=False):
    size: Any = None
    given: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="from")


class Whole(msgspec.Struct, gc=False):
    name: Any = None
    part: Part | None = None
    parts: str | list[Part] | None = None
    beside: Part | str | list[Any] | None = None


KNOWN = {Whole: ("kind", "name"), Part: ("size", "given", "from")}


class Reading:
    """Reads objects as a parser does, and counts what is noted and what is looked through field by field."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, usual: KnownNames | None) -> None:
        self.reader = LineReader(Whole, KNOWN, usual)
        self.slow = 0
        monkeypatch.setattr(jsonl, "new_fields", self._counted)

    def _counted(self, *args: Any) -> Any:
        self.slow += 1
        return shapes.new_fields(*args)

    def read(self, *objects: dict[str, Any]) -> tuple[list[Whole], Counter[str]]:
        noted: Counter[str] = Counter()
        tally: Tally = {}
        rows = []
        for one in objects:
            line = json.dumps(one).encode()
            row = self.reader.plain(line, tally)
            if row is None:
                [found] = self.reader.find(line, lambda what: noted.update([what]))
                assert isinstance(found.row, Whole)
                row = found.row
            rows.append(row)
        for what, count in self.reader.told(tally):
            noted[what] += count
        return rows, noted


@pytest.fixture(params=[None, {Whole: ()}, {Whole: ("kind",), Part: ()}], ids=["all", "few", "some"])
def reading(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Reading:
    """Of the known names all are usual, or few, or some."""
    return Reading(monkeypatch, request.param)


def test_what_is_known_is_neither_noted_nor_looked_up(reading: Reading) -> None:
    rows, noted = reading.read({"kind": 1, "name": "a", "part": {"size": 2, "from": [3], "given": 4}})
    assert (noted, reading.slow) == ({}, 0)
    assert rows[0].part is not None
    assert (rows[0].part.size, bytes(rows[0].part.given)) == (2, b"[3]")


def test_an_object_is_one_of_its_shape_where_there_may_be_a_list_of_anything(reading: Reading) -> None:
    rows, noted = reading.read({"beside": {"size": 2}}, {"beside": [{"size": 3}, 4]}, {"beside": "x"}, {"beside": None})
    assert isinstance(rows[0].beside, msgspec.Struct)
    assert rows[0].beside.size == 2
    assert [row.beside for row in rows[1:]] == [[{"size": 3}, 4], "x", None]
    assert (noted, reading.slow) == ({}, 0)


def test_rare_names_stand_beside_new_ones(reading: Reading) -> None:
    _, noted = reading.read(*[{"kind": 1, "new": 2}, {"new": 3}, {"kind": 4, "part": {"new": 5}}] * 100)
    assert noted == {"field new": 200, "field part.new": 100}
    assert reading.slow < 100


def test_new_names_cost_a_look_up_only_until_they_are_learnt(reading: Reading) -> None:
    new = {f"new{n}": n for n in range(10)}
    rows, noted = reading.read(*({"name": n} | new for n in range(1000)))
    assert [row.name for row in rows] == list(range(1000))
    assert noted == {f"field {name}": 1000 for name in new}
    assert reading.slow < 50


def test_names_of_the_next_release_are_learnt_beside_those_of_this_one(reading: Reading) -> None:
    reading.read(*[{"a": 1}] * 100)
    _, noted = reading.read(*[{"b": 1, "a": 1, "name": 2}, {"name": 3}, {"a": None}] * 100)
    assert noted == {"field a": 200, "field b": 100}
    assert reading.slow < 100


def test_new_names_are_noted_wherever_they_stand(reading: Reading) -> None:
    rows, noted = reading.read(
        *[{"part": {"x": 1}, "parts": [{"size": 7, "x": 1, "y": {"z": 1}}, {"y": 2}, {}], "x": 1}, {"parts": "x"}] * 200
    )
    assert noted == {"field x": 200, "field part.x": 200, "field parts[].x": 200, "field parts[].y": 400}
    assert isinstance(rows[-2].parts, list)
    assert [part.size for part in rows[-2].parts] == [7, None, None]
    assert reading.slow < 50


@pytest.mark.parametrize(
    "name", ["", "from", "class", "_known_0", "__class__", "part.size", 'a"b', "a\\b", "\x00", "\x1b", "ž"]
)
def test_any_name_may_be_new(reading: Reading, name: str) -> None:
    rows, noted = reading.read(*[{name: 1, "part": {name: 2, "size": 3}}] * 100)
    expected = {f"field {name}": 100} | ({} if name == "from" else {f"field part.{name}": 100})
    assert (noted, rows[-1].name) == (expected, None)
    assert rows[-1].part is not None
    assert rows[-1].part.size == 3


def test_more_names_than_anybody_learns_are_still_counted(reading: Reading) -> None:
    _, noted = reading.read(*({f"x{n}": 1, f"y{n % 50}": 1} for n in range(2 * MOST_LEARNT)))
    assert sum(noted.values()) == 4 * MOST_LEARNT
    assert noted["field x1"] == 1
    assert noted["field y1"] == 2 * MOST_LEARNT / 50


def test_without_known_names_nothing_is_checked() -> None:
    tally: Tally = {}
    row = LineReader(Whole, {}).plain(b'{"name": 1, "else": 2}', tally)
    assert row is not None
    assert (row.name, tally) == (1, {})
