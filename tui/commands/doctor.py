"""`agnes-stats doctor`: is everything found, read and kept, and what is about to vanish?"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import platform
import stat
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ... import __version__
from ...ingest import formats
from ...ingest.engine import Engine
from ...ingest.formats import SOURCES, Root
from ...ingest.formats.retention import Retention
from ...queries import doctor as ask
from ...queries import servers, sync
from ...queries.money import known_usd
from ...queries.own_totals import SessionOwnTotal, own_totals
from ...queries.paths import exists
from ...queries.schema import STORE_VERSION
from ...queries.store import Store, StoreError
from .. import format as words
from .. import terminal
from ..factories import engine_of, misnamed, need_store, roots_of, server_access, utc_now
from ..settings import Settings
from .command import Command
from .json_fields import usd
from .sync import server_answer

LIBRARIES = ("duckdb", "textual", "plotext", "msgspec", "sqlglot", "genai-prices", "watchfiles")
SOON = dt.timedelta(days=7)
"""How far ahead deletions are told."""

GROWING_SECONDS = 60.0
"""A file written to this recently may well be a little ahead of the store."""

_LISTED = 200
_SHOWN = 10


@dataclass(slots=True)
class Findings:
    """What was found. `answer` is plain JSON; `problems` need the user, `notes` only tell; each is one line."""

    answer: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examine(settings: Settings, roots: Sequence[Root]) -> Findings:
    """Look at everything. Reads what is new first, unless the settings forbid it. Raises nothing about the store."""
    found = Findings()
    store = Store(settings.store)
    found.answer["versions"] = _versions()
    found.answer["looked_in"] = _looked_in(settings, roots, found)
    try:
        engine = engine_of(settings, store)
        engine.roots = roots
        need_store(settings)
        if not settings.no_ingest:
            engine.catch_up()
            _ask_server(store, settings)
        _look(engine, settings, found)
    except StoreError as error:
        found.problems.append(str(error))
    _look_at_file(settings.store, found)
    return _closed(found)


def _ask_server(store: Store, settings: Settings) -> None:
    if settings.agnes_server:
        from ...ingest.server_source import AgnesServerError, ask_once

        # How it went is in the store, and told from there.
        with contextlib.suppress(AgnesServerError):
            ask_once(store, server_access(settings))


def _look(engine: Engine, settings: Settings, found: Findings) -> None:
    answer = found.answer
    with engine.store.read() as connection:
        ask.verify(connection)
        marks = ask.file_marks(connection)
        times = ask.times(connection)
        rejected = [row for row in sync.rejects(connection, limit=_LISTED) if row.length or row.pos]
        unknown = sync.unknowns(connection)
        facts = sync.store_facts(connection)
        forgotten = ask.forgotten_notes(connection)
        own = own_totals(connection)
        store_version = ask.store_version(connection)
        odd_days = ask.odd_days(connection, settings.tz, ZoneInfo(settings.tz), utc_now())
        asked = servers.servers(connection)
    if odd_days:
        found.notes.append(
            f"this system's clock of {settings.tz} is not DuckDB's on {words.plural(len(odd_days), 'day')} since "
            f"{odd_days[0]}: what was done beside midnight may count to the day before or after"
        )
    answer["sources"] = _sources(engine, marks, settings, found)
    answer["servers"] = [server_answer(row) for row in asked]
    for row in asked:
        if row.failure is not None:
            # A server that is not to be asked any more may well have gone.
            (found.problems if settings.agnes_server else found.notes).append(f"{row.reason}, asked as {row.account}")
    answer["rejects"] = [
        {"path": row.path, "offset": row.pos, "length": row.length, "reason": row.reason} for row in rejected
    ]
    answer["rejects_total"] = facts.rejects
    answer["unknown"] = [{"what": row.what, "count": row.count, "files": row.files} for row in unknown]
    answer["watermarks"] = {
        "oldest_read_at": _stamp(times.oldest_read_at),
        "newest_read_at": _stamp(times.newest_read_at),
        "oldest_session_at": _stamp(times.oldest_session_at),
    }
    answer["unpriced_models"] = facts.unpriced_models
    answer["own_totals"] = _own_totals(own)
    answer["store"] = {
        "version": store_version,
        "sessions": facts.sessions,
        "responses": facts.responses,
        "tool_calls": facts.tool_calls,
        "transcript_bytes": facts.transcript_bytes,
        "forgotten": forgotten,
    }
    kept = [(root, SOURCES[root.kind].retention(root.path)) for root in engine.roots]
    answer["retention"] = [_retention(root, held, marks, found) for root, held in kept if held is not None]


def _own_totals(totals: Sequence[SessionOwnTotal]) -> dict[str, Any]:
    """Claude Code's own totals beside ours: in how many sessions they agree, and what differs, by name."""
    different = sorted(
        (one for one in totals if not one.is_equal), key=lambda one: (-one.missing_tokens, one.session_id)
    )
    shown = [one.shown + one.before_fork for one in totals]
    return {
        "sessions": len(totals),
        "equal": len(totals) - len(different),
        "cost_usd": usd(known_usd(one.cost_usd for one in totals), len(totals)),
        "shown_usd": usd(known_usd(amount.cost_usd for amount in shown), sum(amount.tokens for amount in shown)),
        "different": [
            {
                "session_id": one.session_id,
                "as_of": _stamp(one.as_of),
                "cost_usd": one.cost_usd,
                "shown_usd": one.shown.cost_usd,
                "forked_from": one.forked_from,
                "before_fork_usd": one.before_fork.cost_usd,
                "unnamed_usd": one.unnamed_usd,
                "models": [
                    {"model": model.model, "missing_tokens": model.missing_tokens, "missing_usd": model.missing_usd}
                    for model in one.differences
                ],
            }
            for one in different[:_LISTED]
        ],
    }


