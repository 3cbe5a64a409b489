"""What the people of a store did: a server's folder, by username."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.operator import Operated, operated
from agnes_stats.queries.store import Store
from agnes_stats.tui.commands.operator import _whole, operator_answer

from tests.queries.accesses import agnes
from tests.storing import kept_open, store_in
from tests.transcripts import Transcript

NOW = dt.datetime(2026, 3, 30, 12, 0)
ANN, BOB = "3f2a9c1e-0000-4000-8000-000000000001", "bob"


def upload(folder: Path, user: str, told: Transcript, *, at: str) -> None:
    """A session as the server keeps it: in the folder of a person, written when it was uploaded."""
    path = folder / user / told.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in told.rows), "utf-8")
    seconds = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC).timestamp()
    os.utime(path, (seconds, seconds))


def worked(name: str, at: str, *calls: tuple[str, dict[str, Any]], fails: bool = False) -> Transcript:
    """A session of a prompt, an answer after a minute, and a call after another."""
    told = Transcript(name, at, cwd="/home/ann/work/shop").prompt(f"do {name}").wait(60)
    for number, (tool, given) in enumerate(calls):
        key = f"{name}-{number}"
        told.response((key, tool, given)).wait(60).result(key, "no" if fails else "ok", error=fails)
    return told


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    below = tmp_path_factory.mktemp("operator")
    folder = below / "shared"
    skill = ("Skill", {"skill": "flea:invoice"})
    upload(
        folder, ANN, worked("a1", "2026-03-10T10:00:00", skill, agnes("select 1 from orders")), at="2026-03-10T11:00"
    )
    upload(
        folder, ANN, worked("a2", "2026-03-12T10:00:00", agnes("select 1 from gone"), fails=True), at="2026-03-15T09:00"
    )
    upload(folder, BOB, worked("b1", "2026-03-12T23:59:30", skill, ("Skill", {"skill": "tidy"})), at="2026-03-13T01:00")
    upload(folder, BOB, worked("old", "2026-01-05T10:00:00", skill), at="2026-01-05T11:00")
    made = store_in(below)
    with kept_open(made):
        Engine(made, [Root("agnes-server-folder", folder)], workers=0, rest_seconds=0.0).catch_up()
    return made


def ask(store: Store, chosen: Filter | None = None, now: dt.datetime = NOW) -> Operated:
    with store.read() as connection:
        return operated(connection, chosen or Filter(), now=now, today=now.date())


def test_people_by_their_active_hours(store: Store) -> None:
    told = ask(store)
    assert (told.since, told.until) == (dt.date(2026, 3, 1), dt.date(2026, 3, 30))
    rows = {row.username: row for row in told.people}
    ann, bob = rows[ANN], rows[BOB]
    assert [row.username for row in told.people] == [ANN, BOB]
    assert (ann.sessions, ann.active_days, ann.prompts, ann.tool_calls, ann.tool_errors) == (2, 2, 2, 3, 1)
    assert (ann.queries, ann.failed_queries, ann.skills, ann.late_sessions) == (2, 1, 1, 1)
    assert (bob.sessions, bob.active_days, bob.prompts, bob.skills, bob.late_sessions) == (1, 2, 1, 2, 0)
    assert (ann.active_seconds, bob.active_seconds) == (60 + 120 + 60 + 60, 180)
    assert ann.last_active_at == dt.datetime(2026, 3, 12, 10, 2)


def test_skills_and_tables_with_failures(store: Store) -> None:
    told = ask(store)
    skills = [(row.name, row.source, row.invocations, row.people) for row in told.skills]
    assert skills == [("flea:invoice", "flea", 2, 2), ("tidy", "own", 1, 1)]
    assert [(row.name, row.accesses, row.failed, row.people) for row in told.tables] == [
        ("gone", 1, 1, 1),
        ("orders", 1, 0, 1),
    ]


def test_days_have_who_was_there(store: Store) -> None:
    days = {row.day.day: (row.people, row.sessions, row.prompts, row.active_seconds) for row in ask(store).days}
    assert days == {10: (1, 1, 1, 180), 12: (2, 2, 2, 120 + 180), 13: (1, 1, 0, 0)}


def test_the_filters_count(store: Store) -> None:
    assert [row.username for row in ask(store, Filter(user=BOB)).people] == [BOB]
    january = Filter(since=dt.date(2026, 1, 1), until=dt.date(2026, 1, 31))
    assert [(row.username, row.sessions) for row in ask(store, january).people] == [(BOB, 1)]
    assert ask(store, Filter(project="elsewhere")).people == []
    # A day is the zone's: half a minute before midnight in UTC is the next day in Prague.
    assert [row.day.day for row in ask(store, Filter(zone="Europe/Prague")).days] == [10, 12, 13]
    assert ask(store, now=dt.datetime(2025, 1, 1)).people == []


def test_the_answer_of_the_command(store: Store) -> None:
    with store.read() as connection:
        answer = operator_answer(connection, Filter(), now=NOW, today=NOW.date(), limit=1)
    assert (answer["since"], answer["until"]) == ("2026-03-01", "2026-03-30")
    person = answer["people"][0]
    assert (person["username"], person["active_hours"], person["prompts"]) == (ANN, 0.08, 2)
    assert person["last_active_at"] == "2026-03-12T10:02:00+00:00"
    assert [row["name"] for row in answer["skills"]] == ["flea:invoice"]
    assert answer["daily"][0] == {"day": "2026-03-10", "people": 1, "sessions": 1, "prompts": 1, "active_seconds": 180}


def test_whole_seconds_add_up_to_those_of_all() -> None:
    assert _whole([0.4, 0.4, 0.4, 0.4]) == [0, 1, 0, 1]
    assert (_whole([]), _whole([7.0, 0.5])) == ([], [7, 1])
    assert sum(_whole([10.43] * 30)) == 313
