"""A team: people with machines and stores, an inbox in a real PostgreSQL, and the store that is drained from it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.team import inbox
from agnes_stats.ingest.team.drain import Drained, drain
from agnes_stats.ingest.team.push import PushSummary, push, terms_for
from agnes_stats.ingest.team.share import Share
from agnes_stats.queries.schema import FACTS, TABLES, columns_of
from agnes_stats.queries.store import Store

from tests.storing import store_in
from tests.team.postgres import ADMIN, Server
from tests.transcripts import Transcript, write

OWN = ("files", "meta", "rejects", "unknowns", "snapshot_keys", "zones", "forgotten")
"""Tables about what a machine has read, not about what happened."""

DIES = """
import itertools, os, sys
import psycopg
from pathlib import Path
from agnes_stats.ingest.team import drain, inbox, push
from agnes_stats.ingest.team.share import Share
from agnes_stats.queries.store import Store, reader
what, store, url, machine, full, at = sys.argv[1:]
count = itertools.count(1)
def dying(run):
    def dies(*given, **named):
        if next(count) == int(at):
            os._exit(9)
        return run(*given, **named)
    return dies
psycopg.Cursor.execute = dying(psycopg.Cursor.execute)
psycopg.Copy.write_row = dying(psycopg.Copy.write_row)
if what == "drain":
    reader.Writer.execute = dying(reader.Reader.execute)
    drain.drain(Store(Path(store)), inbox.address(url), most_rows=40)
else:
    push.CHUNK_ROWS = 20
    terms = push.terms_for(Path(store), machine, Share.ALL, [])
    push.push(Store(Path(store)), inbox.address(url), terms, full=full == "full")
"""
"""A process that ends in the middle, as after a SIGKILL: at the so many-th statement or row."""


class Team:
    """People are called as their machines; each has transcripts and a store in a folder of that name."""

    def __init__(self, folder: Path, server: Server, database: str, people: Sequence[str]) -> None:
        self.folder, self.server, self.database, self.people = folder, server, database, people
        inbox.init(inbox.address(self.url(ADMIN)), [*people], ["drainer"])
        server.give_passwords(*people, "drainer")
        self.store = Store(folder / "team.duckdb")

    def url(self, role: str) -> str:
        return self.server.url(role, self.database)

    def store_of(self, who: str) -> Store:
        return store_in(self.folder / who)

    def reads(self, who: str, told: Sequence[Transcript]) -> None:
        """Let a person's machine have these transcripts, and read them."""
        write(self.folder / who / "claude", told)
        Engine(self.store_of(who), [Root("claude", self.folder / who / "claude")], workers=0).catch_up()

    def push(
        self, who: str, share: Share = Share.ALL, *leave_out: str, full: bool = False, role: str = ""
    ) -> PushSummary:
        store = self.store_of(who)
        terms = terms_for(store.path, who, share, leave_out)
        return push(store, inbox.address(self.url(role or who)), terms, full=full)

    def drain(self, store: Store | None = None) -> Drained:
        return drain(store or self.store, inbox.address(self.url("drainer")))

    def dies(self, what: str, who: str, at: int, *, full: bool = False, store: Store | None = None) -> int:
        """Push or drain in a process that ends at a statement; its exit status."""
        path = (store or self.store).path if what == "drain" else self.store_of(who).path
        words = [
            what,
            str(path),
            self.url("drainer" if what == "drain" else who),
            who,
            "full" if full else "",
            str(at),
        ]
        return subprocess.run([sys.executable, "-c", DIES, *words], check=False).returncode

    def one_store(self) -> Store:
        """A store that read everything itself."""
        one = Store(self.folder / "one.duckdb")
        roots = [Root("claude", self.folder / who / "claude", who) for who in self.people]
        Engine(one, roots, workers=0).catch_up()
        return one


def told(store: Store) -> dict[str, list[str]]:
    """What a store says happened, paths by their names on the machine they are on, nobody's name beside.

    Doubles are rounded: they are sums in no fixed order.
    """
    found = {}
    with store.read() as connection:
        for table in [fact.name for fact in FACTS] + [table for table in TABLES if table not in OWN]:
            kinds = {column: kind for column, kind in columns_of(table).items() if column != "username"}
            shown = [f'round("{column}", 9)' if kind == "DOUBLE" else f'"{column}"' for column, kind in kinds.items()]
            rows = connection.rows(f"SELECT {', '.join(shown)} FROM {table}")
            found[table] = sorted(_plain(json.dumps(row, default=str)) for row in rows)
    return found


def _plain(row: str) -> str:
    """A row without the names of people, which are before paths and in the lines of other files."""
    without = re.sub(r"[\w-]+@[\w-]+:(?=/)", "", row)
    return re.sub(r'(\\?"username\\?":)(null|\\?"[\w-]+\\?")', r"\1null", without)


def differing(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> str:
    """In words, where two stores differ first; empty if they do not."""
    for table, rows in one.items():
        if rows != other[table]:
            return f"{table}: only here {set(rows) - set(other[table])}, missing {set(other[table]) - set(rows)}"
    return ""
