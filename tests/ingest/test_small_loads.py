"""A few appended lines are loaded with few statements, and leave the store as any other load of them would."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.facts import FACTS, Half
from agnes_stats.queries.store import Store, _duckdb

from tests.faults.same import contents, difference
from tests.storing import kept_open, store_in
from tests.transcripts import HAIKU, OPUS, Transcript

ZONES = ("UTC", "Asia/Tokyo")


class Counting:
    """A connection to DuckDB that notes each statement, however it is sent."""

    def __init__(self, connection: Any, noted: list[str]) -> None:
        self._connection = connection
        self._noted = noted

    def execute(self, sql: Any, *parameters: Any) -> Any:
        # One that was parsed before is none of text.
        self._noted.append(" ".join(getattr(sql, "query", sql).split()))
        return self._connection.execute(sql, *parameters)

    def cursor(self) -> Counting:
        return Counting(self._connection.cursor(), self._noted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Followed:
    """A session that is followed: what a row costs that is appended to its file."""

    def __init__(self, folder: Path, noted: list[str]) -> None:
        self.noted = noted
        self.told = Transcript("s1", "2026-03-01T12:00:00")
        self.file = folder / "claude" / "projects" / "-home-dana-work" / self.told.name
        self.file.parent.mkdir(parents=True)
        self.store = store_in(folder)
        self.engine = Engine(self.store, [Root("claude", folder / "claude")], ZONES, workers=0, rest_seconds=0.0)
        self.told.prompt("look around").wait(1).response(("c0", "Bash", {"command": "ls"})).wait(1).result("c0")
        self.write()
        self.engine.catch_up()
        # What is new of a session is only new once.
        self.told.wait(1).prompt("go on").wait(1).response()
        self.statements()

    def write(self, start: int = 0) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in self.told.rows[start:])
        self.written = len(self.told.rows)

    def statements(self) -> list[str]:
        """The statements that the rows cost which were told since; they arrive at once."""
        self.write(self.written)
        self.noted.clear()
        found = self.engine.recognise(self.file)
        assert found is not None
        assert self.engine.ingest([found]).files == 1
        self.told.wait(1)
        return list(self.noted)


def statements_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is run from now on in a folder with a store, as it comes."""
    noted: list[str] = []
    store_in(folder)
    connect = _duckdb.duckdb.connect
    monkeypatch.setattr(_duckdb.duckdb, "connect", lambda *given, **named: Counting(connect(*given, **named), noted))
    return noted


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    noted = statements_of(tmp_path, monkeypatch)
    monkeypatch.setattr("agnes_stats.ingest.engine.REST_SECONDS", (0.0, 0.0))
    yield Followed(tmp_path, noted)


def rebuilt(followed: Followed, folder: Path) -> Store:
    folder.mkdir()
    store = store_in(folder)
    Engine(store, followed.engine.roots, ZONES, workers=0, rest_seconds=0.0).catch_up()
    return store


MOST = 18
"""Statements of one appended line, those that open and close the store with them."""

USUAL = {"prompt": 12, "text": 14, "call": 18, "result": 14, "title": 11, "grown response": 14, "failed result": 14}
"""How many they are, so that one more is noticed."""


def tell(told: Transcript, kind: str) -> None:
    if kind == "prompt":
        told.prompt("and now this")
    elif kind == "text":
        told.response(text="done")
    elif kind == "call":
        told.response(("c1", "Read", {"file_path": "/etc/hosts"}))
    elif kind == "result":
        told.result("c1", "127.0.0.1 localhost")
    elif kind == "title":
        told.title("Hosts")
    elif kind == "grown response":
        told.response(tokens=(10, 900, 1000, 200), text="more")
        told.rows[-1]["message"]["id"] = told.rows[-2]["message"]["id"]
    elif kind == "failed result":
        told.result("c2", "no such file", error=True)


def test_an_appended_line_takes_few_statements(followed: Followed, tmp_path: Path) -> None:
    counted = {}
    for kind in ("prompt", "text", "call", "result", "title"):
        tell(followed.told, kind)
        counted[kind] = followed.statements()
    followed.told.response(("c2", "Read", {"file_path": "/etc/host"}))
    followed.statements()
    for kind in ("failed result", "grown response"):
        if kind == "grown response":
            followed.told.response(text="some")
            followed.statements()
        tell(followed.told, kind)
        counted[kind] = followed.statements()
    for kind, statements in counted.items():
        assert len(statements) <= MOST, (kind, statements)
        assert sum(statement.startswith("ATTACH") for statement in statements) == 1, kind
        assert not any("read_json" in statement for statement in statements), kind
    assert {kind: len(statements) for kind, statements in counted.items()} == USUAL
    live, anew = contents(followed.store), contents(rebuilt(followed, tmp_path / "anew"))
    assert difference(live, anew) == ""


