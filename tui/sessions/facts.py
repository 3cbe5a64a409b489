"""What is known of one session, in words."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .. import format as words
from ..kit.spark import meter
from . import text as told
from .own_total import own_total_pairs

if TYPE_CHECKING:
    from ...queries.session_detail import ModelUse, SessionDetail
    from ...queries.sessions import SessionRow

_METER = 12


def facts_page(detail: SessionDetail, now: dt.datetime, zone: ZoneInfo, *, cost: bool) -> RenderableType:
    """All of it, a fact a line, for a column of 40 cells or more. `now` is UTC without a zone."""
    row = detail.session
    if row.pending:
        return Text(_why_pending(row))
    times = [
        ("Started", words.when(row.started_at, now, zone)),
        ("Last row", f"{words.when(row.ended_at, now, zone)}{', running' if row.is_live else ''}"),
        ("Active", f"{words.duration(row.active_seconds)} of {words.duration(row.wall_seconds)}"),
    ]
    parts: list[RenderableType] = [
        _pairs(
            [
                ("Project", row.project),
                ("Folder", detail.cwd if detail.cwd != row.project else None),
                ("Branch", ", ".join(detail.branches) or row.git_branch),
                *times,
                ("Work", _work(detail)),
                ("Context", _context(row)),
            ]
        ),
        Text(),
        _tokens(detail, cost=cost),
    ]
    if len(detail.models) > 1:
        parts += [Text(), _models(detail.models, cost=cost)]
    if detail.own_total is not None:
        parts += [Text(), _pairs(own_total_pairs(detail.own_total, now, zone, cost=cost))]
    return Group(*parts)


def origin_page(detail: SessionDetail) -> RenderableType:
    """Where it all comes from: id, file, versions."""
    row = detail.session
    return _pairs(
        [
            ("Id", row.session_id),
            ("File", f"{'gone from disk: ' if row.source_gone else ''}{row.path or words.NONE}"),
            ("Versions", ", ".join(detail.versions) or row.version),
            ("User", row.username),
            ("Private", "never uploaded" if row.private else None),
            ("Error", row.error),
        ]
    )


def facts_lines(detail: SessionDetail, now: dt.datetime, zone: ZoneInfo, *, cost: bool) -> RenderableType:
    """The same on a few lines, for a narrow screen."""
    row = detail.session
    if row.pending:
        return Group(headline(row), Text(_why_pending(row)), Text(words.clean(row.path), style="dim"))
    used = f"{words.tokens(row.tokens_total, at_least=row.undercounted > 0)} tokens"
    if cost:
        used += f" · {told.cost(row)}"
    if detail.cache_hit_ratio is not None:
        used += f" · cache hit {words.percent(detail.cache_hit_ratio)}"
    kinds = " · ".join(f"{kind.lower()} {words.tokens(tokens)}" for kind, tokens in _kinds(row))
    models = " · ".join(
        f"{_model(use)} {words.tokens(use.tokens)}{f' {told.cost(use)}' if cost else ''}" for use in detail.models
    )
    time = (
        f"{words.when(row.started_at, now, zone)} to {words.when(row.ended_at, now, zone)} · "
        f"active {words.duration(row.active_seconds)} of {words.duration(row.wall_seconds)}"
    )
    own = own_total_pairs(detail.own_total, now, zone, cost=cost) if detail.own_total is not None else []
    return Group(
        headline(row),
        _line(detail.cwd or row.project, row.git_branch),
        _line(row.session_id, row.version),
        Text(f"{time} · {_work(detail)}"),
        Text(f"{used} · {kinds}"),
        Text(words.clean(models), no_wrap=True, overflow="ellipsis"),
        *([_line(*(f"{label.lower()} {value}".strip() for label, value in own))] if own else []),
    )


def _line(*parts: str | None) -> Text:
    text = " · ".join(words.clean(part) for part in parts if part)
    return Text(text, style="dim", no_wrap=True, overflow="ellipsis")


def headline(row: SessionRow) -> Text:
    """The title with its marks."""
    mark = told.state(row)
    text = f"{f'{mark} ' if mark else ''}{told.prefix(row)}{told.name(row)}"
    return Text(text, style="bold", no_wrap=True, overflow="ellipsis")


def _pairs(pairs: list[tuple[str, str | None]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim", min_width=8)
    table.add_column(overflow="fold", ratio=1)
    for label, value in pairs:
        if value:
            table.add_row(label, Text(words.clean(value)))
    return table


def _why_pending(row: SessionRow) -> str:
    return f"cannot be read: {words.clean(row.error)}" if row.error else "not read yet"


def _work(detail: SessionDetail) -> str:
    row, notes = detail.session, detail.notes
    parts = [told.plural(row.user_messages, "prompt"), told.plural(row.tool_calls_total, "tool")]
    if row.tool_errors:
        denied = f" ({words.count(row.denied)} denied)" if row.denied else ""
        parts.append(f"{told.plural(row.tool_errors, 'error')}{denied}")
    for count, thing in (
        (len(detail.agents), "sub-agent"),
        (notes["compact"], "compaction"),
        (notes["api_error"], "API error"),
        (notes["interrupt"], "interrupt"),
        (detail.web_searches, "web search"),
    ):
        if count:
            parts.append(told.plural(count, thing) if thing != "web search" or count == 1 else f"{count} web searches")
    return " · ".join(parts)


def _context(row: SessionRow) -> str | None:
    if not row.context_tokens:
        return None
    if not row.context_window:
        return words.tokens(row.context_tokens)
    share = row.context_tokens / row.context_window
    size = f"{words.tokens(row.context_tokens)} of {words.tokens(row.context_window)}"
    return f"{meter(share, _METER)} {words.percent(min(share, 1.0), 0)}, {size}"


def _kinds(row: SessionRow) -> list[tuple[str, int]]:
    return [
        ("Input", row.input_tokens),
        ("Output", row.output_tokens),
        ("Cache read", row.cache_read_tokens),
        ("Cache write", row.cache_write_5m_tokens + row.cache_write_1h_tokens),
    ]


def _tokens(detail: SessionDetail, *, cost: bool) -> Table:
    """Tokens by kind, the sum below them, and what of it was the sub-agents'."""
    row = detail.session
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim", min_width=12)
    table.add_column(no_wrap=True, justify="right", min_width=8)
    table.add_column(no_wrap=True, justify="right")
    for kind, tokens in _kinds(row):
        note = ""
        if kind == "Cache read" and detail.cache_hit_ratio is not None:
            note = f"hit {words.percent(detail.cache_hit_ratio)}"
        if kind == "Output" and row.undercounted:
            note = "lower bound"
        table.add_row(kind, words.tokens(tokens, at_least=kind == "Output" and row.undercounted > 0), Text(note, "dim"))
    total = words.tokens(row.tokens_total, at_least=row.undercounted > 0)
    table.add_row("Total", Text(total, "bold"), Text(told.cost(row) if cost else "", "bold"))
    known = [agent for agent in detail.agents if agent.tokens is not None]
    if known:
        spent = [agent.cost_usd for agent in known if agent.cost_usd is not None]
        price = words.usd(sum(spent)) if cost and spent else ""
        table.add_row("Sub-agents", words.tokens(sum(agent.tokens or 0 for agent in known)), Text(price, "dim"))
    if row.unpriced_tokens:
        table.add_row("No price for", words.tokens(row.unpriced_tokens), "")
    return table


def _model(use: ModelUse) -> str:
    return words.priced(words.model(use.model), use.speed, use.service_tier)


def _models(models: list[ModelUse], *, cost: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("Model", overflow="ellipsis", no_wrap=True, ratio=1)
    for label in ("Out", "Total", *(["Cost"] if cost else [])):
        table.add_column(label, justify="right", no_wrap=True)
    for use in models:
        cells = [words.tokens(use.output_tokens), words.tokens(use.tokens, at_least=use.undercounted > 0)]
        table.add_row(Text(_model(use)), *cells, *([told.cost(use)] if cost else []))
    return table
