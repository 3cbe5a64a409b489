"""The tabs, in their order. A new one is a folder beside the others, and a line here.

In the folder lie `pane.py`, and where the tab has them `tab.css` and `command.py`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import datetime as dt

    from ..queries.filters import Filter
    from ..queries.store import Reader
    from .pane import Pane
    from .views import ViewsTab


class Tab(NamedTuple):
    """A tab of the dashboard: all that the frame and the commands have to know of it.

    Its modules are imported when the tab is first wanted: a start needs only one of them.
    """

    name: str
    """The id in `--tab`, and the name of the folder."""
    title: str
    pane: str
    """The class in that folder's `pane.py`."""
    command: str
    """The command that answers the same for scripts."""
    about: str = ""
    """What that command does, in one line, where it is the `COMMAND` in the folder's `command.py`; "" for a command of
    `commands/`."""
    first: str = ""
    """`file:function` in the folder: what the tab shows first, asked for while the screen is still made."""

    def learn(self) -> None:
        """Import what `make` needs. In any thread."""
        self._part(f"pane:{self.pane}")

    def make(self) -> Pane | ViewsTab:  # type: ignore[type-arg]
        """Its pane, or what holds its several ones, not mounted yet."""
        kind: type[Pane | ViewsTab] = self._part(f"pane:{self.pane}")  # type: ignore[type-arg]
        return kind(self)

    def ask_first(self, connection: Reader, chosen: Filter, now: dt.datetime) -> Any:
        """The answer of `first`, of the kind that the pane's `load` returns; it may be only the beginning of that."""
        return self._part(self.first)(connection, chosen, now)

    def own_command(self) -> Any:
        """The command in its folder, if it has one there (`about`)."""
        return self._part("command:COMMAND")

    @property
    def css_path(self) -> Path:
        """Where its style sheet lies, if it has one."""
        package = import_module(f".{self.name}", __package__)
        return Path(str(package.__file__)).with_name("tab.css")

    def _part(self, where: str) -> Any:
        module, _, thing = where.partition(":")
        return getattr(import_module(f".{self.name}.{module}", __package__), thing)


TABS: tuple[Tab, ...] = (
    Tab("sessions", "Sessions", "SessionsTab", "sessions", first="data:first_page"),
    Tab("tokens", "Tokens", "TokensPane", "tokens"),
    Tab("access", "Data access", "AccessPane", "queries"),
    Tab("sync", "Sync", "SyncPane", "sync"),
)


def tab_of(name: str) -> Tab:
    """The tab of that name. Raises KeyError if there is none."""
    return {tab.name: tab for tab in TABS}[name]


def pane_of(name: str) -> Pane | ViewsTab:  # type: ignore[type-arg]
    """The tab of that name, not mounted yet. Raises KeyError if there is none."""
    return tab_of(name).make()


def style_sheets() -> list[Path]:
    """Those of all tabs."""
    return [path for tab in TABS if (path := tab.css_path).is_file()]
