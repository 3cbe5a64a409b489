"""One session in full: what it took, prompt by prompt, and every tool call, sub-agent and event in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .money import exact_sum
from .own_totals import SessionOwnTotal, own_total
from .priced_apart import priced_apart
from .sessions import UNTOLD, Processes, SessionRow, one_session
from .steps import NOTES
from .subagents import SubagentRun, subagents_of
from .threads import THREAD, Threads, threads_of
from .token_kinds import WRITTEN, cache_hit_ratio, inward, unpriced
from .turns import find_turns, placed, turns_of_runs

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model took, at one speed and tier where these are priced apart. Cost is USD, None where unpriced."""

    model: str
    speed: str
    service_tier: str
    responses: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A prompt or slash command, and all that was done for it, sub-agents included, until the next one.

    `kind` is prompt, command, or start: what came before the first prompt (its `id` is "").
    """

    id: str
    kind: str
    text: str | None
    """The prompt's first line, or the command's name without its slash."""
    started_at: dt.datetime | None
    seconds: float | None
    """As the program told it; else from the prompt to the last row of the session's own conversation."""
    calls: int
    errors: int
    """Denied calls included."""
    denied: int
    running: int
    notes: int
    responses: int
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing came of it."""
        return not (self.calls or self.responses or self.notes)


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """One session: its row in the list, where it happened, and its parts. A pending session has no parts."""

    session: SessionRow
    cwd: str | None
    versions: list[str]
    branches: list[str]
    web_searches: int
    notes: Mapping[str, int]
    """How many events of each kind of NOTES there are."""
    own_total: SessionOwnTotal | None
    """What the agent itself says that it took."""
    models: list[ModelUse]
    """The most expensive or largest first."""
    turns: list[Turn]
    agents: list[SubagentRun]
    """Of a sub-agent that was called several times each run."""
    turn_of: Mapping[tuple[str, str], str]
    """The turn of each run: by session and key of the run."""
    threads: Threads

    @property
    def cache_hit_ratio(self) -> float | None:
        """Tokens read from the cache among all that went in; None if nothing did."""
        return cache_hit_ratio(self.session.cache_read_tokens, inward(self.session))


@dataclass(frozen=True, slots=True)
class _Prompt:
    id: str
    kind: str
    text: str | None
    started_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Facts:
    cwd: str | None
    versions: list[str]
    branches: list[str]
    web_searches: int


@dataclass(frozen=True, slots=True)
class _Used:
    turn: str
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    responses: int
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class _Done:
    turn: str
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    calls: int
    errors: int
    denied: int
    running: int


@dataclass(frozen=True, slots=True)
class _Noted:
    turn: str
    kind: str
    count: int
    amount: int | None


_FACTS = """
    SELECT (SELECT any_value(cwd) FROM sessions WHERE session_id = $id) AS cwd,
        coalesce(list(DISTINCT version ORDER BY version) FILTER (version <> ''), []) AS versions,
        coalesce(list(DISTINCT git_branch ORDER BY git_branch) FILTER (git_branch <> ''), []) AS branches,
        coalesce(sum(web_searches), 0)::BIGINT AS web_searches
    FROM responses WHERE session_id = $id
"""

_MODELS = f"""
    SELECT model, priced_speed AS speed, priced_tier AS service_tier,
        count(*) FILTER (is_answer) AS responses, sum(input_tokens)::BIGINT AS input_tokens,
        sum(output_tokens)::BIGINT AS output_tokens, sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
        sum({WRITTEN})::BIGINT AS cache_write_tokens,
        sum(total_tokens)::BIGINT AS tokens, {exact_sum("cost_usd")} AS cost_usd,
        coalesce(sum(total_tokens) FILTER {unpriced()}, 0)::BIGINT AS unpriced_tokens,
        count(*) FILTER (output_undercounted) AS undercounted
    FROM {priced_apart("responses")} WHERE session_id = $id GROUP BY model, priced_speed, priced_tier
    ORDER BY cost_usd DESC NULLS LAST, tokens DESC, model, speed, service_tier
"""

_PROMPTS = """
    SELECT id, kind, coalesce(command, text) AS text, ts AS started_at FROM prompts
    WHERE session_id = $id ORDER BY ts NULLS LAST, path, pos
