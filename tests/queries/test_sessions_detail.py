"""A session prompt by prompt: what belongs to which, and how each call ended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.session_detail import SessionDetail, session_detail
from agnes_stats.queries.sessions import list_sessions
from agnes_stats.queries.steps import Step, steps
from agnes_stats.queries.store import Store
from agnes_stats.queries.turns import find_turns

from tests.transcripts import HAIKU, OPUS, Transcript, store_of

LATER = dt.datetime(2026, 3, 10, 20, 0)


def detail_of(store: Store, now: dt.datetime = LATER, session: str = "s") -> SessionDetail:
    with store.read() as connection:
        found = session_detail(connection, session, now=now)
    assert found is not None
    return found


def below(store: Store, detail: SessionDetail, *parents: str, limit: int = 100, failed: bool = False) -> list[Step]:
    ids, running = [detail.session.session_id], [call.id for call in detail.threads.running]
    with store.read() as connection:
        find_turns(connection, ids)
        found = steps(connection, ids, running, dict.fromkeys(parents, limit), failed=failed)
    return [step for step in found if step.kind != "response"]


def turns(detail: SessionDetail) -> list[tuple[str, str | None, int]]:
    return [(turn.kind, turn.text, turn.calls) for turn in detail.turns]


def begun(at: str = "2026-03-10T14:00:00", **how: str) -> Transcript:
    return Transcript("s", at, **how)  # type: ignore[arg-type]


def bash(told: Transcript, call: str, seconds: float = 1, **result: object) -> Transcript:
    told.wait(1).response((call, "Bash", {"command": f"run {call}"}))
    return told.wait(seconds).result(call, **result)  # type: ignore[arg-type]


def test_calls_belong_to_the_prompt_before_them(tmp_path: Path) -> None:
    told = begun().prompt("first")
    bash(told, "a")
    bash(told, "b").wait(1).response().wait(60).prompt("second")
    bash(told, "c").wait(1).response()
    store = store_of(tmp_path, [told])
    detail = detail_of(store)
    assert turns(detail) == [("prompt", "first", 2), ("prompt", "second", 1)]
    first, second = detail.turns
    assert [step.id for step in below(store, detail, f"turn:{first.id}")] == ["a", "b"]
    assert [step.id for step in below(store, detail, f"turn:{second.id}")] == ["c"]
    assert (first.responses, first.tokens, second.responses, second.tokens) == (3, 3 * 1310, 2, 2 * 1310)


def test_a_command_takes_what_follows_unless_it_only_changes_a_setting(tmp_path: Path) -> None:
    told = begun().command("deploy").wait(1)
    bash(told, "a").wait(1).command("model").wait(1)
    bash(told, "b")
    assert turns(detail_of(store_of(tmp_path, [told]))) == [("command", "deploy", 2), ("command", "model", 0)]


def test_what_comes_before_the_first_prompt_is_kept(tmp_path: Path) -> None:
    told = begun()
    bash(told, "a").wait(1).prompt("first")
    store = store_of(tmp_path, [told])
    detail = detail_of(store)
    assert turns(detail) == [("start", None, 1), ("prompt", "first", 0)]
    assert [step.id for step in below(store, detail, "turn:")] == ["a"]


def test_a_turn_lasts_as_told_or_else_to_its_last_row(tmp_path: Path) -> None:
    told = begun().prompt("told")
    bash(told, "a").wait(3).event("turn_duration", durationMs=4_500).wait(600).prompt("not told")
    bash(told, "b", seconds=20).wait(5).response().wait(900).prompt("nothing came of it")
    assert [turn.seconds for turn in detail_of(store_of(tmp_path, [told])).turns] == [4.5, 26.0, None]


class TestEnds:
    """How a call ended, with and without a result."""

    def statuses(self, store: Store, now: dt.datetime) -> dict[str, tuple[str | None, float | None]]:
        detail = detail_of(store, now)
        parents = [f"turn:{turn.id}" for turn in detail.turns]
        return {step.id: (step.status, step.seconds) for step in below(store, detail, *parents)}

    def test_with_a_result(self, tmp_path: Path) -> None:
        told = begun().prompt("go")
        bash(told, "good", seconds=2)
        bash(told, "bad", seconds=0.5, error=True, text="ls: no such file")
        bash(told, "refused", error=True, toolDenialKind="user-rejected")
        told.wait(1).response(("early", "Bash", {})).wait(-5).result("early")
        store = store_of(tmp_path, [told])
        assert self.statuses(store, LATER) == {
            "good": ("ok", 2.0),
            "bad": ("error", 0.5),
            "refused": ("denied", 1.0),
            "early": ("ok", 0.0),
        }
        detail = detail_of(store)
        errors = [step.error for step in below(store, detail, f"turn:{detail.turns[0].id}")]
        assert errors[1] == "ls: no such file"
        assert (detail.turns[0].errors, detail.turns[0].denied) == (2, 1)

    def test_without_one_it_runs_as_long_as_the_session_does(self, tmp_path: Path) -> None:
        told = begun().prompt("go").wait(1).response(("long", "Bash", {"command": "make"}))
        store = store_of(tmp_path, [told])
        for minutes, status in ((4, "running"), (6, "interrupted")):
            now = told.now + dt.timedelta(minutes=minutes)
            assert self.statuses(store, now) == {"long": (status, None)}
            assert detail_of(store, now).turns[0].running == (status == "running")

    def test_several_at_once(self, tmp_path: Path) -> None:
        told = begun().prompt("go").wait(1).response(("a", "Bash", {}), ("b", "Bash", {})).wait(1).result("a")
        assert self.statuses(store_of(tmp_path, [told]), told.now) == {"a": ("ok", 1.0), "b": ("running", None)}

    def test_it_is_over_when_the_conversation_went_on(self, tmp_path: Path) -> None:
        told = begun().prompt("go").wait(1).response(("lost", "Bash", {})).wait(1).response(("next", "Bash", {}))
        got = self.statuses(store_of(tmp_path, [told]), told.now)
        assert got == {"lost": ("interrupted", None), "next": ("running", None)}

    def test_it_is_over_when_the_user_stopped_it(self, tmp_path: Path) -> None:
        told = begun().prompt("go").wait(1).response(("stopped", "Bash", {})).wait(1)
        told.prompt("[Request interrupted by user for tool use]")
        assert self.statuses(store_of(tmp_path, [told]), told.now)["stopped"] == ("interrupted", None)

    def test_it_is_over_when_the_user_typed_on(self, tmp_path: Path) -> None:
        told = begun().prompt("go").wait(1).response(("left", "Bash", {})).wait(1).prompt("something else")
        assert self.statuses(store_of(tmp_path, [told]), told.now)["left"] == ("interrupted", None)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A session whose sub-agent `x` starts one of its own, `y`, while the user types on."""
    main = begun().prompt("first").wait(1)
    main.response(("call-x", "Task", {"description": "look around", "subagent_type": "Explore"}))
    x = Transcript("s", main.now, agent="x", model=HAIKU).wait(1).prompt("look around").wait(1)
    x.response(("call-y", "Task", {"description": "dig"})).note("Explore", "look around", "call-x")
    y = Transcript("s", x.now, agent="y", model=HAIKU).wait(1).prompt("dig").wait(1)
    bash(y, "y1", error=True).wait(120).response().note("digger", "dig", "call-y")
    x.wait(130).result("call-y").wait(1).response()
    main.wait(60).prompt("second").wait(90).result("call-x").wait(1).response()
    return store_of(tmp_path_factory.mktemp("family"), [main, x, y])


