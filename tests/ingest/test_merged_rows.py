"""Rows of one file that are merged before they are handed over lead to the store that they lead to one by one."""

from __future__ import annotations

import copy
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.emit import Emitter
from agnes_stats.ingest.formats.events import (
    Attribution,
    Billed,
    CacheMiss,
    Place,
    Response,
    Speaker,
    StopReason,
    Tokens,
)
from agnes_stats.ingest.formats.responses import _OWNER_SAYS, _USED_SAYS
from agnes_stats.ingest.formats.source import SourceFile
from agnes_stats.ingest.incoming import Load
from agnes_stats.ingest.load import load
from agnes_stats.ingest.merged_batch import MergedBatch
from agnes_stats.ingest.merged_rows import MergedRows
from agnes_stats.ingest.short_rows import ShortRows
from agnes_stats.queries.facts import FACTS, RESPONSES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ingest.told_rows import shown, whole_rows
from tests.storing import store_in

Rows = list[dict[str, Any]]

rows = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["a", "b", "c"]),
        "path": st.sampled_from(["/1", "/2", "/3"]),
        "ts": st.sampled_from([None, 0, 1_000_000, 2_000_000]),
        "embedded": st.booleans(),
        "is_copy": st.booleans(),
        "copy_signs": st.sampled_from([None, 1, 2]),
        "is_sidechain": st.booleans(),
        "session_id": st.sampled_from(["s", "t"]),
        "output_tokens": st.sampled_from([1, 5, 50]),
        "total_tokens": st.sampled_from([50, 60]),
        "model": st.sampled_from(["m", "n"]),
        "stop_reason": st.sampled_from([None, "end"]),
        "is_api_error": st.sampled_from([None, False, True]),
        "least_output_tokens": st.sampled_from([None, 0, 7]),
        "ended_at": st.sampled_from([None, None, 5_000_000]),
    }
)
lots = st.lists(rows, max_size=14).map(
    lambda told: [{**row, "pos": number, "kind": "turn", "agent": "x"} for number, row in enumerate(told)]
)
cuts = st.lists(st.integers(0, 2), min_size=14, max_size=14)


