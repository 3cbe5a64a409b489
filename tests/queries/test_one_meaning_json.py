"""One meaning of a filter, on the command line: every number of every `--json` answer, asked of the facts naively."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.tui import cli
from agnes_stats.tui.commands import home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.queries.naive import Facts, Naive, Sums, sums
from tests.queries.random_sessions import BRANCHES, DAYS, FIRST_DAY, MODELS, PROJECTS, VERSIONS, random_sessions
from tests.transcripts import store_of

NOW = dt.datetime(2026, 3, 12, 18, 0)

days = st.none() | st.sampled_from([FIRST_DAY + dt.timedelta(days=number) for number in range(-1, DAYS + 1)])
options: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "tz": st.sampled_from(["UTC", "Asia/Kolkata"]),
        "since": days,
        "until": days,
        "project": st.none() | st.none() | st.sampled_from([*PROJECTS, "shop"]),
        "model": st.none() | st.sampled_from(MODELS),
        "branch": st.none() | st.none() | st.sampled_from([branch for branch in BRANCHES if branch]),
        "agent-version": st.none() | st.none() | st.sampled_from(VERSIONS),
    }
).filter(lambda given: not given["since"] or not given["until"] or given["since"] <= given["until"])


class World:
    """A store with its facts, asked by commands."""

    def __init__(self, path: Path, facts: Facts) -> None:
        self.path = path
        self.facts = facts
        self.copy = Path(shutil.copy(path, path.with_name("copy.duckdb")))
        """One's own SQL is asked in a process that is cut off: nobody else may have the store open."""

    def answer(self, command: str, given: dict[str, Any], *more: str) -> Any:
        named = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            path = self.copy if command == "sql" else self.path
            words = [command, *more, "--store", str(path), "--no-ingest", "--json", *named]
            assert cli.main(words) == 0
        return json.loads(out.getvalue())


