"""What holds in the whole house, as questions about its source: each returns what breaks a rule, in words.

They read the source, not what is loaded, so they see imports inside functions, too. Each takes the root of a checkout,
so that `test_guards.py` can plant faults in one of its own. A room without a module is a fault: nothing would be seen.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = "agnes_stats"
ROOMS = ("queries", "ingest", "tui", "demo")
"""The three rooms, and the made-up sessions, which know nobody and are known to the screen only."""
MAY_KNOW = {
    "queries": {"queries"},
    "ingest": {"ingest", "queries"},
    "tui": {"tui", "ingest", "queries", "demo"},
    "demo": {"demo"},
}
DOORS_OF_INGEST = {
    *(
        "service",
        "news",
        "ingest_events",
        "engine",
        "early",
        "formats",
        "context_windows",
        "limit_log",
        "session_states",
        "prices",
        "whole_text",
        "redact",
        "forget",
        "server_source",
        "settings",
        "team",
    ),
}
SCREEN_LIBRARIES = {"textual", "plotext", "rich"}
DUCKDB = {"duckdb", "_duckdb"}

_SPOKEN = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|\bUPDATE\s+\w+\s+SET\b|\bCREATE\s+(TEMP\s+)?TABLE\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITING = re.compile(
    r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|(CREATE|DROP|ALTER)\s+(OR\s+REPLACE\s+)?(TABLE|VIEW))\b",
    re.IGNORECASE,
)


class EmptyRoomError(AssertionError):
    """A room without a module: whatever is asked of it would hold."""


def modules(root: Path, room: str) -> list[Path]:
    """All modules of a room. Raises EmptyRoomError."""
    found = sorted((root / room).rglob("*.py"))
    if not any(path.name != "__init__.py" for path in found):
        raise EmptyRoomError(f"{root / room} has no module")
    return found


@functools.cache
def _tree(text: str) -> ast.Module:
    """A module's source, parsed once for all guards: that takes most of their time."""
    return ast.parse(text)


def parsed(path: Path) -> ast.Module:
    """What a module's source says."""
    return _tree(path.read_text("utf-8"))


def imports(root: Path, path: Path, *, at_run_time: bool = False) -> set[str]:
    """Names of everything a module imports, from the package's root: `queries.store`, `textual.app`.

    `at_run_time`: without what only type checkers see.
    """
    found = set()
    package = path.relative_to(root).parts[:-1]
    for node in _nodes(parsed(path), skip_typing=at_run_time):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found |= {stem} | {f"{stem}.{alias.name}" if stem else alias.name for alias in node.names}
    return {name.removeprefix(f"{PACKAGE}.") for name in found}


def _nodes(tree: ast.AST, *, skip_typing: bool) -> Iterator[ast.AST]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if skip_typing and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def texts(path: Path) -> list[str]:
    """The texts in a module; an f-string is one text with `{}` for what is put into it."""
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            found.append("".join(str(part) for part in parts))
    return found


def rooms_that_know_too_much(root: Path) -> list[str]:
    """Rooms know only the rooms below: tui, ingest, queries; the demo knows none."""
    return [
        f"{path.relative_to(root)} imports from {known}"
        for room in ROOMS
        for path in modules(root, room)
        for known in {name.split(".")[0] for name in imports(root, path)} & set(ROOMS) - MAY_KNOW[room]
    ]


def side_doors_of_ingest(root: Path) -> list[str]:
    """The screen enters the ingester by its doors."""
    inner = {path.stem for path in (root / "ingest").iterdir()}
    return [
        f"{path.relative_to(root)} reaches into ingest.{name.split('.')[1]}"
        for path in modules(root, "tui")
        for name in imports(root, path)
        if name.startswith("ingest.") and name.split(".")[1] in inner - DOORS_OF_INGEST
    ]


def screens_below_the_screen(root: Path) -> list[str]:
    """No library of the screen below the screen."""
    return [
        f"{path.relative_to(root)} imports {name}"
        for room in ("queries", "ingest", "demo")
        for path in modules(root, room)
        for name in imports(root, path)
        if name.split(".")[0] in SCREEN_LIBRARIES
    ]


