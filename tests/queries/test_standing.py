"""An answer that is said to stand is what would be answered now: asked at many moments, and compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from agnes_stats.queries.activity import list_activity
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.hand_overs import hand_overs
from agnes_stats.queries.live import running_now
from agnes_stats.queries.metrics import metrics
from agnes_stats.queries.plan_limits import STALE_AFTER, PlanLimit
from agnes_stats.queries.ranking import ranked_agents
from agnes_stats.queries.standing import Asked, moves_until, of_one_state
from agnes_stats.queries.store import Reader
from agnes_stats.queries.threads import LIVE_FOR
from agnes_stats.tui.access.data import AccessOptions
from agnes_stats.tui.access.data import ask as ask_accesses
from agnes_stats.tui.sessions.data import sessions_data
from agnes_stats.tui.tokens import head
from agnes_stats.tui.tokens.overview import Overview
from agnes_stats.tui.tokens.view import Question, ViewOptions

from tests.queries.test_hand_overs import call, launched
from tests.storing import held, store_in
from tests.transcripts import Transcript, catch_up, store_of, write

NOON = dt.datetime(2026, 3, 10, 12)
EVERY = Filter(zone="Asia/Kathmandu")
"""Whose days begin at a quarter past six on UTC's clock."""


def at(hour: int, minute: int, second: int = 0, *, day: int = 10) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, minute, second)


def sessions() -> list[Transcript]:
    """One with a sub-agent in the background, a command and a query that never ended; one whose clock was ahead."""
    works = Transcript("works", NOON - dt.timedelta(minutes=3)).prompt("Go")
    works.response(call("c1", "coder", "x"), ("c2", "Bash", {"command": "codex exec 'check it'"}))
    works.result("c1", "Launched", toolUseResult=launched("a1"))
    agent = Transcript("works", NOON - dt.timedelta(minutes=2), agent="a1").prompt("x").response(stop=None)
    works.wait(60).response(("c3", "Bash", {"command": "duckdb a.db -c 'select * from orders'"}))
    ahead = Transcript("ahead", NOON + dt.timedelta(minutes=37)).prompt("Later").response()
    return [works, agent, ahead, Transcript("old", NOON - dt.timedelta(days=1)).prompt("Then").response()]


def question(now: dt.datetime) -> Question:
    here = now.replace(tzinfo=dt.UTC).astimezone(EVERY_ZONE).replace(tzinfo=None)
    return Question(EVERY, ViewOptions(), now, here, True, 140, None, None)


EVERY_ZONE = Question(EVERY, ViewOptions(), NOON, NOON, True, 140).zone


def activity(connection: Reader, now: dt.datetime) -> Any:
    page = list_activity(connection, EVERY, now=now)
    return replace(page, threads=replace(page.threads, now=NOON))


ASKED: dict[str, Callable[[Reader, dt.datetime], Any]] = {
    "sessions": lambda connection, now: sessions_data(connection, EVERY, now).page,
    "what runs": lambda connection, now: [replace(live, pulse=()) for live in running_now(connection, EVERY, now=now)],
    "activity": activity,
    "delegations": lambda connection, now: hand_overs(connection, EVERY, now=now),
    "agents": lambda connection, now: ranked_agents(connection, EVERY, now=now),
    "metrics": lambda connection, now: metrics(connection, EVERY, now=now),
    "figures": lambda connection, now: head.ask(connection, question(now)),
    "overview": lambda connection, now: Overview.ask(None, connection, question(now)),  # type: ignore[arg-type]
    "accesses": lambda connection, now: ask_accesses(connection, AccessOptions(), EVERY, now).page,
}
"""All questions that are told the time, but those of views that ask every minute."""

MOMENTS = [
    *(at(12, minute) for minute in (0, 3, 4, 6, 8, 14, 16, 29, 31, 33, 43, 44)),
    at(12, 4, 1),
    *(at(13, minute) for minute in (0, 14, 16)),
    *(at(18, minute) for minute in (1, 14, 15, 29)),
    at(0, 1, day=11),
]
"""While it works, goes quiet and is over, while the one runs whose clock was ahead; an hour, and in Nepal a day."""


def test_what_stands_is_what_would_be_answered(tmp_path: Path) -> None:
    with held(store_of(tmp_path, sessions(), zones=("Asia/Kathmandu",))) as store, store.read() as connection:
        asked = [Asked((), moment, moves_until(connection, moment)) for moment in MOMENTS]
        stands = [(one, other) for one in asked for other in asked if one.stands((), other.at) and one is not other]
        assert len(stands) > 8
        for name, ask in ASKED.items():
            answers = {moment: ask(connection, moment) for moment in MOMENTS}
            for one, other in stands:
                assert answers[one.at] == answers[other.at], (name, one.at, other.at)
            assert any(answer != answers[MOMENTS[0]] for answer in answers.values()), f"time changes no {name}"


def test_what_moves_until_when(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with store.read() as connection:
        assert moves_until(connection, NOON) is None
    told = Transcript("s", NOON).prompt("Go").wait(30).response()
    write(tmp_path / "claude", [told, Transcript("far", NOON + dt.timedelta(hours=2)).prompt("x").response()])
    catch_up(store, tmp_path / "claude")
    with store.read() as connection:
        assert moves_until(connection, NOON) == told.now + LIVE_FOR
        assert moves_until(connection, NOON + dt.timedelta(hours=3)) == NOON + dt.timedelta(hours=2) + LIVE_FOR


def test_it_stands_until_something_is_written_an_hour_begins_or_the_clock_is_set_back() -> None:
    asked = Asked((1,), at(12, 6), at(12, 5))
    assert asked.stands((1,), at(12, 6)) and asked.stands((1,), at(12, 14, 59))
    assert not asked.stands((2,), at(12, 7))
    assert not asked.stands((1,), at(12, 15))
    assert not asked.stands((1,), at(12, 7, day=11))
    assert not asked.stands((1,), at(12, 5, 59))
    assert not Asked((1,), at(12, 4), at(12, 5)).stands((1,), at(12, 4, 30)), "what runs may be over any time"


def test_a_limit_turns_when_it_is_reset_and_when_it_is_old() -> None:
    limit = PlanLimit("claude-code", None, None, None, "5h", 40.0, at(15, 0), at(12, 0), False, None, 40.0)
    assert not limit.turned(at(12, 1), at(12, 9))
    old = at(12, 0) + STALE_AFTER
    assert (
        not limit.turned(at(12, 9), old) and limit.turned(old, at(12, 11)) and not limit.turned(at(12, 11), at(12, 12))
    )
    assert limit.turned(at(14, 59), at(15, 0)) and not limit.turned(at(15, 0), at(15, 1))
    assert not replace(limit, resets_at=None).turned(at(14, 59), at(15, 0))


def test_what_is_read_while_somebody_writes_is_like_nothing_else() -> None:
    assert of_one_state((1, 2), (1, 2)) == (1, 2)
    odd = {of_one_state((1, 2), (3, 4)), of_one_state((1, 2), (3, 4)), (1, 2), (3, 4)}
    assert len(odd) == 4
