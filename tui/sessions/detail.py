"""One session: what it took, and what happened in it, prompt by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Group
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.worker import Worker, WorkerState

from ...queries import context_story, timeline, whereabouts
from ...queries import session_detail as queries
from ...queries import steps as step_queries
from ...queries.context_story import ContextStory
from ...queries.produced import Produced, produced
from ...queries.session_detail import SessionDetail
from ...queries.steps import Step
from ...queries.store import StoreError
from ...queries.timeline import TimelineMoment
from ...queries.tokens import TokenSums, totals
from ...queries.whereabouts import Relative
from .. import format as words
from .. import paging
from ..kit.key_bar import KeyBar
from ..kit.lines import StillText
from ..kit.palette import text_styles
from ..kit.pop_up import PopUp
from ..kit.seconds import Seconds
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..live_states import told_states
from ..typed_app import OnDashboard
from . import text as told
from .facts import facts_lines, facts_page, headline, kin_lines, left_behind_line, origin_page, produced_lines
from .resuming import resume_command
from .strip import LEGEND, time_strip
from .tree import COLUMNS, Head, Node, TreeView, agents_below, records, tones, turn_key

if TYPE_CHECKING:
    from ...queries.store import Reader


_STEPS = 200
"""Entries below one prompt or sub-agent at first, and so many more each time."""
_ENTRIES = 1000
"""About how many entries unfolding everything shows."""
_FRAME = 9
"""Lines of the screen that the list does not have, at least."""

_ABOUT = ("failures", "copy_id", "copy_file", "copy_resume", "whole_text")
"""Actions that are about a session that is there."""


@dataclass(frozen=True, slots=True)
class _Answer:
    detail: SessionDetail | None
    steps: list[Step]
    opened: dict[str, int]
    """What came unfolded by itself, and how many steps of each were asked for."""
    left: TokenSums | None = None
    """What the filters leave of the session."""
    story: ContextStory | None = None
    moments: Sequence[TimelineMoment] = ()
    origin: Relative | None = None
    """What the session began as a copy of."""
    copies: Sequence[Relative] = ()
    left_behind: Produced | None = None


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
    GROWS_BELOW: ClassVar[bool] = True
    SORTS: ClassVar[bool] = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Fold", tooltip="Unfold or fold a prompt or a sub-agent"),
        Binding("space", "select_cursor", show=False),
        Binding("right", "screen.unfold", show=False),
        Binding("left", "screen.fold", show=False),
    ]


class SessionScreen(OnDashboard, PopUp[None]):
    """The details of a session. `refresh_data` brings them up to date."""

    HELP = "Each prompt with its tool calls, sub-agents and events. A call's time includes waiting for permission."
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (130, "-roomy")]  # noqa: RUF012
    DEFAULT_CSS = """
    SessionScreen {
        background: $background;
        #session-time { height: auto; padding: 0 1; }
        #session-facts { height: auto; max-height: 10; padding: 0 1; border-bottom: solid $foreground 20%; }
        #session-side { width: 50; padding: 0 1 0 2; border-left: solid $foreground 20%; display: none; }
        #session-pointed { height: 2; padding: 0 1; color: $text-muted; background: $surface; }
        KeyBar { dock: bottom; background: $panel; }
        &.-medium #session-facts { max-height: 4; }
        &.-short #session-facts, &.-flat #session-facts { max-height: 1; border: none; }
        &.-short #session-time, &.-flat #session-time, &.-short #session-pointed, &.-flat #session-pointed {
            display: none;
        }
        &.-roomy #session-facts { max-height: 1; border: none; }
        &.-roomy #session-side { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back"),
        Binding("x", "failures", "Results", tooltip="Only what failed, was denied or interrupted, or all"),
        Binding("a", "unfold_all", "Unfold all", tooltip="Unfold all prompts and sub-agents, or fold them"),
        Binding("y", "copy_id", "Copy", tooltip="Copy the session's id"),
        Binding("f", "copy_file", "File", tooltip="Copy the path of the session's file"),
        Binding("c", "copy_resume", "Copy resume", tooltip="Copy the command that resumes the session"),
        Binding("v", "whole_text", "Text", tooltip="The whole text of the entry, in your pager"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys that work here"),
    ]
    TITLE = "Session"

    def __init__(self, session_id: str, at: str | None = None) -> None:
        """`at`: the id of a prompt, call or event that is to be under the cursor at first."""
        super().__init__()
        self._session_id = session_id
        self._at = at
        self._answer = _Answer(None, [], {})
        self._unfolded: dict[str, int] = {}
        """Which entries are unfolded, and how many steps of each are asked for."""
        self._failed = False
        self._folded = 0
        """How often somebody folded or unfolded something: what that brings into the list is not new."""
        self._asked_folded = self._told_folded = 0
        self._known_turns: set[str] | None = None
        self._busy = False
        self._dirty = False
        self._follows = True
        """Whether the cursor is to stay on the last entry of a running session."""
        self._seconds: Seconds | None = None
        self._is_filled = False
        """Whether an entry was under the cursor yet: the list is filled only when it has a size."""

    def compose(self) -> ComposeResult:
        """Facts above or beside the list, the whole text of the entry under the cursor, and the keys."""
        yield PaneState("Loading the session…")
        yield StillText(id="session-facts", markup=False)
        yield StillText(id="session-time", markup=False)
        with Horizontal(id="session-body"):
            with Vertical():
                yield ActivityTable(self._columns())
                yield StillText(id="session-pointed", markup=False)
            with VerticalScroll(id="session-side", can_focus=False):
                yield StillText(id="session-page", markup=False)
        yield KeyBar()

    def _columns(self) -> list[Any]:
        hidden = {"cost"} if self.dashboard.settings.no_cost else set()
        columns = [column for column in COLUMNS if column.key not in hidden]
        return [*columns[:-3], Column("context", "Context", 8, "right", min_screen=88), *columns[-3:]]

    def on_mount(self) -> None:
        """Ask for the session."""
        self._state("loading", "Loading the session…")
        self._seconds = Seconds(self, lambda: self._grows, self._list)
        self.refresh_data()

    # -- asking --------------------------------------------------------------------------------------------------

    def refresh_data(self) -> None:
        """The session may have changed: ask again."""
        self._dirty = True
        if not self._busy:
            self._ask()

    def _ask(self) -> None:
        self._dirty, self._busy = False, True
        self._asked_folded = self._folded
        self._load(dict(self._unfolded), self._failed, self._known_turns, self.size.height - _FRAME, self._at)

    @work(thread=True, group="session", exit_on_error=False)
    def _load(self, unfolded: dict[str, int], failed: bool, known: set[str] | None, room: int, at: str | None) -> None:
        app = self.dashboard
        try:
            with app.costs.asking("Session"), app.store.read() as connection:
                detail = queries.session_detail(
                    connection, self._session_id, now=app.now(), told=told_states(app.settings).processes
                )
                if detail is not None and at is not None:
                    for key, most in step_queries.way_to(connection, detail, at).items():
                        unfolded[key] = max(most, unfolded.get(key, _STEPS))
                steps, opened = self._steps(connection, detail, unfolded, failed, known, room)
                opened |= unfolded if at is not None else {}
                left = totals(connection, app.chosen.but(session_id=self._session_id, text=""))
                answer = _Answer(
                    detail,
                    steps,
                    opened,
                    left,
                    context_story.story_of(connection, detail.session) if detail is not None else None,
                    timeline.moments(connection, self._session_id),
                    whereabouts.origin_of(connection, self._session_id),
                    whereabouts.copies_of(connection, self._session_id),
                    produced(connection, self._session_id),
                )
        except StoreError as error:
            self.post_message(_Failed(str(error)))
            return
        self.post_message(_Loaded(answer))

    @staticmethod
    def _steps(
        connection: Reader,
        detail: SessionDetail | None,
        unfolded: dict[str, int],
        failed: bool,
        known: set[str] | None,
        room: int,
    ) -> tuple[list[Step], dict[str, int]]:
        if detail is None:
            return [], {}
        opened = _opened(detail, known, room)
        parents = dict.fromkeys(_failing(detail), _STEPS) if failed else unfolded | opened
        running = [call.id for call in detail.threads.running]
        return step_queries.steps(connection, [detail.session.session_id], running, parents, failed=failed), opened

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
        if self._asked_folded != self._told_folded:
            self._told_folded = self._asked_folded
            self.query_one(ActivityTable).begin_anew()
        self._state("ready", "")
        if self._at is not None:
            self._follows = False
        with self.app.batch_update():
            self._show()
        if self._at is not None:
            self.call_after_refresh(self._go_to)
        if first:
            self.query_one(ActivityTable).focus()
        if self._dirty:
            self._ask()

    def _state(self, mode: str, sentence: str) -> None:
        self.query_one(PaneState).set(mode, sentence)
        for name in ("#session-facts", "#session-time", "#session-body"):
            self.query_one(name).display = mode == "ready"

    # -- showing -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        app, detail = self.dashboard, self._answer.detail
        if detail is None:
            return
        now, cost, left = app.now(), not app.settings.no_cost, self._answer.left
        brief = left_behind_line(self._answer.left_behind, self._answer.origin)
        lines = facts_lines(detail, now, app.zone, cost=cost, left=left)
        self.query_one("#session-facts", StillText).update(
            headline(detail.session) if self.has_class("-roomy") else Group(lines, *brief)
        )
        self.query_one("#session-page", StillText).update(
            Group(
                facts_page(detail, now, app.zone, cost=cost, left=left, styles=text_styles(self.app.theme_variables)),
                Text(),
                origin_page(detail),
                *produced_lines(self._answer.left_behind),
                *kin_lines(self._answer.origin, self._answer.copies),
            )
        )
        self._time()
        self._list()
        if self._seconds is not None:
            self._seconds.look()

    def _time(self) -> None:
        width = self.app.size.width - 2
        shown = timeline.timeline(list(self._answer.moments), width - LEGEND)
        strip = self.query_one("#session-time", StillText)
        strip.display = shown is not None
        if shown is not None:
            strip.update(time_strip(shown, width, text_styles(self.app.theme_variables)))

    def _list(self) -> None:
        detail, app = self._answer.detail, self.dashboard
        if detail is None:
            return
        table = self.query_one(ActivityTable)
        unfolded = _failing(detail) if self._failed else set(self._unfolded)
        story = self._answer.story
        view = TreeView(
            _heads(detail, story),
            detail.agents,
            detail.turn_of,
            self._answer.steps,
            unfolded,
            self._failed,
            app.now(),
            app.zone,
            tones(text_styles(self.app.theme_variables)),
            {detail.session.session_id: detail.cwd},
            rebuilds={each.id: each for each in story.rebuilds} if story else {},
            compactions={each.id: each for each in story.compactions} if story else {},
            keys=tuple(column.key for column in self._columns()),
        )
        table.show(records(view))
        self._follow()

    def _follow(self) -> None:
        """Who looks at the end of a running session wants to see what comes; of another one first the last prompt."""
        table, detail = self.query_one(ActivityTable), self._answer.detail
        if self._follows and detail is not None and not detail.session.is_live and not self._is_filled and detail.turns:
            table.select(turn_key(detail.turns[-1].id))
            table.scroll_to(y=max(0, table.cursor_row - 1), animate=False)
            return
        if self._follows and detail is not None and detail.session.is_live and table.row_count:
            table.move_cursor(row=table.row_count - 1)

    def _go_to(self) -> None:
        """Put the cursor on the prompt, call or event that was asked for, once the list has a size."""
        table, at = self.query_one(ActivityTable), self._at
        wanted = next((record.key for record in table.records if record.key in (at, f"turn:{at}")), None)
        wanted = wanted or next((record.key for record in table.records if record.key.endswith(f"/{at}")), None)
        if wanted is None or table.select(wanted):
            self._at = None

    @property
    def _grows(self) -> bool:
        """Whether anything of the session runs: the times of what does are renewed every second."""
        detail = self._answer.detail
        return detail is not None and bool(detail.threads.running)

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
            if self._at is not None:
                self.call_after_refresh(self._go_to)
        node = message.record.data if message.record else None
        text = node.text if isinstance(node, Node) else ""
        self.query_one("#session-pointed", StillText).update(Text(words.clean(text)))

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
            self._fold_changed()
        elif node.key in self._unfolded:
            self.action_fold()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        """Show what is below the entry under the cursor."""
        node = self._node
        if node is not None and node.key and node.key not in self._unfolded and not self._failed:
            self._unfolded[node.key] = _STEPS
            self._fold_changed()

    def _fold_changed(self) -> None:
        self._folded += 1
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
        """Unfold every prompt and every sub-agent; once more folds them all."""
        detail = self._answer.detail
        if detail is None or self._failed:
            return
        keys = [turn_key(turn.id) for turn in detail.turns]
        keys += agents_below(detail.agents, detail.turn_of, {turn.id for turn in detail.turns})
        if all(key in self._unfolded for key in keys):
            self._unfolded.clear()
            self._list()
        else:
            each = max(5, min(_STEPS, _ENTRIES // max(1, len(keys))))
            self._unfolded |= {key: each for key in keys if key not in self._unfolded}
            self._fold_changed()

    def action_failures(self) -> None:
        """Only what failed, or all."""
        self._failed = not self._failed
        self.refresh_bindings()
        self._fold_changed()

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        told.copy_id(self.app, self._session_id)

    def action_copy_file(self) -> None:
        """Where the session's file is."""
        if self._answer.detail is not None:
            told.copy_file(self.app, self._answer.detail.session)

    def action_copy_resume(self) -> None:
        """The command that resumes the session to the clipboard."""
        detail = self._answer.detail
        command = resume_command(detail.session, detail.cwd) if detail is not None else None
        if command is None:
            self.app.notify("Its agent has no command that takes up this session.", markup=False)
            return
        self.app.copy_to_clipboard(command)
        self.app.notify(words.clean(command), title="Copied", markup=False)

    def action_whole_text(self) -> None:
        """The whole text of the entry under the cursor, from its file."""
        node = self._node
        thing = _thing(node) if node is not None else None
        if thing is not None:
            self._read_whole(*thing)

    @work(thread=True, group="whole", exit_on_error=False)
    def _read_whole(self, kind: whereabouts.Kind, key: str) -> None:
        from ...ingest.whole_text import NoTextError, whole_text

        app = self.dashboard
        try:
            with app.store.read() as connection:
                found = whereabouts.spots(connection, kind, key)
            parts = [
                f"── {spot.label} · {spot.path}\n{whole_text(spot.kind, spot.root, spot.path, spot.pos)}"
                for spot in found
            ]
        except (StoreError, NoTextError) as error:
            app.call_from_thread(self._no_text, str(error))
            return
        app.call_from_thread(self._page, "\n\n".join(parts))

    def _page(self, text: str) -> None:
        if not text:
            self._no_text("no file tells it")
            return
        try:
            paging.show(self.app, text)
        except paging.NoPagerError as error:
            self._no_text(str(error))

    def _no_text(self, reason: str) -> None:
        self.app.notify(words.clean(reason), title="No whole text", severity="warning", markup=False)

    def action_help(self) -> None:
        """All keys, in words."""
        from ..screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))


