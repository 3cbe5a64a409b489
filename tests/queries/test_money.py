"""Money adds up to the same number, to the last digit: in any order, in SQL and Python, in every answer."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import random
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agnes_stats.queries import money, sessions, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from hypothesis import given
from hypothesis import strategies as st

from tests.queries.random_sessions import FIRST_DAY, MODELS, random_sessions
from tests.storing import kept_open
from tests.transcripts import Transcript, store_of

AMOUNTS = st.one_of(
    st.none(),
    st.integers(-(10**15), 10**15).map(lambda units: units / 10**12),
    st.floats(0, 3000, allow_nan=False),
    st.floats(1e20, 1e300, allow_nan=False),
)
ASKED = (
    ("sessions", "--limit", "200"),
    ("activity", "--limit", "200"),
    ("tokens", "--since", str(FIRST_DAY)),
    ("breakdown",),
    ("delegations", "--limit", "200"),
    ("agents",),
    ("metrics",),
    ("queries", "--all", "--limit", "200"),
    ("search", "SELECT", "--limit", "200"),
    ("operator", "--since", "2026-03-01", "--until", "2026-03-31"),
    ("daily",),
    ("weekly",),
    ("monthly",),
    ("blocks",),
    ("models",),
)


@pytest.fixture(scope="module")
def asked() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@given(amounts=st.lists(AMOUNTS, max_size=6), order=st.randoms(use_true_random=False))
def test_sql_and_python_say_the_same_sum(
    asked: duckdb.DuckDBPyConnection, amounts: list[float | None], order: random.Random
) -> None:
    sql = f"SELECT {money.exact_sum('usd')} FROM (SELECT unnest(?::DOUBLE[]) AS usd)"
    told = asked.execute(sql, [amounts]).fetchall()[0][0]
    order.shuffle(amounts)
    ours = money.known_usd(amounts)
    beyond = any(amount is not None and amount >= 1e20 for amount in amounts)
    assert told == (pytest.approx(ours, rel=1e-12) if beyond else ours)
    if not beyond:
        assert asked.execute(sql, [amounts]).fetchall() == [(told,)]


def test_cents_add_up_to_what_they_look_like(asked: duckdb.DuckDBPyConnection) -> None:
    cents = [0.1, 0.2, 0.3]
    assert money.known_usd(cents) == 0.6 != sum(cents)
    assert money.known_usd([None, None]) is money.known_usd([]) is None
    # What SQL leaves out is left out of both of its sums.
    only = money.exact_sum("usd", "usd < 1e20")
    assert asked.execute(f"SELECT {only} FROM (SELECT unnest([0.1, 0.2, 1e30]) AS usd)").fetchall() == [(0.3,)]
    # Of many thousands of dollars a float does not tell all places: months add up to the year all the same.
    assert money.known_usd([20_000.1234567, 30_000.7654321, 9_007.000_000_1]) == 59_007.8888889
    assert money.usd_of(Decimal("59007.8888889")) == 59_007.8888889


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(tmp_path_factory.mktemp("money"), random_sessions(5))


def answers(store: Store, *options: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    with store.read():
        for command, *more in ASKED:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                words = [command, *more, "--store", str(store.path), "--no-ingest", "--json", *options]
                assert cli.main(words) == 0
            told[command] = json.loads(out.getvalue())
    return told


def costs_in(answer: Any, path: str = "") -> Iterator[tuple[str, float | None, int]]:
    """Every cost in an answer, with its path and the tokens that it is of; unknown tokens are left out."""
    if isinstance(answer, list):
        for number, each in enumerate(answer):
            yield from costs_in(each, f"{path}[{number}]")
    if isinstance(answer, dict):
        tokens = answer.get("tokens")
        sums = tokens if isinstance(tokens, dict) else answer
        found = [sums[name] for name in ("total", "total_tokens", "tokens_total", "totalTokens") if name in sums]
        names = [name for name in ("cost_usd", "totalCost", "costUSD") if name in answer]
        if found and names:
            yield f"{path}.{names[0]}", answer[names[0]], found[0]
        for name, value in answer.items():
            yield from costs_in(value, f"{path}.{name}")


def test_no_tokens_cost_nothing_and_null_is_what_has_no_price(store: Store, tmp_path: Path) -> None:
    """The same rule in every answer, whether it is of a store without sessions, an empty day or a prompt alone."""
    empty = store_of(tmp_path / "empty", [Transcript("s-quiet", "2026-03-10T08:00:00").prompt("Anybody there?")])
    nothing = [found for told in answers(empty).values() for found in costs_in(told)]
    assert len(nothing) > 9
    assert {(cost, tokens) for _, cost, tokens in nothing} == {(0.0, 0)}
    unpriced = Transcript("s-new", "2026-03-10T08:00:00", model="acme/coder-large-2").prompt("Hi").response()
    later = Transcript("s-later", "2026-03-12T08:00:00", model="acme/coder-large-2").prompt("Hi").response()
    unknown = [
        found
        for told in answers(store_of(tmp_path / "unknown", [unpriced, later])).values()
        for found in costs_in(told)
    ]
    assert not [path for path, cost, tokens in unknown if cost != (None if tokens else 0.0)]
    mixed = [found for told in answers(store).values() for found in costs_in(told)]
    assert {tokens > 0 for _, _, tokens in mixed} == {True, False}
    assert not [path for path, cost, tokens in mixed if not tokens and cost != 0.0]


def shuffled(store: Store, folder: Path, seed: int) -> Store:
    """A copy of a store, the rows of each table in another order."""
    other = Store(Path(shutil.copy(store.path, folder / "store.duckdb")))
    with kept_open(other), other.write() as connection:
        tables = connection.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
        for (table,) in tables:
            connection.execute(f"CREATE TEMP TABLE mixed AS FROM {table} ORDER BY hash(rowid + {seed})")
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} FROM mixed")
            connection.execute("DROP TABLE mixed")
    return other


@pytest.mark.parametrize(
    ("zone", "seed"),
    [
        ("UTC", 1),
        pytest.param("Asia/Kolkata", 2, marks=pytest.mark.long),
        pytest.param("UTC", 3, marks=pytest.mark.long),
    ],
)
def test_the_order_of_rows_changes_no_answer(store: Store, tmp_path: Path, zone: str, seed: int) -> None:
    """In UTC sums are stored, in the other zone they are made of the responses."""
    before, after = (answers(one, "--tz", zone) for one in (store, shuffled(store, tmp_path, seed)))
    assert not [command for command in before if after[command] != before[command]]


def test_all_days_are_all_that_have_tokens(store: Store) -> None:
    def told(*options: str) -> dict[str, Any]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert cli.main(["tokens", "--store", str(store.path), "--no-ingest", "--json", *options]) == 0
        answer: dict[str, Any] = json.loads(out.getvalue())
        assert answer["days"] == len(answer["daily"])
        return answer

    every = told("--range", "all days", "--tz", "UTC")
    with store.read() as connection:
        known = tokens.by_day(connection, Filter(zone="UTC"))
    assert every["daily"][0]["day"] == str(known[0].day)
    assert every["daily"][-1]["day"] == str(known[-1].day)
    assert money.known_usd(row["cost_usd"] for row in every["daily"]) == money.known_usd(row.cost_usd for row in known)
    # Whoever asks for a number of them, too, gets these, and without a word thirty.
    assert [told("--range", "all days", "--days", "3")["days"], told()["days"]] == [3, 30]


def test_every_answer_says_the_same_sum(store: Store) -> None:
    told = answers(store, "--tz", "UTC")
    whole = told["tokens"]["totals"]["cost_usd"]
    assert whole
    with store.read() as connection:
        chosen = Filter(zone="UTC")
        listed = sessions.list_sessions(
            connection, chosen, now=dt.datetime(2026, 3, 12, 18, 0), order="cost_usd", descending=True, limit=5
        )
        assert listed.totals.cost_usd == whole
        days = tokens.by_day(connection, chosen)
        without_day = [row.cost_usd for row in tokens.by_group(connection, chosen, "model")]
    assert money.known_usd(without_day) == whole
    assert told["models"]["totals"]["totalCost"] == told["breakdown"]["totals"]["cost_usd"] == whole
    of_days = money.known_usd(row.cost_usd for row in days)
    assert {told[command]["totals"]["totalCost"] for command in ("daily", "weekly", "monthly")} == {of_days}
    assert money.known_usd(row["costUSD"] for row in told["blocks"]["blocks"] if not row["isGap"]) == of_days
    assert money.known_usd(row["cost_usd"] for row in told["sessions"]["rows"]) == whole
    rows = [*told["activity"]["rows"], told["activity"]["rest"]]
    assert money.known_usd(row["cost_usd"] for row in rows) == whole
    assert money.known_usd(row["cost_usd"] for row in told["agents"]["rows"]) == whole
    assert {row["name"] for row in told["breakdown"]["by_model"]} <= {*MODELS, "(unknown)"}
