"""Every tab and view as plain text, for screen readers and pipes: no columns, no boxes, each number with its name.

The dashboard itself runs, without a terminal, and each view is told from its widgets: so is what a new view shows.
"""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget
from textual.worker import WorkerCancelled

from . import terminal
from .commands.answering import opened
from .dashboard import app_of
from .format import NONE, clean
from .kit.answer_table import AnswerTable
from .kit.cards import Cards
from .kit.cursor_canvas import Pointed
from .kit.key_bar import KeyBar
from .kit.state import PaneState
from .kit.table import RecordTable
from .kit.view_strip import ViewStrip
from .marks import AT_LEAST, UNPRICED
from .ranges import range_named
from .settings import BadSetting, Settings
from .tabs import TABS, Tab
from .views import HasViews

if TYPE_CHECKING:
    from .app import AgnesStats

SIZE = (220, 70)
"""Of the screen that nobody sees: wide enough for every column."""
MOST_ROWS = 50
"""Rows of a table that are told; more are counted."""

_ART = re.compile("[─-▟■-▬▮-◁◈-◉◌-●◐-◿⠀-⣿╵]+")
"""Boxes, bars, trends and bullets."""
_IN_WORDS = {
    "●": "runs",
    "◆": "waits",
    "✓": "well",
    "✗": "failed",
    # In a line that explains the marks they stand alone.
    f"{AT_LEAST} lower bound": "lower bound",
    f"{UNPRICED} no known price": "no known price",
    f"{AT_LEAST} in ": "lower bound in ",
    f"{UNPRICED} in ": "without a price in ",
    AT_LEAST: "at least ",
    UNPRICED: " and some without a price",
    "⇗": "(another AI)",
    "▸": "",
    "▾": "",
    "▴": "",
    "○": "",
    "◌": "",
    "↵": "Enter",
    "⏎": "Enter",
}
"""Marks that stand for words."""
_BLANKS = re.compile(r"\s{2,}")


def plain(given: argparse.Namespace, settings: Settings) -> int:
    """Write all views, or those that were asked for; the exit status. Raises BadSetting for an unknown view."""
    if given.demo:
        raise BadSetting("--demo needs a terminal")
    asked = (given.view or "").lower()
    chosen = [tab for tab in TABS if settings.tab in (None, tab.name)]
    with opened(settings, quiet=True):
        # From now on all that is on disk is in the store.
        pass
    days = None if settings.range is None else range_named(settings.range)
    app = app_of(replace(settings, no_ingest=True, tab=chosen[0].name, range=None), days=days, prepares=False)
    # What it has found is written afterwards: a busy machine takes longer than the end of a program may.
    app.ends_program = False
    told: list[str] = []
    names: list[str] = []

    async def look(pilot: Pilot[Any]) -> None:
        try:
            names.extend(title for tab in chosen for _, title in _views(app, tab))
            told.extend(await _told(app, pilot, chosen, asked))
        finally:
            app.exit(0)

    status = app.run(headless=True, size=SIZE, auto_pilot=look)
    if not told and asked:
        raise BadSetting(f"--view: no view is called {given.view!r}; there are {', '.join(names)}")
    terminal.lines(told)
    return status or app.return_code or 0


def _views(app: AgnesStats, tab: Tab) -> list[tuple[str, str]]:
    made = app.made_tab(tab.name)
    return made.views if isinstance(made, HasViews) else [("", tab.title)]


async def _told(app: AgnesStats, pilot: Pilot[Any], tabs: Sequence[Tab], asked: str) -> list[str]:
    lines: list[str] = []
    for tab in tabs:
        for name, title in _views(app, tab):
            if asked and asked not in (name.lower(), title.lower()):
                continue
            await app.go(tab.name, name)
            await _settled(pilot)
            heading = tab.title if title == tab.title else f"{tab.title}, {title}"
            lines += [
                *([""] if lines else []),
                f"# {heading}",
                *map(said, app.filter_in_words()),
                *in_words(app.active_tab),
            ]
    return lines


async def _settled(pilot: Pilot[Any]) -> None:
    """Wait until no question is open and what came of them is on the screen."""
    app = pilot.app
    while True:
        await pilot.pause()
        asking = [worker for worker in app.workers if not worker.is_finished]
        if not asking:
            return
        with contextlib.suppress(WorkerCancelled):
            await app.workers.wait_for_complete(asking)


def in_words(root: Widget) -> list[str]:
    """What is on the screen below a widget, from top to bottom."""
    return [line for widget in _seen(root) for line in _spoken(widget)]


def _seen(root: Widget) -> Iterator[Widget]:
    """The widgets that are shown and tell something of their own."""
    for child in root.children:
        if not child.display or not child.size or isinstance(child, ViewStrip | KeyBar):
            continue
        if child.border_title or not [each for each in child.children if each.display] or _tells_itself(child):
            yield child
        if not _tells_itself(child):
            yield from _seen(child)


def _tells_itself(widget: Widget) -> bool:
    return isinstance(widget, RecordTable | AnswerTable | Pointed | Cards | PaneState)


def _spoken(widget: Widget) -> list[str]:
    heading = [f"## {said(str(widget.border_title))}"] if widget.border_title else []
    if isinstance(widget, RecordTable):
        return [*heading, *_rows(widget)]
    if isinstance(widget, AnswerTable):
        rows = widget.table.rows[:MOST_ROWS]
        return [*heading, *(_row(zip(widget.table.columns, map(str, row), strict=True)) for row in rows)]
    if isinstance(widget, Pointed | Cards):
        return [*heading, *map(said, widget.in_words())]
    if any(child.display for child in widget.children):
        return heading
    width, height = widget.size
    lines = ["".join(part.text for part in line) for line in widget.render_lines(Region(0, 0, width, height))]
    title = said(str(widget.border_title or ""))
    return [*heading, *(line for line in map(said, lines) if line not in ("", title))]


def _rows(table: RecordTable) -> list[str]:
    labels = table.labels
    told = []
    for record in table.records[:MOST_ROWS]:
        cells = [(labels[key], str(cell)) for key, cell in record.cells.items() if cell and key in labels]
        told.append(_row(cells))
    more = table.total - len(told)
    return [*told, *([f"and {more:,} more"] if more > 0 else [])]


def _row(cells: Any) -> str:
    told = [(said(label), said(text)) for label, text in cells]
    return "; ".join(f"{label}: {text}" if label else text for label, text in told if text and text != NONE)


def said(text: str) -> str:
    """A text without what is drawn, and with words for marks."""
    for mark, word in _IN_WORDS.items():
        text = text.replace(mark, word)
    parts = (clean(part).strip(" ·") for part in _BLANKS.split(_ART.sub("  ", text)))
    return ", ".join(part for part in parts if part)
