"""How the Data access tab tells things: accesses, tables, actions and tools, in cells and in sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.text import Text
from textual.color import Color

from ...ingest.formats import Matter
from ...queries.access import AccessRow, Which
from ...queries.access_sums import AccessPage, AccessSums, ActionUse, DayAccesses, FileUse, PlaceUse, TableUse
from ...queries.filters import Filter
from ...queries.projects import spelled
from ...queries.row_trends import POINTS, Trends
from ...queries.tools import ToolSums, ToolUse
from .. import format as words
from ..kit.cards import Card
from ..kit.palette import parse
from ..kit.spark import sparkline
from ..kit.table import Record
from ..learnt import who
from ..untold import why
from ..user_names import user_name

if TYPE_CHECKING:
    from textual.app import App

_TONES = {"failed": "error", "denied": "warning", "running": "success"}
"""Outcomes that stand out -> the theme's colour for them."""

_TOP = 5
"""Tables named on the line below the figures."""


@dataclass(frozen=True, slots=True)
class AccessLook:
    """What telling depends on: the moment (UTC without a zone), the zone of clocks, and the theme's variables."""

    now: dt.datetime
    zone: ZoneInfo
    theme: Mapping[str, str]

    def when(self, moment: dt.datetime | None) -> str:
        """A moment on the clock; of today with its seconds."""
        told = words.when(moment, self.now, self.zone)
        return f"{self.local(moment):%H:%M:%S}" if moment is not None and len(told) == 5 else told

    @property
    def today(self) -> dt.date:
        """Which day it is on the clock."""
        return self.local(self.now).date()

    def local(self, moment: dt.datetime) -> dt.datetime:
        """A moment of the store in the zone of clocks."""
        return words.local(moment, self.zone)

    def tone(self, name: str) -> str:
        """The style for a theme's colour."""
        return parse(self.theme, f"text-{name}", Color.parse("white")).rich_color.name

    def marked(self, text: str, outcome: str) -> Text:
        """A result, in colour if it stands out."""
        tone = _TONES.get(outcome)
        style = self.tone(tone) if tone else "dim" if outcome == "interrupted" else ""
        return words.cell(text, style=style)

    def failures(self, count: int) -> Text | str:
        """A number of failures, in colour if there are any."""
        return Text(words.count(count), style=self.tone("error")) if count else words.NONE


def resource(row: AccessRow) -> str:
    """What was touched; a file below the session's project without the project's path. Empty where nobody told it."""
    told = row.resource or ""
    return below(told, row.project) if row.project and row.action.startswith("file.") else told


def below(path: str, folder: str) -> str:
    """A path without the folder it lies in, or as it is; on Windows a drive has no case and there are two slashes."""
    start = len(folder.rstrip("/\\"))
    lies_in = spelled(path[:start]) == spelled(folder) and path[start : start + 1] in ("/", "\\")
    return path[start + 1 :] if lies_in else path


def duration(row: AccessRow, look: AccessLook) -> str:
    """How long it took; of one that runs, how long it has."""
    if row.result == "running" and row.timestamp is not None:
        return f"{words.duration((look.now - row.timestamp).total_seconds())} …"
    return words.millis(row.duration_ms)


def access(row: AccessRow, look: AccessLook) -> Record:
    """An access as a row of the list."""
    return Record(
        row.id,
        {
            "when": look.when(row.timestamp),
            "action": row.action,
            "resource": resource(row),
            "result": look.marked(row.result, row.outcome),
            "rows": words.count(row.rows_returned),
            "duration": duration(row, look),
            "session": words.session(row.title, row.session_id, row.project) if row.session_id else None,
            "project": words.project(row.project),
            "agent": row.agent,
            "machine": row.machine,
            "username": row.username and user_name(row.username),
        },
        row,
    )


def table(row: TableUse, look: AccessLook) -> Record:
    """A table's use as a row."""
    cells: dict[str, Text | str | None] = {
        "name": row.name,
        "reads": words.count(row.reads) if row.reads else words.NONE,
        "writes": words.count(row.writes) if row.writes else words.NONE,
        "failed": look.failures(row.failed),
        "last_read_at": look.when(row.last_read_at),
        "rows_returned": words.count(row.rows_returned),
    }
    return Record(row.name, cells, Which(table=row.name), row)


def file(row: FileUse, look: AccessLook) -> Record:
    """A file's use as a row."""
    cells: dict[str, Text | str | int | None] = {
        "name": below(row.name, row.project) if row.project else row.name,
        "project": words.project(row.project),
        "reads": words.count(row.reads) if row.reads else words.NONE,
        "writes": words.count(row.writes) if row.writes else words.NONE,
        "failed": look.failures(row.failed),
        "denied": words.count(row.denied) if row.denied else words.NONE,
        "sessions": words.count(row.sessions),
        "last": look.when(row.last_at),
    }
    return Record(row.name, cells, Which(file=row.name), row)


