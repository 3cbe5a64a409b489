"""The whole text of a row of a transcript: from its file, redacted, and why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.ingest.whole_text import NoTextError, whole_text
from agnes_stats.queries.whereabouts import spots

from tests.transcripts import Transcript, store_of, write

LONG = "line\n" * 400


def test_all_of_a_prompt_a_call_and_its_result_without_passwords(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt(f"first line\n{LONG}the end").wait(1)
    told.response(("b", "Bash", {"command": "curl -H 'Authorization: Bearer abcdefghijklmnop123456' https://x.y"}))
    told.wait(1).result("b", f"{LONG}the last of it")
    with store_of(tmp_path, [told]).read() as connection:
        [asked] = spots(connection, "prompt", "s-1")
        called, came = spots(connection, "call", "b")
    text = whole_text(asked.path, asked.pos)
    assert text.count("line\n") == 401 and text.endswith("the end")
    text = whole_text(called.path, called.pos)
    assert "curl -H" in text and "abcdefghijklmnop123456" not in text and "***" in text
    assert whole_text(came.path, came.pos).rstrip().splitlines()[-2].strip() == "the last of it"


def test_why_there_is_none(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt("hello")
    write(tmp_path, [told])
    [path] = tmp_path.rglob("s.jsonl")
    assert "hello" in whole_text(str(path), 0)
    for where, pos, why in (
        (str(path), 7, "changed"),
        (str(path), 1_000_000, "changed"),
        (str(path.with_name("gone.jsonl")), 0, "gone"),
        (str(tmp_path / "opencode.db"), 0, "files of lines"),
    ):
        with pytest.raises(NoTextError, match=why):
            whole_text(where, pos)
    path.write_text("[1, 2]\n", "utf-8")
    with pytest.raises(NoTextError, match="changed"):
        whole_text(str(path), 0)
