"""The session under the cursor, beside the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.worker import Worker, WorkerState

from ...queries.store import StoreError
from .. import format as words
from .. import marks
from ..kit.lines import StillText
from ..kit.palette import text_styles
from ..live_states import told_states
from .facts import facts_page, headline, origin_page

if TYPE_CHECKING:
    from ...queries.session_detail import SessionDetail, Turn
    from ...queries.tokens import TokenSums
    from ..app import AgnesStats

_TURNS = 100
"""The latest prompts that are listed."""


_LOADING = "◌  Loading the session…"


class SessionSide(VerticalScroll, can_focus=False):
    """Facts and prompts of one session; asks for itself, one question at a time, always for the latest wish."""

    DEFAULT_CSS = """
    SessionSide { width: 62; padding: 0 1 0 2; border-left: solid $foreground 20%; }
    """

    class Loaded(Message):
        """The session's details; None if it is gone."""

        def __init__(self, detail: SessionDetail | None, left: TokenSums) -> None:
            super().__init__()
            self.detail = detail
            self.left = left

    class Failed(Message):
        """Why they could not be loaded."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self) -> None:
        super().__init__()
        self._wanted: str | None = None
        self._busy = False
        self._dirty = False
        self._is_empty = False

    def compose(self) -> ComposeResult:
        """One text."""
        yield StillText(_LOADING, markup=False)

    @property
    def _dashboard(self) -> AgnesStats:
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def show_session(self, session_id: str | None) -> None:
        """Show this session as soon as it is loaded; None for nothing."""
        self._wanted = session_id
        self._dirty = True
        was_empty, self._is_empty = self._is_empty, session_id is None
        if session_id is None:
            # All of the screen is laid out anew for another text, also where that is hidden.
            if not was_empty:
                self.query_one(StillText).update("")
            return
        if was_empty:
            self.query_one(StillText).update(_LOADING)
        if not self._busy:
            self._ask()

    def _ask(self) -> None:
        if self._wanted is not None:
            self._dirty, self._busy = False, True
            self._load(self._wanted)

    @work(thread=True, group="side", exit_on_error=False)
    def _load(self, session_id: str) -> None:
        from ...queries.session_detail import session_detail
        from ...queries.tokens import totals

        app = self._dashboard
        try:
            with app.store.read() as connection:
                detail = session_detail(connection, session_id, now=app.now(), told=told_states(app.settings).processes)
                left = totals(connection, app.chosen.but(session_id=session_id, text=""))
        except StoreError as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Loaded(detail, left))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A question that broke stays a matter of this panel."""
        event.stop()
        if event.state is WorkerState.ERROR:
            self.post_message(self.Failed(f"{type(event.worker.error).__name__}: {event.worker.error}"))

    @on(Failed)
    def _say_failed(self, message: Failed) -> None:
        message.stop()
        self._busy = False
        self.query_one(StillText).update(Text(words.clean(f"Could not load this session: {message.reason}")))

    @on(Loaded)
    def _show(self, message: Loaded) -> None:
        message.stop()
        self._busy = False
        detail = message.detail
        if detail is not None and detail.session.session_id == self._wanted:
            app = self._dashboard
            cost = not app.settings.no_cost
            styles = text_styles(self.app.theme_variables)
            page = facts_page(detail, app.now(), app.zone, cost=cost, left=message.left, styles=styles)
            prompts: list[RenderableType] = [_prompts(detail.turns, cost=cost), Text()] if detail.turns else []
            self.query_one(StillText).update(
                Group(headline(detail.session), Text(), page, Text(), *prompts, origin_page(detail))
            )
        if self._dirty:
            self._ask()


def _prompts(turns: list[Turn], *, cost: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False, expand=True)
    table.add_column("Prompt", overflow="ellipsis", no_wrap=True, ratio=1)
    for label in ("Took", "Tools", "Err", *(["Cost"] if cost else [])):
        table.add_column(label, justify="right", no_wrap=True)
    shown = turns[-_TURNS:]
    if len(turns) > len(shown):
        table.add_row(Text(f"… {words.plural(len(turns) - len(shown), 'earlier prompt')}", "dim"))
    for turn in shown:
        text = f"/{turn.text}" if turn.kind == "command" else turn.text or "before the first prompt"
        table.add_row(
            Text(words.clean(text)),
            words.duration(turn.seconds) if turn.seconds else "",
            words.count(turn.calls) if turn.calls else "",
            words.count(turn.errors) if turn.errors else "",
            *([marks.cost(turn) if turn.responses else ""] if cost else []),
        )
    return table
