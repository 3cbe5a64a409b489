"""`agnes-stats push`: tells a team's inbox what this machine's store has."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...queries.store import Store, StoreError
from .. import format as words
from .. import terminal
from ..settings import BadSetting, Settings
from .answering import between, opened
from .command import READING, Command, Flag
from .json_fields import stamp

if TYPE_CHECKING:
    from ...ingest.team.inbox import Address
    from ...ingest.team.outgoing import Terms
    from ...ingest.team.push import PushSummary

EVERY_SECONDS = 60
LONGEST_PAUSE_SECONDS = 600.0
"""How long a push that watches waits, at the most, before it tries again to reach the inbox."""


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats push`."""
    from ...ingest.team.inbox import InboxError

    told = settings.team or {}
    to = given.to or told.get("to")
    if not to and not given.dry_run:
        raise BadSetting("push to where? Say --to postgresql://USER@HOST/DATABASE; nothing is sent without it")
    try:
        where = _address(to) if to else None
        terms = _terms(given, settings, told, is_asking=given.dry_run)
        if given.dry_run:
            return _preview(given, settings, where, terms)
        assert where is not None
        if given.status:
            return _status(given, settings, where, terms)
        if given.watch:
            return _watch(given, settings, where, terms)
        return _push(given, settings, where, terms)
    except InboxError as error:
        terminal.error(error)
        return 1


def _address(text: str) -> Address:
    """The address of an inbox. Raises BadSetting."""
    from ...ingest.team.inbox import InboxError, address

    try:
        return address(text)
    except InboxError as error:
        raise BadSetting(f"--to: {error}") from None


def _terms(given: argparse.Namespace, settings: Settings, told: Any, *, is_asking: bool) -> Terms:
    """What is told, and on what terms. Whoever only asks gets hashes with a key that is not kept."""
    from ...ingest.team.push import key_beside, terms_for
    from ...ingest.team.share import Share

    share = given.share or told.get("share") or Share.NUMBERS.value
    if share not in [each.value for each in Share]:
        raise BadSetting(f"--share: {share!r} is none of {', '.join(each.value for each in Share)}")
    machine = (given.of_machine or told.get("machine") or platform.node().split(".")[0]).strip()
    if not machine or len(machine) > 200:
        raise BadSetting("which machine is this? Say --machine NAME")
    leave_out = [*(given.leave_out or []), *told.get("leave-out", [])]
    is_new = is_asking and not key_beside(settings.store).exists()
    return terms_for(settings.store, machine, Share(share), leave_out, key="0" * 64 if is_new else None)


def _brought_up(settings: Settings, terms: Terms) -> None:
    """Read what is new in the transcripts, and tell of projects that are left out and that nobody has."""
    from ...ingest.team.outgoing import unknown_projects
    from ...queries.teams import is_teams

    with opened(settings, quiet=True) as connection:
        if is_teams(connection):
            raise BadSetting(f"{settings.store} is a team's store: what is in it was pushed already")
        for name in unknown_projects(connection, terms.leave_out):
            terminal.error(f"--leave-out: no project is called {name} so far")


def _push(given: argparse.Namespace, settings: Settings, where: Address, terms: Terms) -> int:
    from ...ingest.team.push import push

    _brought_up(settings, terms)
    report = _progress if terminal.shows_errors() else lambda _: None
    done = push(Store(settings.store), where, terms, full=given.full, report=report)
    if report is _progress and done.rows:
        terminal.progress("", over=True)
    _tell(given, where, terms, done)
    return 0


def _progress(done: PushSummary) -> None:
    terminal.progress(f"pushed {words.plural(done.rows, 'row')}")


def _tell(given: argparse.Namespace, where: Address, terms: Terms, done: PushSummary) -> None:
    if given.json:
        terminal.answer(_about(where, terms) | {"parts": done.parts, "rows": done.rows, "changed": done.changed})
    elif done.parts:
        told = (
            f"{words.plural(done.rows, 'row')} of {words.plural(done.parts, 'part')}, {words.count(done.changed)} new"
        )
        terminal.lines([f"pushed to {where.shown} as {terms.machine}, {terms.share.value}: {told} or changed"])
    else:
        terminal.lines([f"{where.shown} has all that {terms.machine} tells"])


def _about(where: Address | None, terms: Terms) -> dict[str, Any]:
    return {
        "to": None if where is None else where.shown,
        "machine": terms.machine,
        "share": terms.share.value,
        "leave_out": list(terms.leave_out),
    }


def _watch(given: argparse.Namespace, settings: Settings, where: Address, terms: Terms) -> int:
    """Push whenever there is something new, until the program is ended; what is missed meanwhile comes later."""
    from ...ingest.team.inbox import InboxAway
    from ...ingest.team.push import push

    every = between("every", given.every, 1, 86_400)
    pause, was_away = float(every), False
    terminal.lines(
        [f"pushing to {where.shown} as {terms.machine}, {terms.share.value}, every {every} s; Ctrl+C ends it"]
    )
    full = given.full
    _brought_up(settings, terms)
    while True:
        try:
            with opened(settings, quiet=True):
                pass
            done = push(Store(settings.store), where, terms, full=full)
        except (InboxAway, StoreError) as error:
            if not was_away:
                terminal.error(f"{error}; trying again")
            was_away, pause = True, min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            if done.parts or was_away:
                _tell(given, where, terms, done)
            was_away, pause, full = False, float(every), False
        time.sleep(pause)


