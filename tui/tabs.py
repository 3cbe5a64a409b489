"""The tabs, in their order. A new one is a folder beside the others with a pane in its `pane.py`, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .pane import Pane
    from .views import ViewsTab


class Tab(NamedTuple):
    """A tab of the dashboard. Its module is imported when the tab is first wanted: a start needs only one of them."""

    name: str
    """The id in `--tab`, and the name of the folder."""
    title: str
    pane: str
    """The class in that folder's `pane.py`."""

    def make(self) -> Pane | ViewsTab:  # type: ignore[type-arg]
        """Its pane, or what holds its several ones, not mounted yet."""
        kind: type[Pane | ViewsTab] = getattr(import_module(f".{self.name}.pane", __package__), self.pane)  # type: ignore[type-arg]
        return kind(self)


TABS = (
    Tab("sessions", "Sessions", "SessionsTab"),
    Tab("tokens", "Tokens", "TokensPane"),
    Tab("access", "Data access", "AccessPane"),
    Tab("sync", "Sync", "SyncPane"),
)


def pane_of(name: str) -> Pane | ViewsTab:  # type: ignore[type-arg]
    """The tab of that name, not mounted yet. Raises KeyError if there is none."""
    return {tab.name: tab for tab in TABS}[name].make()
