"""`agnes-stats blocks`: tokens and cost by five-hour block, in ccusage's words."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...queries import limits, rhythm
from ...queries.filters import Filter
from ...queries.rhythm import Block
from .. import format as words
from .. import marks, terminal
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import opened, with_text
from .ccusage import HEADINGS, cells, instant, mark_fields, write_legends, write_table
from .command import FILTERS, READING, TEXT, Command
from .json_fields import usd, whose_fields

if TYPE_CHECKING:
    from ...queries.store import Reader

    Report = dict[str, Any]


_RECENT = dt.timedelta(days=3)


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats blocks`: a list of what `by_block` tells."""
    now = utc_now()
    with opened(settings) as connection:
        rows = by_block(connection, with_text(connection, filter_of(settings), given), now)
    if given.active:
        rows = [row for row in rows if row[1]["isActive"]]
    if given.recent:
        since = instant(now - _RECENT)
        rows = [row for row in rows if row[1]["startTime"] >= since]
    if given.json:
        terminal.answer({"blocks": [told for _, told in rows]})
        return 0
    if not rows:
        from .page import page_of

        which = "No block is running." if given.active else "No block in the last three days." if given.recent else None
        terminal.lines([which or page_of(settings, now, filtered=bool(given.text)).nothing("tokens")])
        return 0
    zone = ZoneInfo(settings.tz)
    lines = [(_block_name(told, zone), *_numbers(told)) for block, told in rows if block is not None]
    write_table([("Block", *HEADINGS), *lines], settings)
    for block, _ in rows:
        if block is not None and block.is_running(now):
            terminal.lines([_pace(block, now, settings)])
    write_legends([told for _, told in rows], settings)
    return 0


def _block_name(told: dict[str, Any], zone: ZoneInfo) -> str:
    start, end = (words.local(dt.datetime.fromisoformat(told[key]), zone) for key in ("startTime", "endTime"))
    states = ["running"] if told["isActive"] else []
    if "usageLimitResetTime" in told:
        reset = words.local(dt.datetime.fromisoformat(told["usageLimitResetTime"]), zone)
        states.append(f"limit until {reset:{'%H:%M' if reset.date() == end.date() else '%Y-%m-%d %H:%M'}}")
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}" + (f" ({', '.join(states)})" if states else "")


def _numbers(told: dict[str, Any]) -> tuple[str, ...]:
    counts = told["tokenCounts"]
    kinds = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    return cells([counts[kind] for kind in kinds], told, "costUSD")


def _pace(block: Block, now: dt.datetime, settings: Settings) -> str:
    rate, heading = block.tokens_per_minute(now), block.projected_tokens(now)
    left = words.duration((block.ends_at - now).total_seconds())
    if rate is None or heading is None:
        return f"running: {left} left"
    pace, goal = f"{marks.tokens_of(rate, block)} tokens/min", f"{marks.tokens_of(heading, block)} tokens"
    if not settings.no_cost:
        pace = f"{marks.money_of(block.usd_per_hour(now), block)} an hour, {pace}"
        goal = f"{marks.money_of(block.projected_usd(now), block)}, {goal}"
    return f"running: {left} left, at {pace}, heading for {goal}"


def by_block(connection: Reader, chosen: Filter, now: dt.datetime) -> list[tuple[Block | None, Report]]:
    """The five-hour blocks and the gaps between them, oldest first: a gap has no block.

    Pace and projection, of the running block only, are those of the dashboard: since its first response, up to now.
    """
    hits = [hit for hit in limits.hits(connection, chosen) if hit.until is not None]
    rows: list[tuple[Block | None, Report]] = []
    earlier: Block | None = None
    for block in reversed(rhythm.blocks(connection, chosen)):
        gap = rhythm.gap_between(earlier, block) if earlier else None
        if gap:
            rows.append((None, _gap(*gap)))
        reset = [hit.until for hit in hits if block.started_at <= hit.at < block.ends_at]
        rows.append((block, _block(block, now, reset[-1] if reset else None)))
        earlier = block
    return rows


def _block(block: Block, now: dt.datetime, reset: dt.datetime | None) -> Report:
    running = block.is_running(now)
    told = {
        "id": instant(block.started_at),
        "startTime": instant(block.started_at),
        "endTime": instant(block.ends_at),
        "actualEndTime": instant(block.last_at),
        "isActive": running,
        "isGap": False,
        **whose_fields(block),
        "entries": block.responses,
        "tokenCounts": {
            "inputTokens": block.input_tokens,
            "outputTokens": block.output_tokens,
            "cacheCreationInputTokens": block.cache_write_tokens,
            "cacheReadInputTokens": block.cache_read_tokens,
        },
        "reasoningTokens": block.reasoning_tokens,
        "totalTokens": block.total_tokens,
        "costUSD": usd(block.cost_usd, block.total_tokens),
        **mark_fields([block]),
        "models": block.models,
        "burnRate": _burn_rate(block, now) if running else None,
        "projection": _projection(block, now) if running else None,
    }
    return told if reset is None else {**told, "usageLimitResetTime": instant(reset)}


def _burn_rate(block: Block, now: dt.datetime) -> Report | None:
    rate = block.tokens_per_minute(now)
    if rate is None:
        return None
    uncached = (block.input_tokens + block.output_tokens) / block.total_tokens if block.total_tokens else 0.0
    return {
        "tokensPerMinute": rate,
        # What ccusage rates as high or low: without what the cache did.
        "tokensPerMinuteForIndicator": rate * uncached,
        "costPerHour": block.usd_per_hour(now),
    }


def _projection(block: Block, now: dt.datetime) -> Report | None:
    used, cost = block.projected_tokens(now), block.projected_usd(now)
    if used is None:
        return None
    return {
        "totalTokens": round(used),
        "totalCost": None if cost is None else round(cost, 2),
        "remainingMinutes": round((block.ends_at - now).total_seconds() / 60),
    }


def _gap(start: dt.datetime, end: dt.datetime) -> Report:
    counts = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
    return {
        "id": f"gap-{instant(start)}",
        "startTime": instant(start),
        "endTime": instant(end),
        "actualEndTime": None,
        "isActive": False,
        "isGap": True,
        **dict.fromkeys(("agent", "machine", "username")),
        "entries": 0,
        "tokenCounts": dict.fromkeys(counts, 0),
        "reasoningTokens": None,
        "totalTokens": 0,
        "costUSD": 0.0,
        **mark_fields([]),
        "models": [],
        "burnRate": None,
        "projection": None,
    }


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(
        ("--active", {"action": "store_true", "help": "only the block that is running"}),
        ("--recent", {"action": "store_true", "help": "only the last three days"}),
        TEXT,
    ),
    examples=("blocks --active",),
)
