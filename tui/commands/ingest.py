"""`agnes-stats ingest`: read all that is new, once, and say what was read."""

from __future__ import annotations

import argparse

from ...queries.store import Store
from .. import terminal
from ..factories import engine_of
from ..settings import BadSetting, Settings
from .answering import progress_bar
from .command import Command


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats ingest`: catch up once."""
    if given.with_forgotten and not given.rebuild:
        raise BadSetting("--with-forgotten goes with --rebuild")
    report = progress_bar() if terminal.shows_errors() else lambda _: None
    store = Store(settings.store)
    if not store.is_file:
        raise BadSetting(f"{store.shown} takes nothing from files: agnes-stats push tells an inbox, a drain loads that")
    engine = engine_of(settings, store)
    is_new = store.identity() is None
    summary = engine.catch_up(rebuild=given.rebuild, recalls=given.with_forgotten, report=report)
    if not is_new:
        # All that a new one has would be read again.
        store.back_up()
    if given.json:
        answer = {
            "files": summary.files,
            "bytes": summary.bytes,
            "gone": summary.gone,
            "seconds": round(summary.seconds, 3),
            "store": str(settings.store),
            "set_aside": None if summary.set_aside is None else str(summary.set_aside),
            "salvaged": summary.salvaged,
        }
        terminal.answer(answer)
        return 0
    from ..format import count, plural, size

    if summary.set_aside is not None:
        rows = f"{plural(summary.salvaged, 'row')} of it, or of its backup, are taken over"
        terminal.lines([f"the old store could not be read; it is kept as {summary.set_aside}; {rows}"])
    read = f"read {plural(summary.files, 'file')}, {size(summary.bytes)}, in {summary.seconds:.1f} s"
    gone = f"; {count(summary.gone)} are gone, what they said is kept" if summary.gone else ""
    terminal.lines([read + gone])
    return 0


COMMAND = Command(
    heeds=("store", "source"),
    run=run,
    options=(
        ("--rebuild", {"action": "store_true", "help": "read everything on disk again; changes no number"}),
        ("--with-forgotten", {"action": "store_true", "help": "with --rebuild: also what was forgotten on request"}),
    ),
    examples=(
        "ingest",
        "ingest --rebuild",
    ),
)
