"""`cost-state` rows: what Claude Code itself says that a session took so far, by model.

It counts what no transcript holds (side questions, compaction, calls of its own helpers), and after a fork what
the parent took. So its totals are kept beside the responses and never added to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ...jsonl import inner_of
from ..events import OwnTotal, Tokens
from ..numbers import dollars
from .keys import RowLine
from .rows import CacheCreation, Iteration
from .usage import Note, count_of, tokens_of

_MOST_MODELS = 100


class _CostState(msgspec.Struct, gc=False):
    totalCostUSD: Any = None  # noqa: N815
    modelUsage: Any = None  # noqa: N815
    hasUnknownModelCost: Any = None  # noqa: N815


_cost_state = msgspec.json.Decoder(_CostState).decode


def own_totals_in(line: RowLine, note: Note) -> Iterator[OwnTotal]:
    """What a row tells: of the whole, then of each model; nothing if it is damaged."""
    told = inner_of(_cost_state, _CostState, line.data)
    if told is None:
        return
    cost = dollars(told.totalCostUSD)
    yield OwnTotal(place=line.place, cost_usd=cost, is_incomplete=told.hasUnknownModelCost is True)
    models = told.modelUsage if isinstance(told.modelUsage, dict) else {}
    for model, used in list(models.items())[:_MOST_MODELS]:
        if model and isinstance(used, dict):
            yield OwnTotal(
                place=line.place,
                model=model,
                tokens=_tokens_of(used, note),
                web_searches=count_of(used.get("webSearchRequests"), note),
                cost_usd=dollars(used.get("costUSD")),
            )


def _tokens_of(used: Mapping[str, Any], note: Note) -> Tokens:
    written = CacheCreation(
        used.get("cacheCreationEphemeral5mInputTokens"), used.get("cacheCreationEphemeral1hInputTokens")
    )
    usage = Iteration(
        input_tokens=used.get("inputTokens"),
        output_tokens=used.get("outputTokens"),
        cache_read_input_tokens=used.get("cacheReadInputTokens"),
        cache_creation_input_tokens=used.get("cacheCreationInputTokens"),
        cache_creation=written,
    )
    return tokens_of(usage, note)
