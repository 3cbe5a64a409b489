"""What happened in a session, prompt by prompt: a list whose entries unfold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from zoneinfo import ZoneInfo

from rich.text import Text

from ...queries.session_detail import SessionDetail, Turn
from ...queries.steps import Step
from ...queries.subagents import SubagentRun
from .. import format as words
from .. import marks
from ..kit.table import Column, Record
from . import text as told

Cells: TypeAlias = dict[str, Text | str | int | None]

FOLDED, UNFOLDED, LEAF = "▸", "▾", " "
MARKS = {"ok": "✓", "error": "✗", "denied": "⊘", "running": "…", "interrupted": "–", "failed": "✗", "completed": "✓"}
_EVENTS = {"compact": "conversation compacted", "api_error": "API error", "interrupt": "interrupted"}
_INDENT = 2

COLUMNS = (
    Column("time", "Time", 8),
    Column("what", "What"),
    Column("result", "Result", 13),
    Column("took", "Took", 7, "right"),
    Column("calls", "Tools", 5, "right", min_screen=100),
    Column("tokens", "Tokens", 8, "right", min_screen=92),
    Column("cost", "Cost", 8, "right", min_screen=76),
)


@dataclass(frozen=True, slots=True)
class Node:
    """What an entry is about: `key` is the parent under which its steps are asked for, "" if it has none."""

    kind: str
    """turn, call, agent, event, or more: Enter shows more of the steps of `owner`."""
    key: str
    owner: str
    """The key of the entry above, "" at the top."""
    text: str
    """All of it, for where there is room."""


@dataclass(frozen=True, slots=True)
class ActivityView:
    """What the list shows: which entries are unfolded, the steps below them, and only failures or all."""

    detail: SessionDetail
    steps: Sequence[Step]
    unfolded: Collection[str]
    failed: bool
    now: dt.datetime
    zone: ZoneInfo
    styles: Mapping[str, str]
    """Style of Rich for each status."""


def turn_key(turn: Turn) -> str:
    """Under which key the steps of a turn are asked for."""
    return f"turn:{turn.id}"


def agent_key(agent: SubagentRun) -> str:
    """Under which key the steps of a sub-agent are asked for."""
    return f"agent:{agent.subagent_id}"


def records(view: ActivityView) -> list[Record]:
    """The entries of the list, in their order."""
    return list(_Lines(view).all())


class _Lines:
    """Walks a session from its prompts down to what is unfolded."""

    def __init__(self, view: ActivityView) -> None:
        self._view = view
        self._steps: dict[str, list[Step]] = {}
        for step in view.steps:
            self._steps.setdefault(step.parent, []).append(step)
        self._subagents_of: dict[str, list[SubagentRun]] = {}
        self._adrift: dict[str, list[SubagentRun]] = {}
        starts = view.detail.placement.starts
        for agent in view.detail.agents:
            if agent.call_id is not None:
                self._subagents_of.setdefault(agent.call_id, []).append(agent)
            elif agent.called_at is not None:
                before = [turn for moment, turn in starts if moment <= agent.called_at]
                self._adrift.setdefault(f"turn:{before[-1] if before else ''}", []).append(agent)

    def all(self) -> Iterator[Record]:
        """Every entry."""
        for number, turn in enumerate(self._view.detail.turns, 0 if self._has_start else 1):
            if self._view.failed and not (turn.errors or turn.notes):
                continue
            yield self._turn(turn, number)
            key = turn_key(turn)
            if key in self._view.unfolded:
                yield from self._below(key, 1)

    @property
    def _has_start(self) -> bool:
        turns = self._view.detail.turns
        return bool(turns) and turns[0].kind == "start"

    def _below(self, key: str, depth: int) -> Iterator[Record]:
        found = self._steps.get(key, [])
        adrift = [] if self._view.failed else self._adrift.get(key, [])
        latest = dt.datetime.max
        if found and found[0].total > len(found):
            text = f"{words.count(found[0].total - len(found))} earlier"
            yield _record(f"{key}:more", {"what": _indented(depth, LEAF, f"… {text}")}, Node("more", "", key, text))
        items: list[Step | SubagentRun] = [*found, *adrift]
        for item in sorted(items, key=lambda each: each.started_at or latest):
            if isinstance(item, SubagentRun):
                yield from self._agent(item, key, depth)
            else:
                yield from self._step(item, key, depth)

    # -- entries -------------------------------------------------------------------------------------------------

    def _turn(self, turn: Turn, number: int) -> Record:
        key = turn_key(turn)
        has_steps = bool(turn.calls or turn.notes or key in self._adrift)
        text = "before the first prompt" if turn.kind == "start" else words.clean(turn.text) or "(empty)"
        if turn.kind == "command":
            text = f"/{text}"
        what = _indented(0, self._fold(key, has_steps), f"{number} " if number else "")
        what.append(text, style="italic" if turn.kind == "start" else "bold")
        cells: Cells = {
            "time": self._clock(turn.started_at),
            "what": what,
            "result": self._outcome(turn),
            "took": words.duration(turn.seconds) if turn.seconds else "",
            "calls": words.count(turn.calls) if turn.calls else "",
            "tokens": marks.tokens(turn.tokens, turn.undercounted) if turn.responses else "",
            "cost": marks.cost(turn) if turn.responses else "",
        }
        return _record(key, cells, Node("turn", key if has_steps else "", "", text))

    def _outcome(self, turn: Turn) -> Text:
        if turn.running:
            return self._mark("running", f"{words.count(turn.running)} running")
        if turn.errors:
            return self._mark("error", told.plural(turn.errors, "error"))
        return Text()

    def _step(self, step: Step, owner: str, depth: int) -> Iterator[Record]:
        agents = [] if self._view.failed else self._subagents_of.get(step.id, [])
        if step.kind != "call":
            yield self._event(step, owner, depth)
            return
        if len(agents) == 1:
            yield from self._agent(agents[0], owner, depth, step)
            return
        key = f"call:{step.id}" if agents else ""
        yield self._call(step, owner, depth, key)
        if step.error and step.status in ("error", "denied"):
            yield self._error(step, owner, depth)
        if key in self._view.unfolded:
            for agent in agents:
                yield from self._agent(agent, key, depth + 1)

    def _event(self, step: Step, owner: str, depth: int) -> Record:
        text = words.clean(step.detail) or _EVENTS[step.kind]
        what = _indented(depth, LEAF, "")
        what.append(_EVENTS[step.kind], style="italic")
        if step.kind == "api_error":
            what.append(f"  {text}", style=self._view.styles.get("error", ""))
        result = self._mark("error", "") if step.kind == "api_error" else Text()
        cells: Cells = {"time": self._clock(step.started_at), "what": what, "result": result}
        return _record(f"{owner}/{step.id}", cells, Node("event", "", owner, text))

    def _call(self, step: Step, owner: str, depth: int, key: str) -> Record:
        what = _indented(depth, self._fold(key, bool(key)), "")
        if step.thread is not None and self._view.failed:
            what.append("sub-agent · ", style="dim")
        what.append(words.clean(step.name), style="")
        what.append(f"  {self._told(step.detail)}", style="dim")
        cells: Cells = {
            "time": self._clock(step.started_at),
            "what": what,
            "result": self._status(step.status or "", step.started_at),
            "took": "" if step.seconds is None else words.millis(step.seconds * 1000),
        }
        return _record(f"{owner}/{step.id}", cells, Node("call", key, owner, f"{step.name}  {step.detail or ''}"))

    def _error(self, step: Step, owner: str, depth: int) -> Record:
        text = self._told(step.error)
        what = _indented(depth + 1, LEAF, "")
        what.append(text, style=self._view.styles.get("error", ""))
        return _record(f"{owner}/{step.id}!", {"what": what}, Node("call", "", owner, text))

    def _agent(self, agent: SubagentRun, owner: str, depth: int, step: Step | None = None) -> Iterator[Record]:
        key = agent_key(agent)
        name, about = words.clean(agent.subagent_type), words.clean(agent.description)
        what = _indented(depth, self._fold(key, agent.calls > 0), "")
        what.append(name, style="bold")
        what.append(f"  {about}", style="")
        cells: Cells = {
            "time": self._clock(agent.called_at),
            "what": what,
            "result": self._status(agent.status, agent.called_at),
            "took": words.duration(agent.seconds) if agent.seconds and agent.status != "running" else "",
            "calls": words.count(agent.calls) if agent.calls else "",
            "tokens": marks.tokens(agent.tokens, agent.undercounted),
            "cost": marks.cost(agent),
        }
        record_key = f"{owner}/{step.id if step else agent.subagent_id}"
        yield _record(record_key, cells, Node("agent", key if agent.calls else "", owner, f"{name}  {about}"))
        if step is not None and step.error and step.status in ("error", "denied"):
            yield self._error(step, owner, depth)
        if key in self._view.unfolded and agent.calls:
            yield from self._below(key, depth + 1)

    # -- cells ---------------------------------------------------------------------------------------------------

    def _told(self, text: str | None) -> str:
        """A text of the session; files below its folder without the folder."""
        cwd = self._view.detail.cwd
        return words.clean(text.replace(f"{cwd}/", "") if text and cwd else text)

    def _fold(self, key: str, has_steps: bool) -> str:
        if not has_steps:
            return LEAF
        return UNFOLDED if key in self._view.unfolded else FOLDED

    def _status(self, status: str, since: dt.datetime | None) -> Text:
        if status == "running" and since is not None:
            return self._mark(status, words.duration((self._view.now - since).total_seconds()))
        return self._mark(status, "" if status in ("ok", "completed") else status)

    def _mark(self, status: str, text: str) -> Text:
        return Text(f"{MARKS[status]} {text}".rstrip(), style=self._view.styles.get(status, ""))

    def _clock(self, moment: dt.datetime | None) -> str:
        if moment is None:
            return ""
        return f"{words.local(moment, self._view.zone):%H:%M:%S}"


def _record(key: str, cells: Cells, node: Node) -> Record:
    return Record(key, {column.key: cells.get(column.key, "") for column in COLUMNS}, node)


def _indented(depth: int, mark: str, text: str) -> Text:
    return Text(f"{' ' * (_INDENT * depth)}{mark} {text}", no_wrap=True, overflow="ellipsis", end="")