def test_nothing_is_written_to_files_on_the_way(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("rows of a line were put into a file")

    monkeypatch.setattr(Batch, "write", refuse)
    beside = set(followed.store.path.parent.iterdir())
    for kind in ("prompt", "call", "result"):
        tell(followed.told, kind)
        followed.statements()
    assert set(followed.store.path.parent.iterdir()) == beside


def test_what_is_told_in_small_loads_is_what_is_told_at_once(followed: Followed, tmp_path: Path) -> None:
    """Lines of all sorts, some of them at once, at random; sometimes the load is none of the small ones."""
    chance = random.Random(7)
    told = followed.told
    open_calls: list[str] = []
    for number in range(40):
        for _ in range(chance.choice((1, 1, 1, 3))):
            told.wait(chance.choice((1, 1, 700, 90_000)) if number % 9 == 0 else 2)
            sort = chance.randrange(9)
            if sort == 0:
                told.prompt(f"do {number}")
            elif sort == 1:
                told.command(chance.choice(("clear", "mine:tidy")))
            elif sort in (2, 3):
                key = f"n{number}-{len(told.rows)}"
                name = chance.choice(("Bash", "Skill", "Agent", "mcp__db__query", "TodoWrite"))
                given = {"command": "git status", "skill": "tidy", "sql": "SELECT 1", "prompt": "look"}
                told.response((key, name, given), model=chance.choice((OPUS, HAIKU)))
                open_calls.append(key)
            elif sort == 4 and open_calls:
                told.result(open_calls.pop(), error=chance.random() < 0.4)
            elif sort == 5:
                told.response(tokens=(1, chance.randrange(5), 3, 4), stop=chance.choice((None, "end_turn")))
            elif sort == 6 and told.rows[-1]["type"] == "assistant":
                before = told.rows[-1]["message"]
                told.response(tokens=(1, 50, 3, 4), model=before["model"])
                told.rows[-1]["message"]["id"] = before["id"]
            elif sort == 7:
                told.title(f"title {number}")
            else:
                told.event("turn_duration", durationMs=number)
        followed.statements()
    live, anew = contents(followed.store), contents(rebuilt(followed, tmp_path / "anew"))
    assert difference(live, anew) == ""
    assert not difference(anew, live)


def test_a_reader_that_closes_the_file_after_us_is_nobody_else(followed: Followed) -> None:
    """A screen asks while a line is written, and goes later: the next line costs no more than any."""
    for _ in range(2):
        with kept_open(followed.store):
            tell(followed.told, "prompt")
            assert followed.statements()
        tell(followed.told, "prompt")
        assert len(followed.statements()) == USUAL["prompt"]


def test_what_another_program_wrote_is_noticed(followed: Followed) -> None:
    other = Engine(Store(followed.store.path), followed.engine.roots, ZONES, workers=0, rest_seconds=0.0)
    tell(followed.told, "prompt")
    followed.write(followed.written)
    assert other.catch_up().files == 1
    assert followed.engine.catch_up().files == 0
    tell(followed.told, "prompt")
    assert followed.statements()


def title(store: Store, session: str) -> object:
    with store.read() as connection:
        return connection.value("SELECT title FROM sessions WHERE session_id = ?", [session])


def test_a_title_gives_way_to_what_came_before_it(followed: Followed) -> None:
    """Most prompts leave the title as it is, and it is not looked for again; an earlier one does not."""
    told = followed.told
    told.prompt("later")
    assert not any("regexp_full_match" in statement for statement in followed.statements())
    assert title(followed.store, "s1") == "look around"
    told.wait(-3600).prompt("first of all")
    followed.statements()
    assert title(followed.store, "s1") == "first of all"
    told.title("mine").wait(-60).prompt("earlier still")
    followed.statements()
    assert title(followed.store, "s1") == "mine"


VALUES: dict[str, tuple[Any, ...]] = {
    "VARCHAR": (None, "", "a", "B", "é", "\U0001f600", "\uffee"),
    "BIGINT": (None, 0, 1, 2),
    "UTINYINT": (None, 0, 1),
    "BOOLEAN": (None, False, True),
    "TIMESTAMP": (None, 1, 2),
}


@pytest.mark.parametrize(
    "half", [pytest.param(half, id=f"{fact.name}-{n}") for fact in FACTS for n, half in enumerate(fact.halves)]
)
def test_python_and_sql_choose_the_same_line(half: Half) -> None:
    """The order of a group of columns is written once, and read in two languages."""
    chance = random.Random(half.pick + half.terms[0].column)
    columns = [term.column for term in half.terms] + ([half.needs] if half.needs else [])
    kinds = {column: half.columns[column] for column in columns}
    groups = [
        [{name: chance.choice(VALUES[kind]) for name, kind in kinds.items()} | {"n": n} for n in range(4)]
        for _ in range(60)
    ]
    marks = ["make_timestamp(?::BIGINT)" if kind == "TIMESTAMP" else f"?::{kind}" for kind in kinds.values()]
    rows = [(number, line) for number, group in enumerate(groups) for line in group]
    values = ", ".join([f"(?, ?, {', '.join(marks)})"] * len(rows))
    picked = f"arg_{half.pick}(n, ({', '.join(half.order)}, n)) FILTER ({half.where or 'true'})"
    with _duckdb.duckdb.connect(":memory:") as connection:
        found = connection.execute(
            f"SELECT g, {picked} FROM (VALUES {values}) t(g, n, {', '.join(kinds)}) GROUP BY g",
            [value for number, line in rows for value in (number, line["n"], *(line[name] for name in kinds))],
        ).fetchall()
    by_sql = dict(found)
    # Of equals SQL is told here to take the first, or, of the last that counts, the last.
    won = [half.winner(group if half.pick == "min" else reversed(group)) for group in groups]
    assert by_sql == {number: None if line is None else line["n"] for number, line in enumerate(won)}
