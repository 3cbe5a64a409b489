"""Files of any agent, brought into a store in every way in which they may arrive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store

from tests.storing import close_all, held, stays_open, store_in

Files = Mapping[str, str]
"""Path below the agent's home -> content."""


def lines(*rows: Mapping[str, Any] | str) -> str:
    """Rows as lines of JSON; a text is a line as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def _write(home: Path, name: str, content: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def _at_once(files: Files, home: Path, read: Callable[[], None]) -> None:
    for name, content in files.items():
        _write(home, name, content)
    read()


def _file_by_file(files: Files, home: Path, read: Callable[[], None]) -> None:
    for name, content in files.items():
        _write(home, name, content)
        read()


def _last_file_first(files: Files, home: Path, read: Callable[[], None]) -> None:
    _file_by_file(dict(reversed(list(files.items()))), home, read)


def _cut_anywhere(files: Files, home: Path, read: Callable[[], None]) -> None:
    """Every file grows to a third, then to two thirds, cut wherever that is; then it is whole."""
    for part in (1, 2, 3):
        for name, content in files.items():
            _write(home, name, content[: len(content) * part // 3])
        read()


def _twice(files: Files, home: Path, read: Callable[[], None]) -> None:
    _at_once(files, home, read)
    for name, content in files.items():
        # Another file of the same content: it is read again from its start.
        (home / name).unlink()
        _write(home, name, content)
    read()


WAYS: dict[str, Callable[[Files, Path, Callable[[], None]], None]] = {
    "at once": _at_once,
    "file by file": _file_by_file,
    "last file first": _last_file_first,
    "cut anywhere": _cut_anywhere,
    "twice": _twice,
}


_USUAL = ("at once",)

every_way = pytest.mark.parametrize(
    "way", [way if way in _USUAL else pytest.param(way, marks=pytest.mark.long) for way in WAYS]
)
"""Run a test for each of WAYS; all but the cheapest only with all tests.

That a source does not care in which portions it is read is also seen by the contract, for all of its specimen at once.
"""


def arrived(way: str, kind: str, files: Files, folder: Path) -> Store:
    """A store that has read the files of one source, having arrived in one of WAYS."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    store = stays_open(store_in(folder))
    WAYS[way](files, home, lambda: _catch_up(store, kind, home))
    return store


@contextmanager
def held_at_once(kind: str, files: Files, folder: Path) -> Iterator[Store]:
    """A store that has read the files of one source, for all tests of a module: they only ask."""
    store = arrived("at once", kind, files, folder)
    close_all()
    with held(store):
        yield store


def _catch_up(store: Store, kind: str, home: Path) -> None:
    # Nobody else writes to it, who would have to be given time.
    Engine(store, [Root(kind, home)], workers=0, rest_seconds=0.0).catch_up()


def asked(store: Store, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a question."""
    with store.read() as connection:
        return connection.execute(sql).fetchall()


TOKENS = (
    "sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(reasoning_tokens)"
)


def tokens(store: Store, where: str = "true") -> tuple[int, ...]:
    """Responses that answer somebody, then input, output, cache reads, cache writes and reasoning of all."""
    [row] = asked(store, f"SELECT count(*) FILTER (is_answer), {TOKENS} FROM responses WHERE {where}")
    return tuple(int(part or 0) for part in row)
