"""What is known of one session, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...ingest.formats.source import Matter
from ...queries.money import known_usd
from ...queries.token_kinds import inward
from .. import format as words
from .. import marks
from ..learnt import who
from ..user_names import user_name
from . import context
from . import text as told
from .own_total import own_total_pairs

if TYPE_CHECKING:
    from ...queries.produced import Produced
    from ...queries.session_detail import ModelUse, SessionDetail
    from ...queries.sessions import SessionRow
    from ...queries.subagents import SubagentRun
    from ...queries.tokens import TokenSums
    from ...queries.whereabouts import Relative

_METER = 12

_MOST_COMMITS, _HASH = 8, 9
"""Commits that are told, and the characters of a hash."""

_MOST_KIN = 5
"""Sessions that are told that began as copies of one; the others are counted."""


def facts_page(
    detail: SessionDetail,
    now: dt.datetime,
    zone: ZoneInfo,
    *,
    cost: bool,
    left: TokenSums | None = None,
    styles: Mapping[str, str] | None = None,
) -> RenderableType:
    """All of it, a fact a line, for a column of 40 cells or more. `now` is UTC without a zone.

    `left` is what the filters leave of the session, where that is known; `styles` are those of `warning` and `error`.
    """
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
                ("Branch", ", ".join(detail.branches) or row.git_branch or _why(row, Matter.BRANCH)),
                *times,
                ("Work", _work(detail)),
            ],
            {"Context": (context.in_full(row, _METER), (styles or {}).get(context.tone(row), ""))},
        ),
        Text(),
        _tokens(detail, cost=cost),
    ]
    missing = _untold_input(row)
    lines = [*([missing] if missing else []), *_legends(detail, cost=cost), *whole(detail, left, cost=cost)]
    parts += [Text(line, style="dim") for line in lines]
    if len(detail.models) > 1:
        parts += [Text(), _models(detail.models, cost=cost)]
    if detail.own_total is not None:
        parts += [Text(), _pairs(own_total_pairs(detail.own_total, now, zone, cost=cost))]
    return Group(*parts)


def whole(detail: SessionDetail, left: TokenSums | None, *, cost: bool) -> list[str]:
    """That all of this is of the whole session, if the filters leave less of it."""
    row = detail.session
    if left is None or left.total_tokens == row.tokens_total:
        return []
    told = f"{marks.tokens_of(left.total_tokens, left)} tokens{f', {marks.cost(left)}' if cost else ''}"
    return [f"The whole session; the filters leave {told}"]


def _whose(user: str) -> str:
    """A person, with the whole of a name that is shown short."""
    name = user_name(user)
    return name if name == user else f"{name} ({user})"


def origin_page(detail: SessionDetail) -> RenderableType:
    """Where it all comes from: id, file, versions."""
    row = detail.session
    return _pairs(
        [
            ("Id", row.session_id),
            *((label, value) for label, value in who(row) if label != "User"),
            ("File", f"{'gone from disk: ' if row.source_gone else ''}{row.path or words.NONE}"),
            ("Versions", ", ".join(detail.versions) or row.version or _why(row, Matter.VERSION)),
            ("User", None if row.username is None else _whose(row.username)),
            ("Private", "never uploaded" if row.private else None),
            ("Error", row.error),
        ]
    )


def produced_lines(left: Produced | None) -> list[RenderableType]:
    """What the session left behind; nothing where its agent tells nothing of it."""
    if left is None:
        return []
    changed = None
    if left.lines_added is not None or left.lines_removed is not None:
        changed = f"+{left.lines_added or 0:,} −{left.lines_removed or 0:,} lines"
    commits = ", ".join(commit[:_HASH] for commit in left.commits[:_MOST_COMMITS])
    if len(left.commits) > _MOST_COMMITS:
        commits += f" and {len(left.commits) - _MOST_COMMITS} more"
    pairs = [("Changed", changed), ("Commits", commits or None), ("Pull req.", "\n".join(left.pull_requests) or None)]
    return [Text(), _pairs(pairs)] if any(value for _, value in pairs) else []


def left_behind_line(left: Produced | None, origin: Relative | None) -> list[RenderableType]:
    """The same on one line, with what the session began as a copy of, for a narrow screen; nothing without both."""
    parts: list[str] = []
    if left is not None and (left.lines_added is not None or left.lines_removed is not None):
        parts.append(f"+{left.lines_added or 0:,} −{left.lines_removed or 0:,} lines")
    if left is not None and left.commits:
        parts.append(words.plural(len(left.commits), "commit"))
    if left is not None and left.pull_requests:
        parts.append(words.plural(len(left.pull_requests), "pull request"))
    if origin is not None:
        parts.append(f"from {words.session(origin.title, origin.session_id)}")
    return [_line(*parts)] if parts else []


def kin_lines(origin: Relative | None, copies: Sequence[Relative]) -> list[RenderableType]:
    """What the session began as a copy of, and what began as a copy of it."""
    pairs: list[tuple[str, str | None]] = []
    if origin is not None:
        pairs.append(("From", f"{origin.title or ''} ({origin.session_id})".strip()))
    pairs += [("Forked", f"{copy.title or ''} ({copy.session_id})".strip()) for copy in copies[:_MOST_KIN]]
    if len(copies) > _MOST_KIN:
        pairs.append(("", f"and {len(copies) - _MOST_KIN} more"))
    return [_pairs(pairs)] if pairs else []


def facts_lines(
    detail: SessionDetail, now: dt.datetime, zone: ZoneInfo, *, cost: bool, left: TokenSums | None = None
) -> RenderableType:
    """The same on a few lines, for a narrow screen."""
    row = detail.session
    if row.pending:
        return Group(headline(row), Text(_why_pending(row)), Text(words.clean(row.path), style="dim"))
    used = f"{marks.tokens(row.tokens_total, row.undercounted)} tokens"
    if cost:
        used += f" · {marks.cost(row)}"
    if detail.cache_hit_ratio is not None:
        used += f" · cache hit {words.percent(detail.cache_hit_ratio)}"
    kinds, missing = " · ".join(f"{kind.lower()} {tokens}" for kind, tokens in _kinds(row)), _untold_input(row)
    models = " · ".join(
        f"{_model(use)} {marks.tokens(use.tokens, use.undercounted)}{f' {marks.cost(use)}' if cost else ''}"
        for use in detail.models
    )
    time = (
        f"{words.when(row.started_at, now, zone)} to {words.when(row.ended_at, now, zone)} · "
        f"active {words.duration(row.active_seconds)} of {words.duration(row.wall_seconds)}"
    )
    own = own_total_pairs(detail.own_total, now, zone, cost=cost) if detail.own_total is not None else []
    return Group(
        headline(row),
        _line(detail.cwd or row.project, row.git_branch),
        _line(*(value for _, value in who(row)), row.session_id, row.version),
        Text(f"{time} · {_work(detail)}"),
        Text(f"{used} · {kinds}{f' · {missing}' if missing else ''}"),
        Text(words.clean(models), no_wrap=True, overflow="ellipsis"),
        *([_line(*(f"{label.lower()} {value}".strip() for label, value in own))] if own else []),
        *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in whole(detail, left, cost=cost)),
    )


def _line(*parts: str | None) -> Text:
    text = " · ".join(words.clean(part) for part in parts if part)
    return Text(text, style="dim", no_wrap=True, overflow="ellipsis")


def headline(row: SessionRow) -> Text:
    """The title with its marks."""
    mark = told.state(row)
    text = f"{f'{mark} ' if mark else ''}{told.prefix(row)}{told.name(row)}"
    return Text(text, style="bold", no_wrap=True, overflow="ellipsis")


def _pairs(pairs: list[tuple[str, str | None]], styled: Mapping[str, tuple[str | None, str]] | None = None) -> Table:
    """Labels and values, those without a value left out; `styled` are more of them, each with a style."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim", min_width=8)
    table.add_column(overflow="fold", ratio=1)
    for label, value in pairs:
        if value:
            table.add_row(label, Text(words.clean(value)))
    for label, (value, style) in (styled or {}).items():
        if value:
            table.add_row(label, Text(words.clean(value), style))
    return table


