"""The runs of `agnes update`, as its log tells them.

The log is JSONL, one line per run. Beyond 256 KiB the command cuts it down to the last 200 lines, so a
reading is only what is left of the history. Rows have ids that stay the same, so what was loaded outlives
the log.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..jsonl import Unusable, reader_of
from .actions import MANIFEST_FETCH, SESSION_UPLOAD, SYNC_UPDATE
from .values import LogLine, Problem, ValuesRead, lines_of, path_text, read_file, stable_id, text_of, time_of

_ACTION_OF_STAGE = {"pull": MANIFEST_FETCH, "push": SESSION_UPLOAD}
"""The stages that exchange data with the server. All others are told by the row of the run."""

_RESULT_OF_STATUS = {"ok": "success"}
"""The audit log's word for it; the other statuses are called the same in both."""

_QUIET = frozenset({"ok", "skipped"})

_PULLED = re.compile(r"(\d{1,12}) tables?, (\d{1,12}) parquets?")
_PUSHED = re.compile(r"(\d{1,12}) session\(s\)")
_PRIVATE = re.compile(r", (\d{1,12}) private skipped")


class _Step(msgspec.Struct):
    stage: str = ""
    status: str = ""
    detail: Any = None


class _Run(msgspec.Struct):
    ts: str = ""
    agnes_version: str = ""
    workspace: str | None = None
    steps: list[_Step] = []


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """A stage of a run, as the log tells it."""

    stage: str
    status: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class SyncAction:
    """Something that was done to bring a workspace and its server in step."""

    id: str
    when: dt.datetime
    """UTC; of the end of the run."""
    action: str
    """One of `SYNC_ACTIONS`."""
    result: str
    """`success`, `skipped` or `error`; or the log's own word where it says more."""
    detail: str | None
    workspace: str
    agnes_version: str | None
    path: str
    pos: int
    """Where the log tells it: the file and the byte at which the line starts."""
    tables: int | None = None
    """Tables that were new or changed, of a pull."""
    parquets: int | None = None
    """Parquet files in the workspace after a pull."""
    sessions: int | None = None
    """Transcripts sent, of a push."""
    private: int | None = None
    """Transcripts kept back because they are private, of a push that had any."""
    steps: tuple[UpdateStep, ...] = ()
    """All stages, on the row of the run itself."""


def log_path(workspace: Path) -> Path:
    """The log of `agnes update` in a workspace."""
    return workspace / ".claude" / "agnes" / "update.log"


def read_update_log(workspace: Path) -> ValuesRead[SyncAction]:
    """The runs in the log, oldest first: each as `sync.update`, followed by its exchanges.

    A line that is still being written is left for the next reading.
    """
    path = log_path(workspace)
    problems: list[Problem] = []
    data = read_file(path, problems)
    rows: dict[str, SyncAction] = {}
    for line in lines_of(data or b""):
        for run in _READ(line.data):
            if isinstance(run, Unusable):
                if not line.torn:
                    problems.append(line.problem(path, str(run)))
            elif (when := time_of(run.ts)) is None:
                problems.append(line.problem(path, "ts is missing or unusable"))
            else:
                rows.update((row.id, row) for row in _actions(run, when, workspace, path, line))
    return ValuesRead(tuple(rows.values()), tuple(problems))


_READ = reader_of(_Run)


def _actions(run: _Run, when: dt.datetime, workspace: Path, path: Path, line: LogLine) -> Iterator[SyncAction]:
    # The workspace of the entry, not the folder it lies in now: a workspace that was moved keeps its history.
    place = text_of(run.workspace) or path_text(workspace)
    steps = tuple(
        UpdateStep(text_of(step.stage, 100) or "?", text_of(step.status, 100) or "?", _detail(step.detail))
        for step in run.steps
    )

    def row(action: str, stage: str, result: str, detail: str | None, **counts: Any) -> SyncAction:
        return SyncAction(
            id=stable_id("agnes update", place, when.isoformat(), stage),
            when=when,
            action=action,
            result=result,
            detail=detail,
            workspace=path_text(workspace),
            agnes_version=text_of(run.agnes_version, 100),
            path=path_text(path),
            pos=line.pos,
            **counts,
        )

    yield row(SYNC_UPDATE, "", _run_result(steps), _run_detail(steps), steps=steps)
    for step in steps:
        if action := _ACTION_OF_STAGE.get(step.stage):
            result = _RESULT_OF_STATUS.get(step.status, step.status)
            yield row(action, step.stage, result, step.detail, **_counts(step))


def _run_result(steps: tuple[UpdateStep, ...]) -> str:
    """One stage that failed is a failure; a run in which all were skipped did nothing."""
    statuses = {step.status for step in steps}
    if "error" in statuses:
        return "error"
    return "skipped" if statuses <= {"skipped"} else "success"


def _run_detail(steps: tuple[UpdateStep, ...]) -> str | None:
    """The stages that failed; else those that changed something; else how many there were."""
    told = [step for step in steps if step.status == "error"]
    told = told or [step for step in steps if step.status not in _QUIET]
    if not told:
        return f"{len(steps)} {'stage' if len(steps) == 1 else 'stages'}" if steps else None
    return text_of("; ".join(f"{step.stage} {step.status}: {step.detail or '-'}" for step in told))


def _detail(value: object) -> str | None:
    """The detail of a stage as one text. That of a failed pull is a list of what failed."""
    if isinstance(value, list):
        return text_of("; ".join(part for item in value[:100] if (part := _detail(item))))
    if isinstance(value, dict):
        error = value.get("error")
        subject = value.get("table") or value.get("stage")
        if isinstance(error, str) and isinstance(subject, str):
            return text_of(f"{subject}: {error}")
        return text_of(", ".join(f"{name}={item}" for name, item in value.items()))
    return text_of(value) if isinstance(value, str) else None


def _counts(step: UpdateStep) -> dict[str, int]:
    """The numbers in details like "14 tables, 31 parquets" and "3 session(s), 1 private skipped"."""
    text = step.detail or ""
    if step.stage == "pull":
        match = _PULLED.match(text)
        return {"tables": int(match[1]), "parquets": int(match[2])} if match else {}
    found = {"sessions": _PUSHED.match(text), "private": _PRIVATE.search(text)}
    return {name: int(match[1]) for name, match in found.items() if match}
