"""Which project a working folder belongs to.

Folders come from any system, and are told as they are written there: nothing here depends on the system that reads.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..queries.regular import read_bytes

_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/]|$)")
_LONG_DRIVE, _LONG_SHARE = re.compile(r"\\\\[?.]\\(?=[A-Za-z]:)"), re.compile(r"\\\\\?\\UNC\\", re.IGNORECASE)
_WORKTREE = re.compile(r"(.+?)[\\/](?:\.claude[\\/]worktrees|\.worktrees)(?:[\\/].*)?")
_GIT_WORKTREE = re.compile(r"(.+)[\\/]worktrees[\\/][^\\/]+")
_MOST_FOLDERS_UP = 32
_LARGEST_MARK = 4096


@functools.lru_cache(maxsize=4096)
def project_of(cwd: str) -> str:
    """The project of a working folder: worktrees are folded into the repository they belong to.

    Some show it in their path (`.claude/worktrees/x`, `.worktrees/x`), git's others in their `.git` file, if they
    still exist here.
    """
    folder = folder_of(cwd)
    shown = _WORKTREE.fullmatch(folder)
    if shown:
        return folder_of(shown[1])
    return _repository_of(folder) or folder


def folder_of(cwd: str) -> str:
    """A working folder as all rows that mean it spell it.

    On Windows that is with backslashes, a large drive letter and no mark for long names; nowhere with a separator at
    the end. Other letters stay: what their case means is the file system's business.
    """
    folder = _LONG_DRIVE.sub("", _LONG_SHARE.sub(lambda _: "\\\\", cwd))
    if _DRIVE.match(folder):
        folder = folder[0].upper() + folder[1:].replace("/", "\\")
        return folder.rstrip("\\") if len(folder) > len("C:\\") else folder
    if folder.startswith("\\\\"):
        return folder.replace("/", "\\").rstrip("\\") or folder
    return folder.rstrip("/") or folder


def _repository_of(folder: str) -> str | None:
    """The repository of which a folder of this machine is, or lies in, a worktree; None if it is none."""
    if not os.path.isabs(folder):  # noqa: PTH117
        return None
    try:
        for place in _upwards(folder):
            mark = place / ".git"
            if mark.is_dir():
                return None
            text = _text_of(mark)
            if text is not None:
                return _pointed_at(place, text)
    except (OSError, ValueError):
        return None
    return None


def _text_of(mark: Path) -> str | None:
    """What a small file says; None where there is none. A transcript may name any path."""
    try:
        return read_bytes(mark, _LARGEST_MARK).decode("utf-8", "replace")
    except OSError:
        return None


def _upwards(folder: str) -> Iterator[Path]:
    place = Path(folder)
    yield place
    yield from list(place.parents)[:_MOST_FOLDERS_UP]


def _pointed_at(place: Path, mark: str) -> str | None:
    """The repository that the text of a `.git` file in `place` points at; None if that makes no worktree of it."""
    if not mark.startswith("gitdir: "):
        return None
    target = os.path.normpath(place / mark.removeprefix("gitdir: ").strip())
    found = _GIT_WORKTREE.fullmatch(target)
    if found is None:
        return None
    repository = Path(found[1])
    # A repository without files of its own is called as the folder it stands for, or hides in that.
    if repository.name.startswith("."):
        return str(repository.parent)
    return str(repository.with_suffix("")) if repository.suffix == ".git" else str(repository)
