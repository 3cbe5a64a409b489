"""How large the window of a session is, how full, and when it will be compacted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agnes_stats.ingest.context_windows import note_context_window
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.prices import PriceOverrides, UserPrice
from agnes_stats.queries.sessions import SessionRow, one_session
from agnes_stats.queries.store import Store
from agnes_stats.tui.sessions import context

from tests.transcripts import HAIKU, OPUS, Transcript, store_of

NOW = dt.datetime(2026, 3, 10, 12)


def session(name: str = "s", size: int = 120_000, model: str = OPUS, **how: Any) -> Transcript:
    return Transcript(name, NOW, model=model, **how).prompt("go").wait(1).response(tokens=(0, 50, size, 0))


def compacted(told: Transcript, before: int, trigger: str = "auto") -> Transcript:
    return told.wait(5).event("compact_boundary", compactMetadata={"trigger": trigger, "preTokens": before})


def row_of(store: Store, name: str = "s") -> SessionRow:
    with store.read() as connection:
        row = one_session(connection, name, now=NOW)
    assert row is not None
    return row


def windows_of(folder: Path, *told: Transcript) -> dict[str, tuple[int | None, str | None]]:
    """Of each session: its window, and what tells it."""
    store = store_of(folder, told)
    rows = [row_of(store, name) for name in dict.fromkeys(one.session for one in told)]
    return {row.session_id: (row.context_window, row.context_window_from) for row in rows}


def test_claude_code_has_200k_unless_the_session_shows_otherwise(tmp_path: Path) -> None:
    assert windows_of(
        tmp_path,
        session("usual"),
        session("just", size=200_000),
        session("beyond", size=200_001),
        session("large once", size=300_000).wait(9).response(tokens=(0, 5, 90, 0)),
        session("named", model="claude-sonnet-4-5[1m]"),
        compacted(session("compacted late"), 940_000).wait(5).response(),
        compacted(session("compacted"), 167_117).wait(5).response(),
        compacted(session("by hand"), 940_000, "manual").wait(5).response(),
    ) == {
        "usual": (200_000, "default"),
        "just": (200_000, "default"),
        "beyond": (1_000_000, "seen"),
        "large once": (1_000_000, "seen"),
        "named": (1_000_000, "model"),
        "compacted late": (1_000_000, "seen"),
        "compacted": (200_000, "default"),
        "by hand": (200_000, "default"),
    }


def test_a_large_request_of_a_sub_agent_or_another_model_shows_nothing(tmp_path: Path) -> None:
    agent = Transcript("above", NOW, agent="a1").wait(2).response(tokens=(0, 5, 700_000, 0))
    switched = session("switched", size=600_000).wait(5).response(tokens=(0, 5, 90_000, 0), model=HAIKU)
    assert windows_of(tmp_path, session("above"), agent, switched) == {
        "above": (200_000, "default"),
        "switched": (200_000, "default"),
    }


def test_other_models_have_the_price_lists_window_or_none(tmp_path: Path) -> None:
    [(window, known_from)] = windows_of(tmp_path / "a", session(model="gpt-5.2")).values()
    assert window is not None and window > 200_000
    assert known_from == "model"
    row = row_of(store_of(tmp_path / "b", [session(model="acme/unheard-of")]))
    assert (row.context_window, row.compacts_at, row.context_share) == (None, None, None)
    assert context.gauge(row, 8) == "context 120k"
    assert context.tone(row) == context.to_compaction(row) == ""


def test_the_status_line_has_the_word_and_the_configuration_the_last_one(tmp_path: Path) -> None:
    store = store_of(tmp_path, [session(), session("other")])
    note_context_window(store, "s", 1_000_000, NOW)
    row = row_of(store)
    assert (row.context_window, row.context_window_from, row.compacts_at) == (1_000_000, "seen", 835_000)
    note_context_window(store, "s", 200_000, NOW)
    assert row_of(store).context_window == 200_000
    overrides = PriceOverrides(windows={OPUS: 500_000}, prices={HAIKU: UserPrice(1, 2, context_window=300_000)})
    Engine(store, [Root("claude", tmp_path / "claude")], workers=1, rest_seconds=0.0, overrides=overrides).catch_up()
    row = row_of(store)
    assert (row.context_window, row.context_window_from) == (500_000, "config")
    Engine(store, [Root("claude", tmp_path / "claude")], workers=1, rest_seconds=0.0).catch_up()
    assert row_of(store).context_window == 200_000


def test_it_is_compacted_where_it_was_last_or_another_of_its_kind_or_at_a_usual_share(tmp_path: Path) -> None:
    own = compacted(session("own"), 160_000)
    compacted(own.wait(5).response(), 167_117).wait(5).response(tokens=(0, 5, 40_000, 0))
    other = session("other", cwd="/w/other")
    alone = session("alone", model=HAIKU)
    store = store_of(tmp_path, [own, other, alone])
    assert [row_of(store, name).compacts_at for name in ("own", "other", "alone")] == [167_117, 167_117, 167_000]
    assert context.to_compaction(row_of(store, "other")) == "~47k to compaction"


SHARES = [
    (139_000, "", "context 70 %"),
    (140_000, "warning", "context 70 %, ~27k to compaction"),
    (179_999, "warning", "context 90 %, compaction is due"),
    (180_000, "error", "context 90 %, compaction is due"),
]


def test_amber_from_70_and_red_from_90_percent(tmp_path: Path) -> None:
    store = store_of(tmp_path, [session(f"s{size}", size=size) for size, _, _ in SHARES])
    for size, tone, told in SHARES:
        row = row_of(store, f"s{size}")
        assert (context.tone(row), context.brief(row)) == (tone, told)
        assert context.gauge(row, 10).startswith("context ███████")
        assert f"of 200k, {context.to_compaction(row)}" in str(context.in_full(row, 8))
