"""A list of sessions that is put right when some of them have changed, instead of being asked for anew.

To ask for all of it takes the same time for one new line as for a thousand. Nothing is counted here: rows are asked for
as they always are (`sessions.listed_again`), of the few sessions that were touched, and their places and sums change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from .money import usd_of

if TYPE_CHECKING:
    from .sessions import SessionPage, SessionRow, SessionTotals


class Unshown(NamedTuple):
    """What is known of a row besides: where it stands, and what it adds to the sums."""

    sort_key: float | str | None
    """What it is sorted by."""
    started_us: int | None
    usd: Decimal | None
    """Its cost as it is added up."""


Entry = tuple["SessionRow", Unshown]


@dataclass(frozen=True, slots=True)
class SessionListing:
    """The first page of a list, and what has to be known to put it right."""

    page: SessionPage
    entries: Sequence[Entry]
    """The rows of the page."""
    descending: bool
    limit: int
    usd: Decimal
    """The sum of all that has a price."""
    priced: int
    """How many sessions have one."""
    is_exact: bool
    """Whether money is added up as decimals. It is, unless amounts are beyond all measure."""
    others: Mapping[str, Entry | None] = field(default_factory=dict)
    """What is known of sessions that are not on the page; None: it is none of the list."""

    @property
    def is_whole(self) -> bool:
        """Whether there are no others than those on the page."""
        return len(self.entries) == self.page.totals.sessions

    def at(self, session_id: str) -> Entry | None:
        """What it says of a session. KeyError where that is not known."""
        for entry in self.entries:
            if entry[0].session_id == session_id:
                return entry
        return self.others.get(session_id) if self.is_whole else self.others[session_id]


def put(
    before: SessionListing, touched: Collection[str], found: Sequence[Entry], live: Collection[str]
) -> SessionListing | None:
    """The list as it is now that only the sessions `touched` have changed, of which it has `found`.

    `live` are those that run. None where it takes asking anew: what comes up from below the page is not known, nor what
    was counted of a session that was not on it.
    """
    new = {entry[0].session_id: entry for entry in found}
    try:
        old = {session: before.at(session) for session in touched}
    except KeyError:
        return None
    if not before.is_exact:
        return None
    stays = [_living(entry, live) for entry in before.entries if entry[0].session_id not in touched]
    entries = _on_page(before, stays, found, touched)
    if entries is None:
        return None
    usd, priced, totals = before.usd, before.priced, before.page.totals
    for sign, counted in ((-1, old.values()), (1, new.values())):
        for entry in counted:
            if entry is not None:
                row, beside = entry
                totals = _added(totals, row, sign)
                usd += sign * (beside.usd or 0)
                priced += sign * (row.cost_usd is not None)
    totals = replace(totals, cost_usd=usd_of(usd) if priced else None)
    shown = entries[: before.limit]
    others = {**before.others, **{session: new.get(session) for session in touched}}
    others |= {entry[0].session_id: entry for entry in entries[before.limit :]}
    return replace(
        before,
        page=replace(before.page, rows=[row for row, _ in shown], totals=totals),
        entries=shown,
        usd=usd,
        priced=priced,
        others={name: entry for name, entry in others.items() if name not in {row.session_id for row, _ in shown}},
    )


def _on_page(
    before: SessionListing, stays: Sequence[Entry], found: Sequence[Entry], touched: Collection[str]
) -> Sequence[Entry] | None:
    """All that is known to stand at the top, in order; None if that does not fill the page, and there is more."""
    if before.is_whole:
        return in_order([*stays, *found], descending=before.descending)
    # What is not known stands below the last one that was on the page.
    last = before.entries[-1]
    is_gone = last[0].session_id in touched
    mark = last if is_gone else stays[-1]
    ordered = in_order([*stays, *found, *([mark] if is_gone else [])], descending=before.descending)
    end = next(place for place, entry in enumerate(ordered) if entry is mark)
    top = ordered[: end if is_gone else end + 1]
    return top if len(top) >= before.limit else None


def in_order(entries: Iterable[Entry], *, descending: bool) -> list[Entry]:
    """As SQL sorts them: by the key, then the latest first, what has none last, and at the end by their ids."""
    ordered = sorted(entries, key=lambda entry: entry[0].session_id)
    for place, falls in ((1, True), (0, descending)):
        known = [entry for entry in ordered if entry[1][place] is not None]
        known.sort(key=lambda entry: entry[1][place], reverse=falls)  # type: ignore[arg-type,return-value]
        ordered = [*known, *(entry for entry in ordered if entry[1][place] is None)]
    return ordered


def _living(entry: Entry, live: Collection[str]) -> Entry:
    row, beside = entry
    lives = row.session_id in live
    return entry if row.is_live == lives else (replace(row, is_live=lives), beside)


def _added(totals: SessionTotals, row: SessionRow, sign: int) -> SessionTotals:
    return replace(
        totals,
        sessions=totals.sessions + sign,
        with_tokens=totals.with_tokens + sign * (row.assistant_messages + row.tokens_total > 0),
        responses=totals.responses + sign * row.assistant_messages,
        tokens_total=totals.tokens_total + sign * row.tokens_total,
        unpriced_tokens=totals.unpriced_tokens + sign * row.unpriced_tokens,
        billed_elsewhere_tokens=totals.billed_elsewhere_tokens + sign * row.billed_elsewhere_tokens,
        undercounted=totals.undercounted + sign * row.undercounted,
    )
