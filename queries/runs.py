"""The runs of sub-agents: which call began each, whose time is whose, and how each ended."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .hand_over_facts import End, HandingCall, SubagentNote, ThreadCalls, Work
from .subagents import OWN_WORK
from .threads import LIVE_FOR, Threads

Key = tuple[str | None, str]
"""A session and a sub-agent of it; one that left no name is ''."""

_WAIT, _LATE = dt.timedelta(seconds=60), dt.timedelta(seconds=5)
"""How long after a call without a result a sub-agent may begin, and how long after a result."""

_EARLY = dt.datetime.min

_ENDS = {"completed": "done", "failed": "failed"}
"""How a session is told that a run ended -> its status; the other words are those of one that was stopped."""


@dataclass(slots=True)
class Run:
    """One run of a sub-agent, with what was done in it. Times are UTC without a zone."""

    session_id: str | None
    subagent_id: str | None
    """None of a call that nobody is known to have followed."""
    call: HandingCall | None
    start: dt.datetime | None
    work: list[Work] = field(default_factory=list)
    done: list[ThreadCalls] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The call that began it; else the sub-agent."""
        return self.call.id if self.call is not None else self.subagent_id or f"{self.session_id}:"

    @property
    def parts(self) -> list[Work | ThreadCalls]:
        """All that was done in it."""
        return [*self.work, *self.done]

    @property
    def first_at(self) -> dt.datetime | None:
        """When its first row was."""
        return min((part.first_at for part in self.parts if part.first_at), default=None)

    @property
    def last_at(self) -> dt.datetime | None:
        """When its last row was."""
        return max((part.last_at for part in self.parts if part.last_at), default=None)

    @property
    def begun_at(self) -> dt.datetime | None:
        """When it was handed over; else its first row."""
        return self.start if self.start is not None else self.first_at

    @property
    def last_stop(self) -> str | None:
        """Why its latest response ended."""
        last = max(self.work, key=lambda part: part.last_at or _EARLY, default=None)
        return None if last is None else last.last_stop

    @property
    def is_foreground(self) -> bool:
        """Whether the call that began it came back when it was over."""
        return self.call is not None and not self.call.in_background

    def status(self, threads: Threads) -> str:
        """How it ended, or that it runs: running, done, failed, denied or interrupted."""
        call = self.call
        if call is not None and call.denial is not None:
            return "denied"
        if call is not None and call.is_error:
            return "failed"
        if call is not None and not call.in_background and call.is_error is None:
            return "running" if any(open_call.id == call.id for open_call in threads.running) else "interrupted"
        if self.is_foreground:
            return "done"
        return self._status_in_background(threads)

    def _status_in_background(self, threads: Threads) -> str:
        last = self.last_at
        recent = last is not None and abs(threads.now - last) <= LIVE_FOR
        end = self.ends[-1] if self.ends else None
        if end is not None and not (recent and last is not None and end.ended_at is not None and last > end.ended_at):
            return _ENDS.get(end.status, "interrupted")
        if recent and self.last_stop != "end":
            return "running"
        if last is None:
            # Nobody has seen it work: it was begun just now, or its rows are nowhere.
            begun = self.start
            if begun is not None and abs(threads.now - begun) <= LIVE_FOR:
                return "running"
            # Of one without a name nothing more would be told: a teammate, whose rows are in no file of the session.
            return "interrupted" if self.subagent_id is not None else "done"
        return "interrupted" if self.last_stop == "tool_use" else "done"

    def duration_ms(self, status: str) -> int | None:
        """Milliseconds that it took; None while it runs and where nothing tells."""
        if status in ("running", "denied"):
            return None
        call = self.call
        if call is not None and self.is_foreground:
            if call.spawned_ms is not None:
                return call.spawned_ms
            if call.started_at is not None and call.ended_at is not None:
                return max(0, _millis(call.ended_at - call.started_at))
        first, last = self.first_at, self.last_at
        if first is not None and last is not None:
            return max(0, _millis(last - first))
        return self.ends[-1].duration_ms if self.ends else None


def _millis(span: dt.timedelta) -> int:
    return span // dt.timedelta(milliseconds=1)