class TestAgents:
    """Sub-agents: under the call that started them."""

    def test_their_work_belongs_to_the_prompt_that_started_the_outermost(self, family: Store) -> None:
        detail = detail_of(family)
        assert turns(detail) == [("prompt", "first", 3), ("prompt", "second", 0)]
        first = detail.turns[0]
        assert (first.errors, first.responses, first.tokens) == (1, 1 + 2 + 2, 5 * 1310)
        assert [step.id for step in below(family, detail, f"turn:{first.id}")] == ["call-x"]
        assert [step.id for step in below(family, detail, "agent:x")] == ["call-y"]
        assert [step.id for step in below(family, detail, "agent:y")] == ["y1"]

    def test_what_is_known_of_each(self, family: Store) -> None:
        x, y = detail_of(family).agents
        assert (x.subagent_id, x.subagent_type, x.description, x.call_id, x.parent) == (
            "x", "Explore", "look around", "call-x", None,
        )  # fmt: skip
        assert (y.subagent_id, y.subagent_type, y.call_id, y.parent) == ("y", "digger", "call-y", "x")
        assert (x.status, x.calls, x.errors, x.responses, x.tokens) == ("completed", 1, 0, 2, 2 * 1310)
        assert (y.status, y.calls, y.errors, y.responses, y.tokens) == ("completed", 1, 1, 2, 2 * 1310)
        assert (x.seconds, y.seconds) == (150.0, 130.0)
        assert x.cost_usd == pytest.approx(2 * 860e-6)

    def test_failures_stand_flat_below_the_prompt(self, family: Store) -> None:
        detail = detail_of(family)
        found = below(family, detail, *(f"turn:{turn.id}" for turn in detail.turns), failed=True)
        assert [(step.id, step.thread) for step in found] == [("y1", "y")]

    @pytest.mark.parametrize("ending", ["end_turn", None])
    def test_in_the_background_it_works_until_it_says_so(self, tmp_path: Path, ending: str | None) -> None:
        main = begun().prompt("go").wait(1).response(("call-x", "Agent", {"description": "watch"})).wait(0.2)
        launched = {"isAsync": True, "status": "async_launched", "agentId": "x"}
        main.result("call-x", toolUseResult=launched).wait(1).response()
        x = Transcript("s", main.now, agent="x").wait(1).prompt("watch").wait(30).response(stop=ending)
        store = store_of(tmp_path, [main, x])
        detail = detail_of(store, x.now)
        (agent,) = detail.agents
        assert (agent.call_id, agent.seconds) == ("call-x", 0.0)
        # The prompt was answered long before.
        assert detail.turns[0].seconds == pytest.approx(2.2)
        assert agent.status == ("completed" if ending else "running")
        (later,) = detail_of(store, x.now + dt.timedelta(minutes=6)).agents
        assert later.status == "completed"

    def test_how_it_ended(self, tmp_path: Path) -> None:
        refused: dict[str, object] = {"error": True, "toolDenialKind": "user-rejected"}
        ends: dict[str, dict[str, object]] = {"running": {}, "failed": {"error": True}, "denied": refused}
        files = []
        for status, told in ends.items():
            main = Transcript(status, "2026-03-10T14:00:00").prompt("go").wait(1)
            main.response((f"call-{status}", "Task", {"description": "dig"}))
            x = Transcript(status, main.now, agent=f"x-{status}").wait(1).prompt("dig").wait(1).response()
            files += [main, x.note("digger", "dig", f"call-{status}")]
            if told:
                main.wait(5).result(f"call-{status}", **told)  # type: ignore[arg-type]
        store, now = store_of(tmp_path, files), files[-1].now
        assert {status: detail_of(store, now, status).agents[0].status for status in ends} == {end: end for end in ends}
        assert detail_of(store, LATER, "running").agents[0].status == "interrupted"

    def test_one_that_nobody_is_known_to_have_started(self, tmp_path: Path) -> None:
        main = begun().prompt("first").wait(60).prompt("second").wait(60).response()
        x = Transcript("s", "2026-03-10T14:00:30", agent="acompact-1")
        bash(x, "x1")
        detail = detail_of(store_of(tmp_path, [main, x]))
        assert turns(detail) == [("prompt", "first", 1), ("prompt", "second", 0)]
        (agent,) = detail.agents
        assert (agent.call_id, agent.subagent_type) == (None, "subagent")
        assert agent.description == "compacts the conversation"

    def test_two_that_name_each_other_end(self, tmp_path: Path) -> None:
        main = begun().prompt("go").wait(1).response()
        x = Transcript("s", main.now, agent="x").wait(1).response(("in-x", "Task", {})).note("t", "d", "in-y")
        y = Transcript("s", main.now, agent="y").wait(1).response(("in-y", "Task", {})).note("t", "d", "in-x")
        detail = detail_of(store_of(tmp_path, [main, x, y]))
        assert sum(turn.calls for turn in detail.turns) == 2


