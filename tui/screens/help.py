"""All keys that work here, in words. Written from the bindings themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static


class HelpScreen(ModalScreen[None]):
    """The keys of the pane, then those of every tab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Back"),
    ]

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """One scrollable page."""
        with VerticalScroll(id="help"):
            yield Static(self._page(), markup=False)

    def _page(self) -> Table:
        page = Table.grid(padding=(0, 2))
        about = (self._pane.HELP or "").strip()
        if about:
            page.add_row("", Text(about))
            page.add_row()
        owners: list[tuple[str, Any]] = [
            (f"This tab: {getattr(self._pane, 'TITLE', '')}", self._pane),
            ("Everywhere", self.app),
        ]
        for heading, owner in owners:
            page.add_row("", Text(heading, style="bold"))
            for binding in owner._bindings.key_to_bindings.values():
                for one in binding:
                    if one.description:
                        page.add_row(
                            Text(self.app.get_key_display(one), style="bold", justify="right"),
                            Text(one.tooltip or one.description),
                        )
            page.add_row()
        page.add_row("", Text("Arrow keys, Page Up and Page Down, Home and End move; Enter opens; Tab moves on."))
        page.add_row("", Text("Ctrl+P opens the command palette: themes, light mode, a screenshot, every action."))
        return page
