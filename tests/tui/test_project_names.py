"""A project has the same name on every tab, in every table and in the filter line, and `--project` takes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from agnes_stats.tui.access.text import below
from agnes_stats.tui.filter_text import chips

from tests.storing import held
from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text

MINE, THEIRS, WINDOWS = "/home/me/shop", "/srv/them/shop", r"C:\claude\market-data"


def sessions() -> list[Transcript]:
    made = []
    for name, cwd in (("s-mine", MINE), ("s-theirs", THEIRS), ("s-windows", WINDOWS)):
        told = Transcript(name, "2026-03-10T12:00:00", cwd=cwd).prompt(f"of {name}")
        told.response((f"c-{name}", "Bash", {"command": "duckdb -c 'from orders'"}))
        made.append(told.result(f"c-{name}"))
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(Path(tmp_path_factory.mktemp("names")), sessions())) as made:
        yield made


async def test_every_tab_shows_the_same_names(store: Store) -> None:
    async with running(store, (200, 60)) as (app, pilot):
        for tab in "123":
            await press(pilot, tab)
            shown = screen_text(app)
            for name in ("me/shop", "them/shop", "market-data"):
                assert f" {name} " in shown, tab


async def test_a_project_is_chosen_by_its_name(store: Store) -> None:
    async with running(store, (200, 60)) as (app, pilot):
        await press(pilot, "p")
        await press(pilot, *"me/sh")
        assert "me/shop  /home/me/shop" in screen_text(app)
        await press(pilot, "enter")
        shown = screen_text(app)
        assert "me/shop" in shown.splitlines()[1]
        assert "of s-mine" in shown
        assert "of s-theirs" not in shown
        assert chips(app.chosen) == [("project", "me/shop")]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("them/shop", "them/shop"), ("shop", "shop"), ("/nobody/knows/it", "it"), (r"D:\nobody\knows", "knows")],
)
def test_what_was_typed_as_a_name_stays(typed: str, shown: str) -> None:
    assert chips(Filter(project=typed)) == [("project", shown)]


def test_plain_tables_show_the_names_and_take_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = store_of(tmp_path, sessions())
    common = ["--store", str(made.path), "--source", f"claude={tmp_path / 'claude'}", "--tz", "UTC"]
    for command in ("sessions", "tokens", "queries"):
        assert cli.main([command, *common]) == 0
        shown = capsys.readouterr().out
        assert {"me/shop", "them/shop", "market-data"} <= set(shown.split())
    assert cli.main(["sessions", *common, "--project", "them/shop"]) == 0
    shown = capsys.readouterr().out
    assert "them/shop" in shown
    assert "me/shop" not in shown.replace("them/shop", "")


@pytest.mark.parametrize(
    ("path", "folder", "shown"),
    [
        ("/w/shop/src/a.py", "/w/shop", "src/a.py"),
        ("/w/shopping/a.py", "/w/shop", "/w/shopping/a.py"),
        ("/w/shop", "/w/shop", "/w/shop"),
        ("/W/shop/a.py", "/w/shop", "/W/shop/a.py"),
        (r"C:\w\shop\src\a.py", r"C:\w\shop", r"src\a.py"),
        (r"c:\w\shop\src\a.py", r"C:\w\shop", r"src\a.py"),
        ("C:/w/shop/src/a.py", r"C:\w\shop", "src/a.py"),
        (r"\\nas\team\shop\a.py", r"\\nas\team\shop", "a.py"),
        ("a.py", "/w/shop", "a.py"),
    ],
)
def test_a_file_below_its_project_is_told_without_it(path: str, folder: str, shown: str) -> None:
    assert below(path, folder) == shown