def _stored(portions: list[Rows], *, is_merged: bool) -> list[tuple[Any, ...]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with store_in(folder).write() as connection:
            for number, portion in enumerate(portions):
                batch, work = Batch(), Load(is_merged=is_merged)
                batch.rows["responses"] = [dict(row) for row in portion]
                work.add(batch.write(folder, f"lot{number}"))
                load(connection, work)
            return connection.rows("FROM responses ORDER BY key")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(lots, cuts)
def test_merged_or_not_in_any_portions_they_lead_to_the_same_store(told: Rows, where: list[int]) -> None:
    portions: dict[int, Rows] = defaultdict(list)
    for row, number in zip(told, where, strict=False):
        portions[number].append(row)
    merged = []
    for portion in portions.values():
        made = MergedRows(RESPONSES)
        for row in portion:
            made.add(dict(row))
        merged.append(list(made))
        assert len(merged[-1]) == len({(row["key"], row["path"]) for row in portion})
    assert _stored(merged, is_merged=True) == _stored([told], is_merged=False)


places = st.builds(
    Place,
    session=st.sampled_from([None, "s", "t"]),
    ts=st.sampled_from([None, 0, 1_000_000, 2_000_000]),
    pos=st.integers(0, 3),
    is_copy=st.booleans(),
    embedded=st.booleans(),
    copy_signs=st.sampled_from([0, 0, 2]),
    home=st.sampled_from([None, None, "u"]),
)
names = st.sampled_from([None, "one", "two", "password=hunter2hunter2"])
told_responses = st.builds(
    Response,
    key=st.sampled_from(["a", "b"]),
    place=places,
    speaker=st.builds(Speaker, names, names, st.booleans(), names, names),
    model=names,
    tokens=st.builds(Tokens, *[st.sampled_from([0, 5])] * 5, st.sampled_from([None, 3])),
    **dict.fromkeys(("provider", "gateway", "priced_as", "tool", "prompt_id", "effort", "inference_geo"), names),
    **dict.fromkeys(
        ("requested_at", "ended_at", "ttft_ms", "duration_ms", "least_output"), st.sampled_from([None, 7, 9])
    ),
    stop_reason=st.sampled_from([None, *StopReason]),
    cache_miss=st.sampled_from([None, CacheMiss("ttl", 5)]),
    attribution=st.sampled_from([None, Attribution("p", None, "m", "t")]),
    billed=st.sampled_from([None, Billed.ELSEWHERE]),
    is_error=st.booleans(),
    lower_bound=st.sampled_from([None, False, True]),
    early_output=st.booleans(),
    stays_early=st.booleans(),
)
clocks = st.sampled_from([0, 500_000])


def _once_in_a_place(told: list[Any]) -> Iterator[Any]:
    """All but what a place of a file tells of a response once more: which of the two is first is said nowhere."""
    path, seen = Path("/a"), set()
    for one in told:
        if isinstance(one, Path):
            path = one
        where = (path, one.key, one.place.pos) if isinstance(one, Response) else None
        if where is None or where not in seen:
            seen.add(where)
            yield one


@settings(
    max_examples=examples(50, 150), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(st.lists(st.one_of(told_responses, clocks, st.sampled_from([Path("/b"), Path("/a")])), max_size=9))
def test_responses_compared_as_they_come_are_the_rows_that_are_merged(told: list[Any]) -> None:
    one_by_one, at_once, in_short = Batch(), MergedBatch(), MergedBatch(short=ShortRows(3, 100))
    states = []
    told = list(_once_in_a_place(told))
    for batch in (one_by_one, at_once, in_short):
        emitter = Emitter(SourceFile("x", Path("/"), Path("/a"), True, "s"), batch, agent="x")
        for one in copy.deepcopy(told):
            if isinstance(one, Response):
                emitter.response(one)
            elif isinstance(one, Path):
                emitter.inside(one)
            else:
                emitter.clock(one)
        states.append(emitter.finish())
    merged = MergedRows(RESPONSES)
    for row in one_by_one.of("responses"):
        merged.add(row)
    expected = shown(merged)
    assert shown(at_once.of("responses")) == expected
    assert shown([*in_short.of("responses"), *whole_rows(in_short)]) == expected
    assert states[0] == states[1] == states[2]
    strays = [sorted(map(str, batch.of("strays"))) for batch in (one_by_one, at_once, in_short)]
    assert strays[0] == strays[1] == strays[2]


def test_every_field_of_a_response_is_its_own_or_said() -> None:
    """What nobody looks at would be shared by responses that differ in it."""
    names = {name for says in (_OWNER_SAYS, _USED_SAYS) for name in says.__reduce__()[1]}
    own = {"key", "tokens", "requested_at", "prompt_id", "ended_at", "is_error", "least_output"}
    told = own | {"attribution", "cache_miss", "place"} | {name for name in names if "." not in name}
    assert told == set(Response.__struct_fields__)
    # All of a speaker is compared, and can be looked up.
    assert "speaker" in names and hash(Speaker(version="1")) != hash(Speaker(version="2"))
    assert {name.removeprefix("place.") for name in names if name.startswith("place.")} == (
        set(Place.__struct_fields__) - {"ts", "pos", "is_copy"}
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(told_responses, max_size=6), max_size=4))
def test_in_short_or_not_responses_lead_to_the_same_store(told: list[list[Response]]) -> None:
    stores = []
    for in_short in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder, work = Path(name), Load(is_merged=True)
            for number, some in enumerate(told):
                batch = MergedBatch(short=ShortRows(number, 100) if in_short else None)
                emitter = Emitter(SourceFile("x", Path("/"), Path(f"/{number % 2}"), True, "s"), batch, agent="x")
                emitter.clock(5)
                for one in some:
                    # No two stretches of a file begin at the same place, so no lot tells what another one has told.
                    place = msgspec.structs.replace(one.place, pos=one.place.pos + 100 * number)
                    emitter.response(msgspec.structs.replace(one, place=place))
                emitter.finish()
                work.add(batch.write(folder, f"lot{number}"))
                if batch.short is not None and (written := batch.short.write(folder, f"lot{number}")) is not None:
                    work.short.append(written)
            with store_in(folder).write() as connection:
                load(connection, work)
                stores.append(connection.rows("FROM responses ORDER BY key"))
    assert stores[0] == stores[1]


def test_orders_are_compared_as_the_store_compares_them() -> None:
    """Of all facts: the SQL of a term and its value in Python agree on what comes first."""
    values: dict[str, list[Any]] = {
        "VARCHAR": ["a", "b", "ž"],
        "BIGINT": [0, 7],
        "BOOLEAN": [False, True],
        "UTINYINT": [0, 2],
        "TIMESTAMP": [0, 1_000_000],
    }
    compared = 0
    with tempfile.TemporaryDirectory() as folder, store_in(Path(folder)).read() as connection:
        for fact in FACTS:
            for half in fact.halves:
                kinds = {**fact.key, **half.columns, **fact.loaded}
                for term in half.terms:
                    kind = kinds[term.column]
                    cases = [*values[kind], *([] if term.absent is None else [None])]
                    shown = "make_timestamp(v)" if kind == "TIMESTAMP" else "v"
                    listed = ", ".join("(NULL)" if v is None else f"({v!r})" for v in cases)
                    numbered = f"SELECT {shown} AS {term.column}, row_number() OVER () - 1 AS i"
                    sql = f"SELECT list(i ORDER BY {term.sql}, i) FROM ({numbered} FROM (VALUES {listed}) t(v))"
                    [(order,)] = connection.rows(sql)
                    expected = sorted(range(len(cases)), key=lambda n: (term.rank({term.column: cases[n]}), n))
                    assert order == expected, (fact.name, term.sql)
                    compared += 1
    assert compared > 30
