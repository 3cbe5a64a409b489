"""Any text that is kept is found, once, with what it is; whatever is filtered, and page by page."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from agnes_stats.queries import search, sessions, steps, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.search import FoundText, narrowed
from agnes_stats.queries.session_detail import session_detail
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.transcripts import Transcript, store_of

NOW = dt.datetime(2026, 3, 10, 12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A session of each agent's kinds of texts, and another one that has nothing of it."""
    told = Transcript("s1", "2026-03-10T08:00:00").title("Fix the churn query").prompt("Why is the ROLLUP slow?")
    told.wait(5).response(
        ("c1", "Bash", {"command": "make deploy && duckdb shop.duckdb -c 'select * from paying_customers'"}),
        ("c2", "Read", {"file_path": "/home/dana/warehouse/models/margin.sql"}),
        ("c3", "Task", {"description": "inspect the ledger", "subagent_type": "Explore"}),
    )
    told.wait(5).result("c1", "Permission denied: 50%_off", error=True).wait(1).result("c2").wait(1).response()
    told.command("compact-now")
    agent = Transcript("s1", "2026-03-10T08:00:12", agent="a1").response(("g1", "Grep", {"pattern": "needle"}))
    agent.note("Explore", "inspect the ledger", "c3")
    other = (
        Transcript("s2", "2026-03-09T08:00:00").prompt("Sum up the orders").wait(5).response(model="claude-opus-4-6")
    )
    return store_of(tmp_path_factory.mktemp("search"), [told, agent, other])


def found(store: Store, text: str, chosen: Filter | None = None) -> list[FoundText]:
    with store.read() as connection:
        return search.search(connection, chosen or Filter(), text).rows


@pytest.mark.parametrize(
    ("text", "where", "row_id"),
    [
        ("churn", "title", "s1"),
        ("rollup slow", "prompt", None),
        ("slow rollup", "prompt", None),
        ("compact-now", "prompt", None),
        ("make deploy", "command", "c1"),
        ("PAYING_customers", "sql", "c1"),
        ("margin.sql", "path", "c2"),
        ("permission denied", "error", "c1"),
        ("50%_off", "error", "c1"),
        ("needle", "path", "g1"),
        ("ledger", "prompt", "c3"),
    ],
)
def test_every_kind_of_text_is_found_once_with_what_it_is(
    store: Store, text: str, where: str, row_id: str | None
) -> None:
    rows = found(store, text)
    assert [row.kind for row in rows] == [where], rows
    assert rows[0].session_id == "s1"
    assert rows[0].agent == "claude-code"
    assert rows[0].project is not None
    if row_id is not None:
        assert rows[0].id == row_id
    for word in text.lower().split():
        assert word in rows[0].text.lower()


@pytest.mark.parametrize("text", ["", "  ", "no such words", "slow orders", "50__off", "50%off", "%", "';--"])
def test_what_is_nowhere_is_not_found(store: Store, text: str) -> None:
    """All words have to be in one text; signs that are something in SQL are nothing here."""
    assert [row.text for row in found(store, text) if "%" not in row.text] == []


def test_filters_leave_what_they_leave_everywhere(store: Store) -> None:
    assert len(found(store, "the")) == 5
    assert {row.session_id for row in found(store, "the", Filter(session_id="s2"))} == {"s2"}
    assert {row.session_id for row in found(store, "the", Filter(until=dt.date(2026, 3, 9)))} == {"s2"}
    assert {row.session_id for row in found(store, "the", Filter(model="claude-opus-4-6"))} == {"s2"}
    assert found(store, "the", Filter(agent="codex")) == []
    assert found(store, "the", Filter(user="ann")) == []
    assert found(store, "the", Filter(project="nowhere")) == []


@pytest.mark.parametrize("among", [1, 20])
def test_pages_follow_each_other_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch, among: int) -> None:
    """Also where so few texts are looked at first that these are not enough."""
    monkeypatch.setattr(search, "_AMONG", among)
    with store.read() as connection:
        whole = search.search(connection, Filter(), "e").rows
        times = [row.timestamp for row in whole if row.timestamp]
        assert times == sorted(times, reverse=True)
        assert len({row.id for row in whole}) == len(whole) > 5
        pages, cursor = [], None
        while True:
            page = search.search(connection, Filter(), "e", cursor=cursor, limit=2)
            pages += page.rows
            cursor = page.older
            if cursor is None:
                break
        assert pages == whole


