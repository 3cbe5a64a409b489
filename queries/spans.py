"""What was done for prompts, as trees: responses with the calls they made, and below a call what its sub-agent did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING

from .activity import ActivityPage
from .spent import TokensSpent, added
from .steps import Step, steps
from .subagents import SubagentRun

if TYPE_CHECKING:
    from .store import Reader

_ALL = 1_000_000
"""More steps than one prompt or sub-agent has."""

_STATUS = {"completed": "ok", "failed": "error"}
"""Words for how a sub-agent ended -> for how a call did."""


@dataclass(frozen=True, slots=True)
class Span:
    """A response, a tool call (`kind` tool), a run of a sub-agent (subagent) or an event.

    `status` is running, ok, error, denied or interrupted. `spent` is None where nothing tells; of a sub-agent it is
    what its own responses took, which are below it, and not that of sub-agents further down.
    """

    kind: str
    id: str
    timestamp: dt.datetime | None
    seconds: float | None
    name: str
    detail: str | None
    status: str
    model: str | None
    subagent_type: str | None
    spent: TokensSpent | None
    children: list[Span] = field(default_factory=list)


def spans(connection: Reader, page: ActivityPage, depth: int | None = None) -> dict[str, list[Span]]:
    """The tree below each row of a page, by the row's id, `depth` levels deep; None for all.

    The whole of a turn, whatever the filter. The page must have been asked for on this connection.
    """
    if depth == 0:
        return {}
    rows = {row.id for row in page.rows}
    agents = [agent for agent in page.agents if page.turn_of.get((agent.session_id, agent.key)) in rows]
    parents = [*(f"turn:{row}" for row in rows), *(f"agent:{agent.key}" for agent in agents)]
    found = steps(
        connection,
        sorted({row.session_id for row in page.rows}),
        [call.id for call in page.threads.running],
        dict.fromkeys(parents, _ALL),
    )
    tree = _Tree(found, agents, page)
    return {row.id: _cut(tree.below(row.session_id, f"turn:{row.id}"), depth) for row in page.rows}


class _Tree:
    def __init__(self, found: Sequence[Step], agents: Collection[SubagentRun], page: ActivityPage) -> None:
        self._steps: dict[tuple[str, str], list[Step]] = {}
        for step in found:
            self._steps.setdefault((step.session_id, step.parent), []).append(step)
        self._called: dict[str, list[SubagentRun]] = {}
        self._adrift: dict[tuple[str, str], list[SubagentRun]] = {}
        for agent in agents:
            if agent.call_id is not None:
                self._called.setdefault(agent.call_id, []).append(agent)
            else:
                turn = page.turn_of[agent.session_id, agent.key]
                self._adrift.setdefault((agent.session_id, f"turn:{turn}"), []).append(agent)
        self._open: set[tuple[str, str]] = set()
        """Sub-agents above the one that is walked: what calls itself is told once."""

    def below(self, session: str, parent: str) -> list[Span]:
        """What stands below a turn or a run of a sub-agent."""
        made: dict[str, list[Span]] = {}
        told: list[Span] = []
        for step in self._steps.get((session, parent), []):
            if step.kind == "response":
                span = _response(step)
                made[step.id] = span.children
                told.append(span)
            elif step.kind == "call":
                made.get(step.response_key or "", told).append(self._call(step))
            else:
                told.append(_event(step))
        told += [self._agent(agent, None) for agent in self._adrift.get((session, parent), [])]
        return sorted(told, key=lambda span: span.timestamp or dt.datetime.max)

    def _call(self, step: Step) -> Span:
        agents = self._called.get(step.id, [])
        if len(agents) == 1:
            return self._agent(agents[0], step)
        span = _plain(step)
        return replace(span, children=[self._agent(agent, None) for agent in agents])

    def _agent(self, agent: SubagentRun, step: Step | None) -> Span:
        place = agent.session_id, agent.key
        below = [] if place in self._open else self._below_agent(agent)
        answers = [span for span in below if span.kind == "response" and span.spent is not None]
        status = _STATUS.get(agent.status, agent.status)
        took: dict[str, int] = {}
        for span in answers:
            if span.model is not None and span.spent is not None:
                took[span.model] = took.get(span.model, 0) + span.spent.total_tokens
        return Span(
            kind="subagent",
            id=step.id if step is not None else agent.key,
            timestamp=agent.called_at,
            seconds=agent.seconds if status != "running" else None,
            name=step.name if step is not None else agent.subagent_type,
            detail=agent.description,
            status=status,
            model=max(took, key=lambda model: (took[model], model), default=None),
            subagent_type=agent.subagent_type,
            spent=_sum([span.spent for span in answers if span.spent is not None]),
            children=below,
        )

    def _below_agent(self, agent: SubagentRun) -> list[Span]:
        place = agent.session_id, agent.key
        self._open.add(place)
        below = self.below(agent.session_id, f"agent:{agent.key}")
        self._open.discard(place)
        return below


def _response(step: Step) -> Span:
    return Span(
        kind="response",
        id=step.id,
        timestamp=step.started_at,
        seconds=step.seconds,
        name=step.name,
        detail=step.detail,
        status=step.status or "ok",
        model=step.model,
        subagent_type=None,
        spent=step.spent,
    )


def _plain(step: Step) -> Span:
    detail = step.error if step.error and step.status in ("error", "denied") and not step.detail else step.detail
    kind, status = "tool" if step.subagent_type is None else "subagent", step.status or "ok"
    return Span(kind, step.id, step.started_at, step.seconds, step.name, detail, status, None, step.subagent_type, None)


def _event(step: Step) -> Span:
    status = "error" if step.kind == "api_error" else "interrupted" if step.kind == "interrupt" else "ok"
    return Span("event", step.id, step.started_at, None, step.name, step.detail, status, None, None, None)


def _sum(spent: Sequence[TokensSpent]) -> TokensSpent | None:
    return reduce(added, spent) if spent else None


def _cut(found: list[Span], depth: int | None) -> list[Span]:
    if depth is None:
        return found
    if depth <= 0:
        return []
    return [replace(span, children=_cut(span.children, depth - 1)) for span in found]
