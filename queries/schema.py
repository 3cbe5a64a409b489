"""The tables of the store: facts, watermarks, rollups. No keys, no indexes; see docs/architecture.md.

A fact is kept once under its key. Where several lines of a transcript speak of the same fact, each *half* of it is
taken whole from the line that wins by that half's order, so loading is idempotent and the order of arrival is
irrelevant. `FACTS` is the one place that states those keys and orders; the loader writes its SQL from it.

All times are TIMESTAMP in UTC without a zone; sizes are bytes; tokens and counts are plain integers; money is USD.
"""

from __future__ import annotations

from dataclasses import dataclass

STORE_VERSION = 1
"""Raised when a table changes its shape. A store with a higher number is refused."""

# A row without a time sorts after every row with one.
_LAST = "'infinity'::TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Half:
    """Columns that are taken together from one line: the first (`min`) or the last (`max`) by `order`."""

    pick: str
    order: tuple[str, ...]
    columns: dict[str, str]
    where: str | None = None
    """Only lines for which this SQL condition holds take part."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact table: its key columns, its halves, single columns with an aggregate, and derived columns."""

    name: str
    key: dict[str, str]
    halves: tuple[Half, ...]
    sums: dict[str, tuple[str, str]]
    """column -> (type, aggregate): columns for which lines agree by `max`, `bool_or` and the like."""
    derived: dict[str, str]
    """column -> type: filled by the loader, never read from a transcript."""

    @property
    def loaded(self) -> dict[str, str]:
        """Columns that come from transcripts, with their types, in table order."""
        columns = dict(self.key)
        for half in self.halves:
            columns.update(half.columns)
        columns.update({name: kind for name, (kind, _) in self.sums.items()})
        return columns

    @property
    def columns(self) -> dict[str, str]:
        """All columns, with their types, in table order."""
        return self.loaded | self.derived


def _place(prefix: str = "") -> tuple[str, ...]:
    return (f"coalesce({prefix}ts, {_LAST})", f"{prefix}path", f"{prefix}pos")


RESPONSES = Fact(
    "responses",
    key={"key": "VARCHAR"},
    halves=(
        Half(
            "min",
            ("embedded", *_place()),
            {
                "embedded": "BOOLEAN",
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "session_id": "VARCHAR",
                "username": "VARCHAR",
                "agent_id": "VARCHAR",
                "agent_name": "VARCHAR",
                "is_sidechain": "BOOLEAN",
                "model": "VARCHAR",
                "version": "VARCHAR",
                "git_branch": "VARCHAR",
                "requested_at": "TIMESTAMP",
                "prompt_id": "VARCHAR",
            },
        ),
        Half(
            "max",
            ("NOT usage_embedded", "output_tokens", "total_tokens", *_place("usage_")),
            {
                "usage_embedded": "BOOLEAN",
                "output_tokens": "BIGINT",
                "total_tokens": "BIGINT",
                "usage_ts": "TIMESTAMP",
                "usage_path": "VARCHAR",
                "usage_pos": "BIGINT",
                "input_tokens": "BIGINT",
                "cache_read_tokens": "BIGINT",
                "cache_write_5m_tokens": "BIGINT",
                "cache_write_1h_tokens": "BIGINT",
                "web_searches": "BIGINT",
                "speed": "VARCHAR",
                "service_tier": "VARCHAR",
                "stop_reason": "VARCHAR",
                "output_undercounted": "BOOLEAN",
                "logged_cost_usd": "DOUBLE",
            },
        ),
    ),
    sums={"ended_at": ("TIMESTAMP", "max"), "is_api_error": ("BOOLEAN", "bool_or")},
    derived={"cost_usd": "DOUBLE"},
)

TOOL_CALLS = Fact(
    "tool_calls",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            ("embedded", *_place()),
            {
                "embedded": "BOOLEAN",
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "session_id": "VARCHAR",
                "username": "VARCHAR",
                "agent_id": "VARCHAR",
                "is_sidechain": "BOOLEAN",
                "name": "VARCHAR",
                "class": "VARCHAR",
                "subagent_type": "VARCHAR",
                "skill": "VARCHAR",
                "detail": "VARCHAR",
                "response_key": "VARCHAR",
                "prompt_id": "VARCHAR",
            },
            where="name IS NOT NULL",
        ),
        Half(
            "min",
            ("result_embedded", "NOT is_error", *_place("result_")),
            {
                "result_embedded": "BOOLEAN",
                "is_error": "BOOLEAN",
                "result_ts": "TIMESTAMP",
                "result_path": "VARCHAR",
                "result_pos": "BIGINT",
                "result_session_id": "VARCHAR",
                "denial": "VARCHAR",
                "error_text": "VARCHAR",
                "result_bytes": "BIGINT",
                "result_rows": "BIGINT",
                "spawned_agent_id": "VARCHAR",
                "spawned_status": "VARCHAR",
                "spawned_tokens": "BIGINT",
                "spawned_ms": "BIGINT",
                "report_chars": "BIGINT",
            },
            where="is_error IS NOT NULL",
        ),
    ),
    sums={},
    derived={},
)

