"""Which responses of a model have another price than its others: its fast ones, and its batches.

Where they have, they are rows of their own in every list of models; a list of their prices that says the same for all,
as a user's own price does, makes none.
"""

from __future__ import annotations

_APART = """
    WITH lists AS (
        SELECT model, speed, tier, list((valid_from, valid_to, above, input, output, cache_read, cache_write_5m,
            cache_write_1h, web_search) ORDER BY valid_from, above) AS prices
        FROM rates GROUP BY model, speed, tier
    )
    SELECT s.model, c.speed, c.tier FROM lists s
    CROSS JOIN (VALUES ('fast', 'standard'), ('standard', 'batch'), ('fast', 'batch')) c(speed, tier)
    LEFT JOIN lists o ON o.model = s.model AND o.speed = c.speed AND o.tier = c.tier
    WHERE s.speed = 'standard' AND s.tier = 'standard' AND o.prices IS DISTINCT FROM s.prices
"""

STANDARD = "standard"


def priced_apart(rows: str) -> str:
    """SQL of `rows`, which have model, speed and service_tier, with these two as `priced_speed` and `priced_tier`.

    They are "standard" wherever a response costs what the model's ordinary ones do.
    """
    return f"""(
    SELECT r.*, coalesce(a.speed, '{STANDARD}') AS priced_speed, coalesce(a.tier, '{STANDARD}') AS priced_tier
    FROM {rows} r LEFT JOIN ({_APART}) a ON a.model = r.model
        AND a.speed = CASE WHEN r.speed = 'fast' THEN 'fast' ELSE '{STANDARD}' END
        AND a.tier = CASE WHEN r.service_tier = 'batch' THEN 'batch' ELSE '{STANDARD}' END)"""
