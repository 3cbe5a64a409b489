"""Every widget hears of its size, whoever asks for its place before it does."""

from __future__ import annotations

from agnes_stats.tui.kit.pop_up import SteadySize
from textual import events
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from tests.tui.running import until


class Listening(Widget):
    """Notes the sizes that it is told."""

    DEFAULT_CSS = "Listening { height: 3; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Size] = []

    def on_resize(self, event: events.Resize) -> None:
        self.told.append(event.size)


class Steady(SteadySize, Screen[None]):
    """A screen as the dashboard's are."""


class Small(App[None]):
    def get_default_screen(self) -> Screen[None]:
        return Steady(id="_default")


def ask_where(app: App[None], widget: Widget) -> Size:
    """As what follows the mouse does when something that is new wants to be drawn."""
    app.screen._compositor.update_widgets({widget})
    return app.screen.find_widget(widget).region.size


async def test_a_widget_whose_place_was_asked_for_first_is_told_its_size() -> None:
    async with Small().run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        new = Listening()
        await pilot.app.screen.mount(new)
        assert ask_where(pilot.app, new) == Size(40, 3)
        await until(pilot, lambda: new.told == [Size(40, 3)], 5)


async def test_so_is_one_whose_size_is_another_one() -> None:
    async with Small().run_test(size=(40, 10)) as pilot:
        shown = Listening()
        await pilot.app.screen.mount(shown)
        await until(pilot, lambda: bool(shown.told), 5)
        shown.styles.height = 5
        new = Listening()
        await pilot.app.screen.mount(new)
        assert ask_where(pilot.app, new) == Size(40, 3)
        await until(pilot, lambda: shown.told[1:] == [Size(40, 5)], 5)
