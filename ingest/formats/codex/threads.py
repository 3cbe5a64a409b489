"""Which thread a rollout tells of, and to which session it belongs.

Every thread has a file. Sub-agents' threads belong to the session that started them; a fork that a person made is a
session of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ....queries import regular
from ...jsonl import Unusable, inner_of, reader_of
from ...text import short
from ...walk import walk
from ..events import Speaker
from ..source import SourceFile
from ..times import parse_time
from .rows import Meta, RolloutRow

_MANY_PARENTS = 20
_HEAD_BYTES = 1024 * 1024
"""The head of a rollout has its instructions in it: 20 to 40 KB."""

_rows = reader_of(RolloutRow)
_meta = msgspec.json.Decoder(Meta).decode


class ThreadHead(msgspec.Struct, gc=False):
    """What the first row of a rollout tells. Times are microseconds since 1970, in UTC."""

    thread: str
    session: str
    is_subagent: bool
    is_fork: bool
    born: int | None
    """When the thread was made."""
    opened: int | None
    """When its first row was written."""
    provider: str | None = None
    version: str | None = None
    branch: str | None = None
    role: str | None = None
    nickname: str | None = None

    @property
    def speaker(self) -> Speaker:
        """Who speaks in this file."""
        return Speaker(
            subagent_id=self.thread if self.is_subagent else None,
            subagent_name=self.role if self.is_subagent else None,
            is_sidechain=self.is_subagent,
            version=self.version,
            branch=self.branch,
        )


def head_of(meta: Meta, opened: int | None, file: SourceFile) -> ThreadHead:
    """The head of a rollout. Of a sub-agent that does not name its root, the files of its parents are asked."""
    thread = next(
        (name for name in (meta.id, meta.session_id) if isinstance(name, str) and name),
        file.session_id or file.path.name,
    )
    spawn = _spawn(meta)
    git = meta.git if isinstance(meta.git, dict) else {}
    is_subagent = _is_subagent(meta)
    return ThreadHead(
        thread=thread,
        session=_root(thread, meta, file.root) if is_subagent else thread,
        is_subagent=is_subagent,
        is_fork=bool(meta.forked_from_id),
        born=parse_time(meta.timestamp) or opened,
        opened=opened,
        provider=short(meta.model_provider),
        version=short(meta.cli_version),
        branch=short(git.get("branch")),
        role=_role(meta, spawn),
        nickname=short(spawn.get("agent_nickname")),
    )


def _is_subagent(meta: Meta) -> bool:
    return meta.thread_source == "subagent" or (isinstance(meta.source, dict) and "subagent" in meta.source)


def _subagent(meta: Meta) -> Any:
    return meta.source.get("subagent") if isinstance(meta.source, dict) else None


def _spawn(meta: Meta) -> dict[str, Any]:
    told = _subagent(meta)
    spawn = told.get("thread_spawn") if isinstance(told, dict) else None
    return spawn if isinstance(spawn, dict) else {}


def _role(meta: Meta, spawn: dict[str, Any]) -> str | None:
    told = _subagent(meta)
    if isinstance(told, str):
        return short(told)
    other = told.get("other") if isinstance(told, dict) else None
    path = spawn.get("agent_path")
    named = path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else None
    return short(other) or short(spawn.get("agent_role")) or short(named)


def _parent(meta: Meta) -> str | None:
    return short(_spawn(meta).get("parent_thread_id")) or short(meta.parent_thread_id)


def _root(thread: str, meta: Meta, root: Path) -> str:
    """The session at the top: named by the row since 0.142, else found through the heads of the parents' files."""
    at, seen = thread, {thread}
    for _ in range(_MANY_PARENTS):
        named = short(meta.session_id)
        if named is not None and named != meta.id:
            return named
        parent = _parent(meta)
        if parent is None or parent in seen:
            return at
        seen.add(parent)
        at = parent
        found = _head_in(root, parent)
        if found is None or not _is_subagent(found):
            return at
        meta = found
    return at


def _head_in(root: Path, thread: str) -> Meta | None:
    """The head of a thread's rollout, if it lies here uncompressed."""
    if not thread.replace("-", "").isalnum():
        return None
    for entry in walk(root):
        if not (entry.name.startswith("rollout-") and entry.name.endswith(f"-{thread}.jsonl")):
            continue
        try:
            with regular.opened(entry.path) as stream:
                line = stream.readline(_HEAD_BYTES)
        except OSError:
            continue
        for row in _rows(line):
            if not isinstance(row, Unusable) and row.type == "session_meta":
                return inner_of(_meta, Meta, row.payload)
    return None
