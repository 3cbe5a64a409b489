"""What a stored response costs. The amounts are worked out by hand from the price lists of the makers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import OPUS, Transcript, store_of

SONNET_45, OPUS_46 = "claude-sonnet-4-5", "claude-opus-4-6"
"""USD for a million tokens of input and output: Sonnet 4.5 3 and 15, above 200,000 tokens 6 and 22.50, half of it in a
batch; Opus 4.5 and 4.6 5 and 25, in fast mode 30 and 150. Cache reads cost a tenth of input, writes 1.25 times or, for
an hour, twice of it."""

EVENING_BEFORE, DAY = "2026-03-12T23:00:00", "2026-03-13T01:00:00"
"""On 2026-03-13 the long-context price of Opus 4.6 ended."""

CASES: dict[str, tuple[str, str, dict[str, Any], float | None]] = {
    "plain": (SONNET_45, DAY, {"input_tokens": 200_000, "output_tokens": 1_000}, 0.6 + 0.015),
    "one token more is long": (SONNET_45, DAY, {"input_tokens": 1, "cache_read_input_tokens": 200_000}, 0.120006),
    "output makes nothing long": (SONNET_45, DAY, {"input_tokens": 200_000, "output_tokens": 50_000}, 0.6 + 0.75),
    "writes make it long": (SONNET_45, DAY, {"cache_creation_input_tokens": 200_001}, 200_001 * 7.5e-6),
    "an hour": (
        OPUS,
        DAY,
        {
            "cache_creation_input_tokens": 3_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000},
        },
        0.00625 + 0.02,
    ),
    "searches": (OPUS, DAY, {"output_tokens": 1_000, "server_tool_use": {"web_search_requests": 3}}, 0.025 + 0.03),
    "batch": (SONNET_45, DAY, {"output_tokens": 1_000_000, "service_tier": "batch"}, 7.5),
    "in the US": (OPUS_46, DAY, {"input_tokens": 100_000, "output_tokens": 10_000, "inference_geo": "us"}, 0.825),
    "wherever there is room": (OPUS_46, DAY, {"input_tokens": 100_000, "inference_geo": "global"}, 0.5),
    "nowhere to choose": (OPUS_46, DAY, {"input_tokens": 100_000, "inference_geo": "not_available"}, 0.5),
    "an empty place": (OPUS_46, DAY, {"input_tokens": 100_000, "inference_geo": ""}, 0.5),
    "a place that is none": (OPUS_46, DAY, {"input_tokens": 100_000, "inference_geo": 7}, 0.5),
    "fast in the US": (OPUS_46, DAY, {"input_tokens": 100_000, "speed": "fast", "inference_geo": "us"}, 3.3),
    "an older model in the US": (SONNET_45, DAY, {"input_tokens": 100_000, "inference_geo": "us"}, 0.3),
    "searches in the US": (
        OPUS_46,
        DAY,
        {"input_tokens": 100_000, "inference_geo": "us", "server_tool_use": {"web_search_requests": 3}},
        0.55 + 0.03,
    ),
    "fast": (OPUS_46, DAY, {"input_tokens": 100_000, "output_tokens": 10_000, "speed": "fast"}, 3.0 + 1.5),
    "before a price ended": (OPUS_46, EVENING_BEFORE, {"input_tokens": 300_000, "output_tokens": 1_000}, 3.0 + 0.0375),
    "after it ended": (OPUS_46, DAY, {"input_tokens": 300_000, "output_tokens": 1_000}, 1.5 + 0.025),
    "nobody knows": ("house-model", DAY, {"input_tokens": 300_000}, None),
    "nothing used": (OPUS, DAY, {"input_tokens": 0, "output_tokens": 0}, 0.0),
}


def test_a_response_costs_what_the_lists_say(tmp_path: Path) -> None:
    sessions = []
    for name, (model, when, usage, _) in CASES.items():
        session = Transcript(name, when).prompt("Go").response(model=model)
        session.rows[-1]["message"]["usage"] = usage
        sessions.append(session)
    store = store_of(tmp_path, sessions)
    with store.read() as connection:
        costs: dict[str, float | None] = dict(
            connection.execute("SELECT session_id, cost_usd FROM responses").fetchall()
        )
    expected = {name: cost if cost is None else pytest.approx(cost, abs=1e-12) for name, (*_, cost) in CASES.items()}
    assert costs == expected
