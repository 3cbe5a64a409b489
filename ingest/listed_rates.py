"""The rates of usual models, as `prices` makes them of one version of the price list, kept as a file of this package.

To load the price list takes longer than all that is read of twenty megabytes of transcripts. The file is made, and
compared with the list, by tests/ingest/test_listed_rates.py; with another version of the list, or for another model, it
says nothing.
"""

from __future__ import annotations

import functools
import json
from datetime import date
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("listed_rates.json")

Row = dict[str, Any]
"""The fields of a `Rate` but its model."""


def listed(model: str, version: str, rules: int) -> list[Row] | None:
    """The rates of a model by a version of the price list and of the rules; None where they are not known here."""
    told = _read()
    if (told["version"], told["rules"]) != (version, rules) or model not in told["models"]:
        return None
    rows = [dict(zip(told["fields"], values, strict=True)) for values in told["models"][model]]
    return [row | {name: _day(row[name]) for name in ("valid_from", "valid_to")} for row in rows]


def as_text(version: str, rules: int, models: dict[str, list[Row]]) -> str:
    """What the file holds for some models; a line each."""
    fields = list(next(row for rows in models.values() for row in rows))
    lines = [
        f"{json.dumps(model)}: {json.dumps([[_plain(row[name]) for name in fields] for row in rows])}"
        for model, rows in sorted(models.items())
    ]
    head = f'{{"version": {json.dumps(version)}, "rules": {rules}, "fields": {json.dumps(fields)}, "models": {{\n'
    return head + ",\n".join(lines) + "\n}}\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@functools.cache
def _read() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return told
