"""Snapshots of remote tables that were brought to this machine: each is a read of remote data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .values import (
    Problem,
    ValuesRead,
    count_of,
    path_text,
    read_object,
    stable_id,
    text_of,
    time_of,
)

ACTION = "snapshot.create"

_SUFFIX = ".meta.json"


@dataclass(frozen=True, slots=True)
class SnapshotAccess:
    """One fetch of a snapshot. Refreshing it is another fetch, with another `id`."""

    id: str
    when: dt.datetime
    """UTC."""
    action: str
    resource: str
    """`table:<table_id>`."""
    name: str
    """Of the snapshot; `agnes snapshot create --as NAME`."""
    workspace: str
    path: str
    rows: int | None
    size_bytes: int | None
    """Of the file on this machine."""
    scan_bytes: int | None
    """What the server estimated it had to scan; None where it could not tell (recorded as 0)."""
    select: str | None
    """The columns asked for, separated by commas; None for all."""
    where: str | None
    order_by: str | None
    limit: int | None
    expires_at: dt.datetime | None
    """When `agnes pull` may delete it; None: never."""
    has_policy: bool
    """Whether an access policy decided which rows it has: they are the user's own, not the table's."""


def read_snapshot(workspace: Path, path: Path) -> ValuesRead[SnapshotAccess]:
    """The snapshot described in one file: one row, or none if the file is absent or a problem."""
    problems: list[Problem] = []
    meta = read_object(path, problems)
    if meta is None:
        return ValuesRead((), tuple(problems))
    table_id, when = text_of(meta.get("table_id"), 256), time_of(meta.get("fetched_at"))
    if table_id is None or when is None:
        missing = "table_id" if table_id is None else "fetched_at"
        return ValuesRead((), (Problem(path_text(path), f"{missing} is missing or unusable"),))
    return ValuesRead((_access(workspace, path, meta, table_id, when),))


def _access(workspace: Path, path: Path, meta: Mapping[str, Any], table_id: str, when: dt.datetime) -> SnapshotAccess:
    name = text_of(meta.get("name"), 256) or path_text(path).rpartition("/")[2].removesuffix(_SUFFIX)
    return SnapshotAccess(
        id=stable_id(ACTION, path_text(workspace), name, when.isoformat()),
        when=when,
        action=ACTION,
        resource=f"table:{table_id}",
        name=name,
        workspace=path_text(workspace),
        path=path_text(path),
        rows=count_of(meta.get("rows")),
        size_bytes=count_of(meta.get("bytes_local")),
        scan_bytes=count_of(meta.get("estimated_scan_bytes_at_fetch")) or None,
        select=_listed(meta.get("select")),
        where=text_of(meta.get("where")),
        order_by=_listed(meta.get("order_by")),
        limit=count_of(meta.get("limit")),
        expires_at=time_of(meta.get("expires_at")),
        has_policy=text_of(meta.get("policy_fingerprint")) is not None,
    )


def _listed(value: object) -> str | None:
    if isinstance(value, list):
        return text_of(", ".join(item for item in value if isinstance(item, str)))
    return text_of(value)
