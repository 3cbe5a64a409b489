"""List prices as plain rows, so that SQL can price every response by multiplying.

The prices come from `genai-prices`, which is bundled and never asks the network. Loading it takes most of a
second and one of its lookups 0.2 ms, so it is imported only when a model is met for the first time; its
answer becomes `Rate` rows, and from then on a response is priced, or priced again, without it.

Which rate belongs to a response (all comparisons in UTC):

    prompt = input + cache_read + cache_write_5m + cache_write_1h
    rate.model = price name of the response: see `model_names.price_name`
    rate.speed = 'fast'  if response.speed = 'fast'           else 'standard'
    rate.tier  = 'batch' if response.service_tier = 'batch'   else 'standard'
    rate.valid_from is null or response.day >= rate.valid_from
    rate.valid_to   is null or response.day <  rate.valid_to
    rate.above = 0 or prompt > rate.above     -- of the rows left, the one with the largest `above`

and what it costs, in USD (the whole request moves to the long-context rate, not only what exceeds the limit):

    ( input * rate.input + output * rate.output + cache_read * rate.cache_read
      + cache_write_5m * rate.cache_write_5m + cache_write_1h * rate.cache_write_1h ) / 1e6
    + web_searches * coalesce(rate.web_search, 0) / 1e3

of which the first line is multiplied with `rate.us_factor` if response.inference_geo = 'us'.

No row means no price: the cost is null and the tokens are reported as unpriced. A response without a time
takes the rate whose `valid_to` is null.

Where the price list is silent:

- A cache price that is not listed: the library charges those tokens at the price of the kind they belong to
  (a cache read or write as input, a one-hour write as any other write), and so do we. The exception is the
  one-hour write of a Claude model, which Anthropic sells at twice the input price:
  https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing
- The fast mode of Opus 4.6 and 4.7, and the Batch API before the day from which the library lists it: see
  `FAST_MULTIPLIERS` and `BATCH_MULTIPLIER`. Any other speed or tier without a listed price has no row.
- What is paid for staying in the US (`US_FACTOR`), prices of the past (`FORMER_CACHE_READS`) and models of
  limited availability (`model_names.LISTED_AS`).
- Prices that change with the hour of the day, or are charged per request, do not fit a row: such models
  (some of DeepSeek's and Perplexity's) are unpriced until the configuration gives a price.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ..queries import rollups
from .listed_rates import listed
from .model_names import bare_name, find, without_provider

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

LIBRARY = "genai_prices"

RULES = 3
"""Raised when this module makes other rates of the same price list, so that stored costs are renewed."""

FAST_MULTIPLIERS = {"claude-opus-4-6": Decimal(6), "claude-opus-4-7": Decimal(6)}
"""Fast mode, times the standard token prices, for the models whose fast price the library does not list:
https://platform.claude.com/docs/en/build-with-claude/fast-mode#pricing"""

BATCH_MULTIPLIER = Decimal("0.5")
"""Anthropic's Batch API halves every token price. The library lists that from 2026-10-14 on; it is older:
https://platform.claude.com/docs/en/about-claude/pricing#batch-processing"""

US_FACTOR = Decimal("1.1")
"""Times all token prices, where `inference_geo` is "us", in any speed and tier. Only Anthropic's own API takes that
setting, of Opus 4.6 and all later models: https://platform.claude.com/docs/en/about-claude/pricing#data-residency"""

_FIRST_WITH_GEO = (4, 6)
FORMER_CACHE_READS = {"claude-sonnet-5-5": (date(2026, 10, 7), Decimal("0.1"))}
"""Model -> the UTC day on which its cache reads became cheaper, and what part of the input price they cost until then.
The library has the new price for all days."""

LONG_CONTEXT_WINDOW = 1_000_000
"""Tokens; what the suffix `[1m]` of a model name asks for."""

_CONTEXTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("standard", "standard"): {},
    ("fast", "standard"): {"speed": "fast"},
    ("standard", "batch"): {"processing": "batch"},
}


_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Rate:
    """What one model costs in one span of days, at one speed and tier, above one prompt size.

    USD per million tokens; `web_search` is USD per 1,000 searches, None where the provider lists none.
    """

    model: str
    """A model as written in the transcript, or a price name."""
    speed: str
    """`standard` or `fast`."""
    tier: str
    """`standard` or `batch`."""
    valid_from: date | None
    """First UTC day; None: since ever."""
    valid_to: date | None
    """The UTC day after the last; None: until further notice."""
    above: int
    """For requests whose prompt, cache reads and writes included, is larger than this many tokens; 0: any."""
    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    web_search: float | None
    context_window: int | None
    """Tokens; None if not known."""
    us_factor: float = 1.0
    """Times the token prices, if the request had to stay in the US."""


