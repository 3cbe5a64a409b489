"""One data access on a screen of its own: the whole SQL and the whole command."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ...queries.access import AccessRow
from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from . import text as told
from .side import AccessDetail
from .text import AccessLook


class AccessScreen(PopUp[None]):
    """An access as it was when the screen was opened."""

    HELP = "The SQL and the command as the transcript has them, each cut to its first 4,000 characters."
    DEFAULT_CSS = """
    AccessScreen { background: $background; }
    AccessScreen > AccessDetail { height: 1fr; padding: 1 2; }
    """
    TITLE = "Data access"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Back"),
        Binding("y", "copy_sql", "Copy", tooltip="Copy the SQL, without one the command"),
        Binding("o", "open_session", "Session", tooltip="Open the session that this happened in"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys that work here"),
    ]

    def __init__(self, row: AccessRow, look: AccessLook) -> None:
        super().__init__()
        self._row = row
        self._look = look

    def compose(self) -> ComposeResult:
        """All of it, and the keys."""
        yield AccessDetail()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show it; the arrow keys scroll."""
        detail = self.query_one(AccessDetail)
        detail.show_access(self._row, self._look)
        detail.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There is no session to open where only a server or a workspace saw the access."""
        return self._row.session_id is not None if action == "open_session" else True

    def action_copy_sql(self) -> None:
        """Copy the SQL, else the command."""
        told.copy(self.app, self._row)

    def action_open_session(self) -> None:
        """Open the session."""
        told.open_session(self.app, self._row.session_id)

    def action_help(self) -> None:
        """The keys, in words."""
        from ..screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))
