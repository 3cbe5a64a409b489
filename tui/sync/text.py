"""How the Sync tab tells things: workspaces, actions, tables, uploads, and what this program itself has read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.text import Text
from textual.color import Color

from ...queries.paths import home_folder
from ...queries.servers import ServerHealth
from ...queries.sync import Reject, SourceHealth, StoreFacts, SyncPage, SyncRow, Unknown
from ...queries.workspaces import SnapshotState, SyncTable, TableSums, UploadRow, UploadSums, Workspace
from .. import format as words
from ..kit.cards import Card
from ..kit.palette import parse
from ..kit.table import Column, Record
from ..user_names import user_name

TOKEN_DAYS = 7
"""With so few days left, or less, a token is about to expire."""

GAP = 3
"""More sessions than this waiting to be uploaded are too many: so says `agnes diagnose`."""

_TONES = {
    **dict.fromkeys(("error", "failed", "lost"), "error"),
    **dict.fromkeys(("denied", "waiting"), "warning"),
    "running": "success",
}
"""Results and statuses that stand out -> the theme's colour for them."""

_STATUS = {
    "waiting": "not sent yet",
    "grown": "longer since it was sent",
    "private": "never to be sent",
    "uploaded": "",
    "failed": "refused",
    "lost": "not on the server",
    "elsewhere": "only on the server",
}


@dataclass(frozen=True, slots=True)
class SyncLook:
    """What telling depends on: the moment (UTC without a zone), the zone of clocks, and the theme's variables."""

    now: dt.datetime
    zone: ZoneInfo
    theme: Mapping[str, str]

    def when(self, moment: dt.datetime | None) -> str:
        """A moment on the clock."""
        return words.when(moment, self.now, self.zone)

    def ago(self, moment: dt.datetime | None) -> str:
        """How long ago a moment was."""
        return words.relative(moment, self.now)

    def marked(self, word: str, shown: str = "") -> Text:
        """A result or status, in colour if it stands out, or what is `shown` of it; an `error.413` is an error."""
        text = words.cell(shown or word)
        tone = _TONES.get(word.partition(".")[0])
        if tone is not None:
            text.stylize(parse(self.theme, f"text-{tone}", Color.parse("white")).rich_color.name)
        return text


def place(path: str | None) -> str:
    """A folder as a person would write it, with ~ for the home folder; None is "–"."""
    if path is None:
        return words.NONE
    home = str(home_folder())
    return words.clean("~" + path[len(home) :] if path == home or path.startswith(home + "/") else path)


ACTIONS = (
    Column("when", "When", 15),
    Column("action", "Action", 14),
    Column("source", "Source", 21, min_screen=90),
    Column("result", "Result", 11),
    Column("detail", "Detail"),
    Column("workspace", "Workspace", 12, min_screen=120),
    Column("agent", "Agent", 11, min_screen=100),
    Column("machine", "Machine", 10, min_screen=150),
    Column("username", "User", 10, min_screen=150),
    Column("duration", "Took", 7, "right", min_screen=108),
)
TABLES = (
    Column("table_id", "Table", sortable=True),
    Column("workspace", "Workspace", 12, min_screen=64, sortable=True),
    Column("row_count", "Rows", 6, "right", sortable=True),
    Column("size_bytes", "Size", 7, "right", sortable=True),
    Column("parts", "Parts", 5, "right", min_screen=52, sortable=True),
    Column("changed_at", "Age", 5, "right", sortable=True),
)
UPLOADS = (
    Column("title", "Session"),
    Column("status", "Status", 9),
    Column("when", "When", 15, by="status_at"),
    Column("size", "Size", 7, "right", min_screen=90),
    Column("pipeline", "On the server", 14, min_screen=100, by="pipeline_status"),
    Column("reason", "Reason", 24),
    Column("workspace", "Workspace", 14, min_screen=130),
)
REJECTS = (
    Column("file", "File", by="path"),
    Column("folder", "Folder", 36, min_screen=130, by="path"),
    Column("pos", "Offset", 12, "right"),
    Column("length", "Length", 9, "right"),
    Column("reason", "Reason"),
    Column("seen", "Seen", 8, "right", min_screen=100, by="seen_at"),
)
"""The columns of the lists. Their keys are those of the cells below, and of the orders the tables can be sorted by."""


# -- the workspaces ----------------------------------------------------------------------------------------------


