"""Reading the account of the `agnes` command."""

from __future__ import annotations

import dataclasses
import os

from ....queries.paths import home_folder
from ...agnes.account import account_in
from ...agnes.values import Problem
from ...moments import micros
from ..source import State
from .self_reading import SelfReading


class AccountParser(SelfReading):
    """Reads the account, whichever of its files changed: they decide together."""

    def finish(self) -> State:
        """Read the account; nothing to remember."""
        account = account_in(self._file.root, os.environ, home_folder())
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
