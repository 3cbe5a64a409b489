"""`agnes-stats models`: tokens and cost by model, in ccusage's words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...queries import tokens
from ...queries.filters import Filter
from ..factories import filter_of
from ..settings import Settings
from .answering import opened, with_text
from .ccusage import sum_fields, tell, total_fields
from .command import FILTERS, READING, TEXT, Command
from .json_fields import whose_fields

if TYPE_CHECKING:
    from ...queries.store import Reader

    Report = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats models`."""
    with opened(settings) as connection:
        report = by_model(connection, with_text(connection, filter_of(settings), given))
    return tell(given, settings, report, "models")


def by_model(connection: Reader, chosen: Filter) -> Report:
    """Sums by model, the largest first; where fast responses or batches are priced apart they are rows of their own."""
    rows = [
        {"modelName": group.name, "speed": group.speed, "service_tier": group.service_tier}
        | whose_fields(group)
        | sum_fields([group])
        for group in tokens.by_group(connection, chosen, "model")
    ]
    return {"models": rows, "totals": total_fields(rows)}


COMMAND = Command(heeds=(*READING, *FILTERS, "no-cost"), run=run, options=(TEXT,))
