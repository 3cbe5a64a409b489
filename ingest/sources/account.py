"""The account of the `agnes` command as a source: which server it talks to, and until when its token is good.

A renewed token is noticed like a line in a transcript. Only the time it expires is kept, never its text.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from ..agnes.account import account_in, config_folder
from ..agnes.values import Problem
from ..batch import Batch, micros
from .base import Adapter, Parser, Places, SelfReading, SourceFile, State

PARSER_VERSION = 1

_NAMES = ("token.json", "config.yaml")


class AccountAdapter(Adapter):
    """`token.json` and `config.yaml` in the folder of the `agnes` command's configuration."""

    kind = "account"
    version = PARSER_VERSION

    def roots(self, places: Places) -> list[Path]:
        """`AGNES_CONFIG_DIR`, else `~/.config/agnes`."""
        folder = config_folder(places.environment, places.home)
        return [folder.absolute()] if folder.is_dir() else []

    def discover(self, root: Path) -> Iterator[SourceFile]:
        """The files that exist."""
        for name in _NAMES:
            file = self.recognise(root, root / name)
            if file is not None and file.path.is_file():
                yield file

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The file at a path, if it is one of the account."""
        if path.parent != root or path.name not in _NAMES:
            return None
        return SourceFile(self.kind, root, path, False, None, whole=True, replaces=("accounts",))

    def parser(self, file: SourceFile, state: State, batch: Batch) -> Parser:  # noqa: ARG002
        """A parser that reads the whole account."""
        return AccountParser(file, batch)


class AccountParser(SelfReading):
    """Reads the account, whichever of its files changed: they decide together."""

    def finish(self) -> State:
        """Read the account; nothing to remember."""
        account = account_in(self._file.root, os.environ, Path.home())
        expires_at = account.token_expires_at
        self._batch.add(
            "accounts",
            {
                "workspace": str(self._file.root),
                "server": account.server if account.server_from != "default" else None,
                "token_expires_at": None if expires_at is None else micros(expires_at),
            },
        )
        for problem in account.problems:
            if problem.path == str(self._file.path):
                self._problem(problem)
        return {}

    def _problem(self, problem: Problem) -> None:
        # Without a place in the file: to show its bytes would be to show the token.
        super()._problem(dataclasses.replace(problem, pos=0, length=0))
