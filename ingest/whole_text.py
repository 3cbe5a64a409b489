"""The whole text of a row of a transcript, read from its file while that exists. Nothing of it is stored.

Words of others pass the redaction before anybody sees them, as everywhere; here the whole of them, not only what a
pane has room for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .formats import SOURCES, Root, SourceBusy, file_at
from .redact import redacted


class NoTextError(Exception):
    """Why there is no text, in words."""


def whole_text(kind: str, root: str, path: str, pos: int) -> str:
    """What stands at a place of a file, redacted, several lines. Raises NoTextError.

    `kind` and `root` are those of the source that the file belongs to, `path` and `pos` as facts name them.
    """
    file = file_at(Root(kind, Path(root)), Path(path)) if kind in SOURCES else None
    if file is None:
        raise NoTextError("no source that is known reads this file")
    try:
        row = SOURCES[kind].change(file).told_at(SOURCES[kind], file, pos)
    except FileNotFoundError:
        raise NoTextError("the file is gone from disk") from None
    except (OSError, SourceBusy) as error:
        raise NoTextError(f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except LookupError:
        raise NoTextError("the file has changed since it was read") from None
    if not isinstance(row, dict):
        raise NoTextError("the file has changed since it was read")
    # What has parts is what the row tells; single values are its head, unless there is nothing else.
    told = {name: value for name, value in row.items() if isinstance(value, dict | list) and value} or row
    return redacted("\n".join(_lines(told, 0)))


def _lines(value: Any, depth: int) -> Iterator[str]:
    """A value as indented lines; texts as they were written."""
    indent = "  " * depth
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, dict | list) and each:
                yield f"{indent}{name}:"
                yield from _lines(each, depth + 1)
            elif isinstance(each, str) and "\n" in each:
                yield f"{indent}{name}:"
                yield from (f"{indent}  {line}" for line in each.splitlines())
            else:
                yield f"{indent}{name}: {_plain(each)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list):
                yield f"{indent}-"
                yield from _lines(each, depth + 1)
            else:
                yield from (f"{indent}- {line}" for line in _plain(each).splitlines() or [""])
    else:
        yield from (f"{indent}{line}" for line in _plain(value).splitlines())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
