"""Which sessions there are, and what each took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from . import matching, tokens
from .context import CONTEXTS
from .filters import Filter, Where
from .listing import Entry, SessionListing, Unshown, put
from .money import all_exact, as_decimal, exact_sum
from .quoting import quoted
from .rollups import CALL_COUNTS, ERROR_COUNTS, PROMPT_COUNTS
from .threads import LIVE_FOR
from .token_kinds import COLUMNS, TOTAL, CacheWrites

if TYPE_CHECKING:
    from .store import Reader

ORDERS = {
    "started_at": "started_at",
    "ended_at": "ended_at",
    "title": "lower(title)",
    "project": "lower(parse_filename(project, false, 'both_slash'))",
    "agent": "agent",
    "machine": "machine",
    "username": "username",
    "primary_model": "primary_model",
    "active_seconds": "active_seconds",
    "wall_seconds": "wall_seconds",
    "user_messages": "user_messages",
    "tool_calls_total": "tool_calls_total",
    "tool_errors": "tool_errors",
    "tokens_total": "tokens_total",
    "cost_usd": "cost_usd",
}
"""What sessions can be sorted by -> the SQL of it."""


@dataclass(frozen=True, slots=True)
class SessionRow(CacheWrites):
    """One session. Times are UTC without a zone, tokens and counts integers, cost USD or None where unpriced.

    A session whose file is listed but not read yet is `pending`: its counts are 0 and `started_at` is the file's time.
    """

    session_id: str
    agent: str | None
    """Which coding agent it is a session of."""
    machine: str | None
    """The machine its files were copied from, where somebody said so."""
    session_file: str | None
    """Name of the session's own file; None if only others' files speak of it."""
    path: str | None
    username: str | None
    project: str | None
    title: str | None
    git_branch: str | None
    version: str | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    active_seconds: float
    wall_seconds: float
    user_messages: int
    assistant_messages: int
    tool_calls: int
    mcp_calls: int
    subagent_dispatches: int
    tool_calls_total: int
    tool_errors: int
    denied: int
    skill_invocations: int
    slash_commands: int
    distinct_tools: int
    distinct_skills: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int | None
    """The part of the output that was thinking; None where nothing tells."""
    tokens_total: int
    cost_usd: float | None
    unpriced_tokens: int
    billed_elsewhere_tokens: int
    undercounted: int
    """Responses whose output count is only a lower bound."""
    primary_model: str | None
    context_tokens: int | None
    context_window: int | None
    context_window_from: str | None
    """How the window is known: it was `seen`, belongs to the `model`, comes from the `config`, or is the `default`."""
    compacts_at: int | None
    """About how many tokens the context has when it is compacted."""
    source_gone: bool
    """No file of the session is on disk any more; what we know stays."""
    is_live: bool
    pending: bool
    private: bool
    """Listed in a workspace as never to be uploaded."""
    error: str | None
    """Why the session's file cannot be read."""

    @property
    def context_share(self) -> float | None:
        """How much of the window is used, at most 1; None where one of both is not known."""
        if not self.context_tokens or not self.context_window:
            return None
        return min(self.context_tokens / self.context_window, 1.0)


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """Sums over all sessions of a selection, of what matches in them."""

    sessions: int
    with_tokens: int
    """Those of them that have a response that matches: what the Tokens tab counts as sessions."""
    responses: int
    tokens_total: int
    cost_usd: float | None
    unpriced_tokens: int
    billed_elsewhere_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some sessions of a selection, and the sums over the whole of it."""

    rows: list[SessionRow]
    totals: SessionTotals


_SOURCES = {
    "u": {"assistant_messages": "responses"}
    | {name: name for name in (*COLUMNS, "unpriced_tokens", "billed_elsewhere_tokens", "undercounted")},
    "c": {
        name: name
        for name in (
            "tool_calls",
            "mcp_calls",
            "subagent_dispatches",
            "tool_calls_total",
            "skill_invocations",
            "distinct_tools",
            "distinct_skills",
        )
    },
    "e": {"tool_errors": "tool_errors", "denied": "denied"},
    "p": {"user_messages": "user_messages", "slash_commands": "slash_commands"},
}
"""Columns of `sessions` that count what matches a filter, besides the cost: by the part of the question that counts
them (responses, calls, failures, prompts), with their names there. All other columns are of the whole session."""

_COUNTED = {name: f"coalesce({part}.{column}, 0)" for part, names in _SOURCES.items() for name, column in names.items()}

_ZEROS = ", ".join(f"0 AS {name}" for name in ("active_seconds", "wall_seconds", *_COUNTED, "tokens_total"))

_PENDING = f"""
    SELECT session_id, path, parse_filename(path) AS session_file, username, NULL AS project, NULL AS title,
        make_timestamp(mtime_ns // 1000) AS started_at, NULL AS ended_at, {_ZEROS}, NULL AS cost_usd,
        false AS source_gone, false AS is_live, true AS pending, false AS private, error
    FROM files WHERE is_main AND gone_at IS NULL AND (parser IS NULL OR error IS NOT NULL)
        AND session_id NOT IN (SELECT session_id FROM sessions)
"""


_IS_LIVE = """(list_contains($alive::VARCHAR[], s.session_id) OR (NOT list_contains($over::VARCHAR[], s.session_id)
            AND coalesce(s.ended_at BETWEEN $now - $live AND $now + $live, false)))"""
"""SQL of whether a session `s` runs: see `Processes`."""

Processes = tuple[Collection[str], Collection[str]]
"""Sessions of which a living process says what they do, and those whose process has ended. Of all others it is inferred
from their rows whether they run."""

UNTOLD: Processes = ((), ())


@dataclass(frozen=True, slots=True)
class _Selection:
    """The sessions that have anything that matches: SQL of rows of `sessions` and of pending ones, and conditions."""

    rows: str
    pending: str
    where: Where
    among: str = "true"
    """SQL of whether a session is one of those it is about: so nothing is looked at of others."""

    @property
    def summed(self) -> str:
        """SQL of all that can be filtered by and summed, without what is only shown."""
        return f"SELECT *, {TOTAL} AS tokens_total FROM {self.rows} UNION ALL BY NAME {self.pending}"

    @property
    def shown(self) -> str:
        """SQL of rows of `SessionRow`. Needs the parameters of `_at`, too."""
        return f"""
    WITH of_session AS (
        SELECT session_id, any_value(path) FILTER (is_main) AS path, bool_and(gone_at IS NOT NULL) AS source_gone,
            any_value(error) FILTER (is_main) AS error
        FROM files WHERE session_id IS NOT NULL AND {self.among} GROUP BY session_id
    ),
    private AS (SELECT DISTINCT session_id FROM uploads WHERE status = 'private')
    SELECT s.* EXCLUDE (context_model, context_agent, context_peak, cwd, web_searches), f.path,
        parse_filename(f.path) AS session_file,
        {TOTAL} AS tokens_total,
        x.context_window, x.context_window_from, x.compacts_at, coalesce(f.source_gone, false) AS source_gone,
        {_IS_LIVE} AS is_live,
        false AS pending, p.session_id IS NOT NULL AS private, f.error
    FROM {self.rows} s LEFT JOIN of_session f USING (session_id) LEFT JOIN private p USING (session_id)
        LEFT JOIN ({CONTEXTS}) x ON x.session_id = s.session_id{self._or_pending}
    """

    @property
    def _or_pending(self) -> str:
        return f"\n    UNION ALL BY NAME {self.pending}" if self.pending else ""


def _selected(
    connection: Reader, chosen: Filter, *, always: Sequence[str] | None = None, only: Sequence[str] | None = None
) -> _Selection:
    """The sessions that have anything that matches, with the counts of that.

    `always`: of these, whether anything matches or not, and of no others. `only`: of these, which are not pending.
    """
    where = matching.by_session(chosen)
    this = "" if only is None else f"session_id IN ({', '.join(map(quoted, only))})"
    if this:
        where.add(this)
    # The fields about sessions are left to the rows of sessions.
    facts = chosen.but(agent=None, machine=None, project=None, session_id=None, user=None, text="")
    if facts.is_open:
        return _Selection("sessions", "" if this else _PENDING, where, this or "true")
    used, made, failed = tokens.where_of(facts), matching.calls_where(facts), matching.results_where(facts)
    typed, lasted = matching.prompts_where(facts), _lasted(facts)
    parts = (used, made, failed, typed, lasted)
    calls = matching.calls(facts)
    counted = ", ".join(f"{sql} AS {name}" for name, sql in _COUNTED.items())
    parameters = {name: value for part in parts for name, value in part.parameters.items()}
    among = among_results = "true"
    wanted = f"""coalesce(u.session_id, c.session_id, e.session_id, p.session_id) IS NOT NULL
        OR (s.assistant_messages + s.tool_calls_total + s.tool_errors + s.user_messages + s.slash_commands = 0
            AND {lasted})"""
    if always is not None:
        these = f"session_id IN ({', '.join(map(quoted, always))})"
        among, among_results, wanted = these, f"result_{these}", f"s.{these}"
    if this:
        among, among_results, wanted = this, f"result_{this}", f"s.{this} AND ({wanted})"
    matched = f"""
    SELECT s.* REPLACE ({counted}, u.cost_usd AS cost_usd, u.reasoning_tokens AS reasoning_tokens) FROM sessions s
    LEFT JOIN (SELECT session_id, {tokens.SUMS} FROM {tokens.rollup(connection, facts)} WHERE {used} AND {among}
        GROUP BY session_id) u ON u.session_id = s.session_id
    LEFT JOIN (SELECT session_id, {CALL_COUNTS} FROM {calls} WHERE {made} AND {among} GROUP BY session_id) c
        ON c.session_id = s.session_id
    LEFT JOIN (SELECT result_session_id AS session_id, {ERROR_COUNTS} FROM {calls} WHERE is_error AND {failed}
        AND {among_results} GROUP BY result_session_id) e ON e.session_id = s.session_id
    LEFT JOIN (SELECT session_id, {PROMPT_COUNTS} FROM prompts WHERE {typed} AND {among} GROUP BY session_id) p
        ON p.session_id = s.session_id
    WHERE {wanted}
    """
    where.parameters |= lasted.parameters
    if this:
        where.parameters |= parameters
        return _Selection(f"({matched})", "", where, this)
    # Totals and rows are two questions on the same sessions: these are sought once.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE matched_sessions AS {matched}", parameters)
    return _Selection("matched_sessions", f"SELECT * FROM ({_PENDING}) s WHERE {lasted}", where)


def _lasted(chosen: Filter) -> Where:
    """Conditions on the time of a session `s` without anything that could match, or that is not read yet."""
    where = Where()
    if chosen.since is not None:
        where.add("coalesce(s.ended_at, s.started_at) >= $start", start=chosen.start())
    if chosen.until is not None:
        where.add("s.started_at < $end", end=chosen.end())
    return where.add("false") if matching.asks_responses(chosen) else where


def _at(now: dt.datetime, told: Processes = UNTOLD) -> dict[str, object]:
    """The parameters of `_Selection.shown`."""
    return {"now": now, "live": LIVE_FOR, "alive": list(told[0]), "over": list(told[1])}


def list_sessions(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    order: str = "started_at",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
    told: Processes = UNTOLD,
) -> SessionPage:
    """Sessions that have anything that matches, with the counts of that, sorted and cut in SQL.

    Of the whole session are its title, project, times, seconds, primary model and context.

    `order` is one of ORDERS (KeyError otherwise); `now` is UTC without a zone and decides who is live.
    """
    return listed(
        connection, chosen, now=now, order=order, descending=descending, limit=limit, offset=offset, told=told
    ).page


def listed(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    order: str,
    descending: bool,
    limit: int,
    offset: int = 0,
    told: Processes = UNTOLD,
) -> SessionListing:
    """What `list_sessions` says, and what it takes to put it right when little changes."""
    selected = _selected(connection, chosen)
    where = selected.where
    # Money is exact whatever the order in which it is added up, and whoever does so.
    sql = (
        "SELECT count(*) AS sessions, count(*) FILTER (assistant_messages + tokens_total > 0) AS with_tokens, "
        "coalesce(sum(assistant_messages), 0)::BIGINT AS responses, "
        f"coalesce(sum(tokens_total), 0)::BIGINT AS tokens_total, {exact_sum('cost_usd')} AS cost_usd, "
        "coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens, "
        "coalesce(sum(billed_elsewhere_tokens), 0)::BIGINT AS billed_elsewhere_tokens, "
        f"coalesce(sum(undercounted), 0)::BIGINT AS undercounted, sum({_DECIMAL}) AS usd, count(cost_usd) AS priced, "
        f"coalesce({all_exact('cost_usd')}, true) AS is_exact FROM ({selected.summed}) WHERE {where}"
    )
    ((totals, (usd, priced, is_exact)),) = connection.ask_beside(
        SessionTotals, ("usd", "priced", "is_exact"), sql, where.parameters
    )
    direction = "DESC" if descending else "ASC"
    ending = (
        f"ORDER BY {ORDERS[order]} {direction} NULLS LAST, started_at DESC NULLS LAST, session_id "
        f"LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    entries = _entries(connection, selected, order, ending, _at(now, told))
    page = SessionPage([row for row, _ in entries], totals)
    return SessionListing(page, entries, descending, limit, usd or Decimal(0), priced, is_exact)


def listed_again(
    connection: Reader,
    before: SessionListing,
    touched: Collection[str],
    chosen: Filter,
    *,
    now: dt.datetime,
    order: str,
    told: Processes = UNTOLD,
) -> SessionListing:
    """What `listed` would say now, given what it said before to the same question, without an offset.

    Only the sessions `touched` are others since. The time, and who runs, may be.
    """
    few = sorted(touched) if len(touched) <= MOST_TOUCHED and not chosen.text else None
    if few is not None:
        found = _entries_of(connection, few, chosen, order, now, told) if few else []
        live = live_ids(connection, chosen, now=now, told=told)
        if (listing := put(before, few, found, live)) is not None:
            return listing
    listing = listed(
        connection, chosen, now=now, order=order, descending=before.descending, limit=before.limit, told=told
    )
    if few is None or listing.is_whole:
        return listing
    # They go on, and so may others: what they add to the sums has to be known.
    unseen = [session for session in few if session not in {row.session_id for row in listing.page.rows}]
    found = _entries_of(connection, unseen, chosen, order, now, told) if unseen else []
    at = {entry[0].session_id: entry for entry in found}
    return replace(listing, others={session: at.get(session) for session in unseen})


def _entries_of(
    connection: Reader, only: Sequence[str], chosen: Filter, order: str, now: dt.datetime, told: Processes
) -> list[Entry]:
    return _entries(connection, _selected(connection, chosen, only=only), order, "", _at(now, told))


def _entries(
    connection: Reader, selected: _Selection, order: str, ending: str, at: Mapping[str, object]
) -> list[Entry]:
    key = f"epoch_us({order})" if order in ("started_at", "ended_at") else ORDERS[order]
    beside = (f"{key} AS sort_key", "epoch_us(started_at) AS started_us", f"{_DECIMAL} AS usd")
    sql = f"SELECT * FROM ({selected.shown}) WHERE {selected.where} {ending}"
    found = connection.ask_beside(SessionRow, beside, sql, {**selected.where.parameters, **at})
    return [(row, Unshown(*more)) for row, more in found]


_DECIMAL = as_decimal("cost_usd")

MOST_TOUCHED = 20
"""Sessions that are asked for by themselves; of more, all are."""


def count_sessions(connection: Reader) -> int:
    """How many sessions the store knows, whatever the filters."""
    return int(connection.value("SELECT count(*) FROM sessions"))


def one_session(
    connection: Reader, session_id: str, *, now: dt.datetime, told: Processes = UNTOLD
) -> SessionRow | None:
    """All of one session, None if there is no such one. `now` is UTC without a zone."""
    selected = _selected(connection, Filter(session_id=session_id))
    sql = f"SELECT * FROM ({selected.shown}) WHERE {selected.where}"
    found = connection.ask(SessionRow, sql, {**selected.where.parameters, **_at(now, told)})
    return found[0] if found else None


def sessions_named(connection: Reader, start: str) -> list[str]:
    """The id itself if a session has it, else the ids that begin so: two at most."""
    ids = f"SELECT session_id FROM sessions UNION SELECT session_id FROM ({_PENDING})"
    found = connection.ask(
        _Id,
        f"SELECT session_id FROM ({ids}) WHERE starts_with(session_id, $start) "
        "ORDER BY session_id <> $start, session_id LIMIT 2",
        {"start": start},
    )
    return [start] if found and found[0].session_id == start else [row.session_id for row in found]


def titled(connection: Reader, text: str, *, limit: int) -> list[tuple[str, str]]:
    """Ids and titles of the newest sessions with a text in their title, however it is written."""
    asked = (
        "SELECT session_id, title FROM sessions WHERE contains(lower(title), lower($text)) "
        f"ORDER BY started_at DESC NULLS LAST, session_id LIMIT {int(limit)}"
    )
    return [(row[0], row[1]) for row in connection.rows(asked, {"text": text})]


@dataclass(frozen=True, slots=True)
class _Id:
    session_id: str


def live_ids(connection: Reader, chosen: Filter, *, now: dt.datetime, told: Processes = UNTOLD) -> list[str]:
    """The sessions that run, of those whose own words match a filter; what it asks of their rows is not looked at."""
    where = matching.by_session(chosen.but(text=""))
    found = connection.rows(
        f"SELECT session_id FROM sessions s WHERE {_IS_LIVE} AND {where}", {**where.parameters, **_at(now, told)}
    )
    return [name for (name,) in found]


def live_sessions(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    limit: int = 20,
    told: Processes = UNTOLD,
    listed: Iterable[SessionRow] = (),
) -> list[SessionRow]:
    """Sessions with a row in the last five minutes, the latest first, with the counts of what matches.

    And those of which their process says what they do, but none whose process has ended.

    Which are shown does not depend on the filter's days and text: what runs, runs now. `listed` are rows that
    `list_sessions` told of the same at the same time: those of them that run are taken as they are.
    """
    # Mostly nothing runs; to find that out takes a tenth of planning the whole question.
    live = live_ids(connection, chosen, now=now, told=told)
    at_hand = {row.session_id: row for row in listed if row.is_live}
    if live and at_hand.keys() >= set(live):
        found = sorted((at_hand[name] for name in live), key=lambda row: row.session_id)
        found.sort(key=lambda row: (row.ended_at is not None, row.ended_at or dt.datetime.min), reverse=True)
        return found[:limit]
    if not live:
        return []
    selected = _selected(connection, chosen.but(text=""), always=live)
    where = selected.where.add("is_live")
    always = tokens.where_of(chosen.but(since=None, until=None, text=""))
    if matching.asks_responses(chosen):
        where.add(
            f"session_id IN (SELECT session_id FROM {tokens.rollup(connection, chosen)} WHERE {always})",
            **always.parameters,
        )
    return connection.ask(
        SessionRow,
        f"SELECT * FROM ({selected.shown}) WHERE {where} ORDER BY ended_at DESC, session_id LIMIT {int(limit)}",
        {**where.parameters, **_at(now, told)},
    )


def nothing_runs_until(connection: Reader, *, now: dt.datetime, told: Processes = UNTOLD) -> dt.datetime:
    """Until when no session runs, if nothing is written and no process says another thing; `now` if one does.

    Rows may be ahead of the clock: their sessions run once it comes near.
    """
    parameters = _at(now, told)
    (runs,) = connection.rows(f"SELECT bool_or({_IS_LIVE}) FROM sessions s", parameters)[0]
    if runs:
        return now
    ((ahead,),) = connection.rows("SELECT min(ended_at) FROM sessions WHERE ended_at > $now", {"now": now})
    return dt.datetime.max if ahead is None else ahead - LIVE_FOR


@dataclass(frozen=True, slots=True)
class Choice:
    """One value a filter can take, with how many sessions have it."""

    value: str
    sessions: int


def projects(connection: Reader, chosen: Filter | None = None) -> list[Choice]:
    """All projects, the most recently used first, with the sessions that match a filter without its project."""
    return _choices(connection, "project", (chosen or Filter()).but(project=None), "max(ended_at) DESC NULLS LAST")


def agents(connection: Reader, chosen: Filter | None = None) -> list[Choice]:
    """All agents, the one with the most sessions first; these match a filter without its agent."""
    return _choices(connection, "agent", (chosen or Filter()).but(agent=None), "sessions DESC")


def machines(connection: Reader, chosen: Filter | None = None) -> list[Choice]:
    """All machines that are named, the one with the most sessions first; these match a filter without its machine."""
    return _choices(connection, "machine", (chosen or Filter()).but(machine=None), "sessions DESC")


def users(connection: Reader, chosen: Filter | None = None) -> list[Choice]:
    """All people that are named, the one with the most sessions first; these match a filter without its user."""
    return _choices(connection, "username", (chosen or Filter()).but(user=None), "sessions DESC")


def _choices(connection: Reader, column: str, others: Filter, order: str) -> list[Choice]:
    selected = _selected(connection, others)
    matching_sessions = f"SELECT session_id FROM ({selected.summed}) WHERE {selected.where}"
    return connection.ask(
        Choice,
        f"SELECT {column} AS value, count(*) FILTER (session_id IN ({matching_sessions})) AS sessions FROM sessions "
        f"WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY {order}, 1",
        selected.where.parameters,
    )


def people(connection: Reader) -> list[str]:
    """All people whose sessions there are."""
    return [name for (name,) in connection.rows("SELECT DISTINCT username FROM sessions WHERE username IS NOT NULL")]


def count_projects(connection: Reader) -> int:
    """In how many projects sessions worked."""
    return int(connection.value("SELECT count(DISTINCT project) FROM sessions"))


def usernames(connection: Reader) -> list[str]:
    """All people that are named: those of sessions, and the accounts of servers."""
    tables = " UNION ".join(f"SELECT username FROM {table}" for table in ("sessions", "accesses", "sync_actions"))
    return [name for (name,) in connection.rows(f"SELECT username FROM ({tables}) WHERE username IS NOT NULL")]


def models(connection: Reader, chosen: Filter | None = None) -> list[Choice]:
    """All models, the most used first, with the sessions that match a filter without its model."""
    facts = (chosen or Filter()).but(model=None)
    where = tokens.where_of(facts)
    return connection.ask(
        Choice,
        "SELECT m.value, coalesce(c.sessions, 0) AS sessions FROM (SELECT DISTINCT model AS value FROM responses) m "
        f"LEFT JOIN (SELECT model AS value, count(DISTINCT session_id) AS sessions "
        f"FROM {tokens.rollup(connection, facts)} WHERE {where} GROUP BY model) c USING (value) "
        "ORDER BY sessions DESC, m.value",
        where.parameters,
    )
