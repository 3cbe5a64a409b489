"""What each kind of token costs, and what the prompt cache saves."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .money import exact_sum, known_usd
from .token_kinds import cache_hit_ratio, inward, unpriced
from .tokens import GROUPS, SUMS, TokenSums, detailed, rollup, where_of

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class BilledKind:
    """One kind of what is billed: its name, and the columns of `costed_responses` with its tokens and its USD."""

    name: str
    tokens: str
    cost: str


KINDS = (
    BilledKind("Cache read", "cache_read_tokens", "cache_read_usd"),
    BilledKind("Cache write 5m", "cache_write_5m_tokens", "cache_write_5m_usd"),
    BilledKind("Cache write 1h", "cache_write_1h_tokens", "cache_write_1h_usd"),
    BilledKind("Input", "input_tokens", "input_usd"),
    BilledKind("Output", "output_tokens", "output_usd"),
    # Billed per search, not per token; what the other kinds leave of the cost.
    BilledKind("Web search", "0", "other_usd"),
)

_RATED = {kind.tokens.removesuffix("_tokens"): kind for kind in KINDS if kind.tokens != "0"}

_DUST = 1e-9
"""USD: less than this is what rounding leaves."""


def costed_responses(chosen: Filter) -> str:
    """SQL of `tokens.detailed` with the cost split by kind. Needs the parameter `$zone`."""
    # Another tier may hold for long prompts: of those that do, the one with the highest threshold.
    prompt = "x.total_tokens - x.output_tokens"
    tier = f"(p.above = 0 OR {prompt} > p.above) AND (p.next_above IS NULL OR {prompt} <= p.next_above)"
    return _costed(detailed(chosen, types=True), "x.ts::DATE", tier)


def costed_rollup(connection: Reader, chosen: Filter) -> str:
    """SQL of `tokens.rollup` with the cost split by kind, nearly. Needs the parameter `$zone`.

    A rollup does not know how long the prompts were: the prices for short ones decide how the parts of a cost stand
    to each other. Only requests beyond a model's long-context threshold make a difference; the sum is always right.
    """
    return _costed(rollup(connection, chosen), "x.day", "p.above = 0")


def _costed(rows: str, day: str, tier: str) -> str:
    """Rows of tokens with `input_usd` and the like, which add up to `cost_usd`, and `saved_usd`.

    `saved_usd` is what the cached tokens would have cost as plain input, less what they did cost: a cache write is
    dearer than input, so it can be negative.
    """
    base = {name: f"coalesce(x.{kind.tokens} * p.{name}, 0) / 1e6" for name, kind in _RATED.items()}
    known = " + ".join(base.values())
    saved = " + ".join(
        f"coalesce(x.{_RATED[name].tokens} * (p.input - p.{name}), 0) / 1e6" for name in _RATED if "cache" in name
    )
    columns = ", ".join(f"{part} AS base_{name}" for name, part in base.items())
    parts = ", ".join(f"base_{name} * scale AS {name}_usd" for name in base)
    rest = " - ".join(["cost_usd", *(f"base_{name} * scale" for name in base)])
    return f"""(
    SELECT * EXCLUDE (scale, base_saved, {", ".join(f"base_{name}" for name in base)}),
        {parts}, CASE WHEN {rest} < {_DUST} THEN 0 ELSE {rest} END AS other_usd, base_saved * scale AS saved_usd
    FROM (
        SELECT x.*, {columns}, {saved} AS base_saved,
            -- Parts and whole differ where the prices are not exactly those of the requests.
            CASE WHEN x.cost_usd IS NULL THEN NULL WHEN {known} > 0
                THEN greatest(x.cost_usd - coalesce(x.web_searches * p.web_search, 0) / 1e3, 0) / ({known})
                ELSE 0 END AS scale
        -- The limit keeps a filter on the model away from the rates. DuckDB 2.0.0 takes a left join whose right side it
        -- has proved empty for empty itself, and then believes coalesce(sum(tokens), 0) to be 0 where it is not.
        FROM {rows} x LEFT JOIN (
            SELECT *, lead(above) OVER (PARTITION BY model, speed, tier, valid_from ORDER BY above) AS next_above
            FROM rates LIMIT 1000000
        ) p ON p.model = x.model AND {tier}
            AND p.speed = CASE WHEN x.speed = 'fast' THEN 'fast' ELSE 'standard' END
            AND p.tier = CASE WHEN x.service_tier = 'batch' THEN 'batch' ELSE 'standard' END
            AND coalesce({day}, '9999-12-31'::DATE) >= coalesce(p.valid_from, '-infinity'::DATE)
            AND coalesce({day}, '9999-12-31'::DATE) < coalesce(p.valid_to, 'infinity'::DATE)
    ))"""


@dataclass(frozen=True, slots=True)
class KindTokens:
    """Tokens of one kind, and their cost in USD: None where nothing has a price."""

    name: str
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int
    """Responses whose output is a lower bound; no other kind of tokens is one."""


def by_kind(connection: Reader, chosen: Filter) -> list[KindTokens]:
    """What each kind took, in the order of KINDS, those left out that took nothing."""
    where = where_of(chosen)
    kinds = " UNION ALL ".join(
        f"""SELECT {place} AS place, '{kind.name}' AS name, coalesce(sum({kind.tokens}), 0)::BIGINT AS tokens,
            {exact_sum(kind.cost)} AS cost_usd,
            coalesce(sum({kind.tokens}) FILTER {unpriced()}, 0)::BIGINT AS unpriced_tokens,
            {"coalesce(sum(undercounted), 0)::BIGINT" if kind.tokens == "output_tokens" else "0"} AS undercounted
        FROM costed"""
        for place, kind in enumerate(KINDS)
    )
    found = connection.ask(
        KindTokens,
        f"WITH costed AS MATERIALIZED (FROM {costed_responses(chosen)} WHERE {where}) FROM ({kinds}) ORDER BY place",
        where.parameters,
    )
    return [kind for kind in found if kind.tokens or kind.cost_usd]


@dataclass(frozen=True, slots=True)
class ModelCache(TokenSums):
    """Sums of one model, and what the cache saved in USD (None without a price)."""

    name: str
    saved_usd: float | None

    @property
    def provider(self) -> str:
        """Who makes the model."""
        return provider_of(self.name)


@dataclass(frozen=True, slots=True)
class ProviderCache:
    """The cache of all models of a maker, largest first."""

    name: str
    models: tuple[ModelCache, ...]

    @property
    def cache_read_tokens(self) -> int:
        """Tokens read from the cache."""
        return sum(model.cache_read_tokens for model in self.models)

    @property
    def inward_tokens(self) -> int:
        """Tokens that went in: plain, read from the cache, and written to it."""
        return sum(map(inward, self.models))

    @property
    def unpriced_tokens(self) -> int:
        """Tokens without a known price: what the cache saved of them is not known."""
        return sum(model.unpriced_tokens for model in self.models)

    @property
    def cache_hit_ratio(self) -> float | None:
        """Weighted by tokens, so it is the ratio of the sums; None if nothing went in."""
        return cache_hit_ratio(self.cache_read_tokens, self.inward_tokens)

    @property
    def saved_usd(self) -> float | None:
        """USD; None without a price."""
        return known_usd(model.saved_usd for model in self.models)


def by_model(connection: Reader, chosen: Filter) -> list[ModelCache]:
    """The cache of each model, the one with most tokens first."""
    where = where_of(chosen)
    return connection.ask(
        ModelCache,
        f"SELECT {GROUPS['model']} AS name, {SUMS}, {exact_sum('saved_usd')} AS saved_usd "
        f"FROM {costed_rollup(connection, chosen)} WHERE {where} GROUP BY 1 ORDER BY total_tokens DESC, name",
        where.parameters,
    )


def by_provider(models: list[ModelCache]) -> list[ProviderCache]:
    """The same by maker, the one with most tokens first."""
    found: dict[str, list[ModelCache]] = defaultdict(list)
    for model in models:
        found[model.provider].append(model)
    makers = [ProviderCache(name, tuple(of_maker)) for name, of_maker in found.items()]
    return sorted(makers, key=lambda maker: (-maker.inward_tokens, maker.name))


def saved(connection: Reader, chosen: Filter) -> float | None:
    """What the cache saved over the selection, in USD; None without a price."""
    where = where_of(chosen)
    answer: float | None = connection.value(
        f"SELECT {exact_sum('saved_usd')} FROM {costed_rollup(connection, chosen)} WHERE {where}",
        where.parameters,
    )
    return answer


_MAKERS = (
    ("Anthropic", r"claude"),
    ("OpenAI", r"gpt|codex|(^|[/:.-])o[134]($|-)"),
    ("Google", r"gemini|gemma"),
    ("xAI", r"grok"),
    ("DeepSeek", r"deepseek"),
    ("Mistral", r"mistral|mixtral|codestral|devstral|magistral"),
    ("Meta", r"llama"),
    ("Alibaba", r"qwen|qwq"),
    ("Moonshot", r"kimi|moonshot"),
    ("Z.ai", r"(^|[/:.-])glm"),
    ("MiniMax", r"minimax"),
)


def provider_of(model: str) -> str:
    """The maker of a model, by its name: the transcripts do not tell. Unknown: what stands before "/", or "other"."""
    name = model.lower()
    for maker, pattern in _MAKERS:
        if re.search(pattern, name):
            return maker
    head, slash, _ = model.partition("/")
    return head if slash and head else "other"
