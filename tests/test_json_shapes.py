"""docs/json.md tells every name in the commands' answers, and no other."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.console_book import Book
from agnes_stats.tui import cli

from tests.ingest.agnes_files import put
from tests.json_shapes import names_in, page
from tests.machine import Machine
from tests.transcripts import Transcript

DOC = Path(__file__).resolve().parent.parent / "docs" / "json.md"
COMMANDS = (
    *("sessions", "activity", "context", "tokens", "queries", "sync", "operator", "home", "ingest"),
    *("daily", "weekly", "monthly", "blocks", "models", "breakdown"),
    *("delegations", "agents", "tasks", "metrics", "limits", "status", "search"),
    *("sql", "panels", "config", "merge", "forget"),
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Answers over a session with everything in it that an answer can tell."""
    folder = tmp_path_factory.mktemp("shapes")
    machine = Machine(folder)
    workspace = machine.workspace()
    told = Transcript("s-one", "2026-03-10T08:00:00").prompt("Sum up the orders").wait(5)
    told.response(("c1", "Bash", {"command": 'duckdb shop.duckdb -c "select * from orders" && agnes pull'}))
    machine.session(told.wait(2).result("c1", "12 rows").wait(3).response(), workspace)
    later = Transcript("s-two", "2026-03-11T08:00:00").prompt("And the customers").wait(5)
    todo = {"todos": [{"content": "Count them", "status": "pending"}]}
    later.response(("c2", "TodoWrite", todo), ("c3", "Agent", {"description": "Look"})).wait(1)
    later.result("c2").result("c3", "No such agent", error=True).wait(1).response(
        ("c4", "Bash", {"command": "claude -p hi"})
    )
    later.response(("c5", "Skill", {"skill": "shop:invoice"})).wait(1).result("c5")
    machine.session(later.response(), workspace)
    fetched = {"table_id": "events", "fetched_at": "2026-03-10T08:00:00", "rows": 3}
    put(workspace / "user/snapshots/e.meta.json", fetched)
    grown = Transcript("s-long", "2026-03-09T08:00:00").prompt("Long ago").wait(5).response(tokens=(1, 5, 0, 90_000))
    grown.wait(600).response(tokens=(1, 5, 0, 95_000)).wait(5)
    grown.event("compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 95_000, "postTokens": 9_000})
    machine.session(grown, workspace)
    now = dt.datetime.now(dt.UTC)
    machine.session(Transcript("s-now", now.replace(tzinfo=None)).prompt("Go").response(), workspace)
    made = machine.read()
    limits = {"rate_limits": {"five_hour": {"used_percentage": 1}}}
    limit_log.note(limit_log.log_beside(made.store.path), limits, now.timestamp())
    Engine(made.store, [Root("limits", made.store.path.parent)], workers=0).catch_up()
    places = ["--store", str(made.store.path), "--no-ingest", "--tz", "UTC"]
    book = Book(made.store.path)
    book.save("one", "SELECT 1 AS n")
    book.pin("one")
    more = {
        "context": ["s-long"],
        "search": ["orders"],
        "sql": ["SELECT 1 AS n"],
        "forget": ["--session", "s-now", "--yes"],
        "merge": [str(shutil.copy(made.store.path, folder / "laptop.duckdb"))],
    }
    found = {}
    for command in COMMANDS:
        options = ["--limit", "1"] if command in ("queries", "sync", "activity", "delegations", "search") else []
        options += ["--depth", "1"] if command == "activity" else more.get(command, [])
        options += ["--budget", "5"] if command in ("monthly", "status") else ["--all"] if command == "queries" else []
        options += ["--since", "2026-03-01", "--until", "2026-03-31"] if command == "operator" else []
        own = ["--store", str(made.store.path), "--source", f"claude={folder}"] if command == "ingest" else places
        found[command] = said([command, "--json", *options, *own])
    return found


def said(words: list[str]) -> Any:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert cli.main(words) == 0
    return json.loads(out.getvalue())


def test_the_page_tells_every_name(answers: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        DOC.write_text(page(answers), "utf-8")
    assert DOC.read_text("utf-8") == page(answers)


def test_names_in_lists_and_objects_are_found() -> None:
    assert names_in({"a": {"b": 1}, "c": [{"d": 1}, {"e": []}], "f": []}) == {"a.b", "c[].d", "c[].e[]", "f[]"}


def test_a_name_that_is_new_changes_the_page(answers: dict[str, Any]) -> None:
    changed = {**answers, "home": answers["home"] | {"brand_new": dt.date.today().isoformat()}}
    assert page(changed) != page(answers)