def databases_outside_the_store(root: Path) -> list[str]:
    """Only `queries/store` knows DuckDB, by whatever name, in a function or for a type; the screen knows no other."""
    found = []
    for room in ROOMS:
        for path in modules(root, room):
            if path.is_relative_to(root / "queries" / "store"):
                continue
            known = {name for name in imports(root, path) if name.split(".")[0] in DUCKDB or "._duckdb" in name}
            if room == "tui":
                known |= {name for name in imports(root, path, at_run_time=True) if name.split(".")[0] == "sqlite3"}
            known |= {name for name in names(path) if name in ("DuckDBPyConnection", *DUCKDB)}
            found += [f"{path.relative_to(root)} knows {name}" for name in sorted(known)]
    return found


def names(path: Path) -> set[str]:
    """The names that a module uses, also those that an import by text, or a type in quotes, names."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "import_module",
            "__import__",
        ):
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
        for kind in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                found |= set(re.findall(r"\w+", kind.value))
    return found


def sql_on_the_screen(root: Path, tables: set[str]) -> list[str]:
    """The screen speaks no SQL: no statement, and no part of one that names a table of the store."""
    # Capitals: in a sentence one may well read "from sessions".
    part = re.compile(rf"\b(?:FROM|JOIN)\s+(?:{'|'.join(sorted(tables))})\b")
    return [
        f"{path.relative_to(root)}: {text[:80]}"
        for path in modules(root, "tui")
        for text in texts(path)
        if _SPOKEN.search(text) or part.search(text)
    ]


def writing_in_queries(root: Path) -> list[str]:
    """Questions only read. Temporary tables are a reader's own; more is the store's business, as the schema says."""
    return [
        f"{path.relative_to(root)}: {text[:80]}"
        for path in modules(root, "queries")
        if path.parent.name != "store" and path.name != "schema.py"
        for text in texts(path)
        if _WRITING.search(text)
    ]


def circles(root: Path) -> list[str]:
    """Modules that import each other at run time, on a way around, inside functions or not."""
    paths = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for room in ROOMS
        for path in modules(root, room)
    }
    known = {
        # Naming a sibling names the package, too, which is there by then.
        name: {
            other
            for other in imports(root, path, at_run_time=True)
            if other in paths and not f"{name}.".startswith(f"{other}.")
        }
        for name, path in paths.items()
    }
    return [" <-> ".join(sorted(circle)) for circle in _components(known) if len(circle) > 1]


def _components(known: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """Strongly connected components, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in known[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(set(stack[at:]))
            del stack[at:]

    for name in known:
        if name not in index:
            visit(name)
    yield from found


_OF_CLAUDE = re.compile(
    r"\b(?:end_turn|pause_turn|advisor|async_launched|cleanupPeriodDays|managed-settings|statusline-setup"
    r"|output-style-setup|claude-code-guide|toolUseResult|isSidechain|CLAUDE_CONFIG_DIR)\b"
    r"|\bmcp__|<synthetic>|limit reached|hit your|Claude(?: Code)? version|~/\.claude\b",
)
"""Words of Claude Code's files, settings and texts, by which its ways of doing things would be known elsewhere."""

_ALSO_SAID_BY = {
    # What a kind of response is called in the store, and in answers for scripts.
    "advisor": ("ingest/formats/events.py", "queries/facts.py", "tui/sessions/tree.py"),
    # It shows a line of any agent's file, and looks for its texts under all their names.
    "toolUseResult": ("ingest/whole_text.py",),
    # So these agents name tools of MCP servers, too.
    "mcp__": ("ingest/formats/codex/decoder.py", "ingest/formats/gemini/tools.py"),
    # An example of what a person may write.
    "~/.claude": ("tui/commands/config.py",),
}
"""Such a word -> modules that may say it, and why."""


def texts_quoted_by_hand(root: Path) -> list[str]:
    """One way to spell a text in SQL: queries/quoting.py."""
    return [
        f"{path.relative_to(root)} quotes a text by itself"
        for room in ROOMS
        for path in modules(root, room)
        if path != root / "queries/quoting.py" and _QUOTING.search(path.read_text("utf-8"))
    ]


_QUOTING = re.compile(r"""replace\(\s*["']'["'],\s*["']''["']\s*\)""")


def money_added_up_by_hand(root: Path) -> list[str]:
    """One way to add up money, queries/money.py: sums of floats depend on the order of rows."""
    # Examples of the user's own SQL are no answers of ours.
    apart = {root / "queries/money.py", root / "queries/console_examples.py"}
    return [
        f"{path.relative_to(root)} adds up money by itself"
        for room in ROOMS
        for path in modules(root, room)
        if path not in apart and _MONEY_SUM.search(path.read_text("utf-8"))
    ]


_MONEY_SUM = re.compile(r"(?<![\w])f?sum\([^()]*(?:cost|usd)", re.IGNORECASE)


def words_of_claude(root: Path) -> list[str]:
    """What only Claude Code says stands in ingest/formats/claude, in what older stores had in them, and in the demo."""
    known = (root / "ingest/formats/claude", root / "queries/store/upgrade.py", root / "demo")
    return [
        f"{path.relative_to(root)}: {word[0]} in {text[:80]!r}"
        for room in ROOMS
        for path in modules(root, room)
        if not any(path.is_relative_to(place) for place in known)
        for text in _said(path)
        for word in _OF_CLAUDE.finditer(text)
        if path.relative_to(root).as_posix() not in _ALSO_SAID_BY.get(word[0], ())
    ]


def _said(path: Path) -> list[str]:
    """The texts of a module without what explains it."""
    tree = parsed(path)
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained
    ]


