"""`agnes-stats forget`: removes sessions from the store, after asking."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from ...ingest import forget as out
from ...queries.filters import Filter
from ...queries.store import Store
from .. import format as words
from .. import terminal
from ..settings import BadSetting, Settings, day_of
from .command import Command


def run(given: argparse.Namespace, settings: Settings) -> int:
    """Forget what the command line names, by session, project, age, or all three; the exit status."""
    before = None if given.before is None else _day(given.before)
    # Only what is typed counts: a project in the config file narrows views, it must not choose what to delete.
    project = getattr(given, "project", None)
    if given.session is None and project is None and before is None:
        raise BadSetting("forget what? Name it with --session, --project or --before")
    store = Store(settings.store)
    store.demand()
    store.for_drain()
    with store.write() as connection:
        chosen = out.select(
            connection,
            session=given.session,
            project=project,
            before=Filter(zone=settings.tz, since=before).start(),
        )
        covered = out.extent(connection, chosen)
    if not covered.rows:
        _tell(given, covered, done=False, words_for_it="The store holds nothing of that kind.")
        return 0
    if not given.yes and not _agreed(covered):
        _tell(given, covered, done=False, words_for_it="Nothing is forgotten.")
        return 1
    out.forget(store, chosen)
    _tell(given, covered, done=True, words_for_it=f"Forgotten: {_what(covered)}.")
    return 0


def _agreed(covered: out.Extent) -> bool:
    if not terminal.can_ask():
        raise BadSetting(f"this would forget {_what(covered)}: say --yes to do so without being asked")
    said = terminal.question(f"Forget {_what(covered)}? The transcripts on disk stay as they are. [y/N]")
    return said.lower() in ("y", "yes")


def _what(covered: out.Extent) -> str:
    rows = words.plural(covered.rows, "row")
    sessions = words.plural(covered.sessions, "session")
    if covered.first_at is None or covered.last_at is None:
        return f"{rows} of {sessions}"
    return f"{rows} of {sessions}, from {covered.first_at:%Y-%m-%d} to {covered.last_at:%Y-%m-%d}"


def _tell(given: argparse.Namespace, covered: out.Extent, *, done: bool, words_for_it: str) -> None:
    if not given.json:
        terminal.lines([words_for_it])
        return
    answer: dict[str, Any] = {
        "forgotten": done,
        "sessions": covered.sessions,
        "rows": covered.rows,
        "first_at": _stamp(covered.first_at),
        "last_at": _stamp(covered.last_at),
    }
    terminal.answer(answer)


def _day(text: str) -> dt.date:
    try:
        return day_of(text)
    except BadSetting as error:
        raise BadSetting(f"--before: {error}") from None


def _stamp(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.replace(tzinfo=dt.UTC).isoformat()


COMMAND = Command(
    heeds=("store", "tz", "project"),
    run=run,
    options=(
        ("--session", {"metavar": "ID", "help": "this session"}),
        ("--before", {"metavar": "DAY", "help": "what is older than this day"}),
        ("--yes", {"action": "store_true", "help": "do not ask"}),
    ),
    examples=(
        "forget --session 3f0fc83a",
        "forget --before 2025-01-01 --yes",
    ),
)
