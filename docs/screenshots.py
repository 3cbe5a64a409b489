"""Takes the README's pictures: every tab, and panels, on the demo's sessions, as the program itself exports them.

make screenshots
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import Any

from agnes_stats.demo.sessions import SOURCES, write_demo
from agnes_stats.queries.console_book import Book
from agnes_stats.queries.console_examples import EXAMPLES
from agnes_stats.queries.store import Store
from agnes_stats.tui.dashboard import app_of
from agnes_stats.tui.factories import engine_of
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.settings import TAB_NAMES, Settings
from agnes_stats.tui.tokens.pane import TokensPane
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

PANELS = {
    "Cost by day and model": (
        "SELECT day, model, sum(cost_usd) AS cost_usd FROM tokens_daily WHERE {{filters}} GROUP BY ALL",
        "stacked",
    ),
    "Tools that fail most": (EXAMPLES["Tools that fail most"], "bars"),
    "Output by day": (
        "SELECT day, sum(output_tokens) AS output_tokens FROM tokens_daily WHERE {{filters}} GROUP BY day",
        "lines",
    ),
    "Longest sessions": (EXAMPLES["Longest sessions"], "table"),
}
"""Name -> query and form."""

PICTURES = Path(__file__).resolve().parent / "img"
SIZE = (126, 36)
_QUIET = 3
"""So many looks in a row must find nothing under way: an answer is shown by a message that its worker posts last."""


async def _told(pilot: Pilot[Any]) -> None:
    """Wait until every question is answered and every answer is on the screen, however busy the machine is."""
    app = pilot.app
    quiet = 0
    while quiet < _QUIET:
        await pilot.pause()
        asking = [worker for worker in app.workers if not worker.is_finished]
        waits = any(state.is_on_screen and state.mode == "loading" for state in app.screen.query(PaneState))
        quiet = 0 if asking or waits else quiet + 1
        with contextlib.suppress(WorkerCancelled):
            # Who is asked may ask others: panels are made, then asked.
            await app.workers.wait_for_complete(asking)


async def take(folder: Path) -> None:
    """Write one SVG for every tab, and one of panels."""
    write_demo(folder, dt.datetime.now(dt.UTC))
    book = Book(folder / "store" / "store.duckdb")
    for name, (sql, form) in PANELS.items():
        book.save(name, sql)
        book.pin(name, form)
    for picture in (*TAB_NAMES, "panels"):
        tab = "tokens" if picture == "panels" else picture
        settings = Settings(
            store=folder / "store" / "store.duckdb",
            tz="Europe/Prague",
            source=tuple(f"{kind}={folder / inner}" for kind, inner in SOURCES.items()),
            no_ingest=True,
            tab=tab,
        )
        engine_of(settings, Store(settings.store)).catch_up()
        app = app_of(settings)
        async with app.run_test(size=SIZE) as pilot:
            await _told(pilot)
            if picture == "panels":
                await app.query_one(TokensPane).show_view("panels")
            await _told(pilot)
            (PICTURES / f"{picture}.svg").write_text(app.export_screenshot(title=f"agnes-stats · {picture}"), "utf-8")


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # The pictures must not tell of the workspaces of whoever takes them.
        os.environ["AGNES_CONFIG_DIR"] = folder
        os.environ.pop("AGNES_LOCAL_DIR", None)
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()
