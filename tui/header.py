"""The header strip: what happened lately, whatever tab is shown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.widgets import Static

from ..queries.store import Stamp, StoreError
from . import format as words
from . import marks
from .kit.frame import NARROW
from .messages import HomeLoaded
from .typed_app import OnDashboard

if TYPE_CHECKING:
    from ..queries.home import Home

OLD = dt.timedelta(minutes=10)
"""Numbers of the last 24 hours are asked for again after this long, though nothing was written."""


class HeaderStrip(OnDashboard, Static):
    """What happened in the last 24 hours or seven days, in one line."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._home: Home | None = None
        self._asked: tuple[Stamp, dt.datetime] | None = None
        """The store when it was asked last, and when that was."""

    def tick(self) -> None:
        """Say anew how long ago things are; ask again if somebody has written since, or it is long ago."""
        app = self.dashboard
        if self._asked is None or self._asked[0] != app.store.stamp() or app.now() - self._asked[1] >= OLD:
            self.refresh_data()
        elif self._home is not None:
            self._show(self._home)

    @work(thread=True, exclusive=True, group="home", exit_on_error=False)
    def refresh_data(self) -> None:
        """Ask the store for the numbers, and show them."""
        app = self.dashboard
        asked = app.store.stamp(), app.now()
        try:
            home = app.ahead.take(f"home {app.window}", app.chosen) if app.ahead else None
            home = home or self._answer()
        except StoreError:
            # The pane says it, with the reason; the last numbers stay.
            return
        self._asked = asked
        self.post_message(HomeLoaded(home))

    def _answer(self) -> Home:
        from ..queries import home

        app = self.dashboard
        with app.store.read() as connection:
            return home.home(connection, app.window, now=app.now(), chosen=app.chosen)

    def on_home_loaded(self, message: HomeLoaded) -> None:
        """Show the numbers."""
        self._home = message.home
        self._show(message.home)

    def _show(self, home: Home) -> None:
        """One line; narrow screens leave out the less telling numbers."""
        window, now, cost = self.dashboard.window, self.dashboard.now(), not self.dashboard.settings.no_cost
        wide = self.app.size.width >= NARROW
        total = marks.tokens(home.total_tokens, home.undercounted)
        parts = [
            ("Last sync" if wide else "Sync", words.relative(home.last_pull_at, now)),
            ("Sessions", words.count(home.sessions)),
            ("Prompts", words.count(home.prompts)),
            ("Tokens", total),
            ("Projects", words.count(home.projects)),
        ]
        line = Text(" agnes-stats " if wide else "", style="bold", no_wrap=True, overflow="ellipsis")
        for label, value in parts:
            line.append(f"  {label} ", style="dim not bold")
            line.append(value, style="bold")
        line.append("   " if wide else " ")
        for name in ("24h", "7d"):
            line.append(f"{'▸' if name == window else ' '}{name}", style="bold" if name == window else "dim not bold")
        if cost:
            line.append(f"{'   ' if wide else ' '}{marks.cost(home)}", style="bold")
        self.update(line, layout=False)

    def on_click(self) -> None:
        """A click does what `w` does."""
        self.app.run_worker(self.app.run_action("toggle_window"))
