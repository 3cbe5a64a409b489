"""Where the plugins of this machine come from: Claude Code's lists of marketplaces and of what is installed.

An Agnes server offers its people one marketplace, called `agnes`, made of what the company curates and of what people
put into its store (the flea market); in its list the folders of the latter begin with `store-`, and `flea` holds all
skills and agents of it. A marketplace in a folder of one's own is one's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....queries.plugins import CURATED, FLEA, MARKETPLACE, OWN
from ...agnes.values import Problem, read_object
from ...batch import Batch
from ...text import PATH_CHARS, kept
from ..source import SourceFile, State
from .plugin_lists import INSTALLED, KNOWN

AGNES = "agnes"
"""The name that the server gives its marketplace."""

_CLONE = (".agnes", "marketplace")
"""Where the `agnes` command keeps it, below the home folder."""

_MOST = 5000
"""Plugins of one marketplace that are looked at."""


class PluginsDecoder:
    """Reads both lists, and those of the marketplaces, whichever of the two changed: they decide together."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._file = file
        self._batch = batch
        self._problems: list[Problem] = []

    def document(self, path: Path, content: bytes) -> None:
        """Nothing: the other list is needed, too."""

    def finish(self) -> State:
        """Read the lists; nothing to remember."""
        folder = self._file.root / "plugins"
        known = read_object(folder / KNOWN, self._problems) or {}
        offered: dict[tuple[str, str], str] = {}
        for name, entry in known.items():
            if isinstance(entry, dict):
                offered |= {(plugin, name): source for plugin, source in self._offered(folder, name, entry)}
        installed = set(_installed(read_object(folder / INSTALLED, self._problems) or {}))
        for plugin, name in installed - set(offered):
            offered[plugin, name] = FLEA if plugin == FLEA and name == AGNES else _kind(name, known.get(name), folder)
        for (plugin, name), source in sorted(offered.items()):
            row = {"workspace": str(self._file.root), "plugin": plugin, "marketplace": name, "source": source}
            self._batch.add("plugins", row | {"is_installed": (plugin, name) in installed})
        for problem in self._problems:
            if problem.path == str(self._file.path):
                self._batch.add(
                    "rejects",
                    {"path": problem.path, "pos": problem.pos, "length": problem.length, "reason": problem.reason},
                )
        return {}

    def _offered(self, folder: Path, name: str, entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The plugins of a marketplace, and where each is from."""
        kind = _kind(name, entry, folder)
        manifest = read_object(_place(folder, name, entry) / ".claude-plugin" / "marketplace.json", []) or {}
        plugins = manifest.get("plugins")
        for plugin in plugins[:_MOST] if isinstance(plugins, list) else ():
            if isinstance(plugin, dict) and isinstance(called := plugin.get("name"), str) and called:
                yield called, _of_agnes(called, plugin.get("source")) if kind == CURATED else kind


def _place(folder: Path, name: str, entry: dict[str, Any]) -> Path:
    told = entry.get("installLocation")
    return Path(told) if isinstance(told, str) and told and "\0" not in told else folder / "marketplaces" / name


def _kind(name: str, entry: Any, folder: Path) -> str:
    """What a marketplace is: curated (an Agnes server's), one's own folder, or another one."""
    entry = entry if isinstance(entry, dict) else {}
    source = entry.get("source")
    source = source if isinstance(source, dict) else {}
    path = source.get("path")
    is_clone = any(
        isinstance(told, str) and Path(told).parts[-2:] == _CLONE for told in (path, str(_place(folder, name, entry)))
    )
    if name == AGNES or is_clone:
        return CURATED
    return OWN if source.get("source") in ("directory", "file", "local") else MARKETPLACE


def _of_agnes(plugin: str, source: Any) -> str:
    """Curated, or from the flea market, by the folder that the server puts a plugin in."""
    folder = source.rstrip("/").rpartition("/")[2] if isinstance(source, str) else ""
    return FLEA if folder.startswith("store-") or FLEA in (folder, plugin) else CURATED


def _installed(registry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    plugins = registry.get("plugins")
    for key in plugins if isinstance(plugins, dict) else ():
        # Redacted before it is taken apart: what stands before the @ may be a credential that the @ makes known.
        plugin, at, name = kept(key, PATH_CHARS).rpartition("@")
        if at and plugin:
            yield plugin, name
