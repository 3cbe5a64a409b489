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


_LAUNCHED, _IN_BACKGROUND = '"spawned_status":"async_launched"', '"spawned_status":"background"'

_BUILTIN = (
    *("Explore", "Plan", "general-purpose", "statusline-setup", "output-style-setup"),
    *("claude-code-guide", "Task", "Agent", "add-dir", "agents", "bug", "clear", "compact", "config"),
    *("context", "cost", "doctor", "exit", "export", "fast", "help", "hooks", "ide", "init"),
    *("install-github-app", "login", "logout", "mcp", "memory", "model", "output-style", "permissions"),
    *("plan", "plugin", "pr-comments", "release-notes", "rename", "resume", "review", "rewind"),
    *("sandbox", "security-review", "stats", "status", "statusline", "tasks", "terminal-setup", "theme"),
    *("todos", "usage", "vim"),
)
"""Commands, skills and sub-agents of the only agent that there was; from version 12 on the decoders know them."""

_GIVE_WORK = ("init", "pr-comments", "review", "security-review", "statusline")
"""Those of them that begin a turn."""

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


def _builtins() -> Iterator[str]:
    names, settings = (
        ", ".join(f"'{name}'" for name in chosen)
        for chosen in (_BUILTIN, [name for name in _BUILTIN if name not in _GIVE_WORK])
    )
    yield f"UPDATE prompts SET is_builtin = true WHERE is_builtin IS NULL AND command IN ({names})"
    yield f"UPDATE prompts SET begins_turn = false WHERE begins_turn IS NULL AND command IN ({settings})"
    for table, name in (
        ("tool_calls", "coalesce(skill, CASE WHEN class = 'subagent' THEN coalesce(subagent_type, name) END)"),
        ("subagents", "subagent_type"),
    ):
        yield f"UPDATE {table} SET is_builtin = true WHERE is_builtin IS NULL AND {name} IN ({names})"


_SAID = "limit reached|hit your ([a-z0-9-]+ )?limit"
_CLOCK = (
    r"resets?\b(?: at)?\s+(?:([a-z]{3})[a-z]*\.? (\d{1,2})(?:,| at)* +)?"
    r"(\d{1,2})(?::(\d\d))? ?([ap])m(?: \(([\w+/-]+)\))?"
)


def _limits() -> Iterator[str]:
    """What errors say of a plan's limit, in words of the only agent that said so before version 12."""

    def part(number: int) -> str:
        return f"regexp_extract(text, '{_CLOCK}', {number}, 'i')"

    epoch = r"regexp_extract(text, '\|\s*(\d{9,11})\b', 1)"
    month = (
        f"list_position(['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], lower({part(1)}))"
    )
    hour = f"TRY_CAST({part(3)} AS INTEGER)"
    yield f"""
        UPDATE events SET is_limit = true, resets = CASE
            WHEN {epoch} <> '' THEN strftime(make_timestamp({epoch}::BIGINT * 1000000), '%Y-%m-%dT%H:%M:%SZ')
            WHEN {hour} BETWEEN 1 AND 12 AND ({part(2)} = '' OR {month} IS NOT NULL) THEN
                CASE WHEN {part(2)} = '' THEN '' ELSE printf('%02d-%02d ', {month}, {part(2)}::INTEGER) END ||
                printf('%02d:%02d', {hour} % 12 + CASE lower({part(5)}) WHEN 'p' THEN 12 ELSE 0 END,
                    coalesce(TRY_CAST({part(4)} AS INTEGER), 0)) ||
                CASE WHEN {part(6)} = '' THEN '' ELSE ' ' || {part(6)} END END
        WHERE is_limit IS NULL AND kind = 'api_error' AND regexp_matches(text, '{_SAID}', 'i')"""


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
    yield from _builtins()
    yield from _limits()
    yield "UPDATE tool_calls SET spawned_status = 'background' WHERE spawned_status = 'async_launched'"
    yield (
        f"UPDATE tool_calls SET result_rivals = replace(result_rivals, '{_LAUNCHED}', '{_IN_BACKGROUND}') "
        f"WHERE contains(result_rivals, '{_LAUNCHED}')"
    )
    for fact in FACTS:
        if "agent" in fact.columns:
            told = _OF_NO_AGENT.get(fact.name, "true")
            yield f"UPDATE {fact.name} SET agent = '{_CLAUDE}' WHERE agent IS NULL AND {told}"
    yield "UPDATE files SET source = 'agnes-server-folder' WHERE source = 'agnes'"
    yield from made_anew(zones)
