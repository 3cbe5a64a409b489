"""Tables and charts of the screen as files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from agnes_stats.queries import export
from agnes_stats.queries.store import Store
from agnes_stats.tui.exporting import rows_of
from agnes_stats.tui.kit.table import Record, RecordTable
from agnes_stats.tui.screens.export import ExportScreen
from textual.widgets import Input, OptionList, TextArea

from tests.storing import held
from tests.transcripts import OPUS, Transcript, store_of
from tests.tui.running import press, running, screen_text

TITLE = "Fix, \x1b[31mit [/red] 'now'"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Transcript("one", "2026-03-10T10:00:00").title(TITLE).prompt("Fix it").wait(1)
    made.response(("r1", "Read", {"file_path": "/x"}), tokens=(1, 20_123, 3_000_000, 0)).wait(1).result("r1", "x" * 401)
    with held(store_of(tmp_path_factory.mktemp("export"), [made])) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_the_table_with_the_focus_is_written_with_the_values_of_the_store(store: Store, folder: Path) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "e", "enter")
        assert "Written:" in screen_text(app)
        assert not isinstance(app.screen, ExportScreen)
        (row,) = rows(folder / "tokens-model-2026-03-10.csv")
        assert (row["name"], row["output_tokens"], row["total_tokens"]) == (OPUS, "20123", "3020124")
        assert float(row["cost_usd"]) == pytest.approx((5 + 20_123 * 25 + 3e6 * 0.5) / 1e6)
        # It is there now: it is replaced only when that is confirmed.
        (folder / "tokens-model-2026-03-10.csv").write_text("mine")
        await press(pilot, "e", "enter")
        assert "There is such a file" in screen_text(app)
        await press(pilot, "escape")
        assert (folder / "tokens-model-2026-03-10.csv").read_text() == "mine"
        await press(pilot, "e", "enter", "enter")
        assert len(rows(folder / "tokens-model-2026-03-10.csv")) == 1
        # Another table, another format, another place.
        await press(pilot, "e", "end", "ctrl+f")
        line = app.screen.query_one(Input)
        assert line.value == "tokens-top-sessions-2026-03-10.json"
        line.value = str(folder / "no such folder" / "x.json")
        await press(pilot, "enter")
        assert "Not written: No such file" in screen_text(app)
        for value, why in (
            ("x.txt", "End the name in .csv or .json"),
            ("", "Type the name"),
            (".", "Type the name"),
            ("~no such user/x.csv", "Not written"),
            ("x" * 300 + ".csv", "Not written: File name too long"),
            ("a\0b.csv", "Not written"),
        ):
            line.value = value
            await press(pilot, "enter")
            assert why in screen_text(app)
        line.value = "x.JSON"
        await press(pilot, "enter")
        told = json.loads((folder / "x.JSON").read_text())
        names = [column["name"] for column in told["columns"]]
        assert dict(zip(names, told["rows"][0], strict=True))["title"] == TITLE, "as it is, not as the screen shows it"


async def test_a_chart_is_a_picture_in_the_colours_of_the_screen(store: Store, folder: Path) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "e", "home")
        assert "● SVG" in screen_text(app)
        await press(pilot, "enter")
    (made,) = folder.iterdir()
    assert made.name == "tokens-spend-by-day-and-model-2026-03-10.svg"
    picture = made.read_text("utf-8")
    told = "".join(ElementTree.fromstring(picture).itertext()).replace("\xa0", " ")
    assert "Spend by day and model" in told
    assert "opus-4.5 $2.00" in told
    assert "▒" in told, "the day that is not over"
    assert len(set(re.findall(r"#[0-9a-f]{6}", picture))) > 3
    assert not re.search(r"https?://(?!www\.w3\.org|www\.textualize\.io)", picture), "nothing is fetched to show it"


@pytest.mark.parametrize(
    ("tab", "name", "column", "value"),
    [("sessions", "sessions", "output_tokens", "20123"), ("access", "access-accesses", "action", "file.read")],
)
async def test_other_tabs_have_rows_to_export(
    store: Store, folder: Path, tab: str, name: str, column: str, value: str
) -> None:
    async with running(store, tab=tab) as (_, pilot):
        await press(pilot, "e", "enter")
    (made,) = folder.iterdir()
    assert made.name == f"{name}-2026-03-10.csv"
    assert rows(made)[0][column] == value


async def test_without_rows_that_is_said(tmp_path: Path) -> None:
    with Store(tmp_path / "s.duckdb").write():
        pass
    async with running(Store(tmp_path / "s.duckdb"), tab="tokens") as (app, pilot):
        await press(pilot, "e")
        assert "There is nothing to export here yet." in screen_text(app)


async def test_the_answer_of_the_console_keeps_its_types(store: Store, folder: Path) -> None:
    import duckdb

    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        app.screen.query_one(TextArea).text = "SELECT DATE '2026-03-10' AS day, 1.5::DECIMAL(4, 2) AS x, [1] AS l"
        await press(pilot, "f5")
        await press(pilot, "f4", "ctrl+f", "ctrl+f", "enter")
        await press(pilot, "ctrl+t")
        await press(pilot, "f4")
        assert not app.screen.query_one(OptionList).display
        await press(pilot, "enter")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["sql-result-2026-03-10.parquet", "sql-x-by-day-2026-03-10.svg"]
    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM '{folder / names[0]}'").fetchall()
    assert [row[1] for row in described] == ["DATE", "DECIMAL(4,2)", "INTEGER[]"]


def test_rows_the_store_knows_nothing_about_are_what_the_screen_shows() -> None:
    table = RecordTable(())
    table.show([Record("a", {"name": "x", "count": 3, "none": None}), Record("b", {"name": "y"})], total=9)
    told = rows_of(table)
    assert (told.columns, told.rows) == (["name", "count", "none"], [("x", "3", ""), ("y", None, None)])
    assert told.truncated
    assert export.answer_to(told)["row_count"] == 2
