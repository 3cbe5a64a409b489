"""What is told of the plainest SQL without its parser is what the parser tells of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlglot
from agnes_stats.ingest.access.plain_sql import Statement, plain_statement
from agnes_stats.ingest.access.sql import parsed
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

DIALECTS = (
    *(None, "bigquery", "clickhouse", "databricks", "duckdb", "mysql", "postgres", "redshift", "snowflake", "sqlite"),
    *("trino", "tsql"),
)

PLAIN = [
    ("select 1", (), (), "select"),
    ("SELECT count(*) FROM orders", ("orders",), (), "select"),
    ("select count(distinct o.id), max(o.at) as at from shop.orders o;", ("shop.orders",), (), "select"),
    ("SELECT *\nFROM a, b AS c\nWHERE c.x = 'it is; so' AND a.y IS NOT NULL", ("a", "b"), (), "select"),
    ("select x from a inner join b on a.i = b.i left outer join c on b.i = c.i", ("a", "b", "c"), (), "select"),
    ("select x, sum(y) s from t group by x having sum(y) > 1.5 order by s desc limit 5 offset 2", ("t",), (), "select"),
    ("select x from t where x not in (1, 2) or y between 1 and 2 and z like '%a'", ("t",), (), "select"),
    ("select x from t join t u on t.a = u.b", ("t",), (), "select"),
    ("select left(o.id, 20) n, right(b, 2) from o join u on left(u.a, 1) = 'x'", ("o", "u"), (), "select"),
    ("select round(avg(o.price), 2), coalesce(sum(x), 0), nullif(a, '') from o", ("o",), (), "select"),
    ("DELETE FROM shop.orders WHERE id = 3", (), ("shop.orders",), "delete"),
]

NOT_PLAIN = [
    *(
        "select a from (select b from t)",
        "with t as (select 1) select a from t",
        "select a from t union select b from u",
    ),
    *("select a from t where b in (select c from u)", "select extract(year from at) from t", "select cast(a as int)"),
    *("select a from t; select b from u", "select a -- from t", "select a from t where b = 'it''s'", "select a from"),
    *("select a from t # from u", "select a from t /* u */", "select a b c from t", "select a from t where b == 1"),
    *("insert into t values (1)", "select a from read_csv('x.csv')", "select * from 'x.csv'", "select a from t as all"),
    *("select * from t, unnest(a) u", "select * from a b, b.c", "select $a from t", "select a from `t`", "from t", ""),
    *("select a from t where b = N'x'", "select a from t where b = 1e5", "select a.b.c.d from t", "select é from t"),
    *("select a from t limit all", "select a from t where b = 'x\\'", "select min(a, b) from t", "drop table t"),
    *("select left(a) from t", "select round(a, 1, 2) from t", "select full(a, 1) from t", "select nullif(a) from t"),
    *("select a from t left (u, 1)", "select upper(lower(trim(a))) from t", "select left(a, 1) left(b, 1) from t"),
    *("select a from t where b in", "select a from t where b in ()", "select a from t limit count(*)", "a from t"),
    *("select a from t where b = 1 where c = 2", "select a from t where b = 1 and", "select a, from t", "select , a"),
    *(
        "delete from t where b = 1 limit 5",
        "delete from t, u",
        "delete from t u where b = 1",
        "delete t",
        "select a b, c d e",
    ),
]


@pytest.mark.parametrize(("text", "read", "written", "kind"), PLAIN)
def test_a_plain_statement_is_told_in_every_dialect_as_the_parser_tells_it(
    text: str, read: tuple[str, ...], written: tuple[str, ...], kind: str
) -> None:
    for dialect in DIALECTS:
        assert plain_statement(text, dialect) == Statement(read + written, read, written, kind)
        assert parsed(text, dialect) == Statement(read + written, read, written, kind)


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_any_other_is_left_to_the_parser(text: str) -> None:
    assert plain_statement(text, None) is None


def test_what_stands_in_double_quotes_is_a_name_where_it_is_one() -> None:
    text = 'select u."userId" from "Users" u'
    assert (
        plain_statement(text, "postgres") == parsed(text, "postgres") == Statement(("Users",), ("Users",), (), "select")
    )
    assert plain_statement(text, "mysql") is None


_EVERYWHERE = (
    "select {w}, t.{w}, {w}.a, count({w}), a {w}, {w}.* from {w}.t {w} join t.{w} b on {w}.a = {w}, {w} c "
    "where {w} = 1 and 1 = {w} and {w} is null and {w} in ({w}) group by a, {w} order by {w} desc limit 1",
    "select {w} from {w} where {w} between {w} and {w} order by {w}",
    "delete from {w} where {w} like 'x'",
)


def test_a_word_with_a_meaning_in_some_dialect_is_no_name_or_one_for_the_parser_too() -> None:
    keywords = {word for name in ("", "mysql", "clickhouse") for word in sqlglot.Dialect[name].tokenizer_class.KEYWORDS}
    words = sorted(word.lower() for word in keywords if word.isidentifier())
    assert len(words) > 300
    for number, word in enumerate(words):
        text, dialect = _EVERYWHERE[number % 3].format(w=word), DIALECTS[number % len(DIALECTS)]
        told = plain_statement(text, dialect)
        assert told is None or told == parsed(text, dialect), text


_NAMES = st.sampled_from(
    ("a", "t", "Orders", "user_id", "x1", "date", "name", "left", "round", "count", "values", "year", '"Q"')
)
_COLUMNS = st.one_of(_NAMES, st.builds("{}.{}".format, _NAMES, _NAMES))
_VALUES = st.one_of(
    _COLUMNS,
    st.sampled_from(("1", "2.50", "'x'", "'a, b from c'", "count(*)", "count( distinct a )", "sum(a.b)", "lower('X')")),
    st.sampled_from(
        ("left(t.a, 3)", "RIGHT ('x', 1)", "round(avg(a), 2)", "round(t.a)", "coalesce(max(b), 0)", "nullif(a, b)")
    ),
)
_SUMS = st.one_of(_VALUES, st.builds("{} {} {}".format, _VALUES, st.sampled_from("+-*/"), _VALUES))
_TESTS = st.one_of(
    st.builds("{} {} {}".format, _SUMS, st.sampled_from(("=", "<>", "!=", "<", ">=")), _SUMS),
    st.builds("{} is not null".format, _SUMS),
    st.builds("{} not like 'x%'".format, _SUMS),
    st.builds("{} in ({}, {})".format, _SUMS, _VALUES, _VALUES),
    st.builds("{} BETWEEN {} AND {}".format, _VALUES, _VALUES, _VALUES),
)
_WHERE = st.builds("{} and {} or {}".format, _TESTS, _TESTS, _TESTS)
_TABLES = st.one_of(
    _COLUMNS, st.builds("{} {}".format, _COLUMNS, _NAMES), st.builds("{} as {}".format, _COLUMNS, _NAMES)
)
_SHOWN = st.one_of(_SUMS, st.sampled_from(("*", "t.*")), st.builds("{} AS {}".format, _SUMS, _NAMES))
_FROM = st.one_of(
    _TABLES,
    st.builds("{}, {}".format, _TABLES, _TABLES),
    st.builds("{} left join\n {} on {}".format, _TABLES, _TABLES, _TESTS),
    st.builds("{} join {} on {} and {}".format, _TABLES, _TABLES, _TESTS, _TESTS),
)
_ENDS = st.lists(
    st.sampled_from(
        ("group  by a", "having count(*) > 1", "order by a, b desc", "limit 5", "offset 2", "where a = 1", ";")
    ),
    max_size=4,
).map(" ".join)
_STATEMENTS = st.one_of(
    st.builds("select {}, {} from {} where {} {}".format, _SHOWN, _SHOWN, _FROM, _WHERE, _ENDS),
    st.builds("SELECT {} FROM {} {}".format, _SHOWN, _FROM, _ENDS),
    st.builds("delete from {} where {} {}".format, _TABLES, _WHERE, _ENDS),
)


@given(_STATEMENTS, st.sampled_from(DIALECTS))
@settings(max_examples=examples(60, 3000))
def test_whatever_is_told_is_what_the_parser_tells(text: str, dialect: str | None) -> None:
    told = plain_statement(text, dialect)
    assert told is None or told == parsed(text, dialect)


def test_a_plain_statement_does_not_import_the_parser() -> None:
    program = (
        "import sys; from agnes_stats.ingest.access import accesses_of; "
        "found = accesses_of('Bash', {'command': 'psql -c \"select a from t\"'}); "
        "print(found[0].resource, 'sqlglot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["table:t", "False"]
