"""What happened, prompt by prompt: a list whose entries unfold, of one session or of many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

from rich.text import Text

from ...queries.context_story import PastCompaction, Rebuild
from ...queries.rollups import MAIN_AGENT
from ...queries.steps import Step
from ...queries.subagents import SubagentRun
from .. import format as words
from .. import marks
from ..kit.table import Column, Record

Cells: TypeAlias = dict[str, Text | str | int | None]

FOLDED, UNFOLDED, LEAF = "▸", "▾", " "
MARKS = {"ok": "✓", "error": "✗", "denied": "⊘", "running": "…", "interrupted": "–", "failed": "✗", "completed": "✓"}
_EVENTS = {"compact": "conversation compacted", "api_error": "API error", "interrupt": "interrupted"}
_ANSWER = "turn"
"""The kind of responses that answer in the conversation; others are called by their kind."""
_ENDED = "end"
"""Why the model stopped if it had no more to do."""
_INDENT = 2

WHAT = Column("what", "What")
NUMBERS = (
    Column("result", "Result", 13),
    Column("took", "Took", 7, "right"),
    Column("calls", "Tools", 5, "right", min_screen=100),
    Column("tokens", "Tokens", 8, "right", min_screen=92),
    Column("cost", "Cost", 8, "right", min_screen=76),
)
COLUMNS = (
    Column("time", "Time", 8),
    WHAT,
    Column("who", "Agent", 12, min_screen=124),
    Column("model", "Model", 11, min_screen=112),
    *NUMBERS,
)


@dataclass(frozen=True, slots=True)
class Head:
    """A prompt, a slash command, or what came before the first prompt: the top of the tree."""

    key: str
    """Under which its steps are asked for."""
    session_id: str
    kind: str
    """prompt, command or start."""
    text: str | None
    number: int
    """Its place in the session; 0 where that is not told."""
    started_at: dt.datetime | None
    seconds: float | None
    calls: int
    ok: int | None
    """Calls that came back well, where that is told."""
    errors: int
    running: int
    notes: int
    tokens: int
    undercounted: int
    used: marks.Used | None
    """What it cost; None where nothing answered."""
    cells: Mapping[str, Text | str] = field(default_factory=dict)
    """More columns."""
    data: object = None


@dataclass(frozen=True, slots=True)
class Node:
    """What an entry is about: `key` is the parent under which its steps are asked for, "" if it has none."""

    kind: str
    """turn, call, agent, event, response, or more: Enter shows more of the steps of `owner`."""
    key: str
    owner: str
    """The key of the entry above, "" at the top."""
    text: str
    """All of it, for where there is room."""
    session_id: str = ""
    step: Step | None = None
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class TreeView:
    """What the list shows: which entries are unfolded, the steps below them, and only failures or all."""

    heads: Sequence[Head]
    agents: Sequence[SubagentRun]
    turn_of: Mapping[tuple[str, str], str]
    """The turn of each run of a sub-agent: by session and key of the run."""
    steps: Sequence[Step]
    unfolded: Collection[str]
    failed: bool
    now: dt.datetime
    zone: ZoneInfo
    styles: Mapping[str, str]
    """Style of Rich for each status."""
    folders: Mapping[str, str | None]
    """The folder of each session: files in it are told without it."""
    rebuilds: Mapping[str, Rebuild] = field(default_factory=dict)
    """Where the cache was built anew: by the response."""
    compactions: Mapping[str, PastCompaction] = field(default_factory=dict)
    """What is known of compactions: by the event."""
    dated: bool = False
    """Whether days are told, too."""
    keys: tuple[str, ...] = tuple(column.key for column in COLUMNS)
    """The columns that are filled."""


_TONES = {"error": "error", "failed": "error", "denied": "warning", "running": "success"}


def tones(styles: Mapping[str, str]) -> dict[str, str]:
    """The style of Rich for each status, given those of the theme."""
    quiet = dict.fromkeys(("ok", "completed", "interrupted"), "dim")
    return {status: styles[name] for status, name in _TONES.items()} | quiet


def turn_key(turn: str) -> str:
    """Under which key the steps of a turn are asked for."""
    return f"turn:{turn}"


def agent_key(agent: SubagentRun) -> str:
    """Under which key the steps of a sub-agent's run are asked for."""
    return f"agent:{agent.key}"