def cards(places: Sequence[Workspace], tables: TableSums, sums: UploadSums, look: SyncLook) -> list[Card]:
    """The figures on top; none without a workspace."""
    if not places:
        return []
    pulled = name(places[0]) if len(places) > 1 else words.plural(tables.tables, "table")
    sent = f"{words.count(sums.grown)} longer since" if sums.grown else "sessions on disk"
    return [
        Card("Last pull", look.ago(places[0].last_pull_at), pulled),
        Card("Uploaded", f"{words.count(sums.uploaded)} of {words.count(sums.on_disk)}", sent),
        Card("Waiting", words.count(sums.waiting), "not sent yet", tone="warning" if sums.waiting > GAP else ""),
        Card(
            "Failed",
            words.count(sums.failed + sums.lost),
            f"{words.count(sums.lost)} of them lost" if sums.lost else "refused by the server",
            tone="error" if sums.failed or sums.lost else "",
        ),
        Card("Private", words.count(sums.private), "never sent"),
        _token([one.token_expires_at for one in places if one.token_expires_at is not None], look),
        Card("Workspaces", words.count(sum(not one.is_server for one in places)), ", ".join(map(name, places))),
    ]


def name(one: Workspace) -> str:
    """A workspace's folder name, or the server's address without what every address has."""
    return words.clean(one.workspace.partition("://")[2]) if one.is_server else words.project(one.workspace)


def _token(expiries: Sequence[dt.datetime], look: SyncLook) -> Card:
    if not expiries:
        return Card("Token", words.NONE, "no expiry known")
    left = min(expiries) - look.now
    if left <= dt.timedelta():
        return Card("Token", "expired", look.ago(min(expiries)), tone="error")
    value = f"{words.plural(left.days, 'day')} left" if left.days else f"{words.duration(left.total_seconds())} left"
    soon = left <= dt.timedelta(days=TOKEN_DAYS)
    return Card("Token", value, "renew it soon" if soon else "of the server", tone="warning" if soon else "")


def action(row: SyncRow, look: SyncLook) -> Record:
    """A sync action as a row."""
    cells: dict[str, Text | str | int | None] = {
        "when": look.when(row.timestamp),
        "action": row.action,
        "source": row.source,
        "result": look.marked(row.result),
        "detail": " · ".join(words.clean(part) for part in (row.detail, row.title) if part),
        "workspace": words.project(row.workspace),
        "agent": row.agent,
        "machine": row.machine,
        "username": row.username and user_name(row.username),
        "duration": words.millis(row.duration_ms),
    }
    return Record(row.id, cells, row)


def actions_caption(page: SyncPage, before: int, newer: int = 0) -> str:
    """Where a page of actions is: `before` are on the pages closer to now, `newer` came since the first was seen."""
    if not before and page.older is None:
        return words.plural(page.total, "action")
    keys = ["n older"] * (page.older is not None) + ["N newer"] * (before > 0)
    told = f"{before + 1:,} to {before + len(page.rows):,} of {page.total:,} actions"
    return " · ".join([*([f"▲ {newer:,} new"] if newer else []), told, *keys])


def no_workspace(looked: Sequence[str]) -> str:
    """The sentence for a machine without a workspace: where one was looked for, and how one is recognised."""
    return (
        f"No Agnes workspace found. Looked in {'; '.join(map(words.clean, looked))}.\n"
        "A folder is one if it has .claude/init-complete, user/duckdb/analytics.duckdb or server/parquet: `agnes init` "
        "makes them.\n"
        "With one, this tab shows when data was last pulled and which sessions are uploaded.\n"
        "What is told below, of this program itself, needs none. With made-up data: agnes-stats --demo"
    )


def action_in_full(row: SyncRow, look: SyncLook) -> str:
    """All of a sync action: its detail, and on a second line what surrounds it."""
    told = [
        row.action,
        row.result,
        look.when(row.timestamp),
        f"seen in {row.source}",
        f"workspace {place(row.workspace)}" if row.workspace else "",
        f"session “{words.session(row.title, row.session_id)}”" if row.session_id else "",
        f"took {words.millis(row.duration_ms)}" if row.duration_ms is not None else "",
    ]
    return "\n".join([*([words.clean(row.detail)] if row.detail else []), " · ".join(part for part in told if part)])