@dataclass(frozen=True, slots=True)
class UserPrice:
    """A model's price as the configuration gives it; units as in `Rate`.

    Of the cache prices that are left out, reads and five-minute writes cost what input costs, and one-hour
    writes what five-minute writes cost.
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write_5m: float | None = None
    cache_write_1h: float | None = None
    web_search: float | None = None
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class PriceOverrides:
    """What the configuration says about prices.

    Names are compared as written, else in any case and without `[1m]`.

    `aliases` maps a name from the transcripts to the model whose price it has; `prices` maps a name to its
    price, which then holds for every day, speed, tier and prompt size. A name in both has its own price.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, UserPrice] = field(default_factory=dict)
    windows: Mapping[str, int] = field(default_factory=dict)

    @property
    def context_windows(self) -> dict[str, int]:
        """Model -> tokens, where the configuration tells them."""
        told = {name: price.context_window for name, price in self.prices.items()}
        return {name: window for name, window in told.items() if window} | dict(self.windows)


def rates_for(models: Iterable[str], overrides: PriceOverrides) -> list[Rate]:
    """The rates of the given models, none for a model without a known price.

    For each model, speed and tier that has rates on a day, exactly one of them matches any prompt size by the
    rule of this module's docstring. The first call that needs the library takes about a second.
    """
    return [rate for model in dict.fromkeys(models) for rate in _rates(model, overrides)]


def fingerprint(overrides: PriceOverrides) -> str:
    """A text that changes whenever `rates_for` could answer differently, or rollups become others.

    Cheap: loads no price list.
    """
    prices = {model: asdict(price) for model, price in overrides.prices.items()}
    told = [RULES, rollups.VERSION, version(LIBRARY), dict(overrides.aliases), prices]
    told += [dict(overrides.windows)] if overrides.windows else []
    return json.dumps(told, sort_keys=True)


def version(package: str) -> str:
    """The version of an installed package. Raises PackageNotFoundError.

    Installers put a folder `package-version.dist-info` beside it. `importlib.metadata`, which takes longer to import
    than all else that a run without news does here, is asked only where there is not exactly one.
    """
    spec = find_spec(package)
    beside = Path(spec.origin).parent.parent if spec and spec.origin else None
    found = list(beside.glob(f"{package}-*.dist-info")) if beside else []
    if len(found) == 1:
        return found[0].name.removeprefix(f"{package}-").removesuffix(".dist-info")
    from importlib import metadata

    return metadata.version(package)


def _rates(model: str, overrides: PriceOverrides) -> Iterator[Rate]:
    names = [model]
    own = _entry(overrides.prices, model)
    while own is None and (target := _entry(overrides.aliases, names[-1])) is not None and target not in names:
        names.append(target)
        own = _entry(overrides.prices, target)
    if own is not None:
        yield from _user_rates(model, own)
    else:
        yield from _listed(model, names[-1], long_context=any("[1m]" in name.lower() for name in names))


def _listed(model: str, name: str, *, long_context: bool) -> Iterator[Rate]:
    """The rates of a model by those of the name that it is listed under."""
    known = None if long_context else listed(name, version(LIBRARY), RULES)
    if known is not None:
        yield from (Rate(model=model, **row) for row in known)
    elif found := find(name):
        yield from _list_rates(model, *found, long_context=long_context)


def rates_by_library(model: str) -> list[Rate]:
    """The rates of a model as the library has them; loads that."""
    found = find(model)
    return [] if found is None else list(_list_rates(model, *found, long_context=False))


def _entry(table: Mapping[str, _Told], name: str) -> _Told | None:
    """What the configuration says of a name: as it is written, else as it is without its wrapping."""
    if name in table:
        return table[name]
    bare = bare_name(name)
    found = next((told for key, told in table.items() if bare_name(key) == bare), None)
    # A model may be told for all that sell it.
    model = without_provider(name)
    return _entry(table, model) if found is None and model != name else found


def _user_rates(model: str, price: UserPrice) -> Iterator[Rate]:
    write_5m = price.input if price.cache_write_5m is None else price.cache_write_5m
    for speed in ("standard", "fast"):
        for tier in ("standard", "batch"):
            yield Rate(
                model=model,
                speed=speed,
                tier=tier,
                valid_from=None,
                valid_to=None,
                above=0,
                input=price.input,
                output=price.output,
                cache_read=price.input if price.cache_read is None else price.cache_read,
                cache_write_5m=write_5m,
                cache_write_1h=write_5m if price.cache_write_1h is None else price.cache_write_1h,
                web_search=price.web_search,
                context_window=price.context_window,
            )


def _list_rates(model: str, provider: Provider, info: ModelInfo, *, long_context: bool) -> Iterator[Rate]:
    days = _change_days(info)
    if days is None:
        return
    factor = US_FACTOR if provider.id == "anthropic" and _takes_geo(info) else Decimal(1)
    window = max(info.context_window or 0, LONG_CONTEXT_WINDOW) if long_context else info.context_window
    for speed, tier in _CONTEXTS:
        for start, end, cards in _spans(provider, info, days, speed, tier):
            for card in cards:
                yield Rate(
                    model=model,
                    speed=speed,
                    tier=tier,
                    valid_from=start,
                    valid_to=end,
                    above=card.above,
                    input=card.tokens[0],
                    output=card.tokens[1],
                    cache_read=card.tokens[2],
                    cache_write_5m=card.tokens[3],
                    cache_write_1h=card.tokens[4],
                    web_search=card.web_search,
                    context_window=window,
                    us_factor=float(factor),
                )


