"""Tokens by model, project, day and session: the numbers of a small store, and that all of them add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import caching, delegation, periods, results, sessions, timing, tokens, tools, trends
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.tokens import TokenSums
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.storing import kept_open, store_in
from tests.transcripts import HAIKU, OPUS, SONNET, Transcript, store_of, write

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

WAREHOUSE, WEBSITE = "/home/dana/work/warehouse", "/home/dana/work/website"
UNPRICED = "acme/coder-large-2"
NOW = dt.datetime(2026, 3, 10, 14, 44)
SUMS = [name for name in TokenSums.__dataclass_fields__ if name not in ("cost_usd", "sessions")]


def transcripts() -> list[Transcript]:
    """Two projects, a sub-agent, a night, an unpriced model, a placeholder, and rows without a time."""
    churn = Transcript("churn", "2026-03-09T23:50:00", branch="fix/churn")
    churn.title("Fix the churn query").prompt("Fix it").wait(4).response(tokens=(100, 1000, 10_000, 500))
    churn.wait(1200).prompt("Go on").wait(6).response(
        ("t1", "Task", {"subagent_type": "Explore", "prompt": "Look"}), tokens=(50, 500, 20_000, 300)
    )
    explorer = Transcript("churn", churn.now, agent="a1", model=HAIKU, branch="fix/churn")
    explorer.prompt("Look").wait(3).response(tokens=(1000, 200, 0, 4000)).wait(3).response(tokens=(10, 90, 4000, 0))
    churn.wait(30).result("t1", "Found it.", toolUseResult={"agentId": "a1", "status": "completed"})
    churn.event("turn_duration", durationMs=40_000)
    site = Transcript("site", "2026-03-02T08:00:00", cwd=WEBSITE, model=SONNET, version="2.1.41")
    site.prompt("Add a page").wait(2).response(tokens=(10, 3, 700, 0), stop=None)
    site.wait(60).response(tokens=(20, 400, 900, 100))
    other = Transcript("other", "2026-02-01T12:00:00", cwd=WEBSITE, model=UNPRICED, branch="")
    other.prompt("Try the new model").wait(9).response(tokens=(5000, 700, 0, 0))
    other.event("turn_duration", durationMs=9_000)
    untimed = Transcript("untimed", "2026-03-01T12:00:00", model=HAIKU)
    untimed.prompt("When is now?").response(tokens=(11, 22, 33, 44))
    for row in untimed.rows:
        del row["timestamp"]
    return [churn, explorer, site, other, untimed]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("tokens")
    write(folder / "claude", transcripts())
    shared = Transcript("shared", "2026-03-05T10:00:00", cwd=WEBSITE)
    shared.prompt("Hello").wait(1).response(tokens=(7, 70, 0, 0))
    write(folder, [shared])
    (folder / "shared" / "eve@example.com").mkdir(parents=True)
    next((folder / "projects").rglob("*.jsonl")).rename(folder / "shared" / "eve@example.com" / "shared.jsonl")
    store = store_in(folder)
    roots = [Root("claude", folder / "claude"), Root("agnes-server-folder", folder / "shared")]
    with kept_open(store):
        Engine(store, roots, zones=("UTC", "America/New_York"), workers=1, rest_seconds=0.0).catch_up()
    with store.read() as opened:
        yield opened


def test_totals_count_sub_agents_and_say_what_is_unpriced_and_undercounted(connection: Reader) -> None:
    found = tokens.totals(connection, Filter())
    assert found.responses == 9
    assert found.output_tokens == 1000 + 500 + 200 + 90 + 3 + 400 + 700 + 22 + 70
    assert found.unpriced_tokens == 5700
    assert found.undercounted == 1
    assert found.sessions == 5


def test_a_day_is_the_day_of_the_zone(connection: Reader) -> None:
    utc = {row.day: row.output_tokens for row in tokens.by_day(connection, Filter(session_id="churn"))}
    assert utc == {dt.date(2026, 3, 9): 1000, dt.date(2026, 3, 10): 500 + 200 + 90}
    there = tokens.by_day(connection, Filter(zone="America/New_York", session_id="churn"))
    assert [(row.day, row.output_tokens) for row in there] == [(dt.date(2026, 3, 9), 1790)]


def test_groups_come_by_what_they_are_sorted_by(connection: Reader) -> None:
    def names(group: str, **options: object) -> list[str | None]:
        return [row.name for row in tokens.by_group(connection, Filter(), group, **options)]  # type: ignore[arg-type]

    assert names("model") == [OPUS, HAIKU, UNPRICED, SONNET]
    assert names("model", order="cost_usd")[-1] == UNPRICED
    assert names("model", order="name", descending=False) == [UNPRICED, HAIKU, OPUS, SONNET]
    assert names("subagent_type") == ["main", "Explore"]
    assert names("git_branch") == ["fix/churn", None, "main"]
    assert names("version") == ["2.1.114", "2.1.41"]
    assert names("username") == [None, "eve@example.com"]
    assert names("project") == [WAREHOUSE, WEBSITE]
    with pytest.raises(KeyError):
        names("shoe size")
    with pytest.raises(KeyError):
        names("model", order="shoe size")


def test_top_sessions_by_tokens_or_by_money(connection: Reader) -> None:
    by_tokens = tokens.top_sessions(connection, Filter(), 3)
    assert [row.session_id for row in by_tokens] == ["churn", "other", "site"]
    assert by_tokens[0].title == "Fix the churn query"
    by_money = tokens.top_sessions(connection, Filter(), 3, order="cost_usd")
    assert [row.session_id for row in by_money] == ["churn", "site", "shared"]


@pytest.mark.parametrize("order", tokens.ORDERS)
def test_every_order_sorts_groups_and_sessions(connection: Reader, order: str) -> None:
    def value(row: tokens.GroupTokens | tokens.SessionTokens) -> Any:
        return getattr(row, order) or 0

    groups = tokens.by_group(connection, Filter(), "model", order=order)
    assert len(groups) > 1
    if order == "name":
        assert [row.name for row in groups] == sorted((row.name for row in groups), key=str, reverse=True)
        return
    assert groups == sorted(groups, key=value, reverse=True)
    sessions = tokens.top_sessions(connection, Filter(), 3, order=order)
    assert len(sessions) == 3
    assert sessions == sorted(sessions, key=value, reverse=True)


def test_branch_and_version_leave_what_their_rows_in_the_breakdown_say(connection: Reader) -> None:
    def found(zone: str = "UTC", **fields: str) -> int:
        return tokens.totals(connection, Filter(zone=zone, **fields)).total_tokens

    for group, field in (("git_branch", "branch"), ("version", "version")):
        for row in tokens.by_group(connection, Filter(), group):
            if row.name is not None:
                assert found(**{field: row.name}) == row.total_tokens
                assert found("Asia/Kolkata", **{field: row.name}) == row.total_tokens, "a zone that is not kept"
    assert found(branch="fix/churn", version="2.1.41") == 0
    assert found(version="2.1.41") == 10 + 3 + 700 + 20 + 400 + 900 + 100


def test_branch_and_version_hold_for_tool_calls_turns_and_sessions(connection: Reader) -> None:
    fix, old = Filter(branch="fix/churn"), Filter(version="2.1.41")
    for chosen, calls, ids in ((fix, 1, ["churn"]), (old, 0, ["site"])):
        assert sum(row.calls for row in results.by_tool(connection, chosen)) == calls
        assert tools.tool_sums(connection, chosen).invocations == calls
        assert [row.session_id for row in sessions.list_sessions(connection, chosen, now=NOW).rows] == ids
    whole = timing.distribution(connection, Filter(), "turn")
    kept = timing.distribution(connection, fix, "turn")
    assert (whole is None, kept is None, timing.distribution(connection, old, "turn")) == (False, False, None)
    assert (whole.count, kept.count) == (2, 1)  # type: ignore[union-attr]


def test_text_finds_what_the_list_of_sessions_finds(connection: Reader) -> None:
    assert tokens.totals(connection, Filter(text="CHURN q")).responses == 4
    assert tokens.totals(connection, Filter(text="website")).responses == 4
    assert tokens.totals(connection, Filter(text="nothing like it")).responses == 0


def test_the_cost_of_each_kind_is_tokens_times_list_price(connection: Reader) -> None:
    found = {kind.name: kind for kind in caching.by_kind(connection, Filter(session_id="churn", model=OPUS))}
    assert {name: kind.tokens for name, kind in found.items()} == {
        "Cache read": 30_000,
        "Cache write 5m": 800,
        "Input": 150,
        "Output": 1500,
    }
    # Opus 4.5: USD 5 in, 25 out, 0.50 cache read, 6.25 cache write of five minutes, a million.
    assert found["Cache read"].cost_usd == pytest.approx(30_000 * 0.5e-6)
    assert found["Cache write 5m"].cost_usd == pytest.approx(800 * 6.25e-6)
    assert found["Input"].cost_usd == pytest.approx(150 * 5e-6)
    assert found["Output"].cost_usd == pytest.approx(1500 * 25e-6)


def test_long_prompts_have_their_own_prices_for_every_kind(tmp_path: Path) -> None:
    session = (
        Transcript("long", "2026-03-10T09:00:00", model=SONNET)
        .prompt("Read all")
        .response(tokens=(0, 1000, 300_000, 0))
    )
    session.prompt("Go on").response(tokens=(0, 1000, 100_000, 0))
    with store_of(tmp_path, [session]).read() as connection:
        found = {kind.name: kind.cost_usd for kind in caching.by_kind(connection, Filter())}
    # Sonnet 4.5: USD 15 out and 0.30 cache read a million; beyond 200,000 tokens in, 22.50 and 0.60.
    assert found["Output"] == pytest.approx(1000 * 22.5e-6 + 1000 * 15e-6)
    assert found["Cache read"] == pytest.approx(300_000 * 0.6e-6 + 100_000 * 0.3e-6)


def test_the_cache_saves_what_plain_input_would_have_cost_more(connection: Reader) -> None:
    chosen = Filter(session_id="churn", model=OPUS)
    assert caching.saved(connection, chosen) == pytest.approx(30_000 * 4.5e-6 - 800 * 1.25e-6)
    assert caching.saved(connection, Filter(model=UNPRICED)) is None


def test_a_model_that_has_no_rates_keeps_its_tokens(connection: Reader) -> None:
    (found,) = caching.by_model(connection, Filter(model=UNPRICED))
    assert (found.input_tokens, found.output_tokens, found.unpriced_tokens) == (5000, 700, 5700)
    kinds = {kind.name: kind.tokens for kind in caching.by_kind(connection, Filter(model=UNPRICED))}
    assert kinds == {"Input": 5000, "Output": 700}


def test_cache_by_model_and_maker(connection: Reader) -> None:
    models = caching.by_model(connection, Filter())
    makers = {maker.name: maker for maker in caching.by_provider(models)}
    assert list(makers) == ["Anthropic", "acme"]
    assert makers["acme"].cache_hit_ratio == 0
    assert makers["acme"].saved_usd is None
    read = 30_000 + 4000 + 1600 + 33
    inward = read + 150 + 800 + 1010 + 4000 + 30 + 100 + 11 + 44 + 7
    assert makers["Anthropic"].cache_hit_ratio == pytest.approx(read / inward)


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("us.anthropic.claude-opus-4-6-v1:0", "Anthropic"),
        ("openai/gpt-5.2-codex", "OpenAI"),
        ("o3-mini", "OpenAI"),
        ("gemini-3-pro", "Google"),
        ("kimi-k3", "Moonshot"),
        ("acme/coder", "acme"),
        ("(unknown)", "other"),
    ],
)
def test_who_makes_a_model(model: str, maker: str) -> None:
    assert caching.provider_of(model) == maker


filters = st.builds(
    Filter,
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
    since=st.none() | st.dates(dt.date(2026, 1, 20), dt.date(2026, 3, 12)),
    until=st.none() | st.dates(dt.date(2026, 1, 20), dt.date(2026, 3, 12)),
    project=st.none() | st.sampled_from([WAREHOUSE, "website"]),
    model=st.none() | st.sampled_from([OPUS, SONNET, HAIKU, UNPRICED]),
    subagent_type=st.none() | st.sampled_from(["main", "Explore"]),
    session_id=st.none() | st.sampled_from(["churn", "site", "untimed"]),
    user=st.none() | st.just("eve@example.com"),
    branch=st.none() | st.sampled_from(["fix/churn", "main"]),
    version=st.none() | st.sampled_from(["2.1.114", "2.1.41"]),
    text=st.sampled_from(["", "e", "churn", "fix/"]),
)


def same(found: list[TokenSums], whole: TokenSums) -> None:
    for name in SUMS:
        assert sum(getattr(row, name) or 0 for row in found) == (getattr(whole, name) or 0), name
    assert sum(row.cost_usd or 0 for row in found) == pytest.approx(whole.cost_usd or 0)


@settings(max_examples=examples(6, 25), deadline=None)
@given(chosen=filters, group=st.sampled_from(sorted(tokens.GROUPS)))
def test_whatever_the_filter_every_table_adds_up_to_the_headline(
    connection: Reader, chosen: Filter, group: str
) -> None:
    whole = trends.period(connection, chosen)
    assert tokens.totals(connection, chosen).total_tokens == whole.total_tokens
    same([*tokens.by_group(connection, chosen, group)], whole)
    same([*tokens.top_sessions(connection, chosen, 100)], whole)
    same([*delegation.by_subagent_type(connection, chosen)], whole)
    kinds = caching.by_kind(connection, chosen)
    assert sum(kind.tokens for kind in kinds) == whole.total_tokens
    assert sum(kind.cost_usd or 0 for kind in kinds) == pytest.approx(whole.cost_usd or 0)
    models = caching.by_model(connection, chosen)
    same([*models], whole)
    saved = sum(model.saved_usd or 0 for model in models)
    assert saved == pytest.approx(caching.saved(connection, chosen) or 0)


@settings(max_examples=examples(8, 40), deadline=None)
@given(
    chosen=filters,
    group=st.sampled_from(["kind", *sorted(tokens.GROUPS)]),
    granularity=st.sampled_from(trends.GRANULARITIES),
    most=st.integers(1, 3),
)
def test_whatever_the_filter_the_bars_add_up_to_the_days(
    connection: Reader, chosen: Filter, group: str, granularity: trends.Granularity, most: int
) -> None:
    days = tokens.by_day(connection, chosen)
    whole = trends.period(connection, chosen)
    assert whole.active_days == len(days)
    if chosen.since or chosen.until:
        same([*days], whole)
        same([*periods.by_day_and_model(connection, chosen)], whole)
    shown = trends.over_time(connection, chosen, group, now=NOW, granularity=granularity, most=most)
    assert sum(sum(layer.tokens) for layer in shown.layers) == sum(day.total_tokens for day in days)
    assert sum(sum(layer.costs) for layer in shown.layers) == pytest.approx(sum(day.cost_usd or 0 for day in days))
    assert all(len(layer.tokens) == len(layer.costs) == len(shown.buckets) for layer in shown.layers)
