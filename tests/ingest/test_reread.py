"""Reading one file again on request, in the running ingester."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.service import IngestService, News, UpToDate
from agnes_stats.queries import sync
from agnes_stats.queries.store import Store

from tests.transcripts import Transcript, store_of


@contextmanager
def serving(store: Store, root: Path) -> Iterator[tuple[IngestService, threading.Semaphore]]:
    """An ingester that has caught up; the semaphore counts what it read since."""
    caught_up, read = threading.Event(), threading.Semaphore(0)

    def tell(news: News) -> None:
        if isinstance(news, UpToDate):
            if caught_up.is_set() and news.files:
                read.release()
            caught_up.set()

    roots = [Root("claude", root)]
    service = IngestService(Engine(store, roots, workers=0), tell, find_roots=lambda: roots)
    service.start()
    try:
        assert caught_up.wait(20)
        yield service, read
    finally:
        service.stop()


def rejects(store: Store) -> list[tuple[int, str]]:
    with store.read() as connection:
        return [(row.pos, row.reason) for row in sync.rejects(connection)]


def test_a_file_is_read_again_from_its_start_though_nothing_says_that_it_changed(tmp_path: Path) -> None:
    session = Transcript("s1", "2026-03-10T12:00:00").prompt("Hello").response()
    store = store_of(tmp_path, [session])
    path = tmp_path / "claude/projects/-home-dana-work/s1.jsonl"
    status, content = path.stat(), path.read_bytes()
    # In place, of the same length and with the same time: no comparison of watermarks can see it.
    with path.open("r+b") as file:
        file.write(content.replace(b'{"type": "user"', b'x"type": "user"', 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with serving(store, tmp_path / "claude") as (service, read):
        assert rejects(store) == []
        service.reread(path)
        assert read.acquire(timeout=20)
    assert [pos for pos, _ in rejects(store)] == [0]
    with store.read() as connection:
        facts = sync.store_facts(connection)
        # What the line had said before it broke stays known.
        assert connection.execute("SELECT count(*) FROM prompts").fetchone() == (1,)
    assert facts.responses == 1


def test_reading_again_heals_rejects_and_counts_nothing_twice(tmp_path: Path) -> None:
    session = Transcript("s1", "2026-03-10T12:00:00").prompt("Hello").response()
    store = store_of(tmp_path, [session])
    path = tmp_path / "claude/projects/-home-dana-work/s1.jsonl"
    with store.write() as connection:
        connection.execute("INSERT INTO rejects VALUES (?, 3, 9, 'once unknown', now())", [str(path)])
    with serving(store, tmp_path / "claude") as (service, read):
        service.reread(path)
        assert read.acquire(timeout=20)
    assert rejects(store) == []
    with store.read() as connection:
        facts = sync.store_facts(connection)
        tokens = connection.execute("SELECT sum(output_tokens) FROM tokens_daily").fetchone()
    assert (facts.sessions, facts.responses, tokens) == (1, 1, (100,))


def test_a_file_of_no_source_is_passed_over(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s1", "2026-03-10T12:00:00").prompt("Hello")])
    path = tmp_path / "claude/projects/-home-dana-work/s1.jsonl"
    with serving(store, tmp_path / "claude") as (service, read):
        service.reread(tmp_path / "elsewhere.jsonl")
        service.reread(path)
        assert read.acquire(timeout=20)
    assert rejects(store) == []
