"""`agnes-stats status`: what runs, what today took, what is left of limits and budgets, in one answer for a machine.

No paths, titles or prompts are in it. The exit status says how it stands with limits and budgets.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .. import format as words
from .. import learnt, limit_text, marks, terminal
from ..factories import budgets_of, filter_of, utc_now
from ..live_states import told_states
from ..ranges import day_at
from ..settings import Settings
from .answering import opened, with_text
from .command import BUDGETS, READING, TEXT, Command
from .json_fields import stamp, token_fields
from .limits import limit_rows
from .page import TextColumn, page_of, table

if TYPE_CHECKING:
    from ...queries.budget import Budget
    from ...queries.filters import Filter
    from ...queries.live import LiveSession
    from ...queries.store import Reader
    from ...queries.tokens import TokenSums
    from .page import Page

    Answer = dict[str, Any]

FINE, NEAR, OVER = 0, 10, 20
"""Exit statuses: nothing is near, 80 % of a budget or limit is used, all of one is."""


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats status`."""
    now = utc_now()
    with opened(settings) as connection:
        answer = status_answer(connection, settings, with_text(connection, filter_of(settings), given), now)
        if not given.json:
            learnt.learn(connection)
    if given.json:
        terminal.answer(answer)
    else:
        terminal.lines(show(answer, page_of(settings, now)))
    return exit_status(answer)


def status_answer(connection: Reader, settings: Settings, chosen: Filter, now: dt.datetime) -> Answer:
    """All of it; `now` is UTC without a zone."""
    from ...queries import budget, live, tokens

    today = day_at(now, ZoneInfo(settings.tz))
    everyday = chosen.but(since=None, until=None)
    of_today = everyday.but(since=today, until=today)
    sums, thought = tokens.totals(connection, of_today), tokens.reasoning(connection, of_today)
    running = live.running_now(connection, everyday, now=now, told=told_states(settings))
    spent = budget.budgets(connection, chosen, budgets_of(settings), now=now)
    return {
        "live": [_live(one) for one in running],
        "today": _today(sums, thought),
        "limits": limit_rows(connection, chosen, now),
        "budget": [_budget(one) for one in spent],
    }


def _today(sums: TokenSums, thought: int | None) -> Answer:
    fields = token_fields(sums)
    tokens = {name: fields.pop(name) for name in ("input", "output", "cache_read", "cache_creation")}
    tokens |= {name: fields.pop(name) for name in ("cache_creation_5m", "cache_creation_1h")}
    tokens |= {"reasoning": thought, "total": fields.pop("total")}
    return {"tokens": tokens, **fields}


def _live(one: LiveSession) -> Answer:
    return {
        "session": one.session.session_id,
        "agent": one.session.agent,
        "state": one.state,
        "since": stamp(one.since),
        "exact": one.exact,
        "tokens_per_minute": one.tokens_per_minute,
        "usd_per_hour": one.usd_per_hour,
        "runaway": one.runaway,
        "subagents": one.agents,
    }


def _budget(one: Budget) -> Answer:
    return {
        "period": one.period,
        "session": one.session_id,
        "limit_usd": one.budget_usd,
        "spent_usd": one.spent_usd,
        "used_ratio": one.share,
        "projected_usd": one.projected_usd,
        "unpriced_tokens": one.unpriced_tokens,
        "output_undercounted": one.undercounted > 0,
    }


def exit_status(answer: Answer) -> int:
    """FINE, NEAR or OVER; of a limit nobody knows anything once it was reset."""
    shares = [one["used_ratio"] for one in answer["budget"]]
    shares += [row["used_percentage"] / 100 for row in answer["limits"] if row["used_percentage"] is not None]
    from ...queries.budget import state_of

    return {"within": FINE, "near": NEAR, "over": OVER}[state_of(max(shares, default=0.0))]


_COLUMNS = (
    TextColumn("Session"),
    TextColumn("Agent", rank=2),
    TextColumn("State"),
    TextColumn("Since"),
    TextColumn("Tokens/min", right=True),
    TextColumn("Cost/h", right=True, rank=1),
)


def show(answer: Answer, page: Page) -> list[str]:
    """Some lines for people."""
    rows = [_cells(row, page) for row in answer["live"]]
    lines = [*table(_COLUMNS, rows, page.width), ""] if rows else ["Nothing runs."]
    today = answer["today"]
    spent = f"{page.money(today)} " if page.cost else ""
    lines.append(f"Today {spent}{marks.tokens(today['tokens']['total'], today['undercounted'])} tokens")
    limits = [
        limit_text.used(row["window"], row["used_percentage"], row["account"]) + (" (stale)" if row["stale"] else "")
        for row in answer["limits"]
    ]
    if limits:
        lines.append(f"Limits {' · '.join(limits)}")
    lines += [
        f"Budget of a {one['period']} {words.usd(one['spent_usd'])} of {words.usd(one['limit_usd'])} "
        f"({words.percent(int(one['used_ratio'] * 100 + 1e-9) / 100, 0)})"
        for one in answer["budget"]
    ]
    return lines


def _cells(row: Answer, page: Page) -> Sequence[str]:
    usd = row["usd_per_hour"]
    return (
        row["session"][:8],
        row["agent"] or words.NONE,
        row["state"] + ("" if row["exact"] else " (inferred)") + (", runs away" if row["runaway"] else ""),
        page.ago(row["since"]),
        words.count(round(row["tokens_per_minute"])),
        words.usd(usd) if page.cost and usd is not None else words.NONE,
    )


COMMAND = Command(
    heeds=(*READING, "project", "agent", "machine", "user", "model", "branch", "agent-version", *BUDGETS, "no-cost"),
    run=run,
    options=(TEXT,),
    examples=("status --json",),
)
