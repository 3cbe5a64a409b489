"""Statements that are asked again and again are parsed once."""

import datetime as dt
from pathlib import Path

import pytest
from _duckdb import connect
from agnes_stats.queries.store import QueryFailed, Store, parsed
from agnes_stats.queries.store.parsed import Parsed


def test_a_statement_is_kept_from_its_second_time_on() -> None:
    kept = Parsed()
    with connect() as connection, connect() as another:
        assert kept.of("SELECT typeof($x), $x", connection) == "SELECT typeof($x), $x"
        again = kept.of("SELECT typeof($x), $x", connection)
        assert not isinstance(again, str)
        assert kept.of("SELECT typeof($x), $x", another) is again
        for asked in (connection, another):
            assert [asked.execute(again, {"x": x}).fetchall() for x in (1, dt.timedelta(), None)] == [
                connection.execute("SELECT typeof($x), $x", {"x": x}).fetchall() for x in (1, dt.timedelta(), None)
            ]


def test_only_the_latest_are_kept() -> None:
    kept = Parsed(most_characters=3 * len("SELECT 1"))
    with connect() as connection:

        def is_kept(number: int) -> bool:
            return not isinstance(kept.of(f"SELECT {number}", connection), str)

        for number in range(3):
            assert [is_kept(number), is_kept(number)] == [False, True]
        assert is_kept(0)
        assert [is_kept(3), is_kept(3)] == [False, True]
        # The second one was the oldest.
        assert [is_kept(number) for number in (0, 1, 2)] == [True, False, True]
        kept.of(long := f"SELECT '{'x' * 30}'", connection)
        assert [is_kept(0), isinstance(kept.of(long, connection), str)] == [True, False]
        assert is_kept(0)


def test_what_is_no_statement_fails_each_time_in_the_same_words(tmp_path: Path) -> None:
    with Store(tmp_path / "s.duckdb").read() as reader:
        words = []
        for _ in range(3):
            with pytest.raises(QueryFailed) as raised:
                reader.execute("SELECT wrong FROM")
            words.append(str(raised.value))
        assert len(set(words)) == 1


def test_a_statement_kept_for_a_store_follows_what_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agnes_stats.queries.store.reader.PARSED", Parsed())
    first, second = Store(tmp_path / "a.duckdb"), Store(tmp_path / "b.duckdb")
    asked = "SELECT count(*) AS found, max(name) FROM meta WHERE name <> 'store_version' AND name LIKE ?"
    for store in (first, second) * 2:
        with store.write() as writer, writer.transaction():
            writer.execute("INSERT INTO meta VALUES (?, '1')", [store.path.name])
        with store.read() as reader:
            told = reader.execute(asked, [f"{store.path.stem}%"])
            assert told.columns[0] == "found"
            [(count, name)] = told.fetchall()
            assert name == store.path.name
    assert count == 2


def test_several_statements_in_one_text_are_run_as_they_are() -> None:
    kept = parsed.Parsed()
    with connect() as connection:
        for _ in range(3):
            assert kept.of("SELECT 1; SELECT 2", connection) == "SELECT 1; SELECT 2"
