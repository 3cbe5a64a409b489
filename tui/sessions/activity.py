"""The Activity view: what was asked of all agents, newest first, and what came of each."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from ...queries import activity as queries
from ...queries import steps as step_queries
from ...queries.activity import ActivityPage, ActivityRow, WhichPrompts
from ...queries.cursor import UNTIMED
from ...queries.filters import Filter
from ...queries.money import known_usd
from ...queries.steps import Step
from ...queries.store import StoreError
from .. import format as words
from .. import marks
from ..kit.lines import StillText
from ..kit.palette import text_styles
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..pane import Pane
from . import text as told
from .tree import NUMBERS, WHAT, Head, Node, TreeView, agents_below, records, tones, turn_key

if TYPE_CHECKING:
    from ...queries.store import Reader
    from ..views import View as TabView

SHOWN = 100
"""Prompts on the screen; more of them with the last entry."""

STEPS = 200
"""Entries below one prompt or sub-agent at first, and so many more each time."""

ENTRIES = 2000
"""About how many entries unfolding everything shows."""

REST_SECONDS = 10.0
"""How often what is in no row is asked for while the filters stay."""

NEW_SECONDS = 3.0
"""How long what has just come is marked."""

COLUMNS = (
    Column("time", "Time", 12),
    Column("who", "Agent", 12, min_screen=150),
    Column("session", "Session", 20, min_screen=172),
    Column("project", "Project", 13, min_screen=96),
    WHAT,
    Column("model", "Model", 11, min_screen=128),
    *NUMBERS,
)
_KEYS = tuple(column.key for column in COLUMNS)

_DELEGATED = {(False, False): "", (True, False): "delegations", (False, True): "direct only"}
"""WhichPrompts prompts are shown by what was delegated: (delegations, direct) -> its words."""


@dataclass(frozen=True, slots=True)
class ActivityData:
    """An answer with its question."""

    which: WhichPrompts
    chosen: Filter
    page: ActivityPage
    steps: list[Step]
    unfolded: Mapping[str, int] = field(default_factory=dict)


class FeedTable(RecordTable):
    """The prompts, and below each what was done for it."""

    DEFAULT_CSS = """
    FeedTable:focus { background-tint: transparent; }
    """
    SORTS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Fold", tooltip="Unfold or fold a prompt or a sub-agent"),
        Binding("space", "select_cursor", show=False),
    ]


class ActivityPane(Pane[ActivityData]):
    """The feed. A new prompt comes in on top; a cursor below the top stays where it was put."""

    EMPTY = "Nothing was asked yet: what you ask an agent appears here while it works."
    HELP = (
        "What was asked of all agents, newest first, with what came of each: sub-agents' work belongs to the prompt "
        "that set it off. Enter unfolds a prompt, a sub-agent, a sub-agent's sub-agents.\n"
        "✓ calls that came back well, ✗ failed or denied, … running. Tokens stand beside the first call that a "
        "response made; a response without calls is an entry of its own.\n"
        f"{marks.MEANING}"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "unfold", "Unfold", show=False, tooltip="Show what is below the entry"),
        Binding("left", "fold", "Fold", show=False, tooltip="Hide it, or go to the entry above"),
        Binding("a", "unfold_all", "Unfold all", tooltip="Unfold all prompts and sub-agents, or fold them"),
        Binding("x", "failures", "Results", tooltip="Only prompts with something that failed, or all"),
        Binding("d", "delegations", "Delegations", tooltip="Only with sub-agents, only without, or all"),
        Binding("o", "open_session", "Session", tooltip="Open the session of the entry"),
        Binding("i", "only_session", "Only session", show=False, tooltip="Only the session of the entry"),
        Binding("t", "only_tool", "Type", show=False, tooltip="Only prompts with a call of the entry's tool"),
        Binding("y", "copy_id", "Copy", show=False, tooltip="Copy the session's id"),
    ]

    def __init__(self, tab: TabView) -> None:
        super().__init__(tab)
        self._which = WhichPrompts()
        self._shown = SHOWN
        self._unfolded: dict[str, int] = {}
        """WhichPrompts entries are unfolded, and how many steps of each are asked for."""
        self._data: ActivityData | None = None
        self._new: set[str] = set()
        self._rest_at = 0.0
        self._rest: tuple[object, queries.Total] | None = None
        """What is in no row, and the question it answers."""

    def compose(self) -> ComposeResult:
        """What is filtered, the list, the whole text of the entry under the cursor, the sums."""
        yield PaneState()
        hidden = {"cost"} if self.dashboard.settings.no_cost else set()
        yield FeedTable([column for column in COLUMNS if column.key not in hidden], id="activity-rows")
        yield StillText(id="activity-pointed", markup=False)
        yield StillText(id="activity-caption", markup=False)

    # -- asking --------------------------------------------------------------------------------------------------

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> ActivityData:
        """The newest prompts, and the steps of what is unfolded."""
        which, unfolded, limit = replace(self._which, words=chosen.text), dict(self._unfolded), self._shown
        page = queries.list_activity(connection, chosen.but(text=""), now=now, which=which, limit=limit)
        ids = sorted({row.session_id for row in page.rows})
        running = [call.id for call in page.threads.running]
        steps = step_queries.steps(connection, ids, running, unfolded)
        return ActivityData(which, chosen, page, steps, unfolded)

    @property
    def asks_for(self) -> Hashable:
        """Which prompts, how many, and what is unfolded."""
        return (self._which, self._shown, tuple(self._unfolded.items()))

    def has_rows(self, data: ActivityData) -> bool:
        """Whether any prompt matches."""
        return bool(data.page.rows)

    def own_filters(self) -> list[tuple[str, str]]:
        """The filters of this view, each with its words."""
        which = self._which
        told = [("failures", "failures" if which.failures else "")]
        told.append(("delegations", _DELEGATED[which.delegations, which.direct]))
        told.append(("tool", f"tool {words.clean(which.tool, 30)}" if which.tool else ""))
        return [*((name, text) for name, text in told if text), *super().own_filters()]

    def drop_own(self, name: str) -> None:
        """Drop one filter of this view."""
        super().drop_own(name)
        none = {
            "failures": {"failures": False},
            "delegations": {"delegations": False, "direct": False},
            "tool": {"tool": None},
        }
        if name in none:
            self._which = replace(self._which, **none[name])  # type: ignore[arg-type]

    # -- showing -------------------------------------------------------------------------------------------------

    def show(self, data: ActivityData) -> None:
        """Put it on the screen; what was not there before is marked for a moment."""
        before = self._data
        self._data = data
        self.refresh_bindings()
        if before is not None and (before.which, before.chosen) == (data.which, data.chosen):
            known = {row.id for row in before.page.rows}
            oldest = before.page.rows[-1].timestamp if before.page.rows else None
            came = {
                row.id
                for row in data.page.rows
                if row.id not in known and (oldest is None or (row.timestamp or UNTIMED) >= oldest)
            }
            if came:
                self._new |= came
                self.set_timer(NEW_SECONDS, lambda: self._settle(came))
        self._list()
        self._caption()
        if data.page.rows:
            self._ask_rest()

    def _settle(self, came: set[str]) -> None:
        self._new -= came
        self._list()

    def _list(self) -> None:
        data, app = self._data, self.dashboard
        if data is None:
            return
        styles = tones(text_styles(self.app.theme_variables))
        view = TreeView(
            heads=[self._head(row) for row in data.page.rows],
            agents=data.page.agents,
            turn_of=data.page.turn_of,
            steps=data.steps,
            unfolded=set(self._unfolded),
            failed=False,
            now=app.now(),
            zone=app.zone,
            styles=styles,
            folders={row.session_id: row.project for row in data.page.rows},
            dated=True,
            keys=_KEYS,
        )
        shown = records(view)
        if data.page.following is not None:
            more = Text("  … older prompts: Enter", style="dim")
            shown.append(Record("more", {**dict.fromkeys(_KEYS, ""), "what": more}, Node("older", "", "", "")))
        new = {turn_key(key) for key in self._new}
        mark = f"reverse {styles['running']}"
        self.query_one(FeedTable).show([_marked(row, mark) if row.key in new else row for row in shown])

    def _head(self, row: ActivityRow) -> Head:
        models = words.model(row.models[0]) if row.models else ""
        if len(row.models) > 1:
            models += f" +{len(row.models) - 1}"
        return Head(
            key=turn_key(row.id),
            session_id=row.session_id,
            kind=row.kind,
            text=row.text,
            number=0,
            started_at=row.timestamp,
            seconds=row.seconds,
            calls=row.tool_calls,
            ok=row.ok,
            errors=row.errors,
            running=row.running,
            notes=row.notes,
            tokens=row.spent.total_tokens,
            undercounted=row.spent.undercounted,
            used=row.spent if row.has_steps else None,
            cells={
                "who": row.agent or "",
                "session": words.session(row.title, row.session_id, row.project),
                "project": told.project(row.project),
                "model": models,
            },
            data=row,
        )

    def _caption(self) -> None:
        data = self._data
        if data is None:
            return
        rows, cost = data.page.rows, not self.dashboard.settings.no_cost
        parts = [
            words.plural(len(rows), "prompt"),
            f"{words.plural(sum(row.spent.total_tokens for row in rows), 'token')}",
        ]
        if cost:
            parts.append(
                marks.money(
                    known_usd(row.spent.cost_usd for row in rows),
                    unpriced=sum(row.spent.unpriced_tokens for row in rows),
                    undercounted=sum(row.spent.undercounted for row in rows),
                )
            )
        if data.page.following is not None:
            parts[0] = f"the newest {parts[0]}"
        rest = self._rest[1] if self._rest is not None and self._rest[0] == self._question else None
        if rest is not None and rest.spent.total_tokens:
            why = "what no prompt began" if data.which.is_open else "in other prompts or in none"
            parts.append(f"besides {marks.tokens(rest.spent.total_tokens, rest.spent.undercounted)} tokens, {why}")
        self.query_one("#activity-caption", StillText).update(
            Text(" · ".join(parts), no_wrap=True, overflow="ellipsis"), layout=False
        )

    @property
    def _question(self) -> object:
        return (self._data.which, self._data.chosen) if self._data else None

    def _ask_rest(self) -> None:
        # It costs more than the list, and changes seldom while an agent works.
        is_new = self._rest is None or self._rest[0] != self._question
        if not is_new and time.monotonic() - self._rest_at < REST_SECONDS:
            return
        self._rest_at = time.monotonic()
        if not any(worker.group == "rest" and not worker.is_finished for worker in self.workers):
            self._load_rest()

    @work(thread=True, group="rest", exit_on_error=False)
    def _load_rest(self) -> None:
        data = self._data
        if data is None:
            return
        try:
            with self.dashboard.store.read() as connection:
                found = queries.rest(connection, data.chosen.but(text=""), data.which)
        except StoreError:
            # The line below the list then tells less; the list itself says what is the matter with the store.
            return
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take_rest, (data.which, data.chosen), found)

    def _take_rest(self, question: object, found: queries.Total) -> None:
        self._rest = (question, found)
        self._caption()

    @property
    def grows(self) -> bool:
        """Whether anything runs."""
        return self._data is not None and bool(self._data.page.threads.running)

    def tick(self) -> None:
        """Tell anew for how long it has been running."""
        self._list()

    @on(RecordTable.RecordHighlighted)
    def _point(self, message: RecordTable.RecordHighlighted) -> None:
        message.stop()
        node = self._node
        self.query_one("#activity-pointed", StillText).update(Text(words.clean(node.text) if node else ""))
        self.refresh_bindings()

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def _node(self) -> Node | None:
        record = self.query_one(FeedTable).selected
        return record.data if record is not None and isinstance(record.data, Node) else None

    @property
    def _row(self) -> ActivityRow | None:
        """The prompt of the session that the entry under the cursor is of."""
        node = self._node
        if node is None or self._data is None:
            return None
        return next((row for row in self._data.page.rows if row.session_id == node.session_id), None)

    @on(RecordTable.RecordSelected)
    def _toggle(self, message: RecordTable.RecordSelected) -> None:
        message.stop()
        node = message.record.data
        if not isinstance(node, Node):
            return
        if node.kind == "older":
            self._shown += SHOWN
            self.refresh_data()
        elif node.kind == "more":
            self._unfolded[node.owner] = self._unfolded.get(node.owner, STEPS) + STEPS
            self.refresh_data()
        elif node.key in self._unfolded:
            self.action_fold()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        """Show what is below the entry under the cursor."""
        node = self._node
        if node is not None and node.key and node.key not in self._unfolded:
            self._unfolded[node.key] = STEPS
            # What was unfolded before is known already.
            self._list()
            self.refresh_data()

    def action_fold(self) -> None:
        """Hide what is below the entry under the cursor; on an entry without anything below, go to the one above."""
        node, table = self._node, self.query_one(FeedTable)
        if node is None:
            return
        if node.key in self._unfolded:
            del self._unfolded[node.key]
            self._list()
        elif node.owner:
            owner = next(
                (row.key for row in table.records if isinstance(row.data, Node) and row.data.key == node.owner), ""
            )
            table.select(owner)

    def action_unfold_all(self) -> None:
        """Unfold every prompt and every sub-agent; once more folds them all."""
        data = self._data
        if data is None:
            return
        turns = {row.id for row in data.page.rows if row.has_steps}
        keys = [*map(turn_key, sorted(turns)), *agents_below(data.page.agents, data.page.turn_of, turns)]
        if all(key in self._unfolded for key in keys):
            self._unfolded.clear()
            self._list()
        else:
            each = max(5, min(STEPS, ENTRIES // max(1, len(keys))))
            self._unfolded |= {key: each for key in keys if key not in self._unfolded}
            self.refresh_data()

    def _choose(self, which: WhichPrompts) -> None:
        self._which = which
        self.dashboard.choose()
        self.query_one(FeedTable).move_cursor(row=0)

    def action_failures(self) -> None:
        """Only prompts with something that failed, or all."""
        self._choose(replace(self._which, failures=not self._which.failures))

    def action_delegations(self) -> None:
        """Only with sub-agents, only without, or all."""
        which = self._which
        delegations, direct = (False, True) if which.delegations else (not which.direct, False)
        self._choose(replace(which, delegations=delegations, direct=direct))

    def action_only_tool(self) -> None:
        """Only prompts with a call of the tool under the cursor."""
        node = self._node
        if node is not None and node.step is not None and node.step.kind == "call":
            self._choose(replace(self._which, tool=node.step.name))

    def action_only_session(self) -> None:
        """Only the session under the cursor."""
        row = self._row
        if row is not None:
            self.dashboard.session_title = words.session(row.title, row.session_id, row.project)
            self.dashboard.choose(session_id=row.session_id)

    def action_open_session(self) -> None:
        """The session of the entry under the cursor."""
        from .detail import SessionScreen

        node = self._node
        if node is not None and node.session_id:
            self.app.push_screen(SessionScreen(node.session_id))

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        node = self._node
        if node is not None and node.session_id:
            told.copy_id(self.app, node.session_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now: most are about the entry under the cursor."""
        node = self._node if self._data is not None and self._data.page.rows else None
        if action in ("open_session", "only_session", "copy_id"):
            return node is not None and bool(node.session_id)
        if action in ("unfold", "fold", "unfold_all"):
            return node is not None
        if action == "only_tool":
            return node is not None and node.step is not None and node.step.kind == "call"
        return super().check_action(action, parameters)


def _marked(record: Record, style: str) -> Record:
    """A row that has just come."""
    cells = {**record.cells, "time": Text(str(record.cells["time"]), style=style)}
    return replace(record, cells=cells)
