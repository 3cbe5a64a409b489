"""What worker processes are going to need, imported before they are copied: then none imports it for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from . import access
from .formats import SOURCES, SourceFile
from .formats.opening import opened
from .jsonl import BROKEN
from .redact import redacted

_LOOKED_AT = 8
"""Files that are looked into, the first ones."""

_BYTES = 256 * 1024
"""Of each of them, from its beginning."""

_CLIENTS = (b"psql ", b"duckdb ", b"sqlite3 ", b"mysql ", b"agnes query")


def make_ready(files: Iterable[SourceFile]) -> None:
    """Import what decodes some files, and what parses SQL if it looks as if they had any.

    The latter takes a fifth of a second, and is imported where it is first needed if this guess is wrong.
    """
    files = list(files)
    for file in {(file.kind, file.path.suffix): file for file in files}.values():
        SOURCES[file.kind].change(file)
    _make_tools_ready()
    for file in islice(files, _LOOKED_AT):
        for command in _commands_in(file.path):
            # It imports the parser if there is SQL in it that is not of the plainest kind.
            access.accesses_of("bash", {"command": command})


def make_all_ready() -> None:
    """The same where nobody knows the files yet: what decodes those of most people."""
    from .formats.claude import decoder  # noqa: F401

    _make_tools_ready()


def _make_tools_ready() -> None:
    """Make ready what reads tool calls."""
    access.import_all()
    # With an anchor in it, so that the pattern of all is compiled.
    redacted("token")


def _commands_in(path: Path) -> Iterator[str]:
    """The commands at the beginning of a file of JSON lines that speak of a database's client."""
    try:
        with opened(path) as (file, _, _):
            begins = file.read(_BYTES)
    except OSError:
        return
    for line in begins.splitlines() if any(name in begins for name in _CLIENTS) else ():
        if any(name in line for name in _CLIENTS):
            try:
                values = [msgspec.json.decode(line)]
            except BROKEN:
                continue
            while values:
                value = values.pop()
                if isinstance(value, dict):
                    values += [*value.values()]
                    if isinstance(command := value.get("command"), str):
                        yield command
                elif isinstance(value, list):
                    values += value
