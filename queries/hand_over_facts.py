"""What the store knows of hand-overs: the calls, the sub-agents' work, and how what ran in the background ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching
from .filters import Filter, Where
from .money import exact_sum, known_usd
from .threads import THREAD
from .token_kinds import COLUMNS, CacheWrites, columns, known_count
from .tokens import detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

BACKGROUND = ("background",)
"""What a call says that comes back at once while its sub-agent goes on."""

LAUNCHES = frozenset({"spawn_agent"})
"""Tools that always come back at once."""


@dataclass(frozen=True, slots=True)
class Spent(CacheWrites):
    """Tokens by kind and their cost. `cost_usd` is None where nothing of it has a price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    unpriced_tokens: int = 0
    undercounted: int = 0
    responses: int = 0

    @property
    def total_tokens(self) -> int:
        """All tokens, each once."""
        return sum(getattr(self, name) for name in COLUMNS)


_COUNTED = (*COLUMNS, "unpriced_tokens", "undercounted", "responses")


def spent_in_all(parts: Iterable[Spent]) -> Spent:
    """The sum of some."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    return Spent(
        **{name: sum(getattr(part, name) for part in found) for name in _COUNTED},
        reasoning_tokens=known_count(part.reasoning_tokens for part in found),
        cost_usd=known_usd(part.cost_usd for part in found),
    )


SPENT = f"""{columns(sql="coalesce(sum({}), 0)::BIGINT")}, sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    {exact_sum("cost_usd")} AS cost_usd, coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens,
    coalesce(sum(undercounted), 0)::BIGINT AS undercounted, coalesce(sum(responses), 0)::BIGINT AS responses"""
"""SQL of the columns of `Spent` over rows of `tokens.detailed` or of the rollup."""


@dataclass(frozen=True, slots=True)
class HandingCall:
    """A tool call that hands work over, or writes to somebody who works. Times are UTC without a zone."""

    id: str
    session_id: str | None
    thread: str | None
    name: str
    is_subagent: bool
    subagent_type: str | None
    detail: str | None
    addressee: str | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    is_error: bool | None
    denial: str | None
    spawned_subagent_id: str | None
    spawned_status: str | None
    spawned_ms: int | None
    spawned_tokens: int | None
    agent: str | None
    machine: str | None
    username: str | None

    @property
    def in_background(self) -> bool:
        """Whether it came back at once: a message does, too."""
        is_message = not (self.is_subagent or self.spawned_subagent_id)
        return self.spawned_status in BACKGROUND or self.name in LAUNCHES or is_message


@dataclass(frozen=True, slots=True)
class SubagentNote:
    """What is known of a sub-agent besides its own rows."""

    subagent_id: str
    subagent_type: str | None
    description: str | None
    tool_use_id: str | None
    parent: str | None
    reported_tokens: int | None


@dataclass(frozen=True, slots=True)
class Work(Spent):
    """Responses of one thread: those of one model that match, or do not; or a single one."""

    session_id: str | None = None
    thread: str = ""
    agent: str | None = None
    machine: str | None = None
    username: str | None = None
    subagent_name: str | None = None
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    last_stop: str | None = None
    model: str | None = None
    matches: bool = False


@dataclass(frozen=True, slots=True)
class ThreadCalls:
    """Calls of one thread: those that match, or do not; or a single one."""

    session_id: str | None
    thread: str
    agent: str | None
    machine: str | None
    username: str | None
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    matches: bool
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class End:
    """How something in the background ended, as its session was told."""

    session_id: str | None
    task_id: str
    call_id: str | None
    ended_at: dt.datetime | None
    status: str
    tokens: int | None
    duration_ms: int | None


def calls(connection: Reader) -> list[HandingCall]:
    """All calls that hand work to a sub-agent, or write to somebody, in their order."""
    return connection.ask(
        HandingCall,
        f"""
        SELECT id, session_id, {THREAD} AS thread, name, class = 'subagent' AS is_subagent, subagent_type, detail,
            addressee, ts AS started_at, result_ts AS ended_at, is_error, denial, spawned_subagent_id, spawned_status,
            spawned_ms, spawned_tokens, agent, machine, username
        FROM tool_calls
        WHERE name IS NOT NULL AND (class = 'subagent' OR spawned_subagent_id IS NOT NULL OR addressee IS NOT NULL
            OR id IN (SELECT tool_use_id FROM subagents WHERE tool_use_id IS NOT NULL))
        ORDER BY ts NULLS LAST, pos""",
    )


def notes(connection: Reader) -> list[SubagentNote]:
    """All notes on sub-agents."""
    sql = "SELECT subagent_id, subagent_type, description, tool_use_id, parent, reported_tokens FROM subagents"
    return connection.ask(SubagentNote, sql)


def ends(connection: Reader) -> list[End]:
    """All ends that sessions were told of, in their order."""
    sql = "SELECT session_id, task_id, call_id, ts AS ended_at, status, tokens, duration_ms FROM background_ends"
    return connection.ask(End, f"{sql} ORDER BY ts NULLS FIRST, pos")


def matched(connection: Reader, chosen: Filter, ids: Collection[str]) -> set[str]:
    """Those of the calls `ids` that match."""
    if chosen.is_open:
        return set(ids)
    where = matching.calls_where(chosen)
    sql = f"SELECT id FROM {matching.calls(chosen)} WHERE id IN (SELECT unnest($asked)) AND {where}"
    return {str(key) for (key,) in connection.execute(sql, where.parameters | {"asked": list(ids)}).fetchall()}


def work(connection: Reader, chosen: Filter, apart: Sequence[str]) -> list[Work]:
    """The responses of all sub-agents; of the threads `apart` each one of its own."""
    return [row for single in _ways(apart) for row in _work(connection, chosen, apart, single=single)]


def done(connection: Reader, chosen: Filter, apart: Sequence[str]) -> list[ThreadCalls]:
    """The tool calls of all sub-agents; of the threads `apart` each one of its own."""
    return [row for single in _ways(apart) for row in _done(connection, chosen, apart, single=single)]


def _ways(apart: Sequence[str]) -> tuple[bool, ...]:
    return (False, True) if apart else (False,)


def _only(where: Where, apart: Sequence[str], *, single: bool) -> tuple[str, dict[str, object]]:
    if not apart:
        return "true", where.parameters
    return f"thread {'' if single else 'NOT '}IN (SELECT unnest($apart))", where.parameters | {"apart": list(apart)}


def _work(connection: Reader, chosen: Filter, apart: Sequence[str], *, single: bool) -> list[Work]:
    where = where_of(chosen)
    only, parameters = _only(where, apart, single=single)
    return connection.ask(
        Work,
        f"""
        SELECT session_id, thread, any_value(agent) AS agent, any_value(machine) AS machine,
            any_value(username) AS username, any_value(subagent_name) AS subagent_name,
            min(coalesce(requested_at, ts)) AS first_at, max(coalesce(ended_at, ts)) AS last_at,
            arg_max(stop_reason, (coalesce(ts, '-infinity'::TIMESTAMP), stop_reason)) FILTER (kind = 'turn')
                AS last_stop,
            model, matches, {SPENT}
        FROM (SELECT *, {THREAD} AS thread, coalesce({where}, false) AS matches FROM {detailed(chosen)})
        WHERE thread IS NOT NULL AND {only} GROUP BY session_id, thread, model, matches{", key" if single else ""}""",
        parameters,
    )


def _done(connection: Reader, chosen: Filter, apart: Sequence[str], *, single: bool) -> list[ThreadCalls]:
    where = matching.calls_where(chosen)
    only, parameters = _only(where, apart, single=single)
    return connection.ask(
        ThreadCalls,
        f"""
        SELECT session_id, thread, any_value(told_by) AS agent, any_value(machine) AS machine,
            any_value(owner) AS username, min(ts) AS first_at, max(coalesce(result_ts, ts)) AS last_at,
            matches, count(*) AS calls, count(*) FILTER (is_error) AS errors
        FROM (SELECT *, {THREAD} AS thread, coalesce({where}, false) AS matches FROM {matching.calls(chosen)})
        WHERE thread IS NOT NULL AND name IS NOT NULL AND {only}
        GROUP BY session_id, thread, matches{", id" if single else ""}""",
        parameters,
    )
