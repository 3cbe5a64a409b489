"""What responses took is told before the store is full, and is what the full store says, in every digit."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from agnes_stats.ingest import usage_reading, usage_view
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.forget import Forgettable, forget
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.usage_pass import Unread
from agnes_stats.ingest.usage_view import ToldResponses
from agnes_stats.queries import periods, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Reader, Store, Writer
from agnes_stats.tests.counting.test_properties import files as random_files
from agnes_stats.tests.counting.test_scenarios import TABLE
from agnes_stats.tests.counting.ways import Bench
from agnes_stats.tui import cli
from agnes_stats.tui.commands import answering
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.storing import store_in
from tests.transcripts import OPUS, Transcript, write

ALL = Filter()


@pytest.fixture(autouse=True)
def any_backlog_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_reading, "LEAST_BYTES", 0)


def _rolled_up(connection: Reader) -> list[Any]:
    """What is asked of tokens by day, and not of single responses."""
    return [
        periods.by_day_and_model(connection, ALL),
        [tokens.totals(connection, ALL)],
        *(tokens.by_group(connection, ALL, group) for group in ("agent", "model", "version", "git_branch")),
    ]


def _said(connection: Reader, *, with_sessions: bool) -> list[Any]:
    """All that is asked of tokens."""
    found: list[Any] = [
        *_rolled_up(connection),
        connection.rows(
            "SELECT key, session_id, ts, path, pos, is_copy, kind, subagent_id, is_sidechain, model, output_tokens, "
            "total_tokens, usage_ts, usage_path, usage_pos, ended_at, output_undercounted, cost_usd "
            "FROM responses ORDER BY key"
        ),
    ]
    return [*found, *_of_sessions(connection)] if with_sessions else found


def _of_sessions(connection: Reader) -> list[Any]:
    return [tokens.by_group(connection, ALL, "project"), tokens.top_sessions(connection, ALL, limit=1000)]


@contextlib.contextmanager
def _ahead(engine: Engine) -> Iterator[Unread]:
    with contextlib.ExitStack() as whole:
        with engine.store.read() as connection:
            ahead = engine.ahead(connection, whole)
        assert ahead is not None
        yield ahead


def _soon(engine: Engine, *, with_sessions: bool) -> list[Any]:
    with _ahead(engine) as ahead:
        return _said(ahead.tell(with_sessions=with_sessions), with_sessions=with_sessions)


def _is_the_same(bench: Bench) -> None:
    soon = {with_sessions: _soon(bench.engine, with_sessions=with_sessions) for with_sessions in (False, True)}
    for with_sessions, whole in soon.items():
        with _ahead(bench.engine) as ahead:
            tables = ahead.tell(with_sessions=with_sessions, only_rollups=True)
            days = _rolled_up(tables)
            assert days == whole[: len(days)]
            if with_sessions:
                assert _of_sessions(tables) == whole[-2:]
    bench.engine.catch_up()
    with bench.store.read() as connection:
        for with_sessions, told in soon.items():
            for one, other in zip(told, _said(connection, with_sessions=with_sessions), strict=True):
                assert [row for row in one if row not in other] == []
                assert one == other


def test_every_scenario_is_told_as_the_whole_reading_tells_it(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        for scenario in TABLE.values():
            for name, data in scenario.files.items():
                bench.append(name, data)
        _is_the_same(bench)


def test_what_needs_no_merging_is_shown_as_it_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show, shown = usage_view.show, []

    def show_and_count(tables: Writer, told: ToldResponses) -> None:
        show(tables, told)
        shown.append(_counted(tables))

    monkeypatch.setattr(usage_view, "show", show_and_count)
    with Bench(tmp_path) as bench:
        for scenario in TABLE.values():
            # Whose a sub-agent is that names another session is told by all that is said of sessions.
            if not any("agent-" in name for name in scenario.files):
                for name, data in scenario.files.items():
                    bench.append(name, data)
        _is_the_same(bench)
    [(merged, all_of_them)] = shown
    assert 0 < merged < all_of_them, "some have to be merged, some do not"


def _counted(tables: Reader) -> tuple[int, int]:
    merged, shown = (f"(SELECT count(*) FROM {name})" for name in ("short_merged", "responses"))
    [(of_table, of_all)] = tables.rows(f"SELECT {merged}, {shown}")
    return of_table, of_all


def test_so_is_what_comes_to_a_store_that_has_the_half_of_each_file(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        files = {name: data for scenario in TABLE.values() for name, data in scenario.files.items()}
        for name, data in files.items():
            bench.append(name, data[: len(data) // 2])
        bench.engine.catch_up()
        for name, data in files.items():
            bench.append(name, data[len(data) // 2 :])
        _is_the_same(bench)


NAMES = ("s1.jsonl", "s2.jsonl", "s1/subagents/agent-a1.jsonl", "agent-a2.jsonl")


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[random_files] * len(NAMES)), min_size=2, max_size=2))
def test_so_are_random_transcripts(lots: list[tuple[bytes, ...]]) -> None:
    with TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        for number, lot in enumerate(lots):
            for name, data in zip(NAMES, lot, strict=True):
                # Ids meet within a lot, not between lots.
                own = re.sub(rb'"(msg_|[sua])(?=\d")', rb'"\g<1>%d0' % (number + 1), data)
                bench.append(f"{number}/{name.replace('s1', f's{number + 1}01')}", own)
        _is_the_same(bench)


def _session(name: str, *, turns: int = 3) -> Transcript:
    made = Transcript(name, "2026-01-10T12:00:00").prompt("count")
    for _ in range(turns):
        made.wait(60).response()
    return made


def test_it_is_shared_out_and_what_a_process_leaves_is_done_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Bench(tmp_path) as bench:
        for number in range(7):
            write(bench.root, [_session(f"s{number}", turns=number + 1)])
        bench.engine.workers = 3
        together = _soon(bench.engine, with_sessions=True)
        monkeypatch.setattr(usage_reading, "copied", lambda _: None)
        assert _soon(bench.engine, with_sessions=True) == together
        bench.engine.workers = 1
        assert _soon(bench.engine, with_sessions=True) == together
        assert together[1][0].responses == 28


def _cut() -> Transcript:
    """A session that goes on after a response without its end."""
    return _session("cut").wait(60).response(stop=None, tokens=(10, 2, 1000, 200)).wait(60).prompt("go on")


def test_a_response_that_never_ended_is_known_by_what_came_after_it(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        open_yet = _session("open").wait(60).response(stop=None, tokens=(10, 2, 1000, 200))
        write(bench.root, [_cut(), open_yet, _session("whole")])
        soon = _soon(bench.engine, with_sessions=False)
        assert [day.undercounted for day in soon[0]] == [1]
        _is_the_same(bench)


def test_what_was_forgotten_is_not_told(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        write(bench.root, [_session("one"), _session("two")])
        forget(bench.store, Forgettable(("one",), None))
        assert _soon(bench.engine, with_sessions=False)[1][0].responses == 3
        _is_the_same(bench)


def _engine(folder: Path) -> Engine:
    """One whose store is not there yet, and not kept open."""
    write(folder / "claude", [_session("one"), _session("two"), _session("three")])
    return Engine(Store(folder / "store.duckdb"), [Root("claude", folder / "claude")], workers=0)


FORGOTTEN: list[Any] = [("two", None, None)]


@pytest.mark.parametrize(
    ("forgotten", "is_cut", "with_sessions"),
    [
        # Any two of them together.
        ([], False, False),
        ([], True, True),
        (FORGOTTEN, False, True),
        (FORGOTTEN, True, False),
        *(
            pytest.param(*rest, marks=pytest.mark.long)
            for rest in (([], False, True), ([], True, False), (FORGOTTEN, False, False), (FORGOTTEN, True, True))
        ),
    ],
)
def test_where_there_is_no_store_none_is_made_for_it(
    tmp_path: Path, forgotten: list[Any], is_cut: bool, with_sessions: bool
) -> None:
    engine = _engine(tmp_path)
    if is_cut:
        write(tmp_path / "claude", [_cut()])
    engine.store.keep_notes(forgotten)
    with contextlib.ExitStack() as whole:
        begun = engine.begin(whole, with_sessions=with_sessions)
        assert begun is not None
        ahead = engine.ahead_of_nothing(whole, begun)
        assert ahead is not None
        told = _rolled_up(ahead.tell(with_sessions=with_sessions, only_rollups=True))
    assert told[1][0].responses == 9 - 3 * len(forgotten) + 4 * is_cut, "what is noted as forgotten is not told"
    assert told[1][0].undercounted == is_cut
    assert engine.store.identity() is None
    engine.catch_up()
    with engine.store.read() as connection:
        assert _rolled_up(connection) == told


def test_a_store_that_somebody_makes_meanwhile_is_asked(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    with contextlib.ExitStack() as whole:
        begun = engine.begin(whole, with_sessions=False)
        assert begun is not None
        with engine.store.read() as connection:
            assert engine.ahead_of_nothing(whole, begun) is None
            ahead = engine.ahead(connection, whole, begun)
        assert ahead is not None
        assert _said(ahead.tell(with_sessions=False), with_sessions=False)[1][0].responses == 9


# -- the commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The options of a command."""
    write(tmp_path / "claude", [_session("one"), _session("two")])
    return ["--store", str(tmp_path / "store.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]


COMMANDS: list[list[str]] = [
    ["daily"],
    ["tokens"],
    ["monthly", "--budget", "10"],
    ["daily", "--range", "2026-01-10 12:00"],
    ["tokens", "--range", "2026-01-10 12:00"],
    ["daily", "--project", "warehouse"],
    ["weekly", "--agent", "claude-code", "--model", OPUS],
]
WITHOUT_STORE = (["daily"], ["tokens", "--range", "2026-01-10 12:00"], ["daily", "--project", "warehouse"])
"""Of days, of hours, and of sessions: what else is asked is asked of what a store that is there is told, too."""


@pytest.mark.parametrize(
    ("command", "is_there"),
    [
        *((command, True) for command in COMMANDS),
        *(
            pytest.param(command, False, marks=[] if command in WITHOUT_STORE else pytest.mark.long)
            for command in COMMANDS
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_answer_before_the_store_is_full_says_so_and_the_store_is_filled(
    words: list[str], command: list[str], is_there: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_there:
        store_in(Path(words[1]).parent)
        assert cli.main([*command, "--no-ingest", "--json", *words]) == 0
        assert "provisional" not in capsys.readouterr().out, "it answers from the store as it is"
    assert cli.main([*command, "--json", *words]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first.pop("provisional") is True
    assert cli.main([*command, "--no-ingest", "--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert "000" in json.dumps(first["totals"])


def test_so_does_a_plain_one(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for expected in (1, 0):
        for command in ("daily", "tokens"):
            if expected:
                (Path(words[1])).unlink(missing_ok=True)
            assert cli.main([command, *words]) == 0
            assert capsys.readouterr().out.count(answering.PROVISIONAL) == expected


WAITS = """
import sys
from agnes_stats.ingest import usage_reading
from agnes_stats.tui import cli
from agnes_stats.tui.commands import answering
usage_reading.LEAST_BYTES = 1
bring_up = answering._bring_up
def waits(*given, **named):
    sys.stdin.readline()
    bring_up(*given, **named)
answering._bring_up = waits
sys.exit(cli.main(sys.argv[1:]))
"""


def test_whoever_reads_the_answer_does_not_wait_until_the_store_is_full(words: list[str]) -> None:
    command = [sys.executable, "-c", WAITS, "daily", "--json", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdin is not None
        assert json.loads(running.stdout.read())["provisional"] is True, "it is read to its end"
        assert not Path(words[1]).exists(), "nor until there is one"
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.wait() == 0
    assert cli.main(["daily", "--no-ingest", *words]) == 0
