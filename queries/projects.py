"""What projects are called, and which of them a name means.

A project is the folder of a repository. Its name is as many of the last parts of that path as tell it from every other
project of the store; `--project` takes that name, any last parts, or the path, with slashes of either kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader

_SEPARATOR = re.compile(r"[/\\]+")
_DRIVE = re.compile(r"[A-Za-z]:")


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """Path -> name, for all projects that have to be told apart. Parts are joined as the path joins them."""
    parts = {path: [part for part in _SEPARATOR.split(path) if part] for path in paths}
    names: dict[str, str] = {}
    depth = 1
    waiting = set(parts)
    while waiting:
        # All are counted: what has a name already differs in its last parts from those that have none.
        ends = Counter(tuple(parts[path][-depth:]) for path in parts)
        for path in sorted(waiting):
            if depth >= len(parts[path]) or ends[tuple(parts[path][-depth:])] == 1:
                is_whole = ends[tuple(parts[path][-depth:])] > 1
                names[path] = path if is_whole or not parts[path] else _joined(path, parts[path][-depth:])
                waiting.discard(path)
        depth += 1
    return names


def _joined(path: str, parts: list[str]) -> str:
    return ("/" if "/" in path else "\\").join(parts)


def project_names(connection: Reader) -> Mapping[str, str]:
    """Path -> name of all projects of the store, and of workspaces, which are shown beside them."""
    rows = connection.rows(
        "SELECT project FROM sessions WHERE project IS NOT NULL UNION SELECT workspace FROM workspaces "
        "WHERE workspace IS NOT NULL"
    )
    return names_of(path for (path,) in rows)


def spelled(name: str) -> str:
    """A name or path of a project as `is_project` compares it: with slashes, a large drive letter, none at the end."""
    plain = name.replace("\\", "/")
    if _DRIVE.match(plain):
        plain = plain[0].upper() + plain[1:]
    return plain.rstrip("/") or plain


def lies_in(path: str, folder: str) -> str:
    """SQL: whether a path is a folder, or below it; both are SQL. On Windows a drive has no case."""
    inner, outer = _spelled_sql(path), _spelled_sql(folder)
    return f"({inner} = {outer} OR starts_with({inner}, {outer} || '/'))"


def _spelled_sql(path: str) -> str:
    """What `spelled` makes of a path, as SQL of a path."""
    plain = f"rtrim(replace({path}, chr(92), '/'), '/')"
    return f"CASE WHEN {path} ~ '[a-z]:.*' THEN upper(left({path}, 1)) || substr({plain}, 2) ELSE {plain} END"


def is_project(column: str, name: str) -> str:
    """SQL: whether a column's path is what a name means; `name` is SQL, too, of a text that is `spelled`."""
    path = f"replace({column}, chr(92), '/')"
    return f"{path} = {name} OR ends_with({path}, '/' || {name})"
