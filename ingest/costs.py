"""What responses cost: the rates of the models in the store, and the SQL that multiplies by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..queries.schema import TABLES
from ..queries.token_kinds import RATES, billed_elsewhere
from .model_names import PRICE_NAME
from .prices import Rate

if TYPE_CHECKING:
    from ..queries.store import Writer


def write_rates(
    connection: Writer, rates: Sequence[Rate], models: Mapping[str, int | None], *, are_new: bool = False
) -> None:
    """Keep the rates of the models that were looked up (-> their context window); those without rates have no price.

    `are_new`: the store knows none of them.
    """
    names = list(models)
    if not names:
        return
    if not are_new:
        connection.execute("DELETE FROM rates WHERE model IN (SELECT unnest(?))", [names])
        connection.execute("DELETE FROM models WHERE model IN (SELECT unnest(?))", [names])
    columns = list(TABLES["rates"])
    _insert(connection, "rates", [[getattr(rate, name) for name in columns] for rate in rates])
    known = {rate.model for rate in rates}
    _insert(connection, "models", [[model, model in known, window] for model, window in models.items()])


def _insert(connection: Writer, table: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        # As columns: to parse a mark for each value takes longer than all the rest.
        columns = ", ".join(f"unnest(?::{kind}[])" for kind in TABLES[table].values())
        connection.execute(
            f"INSERT INTO {table} SELECT {columns}", [list(column) for column in zip(*rows, strict=True)]
        )


def priced(rows: str) -> str:
    """SELECT of responses with their cost in USD, by the rates of the store.

    NULL where a rate is not known, and where somebody else pays.

    The whole request moves to the tier whose threshold its input and cache tokens exceed. So a response has one rate,
    up to where the next tier begins: to join all below and group the responses takes twice as long.
    """
    parts = " + ".join(
        f"CASE WHEN r.{tokens} = 0 THEN 0 ELSE r.{tokens} * p.{rate} END" for tokens, rate in RATES.items()
    )
    day = "coalesce(r.ts, '9999-12-31'::TIMESTAMP)::DATE"
    large = "r.total_tokens - r.output_tokens"
    return f"""
        SELECT r.*, CASE WHEN p.rated IS NOT NULL THEN
            ({parts}) * CASE WHEN lower(r.inference_geo) = 'us' THEN coalesce(p.us_factor, 1) ELSE 1 END / 1e6 +
            r.web_searches * coalesce(p.web_search, 0) / 1e3 END AS cost_usd
        FROM {rows} r LEFT JOIN (
            SELECT model AS rated, * EXCLUDE (model),
                lead(above) OVER (PARTITION BY model, speed, tier, valid_from ORDER BY above) AS below FROM rates
        ) p ON p.rated = CASE WHEN NOT {billed_elsewhere("r.")} THEN {PRICE_NAME} END
            AND p.speed = CASE WHEN r.speed = 'fast' THEN 'fast' ELSE 'standard' END
            AND p.tier = CASE WHEN r.service_tier = 'batch' THEN 'batch' ELSE 'standard' END
            AND {day} >= coalesce(p.valid_from, '-infinity'::DATE)
            AND {day} < coalesce(p.valid_to, 'infinity'::DATE)
            AND (p.above = 0 OR {large} > p.above)
            AND (p.below IS NULL OR NOT coalesce({large} > p.below, false))"""
