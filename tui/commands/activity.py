"""`agnes-stats activity`: what was asked of all agents, newest first, and what came of each."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from .. import marks
from ..factories import filter_of, utc_now
from ..settings import BadSetting, Settings
from .answering import MAX_LIMIT, answered, between, cursor_of, with_text
from .command import CURSOR, FILTERS, LIMIT, READING, TEXT, Command
from .json_fields import cursor_fields, spent_fields, stamp
from .page import TextColumn, more_line, table

if TYPE_CHECKING:
    from ...queries.activity import ActivityRow, WhichPrompts
    from ...queries.cursor import Cursor
    from ...queries.spans import Span
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats activity`."""
    from ...queries.activity import WhichPrompts

    limit, cursor = between("limit", given.limit, 1, MAX_LIMIT), cursor_of(given)
    if given.depth is not None and given.depth < 0:
        raise BadSetting(f"--depth: {given.depth} is less than 0")
    if given.delegations and given.direct:
        raise BadSetting("--delegations and --direct leave nothing together")
    chosen = filter_of(settings).but(**({"session_id": given.session} if given.session else {}))
    which = WhichPrompts(given.failures, given.delegations, given.direct, given.tool, given.words or "")
    return answered(
        given,
        settings,
        lambda connection: activity_answer(
            connection,
            with_text(connection, chosen, given),
            which=which,
            limit=limit,
            cursor=cursor,
            depth=given.depth if given.json else 0,
        ),
        show,
    )


def activity_answer(
    connection: Reader,
    chosen: Filter,
    *,
    which: WhichPrompts,
    limit: int,
    cursor: Cursor | None,
    depth: int | None,
) -> Answer:
    """One row for each prompt and slash command, with the tree of what was done for it, `depth` levels deep.

    `rest` is what the filter leaves that belongs to no row on any page.
    """
    from ...queries import activity
    from ...queries.spans import spans

    page = activity.list_activity(connection, chosen, now=utc_now(), which=which, cursor=cursor, limit=limit)
    below = spans(connection, page, depth)
    rest = activity.rest(connection, chosen, which)
    return {
        "limit": limit,
        "rows": [_row(row, below.get(row.id, [])) for row in page.rows],
        "next_cursor": cursor_fields(page.following),
        "rest": {"tool_calls": rest.tool_calls, **spent_fields(rest.spent)},
    }


def _row(row: ActivityRow, below: list[Span]) -> Answer:
    return {
        "id": row.id,
        "session_id": row.session_id,
        "agent": row.agent,
        "machine": row.machine,
        "username": row.username,
        "project": row.project,
        "title": row.title,
        "timestamp": stamp(row.timestamp),
        "ended_at": stamp(row.ended_at),
        "duration_ms": _ms(row.seconds),
        "kind": row.kind,
        "text": row.text,
        "models": row.models,
        "tool_calls": row.tool_calls,
        "ok": row.ok,
        "errors": row.errors,
        "denied": row.denied,
        "running": row.running,
        "subagents": row.subagents,
        **spent_fields(row.spent),
        "children": [_span(span) for span in below],
    }


def _span(span: Span) -> Answer:
    return {
        "kind": span.kind,
        "id": span.id,
        "timestamp": stamp(span.timestamp),
        "duration_ms": _ms(span.seconds),
        "name": span.name,
        "detail": span.detail,
        "status": span.status,
        "model": span.model,
        "subagent_type": span.subagent_type,
        **spent_fields(span.spent),
        "children": [_span(below) for below in span.children],
    }


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def show(answer: Answer, page: Page) -> list[str]:
    """As text."""
    rows, rest = answer["rows"], answer["rest"]
    if not rows:
        return [page.nothing("prompts")]
    columns = [
        TextColumn("When"),
        TextColumn("Agent", rank=4),
        TextColumn("Project", rank=3),
        TextColumn("Prompt", flexible=True),
        TextColumn("Calls"),
        TextColumn("Took", right=True, rank=1),
        TextColumn("Tokens", right=True),
        *([TextColumn("Cost", right=True)] if page.cost else []),
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            row["agent"] or words.NONE,
            words.project(row["project"]),
            f"/{row['text']}" if row["kind"] == "command" else row["text"] or "",
            _calls(row),
            words.millis(row["duration_ms"]) if row["duration_ms"] else "",
            marks.tokens(row["tokens"]["total"], row["output_undercounted"]),
            *([_cost(row)] if page.cost else []),
        ]
        for row in rows
    ]
    lines = table(columns, cells, page.width)
    if rest["tokens"]["total"]:
        told = marks.tokens(rest["tokens"]["total"], rest["output_undercounted"])
        lines += ["", f"{told} tokens{f', {_cost(rest)},' if page.cost else ''} belong to none of these prompts."]
    return [*lines, *more_line(answer)]


def _cost(row: Answer) -> str:
    return marks.money(row["cost_usd"], unpriced=row["unpriced_tokens"], undercounted=row["output_undercounted"])


def _calls(row: Answer) -> str:
    counts = (("✓", row["ok"]), ("✗", row["errors"]), ("…", row["running"]))
    return " ".join(f"{mark} {words.count(count)}" for mark, count in counts if count)


COMMAND = Command(
    heeds=(*READING, *FILTERS),
    run=run,
    options=(
        LIMIT,
        *CURSOR,
        TEXT,
        ("--depth", {"type": int, "metavar": "N", "help": "levels of what was done below each row; 0 for none (all)"}),
        ("--failures", {"action": "store_true", "help": "only prompts with something that failed"}),
        ("--delegations", {"action": "store_true", "help": "only prompts for which sub-agents worked"}),
        ("--direct", {"action": "store_true", "help": "only prompts for which none did"}),
        ("--tool", {"metavar": "NAME", "help": "only prompts with a call of this tool"}),
        ("--session", {"metavar": "ID", "help": "only this session"}),
        ("--words", {"metavar": "TEXT", "help": "only prompts with this in their text, or in their session's title"}),
    ),
)
