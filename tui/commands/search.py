"""`agnes-stats search`: where some words are: titles, prompts, commands, paths, SQL, errors; newest first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .. import format as words
from ..factories import filter_of
from ..settings import BadSetting, Settings
from .answering import MAX_LIMIT, answered, between, cursor_of, with_text
from .command import CURSOR, FILTERS, LIMIT, READING, TEXT, Command
from .json_fields import cursor_fields, stamp, whose_fields
from .page import TextColumn, more_line, table

if TYPE_CHECKING:
    from ...queries.cursor import Cursor
    from ...queries.filters import Filter
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats search`."""
    limit, cursor, text = between("limit", given.limit, 1, MAX_LIMIT), cursor_of(given), " ".join(given.words)
    if not text.strip():
        raise BadSetting("search: name at least one word")
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: search_answer(
            connection, with_text(connection, chosen, given), text, limit=limit, cursor=cursor
        ),
        show,
    )


def search_answer(connection: Reader, chosen: Filter, text: str, *, limit: int, cursor: Cursor | None) -> Answer:
    """A page of the texts that have all words."""
    from ...queries import search

    page = search.search(connection, chosen, text, cursor=cursor, limit=limit)
    return {
        "limit": limit,
        "rows": [
            {
                "timestamp": stamp(row.timestamp),
                "id": row.id,
                "session_id": row.session_id,
                **whose_fields(row),
                "project": row.project,
                "where": row.kind,
                "text": row.text,
            }
            for row in page.rows
        ],
        "next_cursor": cursor_fields(page.older),
    }


_COLUMNS = (
    TextColumn("When"),
    TextColumn("Where"),
    TextColumn("Text", flexible=True),
    TextColumn("Project", rank=2),
    TextColumn("Session", rank=1),
)


def show(answer: Answer, page: Page) -> list[str]:
    """A table."""
    if not answer["rows"]:
        return ["Nothing has these words."]
    cells = [
        (
            page.when(row["timestamp"]),
            row["where"],
            row["text"],
            words.project(row["project"]),
            (row["session_id"] or words.NONE)[:8],
        )
        for row in answer["rows"]
    ]
    return [*table(_COLUMNS, cells, page.width), *more_line(answer)]


COMMAND = Command(
    heeds=(*READING, *FILTERS),
    run=run,
    options=(
        ("words", {"nargs": "*", "metavar": "WORD", "help": "all of them have to be in the same text"}),
        LIMIT,
        *CURSOR,
        TEXT,
    ),
    examples=("search churn", "search churn orders --json"),
)
