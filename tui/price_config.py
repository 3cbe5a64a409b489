"""Prices and aliases of the config file, checked. Imported only if the file has any."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, TypeAdapter, ValidationError

from ..ingest.prices import PriceOverrides, UserPrice
from .settings import BadSetting, Settings


class _Price(BaseModel):
    """USD per million tokens, web searches per thousand."""

    model_config = ConfigDict(extra="forbid")

    input: NonNegativeFloat
    output: NonNegativeFloat
    cache_read: NonNegativeFloat | None = None
    cache_write_5m: NonNegativeFloat | None = None
    cache_write_1h: NonNegativeFloat | None = None
    web_search: NonNegativeFloat | None = None
    context_window: int | None = None


def overrides_from(settings: Settings) -> PriceOverrides:
    """The overrides for the ingester. Raises BadSetting with the first thing that is wrong."""
    try:
        prices = TypeAdapter(dict[str, _Price]).validate_python(settings.prices or {})
        aliases = TypeAdapter(dict[str, str]).validate_python(settings.aliases or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"prices in the config file: {where}: {first['msg']}") from None
    return PriceOverrides(
        aliases=aliases, prices={name: UserPrice(**price.model_dump()) for name, price in prices.items()}
    )