def begun(
    calls: Sequence[HandingCall], notes: Sequence[SubagentNote], ends: Sequence[End]
) -> dict[Key, list[HandingCall]]:
    """The calls that began the runs of each sub-agent, in their order; those that nobody followed under ('', id)."""
    noted = {note.tool_use_id: note.subagent_id for note in notes if note.tool_use_id is not None}
    found: dict[Key, list[HandingCall]] = defaultdict(list)
    names: dict[tuple[str | None, str], str] = {}
    messages = []
    for call in calls:
        child = call.spawned_subagent_id or noted.get(call.id)
        if child is not None:
            found[call.session_id, child].append(call)
            if call.addressee is not None:
                names[call.session_id, call.addressee] = child
        elif call.is_subagent:
            found[call.session_id, f"\0{call.id}"].append(call)
        elif call.addressee is not None and call.is_error is False:
            messages.append(call)
    for message in messages:
        who = str(message.addressee)
        child = names.get((message.session_id, who), who)
        if (message.session_id, child) in found:
            _wake(message, found[message.session_id, child], [end for end in ends if end.task_id == child])
    return found


def _wake(message: HandingCall, before: list[HandingCall], ends: Sequence[End]) -> None:
    """Take a message as the beginning of another run if the sub-agent had ended the one before."""
    at, last = message.started_at, before[-1]
    if at is None or last.started_at is None or last.started_at >= at:
        return
    if last.in_background:
        is_over = any(end.ended_at is not None and last.started_at <= end.ended_at <= at for end in ends)
    else:
        is_over = last.ended_at is not None and last.ended_at <= at
    if is_over:
        before.append(message)


def runs_of(
    begun_by: Mapping[Key, Sequence[HandingCall]],
    work: Sequence[Work],
    done: Sequence[ThreadCalls],
    ends: Sequence[End],
    now: dt.datetime,
) -> dict[Key, list[Run]]:
    """The runs of each sub-agent, in their order, each with the responses, calls and ends in its time."""
    found: dict[Key, list[Run]] = {}
    for (session, child), calls in begun_by.items():
        known = None if child.startswith("\0") else child
        found[session, child] = [Run(session, known, call, call.started_at) for call in calls]
    parts: list[Work | ThreadCalls] = [*work, *done]
    for part in parts:
        key = (part.session_id, part.thread)
        runs = found.setdefault(key, [Run(part.session_id, part.thread, None, None)])
        run = _at(runs, part.first_at)
        if isinstance(part, Work):
            run.work.append(part)
        else:
            run.done.append(part)
    by_child = {key[1]: runs for key, runs in found.items()}
    for end in ends:
        told_of = found.get((end.session_id, end.task_id)) or by_child.get(end.task_id)
        if told_of is not None:
            _at(told_of, end.ended_at).ends.append(end)
    for key, runs in found.items():
        found[key] = [run for number, run in enumerate(runs) if number == 0 or _has_begun(run, now)]
    _pair(found)
    return found


def _has_begun(run: Run, now: dt.datetime) -> bool:
    """Whether a further run is one: a message alone, that nothing came of, may have woken nobody."""
    if run.call is None or run.call.is_subagent or run.work or run.done or run.ends:
        return True
    return run.start is not None and abs(now - run.start) <= LIVE_FOR


def _pair(found: dict[Key, list[Run]]) -> None:
    """Give sub-agents whose call is not told the call that they began with: of those without a sub-agent the nearest.

    Some agents do not say which call began a thread, and one that was interrupted has no result to say it.
    """
    waiting = [(key, runs[0]) for key, runs in found.items() if key[1].startswith("\0")]
    nameless = [(key, runs) for key, runs in found.items() if runs[0].call is None and not _is_own_work(key[1])]
    near = []
    for call_key, caller in waiting:
        for key, runs in nameless:
            first = runs[0].first_at
            if key[0] == call_key[0] and first is not None and caller.start is not None and caller.call is not None:
                over = caller.call.ended_at or caller.start + _WAIT
                if caller.start <= first <= over + _LATE:
                    near.append((first - caller.start, call_key[1], call_key, key))
    for _, _, call_key, key in sorted(near, key=lambda each: (each[0], each[1], each[3][1])):
        if call_key in found and found[key][0].call is None:
            [caller] = found.pop(call_key)
            found[key][0].call, found[key][0].start = caller.call, caller.start


def _is_own_work(child: str) -> bool:
    return not child or child.startswith(tuple(OWN_WORK))


def _at(runs: Sequence[Run], moment: dt.datetime | None) -> Run:
    """The run that something belongs to: the latest one that had begun by then."""
    if len(runs) == 1:
        return runs[0]
    starts = [run.start or _EARLY for run in runs]
    return runs[max(0, bisect.bisect_right(starts, moment or _EARLY) - 1)]


def run_at(
    runs: Mapping[Key, Sequence[Run]], session_id: str | None, child: str, moment: dt.datetime | None
) -> Run | None:
    """The run of a sub-agent in which something happened; None if there is no such sub-agent."""
    known = runs.get((session_id, child))
    return None if known is None else _at(known, moment)
