"""Rows of one file that are merged before they are handed over lead to the store that they lead to one by one."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.incoming import Load
from agnes_stats.ingest.load import load
from agnes_stats.ingest.merged_rows import MergedRows
from agnes_stats.queries.facts import FACTS, RESPONSES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