@pytest.fixture(scope="module", params=[11, pytest.param(12, marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    store = store_of(tmp_path_factory.mktemp("random"), random_sessions(request.param))
    # Each command would open the file anew.
    with store.read() as connection:
        yield World(store.path, Facts(connection))


def naive_of(world: World, given: dict[str, Any]) -> Naive:
    fields = {"tz": "zone", "agent-version": "version"}
    return Naive(world.facts, Filter(**{fields.get(name, name): value for name, value in given.items()}))


def same(told: dict[str, Any], expected: Sums, what: object = None) -> None:
    """Sums in the names of the Agnes server."""
    assert told["responses"] == expected.responses, what
    kinds = ("input", "output", "cache_read", "cache_creation_5m", "cache_creation_1h")
    assert [told[kind] for kind in kinds] == list(expected.tokens.values()), what
    assert told["total"] == expected.total, what
    # No tokens cost nothing; what has no price costs nobody knows what.
    nothing = None if expected.total else 0.0
    assert told["cost_usd"] == (nothing if expected.cost is None else pytest.approx(expected.cost)), what
    assert told["unpriced_tokens"] == expected.unpriced, what
    assert told["output_undercounted"] == (expected.undercounted > 0), what


def same_as_ccusage(told: dict[str, Any], expected: Sums, what: object = None) -> None:
    """Sums in ccusage's names."""
    tokens = expected.tokens
    assert told["inputTokens"] == tokens["input_tokens"], what
    assert told["outputTokens"] == tokens["output_tokens"], what
    assert told["cacheReadTokens"] == tokens["cache_read_tokens"], what
    assert told["cacheCreationTokens"] == tokens["cache_write_5m_tokens"] + tokens["cache_write_1h_tokens"], what
    assert told["totalTokens"] == expected.total, what
    assert (told["totalCost"] or 0) == pytest.approx(expected.cost or 0), what
    assert told["unpricedTokens"] == expected.unpriced, what
    assert told["outputUndercounted"] == (expected.undercounted > 0), what


Test = Callable[[World, dict[str, Any]], None]


def under_any_options(test: Test) -> Test:
    """A test that asks commands with many options."""
    quiet = [HealthCheck.function_scoped_fixture]
    few = settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=quiet)
    asked: Test = few(given(given=options)(test))
    return asked


@under_any_options
def test_sessions(world: World, given: dict[str, Any]) -> None:
    naive = naive_of(world, given)
    told = world.answer("sessions", given, "--limit", "200")
    assert told["total"] == len(told["rows"]) == len(naive.listed)
    for row in told["rows"]:
        expected = naive.listed[row["session_id"]]
        for name, value in expected.items():
            if name != "billed":
                assert row[name] == (pytest.approx(value) if isinstance(value, float) else value), name
        assert row["output_undercounted"] == (expected["undercounted"] > 0)
    assert told["with_tokens"] == world.answer("tokens", given)["totals"]["sessions"]


@under_any_options
def test_tokens(world: World, given: dict[str, Any]) -> None:
    naive = naive_of(world, given)
    told = world.answer("tokens", given)
    same(told["totals"], sums(naive.responses))
    models = naive.by(lambda row: row["model"])
    assert [row["model"] for row in told["by_model"]] == sorted(models, key=lambda name: (-models[name].total, name))
    for row in told["by_model"]:
        same(row, models[row["model"]], row["model"])
    by_session = naive.by(lambda row: row["session_id"])
    for row in told["top_sessions"]:
        same(row, by_session[row["session_id"]], row["session_id"])
    assert told["days"] == len(told["daily"])
    by_day = naive.by(lambda row: naive.day(row["ts"]))
    if given["since"] or given["until"]:
        for row in told["daily"]:
            same(row, by_day.get(dt.date.fromisoformat(row["day"]), sums([])), row["day"])
        assert sum(row["total"] for row in told["daily"]) == told["totals"]["total"]


def same_periods(told: dict[str, Any], name: str, expected: dict[str, Sums]) -> None:
    rows = {row["period"]: row for row in told[name]}
    assert {key for key, row in rows.items() if row["totalTokens"]} == {key for key in expected if expected[key].total}
    for key, row in rows.items():
        same_as_ccusage(row, expected.get(key, sums([])), key)
        assert sum(part["outputTokens"] for part in row["modelBreakdowns"]) == row["outputTokens"]


@under_any_options
def test_daily_weekly_and_models(world: World, given: dict[str, Any]) -> None:
    naive = naive_of(world, given)
    dated = [row for row in naive.responses if row["ts"]]
    by_day = naive.by(lambda row: str(naive.day(row["ts"])))
    by_day.pop("None", None)
    told = world.answer("daily", given)
    same_periods(told, "daily", by_day)
    same_as_ccusage(told["totals"], sums(dated))
    same_as_ccusage(world.answer("weekly", given)["totals"], sums(dated))
    told = world.answer("models", given)
    models = naive.by(lambda row: row["model"])
    assert {row["modelName"] for row in told["models"]} == set(models)
    for row in told["models"]:
        same_as_ccusage(row, models[row["modelName"]], row["modelName"])
    blocks = world.answer("blocks", given)["blocks"]
    assert sum(block["totalTokens"] for block in blocks) == sums(dated).total
    assert sum(block["costUSD"] or 0 for block in blocks) == pytest.approx(sums(dated).cost or 0)
    assert sum(block["undercountedResponses"] for block in blocks) == sums(dated).undercounted


@under_any_options
def test_queries(world: World, given: dict[str, Any]) -> None:
    naive = naive_of(world, given)
    expected = {
        row["id"]
        for row in world.facts.accesses
        if naive.access_passes(row["id"]) and naive._of_session(row, world.facts.session(row).get("project"), [])
    }
    told = world.answer("queries", given, "--all", "--limit", "200")
    assert {row["id"] for row in told["rows"]} == expected
    assert told["left_out"] == 0
    told = world.answer("queries", given, "--limit", "200")
    assert len(told["rows"]) + told["left_out"] == len(expected)


@under_any_options
def test_home(world: World, given: dict[str, Any]) -> None:
    naive = naive_of(world, given)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(home, "utc_now", lambda: NOW)
        told = world.answer("home", given, "--window", "7d")

    def lately(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["ts"] and NOW - dt.timedelta(days=7) <= row["ts"] <= NOW]

    responses = lately(naive.responses)
    prompts = [row for row in lately(naive.prompts) if row["kind"] == "prompt"]
    assert told["tokens"]["total"] == sums(responses).total
    assert (told["cost_usd"] or 0) == pytest.approx(sums(responses).cost or 0)
    assert told["prompts"] == len(prompts)
    assert told["sessions"] == len({row["session_id"] for row in (*responses, *prompts)})


@under_any_options
def test_the_users_own_sql(world: World, given: dict[str, Any]) -> None:
    query = "SELECT coalesce(sum(output_tokens), 0)::BIGINT, sum(cost_usd) FROM tokens_daily WHERE {{filters}}"
    (row,) = world.answer("sql", given, query)["rows"]
    whole = sums(naive_of(world, given).responses)
    # The store keeps the days of the zones that it was filled for.
    if given["tz"] == "UTC":
        assert row[0] == whole.tokens["output_tokens"]
        assert (row[1] or 0) == pytest.approx(whole.cost or 0)
