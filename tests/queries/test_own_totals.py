"""What Claude Code itself says that a session took, beside what its transcripts show, and the difference by name."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from agnes_stats.queries.own_totals import Amount, own_total, own_totals, plain_model
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from agnes_stats.tui.sessions.own_total import own_total_pairs

from tests.storing import held
from tests.transcripts import Transcript, store_of, write

OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
MILLION = (1_000_000, 0, 0, 0)
"""Costs USD 4 of Opus 5.5."""
NOW = dt.datetime(2026, 11, 20, 12)


def said(session: Transcript, cost: float, incomplete: bool = False, **models: tuple[int, float]) -> Transcript:
    """Claude Code's own total, as of the row before; models as (input tokens, USD), "_" for "-"."""
    used = {
        name.replace("_", "-"): {"inputTokens": tokens, "outputTokens": 0, "costUSD": usd}
        for name, (tokens, usd) in models.items()
    }
    session.rows.append(
        {
            "type": "cost-state",
            "sessionId": session.session,
            "totalCostUSD": cost,
            "modelUsage": used,
            "hasUnknownModelCost": incomplete,
        }
    )
    return session


def fork(parent: Transcript, name: str, at: str, rows: int) -> Transcript:
    """A session that begins with the first rows of another one."""
    made = Transcript(name, at, model=OPUS)
    for row in parent.rows[:rows]:
        origin = {"sessionId": parent.session, "messageUuid": row["uuid"]}
        made.rows.append(row | {"sessionId": name, "forkedFrom": origin})
    return made


def sessions() -> list[Transcript]:
    equal = Transcript("equal", "2026-11-01T10:00:00", model=OPUS).prompt("Go").response(tokens=MILLION)
    said(equal, 2.0, claude_opus_5_5=(500_000, 2.0))
    said(equal, 4.0, **{"claude_opus_5_5[1m]": (1_000_000, 4.0)})

    helped = Transcript("helped", "2026-11-01T10:00:00", model=OPUS).prompt("Go").response(tokens=MILLION)
    said(helped, 4.53, claude_opus_5_5=(1_100_000, 4.4), claude_haiku_4_5=(3_000, 0.03))
    # What comes later was not there yet when it was said.
    helped.wait(60).response(tokens=MILLION).response(tokens=MILLION)

    parent = Transcript("parent", "2026-11-01T10:00:00", model=OPUS).prompt("Go").response(tokens=MILLION)
    parent.wait(60).response(tokens=(2_000_000, 0, 0, 0))
    child = fork(parent, "child", "2026-11-01T11:00:00", rows=2).prompt("More").response(tokens=MILLION)
    said(child, 8.0, claude_opus_5_5=(2_000_000, 8.0))
    grandchild = fork(child, "grandchild", "2026-11-01T12:00:00", rows=4).prompt("Again").response(tokens=MILLION)
    said(grandchild, 12.0, claude_opus_5_5=(3_000_000, 12.0))
    orphan = fork(Transcript("gone", "2026-10-01T10:00:00").prompt("Go"), "orphan", "2026-11-01T11:00:00", rows=1)
    said(orphan.response(tokens=MILLION), 9.0, True, claude_opus_5_5=(2_000_000, 8.0))

    silent = Transcript("silent", "2026-11-01T10:00:00", model=OPUS).prompt("Go").response(tokens=MILLION)
    nothing = said(Transcript("nothing", "2026-11-01T10:00:00").prompt("/model"), 0)
    return [equal, helped, parent, child, grandchild, orphan, silent, nothing]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(Path(tmp_path_factory.mktemp("own")), sessions())) as made:
        yield made


def differences(store: Store, session: str) -> dict[str, tuple[int, float]]:
    with store.read() as connection:
        total = own_total(connection, session)
    assert total is not None
    return {model.model: (model.missing_tokens, round(model.missing_usd, 6)) for model in total.differences}


def test_the_last_of_what_it_said_counts_whole_and_under_any_spelling_of_a_model(store: Store) -> None:
    with store.read() as connection:
        total = own_total(connection, "equal")
    assert total is not None
    assert (total.cost_usd, total.own_tokens, total.shown) == (4.0, 1_000_000, Amount(1_000_000, 4.0))
    assert total.is_equal


def test_what_no_transcript_holds_is_told_by_model_and_what_came_later_is_left_out(store: Store) -> None:
    assert differences(store, "helped") == {OPUS: (100_000, 0.4), HAIKU: (3_000, 0.03)}
    with store.read() as connection:
        total = own_total(connection, "helped")
    assert total is not None
    assert total.shown == Amount(1_000_000, 4.0)
    assert total.unnamed_usd == pytest.approx(0.1)