def _opened(detail: SessionDetail, known: set[str] | None, room: int) -> dict[str, int]:
    """What unfolds by itself: all if it fits into `room` lines, else the last prompt; then what comes while it runs."""
    turns = detail.turns
    if known is not None:
        turns = [turn for turn in turns if turn.id not in known] if detail.session.is_live else []
    elif sum(1 + turn.calls + turn.errors + turn.notes + bool(turn.responses) for turn in turns) > room:
        # The last one that anything came of: behind it a bare command may stand.
        turns = [turn for turn in turns if not turn.is_empty][-1:]
    return {turn_key(turn.id): _STEPS for turn in turns}


def _thing(node: Node) -> tuple[whereabouts.Kind, str] | None:
    """What an entry is about, for looking it up in its file."""
    if node.head is not None and node.head.kind != "start":
        return "prompt", node.head.key.removeprefix("turn:")
    if node.step is None:
        return None
    if node.step.kind in ("call", "response"):
        return ("call" if node.step.kind == "call" else "response"), node.step.id
    return "event", node.step.id


def _heads(detail: SessionDetail, story: ContextStory | None) -> list[Head]:
    contexts = {each.id: each.tokens for each in story.prompts} if story else {}
    first = 0 if detail.turns and detail.turns[0].kind == "start" else 1
    return [
        Head(
            key=turn_key(turn.id),
            session_id=detail.session.session_id,
            kind=turn.kind,
            text=turn.text,
            number=number,
            started_at=turn.started_at,
            seconds=turn.seconds,
            calls=turn.calls,
            ok=None,
            errors=turn.errors,
            running=turn.running,
            notes=turn.notes,
            tokens=turn.tokens,
            undercounted=turn.undercounted,
            used=turn if turn.responses else None,
            cells={"context": words.count(contexts[turn.id]) if contexts.get(turn.id) else ""},
        )
        for number, turn in enumerate(detail.turns, first)
    ]


def _failing(detail: SessionDetail) -> set[str]:
    return {turn_key(turn.id) for turn in detail.turns if turn.errors or turn.notes}


def _key_of(record: Record) -> str:
    return record.data.key if isinstance(record.data, Node) else ""
