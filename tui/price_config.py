"""Prices, aliases and context windows of the config file, checked. Imported only if the file has any."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..ingest.prices import PriceOverrides, UserPrice
from .settings import BadSetting, Settings

_Tokens = Annotated[int, Field(ge=1, lt=2**31)]
_Usd = Annotated[float, Field(ge=0, le=1e6)]
"""Beyond that sums would no longer be numbers."""


class _Price(BaseModel):
    """USD per million tokens, web searches per thousand."""

    model_config = ConfigDict(extra="forbid")

    input: _Usd
    output: _Usd
    cache_read: _Usd | None = None
    cache_write_5m: _Usd | None = None
    cache_write_1h: _Usd | None = None
    web_search: _Usd | None = None
    context_window: _Tokens | None = None


def overrides_from(settings: Settings) -> PriceOverrides:
    """The overrides for the ingester. Raises BadSetting with the first thing that is wrong."""
    try:
        prices = TypeAdapter(dict[str, _Price]).validate_python(settings.prices or {})
        aliases = TypeAdapter(dict[str, str]).validate_python(settings.aliases or {})
        windows = TypeAdapter(dict[str, _Tokens]).validate_python(settings.windows or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"prices and windows in the config file: {where}: {first['msg']}") from None
    return PriceOverrides(
        aliases=aliases,
        prices={name: UserPrice(**price.model_dump()) for name, price in prices.items()},
        windows=windows,
    )