def _why_pending(row: SessionRow) -> str:
    return f"cannot be read: {words.clean(row.error)}" if row.error else "not read yet"


def _work(detail: SessionDetail) -> str:
    row, notes = detail.session, detail.notes
    parts = [words.plural(row.user_messages, "prompt"), words.plural(row.tool_calls_total, "tool")]
    if row.tool_errors:
        denied = f" ({words.count(row.denied)} denied)" if row.denied else ""
        parts.append(f"{words.plural(row.tool_errors, 'error')}{denied}")
    for count, thing in (
        (len({agent.subagent_id for agent in detail.agents}), "sub-agent"),
        (notes["compact"], "compaction"),
        (notes["api_error"], "API error"),
        (notes["interrupt"], "interrupt"),
        (detail.web_searches, "web search"),
    ):
        if count:
            parts.append(words.plural(count, thing) if thing != "web search" or count == 1 else f"{count} web searches")
    return " · ".join(parts)


def _kinds(row: SessionRow) -> list[tuple[str, str]]:
    given, read, written = (
        words.NONE if _untold_input(row) else words.count(tokens)
        for tokens in (row.input_tokens, row.cache_read_tokens, row.cache_write_tokens)
    )
    return [
        ("Input", given),
        ("Output", marks.tokens(row.output_tokens, row.undercounted)),
        ("Cache read", read),
        ("Cache write", written),
    ]


