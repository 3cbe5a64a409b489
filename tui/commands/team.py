"""`agnes-stats team`: the inbox of a team, and the store that everyone reads."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...queries.postgres import Address
from ...queries.store import Store, StoreAway, StoreBusy
from .. import format as words
from .. import terminal
from ..factories import engine_of
from ..settings import BadSetting, Settings, default_store
from .answering import between
from .command import Command
from .json_fields import stamp
from .push import LONGEST_PAUSE_SECONDS, WATCH

if TYPE_CHECKING:
    from ...ingest.team.drain import Drained
    from ...ingest.team.inbox import Machine
    from ...queries.store.lake_address import LakeAddress


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats team`."""
    from ...ingest.team.inbox import InboxError, address
    from ...queries.store.lake_address import is_lake, lake_address

    actions = {"init": _init, "drain": _drain, "compact": _compact, "status": _status}
    if given.action not in actions:
        raise BadSetting(f"do what? One of {', '.join(actions)}")
    inbox = given.inbox or (settings.team or {}).get("to")
    if not inbox:
        raise BadSetting(f"which inbox? agnes-stats team {given.action} postgresql://USER@HOST/DATABASE")
    try:
        lake = lake_address(inbox) if is_lake(inbox) else None
        where = address(inbox) if lake is None else lake.catalogue
    except InboxError as error:
        raise BadSetting(error) from None
    try:
        if lake is not None:
            return _init_lake(given, lake)
        return actions[given.action](given, settings, where)
    except InboxError as error:
        terminal.error(error)
        return 1


def _init(given: argparse.Namespace, settings: Settings, where: Address) -> int:  # noqa: ARG001
    from ...ingest.team.inbox import init

    people, drainers = given.people or [], given.drainers or []
    made = init(where, people, drainers)
    if given.json:
        terminal.answer({"inbox": where.shown, "people": people, "drainers": drainers, "new_roles": made})
        return 0
    lines = [f"{where.shown} has an inbox"]
    if made:
        lines.append(_without_password(made))
    lines += [f"{name} pushes with: agnes-stats push --to {_as(where, name)}" for name in people]
    drain = "agnes-stats team drain {} --store team.duckdb --watch"
    lines += [f"{name} drains with: {drain.format(_as(where, name))}" for name in drainers]
    terminal.lines(lines)
    return 0


def _init_lake(given: argparse.Namespace, lake: LakeAddress) -> int:
    from ...ingest.team.lake import init

    people, drainers = given.people or [], given.drainers or []
    if given.action != "init":
        raise BadSetting(f"team {given.action} takes the inbox, and the lake with --store")
    if len(drainers) != 1 or lake.data is None:
        raise BadSetting("a lake has one drainer, and a place for its files: say --drainer NAME, and ?data=FOLDER")
    made = init(lake, people, drainers[0])
    if given.json:
        terminal.answer({"lake": lake.shown, "people": people, "drainers": drainers, "new_roles": made})
        return 0
    named = {name: replace(lake, catalogue=Address(_as(lake.catalogue, name))).text for name in (*drainers, *people)}
    lines = [f"{lake.shown} is ready for {drainers[0]}"]
    lines += [_without_password(made)] if made else []
    lines.append(f"{drainers[0]} drains with: agnes-stats team drain INBOX --store '{named[drainers[0]]}' --watch")
    lines += [f"{name} looks with: agnes-stats --store '{named[name]}'" for name in people]
    terminal.lines(lines)
    return 0


def _without_password(made: list[str]) -> str:
    return f"new roles, without a password: {', '.join(made)}; give each one, in psql: \\password {made[0]}"


def _as(where: Address, role: str) -> str:
    """The address for another role."""
    from urllib.parse import quote, urlsplit

    parts = urlsplit(where.url)
    return parts._replace(netloc=f"{quote(role)}@{parts.netloc.rpartition('@')[2]}").geturl()


def _store(settings: Settings) -> Store:
    """The team's store. Raises BadSetting if none is named: one's own is none."""
    if settings.store == default_store():
        raise BadSetting("which store is the team's? Say --store TEAM.duckdb")
    return Store(settings.store)


def _drain(given: argparse.Namespace, settings: Settings, where: Address) -> int:
    from ...ingest.team import inbox
    from ...ingest.team.drain import drain

    store = _store(settings)
    engine = engine_of(settings, store)
    pause, was_away = float(between("every", given.every, 1, 86_400)), False
    while True:
        try:
            done = drain(store, where, zones=engine.zones, overrides=engine.overrides)
        except (inbox.InboxAway, StoreAway, StoreBusy) as error:
            if not given.watch:
                raise
            if not was_away:
                terminal.error(f"{error}; trying again")
            was_away, pause = True, min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            if done.rows or not given.watch:
                _tell(given, store, where, done)
            was_away, pause = False, float(given.every)
        if not given.watch:
            return 0
        time.sleep(pause)