@pytest.mark.parametrize(("session", "before"), [("child", 4.0), ("grandchild", 8.0)])
def test_what_was_before_a_fork_is_in_it(store: Store, session: str, before: float) -> None:
    assert differences(store, session) == {}
    with store.read() as connection:
        total = own_total(connection, session)
    assert total is not None
    assert (total.shown, total.before_fork.cost_usd) == (Amount(1_000_000, 4.0), before)
    assert total.is_equal


def test_a_fork_of_what_is_not_in_the_store(store: Store) -> None:
    assert differences(store, "orphan") == {OPUS: (1_000_000, 4.0)}
    with store.read() as connection:
        total = own_total(connection, "orphan")
    assert total is not None
    assert (total.forked_from, total.before_fork, total.is_incomplete) == ("gone", Amount(), True)


def test_all_sessions_that_have_one(store: Store) -> None:
    with store.read() as connection:
        found = own_totals(connection)
        assert own_total(connection, "silent") is None
        for total in found:
            assert own_total(connection, total.session_id) == total
    assert [total.session_id for total in found if total.is_equal] == ["child", "equal", "grandchild", "nothing"]
    assert [total.session_id for total in found if not total.is_equal] == ["helped", "orphan"]


def test_own_totals_are_added_to_nothing(store: Store) -> None:
    with store.read() as connection:
        rows = connection.execute("SELECT session_id, cost_usd FROM sessions").fetchall()
    assert dict(rows) == {
        **dict.fromkeys(("equal", "child", "grandchild", "orphan", "silent"), pytest.approx(4.0)),
        "helped": pytest.approx(12.0),
        "parent": pytest.approx(12.0),
        "nothing": None,
    }


def told(store: Store, session: str, *, cost: bool = True) -> list[tuple[str, str | None]]:
    with store.read() as connection:
        total = own_total(connection, session)
    assert total is not None
    return own_total_pairs(total, NOW, ZoneInfo("UTC"), cost=cost)


def test_it_is_told_in_words(store: Store) -> None:
    assert told(store, "helped") == [
        ("Claude's own", "$4.53 · 1.1M tokens, Nov 01 10:00"),
        ("Shown by then", "$4.00 · 1.0M tokens"),
        ("Difference", "opus-5.5 +100k tokens +$0.40, in no transcript"),
        ("", "haiku-4.5 +3.0k tokens +$0.03, in no transcript"),
        ("", "+$0.10 of no model"),
    ]
    assert told(store, "helped", cost=False)[:3] == [
        ("Claude's own", "1.1M tokens, Nov 01 10:00"),
        ("Shown by then", "1.0M tokens"),
        ("Difference", "opus-5.5 +100k tokens, in no transcript"),
    ]
    assert told(store, "child")[2:] == [
        ("Before", "$4.00 · 1.0M tokens in parent, which it was forked from"),
        ("Difference", "none"),
    ]
    assert told(store, "orphan")[0] == ("Claude's own", "$9.00 · 2.0M tokens, Nov 01 11:00, some of it without a price")
    assert told(store, "orphan")[2] == ("Before", "not known, in gone, which it was forked from")


def test_the_doctor_tells_of_all_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "claude", sessions())
    arguments = ["doctor", "--store", str(tmp_path / "store.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]
    assert cli.main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["own_totals"]
    assert (answer["sessions"], answer["equal"]) == (6, 4)
    assert answer["cost_usd"] == pytest.approx(4 + 4.53 + 8 + 12 + 9)
    assert answer["shown_usd"] == pytest.approx(4 + 4 + 8 + 12 + 4)
    assert [one["session_id"] for one in answer["different"]] == ["orphan", "helped"]
    assert answer["different"][1]["models"] == [
        {"model": OPUS, "missing_tokens": 100_000, "missing_usd": pytest.approx(0.4)},
        {"model": HAIKU, "missing_tokens": 3_000, "missing_usd": pytest.approx(0.03)},
    ]
    assert cli.main([*arguments, "--no-ingest"]) == 0
    shown = capsys.readouterr().out
    assert "6 sessions with a total of Claude Code's own, 4 equal: it says $37.53, transcripts show $32.00" in shown
    assert "helped, not in its transcripts: opus-5.5 +100,000 tokens +0.4000 USD, haiku-4.5 +3,000 tokens" in shown


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-5[1m]", "claude-opus-5-5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
        ("anthropic.claude-opus-5-v1[1m]", "claude-opus-5"),
        ("house-model", "house-model"),
    ],
)
def test_a_model_is_the_same_under_other_names(name: str, plain: str) -> None:
    assert plain_model(name) == plain
