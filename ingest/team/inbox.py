"""The inbox of a team, a schema in a PostgreSQL: who may do what there is said by its tables, not by who connects.

Each machine writes rows of its own, under row-level security, and reads no others. A row is one fact as one machine
tells it, under the fact's key; a fact that a machine does not tell any more stays as a row without content until all
have seen that. Every change has the number of its transaction, so that whoever drains sees what is new, also of
transactions that end late.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from ...queries import postgres
from ...queries.postgres import Address
from ...queries.postgres import ServerAway as InboxAway
from ...queries.postgres import ServerError as InboxError

__all__ = ["Address", "InboxAway", "InboxError"]

if TYPE_CHECKING:
    from ...queries.postgres import Connection

SCHEMA = "agnes_stats"
LAPTOPS, DRAINERS = "agnes_stats_laptops", "agnes_stats_drainers"
"""Roles that people and servers are members of."""

VERSION = 1
"""Of the schema. A laptop or a server that knows a lower one is told so."""

WAIT_SECONDS = 60
"""How long one push waits for another one of the same machine."""


def address(text: str) -> Address:
    """The address of an inbox. Raises InboxError for one that is none, or that has a password in it."""
    return postgres.address(text, "an inbox is named as postgresql://USER@HOST/DATABASE")


def connected(where: Address, *, seconds: float = postgres.CONNECT_SECONDS) -> AbstractContextManager[Connection]:
    """A connection to an inbox, as `postgres.connected`. Raises InboxError also where there is none."""
    return postgres.connected(where, seconds=seconds, missing="has no inbox: agnes-stats team init makes one")


# -- making it ---------------------------------------------------------------------------------------------------

_TABLES: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS agnes_stats",
    """
    CREATE TABLE IF NOT EXISTS agnes_stats.about (
        inbox uuid NOT NULL DEFAULT gen_random_uuid(), version integer NOT NULL, made_at timestamptz DEFAULT now())
    """,
    "INSERT INTO agnes_stats.about (version) SELECT 1 WHERE NOT EXISTS (SELECT FROM agnes_stats.about)",
    """
    CREATE TABLE IF NOT EXISTS agnes_stats.machines (
        pusher text NOT NULL DEFAULT session_user, machine text NOT NULL CHECK (length(machine) BETWEEN 1 AND 200),
        origin text NOT NULL CHECK (length(origin) <= 100), format integer NOT NULL, program text, share text,
        first_at timestamptz NOT NULL DEFAULT now(), pushed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (pusher, machine))
    """,
    """
    CREATE TABLE IF NOT EXISTS agnes_stats.parts (
        pusher text NOT NULL DEFAULT session_user, machine text NOT NULL,
        part text NOT NULL CHECK (length(part) <= 1000),
        digest text NOT NULL CHECK (length(digest) <= 100), rows integer NOT NULL,
        pushed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (pusher, machine, part))
    """,
    """
    CREATE TABLE IF NOT EXISTS agnes_stats.told (
        pusher text NOT NULL DEFAULT session_user, machine text NOT NULL, part text NOT NULL,
        fact text NOT NULL CHECK (length(fact) <= 100), ident text NOT NULL CHECK (length(ident) <= 10000),
        key uuid GENERATED ALWAYS AS (md5(ident)::uuid) STORED,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(), row text CHECK (octet_length(row) <= 1000000),
        PRIMARY KEY (pusher, machine, fact, key))
    """,
    "CREATE INDEX IF NOT EXISTS told_by_xid ON agnes_stats.told (xid)",
    "CREATE INDEX IF NOT EXISTS told_by_key ON agnes_stats.told (fact, key)",
    "CREATE INDEX IF NOT EXISTS told_by_part ON agnes_stats.told (pusher, machine, part)",
    """
    CREATE TABLE IF NOT EXISTS agnes_stats.drains (
        store text PRIMARY KEY, place text, upto xid8 NOT NULL, rows bigint NOT NULL,
        drained_at timestamptz NOT NULL DEFAULT now())
    """,
    # Nobody says themselves who they are, or when they wrote.
    """
    CREATE OR REPLACE FUNCTION agnes_stats.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.pusher := session_user;
        NEW.xid := pg_current_xact_id();
        RETURN NEW;
    END $$
    """,
    "DROP TRIGGER IF EXISTS stamp ON agnes_stats.told",
    "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON agnes_stats.told "
    "FOR EACH ROW EXECUTE FUNCTION agnes_stats.stamp()",
    "REVOKE ALL ON SCHEMA agnes_stats FROM PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA agnes_stats FROM PUBLIC",
    "GRANT USAGE ON SCHEMA agnes_stats TO agnes_stats_laptops, agnes_stats_drainers",
    "GRANT SELECT ON agnes_stats.about TO agnes_stats_laptops, agnes_stats_drainers",
    "GRANT SELECT, INSERT, UPDATE ON agnes_stats.machines, agnes_stats.told TO agnes_stats_laptops",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON agnes_stats.parts TO agnes_stats_laptops",
    "GRANT SELECT ON agnes_stats.machines, agnes_stats.parts, agnes_stats.told TO agnes_stats_drainers",
    "GRANT DELETE ON agnes_stats.told TO agnes_stats_drainers",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON agnes_stats.drains TO agnes_stats_drainers",
    "ALTER TABLE agnes_stats.machines ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE agnes_stats.parts ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE agnes_stats.told ENABLE ROW LEVEL SECURITY",
)

_OWN: tuple[LiteralString, ...] = (
    "DROP POLICY IF EXISTS own ON agnes_stats.{}",
    "CREATE POLICY own ON agnes_stats.{} TO agnes_stats_laptops USING (pusher = session_user) "
    "WITH CHECK (pusher = session_user)",
    "DROP POLICY IF EXISTS every ON agnes_stats.{}",
    "CREATE POLICY every ON agnes_stats.{} TO agnes_stats_drainers USING (true)",
)


def init(where: Address, people: list[str], drainers: list[str]) -> list[str]:
    """Make the inbox, and let people push and servers drain; the roles that are new, which have no password yet.

    All of it may be done again. Raises InboxError.
    """
    from psycopg import sql

    made = []
    with connected(where) as connection, connection.transaction():
        for group in (LAPTOPS, DRAINERS):
            make_role(connection, group, logs_in=False)
        for statement in _TABLES:
            connection.execute(statement)
        for table in ("machines", "parts", "told"):
            for each in _OWN:
                connection.execute(sql.SQL(each).format(sql.Identifier(table)))
        for group, names in ((LAPTOPS, people), (DRAINERS, drainers)):
            for name in names:
                if make_role(connection, name):
                    made.append(name)
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))
    return made


def make_role(connection: Connection, name: str, *, logs_in: bool = True) -> bool:
    """Make a role if there is none of that name; whether it is new."""
    from psycopg import sql

    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None:
        return False
    kind = sql.SQL("LOGIN" if logs_in else "NOLOGIN")
    connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), kind))
    return True


# -- pushing into it ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pushed:
    """What an inbox knows of a machine: how it was pushed last, and the digest of each of its parts."""

    origin: str | None
    """Which store the machine was pushed from; None: it never was."""
    digests: Mapping[str, str]


def check_version(connection: Connection) -> str:
    """The id of the inbox. Raises InboxError if it is of a newer version than this program knows."""
    row = connection.execute("SELECT inbox::text, version FROM agnes_stats.about").fetchone()
    if row is None:
        raise InboxError("the inbox was made only in part: agnes-stats team init makes the rest")
    if row[1] > VERSION:
        raise InboxError(f"the inbox is of a newer version ({row[1]}, this one knows {VERSION}): update agnes-stats")
    return str(row[0])


def take_turn(connection: Connection, machine: str) -> None:
    """Keep other pushes of this person's machine out until the connection ends. Raises InboxError after a while."""
    give_up = time.monotonic() + WAIT_SECONDS
    asked = "SELECT pg_try_advisory_lock(hashtextextended('agnes-stats push ' || session_user || ' ' || %s, 7))"
    while (row := connection.execute(asked, [machine]).fetchone()) is not None and not row[0]:
        if time.monotonic() > give_up:
            raise InboxAway(f"another push of {machine} is under way")
        time.sleep(0.2)


