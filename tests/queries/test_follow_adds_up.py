"""Delegations, agents and metrics say what the other views say, whatever the filter."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from agnes_stats.queries import hand_overs, metrics, ranking, sessions, timing, tokens, tools
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.hand_over_facts import Spent, spent_in_all
from hypothesis import HealthCheck, given, settings

from tests.examples import examples
from tests.queries.random_sessions import random_sessions
from tests.queries.test_one_meaning import filters
from tests.transcripts import store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

NOW = dt.datetime(2026, 3, 12, 18, 0)


@pytest.fixture(scope="module", params=[0, pytest.param(1, marks=pytest.mark.long)])
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with store_of(tmp_path_factory.mktemp("random"), random_sessions(request.param)).read() as opened:
        yield opened


def under_any_filter(question: Callable[[Reader, Filter], None]) -> Any:
    """A test that asks one question under many filters."""

    @settings(max_examples=examples(5, 12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(chosen=filters)
    def test(connection: Reader, chosen: Filter) -> None:
        question(connection, chosen)

    return test


def same(found: Spent, whole: tokens.TokenSums) -> None:
    for name in (
        *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
        *("total_tokens", "unpriced_tokens", "undercounted", "responses"),
    ):
        assert getattr(found, name) == getattr(whole, name), name
    assert (found.cost_usd or 0) == pytest.approx(whole.cost_usd or 0)


def calls_in(connection: Reader, chosen: Filter) -> tools.ToolSums:
    """The calls that match. A text is looked for in the words of their session, as in the list of sessions."""
    if not chosen.text:
        return tools.tool_sums(connection, chosen)
    page = sessions.list_sessions(connection, chosen, now=NOW, limit=200)
    parts = [tools.tool_sums(connection, chosen.but(text="", session_id=row.session_id)) for row in page.rows]
    return tools.ToolSums(
        sum(part.invocations for part in parts),
        sum(part.errors for part in parts),
        sum(part.denied for part in parts),
        sum(part.finished for part in parts),
        0,
        len(parts),
    )


@under_any_filter
def test_delegations_took_what_sub_agents_took(connection: Reader, chosen: Filter) -> None:
    found = hand_overs.hand_overs(connection, chosen, now=NOW)
    every = tokens.by_group(connection, chosen, "subagent_type")
    whole = tokens.added([group for group in every if group.name != "main"])
    same(found.spent, whole)
    same(spent_in_all(edge.spent for edge in found.edges if edge.spent is not None), whole)
    assert sum(edge.count for edge in found.edges) == len(found.rows)
    calls = [agent for agent in ranking.ranked_agents(connection, chosen, now=NOW) if agent.subagent_type != "main"]
    assert sum(row.tool_calls or 0 for row in found.rows) == sum(agent.tool_calls for agent in calls)
    assert sum(row.errors or 0 for row in found.rows) == sum(agent.errors for agent in calls)


@under_any_filter
def test_pages_of_delegations_are_all_of_them_once(connection: Reader, chosen: Filter) -> None:
    found = hand_overs.hand_overs(connection, chosen, now=NOW)
    seen, cursor = [], None
    while True:
        rows, cursor = found.page(2, cursor)
        seen += [row.id for row in rows]
        if cursor is None:
            break
    assert seen == [row.id for row in found.rows]
    assert len(seen) == len(set(seen))


@under_any_filter
def test_agents_did_all_there_is(connection: Reader, chosen: Filter) -> None:
    found = ranking.ranked_agents(connection, chosen, now=NOW)
    whole, calls = tokens.totals(connection, chosen), calls_in(connection, chosen)
    same(spent_in_all(found), whole)
    assert sum(agent.tool_calls for agent in found) == calls.invocations
    assert sum(agent.errors for agent in found) == calls.errors
    assert sum(agent.finished for agent in found) == calls.finished
    assert sum(agent.events for agent in found) == whole.responses + calls.invocations
    assert sum(agent.share for agent in found) == pytest.approx(1 if whole.responses + calls.invocations else 0)
    by_type: Counter[str] = Counter()
    for agent in found:
        by_type[agent.subagent_type] += agent.total_tokens
    groups = {str(group.name): group.total_tokens for group in tokens.by_group(connection, chosen, "subagent_type")}
    assert {name: count for name, count in by_type.items() if count} == {n: c for n, c in groups.items() if c}


@under_any_filter
def test_tools_and_the_rest_cost_what_everything_cost(connection: Reader, chosen: Filter) -> None:
    found = metrics.metrics(connection, chosen, now=NOW)
    whole, calls = tokens.totals(connection, chosen), calls_in(connection, chosen)
    same(spent_in_all([*found.by_tool, found.rest]), whole)
    assert sum(row.finished for row in found.by_tool) == calls.finished
    assert sum(row.errors for row in found.by_tool) == calls.errors
    assert sum(row.denied for row in found.by_tool) == calls.denied
    assert sum(day.count for day in found.daily) <= calls.invocations
    assert sum(named.count for named in found.error_classes) == calls.errors
    assert found.error_ratio == calls.error_rate
    assert len({(row.kind, row.name) for row in found.by_tool}) == len(found.by_tool)
    used = [] if chosen.text else tools.tool_use(connection, chosen, limit=1000)
    mine = {row.name: row for row in found.by_tool if row.kind == "tool"}
    for row in used:
        if row.kind == "tool" and row.name in mine and row.name not in ("Skill", "Task", "Agent"):
            assert mine[row.name].count == row.invocations
    assert found.responses.count == whole.responses
    times = timing.distribution(connection, chosen, "response")
    told = (found.responses.p50_ms, found.responses.p90_ms, found.responses.p99_ms)
    assert told == ((times.p50, times.p90, times.p99) if times is not None else (None, None, None))