def place(row: PlaceUse, look: AccessLook) -> Record:
    """Local, remote, … as a row."""
    cells = _outcomes(row, look) | {
        "name": row.place,
        "rows": words.count(row.rows_returned),
        "bytes": words.size(row.bytes_scanned),
    }
    return Record(row.place, cells, Which(place=row.place), row)


def action(row: ActionUse, look: AccessLook) -> Record:
    """An action as a row."""
    return Record(row.action, _outcomes(row, look) | {"name": row.action}, Which(action=row.action), row)


def _outcomes(row: PlaceUse | ActionUse, look: AccessLook) -> dict[str, Text | str | int | None]:
    return {
        "accesses": words.count(row.accesses),
        "failed": look.failures(row.failed),
        "error_rate": words.percent(row.error_rate) if row.failed else words.NONE,
        "denied": words.count(row.denied) if row.denied else words.NONE,
        "p50_ms": words.millis(row.p50_ms),
        "p95_ms": words.millis(row.p95_ms),
    }


def tool(row: ToolUse, look: AccessLook, trends: Trends, whole: int) -> Record:
    """A tool, server, skill or plugin as a row; `whole` is the size of all results of tools, in bytes."""
    cells: dict[str, Text | str | None] = {
        "name": _tool_name(row.name) if row.kind == "tool" else row.name,
        "invocations": words.count(row.invocations),
        "errors": look.failures(row.errors),
        "error_rate": words.percent(row.error_rate) if row.errors else words.NONE,
        "denied": words.count(row.denied) if row.denied else words.NONE,
        "p50_ms": words.millis(row.p50_ms),
        "p95_ms": words.millis(row.p95_ms),
        "sessions": words.count(row.sessions),
        "result_tokens": words.count(row.result_tokens) if row.result_bytes else words.NONE,
        "share": words.percent(row.result_bytes / whole) if whole and row.result_bytes else words.NONE,
        "trend": Text(sparkline(trends.get((row.name, "", ""), ()), POINTS), style="dim") if row.kind == "tool" else "",
    }
    return Record(row.name, cells, raw=row)


def pages(page: AccessPage, total: int, newer: int = 0) -> str:
    """Which of all accesses are on the screen, and the keys of the others; `newer` came since the first was seen."""
    shown = len(page.rows)
    if shown == total:
        return f"{total:,} access{'' if total == 1 else 'es'}"
    told = f"{page.before + 1:,} to {page.before + shown:,}" if page.before else f"{shown:,}"
    keys = [key for key, works in (("n older", page.older is not None), ("N newer", page.before > 0)) if works]
    return " · ".join([*([f"▲ {newer:,} new"] if newer else []), f"{told} of {total:,} accesses", *keys])


def _tool_name(name: str) -> str:
    """A tool's name; one of an MCP server as "server / tool"."""
    parts = name.split("__", 2)
    return f"{parts[1]} / {parts[2]}" if parts[0] == "mcp" and len(parts) == 3 else name


# -- figures


def cards(sums: AccessSums) -> list[Card]:
    """The figures of the accesses."""
    rest = [("denied", sums.denied), ("running", sums.running), ("interrupted", sums.interrupted)]
    failed = words.count(sums.failed) if sums.failed else "0"
    failures = Card(
        "Failed",
        f"{failed} ({words.percent(sums.error_rate)})" if sums.failed else failed,
        ", ".join(f"{words.count(count)} {name}" for name, count in rest if count),
        tone="text-error" if sums.failed else "",
    )
    if not sums.tables and not sums.queries:
        # Who queries no data has files and pages.
        return [
            Card("Files read", words.count(sums.files_read), f"{words.plural(sums.reads, 'read')}"),
            Card("Files written", words.count(sums.files_written), f"{words.plural(sums.writes, 'write')}"),
            Card("Searches", words.count(sums.searches), "in files"),
            Card("Web", words.count(sums.web), "pages and searches"),
            failures,
        ]
    return [
        Card("Reads", words.count(sums.reads), f"{words.plural(sums.writes, 'write')}"),
        Card(
            "Tables",
            words.count(sums.tables),
            "1 query" if sums.queries == 1 else f"{words.count(sums.queries)} queries",
        ),
        Card("Remote", words.count(sums.remote), f"{words.count(sums.local)} local"),
        Card("Files", words.count(sums.files_read), f"{words.count(sums.files_written)} written"),
        failures,
        Card(
            "Rows",
            words.count(sums.rows_returned),
            f"{words.size(sums.bytes_scanned)} scanned" if sums.bytes_scanned else "",
        ),
    ]