def _sources(
    engine: Engine, marks: Sequence[ask.FileMark], settings: Settings, found: Findings
) -> list[dict[str, Any]]:
    """Every root: what is on disk, what of it is read, what cannot be."""
    ahead = engine.look()
    told = []
    for root in engine.roots:
        files, size = ahead.sizes.get(str(root.path), (0, 0))
        jobs = [job for job in ahead.jobs if job.file.root == root.path and not (job.watermark and job.watermark.error)]
        own = [mark for mark in marks if mark.root == str(root.path) and mark.source == root.kind]
        unreadable = [mark for mark in own if mark.error and not mark.is_gone]
        for mark in unreadable[:_SHOWN]:
            found.problems.append(f"{mark.path} {mark.error}")
        if len(unreadable) > _SHOWN:
            found.problems.append(f"{len(unreadable) - _SHOWN} more files under {root.path} cannot be read")
        quiet = [job for job in jobs if time.time() - job.mtime_ns / 1e9 > GROWING_SECONDS]
        if quiet and not settings.no_ingest:
            behind = words.size(sum(job.todo for job in quiet))
            found.problems.append(f"{words.plural(len(quiet), 'file')} under {root.path} still unread: {behind}")
        old = sum(mark.parser is not None and mark.parser < SOURCES[mark.source].version for mark in own)
        told.append(
            {
                "kind": root.kind,
                "root": str(root.path),
                "files": files,
                "bytes": size,
                "files_behind": len(jobs),
                "bytes_behind": sum(job.todo for job in jobs),
                "gone": sum(mark.is_gone for mark in own),
                "unreadable": [{"path": mark.path, "reason": mark.error} for mark in unreadable[:_LISTED]],
                "parser": SOURCES[root.kind].version,
                "read_by_older_parser": old,
            }
        )
    return told


def _retention(root: Root, held: Retention, marks: Sequence[ask.FileMark], found: Findings) -> dict[str, Any]:
    files = {
        mark.path: mark.mtime_ns
        for mark in marks
        if mark.root == str(root.path) and mark.is_main and not mark.is_gone and mark.mtime_ns
    }
    due = held.due(files, utc_now(), SOON)
    if held.fault:
        found.notes.append(held.fault)
    return {
        "root": str(root.path),
        "by": held.by,
        "setting": held.setting,
        "settings": str(held.settings),
        "days": held.days,
        "is_default": held.is_default,
        "due_within_7_days": len(due),
        "due_now": sum(at <= utc_now() for at, _ in due),
        "first": {"path": due[0][1], "at": _stamp(due[0][0])} if due else None,
    }


