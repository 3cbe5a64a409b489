"""Which data a shell command touches: one row per command line."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.access import Access, accesses_of, bash, code
from agnes_stats.ingest.access.commands import ScriptBudget
from agnes_stats.ingest.access.shell import commands_in
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ingest.access_lines import FILES_AND_WEB, NOTHING, QUERIES


def _shown(access: Access) -> str:
    return " ".join(filter(None, (access.action, access.resource, access.statement)))


def _of(command: str) -> list[str]:
    return [_shown(access) for access in accesses_of("Bash", {"command": command})]


@pytest.mark.parametrize(("command", "expected"), [*QUERIES, *FILES_AND_WEB])
def test_command_touches_this_data(command: str, expected: list[str]) -> None:
    assert _of(command) == expected


@pytest.mark.parametrize("command", NOTHING)
def test_command_touches_no_data(command: str) -> None:
    assert _of(command) == []


def test_an_access_carries_command_sql_tables_and_dialect() -> None:
    command = "psql -c 'insert into b select * from a; update b set x = 1'"
    assert accesses_of("Bash", {"command": command}) == [
        Access(
            "query.local",
            "table:b, a",
            command=command,
            sql="insert into b select * from a; update b set x = 1",
            tables_read=("a",),
            tables_written=("b",),
            statement="insert",
            dialect="postgres",
        )
    ]


@pytest.mark.parametrize(
    ("command", "dialect"),
    [
        ("duckdb a.db 'from t'", "duckdb"),
        ("sqlite3 a.db 'select 1'", "sqlite"),
        ("psql -c 'select 1'", "postgres"),
        ("mysql -e 'select 1'", "mysql"),
        ("bq query 'select 1'", "bigquery"),
        ("snowsql -q 'select 1'", "snowflake"),
        ("clickhouse-client -q 'select 1'", "clickhouse"),
        ("trino --execute 'select 1'", "trino"),
        ("agnes query 'select 1'", "duckdb"),
    ],
)
def test_dialect_is_that_of_the_program(command: str, dialect: str) -> None:
    assert [access.dialect for access in accesses_of("Bash", {"command": command})] == [dialect]


def test_the_same_access_counts_once_per_call() -> None:
    assert _of("cat a; cat a; psql -c 'select 1'; psql -c 'select 1'") == ["file.read a", "query.local adhoc select"]


def test_texts_are_cut_and_huge_sql_is_not_parsed() -> None:
    values = ", ".join(f"({number})" for number in range(30_000))
    [access] = accesses_of("Bash", {"command": f"duckdb a.db <<'EOF'\ninsert into t values {values}\nEOF"})
    assert access.command is not None and access.sql is not None
    assert (len(access.command), len(access.sql)) == (4000, 4000)
    assert (access.statement, access.tables_written) == ("insert", ())


def test_sql_that_cannot_be_parsed_is_kept_as_text() -> None:
    [access] = accesses_of("Bash", {"command": "duckdb -c \"select * from {{ ref('x') }}\""})
    assert (access.sql, access.resource, access.statement) == ("select * from {{ ref('x') }}", "adhoc", "select")


@pytest.mark.parametrize(
    "script",
    [
        "a=$(" * 5000 + "psql",
        "psql -c '" + "(" * 3000 + "select 1" + ")" * 3000 + "'",
        "bash -c " * 2000 + "psql",
        "a=x; " + 'a="$a$a"; ' * 200 + 'psql -c "$a"',
        "psql " + "<<E\n" * 3000,
        "duckdb -c 'select * from a " + "join b " * 300 + "'",
        "cat " + "`" * 5001,
        "cat " + "a=(" * 5001,
        "python -c '" + "[" * 5000 + "execute(1)'",
        'psql -c "' + "\\" * 5001,
        "cat " + "$'\\" * 3000,
    ],
)
def test_a_pathological_script_is_read_without_harm(script: str) -> None:
    assert isinstance(accesses_of("Bash", {"command": script}), list)


def test_variables_cannot_blow_a_script_up() -> None:
    script = "a=" + "x" * 19_000 + "; cat " + "$a" * 2_000
    words = [word for command in commands_in(script, ScriptBudget()) for word in command.argv]
    assert sum(map(len, words)) < 250_000


@pytest.mark.parametrize("name", sorted(code._RUNNING))
def test_every_name_of_what_runs_sql_in_python_is_looked_for(name: str) -> None:
    assert code.sql_in_python(f"db.{name}('select a from t')") == ["select a from t"]
    # A letter of another width is the same letter to Python.
    assert code.sql_in_python(f"db.{name.replace('q', 'ｑ').replace('f', 'ｆ').replace('x', 'ｘ')}('select a from t')")


def test_a_python_program_without_such_a_name_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code.ast, "parse", lambda _: pytest.fail("parsed"))
    assert code.sql_in_python("import json; print(json.load(open('select.json'))['from'])") == []


def test_a_script_without_a_word_of_interest_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bash, "commands_in", lambda *_: pytest.fail("parsed"))
    assert accesses_of("Bash", {"command": "git status && npm test 2>&1 | less-js 2> /dev/null"}) == []


_PIECES = st.sampled_from(["", " ", "'", '"', "`", "$(", ")", "(", "|", "<<E", "\n", "&", ";", "{", "\\", "#", "\x00"])
_COMMANDS = st.sampled_from([*(command for command, _ in QUERIES + FILES_AND_WEB), *NOTHING])


@settings(max_examples=examples(80, 400), deadline=None)
@given(command=_COMMANDS, start=st.integers(0, 200), length=st.integers(0, 30), piece=_PIECES, again=st.integers(1, 20))
def test_a_damaged_command_is_read_without_harm(command: str, start: int, length: int, piece: str, again: int) -> None:
    damaged = command[:start] + piece + command[start + length :] * again
    assert isinstance(accesses_of("Bash", {"command": damaged}), list)
