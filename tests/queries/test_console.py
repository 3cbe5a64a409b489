"""The SQL console reads the store's tables and nothing else."""

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.queries import console
from agnes_stats.queries.console import PARAMETERS, Refused
from agnes_stats.queries.console_examples import EXAMPLES
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store, StoreError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("store") / "s.duckdb"
    with Store(found).write() as connection:
        connection.execute(
            "INSERT INTO tokens_daily BY NAME SELECT 'UTC' AS zone, day, 'shop' AS project, 'opus' AS model, "
            "10 AS output_tokens FROM (VALUES (DATE '2026-11-20'), (DATE '2026-11-21')) v(day)"
        )
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM tokens_daily",
        "select 1;",
        "-- a comment\nFROM tokens_daily LIMIT 1 -- ;",
        "WITH days AS (SELECT DISTINCT day FROM tokens_daily) SELECT count(*) FROM days",
        "SELECT 'read_csv(''/etc/passwd'')' AS harmless",
        'SELECT output_tokens AS "read_count" FROM tokens_daily',
        "SELECT * FROM range(3)",
        "SELECT unnest([1, 2])",
        "DESCRIBE tokens_daily",
        "SELECT * FROM Main.Tokens_Daily",
        "VALUES (1), (2)",
    ],
)
def test_what_reads_the_store_is_answered(path: Path, sql: str) -> None:
    assert console.ask(path, sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_csv_auto('/etc/passwd')",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT * FROM read_json('x.json')",
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_scan('x')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM tokens_daily, '/etc/passwd'",
        "SELECT * FROM tokens_daily JOIN 'x.csv' ON true",
        "SELECT * FROM /* hidden */ 'x.csv'",
        "SELECT 1 WHERE 'a' IN (FROM glob('*'))",
        "SELECT (SELECT max(content) FROM read_text('/etc/passwd'))",
        "FROM query('SELECT * FROM read_csv(''x'')')",
        "FROM query_table('tokens_daily')",
        "SELECT current_setting('home_directory')",
        "COPY tokens_daily TO '/tmp/out.csv'",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "EXPORT DATABASE '/tmp/out'",
        "ATTACH '/tmp/other.duckdb' AS other",
        "DETACH s",
        "USE main",
        "PRAGMA database_list",
        "PRAGMA enable_external_access=true",
        "SET enable_external_access = true",
        "RESET memory_limit",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL pragma_version()",
        "CREATE TABLE mine AS SELECT 1",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "INSERT INTO meta VALUES ('a', 'b')",
        "UPDATE meta SET value = 'x'",
        "DELETE FROM tokens_daily",
        "DROP TABLE tokens_daily",
        "CHECKPOINT",
        "SELECT 1; DROP TABLE tokens_daily",
        "SELECT 1; SELECT 2",
        "EXPLAIN ANALYZE DELETE FROM meta",
        "SHOW ALL TABLES",
        "selec 1",
        "SELECT '\ud800'",
        "",
    ],
)
def test_everything_else_is_refused_before_it_runs(path: Path, sql: str) -> None:
    before = path.read_bytes()
    with pytest.raises(Refused):
        console.ask(path, sql)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("SET threads = 1", "locked"),
        ("DELETE FROM tokens_daily", "read-only"),
    ],
)
def test_the_connection_itself_refuses_too(path: Path, sql: str, why: str) -> None:
    with Store(path).read(confined=True) as connection, pytest.raises(StoreError, match=why):
        connection.execute(sql)


def test_a_long_answer_is_cut_and_says_so(path: Path) -> None:
    answer = console.ask(path, "SELECT * FROM range(10001)")
    assert (len(answer.rows), answer.truncated) == (10_000, True)
    answer = console.ask(path, "SELECT * FROM range(10000)")
    assert (len(answer.rows), answer.truncated) == (10_000, False)


def test_texts_are_cut_before_they_fill_the_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "MAX_CHARACTERS", 1000)
    answer = console.ask(path, "SELECT repeat('x', 300) FROM range(10)")
    assert (len(answer.rows), answer.truncated) == (3, True)


def test_instants_are_told_in_utc_and_keep_their_order_and_type(path: Path) -> None:
    at = "TIMESTAMPTZ '2026-11-20 10:00:00+02' + to_hours(-i)"
    sql = f'SELECT {at} AS t, i AS "a""b" FROM range(3) r(i) ORDER BY t -- x'
    answer = console.ask(path, sql)
    assert answer.types == ["TIMESTAMP WITH TIME ZONE", "BIGINT"]
    assert answer.columns == ["t", 'a"b']
    assert answer.rows == [(dt.datetime(2026, 11, 20, hour), 8 - hour) for hour in (6, 7, 8)]


