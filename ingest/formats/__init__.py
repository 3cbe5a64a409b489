"""The sources, one folder for each agent. A new one is a folder beside `claude`, and a line in `_SOURCES`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from ...queries.paths import expanded, is_folder
from .source import (
    Fingerprint,
    Matter,
    Places,
    ReadResult,
    Root,
    Source,
    SourceBusy,
    SourceFile,
    State,
    WatchPaths,
    Watermark,
    reason,
)

_SOURCES = {
    "claude": "claude.source:ClaudeSource",
    "agnes-server-folder": "agnes.server_folder:AgnesServerFolder",
    "workspace": "agnes.workspace:WorkspaceSource",
    "account": "agnes.account:AccountSource",
    "codex": "codex.source:CodexSource",
    "pi": "pi.source:PiSource",
    "gemini": "gemini.source:GeminiSource",
    "copilot": "copilot.source:CopilotSource",
    "opencode": "opencode.source:OpenCodeSource",
    "mux": "mux.source:MuxSource",
    "qwen": "qwen.source:QwenSource",
    "limits": "limits.source:LimitsSource",
}
"""Kind -> module and class."""


class _Sources(Mapping[str, Source]):
    """The sources by kind. One is imported when it is first wanted: a run with one source needs no other."""

    def __init__(self) -> None:
        self._made: dict[str, Source] = {}

    def __getitem__(self, kind: str) -> Source:
        if kind not in self._made:
            module, _, name = _SOURCES[kind].partition(":")
            self._made[kind] = getattr(import_module(f".{module}", __package__), name)()
        return self._made[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._made or kind in _SOURCES

    def __iter__(self) -> Iterator[str]:
        return iter({**_SOURCES, **self._made})

    def __len__(self) -> int:
        return len({**_SOURCES, **self._made})

    def add(self, source: Source) -> None:
        """Add a source that is not part of this program, as tests do. Worker processes do not know it."""
        self._made[source.kind] = source

    def remove(self, kind: str) -> None:
        """Undo `add`."""
        del self._made[kind]


SOURCES = _Sources()


def file_at(root: Root, path: Path) -> SourceFile | None:
    """The source file at a path below a root, on the root's machine; None if it is none."""
    file = SOURCES[root.kind].recognise(root.path, path)
    return file if file is None or root.machine is None else dataclasses.replace(file, machine=root.machine)


def find_roots(places: Places) -> list[Root]:
    """The folders of transcripts on this machine, for all sources."""
    return [Root(kind, path) for kind, source in SOURCES.items() for path in source.locate(places)]


def looked_in(environment: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Where transcripts are looked for, as a person would name it, and the variable that says so, if one does."""
    found: list[tuple[str, str | None]] = []
    for source in SOURCES.values():
        said = environment.get(source.variable, "") if source.variable is not None else ""
        named = [part.strip() for part in said.split(",") if part.strip()]
        found += [(place, source.variable) for place in named] or [(place, None) for place in source.usual]
    return found


_ALSO = {"pi": "PI_AGENT_DIR", "gemini": "GEMINI_DATA_DIR", "mux": "XUM_ROOT"}
"""A second variable of sources that heed two."""


def naming() -> list[str]:
    """The variables that name folders of transcripts, and take the place of the usual ones: all that sources heed."""
    both = ((source.variable, _ALSO.get(kind)) for kind, source in SOURCES.items())
    return [variable for each in both for variable in each if variable is not None]


def not_there(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Folders that variables name and that do not exist, each with its variable: misspelt ones perhaps."""
    found = []
    for variable in naming():
        told = environment.get(variable, "")
        # One of them takes several, with commas.
        parts = told.split(",") if variable == SOURCES["claude"].variable else [told]
        found += [(variable, part.strip()) for part in parts if part.strip() and not is_folder(expanded(part.strip()))]
    return found


__all__ = [
    "SOURCES",
    "Fingerprint",
    "Matter",
    "Places",
    "ReadResult",
    "Root",
    "Source",
    "SourceBusy",
    "SourceFile",
    "State",
    "WatchPaths",
    "Watermark",
    "file_at",
    "find_roots",
    "looked_in",
    "naming",
    "not_there",
    "reason",
]
