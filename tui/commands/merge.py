"""`agnes-stats merge OTHER.duckdb`: takes over the store of another machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...queries.paths import expanded
from ...queries.store import Store
from .. import format as words
from .. import terminal
from ..factories import engine_of
from ..settings import BadSetting, Settings
from .command import Command

_SAYS_NOTHING = ("store", "")
"""Names of a store's file that say nothing of its machine."""


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats merge`."""
    if not given.other:
        raise BadSetting("merge what? Name the store of another machine: agnes-stats merge LAPTOP.duckdb")
    store = Store(settings.store)
    if not store.is_file:
        raise BadSetting(f"{store.shown} takes nothing from files: agnes-stats push tells an inbox, a drain loads that")
    other = expanded(given.other).absolute()
    if other.resolve() == settings.store.resolve():
        raise BadSetting(f"{other} is the store itself: name that of another machine")
    machine = _machine(given.of_machine, other)
    from ...ingest.team.merge import merge

    engine = engine_of(settings, store)
    brought = merge(store, other, machine, zones=engine.zones, overrides=engine.overrides)
    store.back_up()
    if given.json:
        answer = {
            "machine": machine,
            "sessions": brought.sessions,
            "responses": brought.responses,
            "new_sessions": brought.new_sessions,
            "new_responses": brought.new_responses,
            "store": str(settings.store),
            "from": str(other),
            "facts": brought.facts,
            "new": brought.new,
        }
        terminal.answer(answer)
        return 0
    of_it = f"{words.plural(brought.sessions, 'session')}, {words.plural(brought.responses, 'response')}"
    new = f"{words.plural(brought.new_sessions, 'session')}, {words.plural(brought.new_responses, 'response')}"
    terminal.lines([f"merged {other} as machine {machine}: {of_it}; new of them: {new}"])
    return 0


def _machine(said: str | None, other: Path) -> str:
    """The name of the machine that a store is of: as it is said, or as its file is called."""
    name = (other.stem if said is None else said).strip()
    if said is None and name in _SAYS_NOTHING:
        raise BadSetting(f"which machine is {other} of? Say --machine NAME, or give the file its name")
    if not name or "=" in name:
        raise BadSetting(f"--machine: {name!r} is no name of a machine")
    return name


COMMAND = Command(
    heeds=("store",),
    run=run,
    options=(
        ("other", {"metavar": "OTHER", "nargs": "?", "help": "the store of another machine"}),
        (
            "--machine",
            {"metavar": "NAME", "dest": "of_machine", "help": "which machine it is of (default: the file's name)"},
        ),
    ),
    examples=(
        "merge laptop.duckdb",
        "merge /mnt/laptop/store.duckdb --machine laptop",
    ),
)
