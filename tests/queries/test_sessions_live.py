"""What is running now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries import sessions
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.live import NOTHING_TOLD, PULSE_STEPS, LiveSession, Told, ToldState, running_now
from agnes_stats.queries.store import Store

from tests.storing import held
from tests.transcripts import Transcript, store_of

SESSIONS: list[Transcript] = []
"""Those of all tests: they are read at once, and each test asks for those in a folder of its own."""


def begun(scene: str, name: str = "", at: str = "2026-03-10T14:00:00") -> Transcript:
    """A session in a folder of its own, or beside others of its scene."""
    return bare(scene, at, name).prompt("go").wait(1)


def bare(scene: str, at: str | dt.datetime, name: str = "", **how: Any) -> Transcript:
    SESSIONS.append(Transcript(name or scene, at, cwd=f"/w/{scene}", **how))
    return SESSIONS[-1]


def below(told: Transcript, name: str) -> Transcript:
    """A sub-agent of a session."""
    return bare(told.session, told.now, agent=f"{told.session}-{name}")


def call(told: Transcript, key: str, tool: str, **given: str) -> tuple[str, str, dict[str, Any]]:
    """A call, which has an id of its own in all sessions."""
    return f"{told.session}-{key}", tool, given


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(tmp_path_factory.mktemp("live"), SESSIONS)) as store:
        yield store


def ask(store: Store, scene: str, now: dt.datetime, limit: int = 5, told: Told = NOTHING_TOLD) -> list[LiveSession]:
    with store.read() as connection:
        return running_now(connection, Filter(project=f"/w/{scene}"), now=now, limit=limit, told=told)


CALLS = begun("calls")
CALLS.response(call(CALLS, "a", "Read", file_path="/x"), call(CALLS, "b", "Bash", command="make"))


def test_the_call_that_runs(store: Store) -> None:
    (live,) = ask(store, "calls", CALLS.now)
    assert live.call is not None
    assert (live.call.name, live.call.detail, live.call.started_at) == ("Bash", "make", CALLS.now)
    assert (live.calls, live.agents, live.waiting) == (2, 0, False)


DELEGATES = begun("delegates")
DELEGATES.response(call(DELEGATES, "t", "Task", description="dig"))
DIGS = below(DELEGATES, "x").wait(2).note("Explore", "dig", "delegates-t")
DIGS.response(call(DELEGATES, "g", "Grep", pattern="a"))


def test_a_sub_agents_call_is_what_runs_when_it_is_the_latest(store: Store) -> None:
    (live,) = ask(store, "delegates", DIGS.now)
    assert live.call is not None
    assert (live.call.name, live.calls, live.agents) == ("Grep", 2, 1)


DONE = begun("waits", "done").response()
TOOL = begun("waits", "tool")
TOOL.response(call(TOOL, "a", "Bash")).wait(1).result("tool-a")
ASKED = begun("waits", "asked").response().wait(1).prompt("and now?")


def test_the_user_is_waited_for_when_the_model_is_done(store: Store) -> None:
    found = ask(store, "waits", ASKED.now)
    assert {live.session.session_id: (live.waiting, live.call) for live in found} == {
        "done": (True, None),
        "tool": (False, None),
        "asked": (False, None),
    }


MANY = [begun("many", f"s{minute}", f"2026-03-10T14:0{minute}:00").response() for minute in range(9)]


def test_the_latest_come_first_and_old_ones_not_at_all(store: Store) -> None:
    now = MANY[-1].now
    assert [live.session.session_id for live in ask(store, "many", now, limit=3)] == ["s8", "s7", "s6"]
    assert ask(store, "many", now + dt.timedelta(minutes=5, seconds=1)) == []


PULSE = bare("pulse", "2026-03-10T14:00:00").prompt("go").response()
PULSE.wait(36 * 60).response(call(PULSE, "a", "Bash")).wait(1).result("pulse-a")
PULSE.wait(29 * 60 - 1).response(call(PULSE, "b", "Bash"), call(PULSE, "c", "Bash"))


def test_the_pulse_is_of_the_last_half_hour(store: Store) -> None:
    (live,) = ask(store, "pulse", PULSE.now)
    # One response and its call 29 minutes ago, one response with two calls now; the first is too long ago.
    assert live.pulse == (2, *[0] * (PULSE_STEPS - 2), 3)


# -- what their processes say ----------------------------------------------------------------------------------------

SINCE = dt.datetime(2026, 3, 10, 13, 59)


def says(state: str, session: str, why: str | None = None) -> Told:
    """A living process that says this of its session."""
    return Told({session: ToldState(state, why, SINCE)})


ANSWERED = begun("answered").response()


@pytest.mark.parametrize("state", ["working", "waiting", "idle", "shell"])
def test_what_the_process_says_is_so(store: Store, state: str) -> None:
    (live,) = ask(store, "answered", ANSWERED.now, told=says(state, "answered"))
    assert (live.state, live.since, live.exact) == (state, SINCE, True)


CALLED = {tool: begun(f"called-{tool}") for tool in ("Bash", "AskUserQuestion", "ExitPlanMode")}
for _tool, _told in CALLED.items():
    _told.response(call(_told, "a", _tool))


@pytest.mark.parametrize(
    ("why", "tool", "state"),
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
def test_a_permission_is_told_from_a_question(store: Store, why: str | None, tool: str | None, state: str) -> None:
    told = CALLED[tool] if tool else ANSWERED
    (live,) = ask(store, told.session, told.now, told=says("waiting", told.session, why))
    assert (live.state, live.waiting) == (state, True)


def test_without_a_word_of_it_a_question_that_runs_waits_for_the_user(store: Store) -> None:
    told = CALLED["AskUserQuestion"]
    (live,) = ask(store, told.session, told.now + dt.timedelta(seconds=9))
    assert (live.state, live.since, live.exact) == ("waiting", told.now, False)
    working = CALLED["Bash"]
    (live,) = ask(store, working.session, working.now)
    assert (live.state, live.since, live.exact) == ("working", dt.datetime(2026, 3, 10, 14), False)


def test_a_living_process_is_shown_however_long_ago_its_last_row_is(store: Store) -> None:
    hours = ANSWERED.now + dt.timedelta(hours=3)
    assert ask(store, "answered", hours) == []
    (live,) = ask(store, "answered", hours, told=says("waiting", "answered"))
    assert (live.state, live.session.is_live) == ("waiting", True)


def test_a_session_whose_process_has_ended_is_over(store: Store) -> None:
    told = CALLED["Bash"]
    assert ask(store, told.session, told.now)[0].state == "working"
    assert ask(store, told.session, told.now, told=Told(over=frozenset({told.session}))) == []


NAMES = ("idle", "shell", "working", "waiting", "permission")
IN_A_ROW = [begun("in-a-row", name, f"2026-03-10T14:0{n}:00").response() for n, name in enumerate(NAMES)]


def test_who_waits_comes_first(store: Store) -> None:
    states = {name: ToldState("waiting" if name == "permission" else name) for name in NAMES}
    states["permission"] = ToldState("waiting", "permission")
    now = IN_A_ROW[-1].now
    found = ask(store, "in-a-row", now, told=Told(states))
    assert [live.state for live in found] == ["permission", "waiting", "working", "shell", "idle"]
    (first,) = ask(store, "in-a-row", now, limit=1, told=Told(states))
    assert first.state == "permission"


# Opus 4.5: USD 25 a million of output.
PACE = bare("pace", "2026-03-10T13:00:00").prompt("go").response(tokens=(0, 7_000_000, 0, 0))
PACE.now = dt.datetime(2026, 3, 10, 14)
PACE.response(tokens=(0, 1_000, 0, 0)).wait(60).response(tokens=(0, 2_000, 0, 0))
below(PACE, "x").response(tokens=(0, 2_000, 0, 0)).note("Explore", "dig", "pace-t")
UNKNOWN = begun("unknown").response(model="house-model")


def test_the_pace_is_that_of_the_last_five_minutes(store: Store) -> None:
    (live,) = ask(store, "pace", PACE.now)
    assert live.tokens_per_minute == 1_000
    assert live.usd_per_hour == pytest.approx(5_000 * 25 / 1e6 * 12)
    (quiet,) = ask(store, "pace", PACE.now + dt.timedelta(hours=1), told=says("idle", "pace"))
    assert (quiet.tokens_per_minute, quiet.usd_per_hour) == (0, 0.0)
    (unpriced,) = ask(store, "unknown", UNKNOWN.now)
    assert unpriced.tokens_per_minute > 0
    assert unpriced.usd_per_hour is None


RUNS = [(4, 31_000, True), (4, 30_000, False), (3, 90_000, False)]
"""So many responses of 10,000 tokens, then one of so many; whether it runs away."""
for _before, _last, _ in RUNS:
    _told = bare(f"runs-{_before}-{_last}", "2026-03-10T13:00:00").prompt("go")
    for _number in range(_before):
        _told.now = dt.datetime(2026, 3, 10, 13, 10 * _number)
        _told.response(tokens=(0, 10_000, 0, 0))
    _told.now = dt.datetime(2026, 3, 10, 14)
    _told.response(tokens=(0, _last, 0, 0))


@pytest.mark.parametrize(("before", "last", "runs_away"), RUNS)
def test_a_session_runs_away_when_it_takes_thrice_its_usual(
    store: Store, before: int, last: int, runs_away: bool
) -> None:
    (live,) = ask(store, f"runs-{before}-{last}", dt.datetime(2026, 3, 10, 14))
    assert live.runaway is runs_away


def test_a_running_sub_agents_tokens_rise_as_it_works(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T14:00:00", cwd="/w/rise").prompt("go").wait(1)
    told.response(("t", "Task", {"description": "dig"}))
    agent = Transcript("s", told.now, agent="x").wait(2).response(tokens=(0, 500, 0, 0)).note("Explore", "dig", "t")
    (live,) = ask(store_of(tmp_path, [told, agent]), "rise", agent.now)
    assert (live.agents, live.agent_tokens) == (1, 500)
    agent.wait(2).response(tokens=(0, 700, 0, 0))
    (live,) = ask(store_of(tmp_path, [told, agent]), "rise", agent.now)
    assert live.agent_tokens == 1_200


def test_those_that_run_need_not_be_asked_for_where_a_list_has_told_of_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected, asked = sessions._selected, list[object]()
    monkeypatch.setattr(sessions, "_selected", lambda *given, **named: asked.append(named) or selected(*given, **named))
    told = Told({"calls": ToldState("working"), "done": ToldState("idle")}, frozenset({"tool"}))
    now, day, few = CALLS.now, CALLS.now.date(), set[int]()
    with store.read() as connection:
        for chosen in (
            Filter(),
            Filter(since=day, text="go"),
            Filter(until=day - dt.timedelta(days=1)),
            Filter(project="/w/waits", since=day),
        ):
            expected = running_now(connection, chosen, now=now, limit=50, told=told)
            page = sessions.list_sessions(connection, chosen, now=now, limit=500, told=told.processes)
            for rows in (page.rows, page.rows[:1]):
                asked.clear()
                assert running_now(connection, chosen, now=now, limit=50, told=told, listed=rows) == expected
                is_complete = {live.session.session_id for live in expected} <= {row.session_id for row in rows}
                assert bool(asked) != is_complete
                few.add(is_complete * len(expected))
    # All of them were in a list, and some, and none.
    assert 0 in few and len(few) > 2, few
