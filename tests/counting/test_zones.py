"""A day is a calendar day where you are, and a response belongs to the day on which it began."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries import rollups, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.tests.counting.rows import Line, answer, call, content, person
from agnes_stats.tests.counting.ways import Bench

PRAGUE, NEW_YORK, KIRITIMATI, NIUE = "Europe/Prague", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue"
KEPT = ("UTC", PRAGUE, NEW_YORK, KIRITIMATI)

MOMENTS = {
    # Clocks go forward in Prague on 29 March 2026, which has 23 hours, and back on 25 October, which has 25.
    "before spring day": ("2026-03-28T22:59:59Z", {PRAGUE: "2026-03-28", "UTC": "2026-03-28"}),
    "spring day begins": ("2026-03-28T23:00:00Z", {PRAGUE: "2026-03-29", "UTC": "2026-03-28"}),
    "spring day ends": ("2026-03-29T21:59:59Z", {PRAGUE: "2026-03-29", "UTC": "2026-03-29"}),
    "after spring day": ("2026-03-29T22:00:00Z", {PRAGUE: "2026-03-30", "UTC": "2026-03-29"}),
    "autumn day begins": ("2026-10-24T22:00:00Z", {PRAGUE: "2026-10-25", "UTC": "2026-10-24"}),
    "hour told twice, first": ("2026-10-25T00:30:00Z", {PRAGUE: "2026-10-25", "UTC": "2026-10-25"}),
    "hour told twice, second": ("2026-10-25T01:30:00Z", {PRAGUE: "2026-10-25", "UTC": "2026-10-25"}),
    "autumn day ends": ("2026-10-25T22:59:59Z", {PRAGUE: "2026-10-25", "UTC": "2026-10-25"}),
    "after autumn day": ("2026-10-25T23:00:00Z", {PRAGUE: "2026-10-26", "UTC": "2026-10-25"}),
    # Fourteen hours ahead of UTC, and eleven behind.
    "last second ahead": ("2026-03-02T09:59:59.999Z", {KIRITIMATI: "2026-03-02", NIUE: "2026-03-01"}),
    "first second ahead": ("2026-03-02T10:00:00Z", {KIRITIMATI: "2026-03-03", NIUE: "2026-03-01"}),
    "last second behind": ("2026-03-02T10:59:59Z", {KIRITIMATI: "2026-03-03", NIUE: "2026-03-01"}),
    "new year ahead": ("2025-12-31T10:00:00Z", {KIRITIMATI: "2026-01-01", "UTC": "2025-12-31"}),
    "an offset in the row": ("2026-03-02T00:30:00+02:00", {"UTC": "2026-03-01", PRAGUE: "2026-03-01"}),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    rows: list[Line] = []
    for number, (moment, _) in enumerate(MOMENTS.values()):
        rows.append(answer(f"msg_{number}", moment, call(f"t{number}", f"T{number}"), out=2**number))
        rows.append(person(f"<command-name>/m{number}</command-name>", moment))
    # Begins on one day in New York and ends on the next.
    rows.append(answer("msg_a", "2026-05-02T03:59:59Z", out=1, stop=None))
    rows.append(answer("msg_a", "2026-05-02T04:00:09Z", out=2**20))
    with Bench(tmp_path_factory.mktemp("zones"), KEPT) as bench:
        bench.at_once({"p/s1.jsonl": content(rows)})
        yield bench


def output_by_day(bench: Bench, zone: str) -> dict[str, int]:
    with bench.store.read() as connection:
        return {str(day.day): day.output_tokens for day in tokens.by_day(connection, Filter(zone=zone))}


@pytest.mark.parametrize(
    ("number", "zone", "day"),
    [(number, zone, day) for number, (_, days) in enumerate(MOMENTS.values()) for zone, day in days.items()],
    ids=[f"{name}, {zone}" for name, (_, days) in MOMENTS.items() for zone in days],
)
def test_moment_belongs_to_day(number: int, zone: str, day: str, bench: Bench) -> None:
    assert [shown for shown, output in output_by_day(bench, zone).items() if output & 2**number] == [day]
    for question, told in (
        (rollups.tools_daily, f"tool = 'T{number}'"),
        (rollups.extensions_daily, f"name = 'm{number}'"),
    ):
        assert bench.rows(f"SELECT day::VARCHAR FROM ({question(repr(zone))}) WHERE {told}") == [(day,)]


def test_response_belongs_to_the_day_it_began(bench: Bench) -> None:
    assert output_by_day(bench, NEW_YORK)["2026-05-01"] == 2**20
    assert "2026-05-02" not in output_by_day(bench, NEW_YORK)
    assert output_by_day(bench, "UTC")["2026-05-02"] == 2**20


@pytest.mark.parametrize("zone", KEPT)
def test_kept_days_are_those_of_the_facts(zone: str, bench: Bench) -> None:
    assert bench.stale_rollups() == []
    assert sum(output_by_day(bench, zone).values()) == 2 ** len(MOMENTS) - 1 + 2**20


def test_zone_that_is_kept_later_has_the_same_days(tmp_path: Path) -> None:
    rows: list[Line] = [answer(f"msg_{number}", moment) for number, (moment, _) in enumerate(MOMENTS.values())]
    bench = Bench(tmp_path)
    bench.at_once({"p/s1.jsonl": content(rows)})
    asked = output_by_day(bench, KIRITIMATI)
    bench.engine.zones = bench.zones = ("UTC", KIRITIMATI)
    bench.engine.catch_up()
    assert output_by_day(bench, KIRITIMATI) == asked
    assert bench.rows("SELECT DISTINCT zone FROM tokens_daily") == [(KIRITIMATI,), ("UTC",)]
    # Two people in two zones: what one adds, the other sees in days of their own.
    bench.append("p/s1.jsonl", content([answer("msg_x", "2026-03-02T23:00:00Z", out=5)]))
    Bench.ingest(bench, ["p/s1.jsonl"])
    assert bench.stale_rollups() == []
    assert output_by_day(bench, KIRITIMATI)["2026-03-03"] == asked["2026-03-03"] + 5


def test_only_the_days_touched_are_rebuilt(bench: Bench) -> None:
    with bench.store.write() as connection:
        connection.execute("UPDATE tokens_daily SET output_tokens = -1 WHERE day < '2026-03-01'")
    bench.append("p/s2.jsonl", content([answer("msg_y", "2026-10-25T12:00:00Z", out=1, sessionId="s2")]))
    bench.ingest(["p/s2.jsonl"])
    days = output_by_day(bench, "UTC")
    assert [day for day, output in days.items() if output < 0] == ["2025-12-31"]
    assert dt.date.fromisoformat(min(days)) < dt.date(2026, 3, 1)
