"""To-do lists in tool calls, whoever made them, as rows of the store."""

from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.emit import Emitter
from agnes_stats.ingest.formats.events import Place, Speaker, ToolCall, ToolKind
from agnes_stats.ingest.formats.source import SourceFile
from agnes_stats.ingest.tasks import Form, TaskChange, changes_in, id_in
from agnes_stats.queries.store import Store

from tests.transcripts import Transcript, catch_up, store_of, write

DOING = {"content": "Fix the query", "status": "in_progress", "activeForm": "Fixing"}


def listed(subject: str, status: str = "pending") -> TaskChange:
    return TaskChange(Form.LIST, subject=subject, status=status)


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("TodoWrite", {"todos": [DOING]}),
        ("update_plan", {"explanation": "so", "plan": [{"step": "Fix the query", "status": "in_progress"}]}),
        ("todowrite", {"todos": [{"content": "Fix the query", "status": "in_progress", "priority": "high"}]}),
        ("write_todos", {"todos": [{"description": "Fix the query", "status": "in_progress"}]}),
        ("todo_write", {"todos": [{"id": "1", "content": "Fix the query", "status": "in_progress"}]}),
    ],
)
def test_every_agent_has_its_own_words_for_a_list(tool: str, given: dict[str, Any]) -> None:
    assert changes_in(tool, given) == [listed("Fix the query", "in_progress")]


def test_odd_lists_are_read_as_far_as_they_go() -> None:
    assert changes_in("TodoWrite", {"todos": []}) == [TaskChange(Form.LIST)]
    assert changes_in("TodoWrite", {"todos": "no list"}) == []
    assert changes_in("TodoWrite", {}) == []
    odd = [
        {"content": "a", "status": 7},
        "b",
        {"content": ["c"], "status": "cancelled"},
        {"step": "d", "status": "done"},
    ]
    assert changes_in("update_plan", {"plan": odd}) == [listed("a"), listed("", "deleted"), listed("d", "completed")]
    assert changes_in("TaskOutput", {"task_id": "b1"}) == changes_in("TaskStop", {"task_id": "b1"}) == []


def test_a_task_with_an_id_is_made_and_changed() -> None:
    assert changes_in("TaskCreate", {"subject": "Test it"}) == [TaskChange(Form.CREATE, None, "Test it", "pending")]
    told = {"taskId": 3, "addBlockedBy": ["1", "#2"], "owner": "bob"}
    assert changes_in("TaskUpdate", told) == [TaskChange(Form.UPDATE, "3", owner="bob", blocked_by=("1", "2"))]
    assert changes_in("TaskUpdate", {"status": "completed"}) == []
    assert (id_in("Task #12 created successfully: x"), id_in("Task #2: x"), id_in("x")) == ("12", None, None)


def rows(store: Store, columns: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return connection.execute(f"SELECT {columns} FROM task_changes ORDER BY ts, id").fetchall()


def test_ids_failures_and_whole_states_come_from_results(tmp_path: Path) -> None:
    made = Transcript("s", "2026-03-10T08:00:00").prompt("Go")
    made.response(("c1", "TaskCreate", {"subject": "Test it", "description": "all of it"})).wait(1)
    made.result("c1", "Task #7 created successfully: Test it", toolUseResult={"task": {"id": "7"}}).wait(1)
    made.response(("c2", "TaskUpdate", {"taskId": "9", "status": "completed"})).wait(1)
    made.result("c2", "Task not found", toolUseResult={"success": False, "taskId": "9", "updatedFields": []}).wait(1)
    made.response(("c3", "TaskList", {})).wait(1)
    state = {"tasks": [{"id": "7", "subject": "Test it", "status": "in_progress", "owner": "ann", "blockedBy": ["8"]}]}
    made.result("c3", "#7 [in_progress] Test it", toolUseResult=state).wait(1)
    reminder = [{"id": "7", "subject": "Test it", "status": "completed", "blockedBy": [], "blocks": []}]
    made.row("attachment", attachment={"type": "task_reminder", "content": reminder, "itemCount": 1})
    # Whatever portions the file comes in: the result is told apart from its call.
    store = store_of(tmp_path, [])
    for end in range(1, len(made.rows) + 1):
        part = Transcript("s", "2026-03-10T08:00:00")
        part.rows = made.rows[:end]
        write(tmp_path / "claude", [part])
        catch_up(store, tmp_path / "claude")
    assert rows(store, "call_id, form, coalesce(task_id, given_id), status, owner, blocked_by, undone") == [
        ("c1", "create", "7", "pending", None, [], None),
        ("c2", "update", "9", "completed", None, [], True),
        ("c3", "state", "7", "in_progress", "ann", ["8"], None),
        (None, "state", "7", "completed", None, [], None),
    ]


def test_credentials_in_a_task_are_blotted_out(tmp_path: Path) -> None:
    secret = "ghp_" + "Ab1" * 12
    made = Transcript("s", "2026-03-10T08:00:00").prompt("Go")
    made.response(
        ("c1", "TodoWrite", {"todos": [{"content": f"Use {secret} to push", "status": "pending"}]}),
        ("c2", "Bash", {"command": f"codex exec 'push with {secret}'"}),
    )
    store = store_of(tmp_path, [made])
    with store.read() as connection:
        told = connection.execute(
            "SELECT subject FROM task_changes UNION ALL SELECT task FROM external_runs"
        ).fetchall()
    assert len(told) == 2
    assert not any(secret in text for (text,) in told)


def test_the_emitter_makes_rows_of_any_agents_lists_and_hand_overs() -> None:
    batch = Batch()
    file = SourceFile("parrot", Path("/p"), Path("/p/a"), is_main=True, session_id="s")
    emitter = Emitter(file, batch, agent="parrot")
    place, speaker = Place("s", 1_000_000, 7), Speaker(subagent_id="a1", is_sidechain=True)
    plan = {"plan": [{"step": "one", "status": "completed"}, {"step": "two", "status": "pending"}]}
    emitter.tool_call(ToolCall(id="c1", place=place, speaker=speaker, name="update_plan", given=plan))
    emitter.tool_call(
        ToolCall(
            id="c2", place=place, speaker=speaker, name="exec", given={"workdir": "/w"}, script="cd x; claude -p hi"
        )
    )
    emitter.tool_call(ToolCall(id="c3", place=place, speaker=speaker, name="todowrite", kind=ToolKind.MCP, given=plan))
    said = [
        (row["id"], row["subject"], row["number"], row["of"], row["subagent_id"]) for row in batch.of("task_changes")
    ]
    assert said == [("c1:0", "one", 0, 2, "a1"), ("c1:1", "two", 1, 2, "a1")]
    [run] = batch.of("external_runs")
    assert (run["id"], run["call_id"], run["program"], run["task"], run["folder"]) == (
        "c2:0",
        "c2",
        "claude",
        "hi",
        "/w/x",
    )
