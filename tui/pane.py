"""What the tabs and their views have in common: asking in a thread, showing on the screen, and saying so when it fails.

A new tab is a folder beside the others with a subclass of `Pane` in its `pane.py`, and a line in `tabs.py`; a tab of
several views is a `ViewsTab` there (`views.py`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.worker import Worker, WorkerState, get_current_worker

from ..queries.filters import Filter
from ..queries.standing import Asked, moves_until, of_one_state
from ..queries.store import StoreAway, StoreError
from . import learnt
from .kit.seconds import Seconds
from .kit.state import PaneState
from .kit.table import RecordTable
from .messages import PaneFailed, PaneLoaded
from .typed_app import OnDashboard

if TYPE_CHECKING:
    from ..queries.store import Reader, Stamp
    from .tabs import Tab
    from .views import View

Data = TypeVar("Data")

TYPED = "text"
"""The name of the filter that is typed."""

SOON_SECONDS = 0.15
"""So long a view may take without a word."""
REST_SECONDS = 0.3
"""The whole of an answer is asked for this long after its beginning, which that would keep from the screen."""


class Pane(OnDashboard, Vertical, Generic[Data]):
    """A tab, or a view of one. `load` asks the store in a thread and returns frozen data; `show` puts it up."""

    EMPTY: ClassVar[str] = "Nothing yet."
    """The sentence for a store without anything to show here."""
    SHOWS_RUNNING: ClassVar[bool] = False
    """Whether it asks what runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "reload", "Ask again", show=False, tooltip="Refresh: ask the store again"),
        # Where the focus is on something that has no order.
        Binding(
            "s",
            "pick_order",
            "Sort",
            show=False,
            tooltip="Sort by a column; once more by the same, the other way round",
        ),
        Binding("S", "reverse_order", "Reverse", show=False, tooltip="Sort the other way round"),
    ]

    def __init__(self, tab: Tab | View) -> None:
        super().__init__(id=tab.name)
        self.tab = tab
        self.text = ""
        """What the user typed to filter this pane."""
        self._number = 0
        self._busy = False
        self._dirty = True
        self._asked: Hashable = None
        """The question that is asked, or was last."""
        self._told: Hashable = None
        """The one whose answer is on the screen."""
        self._known_views: set[str] = set()
        """Views that had an answer."""
        self._awaited = ""
        """The view that was turned to and has none yet."""
        self._stamp: Stamp = ()
        """The state of the store that is asked, for what is kept of its answers."""
        self._position = 0
        """Where in its history that is."""
        self._asked_view = ""
        self._on_screen: tuple[Data, Asked] | None = None
        """The answer on the screen, and when it was asked for; None where there is none, or it is not all."""
        self._seconds: Seconds | None = None

    # -- for subclasses ------------------------------------------------------------------------------------------

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> Data:
        """Ask the store. Runs in a thread: touch no widget. `now` is UTC without a zone."""
        raise NotImplementedError

    def about_to_ask(self) -> contextlib.AbstractContextManager[None]:
        """Around the asking, with the store open: others may leave something to it. In a thread."""
        return contextlib.nullcontext()

    def show(self, data: Data) -> None:
        """Put the data on the screen."""
        raise NotImplementedError

    @property
    def asks_for(self) -> Hashable:
        """What it asks for besides the filter: an order, a page. What the answer to another question has is not new."""
        return None

    def has_rows(self, data: Data) -> bool:  # noqa: ARG002
        """Whether there is anything to show; if not, the pane says so in words."""
        return True

    def stands(self, data: Data) -> bool:  # noqa: ARG002
        """Whether an answer is the same for as long as `Asked.stands` says so: until something may stop running, and
        until an hour begins. What depends on the minute is asked for every minute."""
        return True

    def show_again(self, data: Data) -> None:
        """Show an answer that stands as it looks now: how long ago things are."""
        self.show(data)

    @property
    def grows(self) -> bool:
        """Whether something that is shown is another one with every second, though nothing was written."""
        return False

    def tick(self) -> None:
        """Show that anew."""

    def own_filters(self) -> list[tuple[str, str]]:
        """What this pane filters by beside what all do, as names and words; what was typed comes last."""
        return [(TYPED, f"“{self.text}”")] if self.text else []

    def drop_own(self, name: str) -> None:
        """Drop one of `own_filters`; the pane is asked anew afterwards."""
        if name == TYPED:
            self.text = ""

    def filter_note(self) -> str:
        """What else is to be known of the filters of this pane, in words."""
        return ""

    @property
    def lasts(self) -> bool:
        """Whether it says the same until the day ends, if nothing runs, and nothing is written."""
        return False

    @property
    def takes_ahead(self) -> bool:
        """Whether what was asked before there was a screen is what the pane asks first."""
        return True

    def on_mount(self) -> None:
        """Nothing is shown before there are data: what is hidden later would lose the focus."""
        self._state("loading", f"Loading {self.tab.title.lower()}…")
        self._seconds = Seconds(self, lambda: self.is_shown and self.grows, self.tick)

    # -- the machinery -------------------------------------------------------------------------------------------

    def refresh_data(self) -> None:
        """The data may have changed: ask again now if the pane is visible, else when it is shown next."""
        self._dirty = True
        self._look_at_clock()
        if self.is_shown and not self._busy:
            self._ask()
        self.dashboard.tell_awaited()

    @property
    def awaits_answer(self) -> bool:
        """Whether another question is under way than the one whose answer is on the screen."""
        if not self._busy or self._told is None:
            return False
        return self._told != (self.dashboard.chosen.but(text=self.text), self.asks_for)

    def renew(self) -> None:
        """Time has passed: ask again if that may have made the answer another one, else tell anew what is at hand."""
        if self._on_screen is None or not self._is_true(*self._on_screen):
            self.refresh_data()
            return
        self.dashboard.costs.hit(self.tab.title)
        with self.app.batch_update():
            self.show_again(self._on_screen[0])

    def _is_true(self, data: Data, asked: Asked) -> bool:
        """Whether what is on the screen is what would be answered now, to what is asked now."""
        app = self.dashboard
        if self._busy or not self.is_shown or self._told != (app.chosen.but(text=self.text), self.asks_for):
            return False
        return self.stands(data) and asked.stands(app.store.stamp(), app.now())

    def await_view(self, name: str) -> None:
        """Another view was turned to: as long as it never had an answer, say that it is on its way.

        Not at once: mostly the answer is there before anybody could read that.
        """
        self._awaited = "" if name in self._known_views else name
        if self._awaited:
            self.set_timer(SOON_SECONDS, self._say_awaited)

    def _say_awaited(self) -> None:
        if self._awaited and self.is_mounted:
            self._state("loading", f"Loading {self.tab.title.lower()}…")

    @property
    def view_name(self) -> str:
        """The view that is asked for; "" where there is one only."""
        return str(getattr(self, "view", ""))

    def _look_at_clock(self) -> None:
        if self._seconds is not None:
            self._seconds.look()

    @property
    def is_shown(self) -> bool:
        """Whether this is the pane on the screen."""
        return self.is_mounted and self.dashboard.is_up and self.dashboard.active_pane is self

    def action_reload(self) -> None:
        """Ask again."""
        self.refresh_data()

    @property
    def _sortable(self) -> RecordTable | None:
        """The first table on the screen that has an order."""
        if not self.is_shown:
            return None
        tables = self.query(RecordTable).results()
        return next((table for table in tables if table.sortable and table.region.area and table.is_on_screen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now."""
        if action in ("pick_order", "reverse_order"):
            table = self._sortable
            return table is not None and bool(table.check_action(action, parameters))
        return True

    def action_pick_order(self) -> None:
        """Have the order of a table chosen that has not the focus."""
        if (table := self._sortable) is not None:
            table.action_pick_order()

    def action_reverse_order(self) -> None:
        """Sort it the other way round."""
        if (table := self._sortable) is not None:
            table.action_reverse_order()

    def clear_filters(self) -> None:
        """Drop this pane's own filters."""
        for name, _ in self.own_filters():
            self.drop_own(name)

    def _ask(self) -> None:
        self._dirty = False
        self._busy = True
        self._number += 1
        chosen = self.dashboard.chosen.but(text=self.text)
        self._asked, self._asked_view = (chosen, self.asks_for), self.view_name
        self._work(self._number, chosen)

    @work(thread=True, group="pane", exit_on_error=False)
    def _work(self, number: int, chosen: Filter) -> None:
        app = self.dashboard
        if chosen.text:
            from ..queries.search import narrowed
        asked = None
        try:
            data = app.ahead.take(self.tab.name, chosen) if app.ahead and self.takes_ahead else None
            if is_whole := data is None:
                # Before the store is opened: what is written meanwhile is asked for again.
                stamp, now, position = app.store.stamp(), app.now(), app.store.position()
                with app.costs.asking(self.tab.title), app.store.read() as connection, self.about_to_ask():
                    self._stamp, self._position = of_one_state(stamp, app.store.stamp()), position
                    learnt.learn(connection)
                    if chosen.text:
                        chosen = narrowed(connection, chosen)
                    data = self.load(connection, chosen, now)
                    asked = Asked(stamp, now, moves_until(connection, now))
            else:
                app.costs.hit(self.tab.title)
        except StoreError as error:
            self.post_message(PaneFailed(number, str(error), is_away=isinstance(error, StoreAway)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(PaneLoaded(number, data, asked, is_whole=is_whole))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A question that broke stays a matter of this pane."""
        if event.worker.group == "pane" and event.state is WorkerState.ERROR:
            error = event.worker.error
            self.post_message(PaneFailed(self._number, f"{type(error).__name__}: {error}"))

    def on_pane_loaded(self, message: PaneLoaded) -> None:
        """Show an answer, unless a newer question is under way."""
        message.stop()
        self._busy = False
        if message.number == self._number:
            self._on_screen = None if message.asked is None else (message.data, message.asked)
            self._known_views.add(self._asked_view)
            if self._awaited in self._known_views:
                self._awaited = ""
            if self.has_rows(message.data):
                self._state("ready", "")
            else:
                self._state("empty", self._empty_sentence())
            if self._told != self._asked:
                self._told = self._asked
                for table in self.query(RecordTable):
                    table.begin_anew()
            with self.app.batch_update():
                self.show(message.data)
            self.dashboard.note_learnt()
            self._look_at_clock()
            # What is hidden loses the focus only with the next refresh.
            self.call_after_refresh(self._keep_focus)
        if not message.is_whole:
            self.set_timer(REST_SECONDS, self.refresh_data)
        if self._dirty and self.is_shown:
            self._ask()
        self.dashboard.tell_awaited()

    def on_descendant_blur(self) -> None:
        """What is hidden loses the focus, whenever that takes effect."""
        self.call_later(self._keep_focus)

    def _keep_focus(self) -> None:
        """Focus what the tab is about, if nothing has the focus: its keys are heard there, also while it is hidden."""
        if not self.is_shown or self.app.screen is not self.screen:
            return
        focused = self.app.focused
        hidden = focused is not None and not all(
            node.display for node in focused.ancestors_with_self if isinstance(node, Widget)
        )
        if focused in (None, self) or (hidden and focused is not self.first_focus):
            self.take_focus()

    def take_focus(self) -> None:
        """Focus what the tab is about, or, where that is nothing, the pane itself: its keys are to be heard."""
        first = self.first_focus
        self.can_focus = first is None
        self.app.set_focus(first or self)

    def on_pane_failed(self, message: PaneFailed) -> None:
        """Say in the pane what went wrong."""
        message.stop()
        self._busy = False
        if message.is_away:
            self.dashboard.lose_store(message.reason)
        # What is on the screen of a store that is away stays there.
        is_kept = message.is_away and self.query_one(PaneState).mode == "ready"
        if message.number == self._number and not is_kept:
            self._state("failed", f"Could not load {self.tab.title.lower()}: {message.reason}. Press F5 to try again.")
        self.dashboard.tell_awaited()

    def _empty_sentence(self) -> str:
        app = self.dashboard
        if app.is_reading:
            return f"Still reading your sessions. {app.reading_words}"
        # The days are always chosen, also where there is nothing to choose from.
        if self.own_filters() or not app.chosen.but(since=None, until=None).is_open:
            return "Nothing matches these filters. Press Escape to clear them."
        return self.EMPTY

    def _state(self, mode: str, sentence: str) -> None:
        state = self.query_one(PaneState)
        state.set(mode, sentence)
        for child in self.children:
            if child is not state and not child.has_class("-always"):
                child.display = mode == "ready"

    @property
    def first_focus(self) -> Widget | None:
        """What gets the focus when the tab is shown."""
        for child in self.query("DataTable"):
            if child.display:
                return child
        return None
