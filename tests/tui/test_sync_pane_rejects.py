"""What this program could not read, on the Sync tab: the raw bytes, and reading a file again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.service import IngestService, News
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.sync import Reject
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.captioned_table import Listing
from agnes_stats.tui.settings import Settings
from agnes_stats.tui.sync.reject import MOST, RejectScreen, dumped, escaped, read_excerpt

from tests.machine import Machine
from tests.transcripts import Transcript
from tests.tui.running import NOW, press, running, screen_text, settle, show_view

LINE = b'{"type": "user", \xff\x1b[2J [/red] "text"\n'


def broken(machine: Machine) -> Path:
    """A session with one line that is no JSON, read into the store."""
    path = machine.session(Transcript("s1", "2026-03-10T08:00:00").prompt("Hi"), Path("/x"))
    path.write_bytes(path.read_bytes() + LINE)
    machine.read()
    return path


def reject(path: Path, pos: int = 0, length: int = 4) -> Reject:
    return Reject(str(path), pos, length, "not JSON", None)


# -- reading


def test_the_bytes_of_a_reject_are_read_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"good\nbad!\nmore\n" + b"x" * 10_000)
    assert read_excerpt(reject(path, 5, 5)).data == b"bad!\n"
    assert read_excerpt(reject(path, 15, 10_000)).data == b"x" * MOST
    assert read_excerpt(reject(path, 0, 0)).data.startswith(b"good\nbad!"), "0 bytes long means the whole file"


def test_credentials_in_the_bytes_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = b'{"password": "hunter2Zq9X", "x": \xff}'
    path.write_bytes(line)
    assert read_excerpt(reject(path, 0, len(line))).data == line.replace(b"hunter2Zq9X", b"***********")
    # Also of one that goes on behind what is shown.
    path.write_bytes(b"x" * (MOST - 15) + b" https://u:hunter2Zq9XsecretTail@h/ " + b"y" * 100)
    data = read_excerpt(reject(path, 0, 2 * MOST)).data
    assert len(data) == MOST and data.endswith(b" https://u:****")


def test_why_there_are_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert "The file is gone" in read_excerpt(reject(path)).trouble
    path.write_bytes(b"short")
    assert "ends before this place" in read_excerpt(reject(path, 100)).trouble
    assert "not a regular file" in read_excerpt(reject(tmp_path)).trouble
    assert "server answered" in read_excerpt(Reject("https://a", 0, 0, "no time", None)).trouble
    assert "cannot be read" in read_excerpt(reject(tmp_path / "nul\0l")).trouble


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in read_excerpt(reject(tmp_path / "pipe")).trouble


def test_bytes_become_text_without_anything_that_acts_on_a_terminal() -> None:
    assert escaped(b"caf\xc3\xa9 [/red]\x1b[2J\x00\xff\tend\n") == "café [/red]\\x1b[2J\\x00\\xff\\tend\n"
    assert escaped("right‮left​".encode()) == "right\\u202eleft\\u200b"


@pytest.mark.parametrize("in_row", [8, 16])
def test_a_dump_tells_every_byte_and_where_it_is(in_row: int) -> None:
    data = bytes(range(20)) + b"text\x1b"
    rows = dumped(data, 1000, in_row).splitlines()
    assert [int(row[:11].replace(",", "")) for row in rows] == list(range(1000, 1025, in_row))
    assert b"".join(bytes.fromhex(row[13 : 13 + 3 * in_row]) for row in rows) == data
    assert "".join(row[14 + 3 * in_row :] for row in rows) == "." * 20 + "text."


# -- on the screen


async def test_enter_shows_the_bytes_x_the_numbers_and_without_an_ingester_nothing_is_read_again(
    own_home: Path,
) -> None:
    machine = Machine(own_home)
    path = broken(machine)
    async with running(machine.store, (120, 40), tab="sync") as (app, pilot):
        await show_view(pilot, "rejects")
        await press(pilot, "enter")
        assert isinstance(app.screen, RejectScreen)
        text = screen_text(app)
        assert '{"type": "user", \\xff\\x1b[2J [/red] "text"' in text and "\x1b" not in text
        assert "not JSON" in text and f"~/.claude/projects/-x/{path.name}" in text and "37 B long" in text
        await press(pilot, "v")
        assert "7b 22 74 79 70 65" in screen_text(app) and ".[2J [/red]" in screen_text(app).replace("│", "")
        await press(pilot, "v", "escape")
        assert not isinstance(app.screen, RejectScreen)
        path.unlink()
        await press(pilot, "enter")
        assert "The file is gone. What was read of it before stays." in screen_text(app)
        await press(pilot, "q")
        assert not isinstance(app.screen, RejectScreen) and app.is_running
        await press(pilot, "R")
        assert "This dashboard reads no files" in screen_text(app)


async def test_the_bytes_can_be_scrolled_to_their_end_on_a_small_screen(own_home: Path) -> None:
    machine = Machine(own_home)
    path = machine.session(Transcript("s1", "2026-03-10T08:00:00").prompt("Hi"), Path("/x"))
    path.write_bytes(path.read_bytes() + b"{" + b"x" * 4000 + b"END\n")
    async with running(machine.read().store, (80, 24), tab="sync") as (app, pilot):
        await show_view(pilot, "rejects")
        await press(pilot, "enter")
        assert "xEND" not in screen_text(app) and "Back" in screen_text(app)
        await press(pilot, "end")
        assert "xEND" in screen_text(app)


async def test_a_mended_file_is_read_again_and_its_reject_is_gone(own_home: Path) -> None:
    machine = Machine(own_home)
    path = broken(machine)
    status, content = path.stat(), path.read_bytes()
    # Of the same length and age: nothing but the request makes anybody look into it.
    with path.open("r+b") as file:
        file.write(content.replace(LINE, b"{" + b" " * (len(LINE) - 3) + b"}\n"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    roots = [Root("claude", machine.claude)]

    def service(tell: Callable[[News], None]) -> IngestService:
        return IngestService(Engine(machine.store, roots, workers=0), tell, find_roots=lambda: roots)

    settings = Settings(store=machine.store.path, tz="UTC", tab="sync")
    app = AgnesStats(settings, machine.store, service, chosen=Filter(), now=lambda: NOW)
    async with asyncio.timeout(60), app.run_test(size=(120, 40)) as pilot:
        table = app.query_one("#rejects", Listing).table
        await settle(pilot)
        while app.is_reading or not table.records:
            await settle(pilot)
        await show_view(pilot, "rejects")
        await press(pilot, "R")
        while table.records:
            await settle(pilot)
        assert "Every line of every file could be used" in screen_text(app)
