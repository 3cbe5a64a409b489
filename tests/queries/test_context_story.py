"""How the context of a session grew, and what of its cache was built anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.queries.context_story import ContextSource, ContextStory, context_story
from agnes_stats.queries.store import Store

from tests.transcripts import HAIKU, SONNET, Transcript, store_of

LATER = dt.datetime(2026, 3, 10, 20, 0)

OPUS_WRITE, OPUS_WRITE_1H = 6.25, 10.0
"""USD per million tokens written to the cache of Opus 4.5, for five minutes and for an hour."""


def story(folder: Path, *told: Transcript) -> ContextStory:
    store: Store = store_of(folder, told)
    with store.read() as connection:
        found = context_story(connection, "s", now=LATER)
    assert found is not None
    return found


def begun() -> Transcript:
    """A first response: 50,000 tokens are in the cache."""
    return Transcript("s", "2026-03-10T09:00:00").prompt("one").wait(2).response(tokens=(10, 100, 0, 50_000))


def causes(found: ContextStory) -> list[tuple[str, int]]:
    return [(each.cause, each.tokens) for each in found.rebuilds]


def test_the_context_after_each_prompt_is_that_of_its_last_own_response(tmp_path: Path) -> None:
    told = (
        begun().wait(2).response(tokens=(5, 100, 50_000, 2_000)).wait(5).command("model").wait(5).prompt("two").wait(2)
    )
    told.response(("t", "Task", {"subagent_type": "Explore", "description": "x"}), tokens=(1, 9, 52_000, 500))
    agent = (
        Transcript("s", told.now, agent="a", model=HAIKU).wait(1).response(tokens=(9, 9, 90_000, 9)).note("E", "x", "t")
    )
    told.wait(5).result("t").wait(5).prompt("three")
    found = story(tmp_path, told, agent)
    assert [each.tokens for each in found.prompts] == [52_005, None, 52_501, None]
    assert found.session.context_tokens == 52_501
    assert (found.rebuilds, found.compactions) == ([], [])


def test_a_pause_longer_than_the_cache_lives(tmp_path: Path) -> None:
    told = begun().wait(4 * 60).prompt("soon").wait(1).response(tokens=(1, 9, 50_000, 100))
    told.wait(6 * 60).prompt("late").wait(1).response(tokens=(1, 9, 8_000, 43_000))
    found = story(tmp_path, told)
    assert causes(found) == [("pause", 42_100)]
    assert found.rebuilds[0].cost_usd == pytest.approx(42_100 * OPUS_WRITE / 1e6)


def test_a_cache_of_an_hour_lives_an_hour(tmp_path: Path) -> None:
    def lasting(told: Transcript, read: int, written: int) -> Transcript:
        told.response(tokens=(1, 9, read, written))
        told.rows[-1]["message"]["usage"]["cache_creation"] = {
            "ephemeral_5m_input_tokens": 0,
            "ephemeral_1h_input_tokens": written,
        }
        return told

    told = lasting(Transcript("s", "2026-03-10T09:00:00").prompt("one").wait(2), 0, 50_000)
    lasting(told.wait(50 * 60).prompt("two").wait(1), 20_000, 30_000)
    lasting(told.wait(70 * 60).prompt("three").wait(1), 0, 50_000)
    found = story(tmp_path, told)
    assert causes(found) == [("unknown", 30_000), ("pause", 50_000)]
    assert found.rebuilds[1].cost_usd == pytest.approx(50_000 * OPUS_WRITE_1H / 1e6)


def test_another_model_a_told_reason_and_a_compaction(tmp_path: Path) -> None:
    told = begun().wait(2).response(tokens=(1, 9, 0, 50_000), model=SONNET)
    told.wait(2).response(tokens=(1, 9, 10_000, 45_000), model=SONNET)
    told.rows[-1]["message"]["diagnostics"] = {"cache_miss_reason": {"type": "tools_changed"}}
    told.wait(2).event(
        "compact_boundary", compactMetadata={"trigger": "manual", "preTokens": 55_001, "postTokens": 7_000}
    )
    told.wait(2).response(tokens=(1, 9, 3_000, 4_000), model=SONNET)
    found = story(tmp_path, told)
    assert causes(found) == [("model", 50_000), ("tools_changed", 40_000), ("compaction", 4_000)]
    [compaction] = found.compactions
    assert (compaction.trigger, compaction.before, compaction.after) == ("manual", 55_001, 7_000)


def test_a_little_less_is_no_rebuild_and_no_price_is_no_cost(tmp_path: Path) -> None:
    told = begun().wait(2).response(tokens=(1, 9, 47_600, 2_500))
    told.wait(2).response(tokens=(1, 9, 0, 50_000), model="acme/code-large")
    found = story(tmp_path, told)
    assert causes(found) == [("model", 50_000)]
    assert found.rebuilds[0].cost_usd is None


def test_sources_are_what_came_back_since_the_last_compaction_and_together_the_context(tmp_path: Path) -> None:
    told = begun().wait(1).response(("r0", "Read", {"file_path": "/a"}), tokens=(1, 9, 50_000, 10))
    told.wait(1).result("r0", "x" * 40_000).wait(1).event("compact_boundary", content="Conversation compacted")
    for call, name, size in (("r1", "Read", 8_000), ("b1", "Bash", 2_000), ("r2", "Read", 4_000)):
        told.wait(1).response((call, name, {"command": "ls", "file_path": "/a"}), tokens=(1, 9, 9_000, 10))
        told.wait(1).result(call, "x" * size)
    told.wait(1).response(tokens=(0, 9, 9_000, 1_000))
    found = story(tmp_path, told)
    assert found.by_source == [ContextSource("Read", 3_000), ContextSource("Bash", 500), ContextSource(None, 6_500)]


def test_no_session_and_one_without_a_response(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s", "2026-03-10T09:00:00").prompt("hello?")])
    with store.read() as connection:
        assert context_story(connection, "nobody", now=LATER) is None
        found = context_story(connection, "s", now=LATER)
    assert found is not None
    assert ([each.tokens for each in found.prompts], found.by_source) == ([None], [])
