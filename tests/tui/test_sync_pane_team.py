"""What was pushed to a team when, and what waits: on the Sync tab."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from agnes_stats.queries import teams
from agnes_stats.tui.kit.captioned_table import Listing
from agnes_stats.tui.sync.team import caption

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text

NOON = dt.datetime(2026, 3, 10, 12)


def told(user: str, machine: str, at: dt.datetime, problem: str = "") -> dict[str, object]:
    return {
        "user": user,
        "machine": machine,
        "pushed_at": at.isoformat(),
        "rows": 1234,
        "share": "numbers",
        "version": "0.1.0",
        "problem": problem,
    }


async def test_a_teams_store_shows_who_pushed_when(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s1", NOON).prompt("hi").response()])
    rows = [told("ann", "mac", NOON), told("bob", "[red]vm", NOON + dt.timedelta(hours=1), "its agnes-stats is newer")]
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES (?, ?)", [teams.PUSHERS, json.dumps(rows)])
    async with running(store, size=(140, 45), now=NOON + dt.timedelta(hours=2)) as (app, pilot):
        await press(pilot, "4")
        await press(pilot, "left_square_bracket", "left_square_bracket")
        text = screen_text(app)
        for word in ("ann", "mac", "[red]vm", "numbers", "its agnes-stats is newer", "2 people, 2 machines"):
            assert word in text
        assert text.index("bob") < text.index("ann")
        await press(pilot, "right_square_bracket")
        assert not app.query_one("#team", Listing).display
    assert caption([]) == ""


def test_this_machine_tells_what_waits_since_its_last_push(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s1", NOON).prompt("hi").response()])

    def waits(note: teams.PushNote | None = None) -> list[teams.Pusher]:
        if note is not None:
            teams.note_push(store.path, note)
        with store.read() as connection:
            return teams.this_machine(connection, store.path)

    assert waits() == []
    note = teams.PushNote("db/agnes", "mac", "labels", "0.1.0", NOON - dt.timedelta(hours=1), 77)
    [found] = waits(note)
    assert (found.machine, found.rows, found.problem) == ("mac", 77, "1 session went on since")
    assert caption([found]) == "this machine, pushed to db/agnes"
    [found] = waits(teams.PushNote("db/agnes", "mac", "labels", "0.1.0", NOON + dt.timedelta(hours=1), 77))
    assert found.problem == ""
    [found] = waits(teams.PushNote("db/agnes", "mac", "all", "0.1.0", failed_at=NOON, reason="db cannot be reached"))
    assert (found.pushed_at, found.problem) == (None, "db cannot be reached")
    assert teams.note_beside(store.path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"to": 1, "what": 2}', '{"pushed_at": "noon"}'])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    teams.note_beside(tmp_path / "store.duckdb").write_text(text)
    assert teams.push_note(tmp_path / "store.duckdb") is None
