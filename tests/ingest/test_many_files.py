"""Very many files cost a little each: what is asked of one is not asked again and again."""

from collections import Counter
from pathlib import Path

import pytest
from agnes_stats.ingest import engine as engines
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Root, SourceFile
from agnes_stats.ingest.formats.change import Change

from tests.storing import store_in

FILES = 300


def test_how_a_file_changes_is_asked_a_few_times_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"f{number}.jsonl").touch()
    source = SOURCES["claude"]
    change = source.change
    asked: Counter[str] = Counter()

    def note(file: SourceFile) -> Change:
        asked[str(file.path)] += 1
        return change(file)

    monkeypatch.setattr(source, "change", note)
    # As a long catch-up, in many small tasks.
    monkeypatch.setattr(engines, "WORKER_FILES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.TASK_FILES", 10)
    engine = Engine(store_in(tmp_path), [Root("claude", tmp_path / "claude")], workers=0)
    assert engine.catch_up().files == FILES
    assert len(asked) == FILES
    assert max(asked.values()) <= 3