PROMPTS = Fact(
    "prompts",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "session_id": "VARCHAR",
                "username": "VARCHAR",
                "kind": "VARCHAR",
                "command": "VARCHAR",
                "text": "VARCHAR",
            },
        ),
    ),
    sums={},
    derived={},
)

_LABEL = {"ts": "TIMESTAMP", "path": "VARCHAR", "pos": "BIGINT", "value": "VARCHAR"}

SESSION_FIRSTS = Fact(
    "session_firsts",
    key={"session_id": "VARCHAR", "kind": "VARCHAR"},
    halves=(Half("min", _place(), _LABEL),),
    sums={},
    derived={},
)

SESSION_LASTS = Fact(
    "session_lasts",
    key={"session_id": "VARCHAR", "kind": "VARCHAR"},
    halves=(Half("max", ("coalesce(ts, '-infinity'::TIMESTAMP)", "path", "pos"), _LABEL),),
    sums={},
    derived={},
)

SUMMARIES = Fact(
    "summaries",
    key={"leaf_uuid": "VARCHAR"},
    halves=(Half("max", ("path", "pos"), {"path": "VARCHAR", "pos": "BIGINT", "summary": "VARCHAR"}),),
    sums={},
    derived={},
)

AGENTS = Fact(
    "agents",
    key={"agent_id": "VARCHAR"},
    halves=(
        Half(
            "max",
            ("path",),
            {"path": "VARCHAR", "agent_type": "VARCHAR", "description": "VARCHAR", "tool_use_id": "VARCHAR"},
        ),
    ),
    sums={},
    derived={},
)

EVENTS = Fact(
    "events",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "session_id": "VARCHAR",
                "kind": "VARCHAR",
                "text": "VARCHAR",
                "amount": "BIGINT",
            },
        ),
    ),
    sums={},
    derived={},
)

ACCESSES = Fact(
    "accesses",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "seen_in": "VARCHAR",
                "call_id": "VARCHAR",
                "session_id": "VARCHAR",
                "username": "VARCHAR",
                "workspace": "VARCHAR",
                "action": "VARCHAR",
                "resource": "VARCHAR",
                "command": "VARCHAR",
                "sql": "VARCHAR",
                "tables_read": "VARCHAR[]",
                "tables_written": "VARCHAR[]",
                "statement": "VARCHAR",
                "dialect": "VARCHAR",
                "client_kind": "VARCHAR",
                "result": "VARCHAR",
                "error": "VARCHAR",
                "duration_ms": "BIGINT",
                "rows_returned": "BIGINT",
                "bytes_scanned": "BIGINT",
            },
        ),
    ),
    sums={},
    derived={},
)

SYNC_ACTIONS = Fact(
    "sync_actions",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "action": "VARCHAR",
                "resource": "VARCHAR",
                "source": "VARCHAR",
                "result": "VARCHAR",
                "detail": "VARCHAR",
                "workspace": "VARCHAR",
                "username": "VARCHAR",
                "session_id": "VARCHAR",
                "call_id": "VARCHAR",
                "duration_ms": "BIGINT",
                "tables": "BIGINT",
                "sessions": "BIGINT",
            },
        ),
    ),
    sums={},
    derived={},
)

FACTS: tuple[Fact, ...] = (
    RESPONSES,
    TOOL_CALLS,
    PROMPTS,
    SESSION_FIRSTS,
    SESSION_LASTS,
    SUMMARIES,
    AGENTS,
    EVENTS,
    ACCESSES,
    SYNC_ACTIONS,
)

