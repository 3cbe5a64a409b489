"""Where Agnes workspaces lie on this machine."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .account import config_folder, read_config
from .values import path_text, read_file, text_of

_SERVER = re.compile(r"^server_url:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """A folder that the `agnes` command keeps data in."""

    path: Path
    """Without links, so that two names of a folder are one workspace."""
    found_by: str
    """`AGNES_LOCAL_DIR`, `workspace_root`, `cwd` or `session`."""


def is_shaped(folder: Path) -> bool:
    """Whether a folder looks like a workspace: it was initialised, or holds its views or its data.

    The same three signs as the `agnes` command uses. A folder that may not be looked into has none of them.
    """
    return (
        _exists(folder / ".claude" / "init-complete")
        or _exists(folder / "user" / "duckdb" / "analytics.duckdb")
        or _exists(folder / "server" / "parquet", folder=True)
    )


def server_of(workspace: Path) -> str | None:
    """The server a workspace was initialised for, as `.claude/init-complete` tells it."""
    data = read_file(workspace / ".claude" / "init-complete", [])
    found = _SERVER.search((data or b"").decode("utf-8", "replace"))
    return text_of(found[1].rstrip("/")) if found else None


def discover_workspaces(
    env: Mapping[str, str], home: Path, cwd: Path, project_dirs: Iterable[str | Path] = ()
) -> list[FoundWorkspace]:
    """All workspaces that are known on this machine, each once, in the order of how surely they are meant.

    `AGNES_LOCAL_DIR` and `workspace_root` (of config.yaml) name a workspace outright: the folder only has
    to exist. The current folder, the folders that sessions worked in (`project_dirs`) and the folders above
    any of them count if they are shaped like one. Relative `project_dirs` (of another system) are passed
    over.
    """
    found: dict[Path, FoundWorkspace] = {}

    def add(folder: Path, found_by: str) -> None:
        real = _real_folder(folder)
        if real is not None:
            found.setdefault(real, FoundWorkspace(real, found_by))

    if named := env.get("AGNES_LOCAL_DIR"):
        add(_from_home(named, home, cwd), "AGNES_LOCAL_DIR")
    if root := read_config(config_folder(env, home)).workspace_root:
        add(_from_home(root, home, cwd), "workspace_root")
    seen: set[Path] = set()
    for folder in _unseen([cwd], seen):
        add(folder, "cwd")
    for folder in _unseen((Path(project) for project in project_dirs), seen):
        add(folder, "session")
    return list(found.values())


def looked_for(env: Mapping[str, str], home: Path, cwd: Path, worked_in: int) -> list[str]:
    """Where workspaces are looked for, and why each place gave none, in words; `worked_in`: folders of sessions."""
    named, config = env.get("AGNES_LOCAL_DIR"), config_folder(env, home) / "config.yaml"
    root = read_config(config.parent).workspace_root
    told = "not set" if root is None else f"{root}: no folder"
    if not _exists(config):
        told = "no such file"
    return [
        f"AGNES_LOCAL_DIR ({f'{named}: no folder' if named else 'not set'})",
        f"workspace_root in {path_text(config)} ({told})",
        f"{path_text(cwd)} and above",
        f"{worked_in} folder{'' if worked_in == 1 else 's'} that sessions worked in, and above",
    ]


def _unseen(folders: Iterable[Path], seen: set[Path]) -> Iterator[Path]:
    """The shaped ones among absolute folders and all folders above them; each folder is looked at once."""
    for start in folders:
        if start.is_absolute():
            for folder in (start, *start.parents):
                if folder in seen:
                    break
                seen.add(folder)
                if is_shaped(folder):
                    yield folder


def _from_home(name: str, home: Path, cwd: Path) -> Path:
    return home / name[2:] if name.startswith("~/") else cwd / name


def _real_folder(folder: Path) -> Path | None:
    try:
        real = folder.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return real if _exists(real, folder=True) else None


def _exists(path: Path, *, folder: bool = False) -> bool:
    """Whether something (or a folder) is there; False if it may not be looked at or cannot exist."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(mode) or not folder
