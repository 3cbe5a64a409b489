"""The whole text of a row of a transcript: from its file, redacted, and why there is none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Root
from agnes_stats.ingest.whole_text import NoTextError, whole_text
from agnes_stats.queries.whereabouts import Spot, spots

from tests.formats import test_gemini as gemini
from tests.formats import test_opencode as opencode
from tests.formats.arriving import arrived
from tests.formats.specimens import SPECIMENS
from tests.storing import stays_open, store_in
from tests.transcripts import Transcript, store_of, write

TALKING = [kind for kind in SOURCES if kind != "limits"]
"""The sources, without the one that tells no conversation: how much of a plan is left."""

LONG = "line\n" * 400


def test_all_of_a_prompt_a_call_and_its_result_without_passwords(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt(f"first line\n{LONG}the end").wait(1)
    told.response(("b", "Bash", {"command": "curl -H 'Authorization: Bearer abcdefghijklmnop123456' https://x.y"}))
    told.wait(1).result("b", f"{LONG}the last of it")
    with store_of(tmp_path, [told]).read() as connection:
        [asked] = spots(connection, "prompt", "s-1")
        called, came = spots(connection, "call", "b")
    text = text_at(asked)
    assert text.count("line\n") == 401 and text.endswith("the end")
    text = text_at(called)
    assert "curl -H" in text and "abcdefghijklmnop123456" not in text and "***" in text
    assert text_at(came).rstrip().splitlines()[-2].strip() == "the last of it"


def text_at(spot: Spot) -> str:
    return whole_text(spot.kind, spot.root, spot.path, spot.pos)


def test_why_there_is_none(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt("hello")
    write(tmp_path, [told])
    [path] = tmp_path.rglob("s.jsonl")
    here = Spot("asked", "claude", str(path.parent.parent.parent), str(path), 0)
    assert "hello" in text_at(here)
    for spot, why in (
        (replace(here, pos=7), "changed"),
        (replace(here, pos=1_000_000), "changed"),
        (replace(here, path=str(path.with_name("gone.jsonl"))), "gone"),
        (replace(here, path=str(path.with_name("x.txt"))), "no source"),
        (replace(here, kind="nobody's"), "no source"),
    ):
        with pytest.raises(NoTextError, match=why):
            text_at(spot)
    path.write_text("[1, 2]\n", "utf-8")
    with pytest.raises(NoTextError, match="changed"):
        text_at(here)


@pytest.mark.parametrize("kind", [kind for kind, specimen in SPECIMENS.items() if specimen().agent and kind in TALKING])
def test_every_agent_tells_all_of_what_it_told(kind: str, tmp_path: Path) -> None:
    specimen, root = SPECIMENS[kind](), tmp_path / "root"
    root.mkdir()
    specimen.put(root, len(specimen.states) - 1)
    store = stays_open(store_in(tmp_path))
    Engine(store, [Root(kind, root)], workers=0).catch_up()
    with store.read() as connection:
        prompts = connection.execute("SELECT id, text FROM prompts WHERE text IS NOT NULL").fetchall()
        answers = connection.execute("SELECT key, model FROM responses WHERE is_answer").fetchall()
        assert prompts or answers
        found = {key: spots(connection, "prompt", key) for key, _ in prompts}
        found |= {key: spots(connection, "response", key) for key, _ in answers}
    for key, text in prompts:
        assert any(text in " ".join(text_at(spot).split()) for spot in found[key])
    for key, _ in answers:
        assert found[key]
        assert all(text_at(spot) for spot in found[key])
    specimen.close(root)


def test_the_message_of_an_older_chat_and_the_row_of_a_database(tmp_path: Path) -> None:
    name = gemini.OLD_CHAT
    content = {**gemini.HEAD, "messages": [gemini.ASK, gemini.answer(2, gemini.TOKENS)]}
    store = arrived("at once", "gemini", {name: json.dumps(content)}, tmp_path)
    with store.read() as connection:
        [(key,)] = connection.execute("SELECT id FROM prompts").fetchall()
        [spot] = spots(connection, "prompt", key)
    assert "Fix the shop" in text_at(spot) and "1105" not in text_at(spot)
    (tmp_path / "home" / name).write_text(json.dumps({**gemini.HEAD, "messages": []}))
    with pytest.raises(NoTextError, match="changed"):
        text_at(spot)

    other = tmp_path / "other"
    other.mkdir()
    store = opencode.told("at once", other, opencode.session("ses_a"), *opencode.asks())
    with store.read() as connection:
        [(key,)] = connection.execute("SELECT id FROM prompts").fetchall()
        [spot] = spots(connection, "prompt", key)
    assert "Fix the shop" in text_at(spot)
    with closing(sqlite3.connect(spot.path)) as database, database:
        database.execute("DELETE FROM part")
    with pytest.raises(NoTextError, match="changed"):
        text_at(spot)
