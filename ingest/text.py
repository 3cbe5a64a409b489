"""How words of a transcript, a file or a server become text of the store: credentials blotted out, then cut.

In this order: a credential that straddles the place of the cut would leave its first half, which no rule knows any
more. Only here is text cut on its way into a row, and `Batch` passes every column of `TEXTS` through here once more,
so that none is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from .redact import redacted

NAME_CHARS = 200
"""Characters of a name: of a tool, a model, a branch."""

MARGIN = 5120
"""Characters behind the place of a cut that are read: more than any rule needs to know what begins before it."""

PATH_CHARS = 4096
"""Characters of a path or an address."""

TEXTS: dict[str, dict[str, int]] = {
    "accesses": {
        "action": NAME_CHARS,
        "resource": 4000,
        "command": 4000,
        "sql": 4000,
        "tables_read": 1000,
        "tables_written": 1000,
        "client_kind": NAME_CHARS,
        "result": NAME_CHARS,
        "error": 4000,
    },
    "accounts": {"server": PATH_CHARS},
    "subagents": {"subagent_type": 300, "description": 300, "reported_status": NAME_CHARS},
    "background_ends": {"status": NAME_CHARS},
    "events": {"resets": NAME_CHARS, "text": 500, "cause": NAME_CHARS},
    "external_runs": {"task": 500, "folder": 1000},
    "files": {"error": 300},
    "limit_samples": {"account": NAME_CHARS, "limit_id": NAME_CHARS, "span": NAME_CHARS},
    "prompts": {"command": NAME_CHARS, "text": 500, "source": NAME_CHARS},
    "own_totals": {"model": NAME_CHARS},
    "rejects": {"reason": 500},
    "responses": {
        "subagent_name": NAME_CHARS,
        "model": NAME_CHARS,
        "provider": NAME_CHARS,
        "gateway": NAME_CHARS,
        "priced_as": NAME_CHARS,
        "tool": NAME_CHARS,
        "version": NAME_CHARS,
        "git_branch": NAME_CHARS,
        "effort": NAME_CHARS,
        "attributed_plugin": NAME_CHARS,
        "attributed_skill": NAME_CHARS,
        "attributed_mcp_server": NAME_CHARS,
        "attributed_mcp_tool": NAME_CHARS,
        "cache_miss_reason": NAME_CHARS,
        "speed": NAME_CHARS,
        "service_tier": NAME_CHARS,
        "inference_geo": NAME_CHARS,
    },
    "server_reads": {"reason": 500},
    "session_firsts": {"value": PATH_CHARS},
    "session_lasts": {"value": 300},
    "summaries": {"summary": 300},
    "sync_actions": {
        "action": NAME_CHARS,
        "resource": 4000,
        "source": NAME_CHARS,
        "result": NAME_CHARS,
        "detail": 4000,
    },
    "plugins": {"plugin": NAME_CHARS, "marketplace": NAME_CHARS},
    "server_sessions": {
        "session_id": NAME_CHARS,
        "session_file": 300,
        "pipeline_status": NAME_CHARS,
        "download_url": 300,
    },
    "snapshots": {"name": 256, "table_id": 256},
    "sync_tables": {"table_id": 4000},
    "task_changes": {
        "task_id": 80,
        "subject": 300,
        "owner": NAME_CHARS,
        "blocked_by": 80,
        "blocks": 80,
        "given_id": 80,
    },
    "tool_calls": {
        "name": NAME_CHARS,
        "mcp_server": NAME_CHARS,
        "subagent_type": NAME_CHARS,
        "skill": NAME_CHARS,
        "detail": 240,
        "addressee": NAME_CHARS,
        "denial": NAME_CHARS,
        "error_text": 300,
        "result_note": 300,
        "spawned_status": NAME_CHARS,
    },
    "unknowns": {"what": 100},
    "uploads": {"http_status": NAME_CHARS},
    "workspaces": {"server": PATH_CHARS, "snapshots_blocked": 256},
    "strays": {},
    "worktrees": {"folder": PATH_CHARS, "project": PATH_CHARS},
}
"""Table -> its columns that hold words somebody else wrote -> characters that are kept of them, of a list: of each."""

_redacted_name = lru_cache(maxsize=8192)(redacted)
_redacted_text = lru_cache(maxsize=1024)(redacted)
_REMEMBERED_CHARS = 1000
"""Characters of a text that is worth remembering: most come here a second time, as they were left the first time."""


def kept(text: str, limit: int) -> str:
    """The first `limit` characters of a text, without the credentials that can be recognised in it."""
    if len(text) <= NAME_CHARS:
        # The same few names stand in every row.
        return _redacted_name(text)[:limit]
    return _redacted(text[: limit + MARGIN], limit)[:limit]


def _redacted(text: str, limit: int) -> str:
    if len(text) <= _REMEMBERED_CHARS:
        return _redacted_text(text, limit if limit < len(text) else None)
    return redacted(text, limit)


def short(value: Any) -> str | None:
    """A text cut to the length of a name; None if it is empty or no text."""
    return kept(value, NAME_CHARS) if isinstance(value, str) and value else None


def first_line(text: str, limit: int) -> str:
    """The first line with something on it, at most `limit` characters."""
    begun = len(text) - len(text.lstrip())
    # What a rule reads on the lines below only tells how far a credential goes.
    line = text[begun : begun + limit * 4 + MARGIN].split("\n", 1)[0]
    return _trimmed(line, limit, str.strip)


def one_line(text: str, limit: int) -> str:
    """A text with its white space as single blanks, at most `limit` characters."""
    return (_name_in_one_line if len(text) <= NAME_CHARS else _in_one_line)(text, limit)


def _in_one_line(text: str, limit: int) -> str:
    return _trimmed(text, limit, _blanks_joined)


_name_in_one_line = lru_cache(maxsize=8192)(_in_one_line)


def begun(text: str, limit: int, chars: int) -> str:
    """The first `limit` characters of a text without credentials, or fewer, but not fewer than `chars`."""
    enough = chars * 3 // 2
    if len(text) > NAME_CHARS and enough < limit:
        begins = _redacted(text[: limit + MARGIN], enough)
        if len(begins) >= chars:
            return begins[:limit]
    return kept(text, limit)


def _blanks_joined(text: str) -> str:
    return " ".join(text.split())


def _trimmed(text: str, limit: int, trim: Callable[[str], str]) -> str:
    """A text without credentials and trimmed, at most `limit` characters, for which four times as many are read.

    Nearly always less is enough: what is trimmed of a beginning is the beginning of what is trimmed of more.
    """
    enough = limit * 3 // 2
    if len(text) > NAME_CHARS:
        line = trim(_redacted(text[: limit * 4 + MARGIN], enough)[: limit * 4])
        if len(line) >= limit or len(text) <= enough:
            return line[:limit]
    return trim(kept(text, limit * 4))[:limit]


def plain_json(value: Any) -> str:
    """JSON without blanks, as a parser's state is kept."""
    return json.dumps(value, separators=(",", ":"))