def _look_at_file(path: Path, found: Findings) -> None:
    """The store's file from outside; also where it cannot be opened."""
    told: dict[str, Any] = {"path": str(path), "size": None, "mode": None, "folder_mode": None}
    try:
        status = path.stat()
        log = Path(f"{path}.wal")
        told["size"] = status.st_size + (log.stat().st_size if exists(log) else 0)
        told["mode"] = f"{stat.S_IMODE(status.st_mode):04o}"
        told["folder_mode"] = f"{stat.S_IMODE(path.parent.stat().st_mode):04o}"
        if os.name == "posix" and status.st_mode & 0o077:
            found.problems.append(f"{path} can be read by others (mode {told['mode']}): chmod 600 it")
    except FileNotFoundError:
        if not found.problems:
            found.notes.append(f"there is no store yet at {path}")
    except OSError as error:
        found.problems.append(f"{path}: {error.strerror}")
    known = found.answer.setdefault("store", {})
    size, whole = told["size"], known.get("transcript_bytes")
    found.answer["store"] = {**told, "share_of_transcripts": size / whole if size and whole else None, **known}


def _looked_in(settings: Settings, roots: Sequence[Root], found: Findings) -> list[str]:
    """The places where sources were looked for; a place that was named and is not there is a problem."""
    if settings.source:
        return list(settings.source)
    places = [place for place, _ in formats.looked_in(os.environ)]
    found.problems += misnamed(replace(settings, no_ingest=False))
    if not roots:
        found.notes.append(f"no transcripts found; looked in {', '.join(places)}; name a folder with --source")
    return places


