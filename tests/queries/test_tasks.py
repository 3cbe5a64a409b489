"""What the to-do lists of sessions come to: lists without ids, tasks with ids, blockers, histories."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.queries.tasks import Count, Task, counts, on_board, tasks

from tests.transcripts import Transcript, store_of

BEGUN = "2026-03-10T08:00:00"


def todo(told: Transcript, key: str, *entries: tuple[str, str], error: bool = False) -> Transcript:
    """A whole list, written anew."""
    listed = [{"content": text, "status": status, "activeForm": text} for text, status in entries]
    return told.wait(10).response((key, "TodoWrite", {"todos": listed})).wait(1).result(key, error=error)


def made(told: Transcript, key: str, task: str, subject: str) -> Transcript:
    told.wait(10).response((key, "TaskCreate", {"subject": subject, "description": subject})).wait(1)
    return told.result(key, f"Task #{task} created successfully: {subject}", toolUseResult={"task": {"id": task}})


def changed(told: Transcript, key: str, task: str, *, success: bool = True, **given: Any) -> Transcript:
    told.wait(10).response((key, "TaskUpdate", {"taskId": task, **given})).wait(1)
    return told.result(key, f"Updated task #{task}", toolUseResult={"success": success, "taskId": task})


def found(store: Store, chosen: Filter | None = None, **more: Any) -> list[Task]:
    with store.read() as connection:
        return tasks(connection, chosen or Filter(), **more)


def told(store: Store) -> dict[str, tuple[str, list[str]]]:
    return {task.subject: (task.status, [moment.status for moment in task.history]) for task in found(store)}


def test_a_list_is_what_it_was_last_and_every_task_has_its_history(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    todo(one, "w1", ("read", "in_progress"), ("fix", "pending"), ("fix", "pending"), ("drop", "pending"))
    todo(one, "w2", ("read", "completed"), ("fix", "in_progress"), ("fix", "pending"))
    todo(one, "w3", ("read", "pending"), error=True)
    store = store_of(tmp_path, [one])
    lists = [(task.subject, task.status, [m.status for m in task.history]) for task in found(store)]
    assert sorted(lists) == [
        ("fix", "in_progress", ["pending", "in_progress"]),
        ("fix", "pending", ["pending"]),
        ("read", "completed", ["in_progress", "completed"]),
    ]
    read = next(task for task in found(store) if task.subject == "read")
    assert (read.session_id, read.id, read.updated_at) == ("s", "w1:0", dt.datetime(2026, 3, 10, 8, 0, 21))
    assert [moment.timestamp for moment in read.history] == [
        dt.datetime(2026, 3, 10, 8, 0, 10),
        dt.datetime(2026, 3, 10, 8, 0, 21),
    ]


def test_a_list_that_is_told_again_changes_only_what_is_new(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    todo(one, "w1", ("read", "in_progress"), ("fix", "pending"))
    todo(one, "w2", ("read", "completed"), ("fix", "pending"))
    changed_at = {task.subject: task.updated_at for task in found(store_of(tmp_path, [one]))}
    assert changed_at == {
        "read": dt.datetime(2026, 3, 10, 8, 0, 21),
        "fix": dt.datetime(2026, 3, 10, 8, 0, 10),
    }


def test_a_machine_is_a_filter_too(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    store = store_of(tmp_path, [todo(one, "w1", ("read", "in_progress"))])
    assert found(store, Filter(machine="elsewhere")) == []


def test_an_emptied_list_has_no_tasks(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    todo(todo(one, "w1", ("read", "completed")), "w2")
    assert found(store_of(tmp_path, [one])) == []


def test_a_sub_agent_has_a_list_of_its_own(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    todo(one, "w1", ("read", "in_progress"))
    inner = Transcript("s", BEGUN, agent="a1").note("Explore", "look", "c1").prompt("look")
    todo(inner, "w2", ("search", "completed"), ("read", "pending"))
    store = store_of(tmp_path, [one, inner])
    assert {(task.subject, task.status, task.owner) for task in found(store)} == {
        ("read", "in_progress", None),
        ("search", "completed", "Explore"),
        ("read", "pending", "Explore"),
    }
    with store.read() as connection:
        assert counts(connection, ["s", "none"]) == {"s": Count(0, 1)}


def test_a_task_waits_for_those_that_are_neither_done_nor_dropped(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    for number, name in enumerate(("schema", "query", "docs", "ship", "later"), 1):
        made(one, f"c{number}", str(number), name)
    changed(one, "u1", "2", addBlockedBy=["1"])
    changed(one, "u2", "3", addBlocks=["4"])
    changed(one, "u3", "1", status="completed", owner="ann")
    changed(one, "u4", "2", status="in_progress")
    changed(one, "u5", "5", status="deleted")
    changed(one, "u6", "3", status="completed", success=False)
    store = store_of(tmp_path, [one])
    assert told(store) == {
        "schema": ("completed", ["pending", "completed"]),
        "query": ("in_progress", ["pending", "in_progress"]),
        "docs": ("pending", ["pending"]),
        "ship": ("blocked", ["pending"]),
        "later": ("deleted", ["pending", "deleted"]),
    }
    assert next(task for task in found(store) if task.id == "1").owner == "ann"
    board = on_board(found(store))
    assert {column: len(several) for column, several in board.items()} == {
        "pending": 1,
        "in_progress": 1,
        "blocked": 1,
        "completed": 1,
    }
    with store.read() as connection:
        assert counts(connection, ["s"]) == {"s": Count(1, 4)}


def test_a_whole_state_heals_what_was_missed(tmp_path: Path) -> None:
    one = Transcript("s", BEGUN).prompt("Go")
    made(one, "c1", "1", "schema")
    state = [
        {"id": "1", "subject": "schema", "status": "completed", "blockedBy": []},
        {"id": "2", "subject": "query", "status": "pending", "owner": "bob", "blockedBy": ["1"]},
    ]
    one.wait(5).row("attachment", attachment={"type": "task_reminder", "content": state, "itemCount": 2})
    assert told(store_of(tmp_path, [one])) == {
        "schema": ("completed", ["pending", "completed"]),
        "query": ("pending", ["pending"]),
    }


def test_under_filters_and_limits_the_latest_come_first(tmp_path: Path) -> None:
    days = []
    for number in range(3):
        one = Transcript(f"s{number}", f"2026-03-1{number}T08:00:00", cwd=f"/w/p{number}").prompt("Go")
        days.append(todo(one, f"w{number}", (f"old {number}", "completed"), (f"new {number}", "pending")))
    store = store_of(tmp_path, days)
    assert [task.session_id for task in found(store)] == ["s2", "s2", "s1", "s1", "s0", "s0"]
    assert [task.session_id for task in found(store, limit=3)] == ["s2", "s2", "s1"]
    assert {task.session_id for task in found(store, Filter(since=dt.date(2026, 3, 11)))} == {"s1", "s2"}
    assert {task.session_id for task in found(store, Filter(project="p0"))} == {"s0"}
    assert {task.subject for task in found(store, Filter(text="new 1"))} == {"new 1"}
    assert found(store, Filter(model="claude-none")) == []
    assert {task.session_id for task in found(store, sessions=["s1"])} == {"s1"}
