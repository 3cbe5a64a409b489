"""What is imported before a process is copied: what decodes the files, and what parses SQL if they seem to have any."""

from pathlib import Path

import pytest
from agnes_stats.ingest import ready
from agnes_stats.ingest.access import sql
from agnes_stats.ingest.formats import SOURCES, SourceFile


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that was parsed, which imports the parser."""
    texts: list[str] = []
    monkeypatch.setattr(sql, "analyse", lambda text, _: texts.append(text))
    return texts


def transcript(folder: Path, name: str, text: str) -> SourceFile:
    path = folder / name
    path.write_text(text)
    return SourceFile("claude", folder, path, True, path.stem)


def test_the_parser_is_imported_for_files_that_speak_of_a_client(tmp_path: Path, parsed: list[str]) -> None:
    other = transcript(tmp_path, "a.jsonl", '{"command": "ls"}')
    gone = transcript(tmp_path, "gone.jsonl", "")
    gone.path.unlink()
    ready.make_ready([other, gone])
    assert not parsed
    ready.make_ready([other, gone, transcript(tmp_path, "b.jsonl", '{"command": "psql -c \'select 1\'"}')])
    assert len(parsed) == 1


def test_few_files_are_looked_into(tmp_path: Path, parsed: list[str]) -> None:
    other = transcript(tmp_path, "a.jsonl", '{"command": "ls"}')
    last = transcript(tmp_path, "b.jsonl", '{"command": "duckdb x"}')
    far = transcript(tmp_path, "c.jsonl", f"{' ' * 2**20}duckdb x")
    ready.make_ready([*[other] * 8, last])
    ready.make_ready([far])
    assert not parsed


@pytest.mark.usefixtures("parsed")
def test_what_decodes_is_asked_for_once_for_each_kind_of_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(type(SOURCES["claude"]), "change", lambda _, file: asked.append(file.path.suffix))
    names = ("a.jsonl", "b.jsonl", "agent-c.meta.json", "d.jsonl")
    ready.make_ready([transcript(tmp_path, name, "") for name in names])
    assert sorted(asked) == [".json", ".jsonl"]
