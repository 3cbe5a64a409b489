"""The tables of the store: facts, watermarks, rollups. No keys, no indexes; see docs/architecture.md.

All times are TIMESTAMP in UTC without a zone; sizes are bytes; tokens and counts are plain integers; money is USD.
"""

from __future__ import annotations

from collections.abc import Collection

from .facts import FACTS, Fact

__all__ = ["FACTS", "ROLLUPS_BY_DAY", "STORE_VERSION", "TABLES", "Fact", "columns_of", "ddl"]

STORE_VERSION = 14
"""Raised when a table changes its shape. A store with a higher number is refused."""

TABLES: dict[str, dict[str, str]] = {
    # Spans in which a session's rows follow each other within ten minutes.
    "activity": {"session_id": "VARCHAR", "started_at": "TIMESTAMP", "ended_at": "TIMESTAMP"},
    # One row per source file: how far it is read (the watermark), and what it was when we read it.
    "files": {
        "path": "VARCHAR",
        "source": "VARCHAR",
        "root": "VARCHAR",
        "machine": "VARCHAR",
        "username": "VARCHAR",
        "session_id": "VARCHAR",
        "is_main": "BOOLEAN",
        "device": "BIGINT",
        "inode": "UBIGINT",
        "size": "BIGINT",
        "mtime_ns": "BIGINT",
        # Of several files that make up one whole: name, device, inode, size and time of each, as JSON.
        "members": "VARCHAR",
        "read_to": "BIGINT",
        "head": "VARCHAR",
        "tail": "VARCHAR",
        "state": "VARCHAR",
        "parser": "INTEGER",
        "read_at": "TIMESTAMP",
        "gone_at": "TIMESTAMP",
        "error": "VARCHAR",
    },
    # Of files written anew as a whole whose facts go with what they do not say any more: what each one tells.
    "snapshot_keys": {"snapshot": "VARCHAR", "fact": "VARCHAR", "key": "VARCHAR"},
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
        "us_factor": "DOUBLE",
    },
    # Models whose price was looked up, found or not.
    "models": {"model": "VARCHAR", "priced": "BOOLEAN", "context_window": "BIGINT"},
    # Windows that the configuration names, in tokens.
    "context_windows": {"model": "VARCHAR", "tokens": "BIGINT"},
    # Zones whose day rollups are kept.
    "zones": {"zone": "VARCHAR", "asked_at": "TIMESTAMP"},
    "meta": {"name": "VARCHAR", "value": "VARCHAR"},
    # What the user had forgotten: a session (NULL: all), up to a time in UTC (NULL: all of it). See ingest/forget.py.
    "forgotten": {"session_id": "VARCHAR", "before": "TIMESTAMP", "noted_at": "TIMESTAMP"},
    # What the Agnes workspaces say of themselves, replaced as a whole per workspace.
    "workspaces": {
        "workspace": "VARCHAR",
        "last_sync": "TIMESTAMP",
        "server": "VARCHAR",
        "seen_at": "TIMESTAMP",
        # Snapshots that the last pull withheld: a policy changed, or the table is not granted any more.
        "snapshots_blocked": "VARCHAR[]",
    },
    # Snapshots of remote tables in the workspaces; `path` is the file that describes one, and replaces its row.
    "snapshots": {
        "path": "VARCHAR",
        "workspace": "VARCHAR",
        "name": "VARCHAR",
        "table_id": "VARCHAR",
        "row_count": "BIGINT",
        "size_bytes": "BIGINT",
        "fetched_at": "TIMESTAMP",
        "expires_at": "TIMESTAMP",
        "has_policy": "BOOLEAN",
    },
    # Of the `agnes` command: `workspace` is the folder of its configuration.
    "accounts": {"workspace": "VARCHAR", "server": "VARCHAR", "token_expires_at": "TIMESTAMP"},
    # What a server was asked, and how that went, by server, account and endpoint. Of queries also how far they are
    # read: `newest` is the latest one, and those between `gap` (the server's cursor) and `floor` are still missing.
    "server_reads": {
        "server": "VARCHAR",
        "account": "VARCHAR",
        "endpoint": "VARCHAR",
        "asked_at": "TIMESTAMP",
        "answered_at": "TIMESTAMP",
        "failure": "VARCHAR",
        "reason": "VARCHAR",
        "token_expires_at": "TIMESTAMP",
        "last_pull_at": "TIMESTAMP",
        "newest_at": "TIMESTAMP",
        "newest_id": "VARCHAR",
        "gap_at": "VARCHAR",
        "gap_id": "VARCHAR",
        "floor_at": "TIMESTAMP",
        "floor_id": "VARCHAR",
    },
    # The sessions that a server has of an account, as it last told them.
    "server_sessions": {
        "server": "VARCHAR",
        "account": "VARCHAR",
        "session_id": "VARCHAR",
        "session_file": "VARCHAR",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "is_processed": "BOOLEAN",
        "pipeline_status": "VARCHAR",
        "items_extracted": "BIGINT",
        "download_url": "VARCHAR",
        "uploaded_at": "TIMESTAMP",
        "told_at": "TIMESTAMP",
    },
    # Plugins that are installed or offered on this machine, replaced as a whole per folder of Claude Code.
    "plugins": {
        "workspace": "VARCHAR",
        "plugin": "VARCHAR",
        "marketplace": "VARCHAR",
        "source": "VARCHAR",
        "is_installed": "BOOLEAN",
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
        "agent": "VARCHAR",
        "machine": "VARCHAR",
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
        "reasoning_tokens": "BIGINT",
        "web_searches": "BIGINT",
        "cost_usd": "DOUBLE",
        "unpriced_tokens": "BIGINT",
        "billed_elsewhere_tokens": "BIGINT",
        "undercounted": "BIGINT",
        "primary_model": "VARCHAR",
        "context_tokens": "BIGINT",
        "context_model": "VARCHAR",
        "context_agent": "VARCHAR",
        "context_peak": "BIGINT",
    },
    "tokens_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "agent": "VARCHAR",
        "machine": "VARCHAR",
        "username": "VARCHAR",
        "project": "VARCHAR",
        "model": "VARCHAR",
        "subagent_type": "VARCHAR",
        "git_branch": "VARCHAR",
        "version": "VARCHAR",
        "speed": "VARCHAR",
        "service_tier": "VARCHAR",
        "responses": "BIGINT",
        "input_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "cache_read_tokens": "BIGINT",
        "cache_write_5m_tokens": "BIGINT",
        "cache_write_1h_tokens": "BIGINT",
        "reasoning_tokens": "BIGINT",
        "web_searches": "BIGINT",
        "cost_usd": "DOUBLE",
        "unpriced_tokens": "BIGINT",
        "billed_elsewhere_tokens": "BIGINT",
        "undercounted": "BIGINT",
    },
    "tools_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "agent": "VARCHAR",
        "machine": "VARCHAR",
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
    # Plugins, skills, sub-agents and slash commands; `source` is one of `queries/plugins.py`.
    "extensions_daily": {
        "zone": "VARCHAR",
        "day": "DATE",
        "session_id": "VARCHAR",
        "agent": "VARCHAR",
        "machine": "VARCHAR",
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


def ddl(only: Collection[str] | None = None) -> list[str]:
    """The statements that create an empty store, or `only` some of its tables."""
    tables = {fact.name: fact.columns for fact in FACTS} | TABLES
    return [
        f"CREATE TABLE {name} (" + ", ".join(f'"{column}" {kind}' for column, kind in columns.items()) + ")"
        for name, columns in tables.items()
        if only is None or name in only
    ]
