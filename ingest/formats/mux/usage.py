"""What a Mux row says that a model took, and which model that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...text import short
from ..events import Billed, Tokens
from ..numbers import MAX_USD, whole_number

GATEWAYS = frozenset({"mux-gateway", "openrouter", "coder", "github-copilot"})

_TICKS = 1e10
"""Of xAI's bill in one USD."""


class Bill(NamedTuple):
    """Tokens, and who pays."""

    tokens: Tokens
    billed: Billed | None
    logged_cost_usd: float | None


class Model(NamedTuple):
    """A model as Mux names it, `provider:model`, where a gateway may stand for the provider."""

    name: str | None
    provider: str | None
    gateway: str | None


def is_usage(value: Any) -> bool:
    """Whether an object tells any usage at all; a row without is a placeholder, or an error."""
    return isinstance(value, Mapping) and any(isinstance(part, int | float) for part in value.values())


def bill_of(usage: Any, metadata: Any) -> Bill:
    """A usage of Mux's, with what the provider told besides. Input and output have caches and reasoning in them."""
    usage, metadata = _object(usage), _object(metadata)
    read = whole_number(usage.get("cachedInputTokens")) or 0
    written = whole_number(_object(metadata.get("anthropic")).get("cacheCreationInputTokens")) or 0
    thought = whole_number(usage.get("reasoningTokens")) or 0
    thought = thought or whole_number(_object(metadata.get("openai")).get("reasoningTokens")) or 0
    output = whole_number(usage.get("outputTokens")) or 0
    if output < thought:
        output += thought  # old rows of some providers tell the output without the reasoning
    given = max(0, (whole_number(usage.get("inputTokens")) or 0) - read - written)
    ticks = _object(metadata.get("xai")).get("costInUsdTicks")
    is_included = _object(metadata.get("mux")).get("costsIncluded") is True
    return Bill(
        Tokens(given, output, read, written, reasoning=thought),
        Billed.ELSEWHERE if is_included else None,
        None if is_included else _usd(ticks),
    )


def _usd(ticks: Any) -> float | None:
    is_number = isinstance(ticks, int | float) and not isinstance(ticks, bool)
    return ticks / _TICKS if is_number and 0 <= ticks <= MAX_USD * _TICKS else None


def model_of(value: Any) -> Model:
    """The model in a name, without provider and gateway."""
    if not isinstance(value, str) or not value:
        return Model(None, None, None)
    provider, colon, model = value.partition(":")
    if not colon:
        return Model(short(value), None, None)
    gateway = None
    if provider in GATEWAYS and "/" in model:
        gateway = provider
        provider, _, model = model.partition("/")
    return Model(short(model or value), short(provider), gateway)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
