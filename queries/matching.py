"""What matches a filter: which responses, tool calls, prompts and accesses count. One meaning for every question.

A response matches by what it says itself and by its session. A tool call matches by the response it came from, its day
included, and an access by its call. A prompt matches by its own time, and by any response of its turn, sub-agents'
included. What asks nothing of responses (no model, agent type, branch or version) asks nothing of a turn, either.
"""

from __future__ import annotations

from .filters import Filter, Where
from .rollups import SUBAGENT_TYPES, day_of, subagent_type_of

RESPONSE_FIELDS = {"model": "model", "subagent_type": "subagent_type", "branch": "git_branch", "version": "version"}
"""Fields of a filter that only responses know -> their columns."""

_CALLER_FIELDS = RESPONSE_FIELDS | {"subagent_type": "caller_type"}
"""The same -> columns of `calls`, whose `subagent_type` is what a call has started."""

SESSION_WORDS = "concat_ws(' ', title, project, primary_model, session_id, git_branch)"
"""SQL of the words of a session that a text is looked for in."""


IS_FOUND = "{} IN (SELECT unnest($found::VARCHAR[]))"
"""SQL of whether a session is one of those in which the text of a filter was found."""


def asks_responses(chosen: Filter) -> bool:
    """Whether a filter is about something that only responses know."""
    return any(getattr(chosen, field) is not None for field in RESPONSE_FIELDS)


def by_response(chosen: Filter, columns: dict[str, str] | None = None) -> Where:
    """The conditions on what only responses know."""
    return Where().by(chosen, columns or RESPONSE_FIELDS)


def by_session(chosen: Filter) -> Where:
    """The conditions on the rows of `sessions`."""
    columns = {
        "agent": "agent",
        "machine": "machine",
        "project": "project",
        "session_id": "session_id",
        "user": "username",
    }
    if chosen.text and chosen.found is not None:
        return Where().by(chosen, columns).add(IS_FOUND.format("session_id"), found=list(chosen.found))
    return Where().by(chosen, columns | {"text": SESSION_WORDS})


def with_text(where: Where, chosen: Filter) -> Where:
    """Add that the session, whose id is in `session_id`, is one that the list of sessions shows for the text."""
    if not chosen.text:
        return where
    if chosen.found is not None:
        return where.add(IS_FOUND.format("session_id"), found=list(chosen.found))
    return where.add(
        f"session_id IN (SELECT session_id FROM sessions WHERE contains(lower({SESSION_WORDS}), lower($text)))",
        text=chosen.text,
    )


def calls(chosen: Filter) -> str:
    """SQL of all tool calls, and of results whose call is not known (`name` is NULL), with what they are matched by.

    `matched_at` is the time they are matched by, in UTC: that of the response. Needs the parameter `$zone`.
    """
    kind, join = "NULL::VARCHAR", ""
    if chosen.subagent_type is not None:
        of_response, own = subagent_type_of("r"), subagent_type_of("c")
        kind = f"CASE WHEN r.key IS NOT NULL THEN {of_response} WHEN c.name IS NOT NULL THEN {own} END"
        join = (
            f"LEFT JOIN ({SUBAGENT_TYPES}) t "
            "ON t.subagent_id = CASE WHEN r.key IS NULL THEN c.subagent_id ELSE r.subagent_id END"
        )
    return f"""(
    SELECT c.*, r.model, r.git_branch, r.version, {kind} AS caller_type, s.title, s.project,
        coalesce(s.username, c.username) AS owner, coalesce(c.agent, s.agent) AS told_by,
        coalesce(c.machine, s.machine) AS told_on,
        coalesce(r.ts, c.ts, c.result_ts) AS matched_at,
        {day_of("coalesce(r.ts, c.ts, c.result_ts)", "$zone")} AS day
    FROM tool_calls c LEFT JOIN responses r ON r.key = c.response_key
    LEFT JOIN sessions s ON s.session_id = c.session_id {join})"""


def calls_where(chosen: Filter, text: str | None = None) -> Where:
    """The conditions of a filter on `calls`; its text is looked for in the SQL `text`, else in the session's words."""
    return results_where(chosen, text).add("name IS NOT NULL")


def results_where(chosen: Filter, text: str | None = None) -> Where:
    """The same, also for results whose call is not known."""
    where = Where().by(
        chosen,
        {
            "ts": "matched_at",
            "agent": "told_by",
            "machine": "told_on",
            "project": "project",
            "session_id": "session_id",
            "user": "owner",
            **_CALLER_FIELDS,
            **({"text": text} if text else {}),
        },
    )
    if text is None:
        with_text(where, chosen)
    return where.add("true", zone=chosen.zone)


def add_caller(where: Where, chosen: Filter, call_id: str) -> Where:
    """Add that the call whose id is the SQL `call_id` came from a response that matches. Needs `$zone`."""
    made = by_response(chosen, _CALLER_FIELDS)
    if not made.parameters:
        return where
    return where.add(f"{call_id} IN (SELECT id FROM {calls(chosen)} WHERE {made})", **made.parameters, zone=chosen.zone)


def prompts_where(chosen: Filter) -> Where:
    """The conditions on rows of `prompts`, slash commands among them, but for those on their session."""
    where = Where().by(chosen, {"ts": "ts"})
    fields = by_response(chosen)
    if not fields.parameters:
        return where
    from .turns import matched_turns

    return where.add(
        f"id IN ({matched_turns(str(fields), by_subagent_type=chosen.subagent_type is not None)})", **fields.parameters
    )
