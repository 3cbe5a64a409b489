"""A file read for what its responses took says the same of them, and of its sessions, as one read as a whole."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats import SOURCES, change
from agnes_stats.ingest.formats.change import STRETCH
from agnes_stats.ingest.merged_rows import MergedRows
from agnes_stats.ingest.moments import micros
from agnes_stats.ingest.short_rows import ShortRows, own_rows, said_rows, whole_rows
from agnes_stats.ingest.usage_batch import UsageBatch
from agnes_stats.queries.facts import RESPONSES
from agnes_stats.tests.counting.test_properties import files
from hypothesis import HealthCheck, Phase, given, settings

from tests.examples import examples

OF_SESSIONS = ("session_firsts", "session_lasts", "prompts", "activity", "strays", "worktrees", "summaries")
NOT_ASKED = (
    "least_output_tokens",
    "requested_at",
    "prompt_id",
    "effort",
    "logged_cost_usd",
    "cache_miss_reason",
    "cache_missed_tokens",
)


def _said(batch: Batch, table: str) -> list[str]:
    rows = list(batch.of(table))
    if table == "responses" and isinstance(batch, UsageBatch):
        rows += _whole(batch.short)
    if table == "responses" and not isinstance(batch, UsageBatch):
        merged = MergedRows(RESPONSES)
        for row in rows:
            merged.add(row)
        rows = list(merged)
    return sorted(json.dumps(_plain(row), sort_keys=True) for row in rows)


def _whole(short: ShortRows) -> list[dict[str, Any]]:
    """Rows told in short as DuckDB reads them, without what each row has of the others."""
    with TemporaryDirectory() as folder:
        files = short.write(Path(folder), "short")
        if files is None:
            return []
        found = _DUCKDB.execute(whole_rows(own_rows([files]), said_rows([files])))
        names = [name for name, *_ in found.description]
        return [
            {
                name: micros(value) if isinstance(value, dt.datetime) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in found.fetchall()
        ]


_DUCKDB = duckdb.connect()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """What is told of it: no value and a 0 of `copy_signs` are as good as nothing."""
    return {name: value for name, value in row.items() if value not in (None, 0, False) and name not in NOT_ASKED}


@settings(
    max_examples=examples(40, 120), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(files)
def test_it_says_the_same_of_random_files(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        root, source = Path(folder), SOURCES["claude"]
        for name in ("s1.jsonl", "s1/subagents/agent-a1.jsonl"):
            path = root / "projects" / "x" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            file = source.recognise(root, path)
            assert file is not None
            whole = Batch()
            source.read(file, None, whole, STRETCH)
            for with_sessions, tables in ((True, ("responses", *OF_SESSIONS)), (False, ("responses",))):
                usage = UsageBatch(with_sessions=with_sessions)
                usage.begin()
                source.read_usage(file, None, usage)
                if not usage.end():
                    assert not with_sessions, "what is read with all its rows is never doubtful"
                    continue
                assert [_said(usage, table) for table in tables] == [_said(whole, table) for table in tables]


def _line(number: int, size: int = 0) -> bytes:
    """A response's line, of about `size` bytes."""
    message = {"id": f"msg_{number}", "model": "m", "stop_reason": "end_turn", "content": "x" * size}
    row = {
        "type": "assistant",
        "sessionId": "s1",
        "timestamp": f"2026-03-10T08:00:{number:02}.250Z",
        "uuid": str(number),
    }
    return json.dumps(row | {"message": message | {"usage": {"output_tokens": size + number}}}).encode() + b"\n"


SIZES = (0, 300, 1200, 3000, 100, 4096, 9000, 70_000, 5, 5000, 900, 4000)


@pytest.mark.parametrize("ends", [b"", _line(40)[:-1], _line(40)[:-9], _line(40, 9000)[:-9]])
def test_it_says_the_same_whatever_the_blocks_are_in_which_lines_are_looked_for(
    ends: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "_CHUNK", 1024)
    monkeypatch.setattr(change, "MAX_LINE", 4096)
    path = tmp_path / "projects" / "x" / "s1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(_line(number, size) for number, size in enumerate(SIZES)) + ends)
    source = SOURCES["claude"]
    file = source.recognise(tmp_path, path)
    assert file is not None
    whole, usage = Batch(), UsageBatch()
    usage.begin()
    marks = [
        result.watermark.read_to
        for result in (source.read(file, None, whole, STRETCH), source.read_usage(file, None, usage))
        if result is not None
    ]
    assert usage.end()
    assert marks[0] == marks[1]
    said = _said(usage, "responses")
    assert said == _said(whole, "responses")
    assert len(said) == len([size for size in SIZES if size < 3900]) + (ends == _line(40)[:-1])
