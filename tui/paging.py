"""A long text in the user's pager, while the dashboard waits."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from .format import block

if TYPE_CHECKING:
    from textual.app import App

_USUAL = ("less", "more")


class NoPagerError(Exception):
    """Why no pager can be used, in words."""


def pager() -> list[str]:
    """`$PAGER`, else the first usual one that is installed. Raises NoPagerError."""
    try:
        named = shlex.split(os.environ.get("PAGER", ""))
    except ValueError as error:
        raise NoPagerError(f"PAGER: {error}") from None
    if named:
        return named
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise NoPagerError("no pager is installed; name one in PAGER")
    return [found]


def show(app: App[Any], text: str) -> None:
    """Show a text, without escape codes, until the user leaves the pager. Raises NoPagerError."""
    command = pager()
    harmless = block(text, max_lines=1_000_000, width=1_000_000)
    try:
        with app.suspend():
            # The text goes by a pipe: a file would be a copy of what is stored nowhere.
            subprocess.run(command, input=f"{harmless}\n".encode("utf-8", "replace"), check=False)
    except SuspendNotSupported:
        raise NoPagerError("this terminal cannot be lent to a pager") from None
    except OSError as error:
        raise NoPagerError(f"{command[0]}: {error.strerror or error}") from None
