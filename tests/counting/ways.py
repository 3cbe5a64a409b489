"""Every way in which the same files can come into a store, and what a store then says."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, ReadResult, Root, SourceFile
from agnes_stats.ingest.formats.change import STRETCH, Snapshot
from agnes_stats.ingest.incoming import Load
from agnes_stats.ingest.load import load
from agnes_stats.ingest.prices import PriceOverrides, rates_for
from agnes_stats.queries import rollups
from agnes_stats.queries.facts import FACTS
from agnes_stats.queries.schema import TABLES

from tests.storing import kept_open, store_in

Files = Mapping[str, bytes]
"""Path below `projects` -> content."""


MOST_STEPS, FEW_STEPS, LONG = 200, 3, 9000
"""A file that grows by bytes grows in this many steps at most; in few if it is long, or read as a whole each time."""


class Bench:
    """A store, and a folder of transcripts for it. The files of one folder are one lot: see `Bench.lots`."""

    def __init__(self, folder: Path, zones: tuple[str, ...] = ("UTC",)) -> None:
        self.root = folder / "claude"
        self.zones = zones
        self.store = store_in(folder)
        self.engine = Engine(self.store, [Root("claude", self.root)], zones=zones, workers=0)
        (self.root / "projects").mkdir(parents=True)
        # An empty folder is enough to learn the zones.
        with kept_open(self.store):
            self.engine.catch_up()
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Bench:
        """Keep the store open by reading it: opening it anew for every portion would take most of the time."""
        with self.store.write():
            self._held.enter_context(self.store.read())
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def path(self, name: str) -> Path:
        """Where a file lies."""
        path = self.root / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def append(self, name: str, data: bytes) -> None:
        """Let a file grow."""
        with self.path(name).open("ab") as file:
            file.write(data)

    def source(self, name: str) -> SourceFile | None:
        """The file as a source, if it is one."""
        return self.engine.recognise(self.path(name))

    def ingest(self, names: list[str]) -> None:
        """What the watcher does when files have changed."""
        found = [self.source(name) for name in names]
        self.engine.ingest([file for file in found if file is not None])

    # -- ways ----------------------------------------------------------------------------------------------------

    def at_once(self, files: Files) -> None:
        """All files are there when we look for the first time."""
        for name, data in files.items():
            self.append(name, data)
        self.engine.catch_up()

    def line_by_line(self, files: Files) -> None:
        """Live: all files grow at the same time, each by one line, and after every line we read."""
        rest = {name: data.splitlines(keepends=True) for name, data in files.items()}
        while rest := {name: lines for name, lines in rest.items() if lines}:
            for name, lines in rest.items():
                self.append(name, lines.pop(0))
            self.ingest(list(rest))

    def byte_by_byte(self, files: Files) -> None:
        """Live, as slowly as a disk can be: after every byte (of long files: every few) the reader looks for news."""
        news = {name: self._read_slowly(name, data) for name, data in files.items()}
        while news := {name: results for name, results in news.items() if results}:
            work, rows = Load(), Batch()
            for results in news.values():
                result, batch = results.pop(0)
                work.results.append(result)
                for table, told in batch.rows.items():
                    rows.rows.setdefault(table, []).extend(told)
            self._load(work, rows)

    def _read_slowly(self, name: str, data: bytes) -> list[tuple[ReadResult, Batch]]:
        source, path = self.source(name), self.path(name)
        news: list[tuple[ReadResult, Batch]] = []
        if source is None:
            return news
        is_whole = isinstance(SOURCES[source.kind].change(source), Snapshot)
        step = 1 + len(data) // (FEW_STEPS if is_whole or len(data) > LONG else MOST_STEPS)
        for start in range(0, len(data), step):
            with path.open("ab") as file:
                file.write(data[start : start + step])
            batch, known = Batch(), news[-1][0].watermark if news else None
            result = SOURCES[source.kind].read(source, known, batch, STRETCH)
            # Until there is a time in a file, it is read again from the start: that alone is no news.
            if result.watermark.read_to > (known.read_to if known else 0):
                news.append((result, batch))
        return news

    def _load(self, work: Load, rows: Batch) -> None:
        folder = self.root.parent / "spool"
        folder.mkdir(exist_ok=True)
        work.add(rows.write(folder, "rows"))
        models = {row["model"] for row in rows.of("responses")}
        work.rates = rates_for(models, PriceOverrides())
        windows = {rate.model: rate.context_window for rate in work.rates}
        work.priced_models = {model: windows.get(model) for model in models}
        with self.store.write() as connection:
            load(connection, work)

    def file_by_file(self, files: Files, which: int = 0) -> None:
        """File after file, the first one of every lot first."""
        lots = self.lots(files)
        while lots := {lot: names for lot, names in lots.items() if names}:
            names = [waiting.pop(which) for waiting in lots.values()]
            for name in names:
                self.append(name, files[name])
            self.ingest(names)

    def backwards(self, files: Files) -> None:
        """File after file, the last one of every lot first."""
        self.file_by_file(files, -1)

    def touched_again(self, files: Files) -> None:
        """Each file is read, touched and read, replaced by a copy and read, and then all is read from the start."""
        self.at_once(files)
        for name in files:
            os.utime(self.path(name), ns=(1, 1))
        self.ingest(list(files))
        for name in files:
            copy = self.path(name).with_suffix(".copy")
            shutil.copy(self.path(name), copy)
            copy.replace(self.path(name))
        self.ingest(list(files))
        self.engine.catch_up(rebuild=True)

    @staticmethod
    def lots(files: Files) -> dict[str, list[str]]:
        """Names of files by the folder they lie in."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in files:
            found[name.split("/")[0]].append(name)
        return dict(found)

    # -- what the store says -------------------------------------------------------------------------------------

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """An answer, in an order that does not depend on the order of storing."""
        with self.store.read() as connection:
            return connection.execute(f"FROM ({sql}) ORDER BY ALL").fetchall()

    def numbers(self, questions: tuple[str, ...]) -> dict[str, dict[str, int]]:
        """Answers of named sums by what the first column says."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        with self.store.read() as connection:
            for question in questions:
                answer = connection.execute(question)
                names = answer.columns[1:]
                for key, *values in answer.fetchall():
                    found[key] |= dict(zip(names, map(int, values), strict=True))
        return dict(found)

    def pairs(self, question: str) -> dict[str, dict[Any, Any]]:
        """Answers of a name and a value by what the first column says."""
        found: dict[str, dict[Any, Any]] = defaultdict(dict)
        for key, name, value in self.rows(question):
            found[key][name] = value
        return dict(found)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that the store knows, in an order of its own; not when it was learnt, nor in which portions."""
        tables = {fact.name: fact.columns for fact in FACTS} | {name: TABLES[name] for name in _DERIVED}
        known = {name: self.rows(f"SELECT {self._canonical(columns)} FROM {name}") for name, columns in tables.items()}
        path = self._canonical({"path": "VARCHAR"})
        known["rejects"] = self.rows(f"SELECT {path}, pos, length, reason FROM rejects")
        known["unknowns"] = self.rows(f"SELECT {path}, what, sum(count)::BIGINT FROM unknowns GROUP BY ALL")
        known["files"] = self.rows(f"SELECT {path}, session_id, read_to, error FROM files")
        return known

    def stale_rollups(self) -> list[str]:
        """Rollups that differ from what the facts say now."""
        questions = {"sessions": rollups.sessions("SELECT DISTINCT session_id FROM sessions")}
        for zone in self.zones:
            for table in ("tokens_daily", "tools_daily", "extensions_daily"):
                questions[f"{table} WHERE zone = '{zone}'"] = getattr(rollups, table)(f"'{zone}'")
        return [stored for stored, question in questions.items() if not self._is_fresh(stored, question)]

    def _is_fresh(self, stored: str, question: str) -> bool:
        columns = self._canonical(TABLES[stored.split()[0]])
        return self.rows(f"SELECT {columns} FROM {stored}") == self.rows(f"SELECT {columns} FROM ({question})")

    def _canonical(self, columns: Mapping[str, str]) -> str:
        """SQL of columns as they should be the same in another folder, and after another order of adding."""
        return ", ".join(self._same(name, kind) for name, kind in columns.items())

    def _same(self, name: str, kind: str) -> str:
        if name.endswith(("path", "rivals")):
            return f"replace(\"{name}\"::VARCHAR, '{self.root}', '') AS \"{name}\""
        return f'"{name}"'


_DERIVED = ("activity", "sessions", "tokens_daily", "tools_daily", "extensions_daily")

WAYS: dict[str, Callable[[Bench, Files], None]] = {
    "at once": Bench.at_once,
    "line by line": Bench.line_by_line,
    "byte by byte": Bench.byte_by_byte,
    "file by file": Bench.file_by_file,
    "backwards": Bench.backwards,
    "touched again": Bench.touched_again,
}
