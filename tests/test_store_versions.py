"""A store of an older version is brought up to this one by itself, and loses nothing, also of files that are gone."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.formats.claude.limits import is_limit, resets_in
from agnes_stats.queries import rollups, session_detail, sessions, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.schema import FACTS, ROLLUPS_BY_DAY, STORE_VERSION, columns_of, ddl
from agnes_stats.queries.store import Store
from agnes_stats.queries.store.salvage import salvage

from tests.storing import held
from tests.transcripts import Transcript, write

NOW = dt.datetime(2026, 3, 12)
VERSION_2 = Path(__file__).with_name("store_version_2.sql").read_text("utf-8")


def counts(connection: Any) -> dict[str, int]:
    tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that an old version wrote."""
    path = tmp_path_factory.mktemp("old") / "store.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(VERSION_2)
    return path


@pytest.fixture
def old(written: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copy(written, tmp_path)))


@pytest.fixture(scope="module")
def upgraded(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same, brought up to date, for those who only ask."""
    with held(Store(Path(shutil.copy(written, tmp_path_factory.mktemp("upgraded"))))) as store:
        yield store


def test_every_row_is_there_and_says_which_agent_told_it(old: Store) -> None:
    with duckdb.connect(str(old.path)) as connection:
        before = counts(connection)
    before["subagents"] = before.pop("agents")
    with old.read() as connection:
        after = counts(connection)
        version = connection.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchall()
        agents = {
            fact.name: dict(connection.execute(f"SELECT agent, count(*) FROM {fact.name} GROUP BY 1").fetchall())
            for fact in FACTS
            if before.get(fact.name)
        }
    assert version == [(str(STORE_VERSION),)]
    assert {table: count for table, count in after.items() if table in before and table not in ROLLUPS_BY_DAY} == {
        table: count for table, count in before.items() if table not in ROLLUPS_BY_DAY
    }
    nobody = {"accesses", "sync_actions"}
    assert agents == {
        table: {"claude-code": before[table] - (table in nobody)} | ({None: 1} if table in nobody else {})
        for table in agents
    }


def test_its_numbers_are_the_same_and_can_be_asked_by_agent(upgraded: Store) -> None:
    with upgraded.read() as connection:
        one, other = (sessions.one_session(connection, key, now=NOW) for key in ("s1", "s2"))
        assert one is not None and other is not None
        kinds = connection.execute("SELECT kind, count(*) FROM responses GROUP BY 1 ORDER BY 1").fetchall()
        sources = connection.execute("SELECT DISTINCT source FROM files ORDER BY 1").fetchall()
        total = tokens.totals(connection, Filter(agent="claude-code"))
        assert tokens.totals(connection, Filter()) == total
        assert tokens.totals(connection, Filter(agent="codex")).responses == 0
    assert (one.agent, one.title, one.project, one.output_tokens, one.input_tokens) == (
        *("claude-code", "Orders", "/home/dana/shop"),
        *(24, 11),
    )
    assert (other.agent, other.username, other.output_tokens) == ("claude-code", "ann", 7)
    assert kinds == [("advisor", 1), ("turn", 3)]
    assert sources == [("agnes-server-folder",), ("claude",)]
    assert (total.responses, total.output_tokens, total.cost_usd) == (4, 31, pytest.approx(0.8))


def test_sub_agents_are_called_so(old: Store) -> None:
    """Their table and columns had the names of agents, which are what somebody runs; also in what rivals keep."""
    told = {"agent_id": "a1", "agent_name": 'says "agent_id": no', "path": "/gone/copy.jsonl", "is_copy": False}
    with duckdb.connect(str(old.path)) as connection:
        connection.execute("ALTER TABLE responses ADD COLUMN rivals VARCHAR")
        connection.execute(
            "UPDATE responses SET rivals = ? WHERE key = 'm2'", [json.dumps([told], separators=(",", ":"))]
        )
        connection.execute(
            "UPDATE tool_calls SET spawned_agent_id = 'a1', spawned_status = 'async_launched' WHERE id = 'c2'"
        )
    with old.read() as connection:
        [subagent] = connection.execute("SELECT subagent_id, subagent_type FROM subagents").fetchall()
        [spawned] = connection.execute(
            "SELECT spawned_subagent_id, spawned_status FROM tool_calls WHERE id = 'c2'"
        ).fetchall()
        [(by, rivals)] = connection.execute("SELECT subagent_id, rivals FROM responses WHERE key = 'm2'").fetchall()
        [run] = session_detail.session_detail(connection, "s1", now=NOW).agents
        assert tokens.totals(connection, Filter(subagent_type="Explore")).output_tokens == 3
        left = {column for (column,) in connection.execute("SELECT column_name FROM duckdb_columns()").fetchall()}
    assert (subagent, spawned, by) == (("a1", "Explore"), ("a1", "background"), "a1")
    assert (run.subagent_id, run.subagent_type, run.description, run.call_id) == ("a1", "Explore", "look around", "c2")
    [kept] = json.loads(rivals)
    assert kept == {"subagent_id": "a1", "subagent_name": told["agent_name"], "path": told["path"], "is_copy": False}
    assert not left & {"agent_id", "agent_name", "agent_type", "spawned_agent_id"}


def test_what_can_be_read_of_it_is_taken_over_under_the_new_names(old: Store, tmp_path: Path) -> None:
    with duckdb.connect(str(old.path)) as connection:
        connection.execute("UPDATE tool_calls SET spawned_agent_id = 'a1' WHERE id = 'c2'")
    with duckdb.connect(str(tmp_path / "new.duckdb")) as connection:
        for statement in ddl():
            connection.execute(statement)
        assert salvage(connection, [old.path], tmp_path) > 0
        assert connection.execute("SELECT subagent_id, subagent_type FROM subagents").fetchall() == [("a1", "Explore")]
        assert connection.execute("SELECT key FROM responses WHERE subagent_id = 'a1'").fetchall() == [("m2",)]
        assert connection.execute("SELECT id FROM tool_calls WHERE spawned_subagent_id = 'a1'").fetchall() == [("c2",)]


def test_its_rollups_say_what_its_facts_say(upgraded: Store) -> None:
    with upgraded.read() as connection:
        for zone in ("UTC", "Asia/Tokyo"):
            for table in ROLLUPS_BY_DAY:
                columns = ", ".join(columns_of(table))
                told = getattr(rollups, table)(f"'{zone}'")
                asked = f"SELECT {columns} FROM {table} WHERE zone = '{zone}' ORDER BY ALL"
                stored = connection.execute(asked).fetchall()
                assert stored == connection.execute(f"SELECT {columns} FROM ({told}) ORDER BY ALL").fetchall()
                assert stored


def test_what_is_read_from_then_on_comes_beside_it(old: Store, tmp_path: Path) -> None:
    write(tmp_path / "claude", [Transcript("s3", "2026-03-12T09:00:00").prompt("Hello").response()])
    Engine(old, [Root("claude", tmp_path / "claude")], workers=0, rest_seconds=0.0).catch_up()
    with old.read() as connection:
        assert tokens.totals(connection, Filter()).output_tokens == 131
        days = connection.execute("SELECT sum(output_tokens) FROM tokens_daily WHERE zone = 'Asia/Tokyo'").fetchone()
    assert days == (131,)


LIMITS = [
    "Claude AI usage limit reached|1773163200",
    "5-hour limit reached ∙ resets 3pm",
    "5-hour limit reached ∙ resets 12am",
    "Claude usage limit reached. Your limit will reset at 10am (America/Lima).",
    "You've hit your session limit · resets 12:50pm (Europe/Paris)",
    "You've hit your limit · resets May 5 at 9pm (America/New_York)",
    "Weekly limit reached ∙ resets Jan 6, 1pm",
    "Weekly limit reached ∙ resets Tuesday at 9am",
    "Limit reached · resets 13pm",
    "You've hit your limit",
    "API Error: Overloaded",
]


def test_its_errors_tell_of_limits_as_new_ones_do(old: Store) -> None:
    """Also where the transcript is gone that said so."""
    with duckdb.connect(str(old.path)) as connection:
        connection.execute(
            "INSERT INTO events BY NAME SELECT e.* REPLACE (id || said AS id, 'api_error' AS kind, said AS text) "
            "FROM events e, (SELECT unnest(?) AS said)",
            [LIMITS],
        )
    with old.read() as connection:
        told = connection.rows("SELECT text, is_limit, resets FROM events WHERE text IN (SELECT unnest(?))", [LIMITS])
    assert {text: (limit, resets) for text, limit, resets in told} == {
        text: (is_limit(text) or None, resets_in(text) if is_limit(text) else None) for text in LIMITS
    }


def test_its_commands_and_sub_agents_come_with_the_agent_as_new_ones_do(upgraded: Store) -> None:
    with upgraded.read() as connection:
        prompts = connection.rows("SELECT id, is_builtin, begins_turn FROM prompts ORDER BY id")
        calls = connection.rows("SELECT id, is_builtin FROM tool_calls ORDER BY id")
        [(noted,)] = connection.rows("SELECT is_builtin FROM subagents")
        extensions = connection.rows("SELECT DISTINCT name, source FROM extensions_daily ORDER BY name")
    assert prompts == [("p1", None, None), ("p2", True, False)]
    assert (calls, noted) == ([("c1", None), ("c2", True)], True)
    assert extensions == [("Explore", "builtin"), ("clear", "builtin")]
