"""The values of an answer to a query, as texts."""

from __future__ import annotations

import json
from typing import Any

from ..format import clean

WIDEST = 60
"""Cells of a column; longer texts are cut on the screen, and whole in a file."""


def is_number(kind: str) -> bool:
    """Whether a type of DuckDB is one of numbers."""
    return kind.endswith("INT") or kind.startswith("DECIMAL") or kind in ("INTEGER", "UINTEGER", "DOUBLE", "FLOAT")


def told(value: Any, kind: str) -> str:
    """A value of an answer as one harmless line. Times are UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else f"{value:.12g}"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    elif kind.startswith("TIMESTAMP") and isinstance(value, str):
        value = value.removesuffix("+00:00").replace("T", " ")
    return clean(value, WIDEST)
