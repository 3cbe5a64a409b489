"""`agnes-stats sql`: the user's own SELECT on the store, read-only, at most 10,000 rows."""

from __future__ import annotations

import argparse
import io

from ...queries import console, export
from ...queries.console_book import Book
from ...queries.console_examples import EXAMPLES
from ...queries.store import Store, StoreError
from .. import format as words
from .. import terminal
from ..factories import filter_of
from ..settings import BadSetting, Settings, path_of
from .answering import opened
from .command import FILTERS, READING, Command


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sql QUERY`: read-only, at most 10,000 rows."""
    _one_form(given)
    store = Store(settings.store)
    with opened(settings):
        # The console's question has a connection of its own, once nobody here has the store open.
        pass
    try:
        _tell_table(given, console.ask(store.path, _query(given, store), chosen=filter_of(settings)))
    except RecursionError:
        raise StoreError(console.TOO_DEEP) from None
    return 0


def _one_form(given: argparse.Namespace) -> None:
    """Raise BadSetting where the answer is wanted in several forms: all of them would be one's whole output."""
    wanted = [f"--{name}" for name in ("json", "csv", "parquet") if getattr(given, name)]
    if len(wanted) > 1:
        raise BadSetting(f"sql answers in one form: leave out {' or '.join(wanted)}")


def _tell_table(given: argparse.Namespace, table: console.Table) -> None:
    if given.parquet:
        try:
            export.write_parquet(table, path_of(given.parquet))
        except OSError as error:
            raise BadSetting(f"--parquet: {error}") from None
    elif given.csv:
        _write_csv(table)
    elif given.json:
        terminal.answer(export.answer_to(table))
    else:
        _print_table(table)
    if table.truncated:
        terminal.error(f"only the first {len(table.rows):,} rows")


def _query(given: argparse.Namespace, store: Store) -> str:
    """The query of the command line, of standard input, or of that name in the console."""
    if (given.query is None) == (given.saved is None):
        raise BadSetting("sql takes a query, - for standard input, or --saved NAME")
    if given.saved is None:
        return _query_told() if given.query == "-" else str(given.query)
    known = EXAMPLES | Book(store.path).read().saved
    if given.saved not in known:
        raise BadSetting(f"no query is saved as {given.saved!r}; there are: {', '.join(known)}")
    return known[given.saved]


def _query_told() -> str:
    try:
        told = terminal.read_input(console.MAX_QUERY)
    except (OSError, ValueError) as error:
        raise BadSetting(f"sql: standard input cannot be read: {error}") from None
    if told is None:
        raise BadSetting(f"sql: - wants a query of at most {console.MAX_QUERY:,} characters on standard input")
    return told


def _write_csv(table: console.Table) -> None:
    made = io.StringIO()
    export.write_csv(table, made)
    terminal.raw(made.getvalue())


def _print_table(table: console.Table) -> None:
    cells = [[words.clean(value, 60) for value in row] for row in (table.columns, *table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminal.lines([line.rstrip()])
    terminal.lines([f"({words.rows(len(table.rows))}, {words.millis(table.seconds * 1000)})"])


COMMAND = Command(
    heeds=(*READING, *FILTERS),
    run=run,
    options=(
        (
            "query",
            {"metavar": "QUERY", "nargs": "?", "help": "the query, - for standard input; {{filters}} is replaced"},
        ),
        ("--saved", {"metavar": "NAME", "help": "the query of that name in the dashboard's console, or its example"}),
        ("--csv", {"action": "store_true", "help": "CSV instead of a table"}),
        ("--parquet", {"metavar": "FILE", "help": "write a Parquet file instead"}),
    ),
    examples=(
        "sql 'SUMMARIZE responses' --csv",
        "sql --saved 'Cost by day' --json",
    ),
)