"""

_USED = f"""
    SELECT coalesce(turn, '') AS turn, min(ts) AS first_at,
        max(coalesce(ended_at, ts)) FILTER (thread IS NULL) AS last_at,
        count(*) FILTER (is_answer) AS responses, sum(total_tokens)::BIGINT AS tokens,
        {exact_sum("cost_usd")} AS cost_usd,
        coalesce(sum(total_tokens) FILTER {unpriced()}, 0)::BIGINT AS unpriced_tokens,
        count(*) FILTER (output_undercounted) AS undercounted
    FROM ({
    placed(
        f"SELECT session_id, {THREAD} AS thread, ts, ended_at, is_answer, total_tokens, cost_usd, billed, "
        "output_undercounted FROM responses WHERE session_id = $id"
    )
}) GROUP BY ALL
"""

_DONE = f"""
    SELECT coalesce(turn, '') AS turn, min(ts) AS first_at,
        max(coalesce(result_ts, ts)) FILTER (thread IS NULL) AS last_at,
        count(*) AS calls, count(*) FILTER (is_error) AS errors, count(*) FILTER (denial IS NOT NULL) AS denied,
        count(*) FILTER (list_contains($running, id)) AS running
    FROM ({
    placed(
        f"SELECT session_id, {THREAD} AS thread, ts, id, result_ts, is_error, denial FROM tool_calls "
        "WHERE session_id = $id AND name IS NOT NULL"
    )
}) GROUP BY ALL
"""

_NOTED = f"""
    SELECT coalesce(turn, '') AS turn, kind, count(*) AS count, sum(amount)::BIGINT AS amount
    FROM ({
    placed("SELECT session_id, NULL::VARCHAR AS thread, ts, kind, amount FROM events WHERE session_id = $id")
}) GROUP BY ALL
"""


def session_detail(
    connection: Reader, session_id: str, *, now: dt.datetime, told: Processes = UNTOLD
) -> SessionDetail | None:
    """A session without its single tool calls; None if there is no such session. `now` is UTC without a zone."""
    row, own = one_session(connection, session_id, now=now, told=told), {"id": session_id}
    if row is None:
        return None
    threads = threads_of(connection, [session_id], live=[session_id] if row.is_live else [], now=now)
    find_turns(connection, [session_id])
    agents = subagents_of(connection, [session_id], threads)
    prompts = connection.ask(_Prompt, _PROMPTS, own)
    noted = connection.ask(_Noted, _NOTED, own)
    facts = connection.one(_Facts, _FACTS, own)
    turns = _turns(
        prompts,
        {used.turn: used for used in connection.ask(_Used, _USED, own)},
        {
            done.turn: done
            for done in connection.ask(_Done, _DONE, own | {"running": [call.id for call in threads.running]})
        },
        noted,
    )
    return SessionDetail(
        session=row,
        cwd=facts.cwd,
        versions=facts.versions,
        branches=facts.branches,
        web_searches=facts.web_searches,
        notes={kind: sum(note.count for note in noted if note.kind == kind) for kind in NOTES},
        own_total=own_total(connection, session_id),
        models=connection.ask(ModelUse, _MODELS, own),
        turns=turns,
        agents=agents,
        turn_of=turns_of_runs(connection) if agents else {},
        threads=threads,
    )


def _turns(
    prompts: Sequence[_Prompt], used: Mapping[str, _Used], done: Mapping[str, _Done], noted: Sequence[_Noted]
) -> list[Turn]:
    before = _Prompt("", "start", None, None)
    turns = [_turn(prompt, used.get(prompt.id), done.get(prompt.id), noted) for prompt in (before, *prompts)]
    return [turn for turn in turns if turn.kind != "start" or not turn.is_empty]


def _turn(prompt: _Prompt, used: _Used | None, done: _Done | None, noted: Sequence[_Noted]) -> Turn:
    notes = {note.kind: note for note in noted if note.turn == prompt.id}
    sums = [row for row in (used, done) if row is not None]
    start = prompt.started_at or min((row.first_at for row in sums if row.first_at), default=None)
    last = max((row.last_at for row in sums if row.last_at), default=None)
    told = notes["turn"].amount if "turn" in notes else None
    seconds = told / 1000 if told is not None else None
    if seconds is None and start is not None and last is not None:
        seconds = max(0.0, (last - start).total_seconds())
    return Turn(
        id=prompt.id,
        kind=prompt.kind,
        text=prompt.text,
        started_at=start,
        seconds=seconds,
        calls=done.calls if done else 0,
        errors=done.errors if done else 0,
        denied=done.denied if done else 0,
        running=done.running if done else 0,
        notes=sum(note.count for note in notes.values() if note.kind in NOTES),
        responses=used.responses if used else 0,
        tokens=used.tokens if used else 0,
        cost_usd=used.cost_usd if used else None,
        unpriced_tokens=used.unpriced_tokens if used else 0,
        undercounted=used.undercounted if used else 0,
    )
