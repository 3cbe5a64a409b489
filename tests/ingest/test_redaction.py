"""What was stored before a rule was known is read once more, everywhere, and is gone from the disk."""

import hashlib
from pathlib import Path

import pytest
from agnes_stats.ingest import redact, redaction, upkeep
from agnes_stats.ingest.prices import PriceOverrides
from agnes_stats.ingest.redaction_version import VERSION
from agnes_stats.ingest.text import TEXTS
from agnes_stats.ingest.watermarks import is_stale
from agnes_stats.queries.schema import columns_of
from agnes_stats.queries.store import Store

from tests.transcripts import Transcript, store_of

SECRET = "hunter2Zq9XsecretTail"
ZONES = ("UTC",)


def renewed(store: Store) -> None:
    with store.write() as connection:
        assert is_stale(connection, ZONES, PriceOverrides())
        upkeep.refresh(store, connection, ZONES, PriceOverrides())
        assert not is_stale(connection, ZONES, PriceOverrides())


def bytes_of(store: Store) -> bytes:
    return store.path.read_bytes() + (store.log_path.read_bytes() if store.log_path.exists() else b"")


def test_every_column_of_texts_is_read_and_the_rest_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    with store.write() as connection:
        for table, columns in TEXTS.items():
            for column in columns:
                kind = columns_of(table)[column]
                texts = ["password_resets", *(f"{number} password={SECRET}{number}" for number in range(3))] * 2
                values = [[text] for text in texts] if kind.endswith("[]") else texts
                connection.execute(f'INSERT INTO {table} ("{column}") SELECT unnest(?::{kind}[])', [values])
        # A response without a model is none.
        connection.execute("UPDATE responses SET model = 'opus' WHERE model IS NULL")
        connection.execute("INSERT INTO files (state) VALUES (?)", [f'{{"branch":"password={SECRET}","last_ts":5}}'])
    assert SECRET.encode() in bytes_of(store)
    renewed(store)
    with store.read() as connection:
        states = connection.execute("SELECT state FROM files WHERE state IS NOT NULL").fetchall()
        assert states == [('{"branch":"password=***","last_ts":5}',)]
        for table, columns in TEXTS.items():
            for column in columns:
                rows = connection.execute(f'SELECT "{column}" FROM {table} WHERE "{column}" IS NOT NULL').fetchall()
                texts = sorted(value[0] if isinstance(value, list) else value for (value,) in rows if value != "opus")
                expected = ["password_resets", *(f"{number} password=***" for number in range(3))] * 2
                assert texts == sorted(expected), f"{table}.{column}"
    assert SECRET.encode() not in bytes_of(store)


def test_titles_and_totals_follow(tmp_path: Path) -> None:
    session = Transcript("s", "2026-03-10T12:00:00").prompt("Go").response(tokens=(0, 1_000, 0, 0))
    store = store_of(tmp_path, [session], zones=ZONES)
    with store.write() as connection:
        connection.execute("UPDATE prompts SET text = ?", [f"use password={SECRET}"])
        connection.execute("UPDATE responses SET model = ?", [f"sk-proj-{SECRET}"])
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'redactor'")
    renewed(store)
    with store.read() as connection:
        assert connection.execute("SELECT title, primary_model FROM sessions").fetchall() == [
            ("use password=***", "***")
        ]
        assert connection.execute("SELECT model, output_tokens FROM tokens_daily").fetchall() == [("***", 1_000)]
        assert ("***",) in connection.execute("SELECT model FROM models").fetchall()


def test_it_is_done_once_and_again_after_a_change_of_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store.duckdb")
    renewed(store)
    with store.write() as connection:
        connection.execute("INSERT INTO prompts (text) VALUES ('password=hunter2')")
        upkeep.refresh(store, connection, ZONES, PriceOverrides())
        assert connection.execute("SELECT text FROM prompts").fetchall() == [("password=hunter2",)]
    monkeypatch.setattr("agnes_stats.ingest.redaction_version.VERSION", VERSION + 1)
    monkeypatch.setattr(redaction, "VERSION", VERSION + 1)
    renewed(store)
    with store.read() as connection:
        assert connection.execute("SELECT text FROM prompts").fetchall() == [("password=***",)]


def test_what_was_blotted_out_is_wiped_later_if_it_could_not_be_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    with store.write() as connection:
        rows = [f"{number} password={SECRET}" for number in range(1_000)]
        connection.execute("INSERT INTO prompts (text) SELECT unnest(?)", [rows])
    with store.write() as connection:
        connection.execute("BEGIN")
        redaction.read_again(connection)
        connection.execute("COMMIT")
        assert is_stale(connection, (), PriceOverrides())
    renewed(store)
    assert SECRET.encode() not in bytes_of(store)


RULES = "3 85ef196193ef8426"


def test_a_change_of_rules_raises_the_version() -> None:
    """If only words changed, write the new sum above; if a rule did, raise `VERSION` as well."""
    folder = Path(redact.__file__).parent
    lines = [line.strip() for path in sorted(folder.glob("*.py")) for line in path.read_text("utf-8").splitlines()]
    code = "\n".join(line for line in lines if line and not line.startswith("#"))
    assert f"{VERSION} {hashlib.sha256(code.encode()).hexdigest()[:16]}" == RULES


def test_a_store_without_rows_is_told_what_one_is_told_of_which_each_row_is_asked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(name: str) -> list[list[tuple[object, ...]]]:
        store = Store(tmp_path / name)
        overrides = PriceOverrides(windows={"a-model": 1000})
        with store.write() as connection:
            upkeep.refresh(store, connection, ["UTC", "Europe/Berlin", "UTC"], overrides)
            assert not is_stale(connection, ["UTC", "Europe/Berlin"], overrides)
            questions = ("FROM meta ORDER BY ALL", "SELECT zone FROM zones ORDER BY ALL", "FROM context_windows")
            return [connection.rows(question) for question in questions]

    soon = told("new.duckdb")
    monkeypatch.setattr(upkeep, "_is_new", lambda _: False)

    assert soon == told("asked.duckdb")


def test_a_store_of_which_nobody_knows_who_redacted_it_is_redacted_though_it_has_but_one_row(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    with store.write() as connection:
        connection.execute("INSERT INTO summaries (leaf_uuid, summary) VALUES ('u1', 'password=hunter2abc')")
        upkeep.refresh(store, connection, ["UTC"], PriceOverrides())

        assert connection.rows("SELECT summary FROM summaries") == [("password=***",)]
