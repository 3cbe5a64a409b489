"""Three rooms, one door each: who may import whom, and who may speak SQL."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from agnes_stats.queries.schema import FACTS, TABLES

from tests import guards
from tests.guards import ROOMS
from tests.storing import store_in

ROOT = Path(__file__).resolve().parent.parent
STORED = {fact.name for fact in FACTS} | set(TABLES)


def modules(room: str) -> list[Path]:
    return guards.modules(ROOT, room)


GUARDS = (
    guards.rooms_that_know_too_much,
    guards.side_doors_of_ingest,
    guards.screens_below_the_screen,
    guards.databases_outside_the_store,
    guards.writing_in_queries,
    guards.circles,
    guards.tests_that_may_check_nothing,
    guards.class_names_used_twice,
    guards.words_of_claude,
    guards.texts_quoted_by_hand,
    guards.money_added_up_by_hand,
)


@pytest.mark.fast
def test_the_house_is_in_order() -> None:
    """In one test, so that one process parses the source, not each that runs a guard."""
    broken = {guard.__doc__: found for guard in GUARDS if (found := guard(ROOT))}
    assert not broken


def test_the_screen_speaks_no_sql() -> None:
    assert not guards.sql_on_the_screen(ROOT, STORED)


def test_one_module_speaks_to_the_terminal() -> None:
    """What is written elsewhere would reach the terminal raw, and end in a traceback where a stream is broken."""
    streams = {"stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"}
    for path in modules("tui"):
        if path.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            touched = isinstance(node, ast.Attribute) and node.attr in streams
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("print", "input")
            assert not touched and not called, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_one_module_asks_where_home_is() -> None:
    """`Path.home()` raises where there is none, and `expanduser` where a user is not known."""
    assert all(modules(room) for room in ROOMS)
    for room in ROOMS:
        for path in modules(room):
            text = path.read_text("utf-8")
            assert "Path.home()" not in text, path
            assert ".expanduser()" not in text or path.name == "export.py", path


HEAVY = {"textual", "rich", "pydantic", "plotext", "watchfiles", "genai_prices", "sqlglot", "pandas", "numpy"}


def loaded_by(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in out.stdout.split()}


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "from agnes_stats.tui import cli\nimport contextlib, io\n"
        "for flag in ('--help', '--version'):\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): cli.main([flag])"
    )
    heavy = {"textual", "rich", "duckdb", "pydantic", "plotext", "watchfiles", "genai_prices", "sqlglot", "msgspec"}
    assert not loaded_by(code) & heavy


def test_the_first_screen_loads_nothing_that_only_others_show() -> None:
    """Each class of rows takes half a millisecond to make, and somebody waits for the first paint."""
    code = (
        "import agnes_stats.tui.dashboard, agnes_stats.tui.app, agnes_stats.tui.sessions.data\n"
        "from agnes_stats.tui.tabs import pane_of\npane_of('sessions')\n"
        "from agnes_stats.tui.live_states import told_states\n"
        "from agnes_stats.tui.settings import settings_from\n"
        "told_states(settings_from({}, {}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(out.stdout.split())
    assert "agnes_stats.queries.sessions" in loaded
    later = (
        "queries.sync",
        "queries.access",
        "queries.teams",
        "queries.store.salvage",
        "queries.subagents",
        "ingest.service",
        "ingest.batch",
        "ingest.redact",
        "tui.sync.pane",
    )
    assert not loaded & {f"agnes_stats.{name}" for name in later}


def test_answers_for_scripts_load_no_screen(tmp_path: Path) -> None:
    code = (
        "from agnes_stats.tui import cli\nimport contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert cli.main(['tokens', '--json', '--no-ingest', '--store', {str(store_in(tmp_path).path)!r}]) == 0"
    )
    assert not loaded_by(code) & HEAVY


def test_an_answer_without_news_loads_nothing_that_reads(tmp_path: Path) -> None:
    (tmp_path / "projects" / "shop").mkdir(parents=True)
    (tmp_path / "projects" / "shop" / "s.jsonl").write_text("")
    command = ["tokens", "--json", "--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path}"]
    code = (
        "from agnes_stats.tui import cli\nimport contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert cli.main({command!r}) == 0"
    )
    assert "msgspec" in loaded_by(code)
    assert not loaded_by(code) & {*HEAVY, "msgspec", "email", "hashlib", "duckdb"}


def test_what_the_dashboard_asks_first_needs_no_screen() -> None:
    assert not loaded_by("from agnes_stats.tui import prefetch, dashboard; import agnes_stats.tui.sessions.data") & {
        "textual",
        "rich",
    }
