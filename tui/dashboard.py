"""Starting the dashboard from the settings."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.store import Store
from .app import AgnesStats
from .settings import Settings
from .wiring import engine_of, filter_of, looked_in, roots_of, server_access, utc_now

if TYPE_CHECKING:
    from ..ingest.news import News
    from ..ingest.service import IngestService


def dashboard(given: argparse.Namespace, settings: Settings) -> int:
    """Run the dashboard until the user quits; the exit status."""
    with _demo(settings) if given.demo else contextlib.nullcontext(settings) as chosen:
        app = app_of(chosen)
        return app.run() or 0


def app_of(settings: Settings) -> AgnesStats:
    """The dashboard for some settings, not running yet."""
    store = Store(settings.store)
    server = server_access(settings) if settings.agnes_server and not settings.no_ingest else None

    def service(tell: Callable[[News], None]) -> IngestService:
        from ..ingest.service import IngestService

        return IngestService(
            engine_of(settings, store), tell, find_roots=lambda: roots_of(settings, store), server=server
        )

    return AgnesStats(
        settings,
        store,
        None if settings.no_ingest else service,
        chosen=filter_of(settings),
        now=utc_now,
        looked_in=looked_in(settings),
    )


@contextlib.contextmanager
def _demo(settings: Settings) -> Iterator[Settings]:
    """Settings for generated transcripts in a temporary folder, that grow until the block ends."""
    from ..ingest.demo import running_demo

    with tempfile.TemporaryDirectory(prefix="agnes-stats-demo-") as folder, running_demo(Path(folder)):
        yield replace(
            settings,
            store=Path(folder, "store", "store.duckdb"),
            source=(f"claude={folder}", f"workspace={folder}/workspace"),
            no_ingest=False,
            agnes_server=False,
        )