def _tell(given: argparse.Namespace, store: Store, where: Address, done: Drained) -> None:
    from ...ingest.team import inbox

    with inbox.connected(where) as connection:
        versions = _versions(inbox.machines(connection))
    for line in [*versions, *(f"{who}: {words.plural(count, 'row')} refused" for who, count in done.refused.items())]:
        terminal.error(line)
    if given.json:
        answer = {"inbox": where.shown, "store": store.shown, "rows": done.rows, "facts": done.facts}
        terminal.answer(answer | {"refused": done.refused, "versions": versions})
        return
    told = f"{words.plural(done.rows, 'row')} into {words.plural(done.facts, 'fact')}"
    terminal.lines([f"drained {where.shown}: {told if done.rows else 'nothing new'}"])


def _versions(machines: list[Machine]) -> list[str]:
    """Who pushes with another version than ours, in words."""
    from ...ingest.team.drain import problem_of

    return [
        f"{each.pusher}@{each.machine}: {problem} (it is {each.program})"
        for each in machines
        if (problem := problem_of(each))
    ]


def _compact(given: argparse.Namespace, settings: Settings, where: Address) -> int:
    from ...ingest.team.drain import compact

    removed = compact(store := _store(settings), where)
    if given.json:
        terminal.answer({"inbox": where.shown, "store": store.shown, "removed": removed})
    else:
        terminal.lines(
            [f"removed {words.plural(removed, 'row')} that nobody tells any more, from {where.shown} and the store"]
        )
    return 0


def _status(given: argparse.Namespace, settings: Settings, where: Address) -> int:
    from ...ingest.team import inbox
    from ...ingest.team.drain import how_far

    has_store = settings.store != default_store() and settings.store.exists()
    with inbox.connected(where) as connection:
        machines = inbox.machines(connection)
        waiting = inbox.waiting(connection, how_far(Store(settings.store))) if has_store else None
        shared = inbox.shared(connection) if given.shared else []
        (rows_there, oldest_at), drained = inbox.content(connection), inbox.last_drain(connection)
    versions = _versions(machines)
    if given.json:
        rows: list[dict[str, Any]] = [
            {
                "user": each.pusher,
                "machine": each.machine,
                "rows": each.rows,
                "share": each.share,
                "version": each.program,
                "pushed_at": stamp(each.pushed_at),
            }
            for each in machines
        ]
        pushers = [
            {
                "username": each.pusher,
                "machine": each.machine,
                "version": each.program,
                "last_push_at": stamp(each.pushed_at),
                "rows": each.rows,
            }
            for each in machines
        ]
        last_at, lag, drained_rows = drained or (None, None, None)
        both = [{"users": [one, other], "facts": facts} for one, other, facts in shared]
        answer = {
            "inbox": {"address": where.shown, "rows": rows_there, "oldest_at": stamp(oldest_at)},
            "drain": {"last_at": stamp(last_at), "lag_seconds": lag, "rows": drained_rows},
            "pushers": pushers,
            "waiting_rows": waiting,
            "machines": rows,
            "versions": versions,
        }
        terminal.answer(answer | ({"shared": both} if given.shared else {}))
        return 0
    lines = [
        f"· {each.pusher}@{each.machine}: {words.plural(each.rows, 'row')}, {each.share}, agnes-stats {each.program}, "
        f"last pushed {each.pushed_at:%Y-%m-%d %H:%M} UTC"
        for each in machines
    ] or ["· nobody has pushed so far"]
    lines += [f"· {one} and {other} both tell {words.plural(facts, 'fact')}" for one, other, facts in shared]
    if given.shared and not shared:
        lines.append("· no two people tell the same")
    if waiting is not None:
        lines.append(f"{words.plural(waiting, 'row')} wait for {Store(settings.store).shown}")
    terminal.lines([where.shown, *lines, *versions])
    return 0


COMMAND = Command(
    heeds=("store",),
    run=run,
    options=(
        ("action", {"metavar": "ACTION", "nargs": "?", "help": "init, drain, compact or status"}),
        (
            "inbox",
            {
                "metavar": "INBOX",
                "nargs": "?",
                "help": "postgresql://USER@HOST/DATABASE, without a password; init: also a lake",
            },
        ),
        ("--user", {"metavar": "NAME", "dest": "people", "action": "append", "help": "init: a role that may push"}),
        (
            "--drainer",
            {"metavar": "NAME", "dest": "drainers", "action": "append", "help": "init: a role that may drain"},
        ),
        ("--shared", {"action": "store_true", "help": "status: also what several people tell, which counts once"}),
        *WATCH,
    ),
)
