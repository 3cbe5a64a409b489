"""Choosing the zone in which days and times are told: this machine's, UTC, or any other."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ..kit.key_bar import KeyBar
from .filter_list_screen import ListedScreen

SHOWN = 200


class ZoneScreen(ListedScreen[str | None]):
    """A list of zones. Dismisses with the name of the one chosen, None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, current: str, own: str, now: dt.datetime) -> None:
        """`own` is the zone that the dashboard was started in; `now` is UTC without a zone."""
        super().__init__()
        self._current = current
        self._own = own
        self._now = now
        self._offered: list[str] = []

    def compose(self) -> ComposeResult:
        """A line to type in, and the zones."""
        with Vertical(id="picker"):
            yield Label("Tell days and times in", markup=False)
            yield Input(placeholder="part of the zone's name, like Prague", compact=True)
            yield OptionList()
        yield KeyBar(enter="Choose")

    def on_mount(self) -> None:
        """This machine's and UTC first."""
        self.query_one(Input).focus()
        self._fill("")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, part: str) -> None:
        self._offered = zones_with(part, (self._own, "UTC", self._current))[:SHOWN]
        options = self.query_one(OptionList)
        options.clear_options()
        for zone in self._offered:
            line = Text(zone, style="bold" if zone == self._current else "")
            here = self._now.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone))
            note = "this machine's, " if zone == self._own else ""
            ahead = f"{here:%z}"
            line.append(f"  {note}now {here:%H:%M}, UTC{ahead[:3]}:{ahead[3:5]}", style="dim")
            options.add_option(Option(line))
        if not self._offered:
            options.add_option(Option(Text("no zone is called that"), disabled=True))
        options.highlighted = 0 if self._offered else None

    @on(Input.Submitted)
    def _take(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        self.dismiss(self._offered[highlighted] if self._offered and highlighted is not None else None)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[event.option_index])

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def zones_with(part: str, first: tuple[str, ...]) -> list[str]:
    """The zones with a text in their names, some before all others."""
    wanted = part.strip().lower().replace(" ", "_")
    known = dict.fromkeys((*first, *sorted(zoneinfo.available_timezones())))
    return [zone for zone in known if wanted in zone.lower()]
