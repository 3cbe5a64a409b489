"""What is imported before a process is copied: what decodes the files, and what parses SQL if they seem to have any."""

import json
from pathlib import Path

import pytest
from agnes_stats.ingest import ready
from agnes_stats.ingest.access import sql
from agnes_stats.ingest.access.plain_sql import Statement
from agnes_stats.ingest.formats import SOURCES, SourceFile


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that was parsed, which imports the parser."""
    texts: list[str] = []

    def note(text: str, _: object) -> Statement:
        texts.append(text)
        return Statement()

    monkeypatch.setattr(sql, "parsed", note)
    return texts


def transcript(folder: Path, name: str, text: str) -> SourceFile:
    path = folder / name
    path.write_text(text)
    return SourceFile("claude", folder, path, True, path.stem)


def speaking(command: str) -> str:
    return json.dumps({"message": {"content": [{"type": "text"}, {"input": {"command": command}}]}}) + "\n"


def test_the_parser_is_imported_for_files_with_sql_that_needs_it(tmp_path: Path, parsed: list[str]) -> None:
    other = transcript(tmp_path, "a.jsonl", speaking("ls"))
    plain = transcript(tmp_path, "plain.jsonl", speaking("psql -c 'select a from plain_b'"))
    gone = transcript(tmp_path, "gone.jsonl", "")
    gone.path.unlink()
    ready.make_ready([other, plain, gone])
    assert not parsed
    text = '{"text": "psql \n' + speaking("psql -c 'select a from (table b)'") + '{"command": "psql cut'
    ready.make_ready([other, gone, transcript(tmp_path, "b.jsonl", text)])
    assert parsed == ["select a from (table b)"]


def test_few_files_are_looked_into(tmp_path: Path, parsed: list[str]) -> None:
    other = transcript(tmp_path, "a.jsonl", speaking("ls"))
    text = speaking("duckdb -c 'select a from (table c)'")
    last = transcript(tmp_path, "b.jsonl", text)
    far = transcript(tmp_path, "c.jsonl", f"{' ' * 2**20}\n{text}")
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
