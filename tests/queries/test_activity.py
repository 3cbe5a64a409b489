"""What was asked of all agents, and what came of it: nests of sub-agents, runs, how they ended, pages and filters."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agnes_stats.queries.activity import ActivityPage, ActivityRow, WhichPrompts, list_activity, rest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.spans import Span, spans
from agnes_stats.queries.store import Store

from tests.transcripts import HAIKU, SONNET, Transcript, catch_up, store_of, write

LATER = dt.datetime(2026, 3, 10, 20, 0)
DAWN = "2026-03-10T09:00:00"


def asked(
    store: Store,
    *,
    which: WhichPrompts | None = None,
    now: dt.datetime = LATER,
    depth: int | None = None,
    chosen: Filter | None = None,
) -> tuple[list[ActivityRow], dict[str, list[Span]]]:
    """The rows by time, oldest first, and the tree below each."""
    with store.read() as connection:
        page = list_activity(connection, chosen or Filter(), now=now, which=which, limit=200)
        return page.rows[::-1], spans(connection, page, depth)


def texts(store: Store, **how: Any) -> list[str | None]:
    return [row.text for row in asked(store, **how)[0]]


def told(found: list[Span]) -> list[Any]:
    """Kinds and names, nested."""
    return [(span.kind, span.subagent_type or span.name, told(span.children)) for span in found]


def nest(depth: int = 4) -> list[Transcript]:
    """A prompt whose sub-agent starts a sub-agent, and so on: each is known by the note beside its file alone."""
    main = Transcript("s", DAWN).prompt("dig")
    files, above = [main], main
    for level in range(1, depth + 1):
        call = f"t{level}"
        above.wait(1).response((call, "Task", {"subagent_type": f"digger-{level}", "description": f"level {level}"}))
        below = Transcript("s", above.now, agent=f"a{level}", model=HAIKU if level % 2 else SONNET)
        files.append(below.wait(1).prompt("dig on").note(f"digger-{level}", f"level {level}", call))
        above = below
    above.wait(1).response(("b", "Bash", {"command": "ls"})).wait(1).result("b").wait(1).response()
    for level in range(depth, 0, -1):
        upper = files[level - 1]
        upper.now = files[level].now + dt.timedelta(seconds=1)
        upper.result(f"t{level}", "found it").wait(1).response()
    return files


def test_a_nest_of_four_levels_is_one_prompt_with_all_that_was_done(tmp_path: Path) -> None:
    files = nest()
    files[0].wait(5).prompt("thanks").wait(1).response()
    rows, trees = asked(store_of(tmp_path, files))
    dig, thanks = rows
    assert (dig.text, dig.tool_calls, dig.subagents, dig.ok, dig.errors) == ("dig", 5, 4, 5, 0)
    # Two responses in each of five threads.
    assert (dig.spent.responses, dig.spent.total_tokens) == (10, 10 * 1310)
    assert (thanks.tool_calls, thanks.subagents, thanks.spent.responses) == (0, 0, 1)
    tree = told(trees[dig.id])
    for level in range(1, 5):
        # The call is in the first response, the answer is the second.
        (kind, name, children), answer = tree
        assert (kind, name, answer) == ("response", "turn", ("response", "turn", []))
        [(kind, name, tree)] = children
        assert (kind, name) == ("subagent", f"digger-{level}")
    assert tree == [("response", "turn", [("tool", "Bash", [])]), ("response", "turn", [])]


def test_a_tree_has_as_many_levels_as_are_asked_for(tmp_path: Path) -> None:
    store = store_of(tmp_path, nest(2))

    def levels(found: list[Span]) -> int:
        return 1 + max((levels(span.children) for span in found), default=0) if found else 0

    for depth, expected in ((0, 0), (1, 1), (2, 2), (3, 3), (None, 6)):
        rows, trees = asked(store, depth=depth)
        assert levels(trees.get(rows[0].id, [])) == expected


def test_each_span_tells_model_tokens_time_and_status(tmp_path: Path) -> None:
    rows, trees = asked(store_of(tmp_path, nest(1)))
    first, last = trees[rows[0].id]
    [digger] = first.children
    assert (digger.id, digger.detail, digger.status, digger.model) == ("t1", "level 1", "ok", HAIKU)
    assert digger.spent is not None and digger.spent.total_tokens == 2 * 1310
    assert digger.seconds == 5.0
    assert first.spent is not None and (first.spent.total_tokens, first.spent.output_tokens) == (1310, 100)
    call = digger.children[0].children[0]
    assert (call.kind, call.name, call.detail, call.status, call.seconds, call.spent) == (
        *("tool", "Bash", "ls", "ok", 1.0),
        None,
    )
    assert last.timestamp is not None and last.timestamp > (call.timestamp or LATER)


def resumed() -> list[Transcript]:
    """A sub-agent that is called again by its id for the second prompt."""
    main = Transcript("s", DAWN).prompt("look")
    main.wait(1).response(("t1", "Task", {"subagent_type": "Explore", "description": "find it"}))
    agent = Transcript("s", main.now, agent="a1").wait(1).prompt("find it").note("Explore", "find it", "t1")
    agent.wait(1).response(("r1", "Read", {"file_path": "/x"})).wait(1).result("r1").wait(1).response()
    main.wait(10).result("t1", "here", toolUseResult={"agentId": "a1", "status": "completed"}).wait(1).response()
    main.wait(60).prompt("look again")
    main.wait(1).response(("m1", "SendMessage", {"to": "a1", "message": "once more"}))
    main.wait(1).result("m1", "resumed", toolUseResult={"agentId": "a1", "success": True})
    agent.now = main.now
    for call in ("r2", "r3"):
        agent.wait(1).response((call, "Read", {"file_path": "/y"})).wait(1).result(call)
    agent.wait(1).response()
    main.wait(30).response()
    return [main, agent]


def test_what_a_resumed_sub_agent_does_belongs_to_the_prompt_that_resumed_it(tmp_path: Path) -> None:
    (look, again), trees = asked(store_of(tmp_path, resumed()))
    assert (look.text, look.tool_calls, look.subagents, look.spent.responses) == ("look", 2, 1, 4)
    assert (again.text, again.tool_calls, again.subagents, again.spent.responses) == ("look again", 3, 1, 5)
    [first] = trees[look.id][0].children
    [second] = trees[again.id][0].children
    assert (first.kind, first.id, first.subagent_type, len(first.children)) == ("subagent", "t1", "Explore", 2)
    assert (second.kind, second.id, second.subagent_type, len(second.children)) == ("subagent", "m1", "Explore", 3)
    assert first.spent is not None and first.spent.total_tokens == 2 * 1310
    assert second.spent is not None and second.spent.total_tokens == 3 * 1310
    # It went on after the message was delivered: its own rows say how long.
    assert second.seconds == 4.0


def test_a_resumed_sub_agent_below_a_sub_agent_belongs_to_the_prompt_of_the_outermost_call(tmp_path: Path) -> None:
    main, agent = resumed()
    agent.wait(1).response(("t2", "Task", {"subagent_type": "Plan", "description": "deeper"}))
    below = (
        Transcript("s", agent.now, agent="a2").wait(1).prompt("deeper").wait(1).response().note("Plan", "deeper", "t2")
    )
    (look, again), trees = asked(store_of(tmp_path, [main, agent, below]))
    assert (look.subagents, again.subagents) == (1, 2)
    assert again.spent.responses == 7
    [second] = trees[again.id][0].children
    assert told(second.children)[-1] == ("response", "turn", [("subagent", "Plan", [("response", "turn", [])])])


def background(status: str | None) -> list[Transcript]:
    """A sub-agent in the background that works on while the person asks the next thing."""
    main = Transcript("s", DAWN).prompt("start it")
    main.wait(1).response(("t1", "Task", {"subagent_type": "worker", "description": "long work"}))
    main.wait(1).result("t1", "launched", toolUseResult={"agentId": "a1", "status": "async_launched", "isAsync": True})
    main.wait(1).response().wait(10).prompt("and meanwhile?").wait(1).response()
    agent = Transcript("s", DAWN, agent="a1").wait(3).prompt("work").note("worker", "long work", "t1")
    for _ in range(3):
        agent.wait(20).response(stop="end_turn" if status else None)
    if status:
        text = (
            f"<task-notification><task-id>a1</task-id><tool-use-id>t1</tool-use-id><status>{status}</status>"
            "<usage><subagent_tokens>900</subagent_tokens><tool_uses>0</tool_uses><duration_ms>60000</duration_ms>"
            "</usage></task-notification>"
        )
        main.wait(60).prompt(text)
    return [main, agent]


def test_what_goes_on_in_the_background_belongs_to_the_prompt_that_began_it(tmp_path: Path) -> None:
    for status, ended in (("completed", "ok"), ("failed", "error"), ("killed", "interrupted")):
        (start, meanwhile), trees = asked(store_of(tmp_path / status, background(status)))
        assert (start.spent.responses, start.subagents) == (5, 1)
        assert (meanwhile.spent.responses, meanwhile.subagents) == (1, 0)
        [worker] = trees[start.id][0].children
        assert (worker.status, worker.seconds) == (ended, 40.0), status


def test_one_that_still_works_is_running(tmp_path: Path) -> None:
    files = background(None)
    (start, _), trees = asked(store_of(tmp_path, files), now=files[1].now + dt.timedelta(seconds=2))
    [worker] = trees[start.id][0].children
    assert (worker.status, worker.seconds) == ("running", None)


def test_a_call_without_a_result_runs_while_its_session_does_and_is_interrupted_after(tmp_path: Path) -> None:
    main = Transcript("s", DAWN).prompt("go").wait(1)
    main.response(
        ("b1", "Bash", {"command": "sleep"}), ("t1", "Task", {"subagent_type": "Explore", "description": "x"})
    )
    store = store_of(tmp_path, [main])
    for now, status, running, ended in (
        (main.now + dt.timedelta(seconds=5), "running", 2, False),
        (LATER, "interrupted", 0, True),
    ):
        [row], trees = asked(store, now=now)
        assert (row.tool_calls, row.ok, row.errors, row.running) == (2, 0, 0, running)
        assert (row.ended_at is not None) == ended
        assert [(span.kind, span.status) for span in trees[row.id][0].children] == [
            ("tool", status),
            ("subagent", status),
        ]


def test_an_interrupt_and_a_denied_call(tmp_path: Path) -> None:
    main = Transcript("s", DAWN).prompt("go").wait(1).response(("b1", "Bash", {"command": "rm -rf /"}))
    main.wait(1).result("b1", "no", error=True, toolDenialKind="user-rejected")
    main.wait(1).prompt("[Request interrupted by user]").wait(9).prompt("sorry").wait(1).response()
    store = store_of(tmp_path, [main])
    (go, sorry), trees = asked(store)
    assert (go.tool_calls, go.ok, go.errors, go.denied, go.notes) == (1, 0, 1, 1, 1)
    assert [(span.kind, span.status) for span in trees[go.id]] == [("response", "ok"), ("event", "interrupted")]
    assert trees[go.id][0].children[0].status == "denied"
    assert (sorry.errors, sorry.notes) == (0, 0)
    assert texts(store, which=WhichPrompts(failures=True)) == ["go"]


def mixed(folder: Path) -> Store:
    other = Transcript("web", "2026-03-10T08:00:00", cwd="/home/dana/work/web").prompt("style the page").wait(1)
    other.response(("e1", "Edit", {"file_path": "/a"})).wait(1).result("e1", "boom", error=True).wait(1).response()
    other.wait(5).command("review").wait(1).response(("g1", "Grep", {"pattern": "x"})).wait(1).result("g1")
    other.wait(5).command("model")
    return store_of(folder, [*nest(2), other])


def test_rows_by_failures_delegations_tools_and_words(tmp_path: Path) -> None:
    store = mixed(tmp_path)
    assert texts(store) == ["style the page", "review", "model", "dig"]
    for which, expected in (
        (WhichPrompts(failures=True), ["style the page"]),
        (WhichPrompts(delegations=True), ["dig"]),
        (WhichPrompts(direct=True), ["style the page", "review", "model"]),
        (WhichPrompts(tool="Bash"), ["dig"]),
        (WhichPrompts(tool="Grep"), ["review"]),
        (WhichPrompts(tool="Nothing"), []),
        # Its session is called after it.
        (WhichPrompts(words="STYLE"), ["style the page", "review", "model"]),
        (WhichPrompts(words="rev"), ["review"]),
        (WhichPrompts(words="/rev"), ["review"]),
        (WhichPrompts(words="warehouse"), ["dig"]),
        (WhichPrompts(words="dig", tool="Grep"), []),
    ):
        assert texts(store, which=which) == expected, which
    assert texts(store, chosen=Filter(session_id="s")) == ["dig"]
    # Filters on rows choose rows; what they leave out is the rest.
    with store.read() as connection:
        everything = rest(connection, Filter(), WhichPrompts(tool="Nothing"))
        assert (everything.spent.responses, everything.tool_calls) == (9, 5)
        assert rest(connection, Filter()).spent.responses == 0


def test_a_sub_agent_without_a_call_delegates_all_the_same(tmp_path: Path) -> None:
    main = Transcript("s", "2026-03-10T08:00:00").prompt("start").wait(5).response().wait(60).prompt("alone").wait(5)
    agent = Transcript("s", "2026-03-10T08:00:10", agent="a9").response(model=HAIKU)
    store = store_of(tmp_path, [main.response(), agent])
    assert [row.subagents for row in asked(store)[0]] == [1, 0]
    assert texts(store, which=WhichPrompts(delegations=True)) == ["start"]
    assert texts(store, which=WhichPrompts(direct=True)) == ["alone"]


def test_pages_go_on_where_the_last_one_ended_whatever_came_meanwhile(tmp_path: Path) -> None:
    files = [Transcript(f"s{n}", DAWN).wait(n // 3).prompt(f"p{n}").wait(1).response() for n in range(11)]
    undated = Transcript("undated", DAWN).prompt("undated")
    for row in undated.rows:
        del row["timestamp"]
    store = store_of(tmp_path, [*files, undated])
    seen: list[ActivityRow] = []
    page = ActivityPage([], None, [], None, {})  # type: ignore[arg-type]
    while not seen or page.following is not None:
        with store.read() as connection:
            page = list_activity(connection, Filter(), now=LATER, cursor=page.following, limit=4)
        seen += page.rows
        if len(seen) == 4:
            write(tmp_path / "claude", [Transcript("new", "2026-03-10T12:00:00").prompt("new").wait(1).response()])
            catch_up(store, tmp_path / "claude")
    assert sorted(str(row.text) for row in seen) == sorted([*(f"p{n}" for n in range(11)), "undated"])
    assert seen[-1].text == "undated"
    assert [row.timestamp for row in seen[:-1]] == sorted((row.timestamp for row in seen[:-1]), reverse=True)  # type: ignore[type-var]
