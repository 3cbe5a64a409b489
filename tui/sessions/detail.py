"""One session: what it took, and what happened in it, prompt by prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Group
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from ...queries import session_detail as queries
from ...queries import steps as step_queries
from ...queries.session_detail import SessionDetail
from ...queries.steps import Step
from ...queries.store import StoreError
from ...queries.tokens import TokenSums, totals
from .. import format as words
from ..kit.key_bar import KeyBar
from ..kit.palette import text_styles
from ..kit.state import PaneState
from ..kit.table import Record, RecordTable
from ..typed_app import OnDashboard
from . import text as told
from .activity import COLUMNS, ActivityView, Node, records, turn_key
from .facts import facts_lines, facts_page, headline, origin_page

if TYPE_CHECKING:
    from ...queries.store import Reader


_STEPS = 200
"""Entries below one prompt or sub-agent at first, and so many more each time."""
_ENTRIES = 1000
"""About how many entries unfolding everything shows."""
_FEW = 40
"""A session with no more tool calls than this opens unfolded."""

_ABOUT = ("failures", "copy_id", "show_file")
"""Actions that are about a session that is there."""

_TONES = {"error": "error", "failed": "error", "denied": "warning", "running": "success", "ok": "", "completed": ""}


@dataclass(frozen=True, slots=True)
class _Answer:
    detail: SessionDetail | None
    steps: list[Step]
    opened: dict[str, int]
    """What came unfolded by itself, and how many steps of each were asked for."""
    left: TokenSums | None = None
    """What the filters leave of the session."""


class _Loaded(Message):
    def __init__(self, answer: _Answer) -> None:
        super().__init__()
        self.answer = answer


class _Failed(Message):
    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class ActivityTable(RecordTable):
    """The prompts of a session, and below each what was done for it."""

    DEFAULT_CSS = """
    ActivityTable:focus { background-tint: transparent; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Fold", tooltip="Unfold or fold a prompt or a sub-agent"),
        Binding("space", "select_cursor", show=False),
        Binding("right", "screen.unfold", show=False),
        Binding("left", "screen.fold", show=False),
    ]


