"""What the README says of commands, options and sources is what the code does."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from agnes_stats.ingest.formats import SOURCES
from agnes_stats.queries.console import PARAMETERS, ask
from agnes_stats.queries.store import Store
from agnes_stats.tui.commands import COMMANDS
from agnes_stats.tui.keys import KEYS
from agnes_stats.tui.settings import OPTIONS
from textual.binding import Binding
from textual.widgets import DataTable

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->(.*)<!-- /{name} -->", README, re.DOTALL)
    assert found, name
    return found[1]


def test_every_option_is_in_the_readme_in_the_words_of_its_help() -> None:
    told = dict(re.findall(r"^\| `--([^`]+)` \| (.+) \|$", section("options"), re.MULTILINE))
    expected = {f"{option.name} {option.metavar or ''}".strip(): option.help for option in OPTIONS}
    assert told == expected


def test_every_command_is_in_the_readme() -> None:
    assert re.findall(r"`agnes-stats (\w+)`", section("commands")) == list(COMMANDS)


def test_every_source_is_in_the_readme() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", section("sources"), re.MULTILINE) == list(SOURCES)


TAB_PAGES = ("sessions", "tokens", "access", "sync")
_NAMED = {
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "/": "slash",
    "+": "plus",
    "↵": "enter",
    "←": "left",
    "→": "right",
    "Del": "delete",
    "Backspace": "backspace",
}


def table(page: str, head: str) -> list[tuple[str, str]]:
    """The rows of all tables of a page of docs whose first column is called that."""
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    found = re.findall(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, page
    rows = [row.strip("| ").split(" | ", 1) for part in found for row in part.splitlines()]
    return [(first, about) for first, about in rows]


@pytest.mark.parametrize("page", TAB_PAGES)
def test_a_page_of_a_tab_names_its_views_as_the_strip_does(page: str) -> None:
    pane = importlib.import_module(f"agnes_stats.tui.{page}.pane")
    views = pane.SessionsTab.VIEWS if page == "sessions" else pane.VIEWS
    titles = [getattr(view, "label", None) or getattr(view, "TITLE", None) or view[1] for view in views]
    assert [name for name, _ in table(page, "view")] == titles + (["SQL"] if page == "tokens" else [])


@pytest.mark.parametrize("page", TAB_PAGES)
def test_a_page_of_a_tab_names_only_keys_that_are_bound_there(page: str) -> None:
    bound = {binding.key for binding in Binding.make_bindings([*KEYS, *DataTable.BINDINGS])}
    for place in (f"tui.{page}", "tui.kit", "tui.screens"):
        package = importlib.import_module(f"agnes_stats.{place}")
        for module in pkgutil.iter_modules(package.__path__):
            for kind in vars(importlib.import_module(f"agnes_stats.{place}.{module.name}")).values():
                if isinstance(kind, type) and kind.__module__.startswith(f"agnes_stats.{place}."):
                    bound |= {each.key for each in Binding.make_bindings(vars(kind).get("BINDINGS", ()))}
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    told = [key for cell, _ in table(page, "key") for key in re.findall(r"`([^`]+)`", cell)]
    told += re.findall(r"`(F\d|Tab|Del|Ctrl\+\w|Backspace)`", text)
    assert len(told) > 8
    for key in told:
        known = _NAMED.get(key, key.lower() if len(key) > 1 else key)
        assert known in bound, key


def test_pages_name_only_commands_and_parameters_that_there_are() -> None:
    for page in (*TAB_PAGES, "compared"):
        text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        named = set(re.findall(r"`agnes-stats ([a-z]+)", text))
        assert named and named <= set(COMMANDS), page
    tokens = (ROOT / "docs" / "tokens.md").read_text("utf-8")
    assert set(re.findall(r"`\$(\w+)`", tokens)) == set(PARAMETERS)


def test_queries_of_pages_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with Store(path).write():
        pass
    found = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "tokens.md").read_text("utf-8"), re.DOTALL)
    assert found
    for sql in found:
        assert ask(path, sql).columns


def test_pages_and_comments_name_only_files_of_the_program_that_there_are() -> None:
    code = [path for room in ("ingest", "queries", "tui", "demo", "tests") for path in (ROOT / room).rglob("*.py")]
    # Below it a run of it leaves programs of others.
    code += (ROOT / "bench").glob("*.py")
    ends = {"/".join(path.relative_to(ROOT).parts[-parts:]) for path in code for parts in range(1, 6)}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {
        (path.name, name) for path in pages + code for name in re.findall(r"`([\w/]+\.py)`", path.read_text("utf-8"))
    }
    assert len(named) > 80
    assert sorted(pair for pair in named if pair[1] not in ends) == []


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
        assert targets or page.name not in ("README.md", "contributing.md")
        for target in targets:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_word_about_paths_of_one_machine() -> None:
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        assert not re.search(r"/work/|/root/", page.read_text("utf-8")), page
