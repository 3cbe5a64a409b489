"""Which of an agent's tools touch data, and how their inputs say what."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ..late import Late
from ..text import kept
from .agnes import BY_TABLE, CATALOG, agnes_query
from .bash import script_accesses
from .model import ADHOC, Access, file_access, table_access
from .queries import query_access
from .scripts import SHELLS
from .shell import SCRIPT_LIMIT
from .shell_files import web_access
from .sql import looks_like_sql

_SCRIPT_KEYS = ("command", "cmd", "script")
_FILE_ACTIONS = {
    **dict.fromkeys(("read", "notebookread", "read_file", "view"), "file.read"),
    **dict.fromkeys(("write", "edit", "multiedit", "notebookedit", "write_file", "replace"), "file.write"),
    **dict.fromkeys(("grep", "glob", "ls", "list_directory", "search_file_content"), "file.search"),
}
_PATH_KEYS = ("file_path", "notebook_path", "path", "filePath", "absolute_path", "dir_path")

_SQL_KEYS = ("sql", "query", "statement", "sql_query", "sqlStatements")
_TABLE_KEYS = ("table_id", "table", "table_name", "tableName", "table_ref", "object_name")
_RUNS_SQL = Late(r"query|execute_sql|run_sql|execute|(?:^|_)sql(?:_|$)")
_ONLY_LOOKS = Late(r"format|lint|pars|valid|transpil|translat|convert|generat|beautif")
"""Tools that work on the text of a query and do not run it."""
_LISTS = Late(
    r"(?:^|_)(?:list|get|show)_(?:all_|database_)?(?:tables|schemas|databases|datasets|(?:table|dataset)_ids)$"
    r"|^tables_list$"
)
_LISTS_OBJECTS = Late(r"(?:^|_)list_objects$")
_SHOWS_SCHEMA = Late(
    r"(?:^|_)(?:describe_table(?:_schema)?|get_(?:table_)?schema|table_schema|get_table|get_table_info"
    r"|get_object_details)$"
)
_SEARCHES = frozenset({"knowledge_search", "collections_search"})
_DIALECTS = (
    (Late(r"agnes|duckdb|motherduck"), "duckdb"),
    (Late(r"sqlite"), "sqlite"),
    (Late(r"postgres|(?:^|_)pg(?:_|$)|supabase|neon|timescale"), "postgres"),
    (Late(r"redshift"), "redshift"),
    (Late(r"databricks"), "databricks"),
    (Late(r"mssql|sqlserver|sql_server"), "tsql"),
    (Late(r"mysql|mariadb|planetscale"), "mysql"),
    (Late(r"bigquery|(?:^|_)bq(?:_|$)"), "bigquery"),
    (Late(r"snowflake"), "snowflake"),
    (Late(r"clickhouse"), "clickhouse"),
    (Late(r"trino|presto|athena"), "trino"),
)
_LOCAL_SERVER = Late(r"sqlite|duckdb|local")


def accesses_of(tool: str, tool_input: Mapping[str, object], server: str | None = None) -> list[Access]:
    """Return the data accesses of one tool call, in order; empty when it touches no data.

    `tool` is the tool's name as the transcript has it, `tool_input` its input as decoded JSON. Of a tool of an MCP
    server `tool` is the name that the server has for it, and `server` the server's. Total: any other input gives an
    empty list. Pure: nothing is read, run or looked up.
    """
    if not _is_call(tool, tool_input):
        return []
    name = tool.lower()
    if server is not None:
        return _mcp_tool(server.lower(), name, tool_input)
    if name in SHELLS:
        script = _script(tool_input)
        return script_accesses(script, SHELLS[name]) if script else []
    if name in _FILE_ACTIONS:
        return _file_tool(name, tool_input)
    if name in ("webfetch", "web_fetch"):
        address = _text(tool_input, "url")
        return [web_access(address)] if address else []
    if name in ("websearch", "web_search", "google_web_search"):
        return [Access("web.search", ADHOC)]
    return []


def script_of(tool: str, tool_input: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the script that a tool call runs and the language it is written in; None if it runs none. Total."""
    language = SHELLS.get(tool.lower()) if _is_call(tool, tool_input) else None
    script = _script(tool_input) if language is not None else None
    return (script, language) if script and language else None


