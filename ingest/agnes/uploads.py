"""What became of each session of a workspace: uploaded, refused by the server, or kept private.

`agnes push` keeps four files in `.claude`. Three are appended to and never tidied, so a session may stand in
each of them many times, in the forms of several versions of the command.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .values import LogLine, Problem, ValuesRead, count_of, lines_of, path_text, read_file, stable_id, text_of, time_of

UPLOADED, FAILED, PRIVATE = "uploaded", "failed", "private"

_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")
"""What the server accepts as the name of a session's file."""

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Upload:
    """A session, and what happened to it last."""

    workspace: str
    session_id: str
    status: str
    """`uploaded`, `failed` or `private`."""
    when: dt.datetime | None
    """UTC; None for a session on the private list, which has no times."""
    size_bytes: int | None = None
    """Bytes of the transcript when it was uploaded, the largest of several times; None if it never was.

    A private session with a size was uploaded before it became private.
    """
    http_status: str | None = None
    """Why the server refused it for good: a status code, or the word that older versions wrote."""
    path: str | None = None
    """Of the transcript, where the file says it."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of a ledger: something that happened to a session, once."""

    id: str
    """The same on every reading, also when lines before it are gone."""
    pos: int
    """The byte at which the line starts."""
    upload: Upload


class _MalformedError(ValueError):
    """A row in none of the known forms; the message is the reason."""


def upload_files(workspace: Path) -> tuple[Path, ...]:
    """The files that are read here, whether they exist or not."""
    folder = workspace / ".claude"
    return tuple(folder / f"agnes-sessions-{name}.txt" for name in ("uploaded", "failed", "private-skipped", "private"))


def read_uploads(workspace: Path) -> ValuesRead[Upload]:
    """One row per session that any of the four files names.

    The private list decides over everything else: what is on it is never sent again. Otherwise the latest
    event counts, and of two at the same time the refusal.
    """
    problems: list[Problem] = []
    place = path_text(workspace)
    uploaded_path, failed_path, skipped_path, private_path = upload_files(workspace)
    uploaded: dict[str, Upload] = {}
    for row in _rows(uploaded_path, place, _uploaded, problems):
        known = uploaded.get(row.session_id)
        if known is None or _largest(row) > _largest(known):
            uploaded[row.session_id] = row
    latest = dict(uploaded)
    for path, form in ((skipped_path, _skipped), (failed_path, _failed)):
        for row in _rows(path, place, form, problems):
            known = latest.get(row.session_id)
            if known is None or (row.when or _NEVER) >= (known.when or _NEVER):
                latest[row.session_id] = row
    for row in _rows(private_path, place, _listed, problems):
        latest[row.session_id] = _joined(row, latest.get(row.session_id))
    rows = (_joined(row, uploaded.get(row.session_id)) for row in latest.values())
    return ValuesRead(tuple(rows), tuple(problems))


def _largest(row: Upload) -> tuple[int, dt.datetime]:
    return (-1 if row.size_bytes is None else row.size_bytes, row.when or _NEVER)


def _joined(row: Upload, other: Upload | None) -> Upload:
    """`row`, with the size and the path that only the other row knows."""
    if other is None:
        return row
    size = row.size_bytes if row.size_bytes is not None else other.size_bytes
    when = row.when or (other.when if other.status == row.status else None)
    return Upload(row.workspace, row.session_id, row.status, when, size, row.http_status, row.path or other.path)


def read_ledger(workspace: Path, path: Path) -> Iterator[LedgerLine]:
    """Every line of one of the files that has a time, oldest first; what cannot be read is told by `read_uploads`."""
    uploaded_path, failed_path, skipped_path, _ = upload_files(workspace)
    form = {uploaded_path: _uploaded, failed_path: _failed, skipped_path: _skipped}.get(path)
    if form is None:
        return
    alike: Counter[Upload] = Counter()
    for line, row in _lines(path, path_text(workspace), form, []):
        if row.when is not None:
            alike[row] += 1
            parts = (row.session_id, row.status, row.when.isoformat(), str(row.size_bytes), row.http_status or "")
            key = stable_id("ledger", row.workspace, *parts, str(alike[row]))
            yield LedgerLine(key, line.pos, row)


def _rows(
    path: Path, workspace: str, form: Callable[[str, list[str]], Upload], problems: list[Problem]
) -> Iterator[Upload]:
    return (row for _, row in _lines(path, workspace, form, problems))


def _lines(
    path: Path, workspace: str, form: Callable[[str, list[str]], Upload], problems: list[Problem]
) -> Iterator[tuple[LogLine, Upload]]:
    for line in lines_of(read_file(path, problems) or b""):
        try:
            yield line, form(workspace, line.data.decode("utf-8").split("\t", 3))
        except UnicodeDecodeError:
            _report(line, path, "not UTF-8", problems)
        except _MalformedError as error:
            _report(line, path, str(error), problems)


def _report(line: LogLine, path: Path, reason: str, problems: list[Problem]) -> None:
    if not line.torn:
        problems.append(line.problem(path, reason))


def _uploaded(workspace: str, fields: list[str]) -> Upload:
    """`<session>TAB<size>TAB<time>`; older versions wrote `<time>TAB<path>`."""
    if len(fields) >= 2 and (size := _number(fields[1])) is not None:
        when = time_of(fields[2]) if len(fields) > 2 else None
        return Upload(workspace, _session(fields[0]), UPLOADED, when, size)
    if len(fields) == 2 and (when := time_of(fields[0])):
        return Upload(workspace, _session("", fields[1]), UPLOADED, when, path=text_of(fields[1]))
    raise _MalformedError("neither session, size, time nor time, path")


def _failed(workspace: str, fields: list[str]) -> Upload:
    """`<time>TAB<session>TAB<status>TAB<path>`; the session may be empty, the status a word."""
    when = time_of(fields[0])
    if len(fields) != 4 or when is None:
        raise _MalformedError("not time, session, status, path")
    session_id = _session(fields[1], fields[3])
    return Upload(workspace, session_id, FAILED, when, None, text_of(fields[2].strip(), 100), text_of(fields[3]))


def _skipped(workspace: str, fields: list[str]) -> Upload:
    """`<time>TAB<session>TAB<path>`; the session may be empty."""
    when = time_of(fields[0])
    if len(fields) != 3 or when is None:
        raise _MalformedError("not time, session, path")
    return Upload(workspace, _session(fields[1], fields[2]), PRIVATE, when, path=text_of(fields[2]))


def _listed(workspace: str, fields: list[str]) -> Upload:
    """One session per line."""
    if len(fields) != 1:
        raise _MalformedError("not one session id")
    return Upload(workspace, _session(fields[0]), PRIVATE, None)


def _session(named: str, path: str = "") -> str:
    """The id as written; where none is, the name of the transcript's file without its ending."""
    session_id = named.strip() or re.split(r"[/\\]", path.strip())[-1].removesuffix(".jsonl")
    if not _SESSION_ID.fullmatch(session_id):
        raise _MalformedError("no usable session id")
    return session_id


def _number(text: str) -> int | None:
    digits = text.strip()
    return count_of(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
