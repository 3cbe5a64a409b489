"""The tables in a workspace: what the last pull recorded of them, and since when the files are on disk."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..walk import ABOVE, folders, leads_up, walking
from .values import (
    Problem,
    count_of,
    list_folder,
    path_text,
    read_object,
    reason_of,
    text_of,
    time_of,
    unix_time,
)

_STAGING = ".staging-"
"""Folders of an interrupted pull begin so; nothing in them counts."""


@dataclass(frozen=True, slots=True)
class SyncedTable:
    """One table of a workspace. Numbers are None where nothing says them."""

    workspace: str
    table_id: str
    rows: int | None = None
    size_bytes: int | None = None
    parts: int | None = None
    """Parquet files that make up the table."""
    hash: str | None = None
    """Of the data, as the server named it; tables in parts have one per part instead."""
    changed_at: dt.datetime | None = None
    """Modification time (UTC) of the newest parquet file; None if the data is not on disk."""
    packages: tuple[str, ...] = ()
    """Data packages that brought the table, where a stack brought it."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """The result of the pulls so far. `last_sync` (UTC) is None before the first one that succeeded."""

    last_sync: dt.datetime | None = None
    tables: tuple[SyncedTable, ...] = ()
    problems: tuple[Problem, ...] = ()
    blocked: tuple[str, ...] = ()
    """Snapshots that the last pull withheld."""


@dataclass(slots=True)
class _Files:
    """The parquet files of one table."""

    parts: int = 0
    size: int = 0
    newest: float = 0.0

    def add(self, status: os.stat_result) -> None:
        self.parts += 1
        self.size += status.st_size
        self.newest = max(self.newest, status.st_mtime)


def state_paths(workspace: Path, config: Path) -> tuple[Path, Path]:
    """The files with the state of pulls: the workspace's own, and the one that old versions shared."""
    return workspace / ".claude" / "agnes" / "sync_state.json", config / "sync_state.json"


def read_sync_state(workspace: Path, config: Path) -> SyncState:
    """What `agnes pull` recorded: when it last succeeded, and the tables it keeps in `server/parquet`.

    Without a record of its own a workspace has the one that old versions kept in `config` for all of them. A
    table on disk that the record does not know is listed with what the files tell.
    """
    problems: list[Problem] = []
    path, shared = state_paths(workspace, config)
    state = read_object(path, problems)
    if state is None and not problems:
        path, state = shared, read_object(shared, problems)
    state = state or {}
    files = _parquet_files(workspace / "server" / "parquet", problems)
    tables = {
        name: _pulled(path_text(workspace), name, entry, files.pop(name, None))
        for name, entry in _objects(state.get("tables"), path, "tables", problems)
    }
    for name, found in files.items():
        tables[name] = _pulled(path_text(workspace), name, {}, found)
    last_sync = time_of(state.get("last_sync"))
    if last_sync is None and state.get("last_sync") is not None:
        problems.append(Problem(path_text(path), "last_sync is not a time"))
    return SyncState(last_sync, tuple(tables.values()), tuple(problems), _names(state.get("snapshot_blocked")))


def _names(value: object) -> tuple[str, ...]:
    return tuple(name for item in value if (name := text_of(item, 256))) if isinstance(value, list) else ()


def _pulled(workspace: str, table_id: str, entry: Mapping[str, Any], found: _Files | None) -> SyncedTable:
    parts = entry.get("parts")
    size = count_of(entry.get("size_bytes"))
    recorded = len(parts) if isinstance(parts, dict) else None
    return SyncedTable(
        workspace=workspace,
        table_id=table_id,
        rows=count_of(entry.get("rows")),
        size_bytes=found.size if found and not size else size,
        parts=recorded if found is None else found.parts,
        hash=text_of(entry.get("hash")),
        changed_at=unix_time(found.newest) if found else None,
    )


