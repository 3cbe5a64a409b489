"""The shapes of the commands' answers, as `docs/json.md` tells them: made from answers, so that none is forgotten."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

HEADING = """# What `--json` answers

Made from answers by `pytest tests/test_json_shapes.py --update-golden`; a test compares this page with what the
commands say. `[]` is a list. Times carry their offset, durations are whole milliseconds unless a name says seconds,
money is USD. What is unknown is null, and never 0: a cost is null where none of the tokens has a known price, and 0.0
where there are no tokens. `agent`, `machine` and `username` of a sum are null where they differ in it. `sessions`,
`tokens`, `queries`, `sync` and `home` have the names of the Agnes server's endpoints, `daily`, `weekly`, `monthly`,
`blocks` and `models` those of ccusage.

`daily` of `tokens` has every day that is asked for, the last 30 where nothing is said (`--days N`), and with
`--range "all days"` all from the first with tokens to the last.

Where much is unread, `daily`, `weekly`, `monthly` and `tokens` answer before the store is full: they then have
`"provisional": true` besides, and the numbers are those that the full store will say.

The `children` of an `activity` row are all that was done in its turn, whatever the filter: responses with the calls
they made as their children, below a call for a sub-agent (`kind` subagent) that sub-agent's responses, and so on;
`tokens` of a sub-agent are those of its own responses. `rest` is what the filter leaves that belongs to no row.
`facts` and `new` of `merge` are counts by table, of those of which there is something to merge. The rows of `sql` and
of a panel are lists in the order of `columns`.
"""


def names_in(answer: Any, path: str = "") -> set[str]:
    """All names in an answer, each with its path: `rows[].title`."""
    found: set[str] = set()
    if isinstance(answer, Mapping):
        for name, value in answer.items():
            here = f"{path}.{name}" if path else str(name)
            inner = names_in(value, here)
            found |= inner or {here}
    elif isinstance(answer, list):
        inner = set().union(*(names_in(each, f"{path}[]") for each in answer)) if answer else set()
        found |= inner or {f"{path}[]"}
    return found


def page(answers: Mapping[str, Any]) -> str:
    """The page of the shapes of some answers, by command."""
    parts = [HEADING]
    for command, answer in answers.items():
        lines = _lines(sorted(names_in(answer)))
        parts.append(f"## `{command}`\n\n```\n{lines}\n```\n")
    return "\n".join(parts)


def _lines(names: list[str]) -> str:
    """Names with the same path before them on one line, folded at 110 characters."""
    groups: dict[str, list[str]] = {}
    for name in names:
        stem, _, last = name.rpartition(".")
        groups.setdefault(stem, []).append(last)
    lines = []
    for stem, lasts in sorted(groups.items()):
        lines += textwrap.wrap(
            " ".join([*([f"{stem}:"] if stem else []), *lasts]), 108, subsequent_indent="    ", break_on_hyphens=False
        )
    return "\n".join(lines)