def _is_call(tool: object, tool_input: object) -> bool:
    """Return whether what a transcript gave as a tool call has the shape of one."""
    return isinstance(tool, str) and (type(tool_input) is dict or isinstance(tool_input, Mapping))


def _text(tool_input: Mapping[str, object], *keys: str) -> str | None:
    """Return the first value of these keys that is a text with something in it, its credentials blotted out."""
    found = _raw_text(tool_input, *keys)
    return None if found is None else kept(found, SCRIPT_LIMIT)


def _raw_text(tool_input: Mapping[str, object], *keys: str) -> str | None:
    for key in keys:
        value = tool_input.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return None


def _script(tool_input: Mapping[str, object]) -> str | None:
    """Return the script of a shell tool; some agents give it as a list of words."""
    script = None
    for key in _SCRIPT_KEYS:
        told = tool_input.get(key)
        if isinstance(told, list) and told and all(isinstance(word, str) for word in told):
            return shlex.join(told)
        if script is None and isinstance(told, str) and told.strip():
            script = told
    return script


def _file_tool(name: str, tool_input: Mapping[str, object]) -> list[Access]:
    action = _FILE_ACTIONS[name]
    path = _text(tool_input, *_PATH_KEYS)
    if path is None and action == "file.search":
        path = (_text(tool_input, "pattern") if name == "glob" else None) or "."
    return [file_access(action, path)] if path else []


def _mcp_tool(server: str, tool: str, tool_input: Mapping[str, object]) -> list[Access]:
    """Return the accesses of a tool of an MCP server: Agnes's own, and those of database servers."""
    server, tool = server.replace("-", "_"), tool.replace("-", "_")
    dialect = next((dialect for pattern, dialect in _DIALECTS if pattern.search(server)), None)
    if isinstance(wrapped := tool_input.get("params"), Mapping):
        tool_input = wrapped
    if (queried := _mcp_query(server, tool, tool_input, dialect)) is not None:
        return [queried]
    table = _text(tool_input, *_TABLE_KEYS)
    if tool in BY_TABLE and table:
        return [table_access(action, [table], dialect) for action in BY_TABLE[tool]]
    if _SHOWS_SCHEMA.search(tool) and table:
        return [table_access("catalog.schema", [table], dialect)]
    if tool == "catalog" or _LISTS.search(tool) or (dialect and _LISTS_OBJECTS.search(tool)):
        return [Access("catalog.list", CATALOG if tool == "catalog" else ADHOC, dialect=dialect)]
    if tool in _SEARCHES or (tool == "search" and "agnes" in server):
        return [Access("catalog.search", ADHOC)]
    return []


def _sql(tool_input: Mapping[str, object], key: str) -> str | None:
    """Return the SQL under a key: a text, or a list of statements."""
    given = tool_input.get(key)
    if isinstance(given, list) and given and all(isinstance(statement, str) for statement in given):
        return kept(";\n".join(given), SCRIPT_LIMIT)
    return _text(tool_input, key)


def _mcp_query(server: str, tool: str, tool_input: Mapping[str, object], dialect: str | None) -> Access | None:
    key = next((key for key in _SQL_KEYS if _sql(tool_input, key)), None)
    sql = _sql(tool_input, key) if key else None
    if key is None or sql is None or _ONLY_LOOKS.search(tool):
        return None
    is_agnes = "agnes" in server or tool in ("query_local", "query_hybrid")
    is_sql = key.startswith("sql") and (_RUNS_SQL.search(tool) or dialect) is not None
    may_be_sql = key.startswith("sql") or _RUNS_SQL.search(tool) or dialect
    if not (is_agnes and tool.startswith("query")) and not is_sql and not (may_be_sql and looks_like_sql(sql)):
        return None
    if tool == "query_hybrid":
        action = "query.hybrid"
    else:
        local = "local" in tool or (not is_agnes and _LOCAL_SERVER.search(server) is not None)
        action = "query.local" if local else "query.remote"
    return agnes_query(sql, action) if is_agnes else query_access(action, sql, dialect)
