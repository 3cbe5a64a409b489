"""The bytes of a line that could not be used, without the credentials in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from ...queries.regular import NotRegularError, descriptor_of
from ...queries.sync import Reject
from .. import format as words
from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..kit.scrolling import Scroll
from . import text as told

MOST = 4096
"""Bytes that are shown."""

_AHEAD = 8192
"""Bytes that are read behind them: a credential that goes on there is still known for one."""

_WIDE = 84
"""Columns from which on the dump has room for sixteen bytes in a row; below, there are eight."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Bytes of a file, or why there are none."""

    data: bytes = b""
    trouble: str = ""


def read_excerpt(reject: Reject) -> Excerpt:
    """The first bytes of a reject, at most MOST. Nothing is raised: what goes wrong is told in words."""
    if "://" in reject.path:
        return Excerpt(trouble="A server answered this: there is no file to look into.")
    if PurePath(reject.path).name == "token.json":
        return Excerpt(trouble="This file holds a token: its bytes are not shown.")
    try:
        descriptor = descriptor_of(reject.path)
        try:
            os.lseek(descriptor, reject.pos, os.SEEK_SET)
            data = os.read(descriptor, min(reject.length or MOST + _AHEAD, MOST + _AHEAD))
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return Excerpt(trouble="The file is gone. What was read of it before stays.")
    except NotRegularError as odd:
        return Excerpt(trouble=f"This is {odd}.")
    except (OSError, ValueError) as error:
        return Excerpt(trouble=f"The file cannot be read: {getattr(error, 'strerror', None) or error}.")
    from ...ingest.redact import masked

    return (
        Excerpt(masked(data)[:MOST])
        if data
        else Excerpt(trouble="The file ends before this place: it was written anew since.")
    )


def escaped(data: bytes) -> str:
    """Bytes as text that is safe to show: whatever is not a printable character is told by its number."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() or char == "\n" else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def dumped(data: bytes, start: int, in_row: int) -> str:
    """Bytes as rows of offset, hexadecimal numbers and characters."""
    rows = []
    for at in range(0, len(data), in_row):
        row = data[at : at + in_row]
        chars = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        rows.append(f"{start + at:>11,}  {row.hex(' '):<{3 * in_row}} {chars}")
    return "\n".join(rows)


class RejectScreen(PopUp[None]):
    """What stands where a line could not be used, as text or as numbers."""

    DEFAULT_CSS = """
    RejectScreen { align: center middle; }
    RejectScreen > Vertical {
        width: 92%; max-width: 120; height: 85%; padding: 0 1; background: $surface; border: round $primary;
    }
    RejectScreen #about { height: auto; max-height: 6; color: $text-muted; margin-bottom: 1; }
    RejectScreen #bytes { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back"),
        Binding("v", "switch", "Text", tooltip="The bytes as text, or as numbers"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys that work here"),
    ]
    TITLE = "Reject"
    HELP = f"The bytes that could not be used, the first {MOST:,} of them, and why. All else in their file was read."

    class Read(Message):
        """The bytes, from the thread that read them."""

        def __init__(self, excerpt: Excerpt) -> None:
            super().__init__()
            self.excerpt = excerpt

    def __init__(self, reject: Reject) -> None:
        super().__init__()
        self._reject = reject
        self._excerpt: Excerpt | None = None
        self._as_text = True

    def compose(self) -> ComposeResult:
        """What it is about, the bytes, the keys."""
        with Vertical():
            yield Static(self._about(), id="about", markup=False)
            with Scroll(id="bytes"):
                yield Static("Reading…", id="dump", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Read in a thread: the disk may be slow."""
        self.query_one("#bytes").focus()
        self._read()

    def _about(self) -> Text:
        reject = self._reject
        where = f"byte {reject.pos:,}, {words.size(reject.length)} long" if reject.length else "the whole file"
        if reject.length > MOST:
            where += f"; its first {MOST:,} bytes"
        return Text(f"{words.clean(reject.reason)}\n{told.place(reject.path)}\n{where}")

    @work(thread=True, group="bytes")
    def _read(self) -> None:
        self.post_message(self.Read(read_excerpt(self._reject)))

    def on_reject_screen_read(self, message: Read) -> None:
        """Show what was read."""
        self._excerpt = message.excerpt
        self._show()

    def action_help(self) -> None:
        """The keys, in words."""
        from ..screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def action_switch(self) -> None:
        """Text, or numbers."""
        self._as_text = not self._as_text
        self._show()

    def _show(self) -> None:
        excerpt = self._excerpt
        if excerpt is not None:
            in_row = 16 if self.query_one("#bytes").size.width >= _WIDE else 8
            shown = escaped(excerpt.data) if self._as_text else dumped(excerpt.data, self._reject.pos, in_row)
            self.query_one("#dump", Static).update(Text(excerpt.trouble or shown, overflow="fold"))
