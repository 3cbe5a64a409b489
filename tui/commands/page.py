"""Answers as plain text: aligned columns, no colours, no wider than the terminal."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from .. import format as words
from .. import learnt, marks, terminal
from ..factories import filter_of, utc_now
from ..settings import Settings

PIPED_WIDTH = 100
"""Columns of a page that goes to no terminal."""


_GAP = 2


_LEAST = 24
"""Cells that a flexible column gets before others go, if it has so much to tell."""


_TINY = 8
"""Cells that it gets before columns without a rank go."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of a table. Where there is little room, those of the highest rank go, and the one flexible shrinks."""

    label: str
    right: bool = False
    flexible: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """How to tell an answer. `now` is UTC without a zone."""

    width: int
    zone: ZoneInfo
    now: dt.datetime
    cost: bool
    filtered: bool = False
    """Whether anything is left out by what was asked."""

    def nothing(self, things: str) -> str:
        """Why there are none of these: "No sessions yet.", and where something is filtered by, that it may be that."""
        return f"No {things} match these filters." if self.filtered else f"No {things} yet."

    def when(self, stamp: str | None) -> str:
        """A time of an answer."""
        return words.NONE if stamp is None else words.when(dt.datetime.fromisoformat(stamp), self.now, self.zone)

    def ago(self, stamp: str | None) -> str:
        """How long ago a time of an answer is."""
        return words.relative(None if stamp is None else dt.datetime.fromisoformat(stamp), self.now)

    def money(self, row: dict[str, Any]) -> str:
        """The cost in a row of an answer."""
        return marks.cost_of(row)

    def legends(self, rows: Sequence[dict[str, Any]], tokens: str = "total", responses: str = "responses") -> list[str]:
        """What the marks in rows of an answer mean, which have their tokens and responses under these names."""
        return marks.legends(
            undercounted=sum(row["undercounted"] for row in rows),
            responses=sum(row[responses] for row in rows),
            unpriced=sum(row["unpriced_tokens"] for row in rows) if self.cost else 0,
            tokens=sum(row[tokens] for row in rows),
            elsewhere=sum(row["billed_elsewhere_tokens"] for row in rows) if self.cost else 0,
        )


def table(columns: Sequence[TextColumn], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Rows under their labels, in lines of at most `width` cells."""
    from rich.cells import cell_len

    cleaned = [[words.clean(value) for value in row] for row in rows]
    wide = [max([cell_len(column.label), *(cell_len(row[n]) for row in cleaned)]) for n, column in enumerate(columns)]
    shown = list(range(len(columns)))

    def needed(least: int) -> int:
        return sum((min(wide[n], least) if columns[n].flexible else wide[n]) + _GAP for n in shown) - _GAP

    # TextColumns of a rank go before the flexible one gets tight; the others only when nothing else helps.
    for least, lowest in ((_LEAST, 1), (_TINY, 0)):
        while len(shown) > 1 and needed(least) > width:
            going = [n for n in shown if columns[n].rank >= lowest]
            if not going:
                break
            shown.remove(max(going, key=lambda n: (columns[n].rank, n)))
    room = max(1, width - needed(0))
    size = {n: min(wide[n], room) if columns[n].flexible else wide[n] for n in shown}
    lines = [[column.label for column in columns], *cleaned]
    return [(" " * _GAP).join(_padded(columns[n], line[n], size[n]) for n in shown).rstrip() for line in lines]


def _padded(column: TextColumn, text: str, width: int) -> str:
    from rich.cells import cell_len

    text = words.clean(text, width)
    blank = " " * max(0, width - cell_len(text))
    return blank + text if column.right else text + blank


def who_columns(rank: int) -> list[TextColumn]:
    """Columns of who told a row, as far as that differs in the store."""
    return [TextColumn(label, rank=rank) for label, _ in learnt.who(dict.fromkeys(("agent", "machine", "username")))]


def who_cells(row: Mapping[str, Any]) -> list[str]:
    """The cells of `who_columns` for a row of an answer."""
    return [value or words.NONE for _, value in learnt.who(row)]


def more_line(answer: dict[str, Any]) -> list[str]:
    """How to ask for what comes after an answer, if there is more."""
    cursor = answer["next_cursor"]
    return ["", f"More: --cursor-ts {cursor['timestamp']} --cursor-id {cursor['id']}"] if cursor else []


def page_of(settings: Settings, now: dt.datetime | None = None, *, filtered: bool = False) -> Page:
    """The page that a command writes. `now`: UTC without a zone, if another than this moment.

    `filtered`: the command itself was asked for a part only.
    """
    filtered = filtered or not filter_of(settings).is_open
    width = shutil.get_terminal_size().columns if terminal.shows_answers() else PIPED_WIDTH
    return Page(max(width, 40), ZoneInfo(settings.tz), now or utc_now(), not settings.no_cost, filtered)
