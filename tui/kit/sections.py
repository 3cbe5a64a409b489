"""Several parts of a view side by side; on a small screen one of them at a time."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget

from ..format import clean
from .lines import StillText

NARROW, LOW = 100, 32
"""A screen with fewer columns, or fewer rows, shows one part at a time."""


class Section(Vertical):
    """One widget under a title."""

    DEFAULT_CSS = """
    Section { height: 1fr; }
    Section > .title { height: 1; padding: 0 1; text-style: bold; color: $text-primary; }
    """

    def __init__(self, title: str, content: Widget, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = title
        self._note = ""
        self._place = ""
        self.content = content

    @property
    def heading(self) -> str:
        """The title alone."""
        return self._title

    def compose(self) -> ComposeResult:
        """The title, and what it is about."""
        yield StillText(classes="title", markup=False)
        yield self.content

    def on_mount(self) -> None:
        self._retitle()

    def rename(self, title: str) -> None:
        """Have another title."""
        self._title = title
        self._retitle()

    def note(self, text: str) -> None:
        """Say something beside the title."""
        self._note = text
        self._retitle()

    def place(self, text: str) -> None:
        """Say which part of how many this is; "" where all are seen."""
        self._place = text
        self._retitle()

    def _retitle(self) -> None:
        if not self.is_mounted:
            return
        line = Text(self._title, no_wrap=True, overflow="ellipsis")
        for text in (self._place, self._note):
            if text:
                line.append(f"  {clean(text)}", style="dim not bold")
        self.query_one(".title", StillText).update(line)


class Sections(Container):
    """A grid of sections. One of them is the current one: the one with the focus, and the one a small screen shows."""

    DEFAULT_CSS = """
    Sections { layout: grid; grid-gutter: 0 2; }
    Sections.-single { grid-size: 1; grid-rows: 1fr; grid-columns: 1fr; }
    Sections.-single > Section { display: none; row-span: 1; column-span: 1; }
    Sections.-single > Section.-current { display: block; }
    Sections > Section.-out { display: none; }
    """

    def __init__(self, sections: Iterable[Section], *, current: str, key: str, id: str) -> None:  # noqa: A002
        """`current` is the id of the first section to look at; `key` is what goes on to the next, for the titles."""
        super().__init__(*sections, id=id)
        self._current = current
        self._key = key

    @property
    def parts(self) -> list[Section]:
        """All sections but those that are left out."""
        return [section for section in self.query(Section) if not section.has_class("-out")]

    def leave_out(self, *sections: str) -> None:
        """Leave out the sections of these ids, and no others: there is nothing to tell in them."""
        for section in self.query(Section):
            section.set_class(section.id in sections, "-out")
        if self._current in sections:
            self._current = self.parts[0].id or ""
        self._arrange()

    def turn_to(self, section: str) -> None:
        """Make the section of this id the current one."""
        self._make_current(self.query_one(f"#{section}", Section))

    @property
    def current(self) -> Section:
        """The current section."""
        return self.query_one(f"#{self._current}", Section)

    @property
    def is_single(self) -> bool:
        """Whether only the current section is on the screen."""
        return self.has_class("-single")

    def go_on(self) -> None:
        """The next section becomes the current one, and gets the focus."""
        parts = self.parts
        following = parts[(parts.index(self.current) + 1) % len(parts)]
        self._make_current(following)
        self.app.set_focus(following.content)

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        section = next((part for part in self.parts if part.content is event.widget), None)
        if section is not None:
            self._make_current(section)

    def _make_current(self, section: Section) -> None:
        self._current = section.id or self._current
        self._arrange()

    def _arrange(self) -> None:
        size = self.app.size
        single = size.width < NARROW or size.height < LOW
        self.set_class(single, "-single")
        parts = self.parts
        for number, part in enumerate(parts, 1):
            part.set_class(part.id == self._current, "-current")
            part.place(f"{number}/{len(parts)}  {self._key} next" if single else "")
