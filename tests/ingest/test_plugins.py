"""Where plugins are from, by the lists that Claude Code and Agnes keep on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.queries.tools import tool_use

from tests.ingest.agnes_files import put
from tests.storing import kept_open, store_in
from tests.transcripts import Transcript, write

SKILLS = ("shop:invoice", "store-made:x", "flea:y", "tools:z", "mine:a", "gone:b", "planning")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    told = Transcript("s1", "2026-03-10T10:00:00").prompt("go").command("project:deploy")
    for number, skill in enumerate(SKILLS):
        told.response((f"c{number}", "Skill", {"skill": skill})).wait(1).result(f"c{number}")
    write(tmp_path / ".claude", [told])
    return tmp_path


def lists(home: Path, *, installed: tuple[str, ...] = ()) -> None:
    """Three marketplaces: the server's, one from GitHub, and a folder of one's own."""
    clone, plugins = home / ".agnes/marketplace", home / ".claude/plugins"
    offered = {"shop": "acme-shop", "store-made": "store-4711", "flea": "flea"}
    manifest = {
        "name": "agnes",
        "plugins": [{"name": name, "source": f"./plugins/{at}"} for name, at in offered.items()],
    }
    put(clone / ".claude-plugin/marketplace.json", manifest)
    put(
        plugins / "marketplaces/hub/.claude-plugin/marketplace.json", {"plugins": [{"name": "tools"}, {"name": "shop"}]}
    )
    put(home / "mine/.claude-plugin/marketplace.json", {"plugins": [{"name": "mine", "source": "./"}, "nonsense"]})
    put(plugins / "installed_plugins.json", {"version": 2, "plugins": {key: [{"scope": "user"}] for key in installed}})
    put(
        plugins / "known_marketplaces.json",
        {
            "agnes": {"source": {"source": "directory", "path": str(clone)}, "installLocation": str(clone)},
            "hub": {"source": {"source": "github", "repo": "x/y"}},
            "own": {"source": {"source": "directory", "path": "m"}, "installLocation": str(home / "mine")},
        },
    )


def read(store: Store, home: Path, machine: str | None = None) -> None:
    with kept_open(store):
        Engine(store, [Root("claude", home / ".claude", machine)], workers=0, rest_seconds=0.0).catch_up()


def sources(store: Store) -> dict[str, str]:
    with store.read() as connection:
        rows = connection.execute("SELECT coalesce(plugin || ':', '') || name, source FROM extensions_daily").fetchall()
        shown = {row.name: row.source for row in tool_use(connection, Filter()) if row.kind == "plugin"}
    told = dict(rows)
    # The tab and the rollup say the same.
    assert shown == {name.partition(":")[0]: source for name, source in told.items() if ":" in name}
    return told


UNKNOWN = dict.fromkeys(SKILLS, "unknown") | {"flea:y": "flea", "planning": "own", "project:deploy": "own"}
KNOWN = UNKNOWN | {"shop:invoice": "curated", "store-made:x": "flea", "tools:z": "marketplace", "mine:a": "own"}


def test_a_plugin_is_curated_only_where_a_list_says_so(home: Path) -> None:
    store = store_in(home)
    read(store, home)
    assert sources(store) == UNKNOWN
    lists(home)
    read(store, home)
    assert sources(store) == KNOWN


def test_of_two_of_one_name_the_one_that_is_installed_counts(home: Path) -> None:
    lists(home, installed=("shop@hub", "gone@hub"))
    store = store_in(home)
    read(store, home)
    assert sources(store) == KNOWN | {"shop:invoice": "marketplace", "gone:b": "marketplace"}


def test_lists_of_this_machine_say_nothing_of_another(home: Path) -> None:
    lists(home)
    store = store_in(home)
    read(store, home, "laptop")
    assert sources(store) == UNKNOWN


def test_lists_that_cannot_be_used_cost_only_themselves(home: Path) -> None:
    lists(home)
    put(home / ".claude/plugins/installed_plugins.json", "{")
    put(home / ".agnes/marketplace/.claude-plugin/marketplace.json", {"plugins": 7})
    store = store_in(home)
    read(store, home)
    assert sources(store) == KNOWN | {"shop:invoice": "marketplace", "store-made:x": "unknown"}
    with store.read() as connection:
        [(path,)] = connection.execute("SELECT path FROM rejects").fetchall()
    assert path.endswith("installed_plugins.json")
