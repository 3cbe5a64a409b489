"""What was asked of all agents, newest first, and what came of each: one row for each prompt and slash command.

A row counts what matches the filter in its turn, sub-agents included. What matches and belongs to no row, as what came
before the first prompt of a session, is the `rest`: rows and rest together are what the list of sessions sums up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import matching
from .cursor import UNTIMED, Cursor
from .filters import Filter, Where
from .rollups import SUBAGENT_TYPES, subagent_type_of
from .spent import OF_RESPONSE, TokensSpent, sums
from .subagents import SubagentRun, subagents_of
from .threads import IDS, LIVE_FOR, THREAD, Threads, threads_of
from .turns import find_turns, placed, placed_in_all, turns_of_runs

if TYPE_CHECKING:
    from .store import Reader

_AT = f"coalesce(p.ts, TIMESTAMP '{UNTIMED.isoformat()}')"


@dataclass(frozen=True, slots=True)
class WhichPrompts:
    """WhichPrompts prompts are asked for, besides the filter of all panes. What a row counts does not depend on it."""

    failures: bool = False
    """Only those with a call that failed or was denied, an error of the API, or an interrupt."""
    delegations: bool = False
    """Only those for which a sub-agent worked."""
    direct: bool = False
    """Only those for which none did."""
    tool: str | None = None
    """Only those with a call of this tool, sub-agents' too."""
    words: str = ""
    """Only those with this in their text, or in their session's title, project, model, id or branch."""

    @property
    def is_open(self) -> bool:
        """Whether all are."""
        return self == WhichPrompts()


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """A prompt (`kind` prompt) or slash command (command), and what matches of all that was done for it."""

    id: str
    session_id: str
    agent: str | None
    machine: str | None
    username: str | None
    project: str | None
    title: str | None
    kind: str
    text: str | None
    """The prompt's first line, or the command's name without its slash."""
    timestamp: dt.datetime | None
    ended_at: dt.datetime | None
    seconds: float | None
    """Of the whole turn: as the program told it, else to the last row of the session's own conversation."""
    models: list[str]
    """Those that answered, the one that took the most first."""
    tool_calls: int
    errors: int
    """Denied calls included."""
    denied: int
    running: int
    subagents: int
    """Sub-agents at any depth."""
    notes: int
    """Compactions, errors of the API, interrupts."""
    spent: TokensSpent

    @property
    def ok(self) -> int:
        """Calls that came back without an error."""
        return self.tool_calls - self.errors - self.open

    open: int = 0
    """Calls without a result: running ones and interrupted ones."""

    @property
    def has_steps(self) -> bool:
        """Whether anything came of it."""
        return bool(self.tool_calls or self.spent.responses or self.spent.total_tokens or self.notes or self.subagents)


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some prompts, newest first, and what is needed to unfold them."""

    rows: list[ActivityRow]
    following: Cursor | None
    """Of the next page; None at the end."""
    agents: list[SubagentRun]
    """The sub-agents of their sessions."""
    threads: Threads
    turn_of: Mapping[tuple[str, str], str]
    """The turn of each run of a sub-agent: by session and key of the run."""


@dataclass(frozen=True, slots=True)
class Total:
    """What matches, over all sessions or of a part."""

    spent: TokensSpent
    tool_calls: int


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    session_id: str
    agent: str | None
    machine: str | None
    username: str | None
    project: str | None
    title: str | None
    kind: str
    text: str | None
    timestamp: dt.datetime | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class _UsedInTurn(TokensSpent):
    turn: str
    last_at: dt.datetime | None
    models: list[str]
    threads: list[str]


@dataclass(frozen=True, slots=True)
class _DoneInTurn:
    turn: str
    last_at: dt.datetime | None
    calls: int
    errors: int
    denied: int
    open: int
    running: int
    threads: list[str]
    alone: list[str]
    """Calls for a sub-agent whose result names none."""


@dataclass(frozen=True, slots=True)
class _NotedInTurn:
    turn: str
    notes: int
    told_ms: int | None


_NOTHING = TokensSpent(0, 0, 0, 0, 0, 0, None, 0, None, 0, 0, 0)
_NOT_USED = _UsedInTurn(0, 0, 0, 0, 0, 0, None, 0, None, 0, 0, 0, turn="", last_at=None, models=[], threads=[])
_NOT_DONE = _DoneInTurn("", None, 0, 0, 0, 0, 0, [], [])


# -- which rows ------------------------------------------------------------------------------------------------------


def _prompts(chosen: Filter, which: WhichPrompts) -> Where:
    """The conditions on a prompt `p` of the session `s`."""
    where = matching.prompts_where(chosen)
    of_session = matching.by_session(chosen)
    if of_session.parameters:
        where.add(f"p.session_id IN (SELECT session_id FROM sessions WHERE {of_session})", **of_session.parameters)
    where.add("p.session_id IS NOT NULL")
    if which.failures:
        where.add(f"p.id IN (SELECT turn FROM ({placed_in_all(_FAILURES)}))")
    if which.delegations or which.direct:
        where.add(
            f"p.id {'NOT ' if which.direct and not which.delegations else ''}IN "
            f"(SELECT turn FROM ({placed_in_all(_DELEGATED)}) WHERE turn IS NOT NULL)"
        )
    if which.tool is not None:
        called = (
            f"SELECT session_id, {THREAD} AS thread, ts FROM tool_calls WHERE name = $tool AND session_id IS NOT NULL"
        )
        where.add(f"p.id IN (SELECT turn FROM ({placed_in_all(called)}))", tool=which.tool)
    if which.words:
        where.add(
            "contains(lower(coalesce(p.text, '/' || p.command)), lower($words)) OR p.session_id IN "
            f"(SELECT session_id FROM sessions WHERE contains(lower({matching.SESSION_WORDS}), lower($words)))",
            words=which.words,
        )
    return where


# A sub-agent whose call is nowhere may have made none itself: then only its responses tell of it.
_DELEGATED = f"""
    SELECT session_id, {THREAD} AS thread, ts FROM tool_calls WHERE session_id IS NOT NULL AND name IS NOT NULL
        AND (class = 'subagent' OR spawned_subagent_id IS NOT NULL OR {THREAD} IS NOT NULL)
    UNION ALL SELECT session_id, {THREAD} AS thread, ts FROM responses
    WHERE session_id IS NOT NULL AND {THREAD} IS NOT NULL
