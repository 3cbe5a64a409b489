"""One data access in full: what is known of it, its error, its SQL and its command."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content

from ...queries.access import AccessRow
from ..format import block, clean
from ..kit.lines import StillText
from ..kit.scrolling import Scroll
from . import text as told
from .text import AccessLook

_MOST_LINES = 400


def code(text: str, language: str) -> Content:
    """A text of a language as harmless lines, in the theme's colours for code."""
    # Pygments takes its time to load, and is needed only where there is code to show.
    from textual.highlight import highlight

    return highlight(block(text, max_lines=_MOST_LINES), language=language)


class AccessDetail(Scroll):
    """Shows one access; nothing without one."""

    DEFAULT_CSS = """
    AccessDetail { height: auto; padding: 0 1; scrollbar-size-vertical: 1; }
    AccessDetail > Static { height: auto; }
    AccessDetail > .error { color: $text-error; margin-top: 1; }
    AccessDetail > .code { margin-top: 1; }
    AccessDetail.-tight > .error, AccessDetail.-tight > .code { margin-top: 0; }
    """

    def compose(self) -> ComposeResult:
        """Facts, error, SQL, command."""
        yield StillText(classes="facts", markup=False)
        yield StillText(classes="error", markup=False)
        yield StillText(classes="code sql", markup=False)
        yield StillText(classes="code command", markup=False)

    def show_access(self, row: AccessRow | None, look: AccessLook, *, all_facts: bool = True) -> None:
        """Show an access; without `all_facts` only the first lines of what is known of it."""
        facts, error, sql, command = self.query(StillText)
        # Where a command only carries its query, the query is enough, unless there is room for all.
        is_told = row is not None and bool(row.command) and (all_facts or not row.sql)
        for part, shown in (
            (error, row is not None and bool(row.error)),
            (sql, row is not None and bool(row.sql)),
            (command, is_told),
        ):
            part.display = shown
        if row is None:
            facts.update("")
            return
        lines = told.facts(row, look)
        facts.update(Text("\n").join(lines if all_facts else lines[:2]))
        if row.error:
            error.update(Text(clean(row.error)))
        if row.sql:
            sql.update(code(row.sql, "sql"))
        if row.command and is_told:
            command.update(code(row.command, "bash"))
        self.scroll_home(animate=False)