def table(row: SyncTable, look: SyncLook) -> Record:
    """A table of a workspace as a row."""
    cells: dict[str, Text | str | int | None] = {
        "table_id": row.table_id,
        "workspace": words.project(row.workspace),
        "row_count": words.count(row.row_count),
        "size_bytes": words.size(row.size_bytes),
        "parts": words.count(row.parts),
        "changed_at": words.NONE if row.changed_at is None else look.ago(row.changed_at).removesuffix(" ago"),
    }
    return Record(f"{row.workspace}\n{row.table_id}", cells, row)


def tables_caption(sums: TableSums, shown: int) -> str:
    """What all tables come to."""
    return f"{_of(shown, sums.tables, 'table')} · {words.size(sums.size_bytes)}"


def upload(row: UploadRow, look: SyncLook) -> Record:
    """A session and its upload as a row."""
    reason = f"refused: {row.reason}" if row.reason else _STATUS[row.status]
    if row.status == "grown":
        reason = f"{words.size((row.size or 0) - (row.sent_size or 0))} more since"
    is_gone = row.size is None and row.status != "elsewhere"
    told = [reason, "gone from disk" if is_gone else "", late(row), exposed(row)]
    cells: dict[str, Text | str | int | None] = {
        "title": words.session(row.title, row.session_id),
        "status": look.marked(row.status),
        "when": look.when(row.status_at),
        "size": words.size(row.size if row.size is not None else row.sent_size),
        "pipeline": pipeline(row),
        "reason": "; ".join(part for part in told if part),
        "workspace": words.project(row.workspace),
    }
    return Record(f"{row.workspace}\n{row.session_id}", cells, row)


def pipeline(row: UploadRow) -> str:
    """What the server made of a session; nothing where it does not have it, or was not asked."""
    if row.server is None:
        return words.NONE
    status = words.clean(row.pipeline_status or "there", 20)
    return f"{status}, {words.plural(row.items_extracted, 'item')}" if row.items_extracted else status


def late(row: UploadRow) -> str:
    """That a session came to the server long after it began."""
    if not row.is_late or row.uploaded_at is None or row.started_at is None:
        return ""
    return f"came {words.duration((row.uploaded_at - row.started_at).total_seconds())} after it began"


def exposed(row: UploadRow) -> str:
    """That a private session is on the server all the same."""
    return "on the server all the same" if row.status == "private" and row.server is not None else ""


def uploads_caption(sums: UploadSums, shown: int) -> str:
    """What all uploads come to."""
    parts = [
        f"{_of(shown, sums.listed + sums.elsewhere, 'session')}: {words.count(sums.on_disk)} on disk, "
        f"{words.count(sums.in_ledger)} in the ledger"
        + (f", {words.count(sums.on_server)} on the server" if sums.on_server or sums.lost else ""),
        *(
            f"{words.count(count)} {what}"
            for count, what in (
                (sums.lost, "lost"),
                (sums.elsewhere, "only on the server"),
                (sums.unlisted, "in no ledger"),
                (sums.private_on_server, "private and on the server"),
                (sums.late, "late"),
            )
            if count
        ),
        "Enter opens one, Escape goes back",
    ]
    return " · ".join(parts)


def snapshots_line(snapshots: Sequence[SnapshotState], look: SyncLook) -> str:
    """What is to be known of the snapshots in one line; nothing without any."""
    if not snapshots:
        return ""
    parts = [words.plural(len(snapshots), "snapshot")]
    blocked = [one.name for one in snapshots if one.is_blocked]
    if blocked:
        parts.append(f"withheld by the last pull: {words.clean(', '.join(blocked), 60)}")
    own = sum(one.has_policy for one in snapshots)
    if own:
        parts.append(f"{words.count(own)} with only the rows a policy leaves you")
    times = [(one.expires_at, one.name) for one in snapshots if one.expires_at is not None]
    expired = sum(moment <= look.now for moment, _ in times)
    if expired:
        parts.append(f"{words.count(expired)} expired, the next pull deletes {'it' if expired == 1 else 'them'}")
    coming = min((one for one in times if one[0] > look.now), default=None)
    if coming is not None:
        left = words.duration((coming[0] - look.now).total_seconds())
        parts.append(f"{words.clean(coming[1], 30)} expires in {left}")
    return ", ".join(parts)


# -- this program ------------------------------------------------------------------------------------------------