TABLES: dict[str, dict[str, str]] = {
    # Spans in which a session's rows follow each other within ten minutes.
    "activity": {"session_id": "VARCHAR", "started_at": "TIMESTAMP", "ended_at": "TIMESTAMP"},
    # One row per source file: how far it is read (the watermark), and what it was when we read it.
    "files": {
        "path": "VARCHAR",
        "source": "VARCHAR",
        "root": "VARCHAR",
        "username": "VARCHAR",
        "session_id": "VARCHAR",
        "is_main": "BOOLEAN",
        "device": "BIGINT",
        "inode": "UBIGINT",
        "size": "BIGINT",
        "mtime_ns": "BIGINT",
        "read_to": "BIGINT",
        "head": "VARCHAR",
        "tail": "VARCHAR",
        "state": "VARCHAR",
        "parser": "INTEGER",
        "read_at": "TIMESTAMP",
        "gone_at": "TIMESTAMP",
        "error": "VARCHAR",
    },
    "rejects": {
        "path": "VARCHAR",
        "pos": "BIGINT",
        "length": "BIGINT",
        "reason": "VARCHAR",
        "seen_at": "TIMESTAMP",
    },
    # Things in a file that the parser has no rule for, per stretch read.
    "unknowns": {"path": "VARCHAR", "pos": "BIGINT", "what": "VARCHAR", "count": "BIGINT"},
    "rates": {
        "model": "VARCHAR",
        "speed": "VARCHAR",
        "tier": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "above": "BIGINT",
        "input": "DOUBLE",
        "output": "DOUBLE",
        "cache_read": "DOUBLE",
        "cache_write_5m": "DOUBLE",
        "cache_write_1h": "DOUBLE",
        "web_search": "DOUBLE",
        "context_window": "BIGINT",
    },
    # Models whose price was looked up, found or not.
    "models": {"model": "VARCHAR", "priced": "BOOLEAN", "context_window": "BIGINT"},
    # Zones whose day rollups are kept.
    "zones": {"zone": "VARCHAR", "asked_at": "TIMESTAMP"},
    "meta": {"name": "VARCHAR", "value": "VARCHAR"},
    # What the Agnes workspaces say of themselves, replaced as a whole per workspace.
    "workspaces": {
        "workspace": "VARCHAR",
        "last_sync": "TIMESTAMP",
        "server": "VARCHAR",
        "token_expires_at": "TIMESTAMP",
        "seen_at": "TIMESTAMP",
    },
    "sync_tables": {
        "workspace": "VARCHAR",
        "table_id": "VARCHAR",
        "row_count": "BIGINT",
        "size_bytes": "BIGINT",
        "parts": "BIGINT",
        "changed_at": "TIMESTAMP",
    },
    "uploads": {
        "workspace": "VARCHAR",
        "session_id": "VARCHAR",
        "status": "VARCHAR",
        "ts": "TIMESTAMP",
        "size": "BIGINT",
        "http_status": "VARCHAR",
        "path": "VARCHAR",
    },
    "sessions": {
        "session_id": "VARCHAR",
        "username": "VARCHAR",
        "project": "VARCHAR",
        "cwd": "VARCHAR",
        "title": "VARCHAR",
        "git_branch": "VARCHAR",
        "version": "VARCHAR",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "active_seconds": "DOUBLE",
        "wall_seconds": "DOUBLE",
        "user_messages": "BIGINT",
        "assistant_messages": "BIGINT",
        "tool_calls": "BIGINT",
        "mcp_calls": "BIGINT",
        "subagent_dispatches": "BIGINT",
        "tool_calls_total": "BIGINT",
        "tool_errors": "BIGINT",
        "denied": "BIGINT",
        "skill_invocations": "BIGINT",
        "slash_commands": "BIGINT",
        "distinct_tools": "BIGINT",
        "distinct_skills": "BIGINT",
        "input_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "cache_read_tokens": "BIGINT",
        "cache_write_5m_tokens": "BIGINT",
        "cache_write_1h_tokens": "BIGINT",
        "web_searches": "BIGINT",
        "cost_usd": "DOUBLE",
        "unpriced_tokens": "BIGINT",
        "undercounted": "BIGINT",
        "primary_model": "VARCHAR",
        "context_tokens": "BIGINT",
        "context_model": "VARCHAR",
    },
    "tokens_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "username": "VARCHAR",
        "project": "VARCHAR",
        "model": "VARCHAR",
        "agent_type": "VARCHAR",
        "speed": "VARCHAR",
        "service_tier": "VARCHAR",
        "responses": "BIGINT",
        "input_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "cache_read_tokens": "BIGINT",
        "cache_write_5m_tokens": "BIGINT",
        "cache_write_1h_tokens": "BIGINT",
        "web_searches": "BIGINT",
        "cost_usd": "DOUBLE",
        "unpriced_tokens": "BIGINT",
        "undercounted": "BIGINT",
    },
    "tools_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "username": "VARCHAR",
        "project": "VARCHAR",
        "tool": "VARCHAR",
        "class": "VARCHAR",
        "mcp_server": "VARCHAR",
        "invocations": "BIGINT",
        "errors": "BIGINT",
        "denied": "BIGINT",
        "finished": "BIGINT",
    },
    # Plugins, skills, sub-agents and slash commands; `source` is curated, own or builtin.
    "extensions_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "username": "VARCHAR",
        "project": "VARCHAR",
        "source": "VARCHAR",
        "type": "VARCHAR",
        "plugin": "VARCHAR",
        "name": "VARCHAR",
        "invocations": "BIGINT",
        "errors": "BIGINT",
    },
}

ROLLUPS_BY_DAY = ("tokens_daily", "tools_daily", "extensions_daily")


def columns_of(table: str) -> dict[str, str]:
    """The columns of any table of the store, with their types. KeyError for an unknown table."""
    for fact in FACTS:
        if fact.name == table:
            return fact.columns
    return TABLES[table]


def ddl() -> list[str]:
    """The statements that create an empty store."""
    tables = {fact.name: fact.columns for fact in FACTS} | TABLES
    return [
        f"CREATE TABLE {name} (" + ", ".join(f'"{column}" {kind}' for column, kind in columns.items()) + ")"
        for name, columns in tables.items()
    ]
