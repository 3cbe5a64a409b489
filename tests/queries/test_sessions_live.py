"""What is running now."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from agnes_stats.queries.filters import Filter
from agnes_stats.queries.live import PULSE_STEPS, LiveSession, running_now

from tests.transcripts import Transcript, store_of


def ask(folder: Path, transcripts: list[Transcript], now: dt.datetime, limit: int = 5) -> list[LiveSession]:
    with store_of(folder, transcripts).read() as connection:
        return running_now(connection, Filter(), now=now, limit=limit)


def begun(name: str = "s", at: str = "2026-03-10T14:00:00") -> Transcript:
    return Transcript(name, at).prompt("go").wait(1)


def test_the_call_that_runs(tmp_path: Path) -> None:
    told = begun().response(("a", "Read", {"file_path": "/x"}), ("b", "Bash", {"command": "make"}))
    (live,) = ask(tmp_path, [told], told.now)
    assert live.call is not None
    assert (live.call.name, live.call.detail, live.call.started_at) == ("Bash", "make", told.now)
    assert (live.calls, live.agents, live.waiting) == (2, 0, False)


def test_a_sub_agents_call_is_what_runs_when_it_is_the_latest(tmp_path: Path) -> None:
    told = begun().response(("t", "Task", {"description": "dig"}))
    agent = Transcript("s", told.now, agent="x").wait(2).response(("g", "Grep", {"pattern": "a"}))
    agent.note("Explore", "dig", "t")
    (live,) = ask(tmp_path, [told, agent], agent.now)
    assert live.call is not None
    assert (live.call.name, live.calls, live.agents) == ("Grep", 2, 1)


def test_the_user_is_waited_for_when_the_model_is_done(tmp_path: Path) -> None:
    done = begun("done").response()
    tool = begun("tool").response(("a", "Bash", {})).wait(1).result("a")
    asked = begun("asked").response().wait(1).prompt("and now?")
    found = ask(tmp_path, [done, tool, asked], asked.now)
    assert {live.session.session_id: (live.waiting, live.call) for live in found} == {
        "done": (True, None),
        "tool": (False, None),
        "asked": (False, None),
    }


def test_the_latest_come_first_and_old_ones_not_at_all(tmp_path: Path) -> None:
    told = [begun(f"s{minute}", f"2026-03-10T14:0{minute}:00").response() for minute in range(9)]
    now = told[-1].now
    found = ask(tmp_path, told, now, limit=3)
    assert [live.session.session_id for live in found] == ["s8", "s7", "s6"]
    assert ask(tmp_path / "later", told, now + dt.timedelta(minutes=5, seconds=1)) == []


def test_the_pulse_is_of_the_last_half_hour(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T14:00:00").prompt("go").response()
    told.wait(36 * 60).response(("a", "Bash", {})).wait(1).result("a")
    told.wait(29 * 60 - 1).response(("b", "Bash", {}), ("c", "Bash", {}))
    (live,) = ask(tmp_path, [told], told.now)
    # One response and its call 29 minutes ago, one response with two calls now; the first is too long ago.
    assert live.pulse == (2, *[0] * (PULSE_STEPS - 2), 3)
