"""One meaning of a filter: every number equals the same question asked of the facts, naively."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from agnes_stats.queries import (
    access,
    activity,
    caching,
    delegation,
    home,
    live,
    periods,
    results,
    rhythm,
    sessions,
    tokens,
    tools,
    trends,
)
from agnes_stats.queries.access_sums import Selection
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store.rebuilding import made_anew
from agnes_stats.queries.tokens import TokenSums
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.queries.naive import KINDS, Facts, Naive, Sums, sums
from tests.queries.random_sessions import BRANCHES, DAYS, FIRST_DAY, MODELS, PROJECTS, VERSIONS, random_sessions
from tests.transcripts import store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

NOW = dt.datetime(2026, 3, 12, 18, 0)
OTHER = "another"
"""The agent of half of the sessions."""

STORES = 4
"""Each with other sessions."""

days = st.none() | st.sampled_from([FIRST_DAY + dt.timedelta(days=number) for number in range(-1, DAYS + 1)])
filters = st.builds(
    Filter,
    zone=st.sampled_from(["UTC", "UTC", "Asia/Kolkata"]),
    since=days,
    until=days,
    project=st.none() | st.none() | st.sampled_from([*PROJECTS, "shop"]),
    agent=st.none() | st.none() | st.none() | st.sampled_from(["claude-code", OTHER]),
    model=st.none() | st.none() | st.sampled_from(MODELS),
    subagent_type=st.none() | st.none() | st.sampled_from(["main", "Explore", "docs:check", "reviewer"]),
    session_id=st.none() | st.none() | st.none() | st.sampled_from(["s0", "s1", "fork"]),
    branch=st.none() | st.none() | st.sampled_from([branch for branch in BRANCHES if branch]),
    version=st.none() | st.none() | st.none() | st.sampled_from(VERSIONS),
    text=st.sampled_from(["", "", "", "s1", "Fix", "orders", "web"]),
)


class World:
    """A store with its facts."""

    def __init__(self, connection: Reader) -> None:
        self.connection = connection
        self.facts = Facts(connection)


@pytest.fixture(
    scope="module", params=[0, *(pytest.param(number, marks=pytest.mark.long) for number in range(1, STORES))]
)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    store = store_of(tmp_path_factory.mktemp("random"), random_sessions(request.param))
    with store.write() as connection:
        for table in ("responses", "tool_calls", "prompts", "accesses", "events", "session_firsts", "session_lasts"):
            half = "session_id IN ('s1', 's3', 's5', 'fork')"
            connection.execute(f"UPDATE {table} SET agent = '{OTHER}' WHERE {half}")
        for statement in made_anew(["UTC"]):
            connection.execute(statement)
    with store.read() as connection:
        yield World(connection)


def under_any_filter(question: Callable[[World, Naive], None]) -> Any:
    """A test that asks one question under many filters."""

    @settings(max_examples=examples(5, 12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(chosen=filters)
    def test(world: World, chosen: Filter) -> None:
        question(world, Naive(world.facts, chosen))

    return test


def same(found: TokenSums, expected: Sums, what: Any = None) -> None:
    assert found.responses == expected.responses, what
    assert {kind: getattr(found, kind) for kind in KINDS} == expected.tokens, what
    assert found.total_tokens == expected.total, what
    assert found.cost_usd == (None if expected.cost is None else pytest.approx(expected.cost)), what
    assert found.unpriced_tokens == expected.unpriced, what
    assert found.undercounted == expected.undercounted, what
    assert found.sessions == expected.sessions, what


def same_groups(found: list[Any], key: str, expected: dict[Any, Sums]) -> None:
    by_key = {getattr(row, key): row for row in found}
    assert len(by_key) == len(found)
    assert set(by_key) == set(expected)
    for name, row in by_key.items():
        same(row, expected[name], name)


def number(value: Any) -> Any:
    return pytest.approx(value) if isinstance(value, float) else value


def shown(counts: dict[str, Any]) -> dict[str, Any]:
    """Without what a row of the list does not tell."""
    return {name: value for name, value in counts.items() if name != "billed"}


@under_any_filter
def test_the_list_of_sessions(world: World, naive: Naive) -> None:
    page = sessions.list_sessions(world.connection, naive.chosen, now=NOW, limit=100, order="tokens_total")
    sorted_by = [row.tokens_total for row in page.rows]
    assert sorted_by == sorted(sorted_by, reverse=True)
    assert {row.session_id for row in page.rows} == set(naive.listed)
    for row in page.rows:
        for name, value in shown(naive.listed[row.session_id]).items():
            assert getattr(row, name) == number(value), (row.session_id, name)
    listed = naive.listed.values()
    assert page.totals.sessions == len(listed)
    assert page.totals.tokens_total == sum(counts["tokens_total"] for counts in listed)
    assert (page.totals.cost_usd or 0) == number(float(sum(counts["cost_usd"] or 0 for counts in listed)))
    assert page.totals.unpriced_tokens == sum(counts["unpriced_tokens"] for counts in listed)
    assert page.totals.undercounted == sum(counts["undercounted"] for counts in listed)
    assert page.totals.tokens_total == tokens.totals(world.connection, naive.chosen).total_tokens


@under_any_filter
def test_what_runs(world: World, naive: Naive) -> None:
    now = max(row["ended_at"] for row in world.facts.sessions.values() if row["ended_at"])
    for one in live.running_now(world.connection, naive.chosen, now=now):
        counts = shown(naive.counts(one.session.session_id))
        assert {name: getattr(one.session, name) for name in counts} == {
            name: number(value) for name, value in counts.items()
        }


@under_any_filter
def test_activity(world: World, naive: Naive) -> None:
    """A row for each prompt and command that the list of sessions counts; rows and rest are all that matches."""
    connection, chosen = world.connection, naive.chosen
    rows, cursor = [], None
    while True:
        page = activity.list_activity(connection, chosen, now=NOW, cursor=cursor, limit=4)
        rows += page.rows
        cursor = page.following
        if cursor is None:
            break
    expected = [row for row in naive.prompts if row["session_id"] is not None]
    assert sorted(row.id for row in rows) == sorted(row["id"] for row in expected)
    order = [(row.timestamp or dt.datetime.min, row.id) for row in rows]
    assert order == sorted(order, reverse=True)
    matching = {row["key"] for row in naive.responses}
    for row in rows:
        turn = sums(one for one in naive.facts.turns.get(row.id, ()) if one["key"] in matching)
        assert (row.spent.responses, row.spent.total_tokens) == (turn.responses, turn.total)
        assert row.spent.cost_usd == (None if turn.cost is None else pytest.approx(turn.cost))
    rest = activity.rest(connection, chosen)
    whole, parts = sums(naive.responses), [*(row.spent for row in rows), rest.spent]
    for kind in KINDS:
        assert sum(getattr(part, kind) for part in parts) == whole.tokens[kind]
    assert sum(part.responses for part in parts) == whole.responses
    assert sum(part.unpriced_tokens for part in parts) == whole.unpriced
    assert sum(part.undercounted for part in parts) == whole.undercounted
    costs = [part.cost_usd for part in parts if part.cost_usd is not None]
    assert (sum(costs) if costs else None) == (None if whole.cost is None else pytest.approx(whole.cost))
    assert sum(row.tool_calls for row in rows) + rest.tool_calls == len(naive.calls)


@under_any_filter
def test_tokens(world: World, naive: Naive) -> None:
    connection, chosen = world.connection, naive.chosen
    whole = sums(naive.responses)
    same(tokens.totals(connection, chosen), whole)
    by_day = naive.by(lambda row: naive.day(row["ts"]))
    by_day.pop(None, None)
    same_groups([*tokens.by_day(connection, chosen)], "day", by_day)
    same(trends.period(connection, chosen), whole)
    assert trends.period(connection, chosen).active_days == len(by_day)
    by_session = naive.by(lambda row: row["session_id"])
    by_session.pop(None, None)
    same_groups([*tokens.top_sessions(connection, chosen, 100)], "session_id", by_session)


@under_any_filter
def test_tokens_in_groups(world: World, naive: Naive) -> None:
    connection, chosen, facts = world.connection, naive.chosen, world.facts
    columns: dict[str, Callable[[dict[str, Any]], Any]] = {
        "agent": lambda row: row["agent"],
        "machine": lambda row: row["machine"],
        "model": lambda row: row["model"],
        "project": lambda row: facts.session(row).get("project"),
        "subagent_type": facts.subagent_type,
        "git_branch": lambda row: row["git_branch"] or None,
        "version": lambda row: row["version"],
        "username": lambda row: row["username"],
    }
    assert set(columns) == set(tokens.GROUPS)
    for group, column in columns.items():
        same_groups([*tokens.by_group(connection, chosen, group)], "name", naive.by(column))
    same_groups([*delegation.by_subagent_type(connection, chosen)], "name", naive.by(facts.subagent_type))
    same_groups([*caching.by_model(connection, chosen)], "name", naive.by(columns["model"]))
    kinds = {kind.name: kind for kind in caching.by_kind(connection, chosen)}
    whole = sums(naive.responses)
    assert sum(kind.tokens for kind in kinds.values()) == whole.total
    assert sum(kind.cost_usd or 0 for kind in kinds.values()) == pytest.approx(whole.cost or 0)


@under_any_filter
def test_tokens_over_time(world: World, naive: Naive) -> None:
    connection, chosen = world.connection, naive.chosen
    dated = [row for row in naive.responses if row["ts"]]
    for granularity in trends.GRANULARITIES:
        shown = trends.over_time(connection, chosen, "model", now=NOW, granularity=granularity, most=2)
        assert sum(sum(layer.tokens) for layer in shown.layers) == sums(dated).total
    by_day_and_model = {
        key: found for key, found in naive.by(lambda row: (naive.day(row["ts"]), row["model"])).items() if key[0]
    }
    found = {(row.day, row.model): row for row in periods.by_day_and_model(connection, chosen)}
    assert set(found) == set(by_day_and_model)
    for key, row in found.items():
        same(row, by_day_and_model[key], key)
    hours = rhythm.week_hours(connection, chosen)
    assert sum(hour.total_tokens for hour in hours) == sums(dated).total
    blocks = rhythm.blocks(connection, chosen)
    assert sum(block.total_tokens for block in blocks) == sums(dated).total
    assert sum(block.responses for block in blocks) == sums(dated).responses


def used(rows: list[dict[str, Any]], name: str) -> dict[str, tuple[int, int, int, int]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return {
        key: (
            len(group),
            sum(bool(row["is_error"]) for row in group),
            sum(bool(row["is_error"] and row["denial"]) for row in group),
            sum(row["is_error"] is not None for row in group),
        )
        for key, group in found.items()
    }


@under_any_filter
def test_tools(world: World, naive: Naive) -> None:
    connection, chosen = world.connection, naive.chosen
    expected = used(naive.calls_by_own_text, "name")
    use = tools.tool_use(connection, chosen)
    found = {row.name: (row.invocations, row.errors, row.denied, row.finished) for row in use if row.kind == "tool"}
    assert found == expected
    whole = tools.tool_sums(connection, chosen)
    assert (whole.invocations, whole.tools) == (len(naive.calls_by_own_text), len(expected))
    assert whole.sessions == len({row["session_id"] for row in naive.calls_by_own_text} - {None})
    sized = {row.name: (row.calls, row.errors, row.finished) for row in results.by_tool(connection, chosen)}
    assert sized == {name: (row[0], row[1], row[3]) for name, row in used(naive.calls, "name").items()}


@under_any_filter
def test_plugins_have_the_slash_commands_whose_turns_match(world: World, naive: Naive) -> None:
    found = {
        row.name: row.invocations for row in tools.tool_use(world.connection, naive.chosen) if row.kind == "plugin"
    }
    calls = naive.calls_by_own_text
    expected = Counter(row["skill"].split(":")[0] for row in calls if ":" in (row["skill"] or ""))
    for row in calls:
        if row["class"] == "subagent":
            noted = [
                agent["subagent_type"]
                for agent in world.facts.agents.values()
                if agent["subagent_type"]
                and (agent["tool_use_id"] == row["id"] or agent["subagent_id"] == row["spawned_subagent_id"])
            ]
            kind = row["subagent_type"] or min(noted, default=row["name"])
            expected.update([kind.split(":")[0]] if ":" in kind else [])
    alone = Naive(world.facts, naive.chosen.but(text=""))
    for row in alone.prompts:
        session = world.facts.session(row)
        text = " ".join(filter(None, [row["command"], session.get("title"), session.get("project")]))
        if row["kind"] == "command" and ":" in row["command"] and naive.chosen.text.lower() in text.lower():
            expected[row["command"].split(":")[0]] += 1
    assert found == dict(expected)


@under_any_filter
def test_accesses(world: World, naive: Naive) -> None:
    connection, chosen = world.connection, naive.chosen
    everything, _ = access.list_accesses(connection, Filter(), now=NOW, limit=10_000)
    named = ("action", "resource", "result", "command", "sql", "title", "project", "error")
    users = {row["id"]: row["username"] for row in world.facts.accesses}
    expected = {
        row.id
        for row in everything
        if naive._of_session(
            {"session_id": row.session_id, "username": users[row.id]},
            row.project,
            [getattr(row, name) for name in named],
        )
        and naive.access_passes(row.id)
    }
    found, _ = access.list_accesses(connection, chosen, now=NOW, limit=10_000)
    assert {row.id for row in found} == expected
    selected = Selection(connection, chosen, access.Which(), now=NOW)
    assert selected.sums().accesses == len(expected)
    dated = [row for row in found if row.timestamp is not None]
    by_day = selected.by_day()
    assert sum(row.accesses for row in by_day) == len(dated)
    for row in by_day:
        assert (chosen.since is None or row.day >= chosen.since) and (chosen.until is None or row.day <= chosen.until)
    assert sum(row.accesses for row in selected.actions()) == len(expected)


@under_any_filter
def test_what_can_be_picked(world: World, naive: Naive) -> None:
    others = Naive(world.facts, naive.chosen.but(project=None))
    projects = Counter(world.facts.sessions[key]["project"] for key in others.listed)
    found = {choice.value: choice.sessions for choice in sessions.projects(world.connection, naive.chosen)}
    assert {name: count for name, count in found.items() if count} == dict(projects)
    others = Naive(world.facts, naive.chosen.but(agent=None))
    agents = Counter(world.facts.sessions[key]["agent"] for key in others.listed)
    found = {choice.value: choice.sessions for choice in sessions.agents(world.connection, naive.chosen)}
    assert {name: count for name, count in found.items() if count} == dict(agents)
    models: dict[str, set[str]] = defaultdict(set)
    for row in Naive(world.facts, naive.chosen.but(model=None)).responses:
        models[row["model"]].add(row["session_id"])
    found = {choice.value: choice.sessions for choice in sessions.models(world.connection, naive.chosen)}
    assert {name: count for name, count in found.items() if count} == {name: len(ids) for name, ids in models.items()}


@under_any_filter
def test_the_header(world: World, naive: Naive) -> None:
    for window, span in home.WINDOWS.items():
        found = home.home(world.connection, window, now=NOW, chosen=naive.chosen)

        def lately(rows: list[dict[str, Any]], span: dt.timedelta = span) -> list[dict[str, Any]]:
            return [row for row in rows if row["ts"] and NOW - span <= row["ts"] <= NOW]

        responses = lately(naive.responses)
        prompts = [row for row in lately(naive.prompts) if row["kind"] == "prompt"]
        whole = sums(responses)
        assert found.prompts == len(prompts)
        assert found.total_tokens == whole.total
        assert (found.cost_usd or 0) == pytest.approx(whole.cost or 0)
        assert (found.unpriced_tokens, found.undercounted) == (whole.unpriced, whole.undercounted)
        ids = {row["session_id"] for row in (*responses, *prompts)} - {None}
        assert found.sessions == len(ids)
        assert found.projects == len({world.facts.sessions[key]["project"] for key in ids} - {None})
