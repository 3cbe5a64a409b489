"""To-do lists in tool calls: what a call says of a session's tasks, whichever agent made it.

Some tools tell the whole list each time (`TodoWrite`, `todowrite`, `write_todos`, `update_plan`): a task there is what
it says, it has no id. Others name one task (`TaskCreate`, `TaskUpdate`), whose id the result of its making tells, or
the whole state (`TaskList`). What the changes come to is for `queries/tasks.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

SUBJECT_CHARS, ID_CHARS = 300, 80

_MOST = 200
"""Tasks of one call that are kept: nobody has more to do at once."""

_LISTS = frozenset({"todowrite", "writetodos", "updateplan"})
"""Tools that tell the whole list, in small letters without what stands between words."""

_CREATE, _UPDATE = "TaskCreate", "TaskUpdate"

_SAYS = ("content", "step", "description", "subject", "title")
"""Fields of a listed task that say what it is, the usual one first."""

_STATUSES = {
    **dict.fromkeys(("inprogress", "active", "doing"), "in_progress"),
    **dict.fromkeys(("completed", "complete", "done"), "completed"),
    **dict.fromkeys(("cancelled", "canceled", "deleted"), "deleted"),
    "blocked": "blocked",
    "pending": "pending",
}

_MADE = re.compile(r"\s*Task #(\w{1,40}) created\b")


class Form(StrEnum):
    """What a change tells. The values are those of the column `form`."""

    LIST = "list"
    """One task of a whole list without ids, which replaces the list before; a list without tasks is one such row."""
    CREATE = "create"
    """A new task; its id is told by the result."""
    UPDATE = "update"
    """Something of a task that is there."""
    STATE = "state"
    """One task of a whole state with ids."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What is said of one task; None: nothing is said of that."""

    form: Form
    task_id: str | None = None
    subject: str | None = None
    status: str | None = None
    """pending, in_progress, blocked, completed or deleted."""
    owner: str | None = None
    blocked_by: tuple[str, ...] = ()
    """Ids of tasks that have to be done before; those of an update are added to the others."""
    blocks: tuple[str, ...] = ()
    """Ids of tasks that wait for this one."""


@lru_cache(maxsize=1024)
def speaks_of_tasks(name: str) -> bool:
    """Whether calls of the tool `name` may say anything of tasks."""
    return name in (_CREATE, _UPDATE) or name.lower().replace("_", "").replace("-", "") in _LISTS


def changes_in(name: str, given: Mapping[str, object]) -> list[TaskChange]:
    """What a call of the tool `name` says of tasks; nothing, for nearly all tools."""
    if name == _CREATE:
        return [TaskChange(Form.CREATE, subject=_text(given.get("subject")) or "", status="pending")]
    if name == _UPDATE:
        task = _id(given.get("taskId"))
        return [] if task is None else [_update(task, given)]
    if not speaks_of_tasks(name):
        return []
    listed = given.get("todos", given.get("plan"))
    if isinstance(listed, str):
        listed = _decoded(listed)
    if not isinstance(listed, list):
        return []
    found = [_listed(entry) for entry in listed[:_MOST] if isinstance(entry, dict)]
    return found or [TaskChange(Form.LIST)]


def changes_in_state(told: object) -> list[TaskChange]:
    """What a whole state of tasks with ids says, as `TaskList` gives it back; nothing if it is none."""
    found = []
    for entry in told[:_MOST] if isinstance(told, list) else ():
        task = _id(entry.get("id")) if isinstance(entry, dict) else None
        if task is not None:
            found.append(
                TaskChange(
                    Form.STATE,
                    task,
                    _text(entry.get("subject")),
                    _status(entry.get("status")),
                    _text(entry.get("owner")),
                    _ids(entry.get("blockedBy")),
                    _ids(entry.get("blocks")),
                )
            )
    return found


def id_in(text: str) -> str | None:
    """The id of the task that a call has made, as its result tells it in words; None if it tells none."""
    found = _MADE.match(text)
    return found[1] if found else None


def row_of(change: TaskChange, number: int, of: int) -> dict[str, Any]:
    """The columns of a change, the `number`th (from 0) of those that are told at once."""
    return {
        "form": change.form,
        "number": number,
        "of": of,
        "task_id": change.task_id,
        "subject": change.subject,
        "status": change.status,
        "owner": change.owner,
        "blocked_by": list(change.blocked_by),
        "blocks": list(change.blocks),
    }


def _update(task: str, given: Mapping[str, object]) -> TaskChange:
    status = given.get("status")
    return TaskChange(
        Form.UPDATE,
        task,
        _text(given.get("subject")),
        None if status is None else _status(status),
        _text(given.get("owner")),
        _ids(given.get("addBlockedBy")),
        _ids(given.get("addBlocks")),
    )


def _listed(entry: Mapping[str, object]) -> TaskChange:
    said = next((text for name in _SAYS if (text := _text(entry.get(name)))), "")
    return TaskChange(Form.LIST, subject=said, status=_status(entry.get("status")), owner=_text(entry.get("owner")))


def _status(value: object) -> str:
    """One of our words; what nobody knows is still to be done."""
    return _STATUSES.get(str(value).lower().replace("_", "").replace("-", "").replace(" ", ""), "pending")


def _text(value: object) -> str | None:
    return value[: SUBJECT_CHARS * 4] if isinstance(value, str) and value.strip() else None


def _id(value: object) -> str | None:
    """An id as text; some write a number, or `#3`."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    # Cut only after redaction, which does not know half of a credential for one.
    return str(value).strip().removeprefix("#")[: ID_CHARS * 4] or None


def _ids(value: object) -> tuple[str, ...]:
    return tuple(task for entry in value[:_MOST] if (task := _id(entry))) if isinstance(value, list) else ()


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