"""

_FAILURES = f"""
    SELECT session_id, {THREAD} AS thread, ts FROM tool_calls
    WHERE name IS NOT NULL AND session_id IS NOT NULL AND is_error
    UNION ALL SELECT session_id, NULL, ts FROM events
    WHERE kind IN ('api_error', 'interrupt') AND session_id IS NOT NULL
"""


def _responses(chosen: Filter, scope: str) -> tuple[str, Where]:
    """SQL of the responses of sessions, with `matches`, and what parameters it needs."""
    kind = join = ""
    columns = dict(matching.RESPONSE_FIELDS) | {"ts": "r.ts"}
    if chosen.subagent_type is not None:
        kind, join = subagent_type_of("r"), f"LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id"
        columns["subagent_type"] = kind
    columns = {field: sql if "." in sql or sql == kind else f"r.{sql}" for field, sql in columns.items()}
    matches = Where().by(chosen, columns)
    return (
        f"""SELECT r.session_id, {THREAD.replace("subagent_id", "r.subagent_id")} AS thread, r.ts, r.ended_at, r.model,
            r.kind, {OF_RESPONSE}, coalesce({matches}, false) AS matches
        FROM responses r {join} WHERE {scope}""",
        matches,
    )


def _calls(chosen: Filter, scope: str) -> tuple[str, Where]:
    """The same of tool calls."""
    facts = chosen.but(agent=None, project=None, session_id=None, user=None, text="")
    if facts.is_open:
        return (
            f"SELECT session_id, {THREAD} AS thread, ts, result_ts, id, is_error, denial, class, "
            "spawned_subagent_id, true AS matches "
            f"FROM tool_calls WHERE name IS NOT NULL AND {scope}",
            Where(),
        )
    matches = matching.calls_where(facts)
    return (
        f"SELECT session_id, {THREAD} AS thread, ts, result_ts, id, is_error, denial, class, "
        "spawned_subagent_id, "
        f"coalesce({matches}, false) AS matches FROM {matching.calls(facts)} WHERE name IS NOT NULL AND {scope}",
        matches,
    )


# -- a page ----------------------------------------------------------------------------------------------------------


def list_activity(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    which: WhichPrompts | None = None,
    cursor: Cursor | None = None,
    limit: int = 50,
) -> ActivityPage:
    """Prompts and slash commands, newest first. `now` is UTC without a zone."""
    where = _prompts(chosen, which or WhichPrompts())
    if cursor is not None:
        where.add(f"({_AT}, p.id) < ($cursor_ts, $cursor_id)", cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    found = connection.ask(
        _Row,
        f"""SELECT p.id, p.session_id, coalesce(s.agent, p.agent) AS agent, coalesce(s.machine, p.machine) AS machine,
            coalesce(s.username, p.username) AS username, s.project, s.title, p.kind,
            CASE p.kind WHEN 'prompt' THEN p.text ELSE p.command END AS text, p.ts AS timestamp,
            coalesce(s.ended_at BETWEEN $now - $live AND $now + $live, false) AS is_live
        FROM prompts p LEFT JOIN sessions s ON s.session_id = p.session_id
        WHERE {where} ORDER BY {_AT} DESC, p.id DESC LIMIT {int(limit) + 1}""",
        where.parameters | {"now": now, "live": LIVE_FOR},
    )
    page = found[:limit]
    following = None
    if len(found) > limit and page:
        following = Cursor(page[-1].timestamp or UNTIMED, page[-1].id)
    ids = sorted({row.session_id for row in page})
    live = sorted({row.session_id for row in page if row.is_live})
    find_turns(connection, ids)
    threads = threads_of(connection, ids, live=live, now=now)
    agents = subagents_of(connection, ids, threads)
    turn_of = turns_of_runs(connection) if agents else {}
    counted = _counted(connection, chosen, ids, [row.id for row in page], threads)
    return ActivityPage(
        rows=[_prompt(row, *counted, agents, _agents_in(row, agents, turn_of, chosen)) for row in page],
        following=following,
        agents=agents,
        threads=threads,
        turn_of=turn_of,
    )


def _counted(
    connection: Reader, chosen: Filter, ids: Sequence[str], turns: Sequence[str], threads: Threads
) -> tuple[dict[str, _UsedInTurn], dict[str, _DoneInTurn], dict[str, _NotedInTurn]]:
    asked = {"ids": list(ids), "turns": list(turns)}
    responses, matches = _responses(chosen, f"r.session_id IN {IDS}")
    used = connection.ask(
        _UsedInTurn,
        f"""SELECT turn, max(coalesce(ended_at, ts)) FILTER (thread IS NULL) AS last_at, {sums("matches")},
            list_distinct(coalesce(list(model ORDER BY total_tokens DESC)
                FILTER (matches AND model IS NOT NULL AND is_answer), [])) AS models,
            list_distinct(coalesce(list(thread) FILTER (matches AND thread IS NOT NULL), [])) AS threads
        FROM (SELECT *, responses > 0 AS is_answer FROM ({placed(responses)}))
        WHERE turn IN (SELECT unnest($turns)) GROUP BY turn""",
        matches.parameters | asked,
    )
    calls, matches = _calls(chosen, f"session_id IN {IDS}")
    done = connection.ask(
        _DoneInTurn,
        f"""SELECT turn, max(coalesce(result_ts, ts)) FILTER (thread IS NULL) AS last_at,
            count(*) FILTER (matches) AS calls, count(*) FILTER (matches AND is_error) AS errors,
            count(*) FILTER (matches AND is_error AND denial IS NOT NULL) AS denied,
            count(*) FILTER (matches AND is_error IS NULL) AS open,
            count(*) FILTER (matches AND is_error IS NULL AND list_contains($running, id)) AS running,
            list_distinct(coalesce(list(thread) FILTER (matches AND thread IS NOT NULL), [])) AS threads,
            coalesce(list(id) FILTER (matches AND class = 'subagent' AND spawned_subagent_id IS NULL), []) AS alone
        FROM ({placed(calls)}) WHERE turn IN (SELECT unnest($turns)) GROUP BY turn""",
        matches.parameters | asked | {"running": [call.id for call in threads.running]},
    )
    noted = connection.ask(
        _NotedInTurn,
        f"""SELECT turn, count(*) FILTER (kind IN ('compact', 'api_error', 'interrupt')) AS notes,
            sum(amount) FILTER (kind = 'turn')::BIGINT AS told_ms
        FROM ({
            placed(
                "SELECT session_id, NULL::VARCHAR AS thread, ts, kind, amount FROM events "
                f"WHERE session_id IN {IDS} AND kind IN ('compact', 'api_error', 'interrupt', 'turn')"
            )
        }) WHERE turn IN (SELECT unnest($turns)) GROUP BY turn""",
        asked,
    )
    return {row.turn: row for row in used}, {row.turn: row for row in done}, {row.turn: row for row in noted}


def _agents_in(
    row: _Row, agents: Collection[SubagentRun], turn_of: Mapping[tuple[str, str], str], chosen: Filter
) -> set[str]:
    """The sub-agents whose run belongs to a turn; with a filter that asks for more, only what matches tells of them."""
    if matching.asks_responses(chosen) or chosen.since is not None or chosen.until is not None:
        return set()
    return {
        agent.subagent_id
        for agent in agents
        if agent.session_id == row.session_id and turn_of.get((agent.session_id, agent.key)) == row.id
    }


def _prompt(
    row: _Row,
    used_in: Mapping[str, _UsedInTurn],
    done_in: Mapping[str, _DoneInTurn],
    noted_in: Mapping[str, _NotedInTurn],
    agents: Collection[SubagentRun],
    working: Collection[str],
) -> ActivityRow:
    used, done, noted = used_in.get(row.id, _NOT_USED), done_in.get(row.id, _NOT_DONE), noted_in.get(row.id)
    last = max((moment for moment in (used.last_at, done.last_at) if moment), default=None)
    called = {agent.call_id for agent in agents}
    seconds = noted.told_ms / 1000 if noted and noted.told_ms is not None else None
    if seconds is None and row.timestamp is not None and last is not None:
        seconds = max(0.0, (last - row.timestamp).total_seconds())
    return ActivityRow(
        id=row.id,
        session_id=row.session_id,
        agent=row.agent,
        machine=row.machine,
        username=row.username,
        project=row.project,
        title=row.title,
        kind=row.kind,
        text=row.text,
        timestamp=row.timestamp,
        ended_at=last if not done.running else None,
        seconds=seconds,
        models=used.models,
        tool_calls=done.calls,
        errors=done.errors,
        denied=done.denied,
        running=done.running,
        subagents=len({*used.threads, *done.threads, *working} - {""}) + len(set(done.alone) - called),
        notes=noted.notes if noted else 0,
        spent=TokensSpent(*(getattr(used, name) for name in TokensSpent.__dataclass_fields__)),
        open=done.open,
    )


# -- all of it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Calls:
    calls: int


def rest(connection: Reader, chosen: Filter, which: WhichPrompts | None = None) -> Total:
    """What the filter leaves that is in none of the rows, whatever page they are on."""
    where = _prompts(chosen, which or WhichPrompts())
    listed = f"SELECT p.id FROM prompts p WHERE {where}"
    of_session = matching.by_session(chosen)
    scope = Where().add("true", **of_session.parameters)
    if of_session.parameters:
        scope.add(f"session_id IN (SELECT session_id FROM sessions WHERE {of_session})")
    responses, matches = _responses(chosen, str(scope).replace("session_id IN", "r.session_id IN", 1))
    spent = connection.one(
        TokensSpent,
        f"SELECT {sums()} FROM ({placed_in_all(responses)}) WHERE matches AND (turn IS NULL OR turn NOT IN ({listed}))",
        where.parameters | scope.parameters | matches.parameters,
    )
    calls, matches = _calls(chosen, str(scope))
    called = connection.one(
        _Calls,
        f"SELECT count(*) AS calls FROM ({placed_in_all(calls)}) "
        f"WHERE matches AND (turn IS NULL OR turn NOT IN ({listed}))",
        where.parameters | scope.parameters | matches.parameters,
    )
    return Total(replace(spent), called.calls)
