"""The guards of the house see what they are there for: faults are planted, and each must be found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import guards

CLEAN = {
    "queries/store/file.py": "import duckdb\n\n\ndef ask(c: duckdb.DuckDBPyConnection):\n    'INSERT INTO x'\n",
    "queries/tokens.py": "from .store.file import ask\n\nSQL = 'SELECT 1 FROM sessions'\n\n\nclass Answer:\n"
    "    class Row:\n        pass\n",
    "ingest/engine.py": "from ..queries.tokens import ask\n\n\nclass Row:\n    pass\n",
    "ingest/work.py": "from .engine import ask\n",
    "tui/app.py": "from ..ingest.engine import ask\n\nTEXT = 'Choose from sessions, or update your sets.'\n",
    "ingest/formats/claude/rows.py": "STOP = 'end_turn'\n",
    "demo/writer.py": "from pathlib import Path\n",
}

FAULTS = {
    "relative": ("queries/tokens.py", "from ..tui.app import App\n", guards.rooms_that_know_too_much),
    "absolute": ("queries/tokens.py", "from agnes_stats.tui import app\n", guards.rooms_that_know_too_much),
    "by name": ("queries/tokens.py", "import agnes_stats.ingest.engine\n", guards.rooms_that_know_too_much),
    "up a room": ("ingest/work.py", "def f():\n    from ..tui import app\n", guards.rooms_that_know_too_much),
    "a demo that knows": ("demo/writer.py", "from ..ingest.work import f\n", guards.rooms_that_know_too_much),
    "a demo that is known": ("ingest/work.py", "from ..demo import writer\n", guards.rooms_that_know_too_much),
    "a screen in the demo": ("demo/writer.py", "import textual\n", guards.screens_below_the_screen),
    "side door": ("tui/app.py", "from ..ingest.work import f\n", guards.side_doors_of_ingest),
    "side door within": (
        "tui/app.py",
        "def f():\n    from agnes_stats.ingest import work\n",
        guards.side_doors_of_ingest,
    ),
    "a screen below": ("ingest/work.py", "def f():\n    from rich.text import Text\n", guards.screens_below_the_screen),
    "a database": ("tui/app.py", "import duckdb\n", guards.databases_outside_the_store),
    "a database within": ("queries/tokens.py", "def f():\n    import duckdb\n", guards.databases_outside_the_store),
    "its own name": ("ingest/work.py", "import _duckdb as engine\n", guards.databases_outside_the_store),
    "its other name": (
        "ingest/work.py",
        "def f():\n    from agnes_stats.queries.store._duckdb import duckdb\n",
        guards.databases_outside_the_store,
    ),
    "its other name from beside": (
        "queries/tokens.py",
        "from .store._duckdb import duckdb as engine\n",
        guards.databases_outside_the_store,
    ),
    "its other name from the store": (
        "queries/tokens.py",
        "from .store import _duckdb\n",
        guards.databases_outside_the_store,
    ),
    "a type": (
        "ingest/work.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from duckdb import DuckDBPyConnection as C\n",
        guards.databases_outside_the_store,
    ),
    "a type in quotes": (
        "ingest/work.py",
        "def f(c: 'DuckDBPyConnection | None'):\n    pass\n",
        guards.databases_outside_the_store,
    ),
    "a type of another module": (
        "tui/app.py",
        "from ..queries import store\ndef f(c: store.file.DuckDBPyConnection):\n    pass\n",
        guards.databases_outside_the_store,
    ),
    "by text": (
        "ingest/work.py",
        "import importlib\ndb = importlib.import_module('duckdb')\n",
        guards.databases_outside_the_store,
    ),
    "another database": ("tui/app.py", "def f():\n    import sqlite3\n", guards.databases_outside_the_store),
    "insert": ("queries/tokens.py", "SQL = 'INSERT INTO x VALUES (1)'\n", guards.writing_in_queries),
    "update": ("queries/tokens.py", "def f(t):\n    return f'UPDATE x SET a = {t}'\n", guards.writing_in_queries),
    "drop": ("queries/tokens.py", "SQL = 'DROP TABLE x'\n", guards.writing_in_queries),
    "a stop reason of one agent": ("queries/tokens.py", "DONE = 'end_turn'\n", guards.words_of_claude),
    "a name of a tool": ("ingest/work.py", "def f(n):\n    return f'mcp__{n}'\n", guards.words_of_claude),
    "a setting": ("tui/app.py", "DAYS = {'cleanupPeriodDays': 30}\n", guards.words_of_claude),
    "its English": (
        "queries/tokens.py",
        "SQL = \"SELECT 1 WHERE text LIKE '%limit reached%'\"\n",
        guards.words_of_claude,
    ),
    "its version": ("tui/app.py", "LABEL = 'Claude Code version'\n", guards.words_of_claude),
    "its folder": ("tui/app.py", "PLACES = ['~/.claude']\n", guards.words_of_claude),
    "a text in SQL": (
        "ingest/work.py",
        'def f(t):\n    return "\'" + t.replace("\'", "\'\'") + "\'"\n',
        guards.texts_quoted_by_hand,
    ),
    "money in SQL": ("queries/tokens.py", 'SQL = "SELECT sum(r.cost_usd) FROM r"\n', guards.money_added_up_by_hand),
    "money in Python": ("tui/app.py", "def f(costs):\n    return sum(costs)\n", guards.money_added_up_by_hand),
    "a class twice": ("ingest/work.py", "class Answer:\n    pass\n", guards.class_names_used_twice),
    "a class twice within": (
        "tui/app.py",
        "def f():\n    class Answer:\n        pass\n",
        guards.class_names_used_twice,
    ),
    "circle": ("ingest/engine.py", "def f():\n    from .work import ask\n", guards.circles),
}


def house(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_a_house_in_order_breaks_no_rule(tmp_path: Path) -> None:
    root = house(tmp_path, CLEAN)
    assert not [found for _, _, guard in FAULTS.values() for found in guard(root)]
    assert not guards.sql_on_the_screen(root, {"sessions"})


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    path, line, guard = FAULTS[fault]
    root = house(tmp_path, CLEAN | {path: line + CLEAN[path]})
    assert guard(root)


@pytest.mark.parametrize(
    "line",
    [
        "def f(c):\n    return c.execute('FROM sessions')\n",
        "def f(c, what):\n    return c.execute(f'SELECT {what} FROM tool_calls')\n",
        "SQL = 'SELECT a ' 'FROM b'\n",
        "def f(a):\n    return f'{a} JOIN sessions USING (id)'\n",
        "SQL = 'create temp table x as select 1'\n",
    ],
)
def test_sql_on_the_screen_is_found(tmp_path: Path, line: str) -> None:
    root = house(tmp_path, CLEAN | {"tui/app.py": line})
    assert guards.sql_on_the_screen(root, {"sessions", "tool_calls"})


LOOPS = {
    "def test_a():\n    for x in found():\n        assert x\n": True,
    "async def test_a():\n    async for x in found():\n        assert x\n": True,
    "def test_a():\n    xs = found()\n    for x in xs:\n        for y in (1, 2):\n            assert x == y\n": True,
    "def test_a():\n    for x in ():\n        assert x\n": True,
    "def test_a():\n    for x in found():\n        assert x\n    assert found()\n": False,
    "def test_a():\n    cases = {1: 2}\n    for x, y in cases.items():\n        assert x < y\n": False,
    "def test_a():\n    for x, y in zip((1, 2), found()):\n        assert x < y\n": False,
    "def test_a():\n    for x in CASES:\n        assert x\n": False,
    "@given(many)\ndef test_a(many):\n    for x in many:\n        assert x\n": False,
    "def test_a():\n    for x in found():\n        pass\n    with pytest.raises(E):\n        f()\n": False,
}
"""A test -> whether it may check nothing."""


@pytest.mark.parametrize("text", LOOPS)
def test_a_test_that_may_check_nothing_is_found(tmp_path: Path, text: str) -> None:
    root = house(tmp_path, {"tests/test_x.py": text})
    assert bool(guards.tests_that_may_check_nothing(root)) == LOOPS[text]


@pytest.mark.parametrize("room", guards.ROOMS)
@pytest.mark.parametrize(
    "guard",
    sorted({guard for _, _, guard in FAULTS.values()}, key=lambda guard: guard.__name__),
    ids=lambda guard: guard.__name__,
)
def test_an_empty_room_is_a_fault(tmp_path: Path, room: str, guard: Callable[[Path], list[str]]) -> None:
    root = house(tmp_path, {name: text for name, text in CLEAN.items() if not name.startswith(room)})
    (root / room).mkdir()
    looked_at = {guards.side_doors_of_ingest: ("tui",)}
    looked_at |= {
        guards.screens_below_the_screen: ("queries", "ingest", "demo"),
        guards.writing_in_queries: ("queries",),
    }
    if room in looked_at.get(guard, guards.ROOMS):
        with pytest.raises(guards.EmptyRoomError):
            guard(root)
