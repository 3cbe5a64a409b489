"""The account of the `agnes` command as a source: which server it talks to, and until when its token is good.

A renewed token is noticed like a line in a transcript. Only the time it expires is kept, never its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....queries.paths import is_folder
from ...agnes.account import config_folder
from ..source import Places, Source, SourceFile, WatchPaths, is_no_folder

if TYPE_CHECKING:
    from ..change import Change

VERSION = 1

_NAMES = ("token.json", "config.yaml")


class AccountSource(Source):
    """The account of the `agnes` command: `token.json` and `config.yaml`; never the token."""

    kind = "account"
    version = VERSION

    def locate(self, places: Places) -> list[Path]:
        """`AGNES_CONFIG_DIR`, else `~/.config/agnes`."""
        folder = config_folder(places.environment, places.home)
        return [folder.absolute()] if is_folder(folder) else []

    def discover(self, root: Path) -> Iterator[Path]:
        """The files that exist, whatever they are: what is no regular file is told by who tries to read it."""
        yield from (path for name in _NAMES if is_no_folder(path := root / name))

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The file at a path, if it is one of the account."""
        if path.parent != root or path.name not in _NAMES:
            return None
        return SourceFile(self.kind, root, path, False, None, replaces=("accounts",))

    def watch_paths(self, root: Path) -> WatchPaths:
        """The folder itself."""
        return WatchPaths(flat=(root,))

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """Both files are written anew, and read together whichever changed."""
        from ..change import Snapshot
        from .account_parser import AccountParser

        return Snapshot(AccountParser)
