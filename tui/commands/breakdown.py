"""`agnes-stats breakdown`: tokens, cost and times by agent, project, model, mode, thinking level, tool and provider."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from .. import marks
from ..factories import filter_of
from ..learnt import differs
from ..settings import Settings
from .answering import answered, with_text
from .command import FILTERS, READING, TEXT, Command
from .json_fields import usd
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.breakdown import Delegation, UsedTokens
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]

_HEADINGS = {
    "agent": "Agent",
    "machine": "Machine",
    "username": "User",
    "project": "Project",
    "model": "Model",
    "mode": "Mode",
    "effort": "Thinking level",
    "tool": "Tool's model",
    "headless": "Without a conversation",
    "provider": "Provider",
    "gateway": "Gateway",
}
_MEASURES = {
    "ttft_ms": "First token, seconds",
    "duration_ms": "Turn, seconds",
    "output_tokens_per_second": "Output tokens per second",
}


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats breakdown`."""
    chosen = filter_of(settings)
    return answered(
        given, settings, lambda connection: breakdown_answer(connection, with_text(connection, chosen, given)), show
    )


def breakdown_answer(connection: Reader, chosen: Filter) -> Answer:
    """All that `queries.breakdown` knows, under its names."""
    from ...queries.breakdown import breakdown

    found = breakdown(connection, chosen)
    # `agent_type`: what it was called until it could be mistaken for the agent that somebody runs.
    by_type = [{**_delegated(child), "agent_type": child.subagent_type} for child in found.children]
    return {
        "totals": {name: value for name, value in _used(found.totals).items() if name != "name"},
        **{f"by_{group}": [_used(row) for row in rows] for group, rows in found.groups.items()},
        **{measure: dataclasses.asdict(getattr(found, measure)) for measure in _MEASURES},
        "delegation": _delegated(found.delegation) | {"by_subagent_type": by_type, "by_agent_type": by_type},
    }


def _delegated(told: Delegation) -> Answer:
    return {**dataclasses.asdict(told), "cost_usd": usd(told.cost_usd, told.children)}


def _used(row: UsedTokens) -> Answer:
    cost = usd(row.cost_usd, row.total_tokens)
    return {**dataclasses.asdict(row), "cost_usd": cost, "cache_hit_ratio": row.cache_hit_ratio}


def show(answer: Mapping[str, Any], page: Page) -> list[str]:
    """The sums, tables of the groups that have a name, the times, and what sub-agents gave back."""
    totals = answer["totals"]
    if not totals["bills"]:
        return [page.nothing("tokens")]
    parts = [
        f"{marks.tokens(totals['total_tokens'], totals['undercounted'])} tokens",
        *([page.money(totals)] if page.cost else []),
        f"{words.plural(totals['bills'], 'bill')}, {words.count(totals['responses'])} of them responses",
        f"cache hit {words.percent(totals['cache_hit_ratio'])}",
    ]
    lines = [" · ".join(parts), ""]
    for group, heading in _HEADINGS.items():
        rows = answer[f"by_{group}"]
        # Who told it is told only where there are several.
        if differs(group) and any(row["name"] is not None for row in rows):
            lines += [*_group(heading, rows, page), ""]
    lines += _times(answer, page)
    lines += _delegation(answer["delegation"], page)
    legends = page.legends([totals], "total_tokens")
    return [*lines, *([""] if legends else []), *legends]


def _group(heading: str, rows: Sequence[Mapping[str, Any]], page: Page) -> list[str]:
    columns = [
        TextColumn(heading, flexible=True),
        *(TextColumn(name, right=True, rank=1) for name in ("Bills", "Output", "Reasoning", "Cache hit")),
        TextColumn("Total", right=True),
        *([TextColumn("Cost", right=True)] if page.cost else []),
    ]
    cells = [
        [
            _name(heading, row["name"]),
            words.count(row["bills"]),
            marks.tokens(row["output_tokens"], row["undercounted"]),
            words.count(row["reasoning_tokens"]),
            words.percent(row["cache_hit_ratio"]),
            marks.tokens(row["total_tokens"], row["undercounted"]),
            *([page.money(dict(row))] if page.cost else []),
        ]
        for row in rows
    ]
    return table(columns, cells, page.width)


def _name(heading: str, name: str | None) -> str:
    if name is None:
        return words.NONE
    shown = {"Project": words.project, "Model": words.model}.get(heading)
    return shown(name) if shown else name


def _times(answer: Mapping[str, Any], page: Page) -> list[str]:
    columns = [
        TextColumn("Of turns", flexible=True),
        *(TextColumn(name, right=True) for name in ("p50", "p90", "p99", "Turns")),
    ]
    rows = []
    for measure, label in _MEASURES.items():
        told, unit = answer[measure], 1000 if measure.endswith("_ms") else 1
        values = [told[name] for name in ("p50", "p90", "p99")]
        shown = [words.NONE if value is None else f"{value / unit:.1f}" for value in values]
        rows.append([label, *shown, words.count(told["count"])])
    return table(columns, rows, page.width) if any(answer[measure]["count"] for measure in _MEASURES) else []


def _delegation(told: Mapping[str, Any], page: Page) -> list[str]:
    if not told["children"]:
        return []
    ratio = told["compression_ratio"]
    parts = [
        f"Sub-agents as their parents sum them up: {words.count(told['children'])}",
        f"{words.plural(told['tokens_consumed'], 'token')}",
        *([words.usd(told["cost_usd"])] if page.cost and told["cost_usd"] is not None else []),
        *([] if told["report_tokens"] is None else [f"reports {words.plural(told['report_tokens'], 'token')}"]),
        *([f"{ratio:.1f} to 1"] if ratio is not None else []),
    ]
    return ["", " · ".join(parts)]


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"), run=run, options=(TEXT,), examples=("breakdown --since 2026-01-01",)
)
