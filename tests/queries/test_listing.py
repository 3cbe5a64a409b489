"""A list of sessions that is put right after a load is the one that would be asked for anew."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import sessions
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.listing import SessionListing
from agnes_stats.queries.store import Store, TouchedByWrite

from tests.queries.random_sessions import BRANCHES, DAYS, FIRST_DAY, MODELS, PROJECTS, random_sessions
from tests.storing import note, store_in
from tests.transcripts import Transcript

ORDERS = sorted(sessions.ORDERS)


class Growing:
    """Sessions whose files grow by a few lines at a time."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.told = {told.name: told for told in random_sessions(chance.randrange(1000)) if told.rows}
        self.written: dict[str, int] = {}
        self.folder = folder / "claude" / "projects" / "-home-dana-work"
        self.store = store_in(folder)
        self.engine = Engine(self.store, [Root("claude", folder / "claude")], workers=0, rest_seconds=0.0)
        for name, told in self.told.items():
            self._write(name, max(1, round(len(told.rows) * chance.random())))
        self.engine.catch_up()

    def _write(self, name: str, lines: int) -> Path:
        path, told = self.folder / name, self.told[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        start = self.written.get(name, 0)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in told.rows[start : start + lines])
        self.written[name] = min(len(told.rows), start + lines)
        return path

    def grow(self) -> None:
        """A few lines come, and are loaded."""
        chance = self.chance
        names = chance.sample(sorted(self.told), min(len(self.told), chance.choice((1, 1, 1, 2, 3))))
        for name in names:
            if self.written[name] == len(self.told[name].rows):
                self._go_on(self.told[name])
        files = [self.engine.recognise(self._write(name, chance.randint(1, 3))) for name in names]
        self.engine.ingest(file for file in files if file is not None)

    def _go_on(self, told: Transcript) -> None:
        chance = self.chance
        told.wait(chance.choice((1, 40, 700, 90_000)))
        for _ in range(chance.randint(1, 3)):
            sort = chance.randrange(7)
            if sort == 0:
                told.event("compact_boundary", compactMetadata={"trigger": "auto", "preTokens": chance.randint(9, 999)})
            elif sort == 1:
                told.response(tokens=(1, 2, chance.choice((10, 300_000)), 4), model=chance.choice(MODELS))
            elif sort == 2:
                told.title(chance.choice(("Ärger", "zebra", "Apfel", "")) + str(len(told.rows)))
            elif sort == 3:
                key = f"{told.name}-{len(told.rows)}"
                told.response((key, "Bash", {"command": "ls"})).result(key, error=chance.random() < 0.5)
            elif sort == 4:
                told.response(tokens=(1, chance.randrange(9), 3, 4), stop=None)
            else:
                told.prompt("and now this")

    def now(self) -> dt.datetime:
        """The time of some line, or a little later: some of them run, and it may be tomorrow."""
        told = self.chance.choice(list(self.told.values()))
        return told.now + dt.timedelta(seconds=self.chance.choice((0, 250, 400)))


class Question:
    """A list of sessions that somebody goes on showing."""

    def __init__(self, chance: random.Random) -> None:
        chosen = Filter(zone="UTC")
        if chance.random() < 0.6:
            chosen = chosen.but(since=FIRST_DAY + dt.timedelta(days=chance.randrange(DAYS)))
        if chance.random() < 0.3:
            chosen = chosen.but(until=FIRST_DAY + dt.timedelta(days=chance.randrange(DAYS)))
        for field, values in {
            "project": PROJECTS,
            "model": MODELS,
            "branch": BRANCHES,
            "subagent_type": ("Explore", "docs:check"),
            "text": ("Fix", "prompt"),
        }.items():
            if chance.random() < 0.15:
                chosen = chosen.but(**{field: chance.choice(values)})
        self.chosen = chosen
        self.order = chance.choice(ORDERS)
        self.descending = chance.random() < 0.6
        self.limit = chance.choice((1, 2, 3, 500))
        self.held: tuple[int, SessionListing] | None = None

    def ask(self, store: Store, now: dt.datetime, seen: Counter[str]) -> None:
        """Ask in both ways: they say the same."""
        position = store.position()
        with store.read() as connection:
            sessions.count_sessions(connection)
            anew = sessions.listed(
                connection, self.chosen, now=now, order=self.order, descending=self.descending, limit=self.limit
            )
            touched = None if self.held is None else store.touched_since(self.held[0])
            if self.held is None or touched is None:
                seen["anything"] += 1
                self.held = position, anew
                return
            with mock.patch.object(sessions, "listed", wraps=sessions.listed) as whole:
                again = sessions.listed_again(connection, self.held[1], touched, self.chosen, now=now, order=self.order)
        seen["put right"] += not whole.called
        seen["some touched"] += 0 < len(touched) < anew.page.totals.sessions
        assert again.page == anew.page, (self.chosen, self.order, self.descending, touched)
        assert (again.usd, again.priced, again.entries) == (anew.usd, anew.priced, anew.entries)
        self.held = position, again


