"""Which project a working folder belongs to."""

from __future__ import annotations

import functools
import re
from pathlib import Path

_CLAUDE_WORKTREE = re.compile(r"^(.+?)/\.claude/worktrees/[^/]+(?:/.*)?$")
_GIT_WORKTREE = re.compile(r"^gitdir: (.+)/\.git/worktrees/[^/]+\s*$")


@functools.lru_cache(maxsize=4096)
def project_of(cwd: str) -> str:
    """The project of a working folder: worktrees are folded into the repository they belong to.

    Claude's own worktrees show it in their path; git's other worktrees in their `.git` file, if they still exist here.
    """
    folded = _CLAUDE_WORKTREE.match(cwd)
    if folded:
        return folded[1]
    try:
        mark = Path(cwd, ".git")
        # A transcript may name any path: only a plain, small file is opened.
        if not mark.is_file() or mark.stat().st_size > 4096:
            return cwd
        found = _GIT_WORKTREE.match(mark.read_text("utf-8", "replace"))
    except (OSError, ValueError):
        return cwd
    return found[1] if found else cwd