def _takes_geo(info: ModelInfo) -> bool:
    """Whether requests to a model of Anthropic's may ask for a place."""
    found = re.match(r"claude-[a-z]+-(\d+)(?:-(\d+))?", info.id)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= _FIRST_WITH_GEO


@dataclass(frozen=True, slots=True)
class _Card:
    """The prices of one day above one prompt size; `tokens` in the order of the fields of `Rate`."""

    above: int
    tokens: tuple[float, ...]
    web_search: float | None


_Span: TypeAlias = tuple[date | None, date | None, list[_Card]]


def _change_days(info: ModelInfo) -> list[date] | None:
    """The days on which the model's prices change; None if they also change with the hour."""
    from genai_prices.types import ModelPrice, TimeOfDateConstraint

    listed = [] if isinstance(info.prices, ModelPrice) else info.prices
    days: set[date] = set()
    for entry in (*listed, *(info.price_variants or ())):
        if isinstance(entry.constraint, TimeOfDateConstraint):
            return None
        if entry.constraint is not None:
            days.add(entry.constraint.start_date)
    if former := _former_cache_reads(info):
        days.add(former[0])
    return sorted(days)


def _former_cache_reads(info: ModelInfo) -> tuple[date, Decimal] | None:
    """What `FORMER_CACHE_READS` says of a model, whoever sells it."""
    name = info.id.lower().replace(".", "-")
    return next((former for model, former in FORMER_CACHE_READS.items() if model in name), None)


def _spans(provider: Provider, info: ModelInfo, days: list[date], speed: str, tier: str) -> list[_Span]:
    """The prices between the days on which some price changes, joined where this speed and tier did not."""
    spans: list[_Span] = []
    for start, end in zip([None, *days], [*days, None], strict=True):
        # With no day before it, the oldest price holds on any day before the first change.
        cards = _cards(provider, info, start or date.min, speed, tier)
        if spans and spans[-1][2] == cards:
            start = spans.pop()[0]
        spans.append((start, end, cards))
    return spans


def _cards(provider: Provider, info: ModelInfo, day: date, speed: str, tier: str) -> list[_Card]:
    """One card per prompt size at which a price changes; none where there is no price that fits a `Rate`."""
    found = _price_on(provider, info, day, speed, tier)
    if found is None:
        return []
    price, factor = found
    if price.input_mtok is None or price.output_mtok is None or price.requests_kcount is not None:
        return []
    return [
        _Card(
            above,
            tuple(float(each * factor) for each in _token_prices(info, price, above, day)),
            None if price.web_searches_kcount is None else float(_at(price.web_searches_kcount, above)),
        )
        for above in _thresholds(price)
    ]


def _price_on(
    provider: Provider, info: ModelInfo, day: date, speed: str, tier: str
) -> tuple[ModelPrice, Decimal] | None:
    """A day's price from the library, and what to multiply its token prices with; None if there is none."""
    moment = datetime.combine(day, time(), UTC)
    standard = info.get_prices(moment)
    context = _CONTEXTS[speed, tier]
    if not context:
        return standard, Decimal(1)
    # The library keeps variants to the provider that lists them: Azure borrows only Anthropic's base prices.
    if any(info is own for own in provider.models):
        special = info.get_prices(moment, context)
        if special != standard:
            return special, Decimal(1)
    if provider.id != "anthropic":
        return None
    factor = BATCH_MULTIPLIER if tier == "batch" else FAST_MULTIPLIERS.get(info.id)
    return None if factor is None else (standard, factor)


def _thresholds(price: ModelPrice) -> list[int]:
    from genai_prices.types import TieredPrices

    tiers = [tier for value in vars(price).values() if isinstance(value, TieredPrices) for tier in value.tiers]
    return sorted({0, *(tier.start for tier in tiers)})


def _token_prices(info: ModelInfo, price: ModelPrice, above: int, day: date) -> tuple[Decimal, ...]:
    """Input, output, cache read, five-minute and one-hour cache write, for prompts just above a size."""
    cost = {key: _at(value, above) for key, value in vars(price).items() if value is not None}
    if (former := _former_cache_reads(info)) and day < former[0]:
        cost["cache_read_mtok"] = former[1] * cost["input_mtok"]
    write = cost.get("cache_write_mtok", cost["input_mtok"])
    return (
        cost["input_mtok"],
        cost["output_mtok"],
        cost.get("cache_read_mtok", cost["input_mtok"]),
        cost.get("cache_write_5m_mtok", write),
        cost.get("cache_write_1h_mtok", 2 * cost["input_mtok"] if "claude" in info.id.lower() else write),
    )


def _at(price: Decimal | TieredPrices, above: int) -> Decimal:
    """A price for prompts of one token more than `above`."""
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if above >= tier.start]
    return reached[-1] if reached else price.base
