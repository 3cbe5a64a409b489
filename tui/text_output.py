"""The answers of the commands as plain text: aligned columns, no colours, no wider than the terminal."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from ..queries.filters import Filter
from ..queries.token_kinds import cache_hit_ratio
from . import format as words
from . import json_output as answers
from . import marks, terminal
from .factories import looked_in, utc_now
from .kit.spark import bar
from .ranges import day_at
from .sessions import text as told
from .settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PIPED_WIDTH = 100
"""Columns of a page that goes to no terminal."""
_GAP = 2
_LEAST = 24
"""Cells that a flexible column gets before others go, if it has so much to tell."""
_TINY = 8
"""Cells that it gets before columns without a rank go."""
_BAR = 20
_OVERVIEW_ROWS = 8
_OVERVIEW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Where there is little room, those of the highest rank go, and the one flexible shrinks."""

    label: str
    right: bool = False
    flexible: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """How to tell an answer. `now` is UTC without a zone."""

    width: int
    zone: ZoneInfo
    now: dt.datetime
    cost: bool

    def when(self, stamp: str | None) -> str:
        """A time of an answer."""
        return words.NONE if stamp is None else words.when(dt.datetime.fromisoformat(stamp), self.now, self.zone)

    def ago(self, stamp: str | None) -> str:
        """How long ago a time of an answer is."""
        return words.relative(None if stamp is None else dt.datetime.fromisoformat(stamp), self.now)

    def money(self, row: dict[str, Any]) -> str:
        """The cost in a row of an answer."""
        return marks.cost_of(row)

    def legends(self, rows: Sequence[dict[str, Any]], tokens: str = "total", responses: str = "responses") -> list[str]:
        """What the marks in rows of an answer mean, which have their tokens and responses under these names."""
        return marks.legends(
            undercounted=sum(row["undercounted"] for row in rows),
            responses=sum(row[responses] for row in rows),
            unpriced=sum(row["unpriced_tokens"] for row in rows) if self.cost else 0,
            tokens=sum(row[tokens] for row in rows),
        )


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Rows under their labels, in lines of at most `width` cells."""
    cleaned = [[words.clean(value) for value in row] for row in rows]
    wide = [max([cell_len(column.label), *(cell_len(row[n]) for row in cleaned)]) for n, column in enumerate(columns)]
    shown = list(range(len(columns)))

    def needed(least: int) -> int:
        return sum((min(wide[n], least) if columns[n].flexible else wide[n]) + _GAP for n in shown) - _GAP

    # Columns of a rank go before the flexible one gets tight; the others only when nothing else helps.
    for least, lowest in ((_LEAST, 1), (_TINY, 0)):
        while len(shown) > 1 and needed(least) > width:
            going = [n for n in shown if columns[n].rank >= lowest]
            if not going:
                break
            shown.remove(max(going, key=lambda n: (columns[n].rank, n)))
    room = max(1, width - needed(0))
    size = {n: min(wide[n], room) if columns[n].flexible else wide[n] for n in shown}
    lines = [[column.label for column in columns], *cleaned]
    return [(" " * _GAP).join(_padded(columns[n], line[n], size[n]) for n in shown).rstrip() for line in lines]


def _padded(column: Column, text: str, width: int) -> str:
    text = words.clean(text, width)
    blank = " " * max(0, width - cell_len(text))
    return blank + text if column.right else text + blank


def _sessions(answer: dict[str, Any], page: Page) -> list[str]:
    rows = answer["rows"]
    if not rows:
        return ["No sessions match." if answer["offset"] == 0 else f"Only {answer['total']:,} sessions match."]
    columns = [
        Column(""),
        Column("Started"),
        Column("Title", flexible=True),
        Column("Project", rank=4),
        Column("Model", rank=6),
        Column("Active", right=True, rank=3),
        Column("Wall", right=True, rank=7),
        Column("Prompts", right=True, rank=5),
        Column("Tools", right=True, rank=2),
        Column("Err", right=True, rank=2),
        Column("Tokens", right=True),
        *([Column("Cost", right=True)] if page.cost else []),
        Column("Id", rank=8),
    ]
    lines = table(columns, [_session(row, page) for row in rows], page.width)
    first = answer["offset"] + 1
    count = f"{first:,} to {answer['offset'] + len(rows):,} of {answer['total']:,}"
    if len(rows) == answer["total"]:
        count = told.plural(len(rows), "session")
    if answer["with_tokens"] != answer["total"]:
        count += f", {answer['with_tokens']:,} of {answer['total']:,} with tokens"
    return [*lines, "", count, *page.legends(rows, "tokens_total", "assistant_messages")]


def _session(row: dict[str, Any], page: Page) -> list[str]:
    mark = told.BROKEN if row["error"] else told.PENDING if row["pending"] else told.LIVE if row["is_live"] else ""
    title = row["title"] or row["session_file"] or row["session_id"]
    title = ("(private) " if row["private"] else "") + (f"{told.GONE} " if row["source_gone"] else "") + title
    started = page.when(row["started_at"])
    if row["pending"]:
        numbers = [words.NONE] * 8
        started = "unreadable" if row["error"] else "pending"
    else:
        numbers = [
            words.duration(row["active_seconds"]),
            words.duration(row["wall_seconds"]),
            words.count(row["user_messages"]),
            words.count(row["tool_calls_total"]),
            words.count(row["tool_errors"]) if row["tool_errors"] else words.NONE,
            marks.tokens(row["tokens_total"], row["undercounted"]),
            page.money(row),
        ]
    numbers = numbers[: 7 if page.cost else 6]
    model = told.models(row["primary_model"])
    return [mark, started, title, words.project(row["project"]), model, *numbers, row["session_id"][:8]]


def _tokens(answer: dict[str, Any], page: Page) -> list[str]:
    totals = answer["totals"]
    if not totals["responses"]:
        return ["No tokens match."]
    lines = [_token_line(totals, page), ""]
    lines += _daily(answer["daily"], page)
    lines += ["", *_by_model(answer["by_model"], page)]
    columns = [
        Column("Started"),
        Column("Top sessions", flexible=True),
        Column("Project", rank=2),
        Column("Model", rank=3),
        *_token_columns(page),
    ]
    rows = [
        [
            page.when(row["started_at"]),
            row["title"] or row["session_file"] or row["session_id"],
            words.project(row["project"]),
            told.models(row["primary_model"]),
            *_token_cells(row, page),
        ]
        for row in answer["top_sessions"]
    ]
    lines += ["", *table(columns, rows, page.width)]
    legends = page.legends([totals])
    return [*lines, *([""] if legends else []), *legends]


def _token_columns(page: Page) -> list[Column]:
    kinds = [Column(name, right=True, rank=1) for name in ("Input", "Output", "Cache read", "Cache write")]
    return [*kinds, Column("Total", right=True), *([Column("Cost", right=True)] if page.cost else [])]


def _token_cells(row: dict[str, Any], page: Page) -> list[str]:
    output, total = (marks.tokens(row[kind], row["undercounted"]) for kind in ("output", "total"))
    cache = [words.count(row[kind]) for kind in ("cache_read", "cache_creation")]
    return [words.count(row["input"]), output, *cache, total, *([page.money(row)] if page.cost else [])]


def _token_line(totals: dict[str, Any], page: Page) -> str:
    inward = totals["input"] + totals["cache_read"] + totals["cache_creation"]
    parts = [
        f"{marks.tokens(totals['total'], totals['undercounted'])} tokens",
        *([page.money(totals)] if page.cost else []),
        f"output {marks.tokens(totals['output'], totals['undercounted'])}",
        f"cache hit {words.percent(cache_hit_ratio(totals['cache_read'], inward))}",
        f"{told.plural(totals['sessions'], 'session')} with tokens",
    ]
    return " · ".join(parts)


def _daily(days: Sequence[dict[str, Any]], page: Page) -> list[str]:
    if not days:
        return []
    most = max(day["total"] for day in days) or 1
    columns = [Column("Day"), Column("", rank=2), *_token_columns(page)]
    rows = [[day["day"], bar(day["total"] / most, _BAR), *_token_cells(day, page)] for day in days]
    return table(columns, rows, page.width)


def _by_model(models: Sequence[dict[str, Any]], page: Page) -> list[str]:
    columns = [Column("Model", flexible=True), Column("Sessions", right=True, rank=2), *_token_columns(page)]
    rows = [
        [
            words.priced(words.model(row["model"]), row["speed"], row["service_tier"]),
            words.count(row["sessions"]),
            *_token_cells(row, page),
        ]
        for row in models
    ]
    return table(columns, rows, page.width)


def _queries(answer: dict[str, Any], page: Page) -> list[str]:
    rows = answer["rows"]
    others = _left_out(answer)
    if not rows:
        return [f"No {'queries' if others else 'accesses to data'} match.", *others]
    columns = [
        Column("When"),
        Column("Action"),
        Column("Resource", flexible=True),
        Column("Result"),
        Column("Rows", right=True, rank=1),
        Column("Took", right=True, rank=2),
        Column("Project", rank=3),
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            row["action"],
            row["resource"],
            row["result"],
            words.count(row["params"]["rows_returned"]),
            words.millis(row["duration_ms"]),
            words.project(row["params"]["project"]),
        ]
        for row in rows
    ]
    return [*table(columns, cells, page.width), *([""] if others else []), *others, *_next(answer)]


def _left_out(answer: dict[str, Any]) -> list[str]:
    count = answer["left_out"]
    if not count:
        return []
    return [f"Only queries; {count:,} other {'access' if count == 1 else 'accesses'}: --all"]


def _sync(answer: dict[str, Any], page: Page) -> list[str]:
    lines = [f"Last pull {page.ago(answer['last_pull_at'])}"]
    if not answer["rows"]:
        return [*lines, "No sync activity yet."]
    columns = [
        Column("When"),
        Column("Action"),
        Column("Source"),
        Column("Result"),
        Column("Took", right=True, rank=1),
        Column("Detail", flexible=True),
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            row["action"],
            row["client_kind"] or words.NONE,
            row["result"],
            words.millis(row["duration_ms"]),
            _told(row),
        ]
        for row in answer["rows"]
    ]
    return [*lines, "", *table(columns, cells, page.width), *_next(answer)]


def _told(row: dict[str, Any]) -> str:
    """What a sync action was about; a session by its title, where it has one."""
    params = row["params"]
    about = params["title"] if (row["resource"] or "").startswith("session:") else None
    return " · ".join(part for part in (params["detail"], about) if part) or row["resource"] or ""


def _next(answer: dict[str, Any]) -> list[str]:
    cursor = answer["next_cursor"]
    return ["", f"More: --cursor-ts {cursor['timestamp']} --cursor-id {cursor['id']}"] if cursor else []


def _home(answer: dict[str, Any], page: Page) -> list[str]:
    tokens = marks.tokens(answer["tokens"]["total"], answer["undercounted"])
    parts = [
        f"Last {answer['window']}",
        told.plural(answer["sessions"], "session"),
        told.plural(answer["prompts"], "prompt"),
        f"{tokens} tokens",
        told.plural(answer["projects"], "project"),
        *([page.money(answer)] if page.cost else []),
        f"last sync {page.ago(answer['last_pull_at'])}",
    ]
    return [" · ".join(parts), *page.legends([answer | {"total": answer["tokens"]["total"]}])]


_TELL: dict[str, Callable[[dict[str, Any], Page], list[str]]] = {
    "sessions": _sessions,
    "tokens": _tokens,
    "queries": _queries,
    "sync": _sync,
    "home": _home,
}


def show(command: str, answer: dict[str, Any], settings: Settings, *, now: dt.datetime | None = None) -> None:
    """Print the answer of a command (one of those with `--json`). KeyError for others."""
    _print(_TELL[command](answer, _page(settings, now or utc_now())))


def show_overview(connection: DuckDBPyConnection, settings: Settings, chosen: Filter, now: dt.datetime) -> None:
    """Print one page of what the tabs show; `now` is UTC without a zone."""
    page = _page(settings, now)
    listed = answers.sessions_answer(connection, chosen, now=now, limit=_OVERVIEW_ROWS, offset=0)
    if not listed["total"]:
        _print(_nothing(settings, chosen))
        return
    today = day_at(now, page.zone)
    used = answers.tokens_answer(connection, chosen, today=today, days=_OVERVIEW_DAYS)
    accesses = answers.queries_answer(connection, chosen, limit=_OVERVIEW_ROWS, cursor=None, everything=True)
    synced = answers.sync_answer(connection, chosen, limit=_OVERVIEW_ROWS, cursor=None)
    parts = {
        "": _home(answers.home_answer(connection, chosen, window="24h", now=now), page),
        "Sessions": _sessions(listed, page),
        "Tokens": [
            _token_line(used["totals"], page),
            "",
            *_by_model(used["by_model"], page),
            "",
            *_daily(used["daily"], page),
        ],
        "Data access": _queries(accesses | {"next_cursor": None}, page),
        "Sync": _sync(synced | {"next_cursor": None}, page),
    }
    lines: list[str] = []
    for heading, told_lines in parts.items():
        lines += [*([f"── {heading} ".ljust(page.width, "─"), ""] if heading else []), *told_lines, ""]
    _print(lines[:-1])


def _nothing(settings: Settings, chosen: Filter) -> list[str]:
    if not chosen.is_open:
        return ["Nothing matches these filters."]
    return [
        f"No sessions yet. Looked in {', '.join(looked_in(settings))}.",
        "Start Claude Code anywhere, or see the dashboard on generated sessions: agnes-stats --demo",
    ]


def _page(settings: Settings, now: dt.datetime) -> Page:
    width = shutil.get_terminal_size().columns if terminal.shows_answers() else PIPED_WIDTH
    return Page(max(width, 40), ZoneInfo(settings.tz), now, not settings.no_cost)


def _print(lines: Sequence[str]) -> None:
    terminal.lines(lines)