def tool_cards(sums: ToolSums) -> list[Card]:
    """The figures of the tool calls."""
    open_calls = sums.invocations - sums.finished
    return [
        Card("Tool calls", words.count(sums.invocations), f"in {words.plural(sums.sessions, 'session')}"),
        Card("Tools", words.count(sums.tools)),
        Card(
            "Errors",
            f"{words.count(sums.errors)} ({words.percent(sums.error_rate)})" if sums.errors else "0",
            f"{words.count(sums.denied)} of them denied" if sums.denied else "",
            tone="text-error" if sums.errors else "",
        ),
        Card("Without a result", words.count(open_calls), "running or interrupted" if open_calls else ""),
    ]


def days_between(days: Iterable[DayAccesses], chosen: Filter, today: dt.date) -> list[dt.date]:
    """Every day of the filter; where it is open, from the first with an access to today or the last with one."""
    known = [row.day for row in days]
    last = chosen.until or max([today, *known])
    first = chosen.since or min(known, default=last)
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def strip(
    days: Sequence[DayAccesses], axis: Sequence[dt.date], tables: Sequence[TableUse], width: int, today: dt.date
) -> Text:
    """One line: reads by day, and the tables read most."""
    line = Text(no_wrap=True, overflow="ellipsis")
    reads = dict.fromkeys(axis, 0)
    for row in days:
        if row.day in reads:
            reads[row.day] += row.reads
    if len(axis) > 1:
        line.append(f"{words.day(axis[0], today)} ", style="dim")
        line.append(sparkline(list(reads.values()), max(8, min(len(axis), width // 3))))
        line.append(f" {words.day(axis[-1], today)}   ", style="dim")
    for number, one in enumerate([one for one in tables if one.reads][:_TOP]):
        part = Text(" · " if number else "most read ", style="dim")
        part.append(words.clean(one.name, 30), style="not dim")
        part.append(f" {words.count(one.reads)}", style="bold not dim")
        if one.failed:
            part.append(f" ({words.count(one.failed)} failed)")
        if line.cell_len + part.cell_len > width:
            break
        line.append_text(part)
    return line


# -- one access, in full


def facts(row: AccessRow, look: AccessLook) -> list[Text]:
    """What is known of an access, line by line; its text is told apart."""
    moment = "no time" if row.timestamp is None else f"{look.local(row.timestamp):%Y-%m-%d %H:%M:%S}"
    measured = [
        duration(row, look)
        if row.duration_ms is not None or row.result == "running"
        else why(row.agent, Matter.CALL_TIME) or "",
        f"{row.rows_returned:,} row{'' if row.rows_returned == 1 else 's'}" if row.rows_returned is not None else "",
        f"{words.size(row.bytes_scanned)} scanned" if row.bytes_scanned is not None else "",
        f"{words.size(row.bytes_returned)} returned" if row.bytes_returned is not None else "",
    ]
    first = Text()
    first.append_text(look.marked(row.result, row.outcome))
    first.append(f"  {words.clean(row.action)}", style="bold")
    first.append(f"  {words.clean(resource(row))}")
    kind = [row.dialect, row.statement, f"one of {row.in_call} accesses of its call" if row.in_call > 1 else None]
    lines = [
        first,
        _dotted(moment, *measured),
        _dotted(*kind, f"seen in {', '.join(row.seen_in)}"),
    ]
    if row.tables_read or row.tables_written:
        lines.append(_tables(row))
    if row.note:
        lines.append(Text(words.clean(row.note)))
    if row.session_id is not None:
        whose = (value for _, value in who(row))
        lines.append(
            _dotted(
                words.clean(words.session(row.title, row.session_id, row.project), 100),
                words.project(row.project),
                *whose,
            )
        )
    return lines


def _dotted(*parts: str | None) -> Text:
    return Text(" · ".join(words.clean(part) for part in parts if part), style="dim")


def _tables(row: AccessRow) -> Text:
    line = Text()
    for verb, names in (("reads", row.tables_read), ("writes", row.tables_written)):
        if names:
            line.append("  " if line else "")
            line.append(f"{verb} ", style="dim")
            line.append(words.clean(", ".join(names)))
    return line


def copied(row: AccessRow) -> str:
    """What is worth copying of an access: its SQL, else its command, else what it touched. Without control codes."""
    return words.block(row.sql or row.command or row.resource or "", max_lines=2000)


def copy(app: App[Any], row: AccessRow) -> None:
    """Copy it and say so."""
    app.copy_to_clipboard(copied(row))
    app.notify(words.clean(copied(row), 200), title="Copied", markup=False)


def open_session(app: App[Any], session_id: str | None) -> None:
    """Open a session's details; say so if it is not known which."""
    if session_id is None:
        app.notify("Only the server or the workspace saw it: the session is not known.", markup=False)
        return
    from ..sessions.detail import SessionScreen

    app.push_screen(SessionScreen(session_id))
