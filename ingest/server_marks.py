"""How far the queries that an Agnes server logged are read, by server and account.

Usually all are, down to the first one: then only the newest row that was read matters. A history that is longer than
what is read at a time leaves a gap, between the place where reading stopped (the server's own cursor) and the newest
row of the time before. It is filled from the top the next times; until then the mark says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .agnes.answers import AnswerCursor, Known, QueryPage
from .batch import Batch, Row

if TYPE_CHECKING:
    from ..queries.store import Reader, Writer

AHEAD = dt.timedelta(days=1)
"""A clock may be this far ahead of ours. What is later is kept, but says nothing of how far we have read."""


@dataclass(frozen=True, slots=True)
class ServerMark:
    """How far one account's queries are read. Times are UTC, with their zone."""

    newest: Known | None = None
    """All rows from here down are read, but for those in the gap."""
    gap: AnswerCursor | None = None
    """Where the rows begin that are still missing; None if there are none."""
    floor: Known | None = None
    """Where they end; None: with the first row of all."""
    answered_at: dt.datetime | None = None
    last_pull_at: dt.datetime | None = None
    """As the endpoint last said; both without a zone."""

    def row(self) -> Row:
        """The columns of it in `server_reads`; among them what is to be said of the gap."""
        return {
            "newest_at": None if self.newest is None else self.newest.when.replace(tzinfo=None),
            "newest_id": None if self.newest is None else self.newest.id,
            "gap_at": None if self.gap is None else self.gap.timestamp,
            "gap_id": None if self.gap is None else self.gap.id,
            "floor_at": None if self.floor is None else self.floor.when.replace(tzinfo=None),
            "floor_id": None if self.floor is None else self.floor.id,
            "answered_at": self.answered_at,
            "last_pull_at": self.last_pull_at,
            "reason": None if self.gap is None else "there are older queries, which are read bit by bit",
        }


def marks_of(connection: Reader, server: str, account: str) -> dict[str, ServerMark]:
    """The mark of each endpoint of a server that was asked for an account."""
    found = connection.rows(
        "SELECT endpoint, newest_at, newest_id, gap_at, gap_id, floor_at, floor_id, answered_at, last_pull_at "
        "FROM server_reads WHERE server = ? AND account = ?",
        [server, account],
    )
    return {
        endpoint: ServerMark(
            newest=_known(newest_at, newest_id),
            gap=AnswerCursor(gap_at, gap_id) if gap_at and gap_id else None,
            floor=_known(floor_at, floor_id),
            answered_at=answered_at,
            last_pull_at=last_pull_at,
        )
        for endpoint, newest_at, newest_id, gap_at, gap_id, floor_at, floor_id, answered_at, last_pull_at in found
    }


def _known(when: dt.datetime | None, row_id: str | None) -> Known | None:
    return None if when is None or row_id is None else Known(when.replace(tzinfo=dt.UTC), row_id)


def advanced(mark: ServerMark, pages: Sequence[QueryPage], now: dt.datetime) -> ServerMark:
    """The mark after reading: `pages` are the newest rows and, if there was time, what came next of an old gap."""
    top = pages[0]
    sure = [row for row in top.rows if row.when <= now + AHEAD]
    newest = max((Known(row.when, row.id) for row in sure), key=lambda known: (known.when, known.id), default=None)
    newest = newest or mark.newest
    if top.next is not None:
        # Below an old gap all is read: the new one reaches down to where that ended.
        return ServerMark(newest, top.next, mark.floor if mark.gap is not None else mark.newest)
    gap = mark.gap if len(pages) == 1 else pages[-1].next
    return ServerMark(newest, gap, mark.floor if gap is not None else None)


def row_id(server: str, told: str) -> str:
    """The key of a row that a server told: two servers may number their rows alike."""
    return f"server:{server}:{told}"


def adopt_old_rows(connection: Writer, server: str, account: str, fetched: Batch) -> None:
    """Give rows of an older version, which did not tell servers and accounts apart, their names.

    Whose a row is, is known when the server tells it again to its owner.
    """
    for table, mine in (("accesses", "seen_in = 'server'"), ("sync_actions", "starts_with(id, 'server:')")):
        old = f"path = $server AND {mine} AND NOT starts_with(id, 'server:' || $server || ':')"
        connection.execute(
            f"UPDATE {table} SET id = 'server:' || path || ':' || substr(id, 8) WHERE {old}", {"server": server}
        )
        connection.execute(
            f"UPDATE {table} SET username = $account "
            f"WHERE path = $server AND username IS NULL AND {mine} AND id IN (SELECT unnest($ids::VARCHAR[]))",
            {"server": server, "account": account, "ids": [row["id"] for row in fetched.of(table)]},
        )
