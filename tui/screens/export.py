"""The dialog that writes a table or a chart into a file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ...queries.paths import exists, is_folder
from .. import format as words
from ..kit.key_bar import KeyBar
from ..kit.lines import StillText
from ..kit.pop_up import PopUp
from ..kit.scrolling import Options

if TYPE_CHECKING:
    from ..exporting import Thing


_NAMES = {"parquet": "Parquet"}
"""Formats that are no abbreviation -> how they are written."""


class ExportScreen(PopUp[None]):
    """What, in which format, where. A file that stands there is only replaced when that is confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("ctrl+f", "next_format", "Format", tooltip="The next format"),
    ]

    def __init__(self, things: Sequence[Thing], chosen: int, stem: str, today: dt.date) -> None:
        """`chosen` is the place of the thing that has the focus; files are named `stem`-thing-`today`."""
        super().__init__()
        self._things = things
        self._chosen = chosen
        self._stem = stem
        self._today = today
        self._suggested = ""
        self._confirmed: Path | None = None

    def compose(self) -> ComposeResult:
        """Things, formats, the file, and a line of help or trouble."""
        with Vertical(id="export"):
            yield Label("Export", markup=False)
            yield Options(*(Option(self._line(thing)) for thing in self._things), id="export-things")
            yield StillText(id="export-forms", markup=False)
            yield Input(id="export-path", compact=True)
            yield StillText(id="export-note", markup=False)
        yield KeyBar(enter="Save")

    @staticmethod
    def _line(thing: Thing) -> Text:
        line = Text(thing.name, no_wrap=True, overflow="ellipsis")
        line.append(f"  {thing.about}", style="dim")
        return line

    @property
    def _thing(self) -> Thing:
        return self._things[self._chosen]

    def on_mount(self) -> None:
        """What had the focus is chosen."""
        things = self.query_one(OptionList)
        things.highlighted = self._chosen
        things.display = len(self._things) > 1
        self._suggest()
        self.set_focus(things if things.display else self.query_one(Input))

    @on(OptionList.OptionHighlighted)
    def _choose(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index != self._chosen:
            self._chosen = event.option_index
            self._suggest()

    def action_next_format(self) -> None:
        """The next format of the thing, by another ending of the file's name."""
        forms = self._thing.forms
        now = self._form
        line = self.query_one(Input)
        form = forms[(forms.index(now) + 1) % len(forms)] if now in forms else forms[0]
        with suppress(ValueError):  # of what has no name, as "..", there is no other ending
            line.value = str(Path(line.value or self._stem).with_suffix(f".{form}"))

    @property
    def _form(self) -> str:
        """The format: the ending of the file's name, if it is one of the thing's, else "" ."""
        ending = Path(self.query_one(Input).value.strip()).suffix.removeprefix(".").lower()
        return ending if ending in self._thing.forms else ""

    def _suggest(self) -> None:
        """A name for the file, unless one was typed."""
        line = self.query_one(Input)
        if line.value == self._suggested:
            forms = self._thing.forms
            ending = Path(line.value).suffix.removeprefix(".")
            parts = (self._stem, _slug(self._thing.name), str(self._today))
            names = [part for place, part in enumerate(parts) if part and part not in parts[:place]]
            self._suggested = f"{'-'.join(names)}.{ending if ending in forms else forms[0]}"
            line.value = self._suggested
            line.cursor_position = len(line.value)
        self._tell()

    def _tell(self) -> None:
        """The formats there are, and where the file comes to lie."""
        line = Text("Format ", no_wrap=True, overflow="ellipsis")
        for form in self._thing.forms:
            active = form == self._form
            line.append(
                f" {'●' if active else '○'} {_NAMES.get(form, form.upper())}", style="bold" if active else "dim"
            )
        if len(self._thing.forms) > 1:
            line.append("   or type another ending", style="dim")
        self.query_one("#export-forms", StillText).update(line)
        self._note(f"in {Path().absolute()}")

    def _note(self, text: str) -> None:
        self.query_one("#export-note", StillText).update(Text(words.clean(text)))

    @on(Input.Changed)
    def _changed(self) -> None:
        self._confirmed = None
        self._tell()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _save(self) -> None:
        typed = self.query_one(Input).value.strip()
        try:
            path = Path(typed).expanduser()
            trouble = self._trouble(typed, path)
            if not trouble:
                self._thing.write(path, self._form)
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: "~nobody"
            reason = error.strerror if isinstance(error, OSError) else None
            trouble = f"Not written: {reason or error}"
        if trouble:
            self._note(trouble)
            return
        self.app.notify(f"Written: {words.clean(path.absolute(), 200)}", markup=False)
        self.dismiss()

    def _trouble(self, typed: str, path: Path) -> str:
        """Why nothing is written yet; a file that is there has to be confirmed."""
        if not typed or is_folder(path):
            return "Where to? Type the name of a file."
        if not self._form:
            return f"Which format? End the name in {' or '.join('.' + form for form in self._thing.forms)}."
        if exists(path) and path != self._confirmed:
            self._confirmed = path
            return "There is such a file: ↵ replaces it · Esc back"
        return ""


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