class SessionScreen(OnDashboard, ModalScreen[None]):
    """The details of a session. `refresh_data` brings them up to date."""

    HELP = "Each prompt with its tool calls, sub-agents and events. A call's time includes waiting for permission."
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (130, "-roomy")]  # noqa: RUF012
    DEFAULT_CSS = """
    SessionScreen {
        background: $background;
        #session-facts { height: auto; max-height: 9; padding: 0 1; border-bottom: solid $foreground 20%; }
        #session-side { width: 48; padding: 0 1 0 2; border-left: solid $foreground 20%; display: none; }
        #session-pointed { height: 2; padding: 0 1; color: $text-muted; background: $surface; }
        Footer { dock: bottom; background: $panel; }
        &.-roomy #session-facts { max-height: 1; border: none; }
        &.-roomy #session-side { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", key_display="esc"),
        Binding("x", "failures", "Failures", tooltip="Only what failed, was denied or interrupted, or all"),
        Binding("a", "unfold_all", "Unfold all", tooltip="Unfold all prompts, or fold them"),
        Binding("y", "copy_id", "Copy id", tooltip="Copy the session's id"),
        Binding("o", "show_file", "File", tooltip="Show where the session's file is"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys that work here"),
    ]
    TITLE = "Session"

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self._session_id = session_id
        self._answer = _Answer(None, [], {})
        self._unfolded: dict[str, int] = {}
        """Which entries are unfolded, and how many steps of each are asked for."""
        self._failed = False
        self._known_turns: set[str] | None = None
        self._busy = False
        self._dirty = False
        self._follows = True
        """Whether the cursor is to stay on the last entry of a running session."""
        self._is_filled = False
        """Whether an entry was under the cursor yet: the list is filled only when it has a size."""

    def compose(self) -> ComposeResult:
        """Facts above or beside the list, the whole text of the entry under the cursor, and the keys."""
        yield PaneState("Loading the session…")
        yield Static(id="session-facts", markup=False)
        with Horizontal(id="session-body"):
            with Vertical():
                yield ActivityTable(self._columns())
                yield Static(id="session-pointed", markup=False)
            with VerticalScroll(id="session-side", can_focus=False):
                yield Static(id="session-page", markup=False)
        yield KeyBar()

    def _columns(self) -> list[Any]:
        hidden = {"cost"} if self.dashboard.settings.no_cost else set()
        return [column for column in COLUMNS if column.key not in hidden]

    def on_mount(self) -> None:
        """Ask for the session."""
        self._state("loading", "Loading the session…")
        self.set_interval(1.0, self._tick)
        self.refresh_data()

    # -- asking --------------------------------------------------------------------------------------------------

    def refresh_data(self) -> None:
        """The session may have changed: ask again."""
        self._dirty = True
        if not self._busy:
            self._ask()

    def _ask(self) -> None:
        self._dirty, self._busy = False, True
        self._load(dict(self._unfolded), self._failed, self._known_turns)

    @work(thread=True, group="session", exit_on_error=False)
    def _load(self, unfolded: dict[str, int], failed: bool, known: set[str] | None) -> None:
        app = self.dashboard
        try:
            with app.store.read() as connection:
                detail = queries.session_detail(connection, self._session_id, now=app.now())
                steps, opened = self._steps(connection, detail, unfolded, failed, known)
                left = totals(connection, app.chosen.but(session_id=self._session_id, text=""))
        except StoreError as error:
            self.post_message(_Failed(str(error)))
            return
        self.post_message(_Loaded(_Answer(detail, steps, opened, left)))

    @staticmethod
    def _steps(
        connection: Reader,
        detail: SessionDetail | None,
        unfolded: dict[str, int],
        failed: bool,
        known: set[str] | None,
    ) -> tuple[list[Step], dict[str, int]]:
        if detail is None:
            return [], {}
        opened = _opened(detail, known)
        parents = dict.fromkeys(_failing(detail), _STEPS) if failed else unfolded | opened
        return step_queries.steps(connection, detail, parents, failed=failed), opened

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A question that broke stays a matter of this screen."""
        if event.worker.group == "session" and event.state is WorkerState.ERROR:
            error = event.worker.error
            self.post_message(_Failed(f"{type(error).__name__}: {error}"))

    @on(_Failed)
    def _say_failed(self, message: _Failed) -> None:
        self._busy = False
        self._state("failed", f"Could not load the session: {message.reason}. Press Escape to go back.")

    @on(_Loaded)
    def _take(self, message: _Loaded) -> None:
        self._busy = False
        self._answer = message.answer
        detail = message.answer.detail
        if detail is None:
            self._state("empty", "This session is not in the store any more. Press Escape to go back.")
            return
        self.refresh_bindings()
        self._unfolded |= message.answer.opened
        self._known_turns = {turn.id for turn in detail.turns}
        first = not self.query_one("#session-body").display
        self._state("ready", "")
        with self.app.batch_update():
            self._show()
        if first:
            self.query_one(ActivityTable).focus()
        if self._dirty:
            self._ask()

    def _state(self, mode: str, sentence: str) -> None:
        self.query_one(PaneState).set(mode, sentence)
        for name in ("#session-facts", "#session-body"):
            self.query_one(name).display = mode == "ready"

    # -- showing -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        app, detail = self.dashboard, self._answer.detail
        if detail is None:
            return
        now, cost, left = app.now(), not app.settings.no_cost, self._answer.left
        lines = facts_lines(detail, now, app.zone, cost=cost, left=left)
        self.query_one("#session-facts", Static).update(headline(detail.session) if self.has_class("-roomy") else lines)
        self.query_one("#session-page", Static).update(
            Group(
                facts_page(detail, now, app.zone, cost=cost, left=left, styles=text_styles(self.app.theme_variables)),
                Text(),
                origin_page(detail),
            )
        )
        self._list()

    def _list(self) -> None:
        detail, app = self._answer.detail, self.dashboard
        if detail is None:
            return
        table = self.query_one(ActivityTable)
        unfolded = _failing(detail) if self._failed else set(self._unfolded)
        view = ActivityView(detail, self._answer.steps, unfolded, self._failed, app.now(), app.zone, self._styles())
        table.show(records(view))
        self._follow()

    def _follow(self) -> None:
        """Who looks at the end of a running session wants to see what comes."""
        table, detail = self.query_one(ActivityTable), self._answer.detail
        if self._follows and detail is not None and detail.session.is_live and table.row_count:
            table.move_cursor(row=table.row_count - 1)

    def _styles(self) -> dict[str, str]:
        styles = text_styles(self.app.theme_variables)
        quiet = {"ok": "dim", "completed": "dim", "interrupted": "dim"}
        return {status: styles[name] for status, name in _TONES.items() if name} | quiet

    def _tick(self) -> None:
        detail = self._answer.detail
        if detail is not None and detail.threads.running:
            self._list()

    def on_resize(self) -> None:
        """Another width has room for other facts."""
        self.call_after_refresh(self._show)

    @on(RecordTable.RecordHighlighted)
    def _point(self, message: RecordTable.RecordHighlighted) -> None:
        table = self.query_one(ActivityTable)
        if self._is_filled:
            self._follows = table.cursor_row == table.row_count - 1
        else:
            self._is_filled = True
            self._follow()
        node = message.record.data if message.record else None
        text = node.text if isinstance(node, Node) else ""
        self.query_one("#session-pointed", Static).update(Text(words.clean(text)))

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def _node(self) -> Node | None:
        record = self.query_one(ActivityTable).selected
        return record.data if record is not None and isinstance(record.data, Node) else None

    @on(RecordTable.RecordSelected)
    def _toggle(self, message: RecordTable.RecordSelected) -> None:
        node = message.record.data
        if not isinstance(node, Node):
            return
        if node.kind == "more":
            self._unfolded[node.owner] = self._unfolded.get(node.owner, _STEPS) + _STEPS
            self.refresh_data()
        elif node.key in self._unfolded:
            self.action_fold()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        """Show what is below the entry under the cursor."""
        node = self._node
        if node is not None and node.key and node.key not in self._unfolded and not self._failed:
            self._unfolded[node.key] = _STEPS
            self.refresh_data()

    def action_fold(self) -> None:
        """Hide what is below the entry under the cursor; on an entry without anything below, go to the one above."""
        node, table = self._node, self.query_one(ActivityTable)
        if node is None or self._failed:
            return
        if node.key in self._unfolded:
            del self._unfolded[node.key]
            self._list()
        elif node.owner:
            owner = next((record.key for record in table.records if _key_of(record) == node.owner), "")
            table.select(owner)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key does anything now: what failed is shown unfolded."""
        known = self._answer.detail is not None
        return known and not self._failed if action == "unfold_all" else known or action not in _ABOUT

    def action_unfold_all(self) -> None:
        """Unfold every prompt; once more folds them all."""
        detail = self._answer.detail
        if detail is None or self._failed:
            return
        keys = [turn_key(turn) for turn in detail.turns]
        if all(key in self._unfolded for key in keys):
            self._unfolded.clear()
            self._list()
        else:
            each = max(5, min(_STEPS, _ENTRIES // max(1, len(keys))))
            self._unfolded |= {key: each for key in keys if key not in self._unfolded}
            self.refresh_data()

    def action_failures(self) -> None:
        """Only what failed, or all."""
        self._failed = not self._failed
        self.refresh_bindings()
        self.refresh_data()

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        told.copy_id(self.app, self._session_id)

    def action_show_file(self) -> None:
        """Where the session's file is."""
        if self._answer.detail is not None:
            told.show_file(self.app, self._answer.detail.session)

    def action_help(self) -> None:
        """All keys, in words."""
        from ..screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))


def _opened(detail: SessionDetail, known: set[str] | None) -> dict[str, int]:
    """What unfolds by itself: a short session whole, of a running one the last prompt, and those that follow it."""
    turns = detail.turns
    if known is not None:
        turns = [turn for turn in turns if turn.id not in known] if detail.session.is_live else []
    elif detail.session.tool_calls_total > _FEW:
        turns = turns[-1:] if detail.session.is_live else []
    return {turn_key(turn): _STEPS for turn in turns}


def _failing(detail: SessionDetail) -> set[str]:
    return {turn_key(turn) for turn in detail.turns if turn.errors or turn.notes}


def _key_of(record: Record) -> str:
    return record.data.key if isinstance(record.data, Node) else ""
