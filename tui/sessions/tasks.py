"""What is there to do, what is being done, what waits, and what is done?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from ...queries.filters import Filter
from ...queries.tasks import Task, on_board, tasks
from .. import format as words
from ..kit.lines import StillText
from ..kit.sections import Section, Sections
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..pane import Pane
from . import text as told

if TYPE_CHECKING:
    from ...queries.store import Reader
    from ..views import View

SHOWN = 400
"""Tasks that the board is made of, those that changed last."""

COLUMNS = {"pending": "To do", "in_progress": "In progress", "blocked": "Blocked", "completed": "Done"}
"""What a task is -> the heading of its column."""

_FIRST = ("in_progress", "pending", "blocked", "completed")
"""The columns, the one that matters most first."""
_GLYPHS = {"pending": "○", "in_progress": "●", "blocked": "⊘", "completed": "✓", "deleted": "✗"}

_CARD = (Column("subject", "Task"), Column("when", "", 9, "right", 28))


class TaskBoard(Sections):
    """The columns side by side."""

    DEFAULT_CSS = """
    TaskBoard { grid-size: 4; grid-rows: 1fr; height: 1fr; }
    """


class TasksPane(Pane[tuple[Task, ...]]):
    """A board of four columns over the sessions, the latest first; below it the task under the cursor in words."""

    EMPTY = "No to-do list yet: none of the sessions has made one."
    HELP = (
        "The lists that agents keep for themselves: Claude Code's to-dos and tasks, Codex's and Gemini's plans, those "
        "of OpenCode, Qwen and Mux. A task is blocked while one that it waits for is neither done nor dropped.\n"
        "Enter opens the session that the task is of."
    )
    DEFAULT_CSS = """
    TasksPane > #task { height: 4; padding: 0 1; border-top: solid $foreground 20%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "next_column", "Next part", tooltip="The next column of the board"),
        Binding("y", "copy_id", "Copy", show=False, tooltip="Copy the session's id"),
    ]

    def __init__(self, tab: View) -> None:
        super().__init__(tab)
        self._found: tuple[Task, ...] = ()

    def compose(self) -> ComposeResult:
        """State, the board, and what its chosen card says."""
        yield PaneState()
        yield TaskBoard(
            [
                Section(title, RecordTable(_CARD, id=f"cards-{status}"), id=f"column-{status}")
                for status, title in COLUMNS.items()
            ],
            current="column-in_progress",
            key="w",
            id="board",
        )
        yield StillText(id="task", markup=False)

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> tuple[Task, ...]:  # noqa: ARG002
        """The tasks that changed last."""
        return tuple(tasks(connection, chosen, limit=SHOWN))

    def has_rows(self, data: tuple[Task, ...]) -> bool:
        """Whether there is any task."""
        return any(task.status in COLUMNS for task in data)

    def show(self, data: tuple[Task, ...]) -> None:
        """Put the board on the screen."""
        is_first, self._found = not self._found, data
        now = self.dashboard.now()
        for status, several in on_board(data).items():
            self.query_one(f"#cards-{status}", RecordTable).show([_card(task, now) for task in several])
            self.query_one(f"#column-{status}", Section).note(words.count(len(several)))
        if is_first:
            self._turn_to_cards()
        self._tell()

    def _turn_to_cards(self) -> None:
        """Begin with the column that has cards, what is being done before the others."""
        has_focus = self.query_one(Sections) in (self.app.focused.ancestors if self.app.focused else ())
        for status in _FIRST:
            if self.query_one(f"#cards-{status}", RecordTable).records:
                self.query_one(Sections).turn_to(f"column-{status}")
                break
        if has_focus:
            self.take_focus()

    # -- the chosen card -----------------------------------------------------------------------------------------

    @property
    def _chosen(self) -> Task | None:
        board = self.query_one(Sections)
        table = board.current.content
        record = table.selected if isinstance(table, RecordTable) else None
        return record.data if record is not None and isinstance(record.data, Task) else None

    def _tell(self) -> None:
        task = self._chosen
        self.query_one("#task", StillText).update(Text("") if task is None else self._in_words(task))

    def _in_words(self, task: Task) -> Text:
        now, zone = self.dashboard.now(), self.dashboard.zone
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{_GLYPHS[task.status]} {words.clean(task.subject, 300)}\n", style="bold")
        title = words.clean(words.session(task.title, task.session_id, task.project), 60)
        parts = [title, told.project(task.project), task.agent, f"owner {task.owner}" if task.owner else None]
        done, of = self._progress(task)
        text.append(" · ".join(words.clean(part, 60) for part in parts if part) + f" · {done} of {of} done\n")
        steps = [
            f"{moment.status.replace('_', ' ')} {words.when(moment.timestamp, now, zone)}" for moment in task.history
        ]
        text.append(" → ".join(steps), style="dim")
        return text

    def _progress(self, task: Task) -> tuple[int, int]:
        """How many tasks of the same list are done, of how many."""
        same = [
            other
            for other in self._found
            if (other.session_id, other.subagent_id) == (task.session_id, task.subagent_id)
            and other.status != "deleted"
        ]
        return sum(other.status == "completed" for other in same), len(same)

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def first_focus(self) -> Widget | None:
        """The column that has cards, what is being done before the others."""
        board = self.query_one(Sections)
        for status in _FIRST:
            table = self.query_one(f"#cards-{status}", RecordTable)
            if table.records and (not board.is_single or board.current.content is table):
                return table
        return board.current.content

    def action_next_column(self) -> None:
        """The next column."""
        self.query_one(Sections).go_on()
        self._tell()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys about a card need one."""
        return self._chosen is not None if action == "copy_id" else super().check_action(action, parameters)

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        if self._chosen is not None:
            told.copy_id(self.app, self._chosen.session_id)

    def on_descendant_focus(self) -> None:
        """Another column, another card."""
        self.call_later(self._tell)

    @on(RecordTable.RecordHighlighted)
    def _highlighted(self, message: RecordTable.RecordHighlighted) -> None:
        message.stop()
        self._tell()

    @on(RecordTable.RecordSelected)
    def _open(self, message: RecordTable.RecordSelected) -> None:
        message.stop()
        if isinstance(message.record.data, Task):
            from .detail import SessionScreen

            self.app.push_screen(SessionScreen(message.record.data.session_id))


def _card(task: Task, now: dt.datetime) -> Record:
    subject = Text(words.clean(task.subject, 200) or words.NONE, no_wrap=True, overflow="ellipsis")
    if task.owner:
        subject.append(f"  {words.clean(task.owner, 24)}", style="dim")
    return Record(
        f"{task.session_id}\0{task.subagent_id}\0{task.id}",
        {"subject": subject, "when": Text(words.relative(task.updated_at, now), style="dim")},
        task,
    )
