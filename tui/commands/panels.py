"""`agnes-stats panels`: the panels of the Tokens tab, each asked now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...queries import console
from ...queries.console_book import FORMS, Book, Panel
from ...queries.store import Store, StoreError
from .. import format as words
from .. import terminal
from ..factories import filter_of
from ..settings import BadSetting, Settings
from .answering import opened
from .command import FILTERS, READING, Command

if TYPE_CHECKING:
    from ...queries.console import Table

MOST_ROWS = 20
"""Of a panel on the plain page; `--json` has all."""
_BAR = 30


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats panels [NAME]`; exit status 1 if one cannot be answered."""
    store = Store(settings.store)
    pages = Book(store.path).read()
    if pages.fault:
        raise StoreError(pages.fault)
    panels = [panel for panel in pages.panels if given.name in (None, panel.name)]
    if given.name is not None and not panels:
        known = ", ".join(panel.name for panel in pages.panels) or "none yet"
        raise BadSetting(f"there is no panel {given.name!r}; there are: {known}")
    with opened(settings):
        # The questions have a connection of their own, once nobody here has the store open.
        pass
    answers = [(panel, *_asked(store, panel, settings)) for panel in panels]
    if given.json:
        terminal.answer({"rows": [_row(*answer) for answer in answers]})
    elif not answers:
        terminal.lines(["No panels yet: in the dashboard, + on Panels of Tokens adds one."])
    else:
        for number, answer in enumerate(answers):
            terminal.lines([*([""] if number else []), *_page(*answer)])
    failed = [words.clean(panel.name) for panel, table, _ in answers if table is None]
    if failed:
        terminal.error(f"{words.plural(len(failed), 'panel')} cannot be answered: {', '.join(failed)}")
    return 1 if failed else 0


def _asked(store: Store, panel: Panel, settings: Settings) -> tuple[Table | None, str]:
    try:
        return console.ask(store.path, panel.sql, chosen=filter_of(settings)), ""
    except RecursionError:
        return None, console.TOO_DEEP
    except StoreError as error:
        return None, str(error)


def _form(panel: Panel, table: Table | None) -> str:
    from ..kit.answer_shape import fitting

    return fitting(table) if panel.form == FORMS[0] and table is not None else panel.form


def _row(panel: Panel, table: Table | None, why: str) -> dict[str, Any]:
    from ...queries.export import answer_to

    nothing: dict[str, Any] = {"columns": [], "rows": [], "row_count": None, "truncated": None, "duration_ms": None}
    return {
        "name": panel.name,
        "form": _form(panel, table),
        "sql": panel.sql,
        "error": why or None,
        **(nothing if table is None else answer_to(table)),
    }


def _page(panel: Panel, table: Table | None, why: str) -> list[str]:
    if table is None:
        return [words.clean(panel.name), f"  ✗ {words.clean(why)}"]
    lines = _bars(table) if _form(panel, table) == "bars" else _rows(table)
    left = len(lines) - MOST_ROWS
    more = [f"  … {words.plural(left, 'row')} more: --json has all"] if left > 0 else []
    return [words.clean(panel.name), *lines[:MOST_ROWS], *more]


def _bars(table: Table) -> list[str]:
    from rich.cells import cell_len

    from ..kit.answer_shape import drawing
    from ..kit.spark import bar

    drawn = drawing(table, "bars")
    if drawn is None:
        return _rows(table)
    values = [value or 0.0 for value in drawn.series[0].values]
    names = [words.clean(name, 40) for name in drawn.told]
    told = [words.NONE if value is None else drawn.unit(value) for value in drawn.series[0].values]
    wide, long = max(map(cell_len, names), default=0), max(map(len, told), default=0)
    most = max(values, default=0.0)
    bars = [bar(value / most if most else 0.0, _BAR) for value in values]
    return [
        f"  {name}{' ' * (wide - cell_len(name))}  {number.rjust(long)}  {drawn_bar}".rstrip()
        for name, number, drawn_bar in zip(names, told, bars, strict=True)
    ]


def _rows(table: Table) -> list[str]:
    from ..kit.answer_text import is_number, told
    from .page import TextColumn
    from .page import table as lines

    columns = [
        TextColumn(words.clean(name, 40), right=is_number(kind), flexible=at == 0)
        for at, (name, kind) in enumerate(zip(table.columns, table.types, strict=True))
    ]
    cells = [
        ["NULL" if value is None else told(value, kind) for value, kind in zip(row, table.types, strict=True)]
        for row in table.rows
    ]
    return [f"  {line}" for line in lines(columns, cells, 98)]


COMMAND = Command(
    heeds=(*READING, *FILTERS),
    run=run,
    options=(("name", {"metavar": "NAME", "nargs": "?", "help": "only the panel of that name"}),),
    examples=("panels", "panels --json --since 2026-01-01"),
)
