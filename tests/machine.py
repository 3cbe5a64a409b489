"""A laptop with Agnes workspaces and sessions, and the store of what was read there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Places, Root

from tests.ingest.agnes_files import put
from tests.storing import kept_open, store_in
from tests.transcripts import Transcript, write


class Machine:
    """Everything lies below one folder: `.claude`, the store, and a folder for each workspace."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.claude = home / ".claude"
        self.store = store_in(home)
        self.workspaces: list[Path] = []

    def workspace(self, name: str = "analyst", *, last_sync: str | None = "2026-03-10T13:48:00+00:00") -> Path:
        """Make a workspace that has pulled no tables."""
        folder = self.home / name
        put(folder / ".claude/agnes/sync_state.json", {"tables": {}, "last_sync": last_sync})
        self.workspaces.append(folder)
        return folder

    def session(self, transcript: Transcript, folder: Path) -> Path:
        """Write a session that was started in a folder; its file."""
        name = re.sub("[^A-Za-z0-9]", "-", str(folder))
        write(self.claude, [transcript], name)
        return self.claude / "projects" / name / transcript.name

    def read(self) -> Machine:
        """Bring the store up to date."""
        (self.claude / "projects").mkdir(parents=True, exist_ok=True)
        with kept_open(self.store):
            Engine(self.store, self.roots, workers=0, rest_seconds=0.0).catch_up()
        return self

    @property
    def roots(self) -> list[Root]:
        """All sources of the machine, the account of the `agnes` command with them."""
        accounts = SOURCES["account"].locate(Places(os.environ, Path.home(), self.home))
        return [
            Root("claude", self.claude),
            *(Root("workspace", folder) for folder in self.workspaces),
            *(Root("account", folder) for folder in accounts),
        ]


def bash(session: str, at: str, command: str, folder: Path, *, seconds: float | None = 5, **result: Any) -> Transcript:
    """A session in which one command runs, for so many seconds; None: it has no result."""
    transcript = Transcript(session, at, cwd=str(folder)).prompt("Get the data")
    transcript.response((f"call-{session}", "Bash", {"command": command}))
    if seconds is not None:
        transcript.wait(seconds).result(f"call-{session}", **result)
    return transcript