def test_events_stand_where_they_happened(tmp_path: Path) -> None:
    told = begun().prompt("first")
    bash(told, "a").wait(1).event("compact_boundary", content="Conversation compacted").wait(1).prompt("second").wait(1)
    told.row(
        "assistant", message={"id": "e", "model": "<synthetic>", "content": "API Error: 529"}, isApiErrorMessage=True
    )
    store = store_of(tmp_path, [told])
    detail = detail_of(store)
    assert detail.notes == {"compact": 1, "api_error": 1, "interrupt": 0}
    first, second = (below(store, detail, f"turn:{turn.id}") for turn in detail.turns)
    assert [(step.kind, step.name) for step in first] == [("call", "Bash"), ("compact", "compact")]
    assert [(step.kind, step.detail) for step in second] == [("api_error", "API Error: 529")]
    assert [turn.notes for turn in detail.turns] == [1, 1]


def test_only_the_latest_steps_and_how_many_there_are(tmp_path: Path) -> None:
    told = begun().prompt("go")
    for number in range(9):
        bash(told, f"c{number}")
    store = store_of(tmp_path, [told])
    detail = detail_of(store)
    found = below(store, detail, f"turn:{detail.turns[0].id}", limit=3)
    assert [(step.id, step.total) for step in found] == [("c6", 9), ("c7", 9), ("c8", 9)]
    assert below(store, detail) == []


