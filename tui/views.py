"""A tab that has several views: one strip with their names, and one pane for each.

Every view is a `Pane` in a file of its own in the folder of the tab, and a line in the `pane.py` there. Its module is
imported, and the pane made, when the view is first wanted.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from .kit.view_strip import ViewStrip
from .pane import Pane
from .tabs import Tab


class View(NamedTuple):
    """A view of a tab."""

    name: str
    """The id of its pane."""
    label: str
    """Its name in the strip."""
    title: str
    """Its name in a sentence and over its keys."""
    module: str
    """The file in the tab's folder."""
    pane: str
    """The class in that file."""

    def make(self, package: str) -> Pane[Any]:
        """A new pane, not mounted yet. `package` is that of the tab."""
        kind: type[Pane[Any]] = getattr(import_module(f".{self.module}", package), self.pane)
        return kind(self)


class HasViews:
    """A tab with several views in a strip."""

    @property
    def views(self) -> list[tuple[str, str]]:
        """The views, as names and titles; known before there is anything on the screen."""
        raise NotImplementedError

    @property
    def view(self) -> str:
        """The one that is shown, or asked for."""
        raise NotImplementedError

    async def show_view(self, name: str) -> None:
        """Show another one."""
        raise NotImplementedError


async def turn(tab: HasViews, step: int) -> None:
    """Show the next view, or the one before; after the last comes the first."""
    names = [name for name, _ in tab.views]
    await tab.show_view(names[(names.index(tab.view) + step) % len(names)])


class ViewsTab(Vertical, HasViews):
    """A tab of several views, of which one is shown."""

    VIEWS: ClassVar[tuple[View, ...]]
    DEFAULT_CSS = """
    ViewsTab { height: 1fr; }
    ViewsTab > ContentSwitcher { height: 1fr; }
    """

    def __init__(self, tab: Tab) -> None:
        super().__init__(id=tab.name)
        self.tab = tab
        self._making = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """The strip, and the first view."""
        first = self.VIEWS[0]
        yield ViewStrip([(view.name, view.label) for view in self.VIEWS], first.name)
        with ContentSwitcher(initial=first.name):
            yield self._make(first)

    def _make(self, view: View) -> Pane[Any]:
        return view.make(type(self).__module__.rpartition(".")[0])

    @property
    def shown(self) -> Pane[Any]:
        """The view that is shown."""
        switcher = self.query_one(ContentSwitcher)
        return switcher.query_one(f"#{switcher.current}", Pane)

    @property
    def views(self) -> list[tuple[str, str]]:
        """The views, as names and titles."""
        return [(view.name, view.label) for view in self.VIEWS]

    @property
    def view(self) -> str:
        """The one that is shown."""
        return self.query_one(ContentSwitcher).current or self.VIEWS[0].name

    async def show_view(self, name: str) -> None:
        """Show a view of VIEWS, made if nobody wanted it before."""
        switcher = self.query_one(ContentSwitcher)
        async with self._making:
            if not switcher.query_children(f"#{name}"):
                made = self._make(next(view for view in self.VIEWS if view.name == name))
                made.display = False
                await switcher.mount(made)
        switcher.current = name
        self.query_one(ViewStrip).active = name
        app: Any = self.app
        app.pane_changed()

    async def on_view_strip_chosen(self, message: ViewStrip.Chosen) -> None:
        """A view was clicked."""
        message.stop()
        await self.show_view(message.name)
