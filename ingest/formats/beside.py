"""What a tool call says besides itself, for agents of any kind: of to-do lists, and of work given to other AIs."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from .. import access
from ..access.scripts import SH, SHELLS
from ..tasks import Form, TaskChange, changes_in, row_of, speaks_of_tasks
from ..text import PATH_CHARS, first_line, kept, short

TASK_CHARS = 500

_ADDRESSING = frozenset({"SendMessage", "send_message", "send_input", "send_message_to_thread", "followup_task"})
"""Tools that write to a sub-agent."""

Said = tuple[str, str, dict[str, Any]]
"""A table, what the id of the row ends with, and its columns."""


def said_of_tasks(changes: list[TaskChange]) -> Iterator[Said]:
    """The rows of some changes that were told at once."""
    is_empty = len(changes) == 1 and changes[0].form is Form.LIST and changes[0].status is None
    for number, change in enumerate(changes):
        yield "task_changes", str(number), row_of(change, number, 0 if is_empty else len(changes))


def said_of_runs(script: str, language: str, folder: str | None) -> Iterator[Said]:
    """The rows of the AIs that a script hands work to; `folder`: where it runs, if that is known."""
    for number, run in enumerate(access.agents_run(script, language)):
        where = run.folder
        if where is not None and folder is not None and not where.startswith("~"):
            # Redacted before: in a path made plain no rule knows an address any more.
            where = posixpath.normpath(posixpath.join(kept(folder, PATH_CHARS), kept(where, PATH_CHARS)))
        columns = {
            "program": run.program,
            "task": first_line(run.task, TASK_CHARS) if run.task is not None else None,
            "is_certain": run.task is not None and access.is_certain(run.task),
            "folder": where,
            "is_remote": run.remote,
        }
        yield "external_runs", str(number), columns


def said_beside(
    name: str,
    given: Mapping[str, object],
    *,
    script: str | None = None,
    folder: str | None = None,
    tasks: list[TaskChange] | None = None,
) -> list[Said]:
    """All of it. `script`: what the call runs, where `given` does not have it under its usual name.

    Without a script and tasks there is none of a tool that does not `may_say`.
    """
    changes = changes_in(name, given) if tasks is None else tasks
    said = [*said_of_tasks(changes)] if changes else []
    told = given.get("command")
    if script is None and isinstance(told, str) and name.lower() in SHELLS:
        script = told
    if script is not None:
        here = next((given[key] for key in ("workdir", "cwd", "dir_path") if isinstance(given.get(key), str)), folder)
        said += said_of_runs(script, SHELLS.get(name.lower(), SH), here if isinstance(here, str) else None)
    return said


@functools.lru_cache(maxsize=1024)
def may_say(name: str) -> bool:
    """Whether calls of a tool may say any of it: those of nearly all tools do not, whatever is given to them."""
    return name.lower() in SHELLS or speaks_of_tasks(name)


def addressee_in(name: str, given: Mapping[str, object], *, is_subagent: bool) -> str | None:
    """Whom a message is for, or the name that a sub-agent is given."""
    if is_subagent:
        return short(given.get("name"))
    if name not in _ADDRESSING:
        return None
    fields = ("to", "recipient", "target", "id", "agent_id")
    return next((who for field in fields if (who := short(given.get(field)))), None)


def is_in_background(given: Mapping[str, object]) -> bool | None:
    """Whether a call asks to come back at once while the work goes on; None where it does not."""
    return True if given.get("run_in_background") is True or given.get("is_background") is True else None
