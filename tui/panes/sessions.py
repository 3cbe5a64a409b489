"""The Sessions tab."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from ...queries import tokens
from ...queries.filters import Filter
from ..widgets.state import PaneState
from .base import Pane

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class SessionsPane(Pane[tokens.TokenSums]):
    """To be built."""

    NAME = "sessions"
    TITLE = "Sessions"

    def compose(self) -> ComposeResult:
        """The state in words, and the content."""
        yield PaneState()
        yield Static(markup=False, id="content")

    def load(self, connection: DuckDBPyConnection, chosen: Filter, now: dt.datetime) -> tokens.TokenSums:
        """The sums."""
        return tokens.totals(connection, chosen)

    def show(self, data: tokens.TokenSums) -> None:
        """As text."""
        self.query_one("#content", Static).update(str(data))