def test_what_does_not_fit_into_memory_is_not_written_to_the_disk(path: Path) -> None:
    with Store(path).read(confined=True) as connection:
        assert connection.execute("SELECT current_setting('temp_directory')").fetchone() == ("",)
    with pytest.raises(StoreError, match="Out of Memory"):
        console.ask(path, "SELECT * FROM range(4000000) t(a) ORDER BY hash(a), a::VARCHAR || repeat('x', 500)")
    assert not [file for file in path.parent.rglob("*") if not file.name.startswith(path.name)]


def test_an_empty_answer_keeps_its_columns(path: Path) -> None:
    answer = console.ask(path, "SELECT day, output_tokens FROM tokens_daily WHERE false")
    assert (answer.columns, answer.rows) == (["day", "output_tokens"], [])


def test_filters_stand_where_the_placeholder_stood(path: Path) -> None:
    chosen = Filter(since=dt.date(2026, 11, 21), project="shop")
    sql = "SELECT count(*) FROM tokens_daily WHERE {{ Filters }} AND model = 'opus'"
    assert console.ask(path, sql, chosen=chosen).rows == [(1,)]
    assert console.ask(path, sql).rows == [(2,)]


def test_filters_that_only_the_facts_know_take_the_sessions(path: Path) -> None:
    for chosen in (Filter(branch="o'hara"), Filter(version="2.1"), Filter(text="shop's")):
        assert console.ask(path, "SELECT count(*) FROM tokens_daily WHERE {{filters}}", chosen=chosen).rows == [(0,)]


def test_a_hostile_filter_stays_a_text(path: Path) -> None:
    chosen = Filter(project="x') OR 1=1; DROP TABLE tokens_daily; --")
    assert console.ask(path, "SELECT count(*) FROM tokens_daily WHERE {{filters}}", chosen=chosen).rows == [(0,)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_answered_under_any_filter(path: Path, name: str) -> None:
    chosen = Filter(
        since=dt.date(2026, 11, 1), project="shop", model="opus", subagent_type="main", text="a", branch="b"
    )
    for filtered in (Filter(), chosen):
        assert console.ask(path, EXAMPLES[name], chosen=filtered).columns


def test_a_broken_question_is_told_in_duckdbs_words(path: Path) -> None:
    with pytest.raises(StoreError, match="nonsense"):
        console.ask(path, "SELECT nonsense FROM tokens_daily")


DAYS = "SELECT count(*) FROM tokens_daily WHERE day BETWEEN $since AND $until"
TIMES = "SELECT count(*) FROM tokens_daily WHERE day + INTERVAL 12 HOUR >= $start AND day + INTERVAL 12 HOUR < $stop"


@pytest.mark.parametrize("sql", [DAYS, TIMES])
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), 2),
        (Filter(since=dt.date(2026, 11, 21)), 1),
        (Filter(until=dt.date(2026, 11, 20)), 1),
        (Filter(since=dt.date(2026, 11, 20), until=dt.date(2026, 11, 21), zone="Asia/Tokyo"), 2),
    ],
)
def test_days_and_times_of_the_filters_have_names(path: Path, sql: str, chosen: Filter, expected: int) -> None:
    assert console.ask(path, sql, chosen=chosen).rows == [(expected,)]


def test_every_name_that_is_documented_can_be_asked_for_in_any_case(path: Path) -> None:
    chosen = Filter(
        zone="Asia/Tokyo",
        since=dt.date(2026, 11, 1),
        until=dt.date(2026, 11, 2),
        project="/a's",
        model="m",
        agent="claude-code",
        machine="box",
        user="u",
        branch="b",
        version="1",
        session_id="s",
        subagent_type="Explore",
        text="$since",
    )
    sql = "SELECT " + ", ".join(f"${name.upper()}" for name in PARAMETERS)
    assert console.ask(path, sql, chosen=chosen).rows == [
        (
            *(dt.date(2026, 11, 1), dt.date(2026, 11, 2), dt.datetime(2026, 10, 31, 15), dt.datetime(2026, 11, 2, 15)),
            *("Asia/Tokyo", "/a's", "m", "claude-code", "box", "u", "b", "1", "s", "Explore", "$since"),
        )
    ]
    named = [name for name in PARAMETERS if name not in ("since", "until", "start", "stop", "zone")]
    sql = "SELECT " + ", ".join(f"${name}" for name in named)
    assert console.ask(path, sql).rows == [(None,) * len(named)]


def test_a_name_that_means_nothing_is_told_with_those_that_do(path: Path) -> None:
    with pytest.raises(Refused, match=r"there is no \$sinse; there are: \$since, \$until"):
        console.ask(path, "SELECT count(*) FROM tokens_daily WHERE day >= $sinse")
    with pytest.raises(Refused, match=r"there is no \$1"):
        console.ask(path, "SELECT ?::INTEGER")
    assert console.ask(path, "SELECT '$sinse' AS t").rows == [("$sinse",)]
