"""Files that behave oddly: huge lines, lines that are never finished, copies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Root
from agnes_stats.ingest.formats.source import Places
from agnes_stats.ingest.jsonl import MAX_LINE
from agnes_stats.queries import sync, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.tests.counting.rows import again, answer, content, line, person, row, said
from agnes_stats.tests.counting.ways import Bench

FILE = "p/s1.jsonl"
MIB = 1024 * 1024

one, two = answer("msg_1", "10:00"), answer("msg_2", "10:01", out=7)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def output(bench: Bench) -> int:
    with bench.store.read() as connection:
        return tokens.totals(connection, Filter()).output_tokens


def rejects(bench: Bench) -> list[tuple[int, int, str]]:
    return [(pos, length, reason) for pos, length, reason in bench.rows("SELECT pos, length, reason FROM rejects")]


def test_line_of_50_mb(bench: Bench) -> None:
    bench.at_once({FILE: content([answer("msg_1", "10:00", said("y" * (50 * MIB))), person("x" * MIB), two])})
    assert output(bench) == 107
    assert rejects(bench) == []
    # What is kept of a prompt stays small.
    assert bench.rows("SELECT length(text) < 1000 FROM prompts") == [(True,)]


def test_line_of_more_than_64_mib_is_rejected_and_costs_only_itself(bench: Bench) -> None:
    path = bench.path(FILE)
    before, after = content([one]), content([two])
    with path.open("wb") as file:
        file.write(before)
        # A hole: all NUL bytes, without using the disk.
        file.seek(len(before) + MAX_LINE + 5)
        file.write(b"\n" + after)
    bench.engine.catch_up()
    assert output(bench) == 107
    assert rejects(bench) == [(len(before), MAX_LINE + 6, "line longer than 64 MiB")]


def test_unfinished_line_of_more_than_64_mib_waits(bench: Bench) -> None:
    bench.at_once({FILE: content([one])})
    path = bench.path(FILE)
    os.truncate(path, path.stat().st_size + MAX_LINE + 5)
    bench.ingest([FILE])
    assert (output(bench), rejects(bench)) == (100, [])
    bench.append(FILE, b"\n" + content([two]))
    bench.ingest([FILE])
    assert output(bench) == 107
    assert len(rejects(bench)) == 1


def test_torn_line_waits_as_long_as_it_takes(bench: Bench) -> None:
    torn = line(two)
    bench.at_once({FILE: content([one]) + torn[:40]})
    for _ in range(3):
        bench.engine.catch_up()
        bench.ingest([FILE])
    assert (output(bench), rejects(bench)) == (100, [])
    bench.append(FILE, torn[40:])
    bench.ingest([FILE])
    assert output(bench) == 107
    bench.append(FILE, b"\n" + content([answer("msg_3", "10:02", out=1)]))
    bench.ingest([FILE])
    assert output(bench) == 108


def test_facts_stay_when_a_file_is_rewritten_or_gone(bench: Bench) -> None:
    bench.at_once({FILE: content([person("a"), one, two])})
    bench.path(FILE).write_bytes(content([answer("msg_3", "10:02", out=1)]))
    bench.ingest([FILE])
    assert output(bench) == 108
    bench.path(FILE).unlink()
    bench.engine.catch_up()
    assert output(bench) == 108


def test_reject_vanishes_with_the_line(bench: Bench) -> None:
    bench.at_once({FILE: b"junk\n" + content([one, row("dream", "10:03")])})
    assert len(rejects(bench)) == 1
    bench.path(FILE).write_bytes(content([one, two]))
    bench.ingest([FILE])
    assert rejects(bench) == []
    with bench.store.read() as connection:
        assert sync.unknowns(connection) == []


def test_unknown_things_are_listed_with_their_files(bench: Bench) -> None:
    strange = content([row("dream", "10:03"), again(one, mood=1), again(two, mood=2)])
    bench.at_once({FILE: strange, "p/s2.jsonl": strange})
    with bench.store.read() as connection:
        assert [(told.what, told.count, told.files) for told in sync.unknowns(connection)] == [
            ("field mood", 4, 2),
            ("row type dream", 2, 2),
        ]


def test_strange_file_with_countless_new_names_stays_small(bench: Bench) -> None:
    bench.at_once({FILE: content([again(one, **{f"name{n}": 1 for n in range(1000)}), two])})
    assert output(bench) == 107
    names, told = bench.rows("SELECT count(*), sum(count)::BIGINT FROM unknowns")[0]
    assert (names <= 201, told) == (True, 1000)


def test_second_root_counts_and_a_copy_in_it_does_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.append(FILE, content([one, again(answer(None, "10:05", out=1), uuid=None)]))
    elsewhere = tmp_path / "config" / "claude"
    (elsewhere / "projects" / "p").mkdir(parents=True)
    (elsewhere / "projects" / "p" / "s1.jsonl").write_bytes(bench.path(FILE).read_bytes() + content([two]))
    Engine(bench.store, [Root("claude", bench.root), Root("claude", elsewhere)], workers=0).catch_up()
    assert output(bench) == 108


def test_both_usual_roots_are_found_unless_one_is_named(tmp_path: Path) -> None:
    usual = [tmp_path / ".claude", tmp_path / ".config" / "claude"]
    other = tmp_path / "other"
    for folder in (*usual, other):
        (folder / "projects").mkdir(parents=True)
    none = tmp_path / "none"
    for environment, expected in (
        ({}, usual),
        ({"XDG_CONFIG_HOME": str(none)}, usual[:1]),
        ({"CLAUDE_CONFIG_DIR": f"{other}, {usual[0]},{none}"}, [other, usual[0]]),
    ):
        assert SOURCES["claude"].locate(Places(environment, tmp_path, tmp_path)) == expected


def test_root_may_be_the_projects_folder_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.append(FILE, content([one]))
    Engine(bench.store, [Root("claude", bench.root / "projects")], workers=0).catch_up()
    assert output(bench) == 100


def test_name_that_is_no_utf_8_does_not_stop_the_others_and_is_told(bench: Bench) -> None:
    folder = os.fsencode(bench.path("p/x").parent)
    odd = folder + b"/\xff.jsonl"
    for name in (odd, folder + b"/\xff.txt"):
        with open(name, "wb") as file:  # noqa: PTH123
            file.write(content([two]))
    bench.append(FILE, content([one]))
    bench.engine.catch_up()
    assert output(bench) == 100
    told = (os.fsdecode(folder) + "/\N{REPLACEMENT CHARACTER}.jsonl", "is not listed: its name is not UTF-8")
    assert bench.rows("SELECT path, error FROM files WHERE error IS NOT NULL") == [told]
    assert bench.engine.look().is_empty
    os.rename(odd, bench.path("p/renamed.jsonl"))  # noqa: PTH104
    bench.engine.catch_up()
    assert (output(bench), bench.rows("FROM files WHERE error IS NOT NULL AND gone_at IS NULL")) == (107, [])
