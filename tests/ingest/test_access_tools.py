"""Tools other than the shell, inputs of any shape, and the texts of results."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest
from agnes_stats.ingest.access import Access, accesses_of, error_line, may_count_rows, rows_in
from agnes_stats.ingest.formats.claude.tools import mcp_tool_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

TOOLS: list[tuple[str, dict[str, object], list[str]]] = [
    ("Read", {"file_path": "/a/b.py", "limit": 5}, ["file.read /a/b.py"]),
    ("NotebookRead", {"notebook_path": "/a/n.ipynb"}, ["file.read /a/n.ipynb"]),
    ("Edit", {"file_path": "/a/b.py", "old_string": "psql", "new_string": ""}, ["file.write /a/b.py"]),
    ("MultiEdit", {"file_path": "/a/b.py", "edits": []}, ["file.write /a/b.py"]),
    ("Write", {"file_path": "/a/q.sql", "content": "select * from t"}, ["file.write /a/q.sql"]),
    ("NotebookEdit", {"notebook_path": "/a/n.ipynb"}, ["file.write /a/n.ipynb"]),
    ("Grep", {"pattern": "agnes query", "path": "/src"}, ["file.search /src"]),
    ("Grep", {"pattern": "agnes query"}, ["file.search ."]),
    ("Glob", {"pattern": "**/*.sql"}, ["file.search **/*.sql"]),
    ("LS", {"path": "/a"}, ["file.search /a"]),
    ("WebFetch", {"url": "https://docs.example.com/a?b", "prompt": "x"}, ["web.fetch docs.example.com"]),
    ("WebSearch", {"query": "select from where"}, ["web.search adhoc"]),
    ("mcp__agnes__query", {"sql": "select * from orders"}, ["query.remote table:orders"]),
    ("mcp__agnes__query", {"sql": "select * from agnes_audit"}, ["query.internal table:agnes_audit"]),
    ("mcp__agnes__query_local", {"sql": "select * from orders", "limit": 5}, ["query.local table:orders"]),
    ("mcp__agnes__catalog", {}, ["catalog.list catalog"]),
    ("mcp__agnes__schema", {"table_id": "orders"}, ["catalog.schema table:orders"]),
    (
        "mcp__agnes__describe",
        {"table_id": "orders", "rows": 5},
        ["catalog.schema table:orders", "catalog.sample table:orders"],
    ),
    ("mcp__agnes__sample", {"table_id": "orders"}, ["catalog.sample table:orders"]),
    ("mcp__agnes__search", {"query": "churn"}, ["catalog.search adhoc"]),
    ("mcp__agnes__knowledge_search", {"query": "churn"}, ["catalog.search adhoc"]),
    ("mcp__postgres__query", {"sql": "select * from users"}, ["query.remote table:users"]),
    ("mcp__supabase__execute_sql", {"query": "delete from users"}, ["query.remote table:users"]),
    ("mcp__sqlite__read_query", {"query": "select * from users"}, ["query.local table:users"]),
    ("mcp__my-duckdb__run_query", {"statement": "from 'x.csv'"}, ["query.local table:x.csv"]),
    ("mcp__sqlite__list_tables", {}, ["catalog.list adhoc"]),
    ("mcp__sqlite__describe_table", {"table_name": "users"}, ["catalog.schema table:users"]),
    ("mcp__sqlite__write_query", {"query": "insert into a select * from b"}, ["query.local table:a, b"]),
    ("mcp__mcp-server-motherduck__query", {"query": "from t"}, ["query.remote table:t"]),
    ("mcp__bigquery__execute-query", {"query": "select * from `p.d.t`"}, ["query.remote table:p.d.t"]),
    ("mcp__bigquery__list_table_ids", {"dataset": "d"}, ["catalog.list adhoc"]),
    ("mcp__snowflake__list_objects", {"object_type": "table"}, ["catalog.list adhoc"]),
    ("mcp__clickhouse__run_select_query", {"query": "select * from t final"}, ["query.remote table:t"]),
    ("mcp__claude_ai_Supabase__execute_sql", {"query": "select * from auth.users"}, ["query.remote table:auth.users"]),
    ("mcp__neon__run_sql", {"params": {"sql": "select * from t"}}, ["query.remote table:t"]),
    (
        "mcp__neon__run_sql_transaction",
        {"params": {"sqlStatements": ["select * from a", "select * from b"]}},
        ["query.remote table:a, b"],
    ),
    ("mcp__neon__describe_table_schema", {"params": {"tableName": "t"}}, ["catalog.schema table:t"]),
    ("mcp__postgres__get_object_details", {"object_name": "users"}, ["catalog.schema table:users"]),
    ("mcp__dbt__show", {"sql_query": "select * from orders", "limit": 5}, ["query.remote table:orders"]),
    ("mcp__mssql__read_data", {"query": "select * from [dbo].[t]"}, ["query.remote table:dbo.t"]),
    ("mcp__agnes__explore", {"table_id": "orders"}, ["catalog.sample table:orders"]),
    ("mcp__sqltools__format_sql", {"sql": "select * from t"}, []),
    ("mcp__drawing__list_objects", {}, []),
    ("mcp__github__search_code", {"query": "select * from t"}, []),
    ("mcp__jira__execute_jql", {"query": "project = X order by rank"}, []),
    ("mcp__context7__query-docs", {"query": "how to select rows", "libraryId": "x"}, []),
    ("mcp__notion__search", {"query": "select * from t"}, []),
    ("mcp__linear__get_issue", {"id": "ENT-1"}, []),
    ("mcp__graph__query", {"query": "query { viewer { login } }"}, []),
    ("mcp__agnes__query", {}, []),
    ("mcp__agnes__pull", {}, []),
    ("Task", {"prompt": "run psql -c 'select 1'"}, []),
    ("TodoWrite", {"todos": [{"content": "agnes query"}]}, []),
    ("Read", {}, []),
    ("Read", {"file_path": 3}, []),
    ("Bash", {"command": None}, []),
    ("Bash", {"command": ["bash", 3]}, []),
    ("shell", {"command": ["bash", "-lc", "psql -c 'select * from t'"]}, ["query.local table:t"]),
]


@pytest.mark.parametrize(("tool", "tool_input", "expected"), TOOLS)
def test_tool_touches_this_data(tool: str, tool_input: dict[str, object], expected: list[str]) -> None:
    assert [f"{access.action} {access.resource}" for access in _accesses(tool, tool_input)] == expected


def _accesses(tool: str, tool_input: Mapping[str, object]) -> list[Access]:
    """As an agent says it that names tools of MCP servers `mcp__<server>__<tool>`."""
    named = mcp_tool_of(tool)
    return accesses_of(tool, tool_input) if named is None else accesses_of(named[1], tool_input, named[0])


def test_path_is_the_file_or_the_address() -> None:
    [read] = accesses_of("Read", {"file_path": "/a/b.py"})
    [fetch] = accesses_of("WebFetch", {"url": "https://example.com/x"})
    assert (read.path, read.command, fetch.path) == ("/a/b.py", None, "https://example.com/x")


def test_file_tools_need_no_sql_parser() -> None:
    code = (
        "import sys; from agnes_stats.ingest.access import accesses_of\n"
        "accesses_of('Read', {'file_path': 'a'}); accesses_of('Bash', {'command': 'cat a; echo psql'})\n"
        "sys.exit('sqlglot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


_SHELL_WORDS = (
    "psql duckdb agnes query -c --sql 'select \"select from $( ) ` ; | && << <<< EOF \n > < { } \\ $x ${ a= python"
    " sed -i -e cat curl https:// bash ssh xargs for do done case esac [[ ]] (( )) \x00 é with as ( , '' # @"
)
_SQL_WORDS = "select from with as a b ( ) , ; * 'x' join on = -- /* */ { } insert into"
_INPUT_KEYS = "command cmd file_path path url sql query statement table_id pattern notebook_path"
_TOOL_NAMES = (
    "Bash shell Read Edit Grep Glob WebFetch WebSearch mcp__agnes__query mcp__pg__query mcp__agnes__schema mcp__ Task"
)
_WORDS = st.sampled_from(_SHELL_WORDS.split(" "))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
_KEYS = st.sampled_from(_INPUT_KEYS.split())
_TOOLS = st.sampled_from(_TOOL_NAMES.split())


@settings(max_examples=examples(60, 300), deadline=None)
@given(script=st.lists(_WORDS, max_size=25).map(" ".join) | st.lists(_WORDS, max_size=25).map("".join) | st.text())
def test_any_script_gives_a_list(script: str) -> None:
    for access in accesses_of("Bash", {"command": script}):
        assert access.action and access.resource


@settings(max_examples=examples(40, 200), deadline=None)
@given(sql=st.lists(st.sampled_from(_SQL_WORDS.split())))
def test_any_sql_gives_one_access(sql: list[str]) -> None:
    [access] = accesses_of("query_local", {"sql": "select " + " ".join(sql)}, "agnes")
    assert access.action == "query.local"


@settings(max_examples=examples(40, 200), deadline=None)
@given(tool=_TOOLS | st.text(), tool_input=st.dictionaries(_KEYS, _JSON, max_size=4) | _JSON)
def test_any_input_gives_a_list(tool: str, tool_input: Mapping[str, object]) -> None:
    assert isinstance(_accesses(tool, tool_input), list)


@pytest.mark.parametrize("tool", [None, 3, ["Bash"]])
def test_a_tool_without_a_name_gives_nothing(tool: str) -> None:
    assert accesses_of(tool, {"command": "psql -c 'select 1'"}) == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (" id \n----\n  1\n(1 row)\n", 1),
        (" id \n----\n(12 rows)\n\n id\n(3 rows)\n", 15),
        ("└───┘\n   100 rows \n  (20 shown) \n", 100),
        ("│ 40 rows (20 shown)    3 columns │", 40),
        ("└───┘\n  0 rows\n", 0),
        ("  ? rows\n(>9999 rows, 20 shown)", None),
        ("+--+\n12 rows in set (0.00 sec)\n", 12),
        ("Empty set (0.01 sec)\n", 0),
        ("12 Row(s) produced. Time Elapsed: 0.1s", 12),
        ('{"columns": ["a"], "rows": [[1]], "row_count": 1204, "truncated": false}', 1204),
        ('{"rows_returned": 7}', 7),
        ("(truncated at 1000 rows)", 1000),
        ("Query OK, 3 rows affected", None),
        ("the table has 12 rows of seats", None),
        ("INSERT 0 5", None),
        ("", None),
        ("x\n" * 100_000 + "(5 rows)\n", 5),
        ("\n" * 100_000, None),
    ],
)
def test_rows_a_result_says_it_returned(text: str, rows: int | None) -> None:
    assert rows_in(text) == rows
    assert may_count_rows(json.dumps(text).encode()[-800:]) or rows is None


@pytest.mark.parametrize("text", ["12 rows", "1 Row", "rows: row 1 row", "a Row, 3 Row(s)"])
def test_a_number_before_rows_may_count_them(text: str) -> None:
    assert may_count_rows(json.dumps(f"{'arrow row Row ' * 20}{text}").encode())


@pytest.mark.parametrize("text", ["now in a row, as before", "12 words", "a Row (s)", ""])
def test_most_results_show_at_their_end_that_they_count_no_rows(text: str) -> None:
    assert not may_count_rows(json.dumps(text).encode())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'Exit code 1\nTraceback (most recent call last):\n  File "a.py", line 1\n    x\nValueError: bad\nmore',
            "ValueError: bad",
        ),
        ('Exit code 2\nrunning\nERROR:  relation "t" does not exist\nLINE 1: …', 'ERROR: relation "t" does not exist'),
        ("ERROR: step 1\nTraceback (most recent call last):\n  File\nKeyError: 'a'", "KeyError: 'a'"),
        ("ok\nCatalog Error: Table with name t does not exist!", "Catalog Error: Table with name t does not exist!"),
        ("psql: error: connection to server failed", "psql: error: connection to server failed"),
        ("Error: in prepare, no such table: t", "Error: in prepare, no such table: t"),
        ("<tool_use_error>File has not been read yet.</tool_use_error>", "File has not been read yet."),
        ("Exit code 127\nbash: agnes: command not found", "bash: agnes: command not found"),
        ("\x1b[31mfatal: not a git repository\x1b[0m", "fatal: not a git repository"),
        ("Exit code 1\nsomething odd\nelse", "something odd"),
        ("Exit code 1", "Exit code 1"),
        ("  \n\n", ""),
        ("Error: " + "x" * 1000, "Error: " + "x" * 293),
    ],
)
def test_the_line_that_tells_what_failed(text: str, line: str) -> None:
    assert error_line(text) == line


@pytest.mark.parametrize(
    "line",
    [
        *(
            "java.lang.OutOfMemoryException: x",
            "KeyError: 'a'",
            "error[E0382]: moved",
            "Error",
            "x ERROR: y",
            "FATAL y",
        ),
        *("fatal: y", "panic: y", "warning\x1b]0;title\x07 error: y", "x FATAL: y", "[ERROR] y", "2 error: y"),
        *("NO SUCH y", "Not Found", "table DOES not exist", "Permission denied", "ACCESS DENIED", "I cannot y"),
        *(
            "could not y",
            "was unable to y",
            "FAILED",
            "connection refuſed",
            "it timed out",
            "unrecogniZed",
            "Invalıd y",
        ),
    ],
)
def test_a_line_that_names_an_error_or_a_failure_is_told_wherever_it_is(line: str) -> None:
    told = line.replace("\x1b]0;title\x07", "")
    others = "Exit code 1\nall is well\nterrors and errands, a fatality\n"
    assert error_line(f"{others}{line}\nmore") == told
    assert error_line(f"{'x ' * 490}\n{line}") == told


def test_what_stands_far_behind_on_a_line_tells_nothing() -> None:
    far = "x " * 500
    assert error_line(f"{far}KeyError: 1\n{far}failed\nit failed") == "it failed"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "\x1b[1;31mred\x1b[0m",
            "\x1b]8;;http://x\x1b\\link\x1b]8;;\x07",
            "a\x1bb",
            "a\x1b[",
            "a\x1b[31",
            "\x1b]open",
        ),
        *("a\x00b\x7fc\x9bd", "a\tb", "\x1b\x1b[0mx", "\x1b[0\x1b[1mx"),
    ],
)
def test_codes_of_the_terminal_are_no_part_of_an_error(text: str) -> None:
    codes = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    assert error_line(text) == " ".join(re.sub(codes, "", text).split())


@settings(max_examples=examples(20, 100), deadline=None)
@given(st.text())
def test_any_result_text_is_read(text: str) -> None:
    rows = rows_in(text)
    assert rows is None or rows >= 0
    assert len(error_line(text)) <= 300
    assert error_line(text).isprintable() or not error_line(text).isascii()
