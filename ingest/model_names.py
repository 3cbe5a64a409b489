"""Which entry of the price list a model's name means, in any of the spellings that transcripts hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

LISTED_AS = {"claude-mythos-5": "claude-fable-5", "claude-mythos-5-1": "claude-fable-5-1"}
"""Models that the library does not list -> the one that has the same prices on every line of Anthropic's list:
https://platform.claude.com/docs/en/about-claude/pricing#model-pricing"""

_ARN = re.compile(r"arn:[^:]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)")
_BEDROCK = re.compile(r"(?P<region>[a-z-]+\.)?(?P<name>[a-z]+\.(?P<model>[a-z].*?)(?:-v\d+)?(?::\d+)?)")


_BY_PROVIDER = re.compile(r"([^:/]+):(?=.)")
PRICE_NAME = "coalesce(nullif(provider, '') || ':', '') || coalesce(nullif(priced_as, ''), model)"
"""SQL of the name under which the price of a response is looked up; `price_name` says the same of a row."""


def models_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All models of some rows of responses, and the names under which their prices are looked up, each once."""
    found: set[str] = set()
    for row in rows:
        found.add(row["model"])
        found.add(price_name(row))
    return sorted(found)


def price_name(row: Mapping[str, Any]) -> str:
    """The name under which the price of a response is looked up: `provider:model`, or the model alone.

    The model is the one that the source says it is priced as, if it says that.
    """
    model, provider = row.get("priced_as") or row["model"], row.get("provider")
    return f"{provider}:{model}" if provider else str(model)


def without_provider(name: str) -> str:
    """The model in a price name."""
    found = _BY_PROVIDER.match(name)
    return name[found.end() :] if found and not name.lower().startswith("arn:") else name


def bare_name(name: str) -> str:
    """A name in lower case, without Claude Code's `[1m]` and without what a gateway puts before an ARN."""
    bare = re.sub(r"\[[^]]*\]$", "", name.strip().lower())
    return bare[max(bare.find("arn:"), 0) :]


def find(name: str) -> tuple[Provider, ModelInfo] | None:
    """The library's entry for a model name in any of the spellings that transcripts hold.

    The library itself knows plain names (`claude-sonnet-4-5-20250929`), and others once it is told the
    provider. That is read from the name: `provider/model` and `provider:model` (LiteLLM, OpenRouter, Mux),
    `vendor.model` with or without a region, alone or at the end of an ARN (Bedrock), `model@date` (Vertex).
    A gateway's own prefix, which names no provider, is dropped: the model then has its maker's list price.
    """
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    bare = bare_name(name)
    # Of a newer model Bedrock's names have no day, of an older one they have.
    undated = re.sub(r"-20\d{6}(?!\d)", "", bare)
    for listed in dict.fromkeys((bare, _listed_as(bare), _listed_as(undated))):
        for provider_id, ref in _spellings(listed):
            try:
                return snapshot.find_provider_model(ref, None, provider_id, None)
            except LookupError:
                continue
    return None


def _listed_as(ref: str) -> str:
    """A name with the model of `LISTED_AS` in place of the one that is not listed."""
    for model, listed in LISTED_AS.items():
        # A day may follow the name, a further part of the version may not.
        ref = re.sub(model.replace("-", "[-.]") + r"(?![-.]?\d{1,2}(?!\d))", listed, ref)
    return ref


def _spellings(ref: str) -> Iterator[tuple[str | None, str]]:
    """(provider or None, name) pairs in the order in which they are tried."""
    if ref.startswith("arn:"):
        # What a profile of one's own stands for, its ARN does not say.
        if found := _ARN.match(ref):
            yield from _spellings(found[1])
        return
    if "@" in ref:
        yield "google", ref
    # Two may sell a model of the same name: who did, says it first.
    if seller := _BY_PROVIDER.match(ref):
        yield seller[1], ref[seller.end() :]
    yield None, ref
    if bedrock := _BEDROCK.fullmatch(ref):
        yield "aws", ref
        # AWS has one price for all regions of a model, whichever of them the library knows.
        yield from [(None, bedrock["model"])] if bedrock["region"] == "global." else [("aws", f"us.{bedrock['name']}")]
    if head := re.match(r"([^:/]+)[:/](?=.)", ref):
        yield head[1], ref[head.end() :]
        yield from _spellings(ref[head.end() :])