def class_names_used_twice(root: Path) -> list[str]:
    """A class name means one thing in the whole house. One inside another class is named with that."""
    places: dict[str, list[str]] = {}
    for room in ROOMS:
        for path in modules(root, room):
            for name in _classes(parsed(path)):
                places.setdefault(name, []).append(str(path.relative_to(root)))
    return [f"{name}: {', '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1]


def _classes(tree: ast.AST, inside: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        name = f"{inside}{node.name}" if isinstance(node, ast.ClassDef) else None
        if name is not None:
            yield name
        yield from _classes(node, inside if name is None else f"{name}.")


def tests_that_may_check_nothing(root: Path) -> list[str]:
    """Tests of which each `assert` stands in a loop that may have no turn: nothing to loop over, and they pass.

    What is written out, or a constant in capitals, has a turn. Hypothesis tries many inputs: some have one.
    """
    found = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        for test in ast.walk(parsed(path)):
            if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) or not test.name.startswith("test_"):
                continue
            tries_many = any(
                "given(" in ast.unparse(each) or "under_any" in ast.unparse(each) for each in test.decorator_list
            )
            checks = list(_checks(test.body, _assigned(test), is_sure=True))
            if checks and not any(checks) and not tries_many:
                found.append(f"{path.relative_to(root)}: {test.name}")
    return found


def _assigned(test: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """Local names -> what is assigned to them."""
    return {
        node.targets[0].id: node.value
        for node in ast.walk(test)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def _checks(body: Iterable[ast.AST], assigned: Mapping[str, ast.expr], *, is_sure: bool) -> Iterator[bool]:
    """Of each check in some statements: whether it is made, however little there is to loop over."""
    for node in body:
        if isinstance(node, ast.For | ast.AsyncFor):
            has_turn = _has_something(node.iter, assigned)
            yield from _checks([*node.body, *node.orelse], assigned, is_sure=is_sure and has_turn)
            continue
        if isinstance(node, ast.Assert) or (
            isinstance(node, ast.Call) and _called(node) in ("raises", "golden", "fail")
        ):
            yield is_sure
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _checks(ast.iter_child_nodes(node), assigned, is_sure=is_sure)


def _has_something(iterated: ast.expr, assigned: Mapping[str, ast.expr]) -> bool:
    """Whether one can see that there is something to loop over."""
    match iterated:
        case ast.Tuple() | ast.List() | ast.Set():
            return bool(iterated.elts)
        case ast.Dict():
            return bool(iterated.keys)
        case ast.Constant():
            return bool(iterated.value)
        case ast.Name() if iterated.id in assigned:
            rest = {name: value for name, value in assigned.items() if name != iterated.id}
            return _has_something(assigned[iterated.id], rest)
        case ast.Name():
            return iterated.id.isupper()
        case ast.Attribute():
            return iterated.attr.isupper()
        case ast.BinOp():
            return _has_something(iterated.left, assigned) or _has_something(iterated.right, assigned)
        case ast.Call(func=ast.Attribute(value=whole, attr="items" | "keys" | "values")):
            return _has_something(whole, assigned)
        case ast.Call(args=given) if _called(iterated) == "range":
            return all(isinstance(each, ast.Constant) for each in given)
        case ast.Call(args=given):
            return any(_has_something(each, assigned) for each in given)
    return False


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
