"""What of a fact leaves this machine: every column of text has a class, and what has none goes only with `all`."""

from __future__ import annotations

from enum import StrEnum

from ...queries.facts import Fact
from ...queries.quoting import quoted


class Share(StrEnum):
    """How much a team is told."""

    NUMBERS = "numbers"
    """Numbers, times, models, and the names of tools, skills, commands of an agent, kinds of sub-agents."""
    LABELS = "labels"
    """Also titles, branches, tables, names that somebody gave."""
    ALL = "all"
    """All that the store has: prompts' first lines, commands, SQL, errors, paths."""


class Kind(StrEnum):
    """What stands in a column of text."""

    ID = "id"
    """An id, or a word of ours. One with words or a path in it goes as a hash that is the same for all of a team."""
    WORD = "word"
    """A word of an agent's: nothing goes where more than a word stands."""
    NAME = "name"
    """Of a model, a tool, a skill: always told."""
    LABEL = "label"
    """Told with `labels`."""
    TEXT = "text"
    """Told with `all`."""
    PATH = "path"
    """A keyed hash goes, and the path itself with `all`."""
    PROJECT = "project"
    """The last part goes, and the whole with `all`."""


_ID, _WORD, _NAME, _LABEL, _TEXT, _PATH = Kind.ID, Kind.WORD, Kind.NAME, Kind.LABEL, Kind.TEXT, Kind.PATH

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("key", "id", "leaf_uuid", "subagent_id", "spawned_subagent_id", "parent", "tool_use_id"), _ID),
    **dict.fromkeys(("session_id", "named_session_id", "home_session_id", "home", "prompt_id", "response_key"), _ID),
    **dict.fromkeys(("result_session_id", "result_named_session_id", "result_home_session_id"), _ID),
    **dict.fromkeys(("call_id", "reported_call_id", "task_id", "given_id", "blocked_by", "blocks"), _ID),
    **dict.fromkeys(("kind", "class", "form", "seen_in", "span", "limit_id"), _WORD),
    **dict.fromkeys(("effort", "speed", "service_tier", "inference_geo", "stop_reason", "billed", "denial"), _WORD),
    **dict.fromkeys(("cache_miss_reason", "spawned_status", "reported_status", "status", "source", "cause"), _WORD),
    **dict.fromkeys(("action", "statement", "dialect", "client_kind", "result", "program", "version"), _WORD),
    **dict.fromkeys(("model", "provider", "gateway", "priced_as", "tool", "name", "mcp_server", "agent"), _NAME),
    **dict.fromkeys(("subagent_type", "skill", "machine", "resets"), _NAME),
    **dict.fromkeys(("attributed_plugin", "attributed_skill"), _NAME),
    **dict.fromkeys(("attributed_mcp_server", "attributed_mcp_tool"), _NAME),
    **dict.fromkeys(("subagent_name", "addressee", "git_branch", "description", "summary", "owner"), _LABEL),
    **dict.fromkeys(("tables_read", "tables_written"), _LABEL),
    **dict.fromkeys(("detail", "error_text", "result_note", "text", "command", "sql", "error", "resource"), _TEXT),
    **dict.fromkeys(("task", "subject"), _TEXT),
    **dict.fromkeys(("path", "usage_path", "result_path", "reported_path", "workspace", "folder", "account"), _PATH),
    "project": Kind.PROJECT,
}
"""Column -> what stands in it, in every table that has it. Of `username` nothing goes: the server knows who pushes."""

_ELSEWHERE: dict[tuple[str, str], Kind] = {
    # Of an agent's own commands, as /review, not of a shell's.
    ("prompts", "command"): Kind.NAME,
}

_LAST_LABELS = {"version": "id", "context_window": "id", "forked_from": "id", "leaf": "id"}
"""Labels of a session, by kind, that are no words of anybody; all others go with `labels`."""

NOT_SENT = frozenset({"worktrees"})
"""Facts that are paths, and go with `all` only: sessions name the project of their worktree themselves."""


def kind_of(fact: Fact, column: str) -> Kind | None:
    """What stands in a column of text; None if that has no class: then it goes with `all` only."""
    return _ELSEWHERE.get((fact.name, column)) or _KINDS.get(column)


def is_sent(fact: Fact, share: Share) -> bool:
    """Whether a table goes at all."""
    return share is Share.ALL or fact.name not in NOT_SENT


def shown(fact: Fact, column: str, share: Share, key: str, team: str) -> str:
    """SQL of what goes of a column of `loaded`; NULL where nothing does.

    Hashes are keyed with `key`, those of ids with the `team`: two people tell the same fact under the same id.

    `project_now` is a column beside it: the project that the session of a row counts to.
    """
    name, is_list = f'"{column}"', fact.loaded[column].endswith("[]")
    if column == "username":
        return "NULL::VARCHAR"
    if not fact.loaded[column].startswith("VARCHAR") or share is Share.ALL:
        return name
    if column == "value":
        return _label(fact, share)
    kind = kind_of(fact, column)
    if kind is Kind.ID:
        return f"[{_of_id('each', team)} FOR each IN {name}]" if is_list else _of_id(name, team)
    if kind is Kind.WORD:
        return f"CASE WHEN {_is_word(name)} THEN {name} END"
    if kind is Kind.PATH:
        return hashed(name, key)
    if kind is Kind.PROJECT:
        return last_part(name)
    is_told = kind is Kind.NAME or (kind is Kind.LABEL and share is Share.LABELS)
    return name if is_told else f"NULL::{fact.loaded[column]}"


def _label(fact: Fact, share: Share) -> str:
    """What goes of a session's labels: of its project the last part, of its folder nothing."""
    if fact.name == "session_firsts":
        return f"CASE kind WHEN 'project' THEN {last_part('coalesce(project_now, value)')} END"
    kinds = ", ".join(quoted(kind) for kind in _LAST_LABELS)
    is_told = f"kind IN ({kinds}) AND {_is_id('value')}"
    return "value" if share is Share.LABELS else f"CASE WHEN {is_told} THEN value END"


def hashed(value: str, key: str) -> str:
    """SQL of the keyed hash of a text, 128 bits in hex. Who has not the key cannot try what a path may be."""
    inner, outer = quoted(f"{key}:in:"), quoted(f"{key}:out:")
    return f"left(sha256({outer} || sha256({inner} || {value})), 32)"


def last_part(path: str) -> str:
    """SQL of the last part of a path of either system."""
    return f"regexp_extract({path}, '([^/\\\\]*)[/\\\\]*$', 1)"


def _of_id(value: str, key: str) -> str:
    return f"CASE WHEN {_is_id(value)} THEN {value} ELSE {hashed(value, key)} END"


def _is_id(value: str) -> str:
    return f"regexp_full_match({value}, '[A-Za-z0-9_.:@+=-]{{0,200}}')"


def _is_word(value: str) -> str:
    return f"regexp_full_match({value}, '[A-Za-z0-9_.:+-]{{0,64}}')"
