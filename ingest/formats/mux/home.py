"""What a Mux home says of its workspaces: whose children they are, when they were made, what they are called.

A workspace is a folder below `sessions/`. That of a sub-agent which was removed lies, flat with all its kin, in the
`subagent-transcripts/` of the session at the top.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ....queries import regular
from ...jsonl import MAX_LINE
from ..times import moment_of

SESSIONS = "sessions"
ARCHIVED = "subagent-transcripts"
METADATA = "metadata.json"

_MOST_PARENTS = 50


class MuxWorkspace(NamedTuple):
    """What is known of a workspace besides its own rows. Its words are unknown where the home does not tell them."""

    id: str
    root: str
    """The workspace at the top: the session."""
    parent: str | None
    born: int | None
    """When it was made, in microseconds."""
    project: str | None
    """The folder of the repository."""
    title: str | None
    """Of the session."""
    type: str | None
    """Which kind of sub-agent it is."""
    name: str | None


def workspace_at(folder: Path) -> MuxWorkspace:
    """The workspace in a folder."""
    known = _config(home_of(folder))
    at, parent = folder.name, _parent(folder.name, folder, known)
    root, place = at, folder
    for _ in range(_MOST_PARENTS):
        above = _parent(root, place, known)
        if above is None or above == root:
            break
        root, place = above, _sibling(place, above)
    own, top = known.get(at, {}), known.get(root, {})
    return MuxWorkspace(
        id=at,
        root=root,
        parent=parent,
        born=moment_of(own.get("createdAt")),
        project=_text(top.get("project") or own.get("project")),
        title=_text(top.get("title")),
        type=_text(own.get("agentType")),
        name=_text(own.get("title") or own.get("name")),
    )


def home_of(path: Path) -> Path:
    """The home that a path is in: where `sessions` is."""
    return next((folder.parent for folder in path.parents if folder.name == SESSIONS), path.parent)


def _sibling(folder: Path, workspace: str) -> Path:
    """Where a parent of an archived workspace lies: beside it, if it was removed, too; else it is a living one."""
    beside = folder.parent / workspace
    return beside if folder.parent.name == ARCHIVED and beside.is_dir() else home_of(folder) / SESSIONS / workspace


def _parent(workspace: str, folder: Path, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    told = _text(known.get(workspace, {}).get("parentWorkspaceId"))
    if told is not None or folder.parent.name != ARCHIVED:
        return told
    noted = _text(_document(folder / METADATA).get("parentWorkspaceId"))
    return noted or folder.parent.parent.name


def _config(home: Path) -> Mapping[str, Mapping[str, Any]]:
    """The workspaces of `config.json` by id, with the path of their project. It is read anew only if it changed."""
    path = home / "config.json"
    try:
        status = path.stat()
    except OSError:
        return {}
    return _config_of(path, status.st_mtime_ns, status.st_size, status.st_ino)


@functools.lru_cache(maxsize=8)
def _config_of(path: Path, *stamp: int) -> Mapping[str, Mapping[str, Any]]:  # noqa: ARG001
    projects = _document(path).get("projects")
    found = {}
    for pair in projects if isinstance(projects, list) else ():
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], dict):
            continue
        workspaces = pair[1].get("workspaces")
        for workspace in workspaces if isinstance(workspaces, list) else ():
            if isinstance(workspace, dict) and isinstance(workspace.get("id"), str):
                found[workspace["id"]] = workspace | {"project": _first_project(workspace) or pair[0]}
    return found


def _first_project(workspace: Mapping[str, Any]) -> str | None:
    projects = workspace.get("projects")
    first = projects[0] if isinstance(projects, list) and projects else None
    return _text(first.get("projectPath")) if isinstance(first, dict) else None


def _document(path: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(regular.read_bytes(path, MAX_LINE))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
