"""What time alone changes on the screen, though nobody writes: it is right each minute, and mostly nobody is asked."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import live
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.live import NOTHING_TOLD, LiveSession, Told, ToldState
from agnes_stats.queries.sessions import list_sessions
from agnes_stats.queries.store import Reader, Stamp, Store
from agnes_stats.tui import live_states
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.live_states import MOST_LIVE, Running
from agnes_stats.tui.pane import Pane
from agnes_stats.tui.tokens import head
from agnes_stats.tui.tokens.view import Question
from textual.pilot import Pilot

from tests.queries.test_tasks import todo
from tests.storing import held
from tests.transcripts import Transcript, store_of
from tests.tui.places import PLACES, a_bit_of_everything, everywhere
from tests.tui.running import NOW, press, running, screen_text, settle, show_view


async def at(app: AgnesStats, pilot: Pilot[int], moment: dt.datetime) -> str:
    """The screen after the first minute that has passed at a moment."""
    app.now = lambda: moment  # type: ignore[method-assign]
    app._tick()
    await settle(pilot)
    return screen_text(app)


class Counted:
    """Counts the questions of panes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        ask = Pane._ask

        def counted(pane: Pane[Any]) -> None:
            self.number += 1
            ask(pane)

        monkeypatch.setattr(Pane, "_ask", counted)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A session that works, with tasks, and a limit."""
    works = Transcript("s1", NOW - dt.timedelta(minutes=2)).prompt("count the orders")
    todo(works, "w1", ("read", "completed"), ("ship", "pending"))
    works.response(("c1", "Bash", {"command": "make"}), tokens=(1000, 0, 0, 1000))
    store = store_of(tmp_path, [works])
    log, reset = limit_log.log_beside(store.path), NOW + dt.timedelta(hours=2)
    window = {"used_percentage": 61, "resets_at": reset.replace(tzinfo=dt.UTC).timestamp()}
    limit_log.note(log, {"rate_limits": {"five_hour": window}}, NOW.replace(tzinfo=dt.UTC).timestamp())
    Engine(store, [Root("limits", log.parent)], workers=0).catch_up()
    with held(store):
        yield store


async def test_the_clock_goes_on_and_nobody_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counted(monkeypatch)
    minute = dt.timedelta(minutes=1)
    async with running(store) as (app, pilot):
        shown = screen_text(app)
        assert "● 1 live" in shown and "running 1m" in shown and "5h 61 %" in shown
        # Within the last five minutes it may be over any time.
        shown = await at(app, pilot, NOW + minute)
        assert "● 1 live" in shown and "running 2m" in shown
        shown = await at(app, pilot, NOW + 4 * minute)
        assert "live" not in shown and "running" not in shown
        await at(app, pilot, NOW + 5 * minute)
        before = asked.number
        for number in range(6, 15):
            shown = await at(app, pilot, NOW + number * minute)
        assert asked.number == before, "nothing can have become something else"
        assert "5h 61 % 14m ago" in shown, "what was told of a limit is old after ten minutes"
        # A window ends, between two quarters of an hour.
        assert "5h 61 %" in await at(app, pilot, NOW + 119 * minute)
        assert "5h 61 %" not in await at(app, pilot, NOW + 120 * minute)
        await press(pilot, "2")
        assert "nothing yet" not in screen_text(app)
        assert "nothing yet" in await at(app, pilot, dt.datetime(2026, 3, 11, 0, 0, 30)), "today has begun"
        await press(pilot, "1")
        await show_view(pilot, "tasks")
        assert "9h ago" in await at(app, pilot, dt.datetime(2026, 3, 11, 0, 42))
        before = asked.number
        assert "10h ago" in await at(app, pilot, dt.datetime(2026, 3, 11, 0, 44))
        assert asked.number == before, "how long ago a task was changed is told without asking"


def test_what_runs_is_asked_once_a_minute_and_state_of_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dt.datetime] = []
    answer = live_states.running_now

    def counted(connection: Reader, chosen: Filter, *, now: dt.datetime, **more: Any) -> list[LiveSession]:
        asked.append(now)
        return answer(connection, chosen, now=now, **more)

    monkeypatch.setattr(live_states, "running_now", counted)
    running, everything = Running(), Filter(zone="UTC")
    idles = Told({"s1": ToldState("idle")})
    with store.read() as connection:

        def ask(
            seconds: int = 0, chosen: Filter = everything, stamp: Stamp = (1,), told: Told = NOTHING_TOLD
        ) -> list[str]:
            moment = NOW + dt.timedelta(seconds=seconds)
            return [one.state for one in running.ask(connection, chosen, stamp=stamp, now=moment, told=told)]

        assert ask() == ask(10) == ask(0, everything.but(text="orders")) == ["working"]
        assert len(asked) == 1
        assert ask(told=idles) == ["idle"]
        assert ask(31) == ["working"], "the next minute of the clock"
        assert ask(31, stamp=(2,)) == ["working"]
        assert ask(31, everything.but(project="/nowhere"), (2,)) == []
        assert len(asked) == 5


def test_who_lists_sessions_asks_what_runs_for_those_who_do_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running, told, halves = Running(), list[str](), list[list[str]]()
    asked: Any = {"stamp": (1,), "now": NOW, "told": NOTHING_TOLD}
    half = live.what_they_do

    def counted(connection: Reader, ids: Sequence[str], *, now: dt.datetime) -> live.Doings:
        halves.append(list(ids))
        return half(connection, ids, now=now)

    for module in (live, live_states):
        monkeypatch.setattr(module, "what_they_do", counted)

    def give_way() -> None:
        with store.read() as connection:
            running.give_way(connection, Filter(zone="UTC"), **asked)
        told.append("who has no list")

    another = threading.Thread(target=give_way)
    with store.read() as connection, running.coming():
        another.start()
        another.join(0.1)
        rows = list_sessions(connection, Filter(zone="UTC"), now=NOW).rows
        found = running.ask(connection, Filter(zone="UTC"), **asked, listed=lambda: rows)
        told.append("who has one")
        assert found == live.running_now(connection, Filter(zone="UTC"), now=NOW, limit=MOST_LIVE)
    another.join()
    give_way()
    assert told == ["who has one", "who has no list", "who has no list"]
    # Half of it was asked by the one that waited, and once more for the comparison.
    assert len(halves) == 2 and halves[0] == halves[1] != []


async def test_the_header_takes_the_answer_of_the_list(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Filter] = []
    answer = live_states.running_now

    def counted(connection: Reader, chosen: Filter, **more: Any) -> list[LiveSession]:
        asked.append(chosen)
        return answer(connection, chosen, **more)

    monkeypatch.setattr(live_states, "running_now", counted)
    async with running(store) as (app, pilot):
        assert len(asked) == 1
        assert "● 1 live" in screen_text(app) and "Now" in screen_text(app)
        app.choose(project="/nowhere")
        await settle(pilot)
        # What runs elsewhere runs, whatever is listed.
        assert len(asked) == 3 and "● 1 live" in screen_text(app)


async def test_the_figures_are_asked_once_for_all_that_is_shown_below_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Filter] = []
    answer = head.ask

    def counted(connection: Reader, question: Question) -> head.HeadData:
        asked.append(question.chosen)
        return answer(connection, question)

    monkeypatch.setattr(head, "ask", counted)
    async with running(store) as (app, pilot):
        await press(pilot, "2", "b", "u", "]", "f5")
        assert len(asked) == 1
        app.choose(project="warehouse")
        await settle(pilot)
        assert [chosen.project for chosen in asked] == [None, "warehouse"]
        monkeypatch.setattr(Store, "stamp", lambda _: (1,))
        await press(pilot, "f5")
        assert len(asked) == 3
        await at(app, pilot, NOW + dt.timedelta(days=1))
        assert len(asked) == 4


@pytest.mark.long
async def test_at_every_place_what_is_told_after_a_minute_is_what_would_be_answered(own_home: Path) -> None:
    hour, seen = dt.timedelta(hours=1), []
    with held(a_bit_of_everything(own_home)) as store:
        async with everywhere(store, (140, 45)) as places:
            async for place, app, pilot in places:
                for passed in (hour / 60, hour / 5, hour * 10):
                    told = await at(app, pilot, NOW + passed)
                    app.active_pane.refresh_data()
                    app.header.refresh_data()
                    await settle(pilot)
                    assert screen_text(app) == told, (place, passed)
                seen.append(place)
                await at(app, pilot, NOW)
    assert seen == list(PLACES)