def _versions() -> dict[str, Any]:
    told: dict[str, Any] = {"agnes-stats": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            told[name] = version(name)
        except PackageNotFoundError:
            told[name] = None
    return told | {"store": STORE_VERSION, "system": f"{platform.system()} {platform.release()}"}


def _closed(found: Findings) -> Findings:
    found.answer = {
        "healthy": not found.problems,
        "problems": found.problems,
        "notes": found.notes,
        **found.answer,
    }
    return found


def _stamp(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.replace(tzinfo=dt.UTC).isoformat()


# -- in words ----------------------------------------------------------------------------------------------------


def show(findings: Findings) -> None:
    """Print the findings as plain text."""
    answer = findings.answer
    lines = [
        *_shown_sources(answer),
        *_shown_store(answer),
        *_shown_servers(answer),
        *_shown_retention(answer),
        *_shown_own_totals(answer),
        *_shown_faults(answer),
    ]
    versions = answer["versions"]
    lines += ["", "Versions: " + ", ".join(f"{name} {told}" for name, told in versions.items() if told)]
    lines += ["", *(f"note: {note}" for note in findings.notes), *(f"PROBLEM: {one}" for one in findings.problems)]
    lines += ["Healthy." if not findings.problems else f"{len(findings.problems)} to look at."]
    terminal.lines(words.clean(line, 500) for line in lines)


def _shown_sources(answer: dict[str, Any]) -> list[str]:
    lines = ["Sources"]
    for source in answer.get("sources", []):
        files = words.plural(source["files"], "file")
        line = f"· {source['kind']} {source['root']}: {files}, {words.size(source['bytes'])}"
        line += f", {words.size(source['bytes_behind'])} behind"
        if source["gone"]:
            line += f", {words.count(source['gone'])} gone from disk and kept in the store"
        if source["unreadable"]:
            line += f", {words.count(len(source['unreadable']))} unreadable"
        if source["read_by_older_parser"]:
            line += f", {words.count(source['read_by_older_parser'])} read by an older version"
        lines.append(line)
    if len(lines) == 1:
        lines.append(f"· none; looked in {', '.join(answer['looked_in'])}")
    marks = answer.get("watermarks", {})
    if marks.get("newest_read_at"):
        lines.append(f"· first read {_short(marks['oldest_read_at'])}, last read {_short(marks['newest_read_at'])}")
    return lines


def _shown_store(answer: dict[str, Any]) -> list[str]:
    store = answer["store"]
    line = f"· {store['path']}"
    if store["size"] is not None:
        line += f": {words.size(store['size'])}"
        if store["share_of_transcripts"] is not None:
            line += f", {words.percent(store['share_of_transcripts'])} of the transcripts"
        line += f", mode {store['mode']} in a folder {store['folder_mode']}"
    lines = ["", "Store", line]
    if "sessions" in store:
        kept = f"· {words.plural(store['sessions'], 'session')}, {words.plural(store['responses'], 'response')}"
        kept += f", {words.plural(store['tool_calls'], 'tool call')}, store version {store['version']}"
        if store["forgotten"]:
            kept += f", {words.plural(store['forgotten'], 'thing')} forgotten on request"
        lines.append(kept)
    if answer.get("unpriced_models"):
        lines.append(f"· models without a known price: {', '.join(answer['unpriced_models'])}")
    return lines


def _shown_servers(answer: dict[str, Any]) -> list[str]:
    lines = []
    for server in answer.get("servers", []):
        state = f"failing: {server['failure']}" if server["failure"] else "reachable"
        told = [
            f"· {server['server']} as {server['account']}: {state}",
            f"last asked {_short(server['asked_at'])}",
            f"last answered {_short(server['answered_at'])}" if server["failure"] else "",
            f"token until {_short(server['token_expires_at'])}" if server["token_expires_at"] else "",
            f"{words.plural(server['rows'], 'row')} of it",
        ]
        lines.append(", ".join(part for part in told if part))
        if server["reason"] and not server["failure"]:
            lines.append(f"· {server['reason']}")
    return ["", "Agnes server", *lines] if lines else []


def _shown_retention(answer: dict[str, Any]) -> list[str]:
    lines = []
    for held in answer.get("retention", []):
        origin = f"{'not set' if held['is_default'] else held['setting']} in {held['settings']}"
        lines.append(f"· {held['by']} deletes transcripts {held['days']} days after their last line ({origin})")
        if held["first"]:
            line = f"· within 7 days: {words.plural(held['due_within_7_days'], 'session')}"
            if held["due_now"]:
                line += f", {words.count(held['due_now'])} of them at its next start"
            lines.append(f"{line}; first {held['first']['path']}, due {_short(held['first']['at'])}")
        else:
            lines.append("· within 7 days: none")
    return ["", "Retention", *lines, "· what was read stays in the store; only `agnes-stats forget` removes it"]


def _shown_own_totals(answer: dict[str, Any]) -> list[str]:
    told = answer.get("own_totals")
    if not told or not told["sessions"]:
        return []
    sessions, equal = words.plural(told["sessions"], "session"), words.count(told["equal"])
    line = f"· {sessions} with a total of Claude Code's own, {equal} equal:"
    line += f" it says {words.usd(told['cost_usd'])}, transcripts show {words.usd(told['shown_usd'])}"
    lines = ["", "Claude Code's own totals", line]
    for one in told["different"][:_SHOWN]:
        names = [
            f"{words.model(model['model'])} {model['missing_tokens']:+,} tokens {model['missing_usd']:+.4f} USD"
            for model in one["models"]
        ]
        if one["unnamed_usd"] is not None:
            names.append(f"of no model {one['unnamed_usd']:+.4f} USD")
        fork = f" (forked from {one['forked_from'][:8]})" if one["forked_from"] else ""
        lines.append(f"· {one['session_id'][:8]}{fork}, not in its transcripts: {', '.join(names)}")
    return lines


def _shown_faults(answer: dict[str, Any]) -> list[str]:
    lines = []
    if answer.get("rejects"):
        reasons = Counter(row["path"] for row in answer["rejects"])
        total = answer["rejects_total"]
        lines += ["", f"Rejected: {words.plural(total, 'piece')} of lines, in {words.plural(len(reasons), 'file')}"]
        for row in answer["rejects"][:_SHOWN]:
            lines.append(f"· {row['path']} at byte {row['offset']:,}: {row['reason']}")
    if answer.get("unknown"):
        lines += ["", "Not known to this version (kept apart, counted nowhere)"]
        for row in answer["unknown"][:_SHOWN]:
            lines.append(
                f"· {row['what']}: {words.plural(row['count'], 'time')} in {words.plural(row['files'], 'file')}"
            )
    return lines


def _short(stamp: str | None) -> str:
    return words.NONE if stamp is None else stamp[:16].replace("T", " ") + " UTC"


def run(given: argparse.Namespace, settings: Settings) -> int:
    """Examine, and tell what was found; the exit status is 1 if something is wrong."""
    findings = examine(settings, roots_of(settings, Store(settings.store)))
    if given.json:
        terminal.answer(findings.answer)
    else:
        show(findings)
    return 1 if findings.problems else 0


COMMAND = Command(heeds=("store", "source", "no-ingest", "agnes-server"), run=run, needs_store=False)
