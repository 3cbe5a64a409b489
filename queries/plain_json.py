"""Paths in what one process tells another one of this program in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def to_plain(value: Any) -> Any:
    """For msgspec's `enc_hook`: a path as a text. Raises NotImplementedError for anything else that JSON has not."""
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def from_plain(kind: type, value: Any) -> Any:
    """For msgspec's `dec_hook`: a text as the path that was meant. Raises NotImplementedError."""
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