def records(view: TreeView) -> list[Record]:
    """The entries of the list, in their order."""
    return list(_Lines(view).all())


def agents_below(
    agents: Sequence[SubagentRun], turn_of: Mapping[tuple[str, str], str], turns: Collection[str]
) -> list[str]:
    """The keys of all sub-agents' runs, at any depth, that belong to some turns."""
    return [agent_key(agent) for agent in agents if turn_of.get((agent.session_id, agent.key), "") in turns]


class _Lines:
    """Walks from the prompts down to what is unfolded."""

    def __init__(self, view: TreeView) -> None:
        self._view = view
        self._steps: dict[str, list[Step]] = {}
        for step in view.steps:
            self._steps.setdefault(step.parent, []).append(step)
        self._agents_of: dict[str, list[SubagentRun]] = {}
        self._adrift: dict[str, list[SubagentRun]] = {}
        for agent in view.agents:
            if agent.call_id is not None:
                self._agents_of.setdefault(agent.call_id, []).append(agent)
            elif agent.called_at is not None:
                turn = view.turn_of.get((agent.session_id, agent.key), "")
                self._adrift.setdefault(turn_key(turn), []).append(agent)
        self._agent_of = {agent_key(agent): agent for agent in view.agents}

    def all(self) -> Iterator[Record]:
        """Every entry."""
        for head in self._view.heads:
            if self._view.failed and not (head.errors or head.notes):
                continue
            yield self._head(head)
            if head.key in self._view.unfolded:
                yield from self._below(head.key, head, 1)

    def _below(self, key: str, head: Head, depth: int) -> Iterator[Record]:
        found = self._steps.get(key, [])
        adrift = [] if self._view.failed else self._adrift.get(key, [])
        latest = dt.datetime.max
        shown = sum(not step.calls for step in found)
        if found and found[0].total > shown:
            text = f"{words.count(found[0].total - shown)} earlier"
            node = Node("more", "", key, text, head.session_id)
            yield self._record(f"{key}:more", {"what": _indented(depth, LEAF, f"… {text}")}, node)
        items: list[Step | SubagentRun] = [*found, *adrift]
        bills = self._bills(found)
        for item in sorted(items, key=lambda each: each.started_at or latest):
            if isinstance(item, SubagentRun):
                yield from self._agent(item, key, head, depth)
            elif item.kind == "response" and item.id in self._view.rebuilds:
                yield self._rebuild(item, self._view.rebuilds[item.id], key, depth)
                if item.id not in bills:
                    yield self._response(item, key, depth)
            elif item.kind != "response":
                yield from self._step(item, key, head, depth, bills.get(item.id))
            elif item.id not in bills:
                yield self._response(item, key, depth)

    def _bills(self, found: Sequence[Step]) -> dict[str, Step]:
        """The response whose tokens a call shows, the first plain one that it made: by the call and by the response."""
        made = {step.id: step for step in found if step.kind == "response" and step.calls}
        bills: dict[str, Step] = {}
        for step in found:
            response = made.get(step.response_key or "") if step.kind == "call" else None
            if response is not None and response.id not in bills and len(self._agents_of.get(step.id, [])) != 1:
                bills[step.id] = bills[response.id] = response
        return bills

    # -- entries -------------------------------------------------------------------------------------------------

    def _head(self, head: Head) -> Record:
        has_steps = bool(head.calls or head.notes or head.used is not None or head.key in self._adrift)
        text = "before the first prompt" if head.kind == "start" else words.clean(head.text) or "(empty)"
        if head.kind == "command":
            text = f"/{text}"
        what = _indented(0, self._fold(head.key, has_steps), f"{head.number} " if head.number else "")
        what.append(text, style="italic" if head.kind == "start" else "bold")
        cells: Cells = {
            "time": self._clock(head.started_at),
            "what": what,
            "result": self._outcome(head),
            "took": words.millis(head.seconds * 1000) if head.seconds else "",
            "calls": words.count(head.calls) if head.calls else "",
            "tokens": marks.tokens(head.tokens, head.undercounted) if head.used is not None else "",
            "cost": marks.cost(head.used) if head.used is not None else "",
            **head.cells,
        }
        return self._record(
            head.key,
            cells,
            Node("turn", head.key if has_steps else "", "", text, head.session_id, head=head),
            raw=head.data,
        )

    def _outcome(self, head: Head) -> Text:
        if head.ok is None:
            if head.running:
                return self._mark("running", f"{words.count(head.running)} running")
            return self._mark("error", words.plural(head.errors, "error")) if head.errors else Text()
        parts = Text()
        for status, count in (("ok", head.ok), ("error", head.errors), ("running", head.running)):
            if count:
                parts.append(f"{MARKS[status]} {words.count(count)} ", style=self._view.styles.get(status, ""))
        parts.rstrip()
        return parts

    def _step(self, step: Step, owner: str, head: Head, depth: int, bill: Step | None) -> Iterator[Record]:
        agents = [] if self._view.failed else self._agents_of.get(step.id, [])
        if step.kind != "call":
            yield self._event(step, owner, depth)
            return
        if len(agents) == 1:
            yield from self._agent(agents[0], owner, head, depth, step)
            return
        key = f"call:{step.id}" if agents else ""
        yield self._call(step, owner, depth, key, bill)
        if step.error and step.status in ("error", "denied"):
            yield self._error(step, owner, depth)
        if key in self._view.unfolded:
            for agent in agents:
                yield from self._agent(agent, key, head, depth + 1)

    def _event(self, step: Step, owner: str, depth: int) -> Record:
        text = words.clean(step.detail) or _EVENTS[step.kind]
        what = _indented(depth, LEAF, "")
        what.append(_EVENTS[step.kind], style="italic")
        told = self._view.compactions.get(step.id)
        if told is not None:
            sizes = f"{words.count(told.before)} → {words.count(told.after)}" if told.before else ""
            what.append("  ".join(["", *(part for part in (told.trigger, sizes) if part)]), style="dim")
        if step.kind == "api_error":
            what.append(f"  {text}", style=self._view.styles.get("error", ""))
        result = self._mark("error", "") if step.kind == "api_error" else Text()
        cells: Cells = {"time": self._clock(step.started_at), "what": what, "result": result}
        return self._record(f"{owner}/{step.id}", cells, Node("event", "", owner, text, step.session_id, step))

    def _rebuild(self, step: Step, rebuild: Rebuild, owner: str, depth: int) -> Record:
        text = f"cache rebuilt: {words.clean(rebuild.cause.replace('_', ' '))}"
        about = f"{words.plural(rebuild.tokens, 'token')}"
        if rebuild.cost_usd is not None and "cost" in self._view.keys:
            about += f", {words.usd(rebuild.cost_usd)} of the cost"
        what = _indented(depth, LEAF, "")
        what.append(text, style=f"italic {self._view.styles.get('denied', '')}")
        what.append(f"  {about}", style="dim")
        cells: Cells = {"time": self._clock(step.started_at), "what": what}
        node = Node("event", "", owner, f"{text}  {about}", step.session_id, step)
        return self._record(f"{owner}/{step.id}/cache", cells, node)

    def _response(self, step: Step, owner: str, depth: int) -> Record:
        name = "delegates" if step.calls else step.name
        if name == _ANSWER:
            # Not every agent tells which of its calls came from a response.
            name = "answer" if step.detail == _ENDED else "response"
        about = f"{words.plural(step.output_tokens, 'token')} out"
        if step.reasoning_tokens:
            about += f", {words.count(step.reasoning_tokens)} of them thinking"
        what = _indented(depth, LEAF, "")
        what.append(name, style="italic")
        what.append(f"  {about}", style="dim")
        cells: Cells = {
            "time": self._clock(step.started_at),
            "what": what,
            "result": self._mark("error", "error") if step.status == "error" else Text(),
            "took": "" if step.seconds is None else words.millis(step.seconds * 1000),
            **self._whose(step, owner),
            **self._billed(step),
        }
        return self._record(
            f"{owner}/{step.id}", cells, Node("response", "", owner, f"{name}  {about}", step.session_id, step)
        )

    def _call(self, step: Step, owner: str, depth: int, key: str, bill: Step | None) -> Record:
        what = _indented(depth, self._fold(key, bool(key)), "")
        if step.thread is not None and self._view.failed:
            what.append("sub-agent · ", style="dim")
        what.append(words.clean(step.name), style="")
        what.append(f"  {self._told(step, step.detail)}", style="dim")
        cells: Cells = {
            "time": self._clock(step.started_at),
            "what": what,
            "result": self._status(step.status or "", step.started_at),
            "took": "" if step.seconds is None else words.millis(step.seconds * 1000),
            **self._whose(step, owner),
            **(self._billed(bill) if bill is not None else {}),
        }
        text = f"{step.name}  {step.detail or ''}"
        return self._record(f"{owner}/{step.id}", cells, Node("call", key, owner, text, step.session_id, step))

    def _error(self, step: Step, owner: str, depth: int) -> Record:
        text = self._told(step, step.error)
        what = _indented(depth + 1, LEAF, "")
        what.append(text, style=self._view.styles.get("error", ""))
        return self._record(f"{owner}/{step.id}!", {"what": what}, Node("call", "", owner, text, step.session_id, step))

    def _agent(
        self, agent: SubagentRun, owner: str, head: Head, depth: int, step: Step | None = None
    ) -> Iterator[Record]:
        key = agent_key(agent)
        name, about = words.clean(agent.subagent_type), words.clean(agent.description)
        has_steps = bool(agent.calls or agent.responses)
        what = _indented(depth, self._fold(key, has_steps), "")
        what.append(name, style="bold")
        what.append(f"  {about}", style="")
        cells: Cells = {
            "time": self._clock(agent.called_at),
            "what": what,
            "who": self._name_of(owner),
            "result": self._status(agent.status, agent.called_at),
            "took": words.millis(agent.seconds * 1000) if agent.seconds and agent.status != "running" else "",
            "calls": words.count(agent.calls) if agent.calls else "",
            "tokens": marks.tokens(agent.tokens, agent.undercounted),
            "cost": marks.cost(agent),
        }
        record_key = f"{owner}/{step.id if step else agent.key}"
        node = Node("agent", key if has_steps else "", owner, f"{name}  {about}", agent.session_id, step)
        yield self._record(record_key, cells, node)
        if step is not None and step.error and step.status in ("error", "denied"):
            yield self._error(step, owner, depth)
        if key in self._view.unfolded and has_steps:
            yield from self._below(key, head, depth + 1)

    # -- cells ---------------------------------------------------------------------------------------------------

    def _told(self, step: Step, text: str | None) -> str:
        """A text of the session; files below its folder without the folder."""
        folder = self._view.folders.get(step.session_id)
        return words.clean(text.replace(f"{folder}/", "") if text and folder else text)

    def _fold(self, key: str, has_steps: bool) -> str:
        if not has_steps:
            return LEAF
        return UNFOLDED if key in self._view.unfolded else FOLDED

    def _name_of(self, owner: str) -> str:
        """Whose steps stand below an entry."""
        agent = self._agent_of.get(owner)
        return words.clean(agent.subagent_type) if agent else MAIN_AGENT

    def _whose(self, step: Step, owner: str) -> Cells:
        return {"who": self._name_of(owner), "model": words.model(step.model) if step.model else ""}

    def _billed(self, bill: Step) -> Cells:
        spent = bill.spent
        if spent is None:
            return {}
        return {
            "tokens": marks.tokens(spent.total_tokens, spent.undercounted),
            "cost": marks.cost(spent),
            "model": words.model(bill.model) if bill.model else "",
        }

    def _status(self, status: str, since: dt.datetime | None) -> Text:
        if status == "running" and since is not None:
            return self._mark(status, words.duration((self._view.now - since).total_seconds()))
        return self._mark(status, "" if status in ("ok", "completed") else status)

    def _mark(self, status: str, text: str) -> Text:
        return Text(f"{MARKS[status]} {text}".rstrip(), style=self._view.styles.get(status, ""))

    def _clock(self, moment: dt.datetime | None) -> str:
        if moment is None:
            return ""
        here = words.local(moment, self._view.zone)
        today = words.local(self._view.now, self._view.zone)
        if self._view.dated and here.date() != today.date():
            return words.moment(here, today)
        return f"{here:%H:%M:%S}"

    def _record(self, key: str, cells: Cells, node: Node, raw: object = None) -> Record:
        return Record(key, {name: cells.get(name, "") for name in self._view.keys}, node, raw)


def _indented(depth: int, mark: str, text: str) -> Text:
    return Text(f"{' ' * (_INDENT * depth)}{mark} {text}", no_wrap=True, overflow="ellipsis", end="")
