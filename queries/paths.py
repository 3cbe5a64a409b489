"""Looking at paths that may be anything: nothing here raises.

`pathlib` raises where a folder on the way may not be looked into, where a name is too long or has a NUL, where nobody
has the home of `~nobody`, and where the current folder was deleted.
"""

from __future__ import annotations

import os
from pathlib import Path


def expanded(text: str) -> Path:
    """The path with `~` and `~user` replaced where they are known."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def home_folder() -> Path:
    """The user's home folder; `~` where the system knows none, which no folder is called."""
    return expanded("~")


def leave_deleted_folder() -> None:
    """Go to the root if the current folder was deleted: DuckDB aborts the whole process where there is none."""
    try:
        Path.cwd()
    except OSError:
        os.chdir(os.sep)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder, as far as we may look."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def exists(path: Path) -> bool:
    """Whether there is anything by that name, as far as we may look."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
