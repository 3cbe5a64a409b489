"""What the processes of sessions say that these do, for the settings' sources; and what runs, asked once for all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.live import NOTHING_TOLD, Told
from ..queries.paths import expanded, home_folder
from .settings import Settings, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def told_states(settings: Settings) -> Told:
    """What is said in Claude Code's folders of this machine; nothing where no files are to be read."""
    folders = [] if settings.no_ingest else _folders(settings)
    if not folders:
        return NOTHING_TOLD
    from ..ingest.session_states import told_states as told_in

    return told_in(folders)


def _folders(settings: Settings) -> Sequence[Path]:
    if settings.source:
        parts = [parts_of(source) for source in settings.source]
        # Of another machine's processes ours tell nothing.
        return [expanded(path) for kind, machine, path in parts if kind == "claude" and machine is None]
    from ..ingest.formats import SOURCES, Places

    return SOURCES["claude"].locate(Places(dict(os.environ), home_folder(), Path.cwd()))
