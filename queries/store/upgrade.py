"""What rows of an older store are given when it is brought up to this version: what later columns would hold.

Files that are still there are told anew by their sources, whose versions are raised. This is for what is nowhere else.
Every statement may be run again, on a store of any older version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..facts import FACTS
from .rebuilding import made_anew

_CLAUDE = "claude-code"
"""Before version 3 there was no other agent; those that came later say who they are."""

_OF_NO_AGENT = {"accesses": "seen_in = 'transcript'", "sync_actions": "source = 'transcript'"}
"""Facts that workspaces and servers tell, too -> those that an agent told."""


_STOPS = {
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded"), "'length'"),
    "end_turn": "'end'",
    "pause_turn": "'pause'",
    "advisor": "NULL",
}
"""Reasons to stop in the words of the only agent that there was before version 3 -> in those of `StopReason`."""

_EARLY = f"""
    UPDATE responses SET early_output = output_tokens BETWEEN 1 AND 5,
        stays_early = coalesce([TRY_CAST(part AS INTEGER) FOR part IN string_split(version, '.')] <= [2, 1, 52], false),
        least_output_tokens = CASE WHEN output_tokens NOT BETWEEN 1 AND 5 THEN output_tokens + 1 END
    WHERE is_placeholder AND early_output IS NULL AND lower_bound IS NULL AND coalesce(agent, '{_CLAUDE}') = '{_CLAUDE}'
"""
"""Before version 9 these columns followed from the version and from what the lines showed, which is no longer kept."""


_FORMER_TABLES = {"agents": "subagents"}
"""Tables that had another name before version 10 -> their name."""

_FORMER_COLUMNS = {
    "responses": {"agent_id": "subagent_id", "agent_name": "subagent_name"},
    "tool_calls": {"agent_id": "subagent_id", "spawned_agent_id": "spawned_subagent_id"},
    "subagents": {"agent_id": "subagent_id", "agent_type": "subagent_type"},
    "tokens_daily": {"agent_type": "subagent_type"},
}
"""Table -> its columns that had another name -> their name: a sub-agent is what an agent starts."""

Columns = dict[str, str]
"""Of a table as it is called now: the name of each column that is there now -> its name in the store at hand."""


def as_found(there: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, Columns]]:
    """What a store of any version has, under the names of this one: table -> its name there, and its columns.

    `there`: the columns of each table of that store, both as it calls them.
    """
    found: dict[str, tuple[str, Columns]] = {}
    for table, columns in there.items():
        name = _FORMER_TABLES.get(table, table)
        former = _FORMER_COLUMNS.get(name, {})
        found[name] = table, {former.get(column, column): column for column in columns}
    return found


def renames(there: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The statements that give tables and columns of an older store their names; `there` as for `as_found`."""
    for name, (table, columns) in as_found(there).items():
        if name != table:
            yield f"ALTER TABLE {table} RENAME TO {name}"
        for new, column in columns.items():
            if new != column:
                yield f"ALTER TABLE {name} RENAME COLUMN {column} TO {new}"


def _renamed_rivals() -> Iterator[str]:
    for fact in FACTS:
        for half in fact.halves:
            for column, new in _FORMER_COLUMNS.get(fact.name, {}).items():
                if half.rivals is not None and new in half.columns:
                    # Inside a text of theirs the quotes would have backslashes before them.
                    yield (
                        f"UPDATE {fact.name} SET {half.rivals} = replace({half.rivals}, '\"{column}\":', '\"{new}\":') "
                        f"WHERE contains({half.rivals}, '\"{column}\":')"
                    )


def fills(zones: Iterable[str]) -> Iterator[str]:
    """The statements, in their order; `zones` are those whose days are kept."""
    yield from _renamed_rivals()
    # The reason told an advisor's answer.
    yield (
        "UPDATE responses SET kind = CASE WHEN stop_reason = 'advisor' THEN 'advisor' ELSE 'turn' END, "
        "is_answer = true WHERE kind IS NULL"
    )
    for before, now in _STOPS.items():
        yield f"UPDATE responses SET stop_reason = {now} WHERE stop_reason = '{before}'"
    yield (
        "UPDATE tool_calls SET mcp_server = split_part(name, '__', 2) "
        "WHERE class = 'mcp_call' AND mcp_server IS NULL AND starts_with(name, 'mcp__')"
    )
    yield _EARLY
    for fact in FACTS:
        if "agent" in fact.columns:
            told = _OF_NO_AGENT.get(fact.name, "true")
            yield f"UPDATE {fact.name} SET agent = '{_CLAUDE}' WHERE agent IS NULL AND {told}"
    yield "UPDATE files SET source = 'agnes-server-folder' WHERE source = 'agnes'"
    yield from made_anew(zones)