def pushed(connection: Connection, machine: str) -> Pushed:
    """What the inbox knows of a machine of ours."""
    row = connection.execute(
        "SELECT origin FROM agnes_stats.machines WHERE pusher = session_user AND machine = %s", [machine]
    ).fetchone()
    rows = connection.execute(
        "SELECT part, digest FROM agnes_stats.parts WHERE pusher = session_user AND machine = %s", [machine]
    ).fetchall()
    return Pushed(None if row is None else row[0], dict(rows))


def announce(connection: Connection, machine: str, origin: str, version: int, program: str, share: str) -> None:
    """Say who pushes, from which store and with which version."""
    # A server that did not know that version has passed its rows over.
    connection.execute(
        "UPDATE agnes_stats.told SET part = part WHERE pusher = session_user AND machine = %s AND EXISTS (SELECT "
        "FROM agnes_stats.machines WHERE pusher = session_user AND machine = %s AND format > %s)",
        [machine, machine, version],
    )
    connection.execute(
        "INSERT INTO agnes_stats.machines (machine, origin, format, program, share) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (pusher, machine) DO UPDATE SET origin = excluded.origin, format = excluded.format, "
        "program = excluded.program, share = excluded.share, pushed_at = now()",
        [machine, origin, version, program, share],
    )


def put(
    connection: Connection, machine: str, digests: Mapping[str, str | None], rows: Sequence[tuple[str, str, str, str]]
) -> int:
    """Make parts what is told of them now, in one transaction; the number of rows that were changed.

    `digests`: every part, with None for one that there is no more. `rows`: part, fact, key and content of all in them.
    """
    counts: dict[str, int] = dict.fromkeys(digests, 0)
    with connection.transaction(), connection.cursor() as cursor:
        # A part may be empty, and a session of a connection pushes several times.
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS now_told (part text, fact text, ident text, row text)")
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS now_parts (part text, digest text, rows integer)")
        cursor.execute("TRUNCATE now_told, now_parts")
        with cursor.copy("COPY now_told FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                counts[row[0]] += 1
        with cursor.copy("COPY now_parts FROM STDIN") as copy:
            for part, digest in digests.items():
                copy.write_row((part, digest, counts[part]))
        cursor.execute("ANALYZE now_told")
        cursor.execute(
            "INSERT INTO agnes_stats.told AS t (machine, part, fact, ident, row) "
            "SELECT %s, part, fact, ident, row FROM now_told ON CONFLICT (pusher, machine, fact, key) DO UPDATE "
            "SET part = excluded.part, row = excluded.row "
            "WHERE t.row IS DISTINCT FROM excluded.row OR t.part <> excluded.part",
            [machine],
        )
        changed = cursor.rowcount
        cursor.execute(
            "UPDATE agnes_stats.told t SET row = NULL WHERE t.pusher = session_user AND t.machine = %s "
            "AND t.row IS NOT NULL AND t.part IN (SELECT part FROM now_parts) "
            "AND NOT EXISTS (SELECT FROM now_told n WHERE n.fact = t.fact AND n.ident = t.ident)",
            [machine],
        )
        changed += cursor.rowcount
        cursor.execute(
            "INSERT INTO agnes_stats.parts (machine, part, digest, rows) "
            "SELECT %s, part, digest, rows FROM now_parts WHERE digest IS NOT NULL "
            "ON CONFLICT (pusher, machine, part) DO UPDATE "
            "SET digest = excluded.digest, rows = excluded.rows, pushed_at = now()",
            [machine],
        )
        cursor.execute(
            "DELETE FROM agnes_stats.parts WHERE pusher = session_user AND machine = %s "
            "AND part IN (SELECT part FROM now_parts WHERE digest IS NULL)",
            [machine],
        )
    return changed


# -- draining it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxChange:
    """A fact of which something has changed: its key as JSON, and what each machine tells of it now."""

    fact: str
    ident: str
    pusher: str
    machine: str
    row: str | None
    """None: this machine does not tell it any more."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Who pushes what, as the inbox knows it; times are in UTC."""

    pusher: str
    machine: str
    format: int
    program: str | None
    share: str | None
    pushed_at: Any
    rows: int


@contextlib.contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One state of the inbox for all that is asked in the block."""
    import psycopg

    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    try:
        with connection.transaction():
            yield
    finally:
        if not connection.closed:
            connection.isolation_level, connection.read_only = None, None


def bounds(connection: Connection, start: int, most: int) -> tuple[int, int, int]:
    """What a drain that has seen all below `start` takes next: up to which transaction, how many rows; the end of all.

    Only what no transaction that is still open could add to. In one snapshot with `changes`.
    """
    row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    assert row is not None
    end, rows = int(row[0]), 0
    several = connection.execute(
        "SELECT t.xid::text, count(*) FROM agnes_stats.told t WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8 "
        "GROUP BY t.xid ORDER BY t.xid",
        [str(start), str(end)],
    ).fetchall()
    for xid, count in several:
        rows += count
        if rows >= most:
            return int(xid) + 1, rows, end
    return end, rows, end


def changes(connection: Connection, start: int, end: int, newest: int) -> Iterator[InboxChange]:
    """All that is told of the facts that changed between two transactions, by machines of a format we know."""
    with connection.cursor(name="changes") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            "WITH known AS (SELECT pusher, machine FROM agnes_stats.machines WHERE format <= %s), "
            "changed AS (SELECT DISTINCT fact, key FROM agnes_stats.told JOIN known USING (pusher, machine) "
            "WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8) "
            "SELECT fact, ident, pusher, machine, row FROM agnes_stats.told JOIN changed USING (fact, key) "
            "JOIN known USING (pusher, machine)",
            [newest, str(start), str(end)],
        )
        for row in cursor:
            yield InboxChange(*row)


def note_drain(connection: Connection, store: str, place: str, upto: int, rows: int) -> None:
    """Say how far a store has drained, for whoever removes what all have seen."""
    connection.execute(
        "INSERT INTO agnes_stats.drains AS d (store, place, upto, rows) VALUES (%s, %s, %s::text::xid8, %s) "
        "ON CONFLICT (store) DO UPDATE SET place = excluded.place, upto = greatest(d.upto, excluded.upto), "
        "rows = d.rows + excluded.rows, drained_at = now()",
        [store, place, str(upto), rows],
    )


def machines(connection: Connection) -> list[Machine]:
    """Everybody who pushes, in the order of names."""
    rows = connection.execute(
        "SELECT m.pusher, m.machine, m.format, m.program, m.share, m.pushed_at AT TIME ZONE 'UTC', "
        "coalesce(sum(p.rows), 0)::bigint FROM agnes_stats.machines m "
        "LEFT JOIN agnes_stats.parts p USING (pusher, machine) "
        "GROUP BY m.pusher, m.machine, m.format, m.program, m.share, m.pushed_at ORDER BY 1, 2"
    ).fetchall()
    return [Machine(*row) for row in rows]


def shared(connection: Connection) -> list[tuple[str, str, int]]:
    """How many facts each two people tell both: copies of sessions, or somebody who tells what is another's."""
    return connection.execute(
        "SELECT a.pusher, b.pusher, count(*) FROM agnes_stats.told a JOIN agnes_stats.told b USING (fact, key) "
        "WHERE a.pusher < b.pusher AND a.row IS NOT NULL AND b.row IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    ).fetchall()


def content(connection: Connection) -> tuple[int, dt.datetime | None]:
    """How many rows there are, and when the part was pushed that changed longest ago, in UTC without a zone."""
    row = connection.execute(
        "SELECT coalesce(sum(rows), 0)::bigint, min(pushed_at) AT TIME ZONE 'UTC' FROM agnes_stats.parts"
    ).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def last_drain(connection: Connection) -> tuple[dt.datetime, float, int] | None:
    """When a store drained last, in UTC without a zone, how many seconds ago, and how many rows that was in all.

    None if none has, or if whoever asks may not know.
    """
    # A role that only pushes may not see who drains.
    may_see = connection.execute("SELECT has_table_privilege('agnes_stats.drains', 'SELECT')").fetchone()
    if may_see != (True,):
        return None
    row = connection.execute(
        "SELECT drained_at AT TIME ZONE 'UTC', extract(epoch FROM now() - drained_at)::float8, rows "
        "FROM agnes_stats.drains ORDER BY drained_at DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def waiting(connection: Connection, start: int) -> int:
    """How many rows changed since a drain has seen all below `start`."""
    row = connection.execute(
        "SELECT count(*) FROM agnes_stats.told WHERE xid >= %s::text::xid8", [str(start)]
    ).fetchone()
    return 0 if row is None else int(row[0])


def compact(connection: Connection) -> int:
    """Remove the rows without content that every store which drains has seen; how many."""
    cursor = connection.execute(
        "DELETE FROM agnes_stats.told WHERE row IS NULL AND xid < (SELECT min(upto) FROM agnes_stats.drains)"
    )
    return cursor.rowcount
