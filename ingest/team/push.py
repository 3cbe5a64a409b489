"""Pushing what this machine's store has to an inbox, as much of it as its owner says, and only then."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ... import __version__
from ...queries import teams
from ...queries.regular import read_text
from ...queries.replaced import replace_text
from ...queries.schema import STORE_VERSION
from ...queries.store import Store, StoreError
from . import inbox
from .outgoing import OutgoingFile, OutgoingRow, Part, Terms, files, parts, rows_of
from .share import Share

CHUNK_ROWS = 20_000
"""About so many rows go in one transaction, and are read in one opening of the store."""

_KEY_BYTES = 1000


@dataclass(slots=True)
class PushSummary:
    """What a push did."""

    parts: int = 0
    """Parts that differ from what was told."""
    rows: int = 0
    """Rows in them."""
    changed: int = 0
    """Rows that the inbox did not have like that, those that are gone from it too."""


class AnotherStores(inbox.InboxError):
    """The machine of that name was pushed from another store: it would undo what that one told."""


def key_beside(store: Path) -> Path:
    """Where the key is that hashes are keyed with."""
    return store.with_name(f"{store.name}.push-key")


def key_of(store: Path) -> str:
    """The key of a store, in hex; made if there is none. Raises OSError."""
    path = key_beside(store)
    if path.exists():
        return read_text(path, _KEY_BYTES).strip()
    key = secrets.token_hex(32)
    store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_text(path, f"{key}\n")
    return key


def origin_of(terms: Terms) -> str:
    """What tells a store from another one in an inbox, without telling its key."""
    import hashlib

    return hashlib.sha256(f"origin {terms.key}".encode()).hexdigest()[:16]


def push(
    store: Store,
    where: inbox.Address,
    terms: Terms,
    *,
    full: bool = False,
    report: Callable[[PushSummary], None] = lambda _: None,
) -> PushSummary:
    """Tell an inbox all that it has not been told, or was told otherwise; `report` is called after each transaction.

    `full` compares every row, and lets this store take the place of another one that pushed as the same machine.
    Raises InboxError, StoreError.
    """
    done = PushSummary()
    before = teams.push_note(store.path)
    note = teams.PushNote(where.shown, terms.machine, terms.share.value, __version__)
    try:
        rows = _push(store, where, terms, full, report, done)
    except (inbox.InboxError, StoreError) as error:
        known = (before.pushed_at, before.rows) if before is not None else (None, None)
        note = replace(note, pushed_at=known[0], rows=known[1], failed_at=_now(), reason=str(error))
        teams.note_push(store.path, note)
        raise
    teams.note_push(store.path, replace(note, pushed_at=_now(), rows=rows))
    return done


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def _push(
    store: Store,
    where: inbox.Address,
    terms: Terms,
    full: bool,
    report: Callable[[PushSummary], None],
    done: PushSummary,
) -> int:
    """Push; how many rows there are to tell in all."""
    with inbox.connected(where) as connection:
        terms = replace(terms, team=inbox.check_version(connection))
        inbox.take_turn(connection, terms.machine)
        known = inbox.pushed(connection, terms.machine)
        if known.origin not in (None, origin_of(terms)) and not full:
            raise AnotherStores(
                f"machine {terms.machine} was pushed from another store: say --machine NAME, or --full if this store "
                "takes its place"
            )
        inbox.announce(connection, terms.machine, origin_of(terms), STORE_VERSION, __version__, terms.share.value)
        with store.read() as reader:
            there = parts(reader, terms)
        todo = [part for part in there.values() if full or known.digests.get(part.name) != part.digest]
        gone = [name for name in known.digests if name not in there]
        done.parts = len(todo) + len(gone)
        for chunk in [*chunks(todo), *(gone[at : at + 1000] for at in range(0, len(gone), 1000))]:
            digests, rows = read(store, terms, chunk)
            done.changed += inbox.put(connection, terms.machine, digests, rows)
            done.rows += len(rows)
            report(done)
    return sum(part.rows for part in there.values())


@dataclass(frozen=True, slots=True)
class UntoldParts:
    """What a push would tell now: so many parts with so many rows, and how far each file is known there."""

    parts: int
    rows: int
    files: list[OutgoingFile]


def waits(store: Store, where: inbox.Address, terms: Terms) -> UntoldParts:
    """What a push would tell now, without telling it. Raises InboxError, StoreError."""
    with inbox.connected(where) as connection:
        terms = replace(terms, team=inbox.check_version(connection))
        known = inbox.pushed(connection, terms.machine)
    with store.read() as reader:
        there = parts(reader, terms)
        todo = [part for part in there.values() if known.digests.get(part.name) != part.digest]
        read_here = files(reader, terms, [part.name for part in todo])
    gone = sum(name not in there for name in known.digests)
    return UntoldParts(len(todo) + gone, sum(part.rows for part in todo), read_here)


def chunks(todo: Sequence[Part]) -> Iterator[list[str]]:
    """The names of parts, so many together as go at once."""
    names: list[str] = []
    rows = 0
    for part in todo:
        names.append(part.name)
        rows += part.rows
        if rows >= CHUNK_ROWS:
            yield names
            names, rows = [], 0
    if names:
        yield names


def read(store: Store, terms: Terms, names: Sequence[str]) -> tuple[dict[str, str | None], list[OutgoingRow]]:
    """The digests of parts as they are now, None of one that is gone, and all their rows, of one state of the store."""
    with store.read() as reader:
        there = parts(reader, terms, names)
        rows = list(rows_of(reader, terms, names))
    return {name: there[name].digest if name in there else None for name in names}, rows


def preview(store: Store, terms: Terms) -> Iterator[OutgoingRow]:
    """All rows that a first push would tell. Raises StoreError."""
    with store.read() as reader:
        names = [part.name for part in parts(reader, terms).values()]
    for chunk in (names[at : at + 200] for at in range(0, len(names), 200)):
        yield from read(store, terms, chunk)[1]


def terms_for(store: Path, machine: str, share: Share, leave_out: Sequence[str], *, key: str | None = None) -> Terms:
    """The terms of a store, with its key unless another one is given. Raises OSError."""
    return Terms(machine, share, key_of(store) if key is None else key, leave_out=tuple(sorted(set(leave_out))))