def _untold_input(row: SessionRow) -> str | None:
    """Why what went into a session's answers is not known (yet); None if it is."""
    return _why(row, Matter.INPUT) if row.output_tokens and not inward(row) else None


def _why(row: SessionRow, matter: Matter) -> str | None:
    from ..untold import why

    return why(row.agent, matter)


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
        table.add_row(kind, tokens, Text(note, "dim"))
    total = marks.tokens(row.tokens_total, row.undercounted)
    table.add_row("Total", Text(total, "bold"), Text(marks.cost(row) if cost else "", "bold"))
    known = [agent for agent in detail.agents if agent.tokens is not None]
    if known:
        of_agents = _of_agents(known)
        used = marks.tokens(of_agents.tokens, of_agents.undercounted)
        table.add_row("Sub-agents", used, Text(marks.cost(of_agents) if cost else "", "dim"))
    return table


@dataclass(frozen=True, slots=True)
class _Sum:
    """What several sub-agents took together."""

    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


def _of_agents(agents: Sequence[SubagentRun]) -> _Sum:
    return _Sum(
        tokens=sum(agent.tokens or 0 for agent in agents),
        cost_usd=known_usd(agent.cost_usd for agent in agents),
        unpriced_tokens=sum(agent.unpriced_tokens for agent in agents),
        undercounted=sum(agent.undercounted for agent in agents),
    )


def _legends(detail: SessionDetail, *, cost: bool) -> list[str]:
    """What the marks of the session's numbers mean."""
    row = detail.session
    return marks.legends(
        undercounted=row.undercounted,
        responses=row.assistant_messages,
        unpriced=row.unpriced_tokens if cost else 0,
        tokens=row.tokens_total,
        elsewhere=row.billed_elsewhere_tokens if cost else 0,
    )


def _model(use: ModelUse) -> str:
    return words.priced(words.model(use.model), use.speed, use.service_tier)


def _models(models: list[ModelUse], *, cost: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("Model", overflow="ellipsis", no_wrap=True, ratio=1)
    for label in ("Out", "Total", *(["Cost"] if cost else [])):
        table.add_column(label, justify="right", no_wrap=True)
    for use in models:
        cells = [marks.tokens(tokens, use.undercounted) for tokens in (use.output_tokens, use.tokens)]
        table.add_row(Text(_model(use)), *cells, *([marks.cost(use)] if cost else []))
    return table
