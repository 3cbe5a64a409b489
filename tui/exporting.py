"""What can be exported: the tables and charts that are on the screen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme
from textual.geometry import Region
from textual.widget import Widget

from ..queries.console import Table
from ..queries.export import FORMATS, fields_of, save, table_of
from ..queries.replaced import replace_text
from .format import clean, rows
from .kit.answer_table import AnswerTable
from .kit.captioned_table import Listing
from .kit.cursor_canvas import Pointed
from .kit.sections import Section
from .kit.table import RecordTable
from .ranges import day_at
from .tokens.records import TokenTable

if TYPE_CHECKING:
    from .app import AgnesStats

# Rich's frame for pictures names a font on the network; whoever looks at one has a font of their own.
_WEB_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can become a file: its name, more about it, the formats, and who writes it.

    `write` takes the path and the format; it raises OSError.
    """

    name: str
    about: str
    forms: tuple[str, ...]
    write: Callable[[Path, str], None]


def offer(app: AgnesStats, root: Widget, stem: str) -> None:
    """Open the dialog over what is on the screen below `root`; files are named after `stem`, the thing and the day."""
    from .screens.export import ExportScreen

    focused = app.focused
    found = [widget for widget in _on_screen(root) if not (isinstance(widget, RecordTable) and not widget.records)]
    if not found:
        app.notify("There is nothing to export here yet.", markup=False)
        return
    things = [_thing(widget, root) for widget in found]
    today = day_at(app.now(), app.zone)
    app.push_screen(ExportScreen(things, _focused(found, focused), stem, today))


def _focused(found: Sequence[Widget], focused: Widget | None) -> int:
    """What has the focus, or is in what has it; else the first table, else the first chart."""
    near = (at for at, widget in enumerate(found) if focused in widget.ancestors_with_self)
    return next(near, _first(found))


def _first(found: Sequence[Widget]) -> int:
    return next((at for at, widget in enumerate(found) if not isinstance(widget, Pointed)), 0)


def _on_screen(root: Widget) -> list[Widget]:
    return [
        widget
        for widget in root.query("*").results(Widget)
        if isinstance(widget, RecordTable | AnswerTable | Pointed) and widget.is_on_screen and widget.region.area
    ]


def _thing(widget: Widget, root: Widget) -> Thing:
    name = _name(widget) or (root.id or "").capitalize()
    if isinstance(widget, Pointed):

        def draw(path: Path, form: str) -> None:  # noqa: ARG001
            replace_text(path, svg(widget, name))

        return Thing(name, "chart", ("svg",), draw)
    table = rows_of(widget) if isinstance(widget, RecordTable) else _answer(widget)
    told = rows(len(table.rows))
    return Thing(name, f"{told}, there are more" if table.truncated else told, FORMATS, _writer(table))


def _answer(widget: Widget) -> Table:
    assert isinstance(widget, AnswerTable)
    return widget.table


def _writer(table: Table) -> Callable[[Path, str], None]:
    return lambda path, form: save(table, path, form)


def _name(widget: Widget) -> str:
    """What is written over it; of a table among others the first column, else its id."""
    if widget.border_title:
        return clean(str(widget.border_title), 60)
    if isinstance(widget.parent, Section):
        return clean(widget.parent.heading, 60)
    if isinstance(widget, TokenTable):
        return clean(widget.first_label, 60)
    named = widget.parent if isinstance(widget.parent, Listing) else widget
    return (named.id or "").replace("-", " ").capitalize()


def rows_of(table: RecordTable) -> Table:
    """The records of a table with what they are about, as the store has it; without that, what the screen shows."""
    told = [fields_of(record.data if record.raw is None else record.raw) for record in table.records]
    known = [row for row in told if row is not None]
    if not known:
        known = [{key: str(cell or "") for key, cell in record.cells.items()} for record in table.records]
    made = table_of(known)
    return Table(made.columns, made.types, made.rows, truncated=table.total > len(table.records), seconds=0.0)


def svg(widget: Widget, title: str) -> str:
    """What a widget shows, as a picture in its colours."""
    width, height = widget.outer_size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    segments: list[Segment] = []
    for line in widget.render_lines(Region(0, 0, width, height)):
        segments += [*line, Segment.line()]
    console.print(Segments(segments), end="")
    behind = widget.background_colors[1]
    ink = behind.get_contrast_text(1.0)
    black = (0, 0, 0)
    theme = TerminalTheme(behind.rgb, ink.rgb, [black] * 8, [black] * 8)
    return console.export_svg(title=clean(title, width), theme=theme, code_format=_frame())


def _frame() -> str:
    from rich._export_format import CONSOLE_SVG_FORMAT

    return _WEB_FONT.sub("", CONSOLE_SVG_FORMAT)
