"""What is running now."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.live import NOTHING_TOLD, PULSE_STEPS, LiveSession, Told, ToldState, running_now

from tests.transcripts import Transcript, store_of


def ask(
    folder: Path, transcripts: list[Transcript], now: dt.datetime, limit: int = 5, told: Told = NOTHING_TOLD
) -> list[LiveSession]:
    with store_of(folder, transcripts).read() as connection:
        return running_now(connection, Filter(), now=now, limit=limit, told=told)


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


# -- what their processes say ----------------------------------------------------------------------------------------

SINCE = dt.datetime(2026, 3, 10, 13, 59)


def says(state: str, why: str | None = None, session: str = "s") -> Told:
    """A living process that says this of its session."""
    return Told({session: ToldState(state, why, SINCE)})


@pytest.mark.parametrize("state", ["working", "waiting", "idle", "shell"])
def test_what_the_process_says_is_so(tmp_path: Path, state: str) -> None:
    told = begun().response()
    (live,) = ask(tmp_path, [told], told.now, told=says(state))
    assert (live.state, live.since, live.exact) == (state, SINCE, True)


@pytest.mark.parametrize(
    ("why", "call", "state"),
    [
        (None, None, "waiting"),
        (None, "Bash", "permission"),
        (None, "AskUserQuestion", "waiting"),
        (None, "ExitPlanMode", "waiting"),
        ("permission to use Bash", None, "permission"),
        ("Permission prompt", "AskUserQuestion", "permission"),
        ("an answer", "Bash", "waiting"),
    ],
)
def test_a_permission_is_told_from_a_question(tmp_path: Path, why: str | None, call: str | None, state: str) -> None:
    told = begun().response(*([("a", call, {})] if call else []))
    (live,) = ask(tmp_path, [told], told.now, told=says("waiting", why))
    assert (live.state, live.waiting) == (state, True)


def test_without_a_word_of_it_a_question_that_runs_waits_for_the_user(tmp_path: Path) -> None:
    told = begun().response(("a", "AskUserQuestion", {}))
    (live,) = ask(tmp_path, [told], told.now + dt.timedelta(seconds=9))
    assert (live.state, live.since, live.exact) == ("waiting", told.now, False)
    working = begun("w").response(("a", "Bash", {}))
    (live,) = ask(tmp_path / "w", [working], working.now)
    assert (live.state, live.since, live.exact) == ("working", dt.datetime(2026, 3, 10, 14), False)


def test_a_living_process_is_shown_however_long_ago_its_last_row_is(tmp_path: Path) -> None:
    told = begun().response()
    hours = told.now + dt.timedelta(hours=3)
    assert ask(tmp_path, [told], hours) == []
    (live,) = ask(tmp_path, [told], hours, told=says("waiting"))
    assert (live.state, live.session.is_live) == ("waiting", True)


def test_a_session_whose_process_has_ended_is_over(tmp_path: Path) -> None:
    told = begun().response(("a", "Bash", {}))
    assert ask(tmp_path, [told], told.now)[0].state == "working"
    assert ask(tmp_path, [told], told.now, told=Told(over=frozenset({"s"}))) == []


def test_who_waits_comes_first(tmp_path: Path) -> None:
    names = ("idle", "shell", "working", "waiting", "permission")
    told = [begun(name, f"2026-03-10T14:0{n}:00").response() for n, name in enumerate(names)]
    states = {name: ToldState("waiting" if name == "permission" else name) for name in names}
    states["permission"] = ToldState("waiting", "permission")
    found = ask(tmp_path, told, told[-1].now, told=Told(states))
    assert [live.state for live in found] == ["permission", "waiting", "working", "shell", "idle"]
    (first,) = ask(tmp_path / "again", told, told[-1].now, limit=1, told=Told(states))
    assert first.state == "permission"


def test_the_pace_is_that_of_the_last_five_minutes(tmp_path: Path) -> None:
    # Opus 4.5: USD 25 a million of output.
    told = Transcript("s", "2026-03-10T13:00:00").prompt("go").response(tokens=(0, 7_000_000, 0, 0))
    told.now = dt.datetime(2026, 3, 10, 14)
    told.response(tokens=(0, 1_000, 0, 0)).wait(60).response(tokens=(0, 2_000, 0, 0))
    agent = Transcript("s", told.now, agent="x").response(tokens=(0, 2_000, 0, 0)).note("Explore", "dig", "t")
    (live,) = ask(tmp_path, [told, agent], told.now)
    assert live.tokens_per_minute == 1_000
    assert live.usd_per_hour == pytest.approx(5_000 * 25 / 1e6 * 12)
    (quiet,) = ask(tmp_path / "quiet", [told], told.now + dt.timedelta(hours=1), told=says("idle"))
    assert (quiet.tokens_per_minute, quiet.usd_per_hour) == (0, 0.0)
    unknown = begun("u").response(model="house-model")
    (unpriced,) = ask(tmp_path / "unpriced", [unknown], unknown.now)
    assert unpriced.tokens_per_minute > 0
    assert unpriced.usd_per_hour is None


@pytest.mark.parametrize(("before", "last", "runs_away"), [(4, 31_000, True), (4, 30_000, False), (3, 90_000, False)])
def test_a_session_runs_away_when_it_takes_thrice_its_usual(
    tmp_path: Path, before: int, last: int, runs_away: bool
) -> None:
    told = Transcript("s", "2026-03-10T13:00:00").prompt("go")
    for number in range(before):
        told.now = dt.datetime(2026, 3, 10, 13, 10 * number)
        told.response(tokens=(0, 10_000, 0, 0))
    told.now = dt.datetime(2026, 3, 10, 14)
    told.response(tokens=(0, last, 0, 0))
    (live,) = ask(tmp_path, [told], told.now)
    assert live.runaway is runs_away


def test_a_running_sub_agents_tokens_rise_as_it_works(tmp_path: Path) -> None:
    told = begun().response(("t", "Task", {"description": "dig"}))
    agent = Transcript("s", told.now, agent="x").wait(2).response(tokens=(0, 500, 0, 0)).note("Explore", "dig", "t")
    (live,) = ask(tmp_path, [told, agent], agent.now)
    assert (live.agents, live.agent_tokens) == (1, 500)
    agent.wait(2).response(tokens=(0, 700, 0, 0))
    (live,) = ask(tmp_path, [told, agent], agent.now)
    assert live.agent_tokens == 1_200
