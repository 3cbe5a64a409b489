"""What a load takes out of the store before it merges: what files had said before, and say otherwise now.

Facts that other files tell, too, stay. Where it is not known whether one does, because the store keeps of two tellings
only the better one, the other file is read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.quoting import quoted
from ..queries.schema import FACTS, Fact
from .formats import SOURCES, ReadResult
from .formats.source import Vanished
from .rollups import Touched
from .row_files import read_rows

if TYPE_CHECKING:
    from ..queries.store import Writer


def drop(
    connection: Writer,
    results: Sequence[ReadResult],
    row_files: Mapping[str, Sequence[Path]],
    touched: Touched,
) -> list[str]:
    """Drop what the files of a load alone had told and what is not so any more, before its rows are merged.

    That is what a newer version of their source tells anew, as far as it stands where the files still have bytes. The
    paths of files that may tell what snapshots do not say any more: of what is kept once the other telling is lost.
    """
    anew = [result for result in _upgraded(connection, results) if result.places is None]
    extents = [extent for result in anew for extent in result.extents]
    places = [
        (path, place)
        for result in results
        if result.renews
        for path, _ in result.extents
        for place in result.places or ()
    ]
    if extents or places:
        _drop_told_alone(connection, extents, places, touched)
    snapshots = [result for result in results if result.vanished is not Vanished.STAY]
    return _note_keys(connection, snapshots, row_files) if snapshots else []


def taken_back(connection: Writer, results: Sequence[ReadResult]) -> bool:
    """Make the table `taken_back` of files that tell all there is to know; whether there are any."""
    paths = [path for result in results if result.vanished is Vanished.GO for path, _ in result.extents]
    if paths:
        connection.execute("CREATE OR REPLACE TEMP TABLE taken_back AS SELECT DISTINCT unnest(?) AS path", [paths])
    return bool(paths)


def leave(connection: Writer, results: Sequence[ReadResult], touched: Touched) -> None:
    """Take back what was told of sessions that have turned out to be a sub-agent's work in other ones.

    Its responses and calls have moved there. Nobody typed anything in them, and they have no name of their own.
    """
    for result in results:
        session = result.moved_from
        if session is None:
            continue
        mine = f"session_id = {quoted(session)}"
        told_here = f"{mine} AND path IN ({', '.join(quoted(path) for path, _ in result.extents)})"
        gone = [f"{table} WHERE {told_here}" for table in ("prompts", "session_firsts", "session_lasts")]
        for rows in gone:
            touched.by(rows.split()[0], rows)
            connection.execute(f"DELETE FROM {rows}")
        left = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE {mine}" for table in ("responses", "tool_calls", "prompts", "events")
        )
        if connection.row(f"SELECT 1 FROM ({left}) LIMIT 1") is None:
            touched.by("activity", f"activity WHERE {mine}")
            connection.execute(f"DELETE FROM activity WHERE {mine}")


def mark_unread(connection: Writer, paths: Sequence[str]) -> None:
    """Let files be read again from the start by whoever looks at them next."""
    if paths:
        connection.execute("UPDATE files SET parser = NULL WHERE path IN (SELECT unnest(?))", [list(paths)])


def _upgraded(connection: Writer, results: Sequence[ReadResult]) -> list[ReadResult]:
    """The results of files that an older version had read last, and that are now read from their start."""
    begun = {str(result.file.path): result for result in results if result.start == 0 and not result.watermark.error}
    if not begun:
        return []
    rows = connection.rows(
        "SELECT path, parser FROM files WHERE parser IS NOT NULL AND path IN (SELECT unnest(?))", [list(begun)]
    )
    return [
        result
        for path, version in rows
        if version < (source := SOURCES[(result := begun[path]).file.kind]).version and not source.is_cut
    ]


def _drop_told_alone(
    connection: Writer,
    extents: Sequence[tuple[str, int]],
    places: Sequence[tuple[str, int]],
    touched: Touched,
) -> None:
    """Drop facts of which every part was told by these files before the given byte, or at one of the given places."""
    for table, column, rows in (("reread", "size", extents), ("reread_places", "pos", places)):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT unnest(?::VARCHAR[]) AS path, unnest(?::BIGINT[]) AS {column}",
            [[path for path, _ in rows], [number for _, number in rows]],
        )
    for fact in FACTS:
        told_here = []
        for path in _paths_of(fact):
            pos = path.removesuffix("path") + "pos"
            here = f'SELECT 1 FROM reread WHERE reread.path = {fact.name}."{path}"'
            told = f"EXISTS ({here})"
            if pos in fact.columns:
                told = (
                    f'EXISTS ({here} AND {fact.name}."{pos}" < reread.size) '
                    f'OR ({fact.name}."{path}", {fact.name}."{pos}") IN (SELECT ROW(path, pos) FROM reread_places)'
                )
            told_here.append(f'({fact.name}."{path}" IS NULL OR {told})')
        # What another file says, too, stays with all that is known of it.
        told_here += [
            f"coalesce(({others}), true)"
            for others in (
                f"SELECT bool_and(rival.{half.prefix}path IN (SELECT path FROM reread)) FROM "
                f"(SELECT unnest(from_json({fact.name}.{half.rivals}, '{half.shape_of_rivals}')) AS rival)"
                for half in fact.halves
                if half.rivals is not None
            )
        ]
        told_alone = f"{fact.name} WHERE {' AND '.join(told_here)}"
        touched.by(fact.name, told_alone)
        connection.execute(f"DELETE FROM {told_alone}")


def _paths_of(fact: Fact) -> list[str]:
    """The columns of a fact that say which file told it, one for each part of it."""
    return [column for column in fact.columns if column == "path" or column.endswith("_path")]


def _note_keys(
    connection: Writer, snapshots: Sequence[ReadResult], row_files: Mapping[str, Sequence[Path]]
) -> list[str]:
    """Note which facts these snapshots tell; other ones that tell what they do not tell any more."""
    members = [(path, str(result.file.path)) for result in snapshots for path, _ in result.extents]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE snapshot_members AS SELECT unnest(?) AS path, unnest(?) AS snapshot",
        [[path for path, _ in members], [snapshot for _, snapshot in members]],
    )
    told = [
        f"SELECT m.snapshot, '{fact.name}' AS fact, {_key_of(fact)} AS key "
        f"FROM ({read_rows(row_files[fact.name], fact.told)}) r "
        f"JOIN snapshot_members m ON m.path IN ({', '.join(f'r.{path}' for path in _told_paths(fact))})"
        for fact in FACTS
        if any(fact.name in result.tables for result in snapshots)
    ]
    nothing = "SELECT NULL::VARCHAR AS snapshot, NULL::VARCHAR AS fact, NULL::VARCHAR AS key LIMIT 0"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told_keys AS SELECT DISTINCT * FROM ({' UNION ALL '.join(told) or nothing})"
    )
    sure = [str(result.file.path) for result in snapshots if result.vanished is Vanished.GO]
    vanished = (
        "SELECT k.fact, k.key FROM snapshot_keys k ANTI JOIN told_keys t USING (snapshot, fact, key) "
        "WHERE k.snapshot IN (SELECT unnest(?))"
    )
    others = connection.rows(
        f"SELECT DISTINCT o.snapshot FROM snapshot_keys o JOIN ({vanished}) v USING (fact, key) "
        "WHERE o.snapshot NOT IN (SELECT unnest(?)) ORDER BY 1",
        [sure, sure],
    )
    connection.execute("DELETE FROM snapshot_keys WHERE snapshot IN (SELECT unnest(?))", [sure])
    connection.execute("INSERT INTO snapshot_keys FROM told_keys ANTI JOIN snapshot_keys USING (snapshot, fact, key)")
    return [path for (path,) in others]


def _told_paths(fact: Fact) -> list[str]:
    return [path for path in _paths_of(fact) if path in fact.told]


def _key_of(fact: Fact) -> str:
    return "concat_ws(chr(31), " + ", ".join(f'r."{column}"' for column in fact.key) + ")"