def test_tokens_by_model(tmp_path: Path) -> None:
    told = begun(branch="main").prompt("go").wait(1).response(tokens=(1, 2, 3, 4)).wait(1)
    told.response(tokens=(10, 20, 30, 40), model=HAIKU).wait(1).response(tokens=(100, 0, 0, 0), model="acme-1")
    detail = detail_of(store_of(tmp_path, [told]))
    assert [(use.model, use.tokens, use.unpriced_tokens) for use in detail.models] == [
        (HAIKU, 100, 0), (OPUS, 10, 0), ("acme-1", 100, 100),
    ]  # fmt: skip
    haiku = detail.models[0]
    assert (haiku.input_tokens, haiku.output_tokens, haiku.cache_read_tokens, haiku.cache_write_tokens) == (
        10,
        20,
        30,
        40,
    )
    assert detail.models[2].cost_usd is None
    assert detail.cache_hit_ratio == pytest.approx(33 / (111 + 33 + 44))
    assert (detail.cwd, detail.versions, detail.branches) == ("/home/dana/work/warehouse", ["2.1.114"], ["main"])


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    with store_of(tmp_path, []).read() as connection:
        assert session_detail(connection, "nobody", now=LATER) is None


TRANSCRIPTS = Path(__file__).resolve().parents[3] / "shared" / "transcripts" / "claude"


@pytest.mark.long
@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="no real transcripts here")
def test_the_turns_of_real_sessions_add_up(tmp_path: Path) -> None:
    """Nothing is counted twice or lost between the list, the turns and their steps."""
    from tests.transcripts import catch_up

    store = Store(tmp_path / "store.duckdb")
    catch_up(store, TRANSCRIPTS)
    with store.read() as connection:
        rows = list_sessions(connection, Filter(), now=LATER, limit=500).rows
        assert len(rows) > 50
        for row in rows:
            detail = session_detail(connection, row.session_id, now=LATER)
            assert detail is not None
            parents = {f"turn:{turn.id}": 9999 for turn in detail.turns}
            parents |= {f"agent:{agent.key}": 9999 for agent in detail.agents}
            found = steps(connection, [row.session_id], [], parents)
            calls = [step for step in found if step.kind == "call"]
            answers = [step for step in found if step.kind == "response"]
            assert sum(step.total_tokens or 0 for step in answers) == row.tokens_total
            assert len(calls) == len({call.id for call in calls}) == row.tool_calls_total
            assert sum(turn.tokens for turn in detail.turns) == row.tokens_total
            assert sum(turn.calls for turn in detail.turns) == row.tool_calls_total
            assert sum(turn.errors for turn in detail.turns) == row.tool_errors
            assert sum(turn.cost_usd or 0 for turn in detail.turns) == pytest.approx(row.cost_usd or 0)