def grow_and_ask(folder: Path, seed: int, rounds: int) -> Counter[str]:
    chance = random.Random(seed)
    growing, seen = Growing(folder, chance), Counter[str]()
    questions = [Question(chance) for _ in range(4)]
    for _ in range(rounds):
        growing.grow()
        now = growing.now()
        for question in questions:
            # Who does not ask each time has more to put right.
            if chance.random() < 0.7:
                question.ask(growing.store, now, seen)
        if chance.random() < 0.1:
            note(growing.store, "somebody was here")
    return seen


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agnes_stats.ingest.engine.REST_SECONDS", (0.0, 0.0))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_what_is_put_right_is_what_is_asked_anew(seed: int, tmp_path: Path) -> None:
    seen = grow_and_ask(tmp_path, seed, 14)
    assert seen["some touched"] > 3 and seen["put right"] > 4 and seen["anything"] > 4


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 112))
def test_what_is_put_right_is_what_is_asked_anew_of_more(seed: int, tmp_path: Path) -> None:
    assert grow_and_ask(tmp_path, seed, 30)["some touched"] > 0


class Follower:
    """Says after each load which sessions are told to be touched."""

    def __init__(self, folder: Path) -> None:
        self.told = [Transcript(name, "2026-04-01T12:00:00") for name in ("t1", "t2")]
        self.growing = Growing(folder, random.Random(1))
        self.growing.told = {told.name: told for told in self.told}
        self.growing.written = {}
        for told in self.told:
            self._add(told.prompt("look").wait(1).response())
        self.add(*self.told)
        for told in self.told:
            # What is new of a session is only new once.
            told.wait(1).prompt("go on").wait(1).response()
        self.add(*self.told)

    def _add(self, told: Transcript) -> Path:
        return self.growing._write(told.name, 100)

    def add(self, *told: Transcript) -> frozenset[str] | None:
        """Load what they tell beyond what they told before."""
        store, engine = self.growing.store, self.growing.engine
        position = store.position()
        files = [engine.recognise(self._add(one)) for one in told]
        assert engine.ingest(file for file in files if file is not None)
        with store.read() as connection:
            sessions.count_sessions(connection)
            return store.touched_since(position)


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path)


def test_a_few_lines_touch_their_session_only(follower: Follower) -> None:
    one, other = follower.told
    assert follower.add(one.wait(1).prompt("and now this")) == {"t1"}
    assert follower.add(other.wait(1).response(), one.wait(1).response()) == {"t1", "t2"}


def test_a_compaction_may_be_of_any_session(follower: Follower) -> None:
    (one, _) = follower.told
    assert follower.add(one.wait(1).event("compact_boundary", compactMetadata={"trigger": "auto"})) is None
    assert follower.add(one.wait(1).prompt("go on")) == {"t1"}


def test_who_does_not_say_what_is_written_may_write_anything(follower: Follower) -> None:
    store = follower.growing.store
    position = store.position()
    assert store.touched_since(position) == set()
    note(store, "mine")
    assert store.touched_since(position) is None
    assert store.touched_since(store.position()) == set()


def test_what_another_program_wrote_may_be_anything(follower: Follower, tmp_path: Path) -> None:
    store = follower.growing.store
    with store.read() as connection:
        sessions.count_sessions(connection)
        position = store.position()
        assert store.touched_since(position) == set()
    # Another file in its place is all that can be seen of what another process wrote.
    shutil.copy(store.path, tmp_path / "copy")
    (tmp_path / "copy").replace(store.path)
    with store.read() as connection:
        sessions.count_sessions(connection)
        assert store.touched_since(position) is None


def test_what_is_being_written_may_be_anything_until_it_is_said(follower: Follower) -> None:
    store, touched = follower.growing.store, TouchedByWrite()
    position = store.position()
    with store.write(touched=touched):
        assert store.touched_since(position) is None
        touched.sessions = frozenset({"t2"})
        assert store.touched_since(position) == {"t2"}
        # Whoever looks now may not see it yet.
        assert store.position() == position
    assert store.touched_since(position) == {"t2"}


def test_a_model_of_another_session_says_when_it_is_compacted(follower: Follower) -> None:
    """One that was compacted goes on with another model: others of its first one are thought of differently."""
    one, other = follower.told
    follower.add(one.wait(1).event("compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 150_000}))
    assert follower.add(one.wait(1).response()) == {"t1"}
    assert follower.add(one.wait(1).response(model="claude-sonnet-4-5-20250929")) is None
    assert follower.add(one.wait(1).response(model="claude-sonnet-4-5-20250929")) == {"t1"}
    assert follower.add(one.wait(1).response(model="claude-sonnet-4-5-20250929", tokens=(1, 2, 250_000, 3))) is None
    assert follower.add(other.wait(1).response(model="claude-sonnet-4-5-20250929")) == {"t2"}
