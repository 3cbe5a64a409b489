"""Small made-up agents, one for each way in which a source can change. They show what a real one has to bring."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats import Places, Source, SourceFile, State, WatchPaths
from agnes_stats.ingest.formats.change import AppendedLines, Change, Snapshot, reject
from agnes_stats.ingest.formats.database import ChangedRows, Database
from agnes_stats.ingest.formats.emit import Emitter
from agnes_stats.ingest.formats.events import Label, Response, Speaker, Tokens
from agnes_stats.ingest.formats.events import Place as At
from agnes_stats.ingest.formats.source import Vanished, existing
from agnes_stats.ingest.walk import walk

AGENT = "made-up"
SECOND = 1_000_000


class Told:
    """What all made-up agents say: `{"id", "session", "at", "out", "title"?}`, `at` in seconds."""

    def __init__(self, file: SourceFile, batch: Batch, state: State | None = None) -> None:
        self.emitter = Emitter(file, batch, agent=AGENT, state=state)

    def tell(self, row: Any, pos: int) -> str | None:
        """One row; the reason if it cannot be used."""
        try:
            key, session, at, out = str(row["id"]), str(row["session"]), int(row["at"]) * SECOND, int(row["out"])
        except (LookupError, TypeError, ValueError) as error:
            return f"no row: {error!r}"
        self.emitter.clock(at)
        place = At(session, at, pos)
        told = Response(key=f"{AGENT}:{key}", place=place, speaker=Speaker(), model="made", tokens=Tokens(output=out))
        self.emitter.response(told)
        if "title" in row:
            self.emitter.label(Label.TITLE, str(row["title"]), place)
        return None


class MadeUp(Source):
    """What they share: all below one folder, nothing but files with one ending."""

    version = 1
    suffix: str

    def locate(self, places: Places) -> list[Path]:
        """`~/.made`."""
        return existing([places.home / ".made"])

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """The files with the ending."""
        yield from (entry for entry in walk(root) if entry.name.endswith(self.suffix))

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """A file with the ending; its session is told by its rows."""
        return SourceFile(self.kind, root, path, True, None) if path.name.endswith(self.suffix) else None


# -- appended lines --------------------------------------------------------------------------------------------------


class LogDecoder:
    """A row on each line."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._told = Told(file, batch, state)
        self._path = file.path
        self._batch = batch
        self._count = int(state.get("count", 0))

    def feed(self, line: bytes, pos: int) -> None:
        try:
            trouble = self._told.tell(json.loads(line), pos)
        except ValueError as error:
            trouble = f"no JSON: {error}"
        if trouble is not None:
            reject(self._batch, self._path, pos, len(line), trouble)
        self._count += 1

    def finish(self) -> State:
        return self._told.emitter.finish() | {"count": self._count}


class Logs(MadeUp):
    """`<name>.log`, to which lines are appended, and which is packed away as `<name>.log.gz`."""

    kind = "made-logs"
    suffix = ".log"

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        yield from super().discover(root)
        yield from (Path(entry.path[:-3]) for entry in walk(root) if entry.name.endswith(".log.gz"))

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        return super().recognise(root, path.with_name(path.name.removesuffix(".gz")))

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        return path, Path(f"{os.fspath(path)}.gz")

    def change(self, file: SourceFile) -> Change:
        return AppendedLines(LogDecoder)


# -- snapshots -------------------------------------------------------------------------------------------------------


class NotebookDecoder:
    """A list of rows in each file; the rows of the archive are older ones of the same notebook."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._told = Told(file, batch)
        self._batch = batch

    def document(self, path: Path, content: bytes) -> None:
        self._told.emitter.inside(path)
        try:
            rows = json.loads(content)
        except ValueError as error:
            reject(self._batch, path, 0, 0, f"no JSON: {error}")
            return
        for pos, row in enumerate(rows):
            trouble = self._told.tell(row, pos)
            if trouble is not None:
                reject(self._batch, path, pos, 0, trouble)

    def finish(self) -> State:
        return self._told.emitter.finish()


class Notebooks(MadeUp):
    """`<name>.note`, written anew as a whole, and `<name>.note.old`, to which its old rows are moved."""

    kind = "made-notebooks"
    suffix = ".note"
    vanished = Vanished.STAY

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        return super().recognise(root, path.with_name(path.name.removesuffix(".old")))

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        return Path(f"{os.fspath(path)}.old"), path

    def change(self, file: SourceFile) -> Change:
        return Snapshot(NotebookDecoder, self.vanished)


class Boards(Notebooks):
    """The same, of an agent that takes back what it deletes."""

    kind = "made-boards"
    vanished = Vanished.GO


# -- databases -------------------------------------------------------------------------------------------------------


class DatabaseDecoder:
    """Answers name their session by a number that another table explains."""

    def __init__(self, file: SourceFile, state: State, batch: Batch, connection: sqlite3.Connection) -> None:
        self._told = Told(file, batch, state)
        self._connection = connection
        self.rows = int(state.get("rows", 0))

    def row(self, table: str, row: sqlite3.Row, pos: int) -> str | None:
        self.rows += 1
        if table == "talks":
            place = At(str(row["name"]), int(row["changed"]) * SECOND, pos)
            self._told.emitter.label(Label.TITLE, str(row["title"]), place)
            return None
        found = self._connection.execute("SELECT name FROM talks WHERE id = ?", [row["talk"]]).fetchone()
        if found is None:
            return "belongs to no talk"
        return self._told.tell({**dict(row), "session": found["name"]}, pos)

    def finish(self) -> State:
        return self._told.emitter.finish() | {"rows": self.rows}


class Databases(MadeUp):
    """`made.db`, a database with a write-ahead log that its owner has open."""

    kind = "made-databases"
    suffix = ".db"

    def watch_paths(self, root: Path) -> WatchPaths:
        return WatchPaths(flat=(root,))

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        return super().recognise(root, path.with_name(path.name.removesuffix("-wal")))

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        return path, Path(f"{os.fspath(path)}-wal")

    def change(self, file: SourceFile) -> Change:
        return Database(DatabaseDecoder, (ChangedRows("talks", "changed"), ChangedRows("answers", "changed")))


MADE_UP: tuple[type[MadeUp], ...] = (Logs, Notebooks, Boards, Databases)
