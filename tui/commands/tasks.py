"""`agnes-stats tasks`: the to-do lists of sessions, the task that changed last first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of
from ..settings import Settings
from .answering import MAX_LIMIT, answered, between, with_text
from .command import FILTERS, LIMIT, READING, TEXT, Command
from .json_fields import stamp
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.store import Reader
    from ...queries.tasks import Task
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats tasks`."""
    limit, chosen = between("limit", given.limit, 1, MAX_LIMIT), filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: tasks_answer(connection, with_text(connection, chosen, given), limit=limit),
        show,
    )


def tasks_answer(connection: Reader, chosen: Filter, *, limit: int) -> Answer:
    """At most `limit` tasks."""
    from ...queries.tasks import tasks

    return {"limit": limit, "rows": [_row(task) for task in tasks(connection, chosen, limit=limit)]}


def _row(task: Task) -> Answer:
    return {
        "session_id": task.session_id,
        "agent": task.agent,
        "machine": task.machine,
        "username": task.username,
        "project": task.project,
        "title": task.title,
        "id": task.id,
        "subject": task.subject,
        "status": task.status,
        "owner": task.owner,
        "updated_at": stamp(task.updated_at),
        "history": [{"status": moment.status, "timestamp": stamp(moment.timestamp)} for moment in task.history],
    }


def show(answer: Answer, page: Page) -> list[str]:
    """One line for each task."""
    if not answer["rows"]:
        return [page.nothing("tasks")]
    columns = [
        TextColumn("Changed"),
        TextColumn("Status"),
        TextColumn("Task", flexible=True),
        TextColumn("Owner", rank=3),
        TextColumn("Session", rank=2),
        TextColumn("Project", rank=1),
    ]
    cells = [
        [
            page.when(row["updated_at"]),
            row["status"].replace("_", " "),
            row["subject"] or words.NONE,
            row["owner"] or words.NONE,
            words.clean(words.session(row["title"], row["session_id"], row["project"]), 32),
            words.project(row["project"]),
        ]
        for row in answer["rows"]
    ]
    return table(columns, cells, page.width)


COMMAND = Command(
    heeds=(*READING, *FILTERS), run=run, options=(LIMIT, TEXT), examples=("tasks", "tasks --project shop --json")
)