def reject(row: Reject, look: SyncLook) -> Record:
    """What could not be used, as a row."""
    path = Path(row.path)
    cells: dict[str, Text | str | int | None] = {
        "file": path.name,
        "folder": place(str(path.parent)),
        "pos": f"{row.pos:,}" if row.length else words.NONE,
        "length": words.size(row.length) if row.length else "all of it",
        "reason": row.reason,
        "seen": look.ago(row.seen_at),
    }
    return Record(f"{row.path}\n{row.pos}\n{row.length}\n{row.reason}", cells, row)


def rejects_caption(shown: int, total: int, unknowns: Sequence[Unknown]) -> str:
    """How much could not be used, and what there is no rule for."""
    return " · ".join([f"{_of(shown, total, 'reject')}, Enter shows the bytes", *_no_rule(unknowns)])


def nothing_rejected(unknowns: Sequence[Unknown]) -> str:
    """The sentence in place of the list of rejects."""
    return "\n".join(["Every line of every file could be used. Escape goes back.", *_no_rule(unknowns)])


def _no_rule(unknowns: Sequence[Unknown]) -> list[str]:
    named = ", ".join(f"{one.what} ({words.count(one.count)})" for one in unknowns)
    return [f"kept, but not understood: {named}"] if named else []


def sources(rows: Sequence[SourceHealth], look: SyncLook) -> list[list[str]]:
    """What was found where and how far it is read: a row of cells for each source."""
    return [[row.source, place(row.root), *_health([row], look)] for row in rows]


def server(row: ServerHealth, look: SyncLook) -> list[Text]:
    """An Agnes server that was asked, as a row of cells beside those of the sources; a failure in words, in colour."""
    if row.failure is None:
        state = Text(f"asked {look.ago(row.asked_at)}", end="")
    else:
        state = Text(f"fails: {words.clean(row.failure)}", end="")
        state.stylize(parse(look.theme, "text-error", Color.parse("white")).rich_color.name)
    until = row.token_expires_at
    more = [
        f"answered {look.ago(row.answered_at)}" if row.failure is not None else "",
        f"token until {words.day(until, look.now)}" if until is not None else "",
        (row.reason or "").removeprefix(f"{row.server}: "),
    ]
    rest = " · ".join(part for part in more if part)
    named = f"{row.server.partition('://')[2] or row.server} as {row.account}"
    return [words.cell("server"), words.cell(named), words.cell(words.rows(row.rows)), state, words.cell(rest)]


def sources_in_one(rows: Sequence[SourceHealth], look: SyncLook) -> str:
    """The same of all sources together, on one line."""
    kinds = ", ".join(sorted({row.source for row in rows}))
    return " · ".join([kinds, *(part for part in _health(rows, look) if part)]) if rows else "no source found"


def _health(rows: Sequence[SourceHealth], look: SyncLook) -> list[str]:
    gone = sum(row.gone for row in rows)
    trouble = {
        "to come": sum(row.pending for row in rows),
        "unreadable": sum(row.failed for row in rows),
        "rejected": sum(row.rejects for row in rows),
    }
    return [
        words.plural(sum(row.files for row in rows), "file") + (f" + {words.count(gone)} gone" if gone else ""),
        f"{words.size(sum(row.behind for row in rows))} behind",
        f"read {look.ago(max((row.last_read_at for row in rows if row.last_read_at), default=None))}",
        ", ".join(f"{words.count(number)} {what}" for what, number in trouble.items() if number),
    ]


def store(facts: StoreFacts, size: int, rejected: int, unknowns: Sequence[Unknown]) -> str:
    """How large the store is (`size` in bytes), what it is good for, and what it could not make sense of."""
    share = size / facts.transcript_bytes if facts.transcript_bytes else 1.0
    told = [
        f"store {words.size(size)}" + (f" ({words.percent(share)} of what was read)" if share < 1 else ""),
        f"{words.plural(rejected, 'reject')}: see Rejects" if rejected else "",
        f"{words.plural(len(unknowns), 'unknown thing')}: see Rejects" if unknowns else "",
        "keeps what Claude deletes after 30 days",
        "no price for " + ", ".join(map(words.model, facts.unpriced_models)) if facts.unpriced_models else "",
    ]
    return " · ".join(part for part in told if part)


def _of(shown: int, total: int, thing: str) -> str:
    return words.plural(total, thing) if shown == total else f"{shown:,} of {words.plural(total, thing)}"
