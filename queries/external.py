"""Work that was handed to another AI through the shell, joined with that AI's own transcript where it is read.

The other AI's session is one on the same machine, of that program, in the folder of the call, whose first row falls
into the time of the call, and whose first prompt is the task where the script tells it. A session is joined with one
call only, the nearest.
"""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .hand_over_facts import End, Spent
from .threads import LIVE_FOR, THREAD
from .token_kinds import columns

if TYPE_CHECKING:
    from .store import Reader

AGENTS = {
    "claude": "claude-code",
    **{name: name for name in ("codex", "gemini", "copilot", "opencode", "pi", "qwen")},
}
"""Programs whose transcripts are read -> the agent that these are of."""

BEFORE, AFTER = dt.timedelta(seconds=2), dt.timedelta(seconds=5)
"""How far the first row of a session may lie outside of the call's time."""


@dataclass(frozen=True, slots=True)
class External:
    """One hand-over to another AI, as its call tells it. Times are UTC without a zone."""

    id: str
    call_id: str
    session_id: str | None
    agent: str | None
    machine: str | None
    username: str | None
    thread: str | None
    program: str
    task: str | None
    is_certain: bool
    folder: str | None
    is_remote: bool
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    is_error: bool | None
    denial: str | None
    in_background: bool
    cwd: str | None

    @property
    def where(self) -> str | None:
        """The folder it runs in; None if that is not known."""
        if self.folder is None or self.is_remote:
            return None
        if self.folder.startswith(("/", "~")) or self.folder[1:2] == ":":
            return self.folder
        return None if self.cwd is None else posixpath.normpath(posixpath.join(self.cwd, self.folder))


@dataclass(frozen=True, slots=True)
class Child(Spent):
    """A session that another AI may have run in. Calls and errors are its own, tokens all of it."""

    session_id: str = ""
    agent: str | None = None
    machine: str | None = None
    cwd: str | None = None
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    asked: str | None = None
    """The first line of its first prompt."""
    model: str | None = None
    tool_calls: int = 0
    errors: int = 0


def externals(connection: Reader) -> list[External]:
    """All hand-overs to other AIs, in their order."""
    return connection.ask(
        External,
        f"""
        SELECT e.id, e.call_id, e.session_id, coalesce(e.agent, s.agent) AS agent, e.machine,
            coalesce(s.username, e.username) AS username, {THREAD.replace("subagent_id", "c.subagent_id")} AS thread,
            e.program, e.task, coalesce(e.is_certain, false) AS is_certain, e.folder,
            coalesce(e.is_remote, false) AS is_remote, coalesce(c.ts, e.ts) AS started_at, c.result_ts AS ended_at,
            c.is_error, c.denial, coalesce(c.in_background, false) AS in_background, s.cwd
        FROM external_runs e LEFT JOIN tool_calls c ON c.id = e.call_id
        LEFT JOIN sessions s ON s.session_id = e.session_id
        ORDER BY started_at NULLS LAST, e.id""",
    )


def children(connection: Reader, runs: Sequence[External], ends: Sequence[End], now: dt.datetime) -> dict[str, Child]:
    """The session of each hand-over, by the hand-over's id, as far as one is known."""
    spans = {run.id: _span(run, ends, now) for run in runs if run.program in AGENTS and run.where is not None}
    begins = [span[0] for span in spans.values() if span is not None]
    if not begins:
        return {}
    asked = {
        "agents": sorted({AGENTS[run.program] for run in runs if run.id in spans}),
        "since": min(begins) - BEFORE,
        "until": max(span[1] for span in spans.values() if span is not None) + AFTER,
    }
    found = connection.ask(
        Child,
        f"""
        SELECT s.session_id, s.agent, s.machine, s.cwd, s.started_at, s.ended_at, p.text AS asked,
            s.primary_model AS model, s.tool_calls_total AS tool_calls, s.tool_errors AS errors, {columns("s.")},
            s.reasoning_tokens, s.cost_usd, s.unpriced_tokens, s.undercounted, s.assistant_messages AS responses
        FROM sessions s LEFT JOIN (
            SELECT session_id, arg_min(text, (coalesce(ts, 'infinity'::TIMESTAMP), pos)) AS text
            FROM prompts WHERE kind = 'prompt' GROUP BY session_id
        ) p USING (session_id)
        WHERE s.agent IN (SELECT unnest($agents)) AND s.started_at BETWEEN $since AND $until""",
        asked,
    )
    near = [
        (abs(child.started_at - span[0]), run.id, child)
        for run in runs
        if (span := spans.get(run.id)) is not None
        for child in found
        if child.started_at is not None and _fits(run, span, child)
    ]
    joined: dict[str, Child] = {}
    taken: set[str] = set()
    for _, run_id, child in sorted(near, key=lambda each: (each[0], each[1], each[2].session_id)):
        if run_id not in joined and child.session_id not in taken:
            joined[run_id] = child
            taken.add(child.session_id)
    return joined


def end_of(run: External, ends: Sequence[End]) -> End | None:
    """How a hand-over in the background ended, as its session was told."""
    return next((end for end in reversed(ends) if end.call_id == run.call_id), None)


def _span(run: External, ends: Sequence[End], now: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
    if run.started_at is None:
        return None
    end = end_of(run, ends)
    if end is not None and end.ended_at is not None:
        return run.started_at, end.ended_at
    if run.ended_at is None or run.in_background:
        return run.started_at, max(now, run.started_at)
    return run.started_at, run.ended_at


def _fits(run: External, span: tuple[dt.datetime, dt.datetime], child: Child) -> bool:
    assert child.started_at is not None
    if (
        child.session_id == run.session_id
        or child.agent != AGENTS[run.program]
        or child.machine != run.machine
        or not _same_folder(run.where, child.cwd)
        or not span[0] - BEFORE <= child.started_at <= span[1] + AFTER
    ):
        return False
    return run.task is None or not run.is_certain or _line(child.asked) == _line(run.task)


def _same_folder(where: str | None, cwd: str | None) -> bool:
    if where is None or cwd is None:
        return False
    return cwd.endswith(where[1:]) if where.startswith("~/") else posixpath.normpath(where) == posixpath.normpath(cwd)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def status_of(run: External, ends: Sequence[End], running: Collection[str], now: dt.datetime) -> str:
    """How a hand-over ended, or that it runs: running, done, failed, denied or interrupted."""
    if run.denial is not None:
        return "denied"
    if run.is_error:
        return "failed"
    if run.is_error is None:
        return "running" if run.call_id in running else "interrupted"
    if not run.in_background:
        return "done"
    end = end_of(run, ends)
    if end is not None:
        return {"completed": "done", "failed": "failed"}.get(end.status, "interrupted")
    return "running" if run.started_at is not None and now - run.started_at <= LIVE_FOR else "interrupted"


def duration_of(run: External, ends: Sequence[End], child: Child | None) -> int | None:
    """Milliseconds that it took; None while it runs and where nothing tells."""
    end = end_of(run, ends) if run.in_background else None
    over = end.ended_at if end is not None else None if run.in_background else run.ended_at
    if over is None and run.in_background and child is not None and child.ended_at is not None:
        over = child.ended_at
    if over is None or run.started_at is None:
        return None
    return max(0, (over - run.started_at) // dt.timedelta(milliseconds=1))
