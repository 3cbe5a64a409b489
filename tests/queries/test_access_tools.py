"""How tools, MCP servers, skills and plugins are counted and timed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from agnes_stats.queries import results
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.queries.tools import KINDS, ORDERS, ToolUse, tool_sums, tool_use

from tests.queries.accesses import at, session, store_with
from tests.storing import held
from tests.transcripts import SONNET, Transcript

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

LS = ("Bash", {"command": "ls"})
ASK = ("mcp__agnes__query", {"sql": "select 1 from t"})
SKILL = ("Skill", {"skill": "toolbox:review"})
SECOND = dt.date(2026, 3, 10)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    first = session("s1", "2026-03-09T10:00", LS, ASK, SKILL, seconds=2, cwd="/w/shop")
    first.command("toolbox:fix").command("clear")
    second = Transcript("s2", at("09:00"), model=SONNET, cwd="/w/web").prompt("look")
    for number, seconds in enumerate((1, 2, 3, 4, 10)):
        second.response((f"b{number}", *LS)).wait(seconds).result(f"b{number}", error=number == 0)
    second.response(("no", *LS)).wait(100).result("no", "no", error=True, toolDenialKind="user-rejected")
    second.response(("own", "Skill", {"skill": "mine"})).wait(1).result("own")
    second.response(("go", "Task", {"subagent_type": "toolbox:scout", "prompt": "x"})).wait(1)
    second.result("go", toolUseResult={"status": "async_launched", "agentId": "x1"})
    second.response(("open", *LS), stop="tool_use")
    scout = Transcript("s2", at("09:10"), agent="x1", model=SONNET, cwd="/w/web")
    scout.response(("sub", *LS)).wait(40).result("sub").wait(20).response()
    with held(store_with(tmp_path_factory.mktemp("tools"), [first, second, scout])) as store:
        yield store


@pytest.fixture
def connection(store: Store) -> Iterator[Reader]:
    with store.read() as opened:
        yield opened


def used(connection: Reader, chosen: Filter | None = None, **how: Any) -> dict[tuple[str, str], ToolUse]:
    return {(row.kind, row.name): row for row in tool_use(connection, chosen or Filter(), **how)}


def test_calls_errors_refusals_and_results_are_counted(connection: Reader) -> None:
    bash = used(connection)["tool", "Bash"]
    assert (bash.invocations, bash.errors, bash.denied, bash.finished, bash.sessions) == (9, 2, 1, 8, 2)
    assert bash.error_rate == 2 / 8


def test_what_calls_gave_back_is_that_of_their_results(connection: Reader) -> None:
    expected = {row.name: row.result_bytes for row in results.by_tool(connection, Filter())}
    used = tool_use(connection, Filter())
    assert {row.name: row.result_bytes for row in used if row.kind == "tool"} == expected
    assert sum(expected.values()) > 0
    served = [row.result_bytes for row in used if row.kind == "server"]
    assert sum(served) == sum(size for name, size in expected.items() if name.startswith("mcp__"))


def test_times_are_percentiles_of_the_finished_calls(connection: Reader) -> None:
    bash = used(connection, Filter(session_id="s2"))["tool", "Bash"]
    # 1, 2, 3, 4, 10, 40 and 100 seconds
    assert bash.p50_ms == 4000
    assert bash.p95_ms == pytest.approx(40_000 + 0.7 * 60_000)


def test_a_sub_agent_in_the_background_takes_as_long_as_its_own_work(connection: Reader) -> None:
    assert used(connection)["tool", "Task"].p50_ms == 60_000


def test_servers_skills_and_plugins(connection: Reader) -> None:
    found = used(connection)
    others = {key: row.invocations for key, row in found.items() if key[0] != "tool"}
    assert others == {
        ("server", "agnes"): 1,
        ("skill", "toolbox:review"): 1,
        ("skill", "mine"): 1,
        # A skill, a sub-agent and a slash command.
        ("plugin", "toolbox"): 3,
    }
    assert found["plugin", "toolbox"].finished == 2


def test_counts_are_those_of_the_day_rollups(connection: Reader) -> None:
    found = used(connection)
    kept = connection.execute(
        "SELECT tool, sum(invocations), sum(errors), sum(denied), sum(finished) FROM tools_daily "
        "WHERE zone = 'UTC' GROUP BY tool"
    ).fetchall()
    assert {row[0]: row[1:] for row in kept} == {
        name: (row.invocations, row.errors, row.denied, row.finished)
        for (kind, name), row in found.items()
        if kind == "tool"
    }
    extended = connection.execute(
        "SELECT type, plugin, name, sum(invocations)::INTEGER FROM extensions_daily WHERE zone = 'UTC' GROUP BY ALL"
    ).fetchall()
    skills = {
        f"{plugin}:{name}" if plugin else name: count for kind, plugin, name, count in extended if kind == "skill"
    }
    assert skills == {name: row.invocations for (kind, name), row in found.items() if kind == "skill"}
    plugins = sum(count for _, plugin, _, count in extended if plugin == "toolbox")
    assert plugins == found["plugin", "toolbox"].invocations


@pytest.mark.parametrize(
    ("chosen", "calls"),
    [
        (Filter(), 13),
        (Filter(since=SECOND), 10),
        (Filter(until=dt.date(2026, 3, 9)), 3),
        (Filter(project="web"), 10),
        (Filter(session_id="s1"), 3),
        (Filter(model=SONNET), 10),
        (Filter(subagent_type="toolbox:scout"), 1),
        (Filter(text="TOOLBOX"), 2),
        (Filter(text="do s1"), 3),
        (Filter(user="eve"), 0),
    ],
)
def test_the_headline_is_the_sum_of_the_tools(connection: Reader, chosen: Filter, calls: int) -> None:
    sums, found = tool_sums(connection, chosen), used(connection, chosen)
    tools = [row for row in found.values() if row.kind == "tool"]
    assert sums.invocations == calls == sum(row.invocations for row in tools)
    assert (sums.errors, sums.denied, sums.finished, sums.tools) == (
        sum(row.errors for row in tools),
        sum(row.denied for row in tools),
        sum(row.finished for row in tools),
        len(tools),
    )


def test_slash_commands_are_nobodys_calls(connection: Reader) -> None:
    def plugin(chosen: Filter) -> int:
        return used(connection, chosen)["plugin", "toolbox"].invocations

    assert plugin(Filter(session_id="s1")) == 2
    assert plugin(Filter(session_id="s1", subagent_type="main")) == 1


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("descending", [True, False])
def test_tools_come_in_the_order_asked_for(connection: Reader, order: str, descending: bool) -> None:
    found = tool_use(connection, Filter(), order=order, descending=descending)
    kinds = [row.kind for row in found]
    assert kinds == sorted(kinds, key=KINDS.index)
    values: list[Any] = [getattr(row, order) for row in found if row.kind == "tool"]
    known = [value.lower() if isinstance(value, str) else value for value in values if value is not None]
    assert known == sorted(known, reverse=descending)


def test_a_limit_holds_for_each_kind(connection: Reader) -> None:
    assert [row.kind for row in tool_use(connection, Filter(), limit=1)] == list(KINDS)
    with pytest.raises(KeyError):
        tool_use(connection, Filter(), order="1; drop table tool_calls")