def read_stack_state(workspace: Path) -> SyncState:
    """What the stack sync of newer versions recorded in `.claude/sync_state.json`.

    The number of rows is not recorded, the size is that of the file. A table of several packages is one row.
    """
    problems: list[Problem] = []
    path = workspace / ".claude" / "sync_state.json"
    state = read_object(path, problems) or {}
    files = _parquet_files(workspace / ".claude" / "data" / "_shared", problems)
    tables: dict[str, SyncedTable] = {}
    for package, name, entry in _stack_entries(state, path, problems):
        table_id = text_of(entry.get("table_id")) or name
        known = tables.get(table_id)
        if known is None:
            found = files.get(_file_stem(table_id))
            known = SyncedTable(
                workspace=path_text(workspace),
                table_id=table_id,
                size_bytes=found.size if found else None,
                parts=found.parts if found else None,
                hash=text_of(entry.get("md5")),
                changed_at=unix_time(found.newest) if found else None,
            )
        packages = (*known.packages, package) if package and package not in known.packages else known.packages
        tables[table_id] = dataclasses.replace(known, packages=packages)
    last_sync = unix_time(state.get("last_sync_unix"))
    if last_sync is None and state.get("last_sync_unix") is not None:
        problems.append(Problem(path_text(path), "last_sync_unix is not a time"))
    return SyncState(last_sync, tuple(tables.values()), tuple(problems))


def merged(pull: SyncState, stack: SyncState) -> SyncState:
    """Both ways of syncing as one: each table once, the pull's record first; the later of the two times."""
    tables = {table.table_id: table for table in pull.tables}
    for table in stack.tables:
        known = tables.get(table.table_id)
        tables[table.table_id] = dataclasses.replace(known, packages=table.packages) if known else table
    times = [moment for moment in (pull.last_sync, stack.last_sync) if moment is not None]
    problems = pull.problems + stack.problems
    return SyncState(max(times, default=None), tuple(tables.values()), problems, pull.blocked + stack.blocked)


def _stack_entries(
    state: Mapping[str, Any], path: Path, problems: list[Problem]
) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
    for name, entry in _objects(state.get("direct_tables"), path, "direct_tables", problems):
        yield None, name, entry
    for slug, package in _objects(state.get("data_packages"), path, "data_packages", problems):
        for name, entry in _objects(package, path, f"data_packages.{slug}", problems):
            yield slug, name, entry


def _objects(value: object, path: Path, where: str, problems: list[Problem]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The named objects in a JSON object; whatever else stands there is a problem."""
    if value is None:
        return
    if not isinstance(value, dict):
        problems.append(Problem(path_text(path), f"{where} is not an object"))
        return
    for name, entry in value.items():
        key = text_of(name)
        if key is None or not isinstance(entry, dict):
            problems.append(Problem(path_text(path), f"{where}.{text_of(name, 80)} is not an object"))
        else:
            yield key, entry


def _parquet_files(folder: Path, problems: list[Problem]) -> dict[str, _Files]:
    """By table: `<table>.parquet`, or all parquet files at any depth below a folder `<table>`."""
    found: dict[str, _Files] = {}
    if leads_up(str(folder)):
        problems.append(Problem(path_text(folder), f"is not listed: {ABOVE}"))
        return found
    for entry in list_folder(folder, problems):
        if entry.name.startswith(_STAGING):
            continue
        if entry.name.endswith(".parquet"):
            _add(found, entry.name.removesuffix(".parquet"), Path(entry.path), problems)
            continue
        for part in _parts(Path(entry.path), problems):
            _add(found, entry.name, part, problems)
    return found


def _parts(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            problems.append(Problem(path_text(Path(error.filename or folder)), reason_of(error)))

    with walking() as walk:
        for base, files in folders(folder, followed=0, other_disks=True, failed=failed):
            if not any(part.startswith(_STAGING) for part in Path(base).relative_to(folder).parts):
                for file in files:
                    if file.name.endswith(".parquet"):
                        yield Path(base, file.name)
    problems += [Problem(path_text(Path(path)), f"is not listed: {why}") for path, why in walk.left_out.items()]


def _add(found: dict[str, _Files], table: str, path: Path, problems: list[Problem]) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        problems.append(Problem(path_text(path), reason_of(error)))
        return
    if stat.S_ISREG(status.st_mode):
        found.setdefault(table, _Files()).add(status)


def _file_stem(table_id: str) -> str:
    """The name that the stack sync gives a table's file: runs of unsafe characters become `_`."""
    if re.fullmatch(r"[A-Za-z0-9._-]+", table_id):
        return table_id
    return re.sub(r"[^A-Za-z0-9._-]+", "_", table_id).strip("._-")