def _status(given: argparse.Namespace, settings: Settings, where: Address, terms: Terms) -> int:
    from ...ingest.team import inbox
    from ...ingest.team.push import waits

    _brought_up(settings, terms)
    waiting = waits(Store(settings.store), where, terms)
    with inbox.connected(where) as connection:
        machines = inbox.machines(connection)
    if given.json:
        rows = [
            {
                "machine": each.machine,
                "pushed_at": stamp(each.pushed_at),
                "rows": each.rows,
                "share": each.share,
                "version": each.program,
            }
            for each in machines
        ]
        last = next((row["pushed_at"] for row in rows if row["machine"] == terms.machine), None)
        waits_so = {"waiting_rows": waiting.rows, "waiting_parts": waiting.parts}
        files = [
            {"path": each.path, "read_to": each.read_to, "known_there": each.known_there} for each in waiting.files
        ]
        terminal.answer(_about(where, terms) | {"last_push_at": last, "files": files, **waits_so, "machines": rows})
        return 0
    lines = [
        f"· {each.machine}: {words.plural(each.rows, 'row')}, {each.share}, last pushed {_when(each)}"
        for each in machines
    ]
    lines = lines or ["· nothing was pushed so far"]
    wait = f"{words.plural(waiting.rows, 'row')} of {words.plural(waiting.parts, 'part')} wait"
    terminal.lines([where.shown, *lines, f"{terms.machine}: {wait if waiting.parts else 'nothing waits'}"])
    return 0


def _when(machine: Any) -> str:
    return f"{machine.pushed_at:%Y-%m-%d %H:%M} UTC"


def _preview(given: argparse.Namespace, settings: Settings, where: Address | None, terms: Terms) -> int:
    """Say what a first push would tell, with a row of each table; nothing is sent, nor anybody asked."""
    from ...ingest.team.push import preview

    _brought_up(settings, terms)
    tables: dict[str, dict[str, Any]] = {}
    sessions = set()
    for told in preview(Store(settings.store), terms):
        sessions.add(told.part.partition(" ")[0])
        found = tables.setdefault(told.fact, {"table": told.fact, "rows": 0, "columns": set(), "example": None})
        found["rows"] += 1
        for line in _decoded(told.row):
            found["columns"] |= line.keys()
            if found["example"] is None or len(line) > len(found["example"]):
                found["example"] = line
    rows = [{**each, "columns": sorted(each["columns"])} for each in tables.values()]
    if given.json:
        terminal.answer(_about(where, terms) | {"tables": rows})
        return 0
    total = sum(each["rows"] for each in rows)
    lines = [
        f"would tell as {terms.machine}, sharing {terms.share.value}: {words.plural(total, 'row')}; nothing was sent",
        "",
    ]
    for each in rows:
        lines += [f"{each['table']}: {words.plural(each['rows'], 'row')} of {', '.join(each['columns'])}"]
        lines += [f"  such as {terminal.json_text(each['example'], None)}"]
    terminal.lines(lines)
    return 0


def _decoded(row: str) -> Iterator[dict[str, Any]]:
    import msgspec

    yield from msgspec.json.decode(row)


WATCH: tuple[Flag, ...] = (
    ("--watch", {"action": "store_true", "help": "go on until ended, and catch up after the inbox was away"}),
    (
        "--every",
        {
            "type": int,
            "default": EVERY_SECONDS,
            "metavar": "SECONDS",
            "help": f"with --watch: how often ({EVERY_SECONDS})",
        },
    ),
)

COMMAND = Command(
    heeds=tuple(name for name in READING if name not in ("tz", "agnes-server")),
    run=run,
    options=(
        ("--to", {"metavar": "INBOX", "help": "where to: postgresql://USER@HOST/DATABASE, without a password"}),
        (
            "--machine",
            {"metavar": "NAME", "dest": "of_machine", "help": "this machine's name (default: as it is called)"},
        ),
        (
            "--share",
            {
                "metavar": "HOW MUCH",
                "help": "numbers: no texts, no paths; labels: titles, tables, branches, too; all (default: numbers)",
            },
        ),
        (
            "--leave-out",
            {"metavar": "PROJECT", "action": "append", "help": "tell nothing of a project; repeat for several"},
        ),
        ("--dry-run", {"action": "store_true", "help": "say what would be told, and send nothing"}),
        ("--status", {"action": "store_true", "help": "say what was pushed when, and what waits"}),
        ("--full", {"action": "store_true", "help": "compare every row; also take the place of another store"}),
        *WATCH,
    ),
    examples=("push --dry-run", "push --dry-run --share labels --leave-out diary"),
)
