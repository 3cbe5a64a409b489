"""Three rooms, one door each: who may import whom, and who may speak SQL."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("queries", "ingest", "tui")
MAY_KNOW = {"queries": {"queries"}, "ingest": {"ingest", "queries"}, "tui": {"tui", "ingest", "queries"}}
DOORS_OF_INGEST = {"service", "news", "engine", "formats", "prices", "demo", "forget", "server_source"}
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|CREATE\s+(TEMP\s+)?TABLE)\b",
    re.IGNORECASE | re.DOTALL,
)


def modules(room: str) -> list[Path]:
    # What the bench installs is not ours.
    return sorted(path for path in (ROOT / room).rglob("*.py") if not path.is_relative_to(ROOT / "bench" / "work"))


def imports(path: Path) -> set[str]:
    """Absolute names of everything a module imports, relative ones resolved from the package root."""
    found = set()
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found.add(stem)
            found |= {f"{stem}.{alias.name}" if stem else alias.name for alias in node.names}
    return found


def top_level_imports(path: Path) -> set[str]:
    """What is imported at run time as soon as the module is: neither in functions nor for type checkers only."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found


def literals(path: Path) -> list[str]:
    return [
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_only_the_rooms_below(room: str) -> None:
    for path in modules(room):
        known = {name.split(".")[0] for name in imports(path)} & set(ROOMS)
        assert known <= MAY_KNOW[room], f"{path.relative_to(ROOT)} imports {known}"


def test_the_screen_uses_only_the_doors_of_the_ingester() -> None:
    for path in modules("tui"):
        inner = {name.split(".")[1] for name in imports(path) if name.startswith("ingest.")}
        allowed = inner & {child.stem for child in (ROOT / "ingest").iterdir()}
        assert allowed <= DOORS_OF_INGEST, f"{path.relative_to(ROOT)} reaches into ingest: {allowed}"


@pytest.mark.parametrize("room", ["queries", "ingest"])
def test_no_screen_library_below_the_screen(room: str) -> None:
    for path in modules(room):
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & {"textual", "plotext", "rich"}, path


def test_the_screen_speaks_no_sql_and_opens_no_database() -> None:
    for path in modules("tui"):
        assert "duckdb" not in top_level_imports(path), path
        spoken = [text for text in literals(path) if SQL.search(text)]
        assert not spoken, f"{path.relative_to(ROOT)}: {spoken[0][:80]}"


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
    for room in ROOMS:
        for path in modules(room):
            text = path.read_text("utf-8")
            assert "Path.home()" not in text, path
            assert ".expanduser()" not in text or path.name == "export.py", path


def test_queries_only_read() -> None:
    writing = re.compile(r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET)\b", re.IGNORECASE)
    for path in modules("queries"):
        # The store writes into one it has just made, or brings up; the export into a database in memory.
        if path.parent.name != "store" and path.name != "export.py":
            assert not [text for text in literals(path) if writing.search(text)], path


def test_files_are_one_room_each() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for room in (*ROOMS, "tests", "bench")
        for path in modules(room)
        if (count := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long


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


def test_answers_for_scripts_load_no_screen(tmp_path: Path) -> None:
    code = (
        "from agnes_stats.tui import cli\nimport contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert cli.main(['tokens', '--json', '--no-ingest', '--store', {str(tmp_path / 's.duckdb')!r}]) == 0"
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
