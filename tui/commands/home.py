"""`agnes-stats home`: the last 24 hours, or seven days, in one line."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from .. import marks
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import answered, with_text
from .command import FILTERS, READING, TEXT, Command
from .json_fields import stamp, usd

if TYPE_CHECKING:
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats home`."""
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: home_answer(
            connection, with_text(connection, chosen, given), window=given.window, now=utc_now()
        ),
        show,
    )


def home_answer(connection: Reader, chosen: Filter, *, window: str, now: dt.datetime) -> Answer:
    """`GET /api/me/home-stats`; an unknown window is `24h`."""
    from ...queries import home

    window = window if window in home.WINDOWS else home.DEFAULT_WINDOW
    frame = home.home(connection, window, now=now, chosen=chosen)
    return {
        "window": window,
        "last_pull_at": stamp(frame.last_pull_at),
        "sessions": frame.sessions,
        "prompts": frame.prompts,
        "tokens": {
            "input": frame.input_tokens,
            "output": frame.output_tokens,
            "cache_read": frame.cache_read_tokens,
            "cache_creation": frame.cache_write_tokens,
            "cache_creation_5m": frame.cache_write_5m_tokens,
            "cache_creation_1h": frame.cache_write_1h_tokens,
            "reasoning": frame.reasoning_tokens,
            "total": frame.total_tokens,
        },
        "projects": frame.projects,
        "cost_usd": usd(frame.cost_usd, frame.total_tokens),
        "responses": frame.responses,
        "unpriced_tokens": frame.unpriced_tokens,
        "billed_elsewhere_tokens": frame.billed_elsewhere_tokens,
        "undercounted": frame.undercounted,
        "output_undercounted": frame.undercounted > 0,
    }


def show(answer: dict[str, Any], page: Page) -> list[str]:
    tokens = marks.tokens(answer["tokens"]["total"], answer["undercounted"])
    parts = [
        f"Last {answer['window']}",
        words.plural(answer["sessions"], "session"),
        words.plural(answer["prompts"], "prompt"),
        f"{tokens} tokens",
        words.plural(answer["projects"], "project"),
        *([page.money(answer)] if page.cost else []),
        # Where nothing was ever pulled there mostly is no workspace either: nobody misses a sync.
        *([f"last sync {page.ago(answer['last_pull_at'])}"] if answer["last_pull_at"] else []),
    ]
    return [" · ".join(parts), *page.legends([answer | {"total": answer["tokens"]["total"]}])]


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(("--window", {"default": "24h", "metavar": "W", "help": "24h or 7d (24h)"}), TEXT),
    examples=("home --window 7d",),
)