def without_credentials(value: Any) -> Any:
    """Plain JSON with the credentials in its texts blotted out; what is no text, and the names of fields, stays."""
    if isinstance(value, str):
        return _redacted_name(value) if len(value) <= NAME_CHARS else redacted(value)
    if isinstance(value, Mapping):
        return {name: without_credentials(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_credentials(inner) for inner in value]
    return value


def keep(table: str, row: dict[str, Any]) -> None:
    """Blot out and cut what is text in a row of a table; a word of our own, of an enumeration, is none."""
    names = _NAMED.get(table)
    if names is None:
        _keep(row, _COLUMNS.get(table, ()))
        return
    together = tuple(map(row.get, names))
    if together not in _CLEAN_TOGETHER and _keep(row, [(name, NAME_CHARS) for name in names]):
        _remember(_CLEAN_TOGETHER, together)
    for column, limit in _LONGER[table]:
        value = row.get(column)
        # Of what is nothing, or a name that is known to be clean, nothing is changed.
        if value and (type(value) is not str or value not in _CLEAN):
            _keep(row, ((column, limit),))


class RowTexts:
    """What is text in rows of a table that are structs, with columns as their fields."""

    def __init__(self, table: str, fields: Iterable[str]) -> None:
        """`fields`: those columns that such rows have; of names there are several, and of longer texts, too."""
        columns = {name: limit for name, limit in TEXTS[table].items() if name in set(fields)}
        self._names = [(name, limit) for name, limit in columns.items() if limit == NAME_CHARS]
        self._longer = [(name, limit) for name, limit in columns.items() if limit != NAME_CHARS]
        self._names_of, self._longer_of = (attrgetter(*dict(some)) for some in (self._names, self._longer))

    def keep(self, row: Any) -> None:
        """The same as `keep`."""
        together = self._names_of(row)
        if together not in _CLEAN_TOGETHER and _keep_fields(row, self._names):
            _remember(_CLEAN_TOGETHER, together)
        for named, value in zip(self._longer, self._longer_of(row), strict=True):
            if value and (type(value) is not str or value not in _CLEAN):
                _keep_fields(row, (named,))


def _keep_fields(row: Any, columns: Sequence[tuple[str, int]]) -> bool:
    told = {column: getattr(row, column) for column, _ in columns}
    is_clean = _keep(told, columns)
    for column, value in told.items():
        setattr(row, column, value)
    return is_clean


def _keep(row: dict[str, Any], columns: Iterable[tuple[str, int]]) -> bool:
    """Blot out and cut some columns of a row; whether they are names, or nothing, of which all was kept."""
    is_clean = True
    for column, limit in columns:
        value = row.get(column)
        if type(value) is str:
            if value not in _CLEAN or len(value) > limit:
                row[column] = text = kept(value, limit)
                if text == value and len(value) <= NAME_CHARS <= limit:
                    _remember(_CLEAN, value)
                else:
                    is_clean = False
        elif type(value) is list:
            row[column] = [kept(text, limit) for text in value]
            is_clean = False
        elif value is not None:
            is_clean = False
    return is_clean


def _remember(clean: set[Any], what: Any) -> None:
    if len(clean) >= _MOST_CLEAN:
        clean.clear()
    clean.add(what)


_CLEAN: set[str] = set()
_CLEAN_TOGETHER: set[tuple[Any, ...]] = set()
"""The same names together, as they stand in one row."""
_MOST_CLEAN = 8192
"""Names that stand in row after row, and in which there is nothing to blot out or to cut."""

_COLUMNS = {table: tuple(columns.items()) for table, columns in TEXTS.items()}
_MANY = ("responses", "tool_calls", "accesses")
"""Tables with many rows."""
_NAMED = {table: tuple(name for name, limit in _COLUMNS[table] if limit == NAME_CHARS) for table in _MANY}
_LONGER = {table: tuple(column for column in _COLUMNS[table] if column[1] != NAME_CHARS) for table in _MANY}
"""Their columns with names, which are looked up together, and those with other texts."""
