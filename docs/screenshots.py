"""Takes the README's pictures: every tab on the demo's sessions, as the program itself exports them.

make screenshots
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import tempfile
from pathlib import Path

from agnes_stats.demo.sessions import SOURCES, write_demo
from agnes_stats.queries.store import Store
from agnes_stats.tui.dashboard import app_of
from agnes_stats.tui.factories import engine_of
from agnes_stats.tui.settings import TAB_NAMES, Settings

PICTURES = Path(__file__).resolve().parent / "img"
SIZE = (126, 36)


async def take(folder: Path) -> None:
    """Write one SVG for every tab."""
    write_demo(folder, dt.datetime.now(dt.UTC))
    for tab in TAB_NAMES:
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
            await app.workers.wait_for_complete()
            await pilot.pause()
            (PICTURES / f"{tab}.svg").write_text(app.export_screenshot(title=f"agnes-stats · {tab}"), "utf-8")


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
