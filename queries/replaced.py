"""Writing a file that nobody sees half written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .regular import check


def replacing(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside `path`, readable by its owner only, and put it in its place. Raises OSError.

    Only in the place of a regular file: to put a file in that of a device would take the device away.
    """
    check(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Made here and not by whoever writes, so that it is nobody else's to read; DuckDB makes another one.
        aside.touch(0o600, exist_ok=False)
        write(aside)
        aside.chmod(0o600)
        aside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def replace_text(path: Path, text: str) -> None:
    """The same of a text, in UTF-8. Raises OSError."""

    def write(aside: Path) -> None:
        aside.write_text(text, "utf-8")

    replacing(path, write)