def test_a_session_is_listed_for_any_of_its_texts_with_where_it_is(store: Store) -> None:
    with store.read() as connection:
        chosen = narrowed(connection, Filter(text="paying_customers"))
        assert chosen.found is not None
        assert {key: (hit.where, hit.id) for key, hit in chosen.found.items()} == {"s1": ("sql", "c1")}
        page = sessions.list_sessions(connection, chosen, now=NOW)
        assert [row.session_id for row in page.rows] == ["s1"]
        assert tokens.totals(connection, chosen).responses == page.totals.responses == 3
        days = chosen.but(since=dt.date(2026, 3, 10))
        assert sessions.list_sessions(connection, days, now=NOW).totals.sessions == 1
        titled = narrowed(connection, Filter(text="the"))
        assert titled.found is not None and titled.found["s1"].where == "title"
        nothing = narrowed(connection, Filter(text="no such words"))
        assert sessions.list_sessions(connection, nothing, now=NOW).totals.sessions == 0
        assert narrowed(connection, Filter()) == Filter()


def test_the_way_to_a_step_goes_through_the_sub_agents_above_it(store: Store) -> None:
    with store.read() as connection:
        detail = session_detail(connection, "s1", now=NOW)
        assert detail is not None
        turn = f"turn:{detail.turns[0].id}"
        assert steps.way_to(connection, detail, "c1").keys() == {turn}
        way = steps.way_to(connection, detail, "g1")
        assert way.keys() == {"agent:a1", "call:c3", turn}
        shown = steps.steps(
            connection, ["s1"], [], {key: most for key, most in way.items() if not key.startswith("call:")}
        )
        assert {"g1", "c3"} <= {step.id for step in shown}
        assert steps.way_to(connection, detail, "no such thing") == {}


def test_the_command_pages_and_wants_a_word(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--store", str(store.path), "--no-ingest", "--tz", "UTC"]
    assert cli.main(["search", "the", "churn", "--json", *places]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(row["where"], row["session_id"]) for row in answer["rows"]] == [("title", "s1")]
    assert [(row["machine"], row["username"]) for row in answer["rows"]] == [(None, None)]
    assert answer["next_cursor"] is None
    assert cli.main(["search", "the", "--json", "--limit", "1", *places]) == 0
    cursor = json.loads(capsys.readouterr().out)["next_cursor"]
    more = ["--cursor-ts", cursor["timestamp"], "--cursor-id", cursor["id"]]
    assert cli.main(["search", "the", "--json", *more, *places]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 4
    assert cli.main(["search", "margin.sql", *places]) == 0
    told = capsys.readouterr().out
    assert "path" in told and "models/margin.sql" in told
    assert cli.main(["search", "  ", *places]) == 2
    assert "at least one word" in capsys.readouterr().err
    assert cli.main(["search", "no such words", *places]) == 0
    assert "Nothing has these words." in capsys.readouterr().out


def told_of(words: str, store: Store, command: str, capsys: pytest.CaptureFixture[str]) -> str:
    places = ["--store", str(store.path), "--no-ingest", "--tz", "UTC", "--json"]
    named = ["the"] if command == "search" else []
    assert cli.main([command, *named, *words.split(), *places]) in (0, 10, 20)
    return capsys.readouterr().out


COUNTING = (
    *("sessions", "activity", "tokens", "breakdown", "delegations", "agents", "tasks", "metrics", "search", "home"),
    *("status", "daily", "weekly", "monthly", "blocks", "models"),
)


@pytest.mark.parametrize("command", COUNTING)
def test_a_text_leaves_what_its_sessions_leave(command: str, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    by_text, by_model, nothing = (
        told_of(option, store, command, capsys)
        for option in ("--text orders", "--model claude-opus-4-6", "--text needle-in-no-text")
    )
    # Only the session with this word has that model.
    assert by_text == by_model
    assert nothing == told_of("--model none", store, command, capsys)
    if command not in ("tasks", "search", "home", "status", "delegations"):
        assert by_text != told_of("--text margin.sql", store, command, capsys) != nothing
