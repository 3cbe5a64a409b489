"""The dashboard: wires the frame, the panes and the ingester together, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import gc
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Event, InputEvent
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input

from ..ingest.news import News, Reading, UpToDate
from ..queries.filters import Filter
from ..queries.store import Stamp, Store, StoreError
from . import garbage
from .asked import Costs
from .choices import Choices
from .endable import EndableApp
from .filter_text import FIELDS, chips
from .first_frame import LATE_SECONDS, SOON_SECONDS, FirstFrame
from .format import local, percent
from .header import HeaderStrip
from .key_names import brief
from .keys import KEYS
from .kit.cursor_canvas import Pointed
from .kit.frame import LOW, NARROW, ZONE, FilterInput, FilterPart, StatusCorner, TabStrip
from .kit.key_bar import KeyBar
from .kit.pop_up import SteadySize
from .kit.readable import KEPT_IN_PLACE, READABLE
from .kit.rule_hash import hash_at_once
from .kit.smallest import LEAST_HEIGHT, LEAST_WIDTH, SmallestView
from .kit.table import RecordTable
from .learnt import differs
from .live_states import Running
from .memory import Memory, Remembered
from .messages import FilterChanged, IngestNews, SoonTold, StoreLooked
from .pane import Pane
from .ranges import ALL, Range, day_at, first_range, holding, ranged
from .settings import Settings
from .tabs import TABS, pane_of, style_sheets
from .views import HasViews, ViewsTab, turn

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.filter import LineFilter

    from ..ingest.service import IngestService
    from ..queries.store import Reader
    from .first_screen import FirstScreen
    from .prefetch import Ahead
    from .soon import ReadingAhead

FRAME_CSS = Path(__file__).resolve().parent.parent / "textual.css"
"""Of what the tabs have in common; each may have a `tab.css` of its own."""

PREPARE_SECONDS = 1.0
"""Between the making of two tabs that nobody has wanted yet; each takes less time than a key may."""

IN_USE_SECONDS = 1.0
"""So long after a key nothing is done for which that, or the next one, would have to wait."""

WATCH_SECONDS = 5.0
"""How often a store that only others write to is looked at."""

TICK_SECONDS = 60.0
"""How often relative times and live marks are renewed while nothing else happens: mostly without asking."""

SOON_BYTES = 64 * 1024 * 1024
"""Where more is to be read, what tokens took is told before the store is full."""

HEAD_START_SECONDS = 0.2
"""The first data is asked for this long before the ingester starts, which would slow it down."""

RANGE = "range"
"""The name of the days among the filters."""

OWN = "own "
"""Before the name of a filter that only the pane on the screen has."""


def _verbs() -> type[Provider]:
    """Imported when the palette is first opened."""
    from .verbs import Verbs

    return Verbs


_DIMENSION_OF = {"user": "username"}
"""Fields of the filter whose column of sessions has another name."""

WIDE = 170
"""Columns from which details stand beside their list."""

HIGH = 20
"""Rows from which details stand below their list."""


class MainScreen(SteadySize, Screen[None]):
    """What the tabs are on. Textual's, but that the first screen is drawn at once: each time takes 10 ms of CPU."""

    app: AgnesStats

    def _compositor_refresh(self) -> None:
        # So Textual (8.2) draws. Where it has another name, a screen that was kept is merely replaced sooner.
        first = self.app.first
        if first is None:
            super()._compositor_refresh()
        elif first.is_to_be_drawn(self.app):
            # Also what was not drawn before.
            update = self._compositor.render_full_update()
            if first.is_whole:
                # Before it is seen: whoever has seen enough may end the program at once.
                self.app.first = None
                first.end(self.app, update)
            self.app._display(self, update)
            super()._compositor_refresh()
        else:
            self._dirty_widgets.clear()


class AgnesStats(EndableApp):
    """The screen. Ask it for the filter that holds and the store; it owns the ingester's life."""

    TITLE = "agnes-stats"
    CSS_PATH = [FRAME_CSS, *style_sheets()]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_verbs}  # noqa: RUF012
    PAUSE_GC_ON_SCROLL = True
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (NARROW, "-normal"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-short"), (LOW, "-medium"), (HIGH, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(
        self,
        settings: Settings,
        store: Store,
        service: Callable[[Callable[[News], None]], IngestService] | None,
        *,
        chosen: Filter,
        now: Callable[[], dt.datetime],
        looked_in: Callable[[], Iterable[str]] = tuple,
        ahead: Ahead | None = None,
        prepares: bool = False,
        memory: Memory | None = None,
        days: Range | None = None,
        widens: bool = False,
        soon: Callable[[Callable[[], None]], ReadingAhead] | None = None,
    ) -> None:
        """`service` makes the ingester, given where to tell its news; None to show the store as it is.

        `ahead` has the first answers. `prepares`: the other tabs are made, too, once the first one is on the screen.
        `memory` is told how it was left; `days` are those it begins with, unless the filter names some;
        `widens`: where these have nothing, it shows as many as it takes to have something. `soon` makes what tells
        of much that is not read yet, given whom to tell that it can be asked.
        """
        hash_at_once()
        super().__init__()
        self.settings = settings
        self.store = store
        self.now = now
        self.costs = Costs()
        """What the questions of the screen cost."""
        self.running = Running()
        """What runs, asked once for all who show it."""
        self._looked_in = looked_in
        self.ahead = ahead
        self.first: FirstFrame | None = None
        """What sees to the first screen, until that is there; None where nothing is kept of it."""
        self._prepares = prepares
        self._making = asyncio.Lock()
        self.zone = ZoneInfo(settings.tz)
        self._fixed = chosen
        self._range = first_range(chosen, days)
        self._zoomed: list[Range] = []
        """The choices from which somebody zoomed into something, the widest first."""
        self._widens = widens and self._range is not ALL
        self._left_days = days
        """Those that somebody chose last: to widen is no choice."""
        self._memory = memory
        self.choices = Choices(memory.recall().choices if memory else None)
        """What was chosen of how things are shown."""
        self._tab = settings.tab or TABS[0].name
        self.chosen = self._ranged(chosen)
        self._set_last: list[str] = []
        """Fields of the filter, those that were set last at the end."""
        self._offers_agent = False
        """Whether one agent can be chosen, as it was when the filters were told last."""
        self.session_title = ""
        """What the session is called that is filtered by."""
        self.again: tuple[str, ...] = ()
        """What to add to the command line to begin again with; nothing: this is the end."""
        self._make_soon = soon
        self._soon: ReadingAhead | None = None
        self._status = StatusCorner()
        self._make_service = service
        self._service: IngestService | None = None
        self._ending = threading.Lock()
        self._is_ending = False
        self.has_begun = False
        """Whether the frame is there, and its data are asked for."""
        self._is_watching = False
        self._used_at = -IN_USE_SECONDS
        """When somebody last did anything, by a clock that only goes on."""
        self._looks_seldom = False
        """Whether it is us who say when garbage is looked for."""
        self._stamp: Stamp | None = None
        """The store when it was looked at last, where no ingester of ours does so."""
        self._lost: dt.datetime | None = None
        """Since when it cannot be reached."""
        self._news: News | None = None
        if settings.theme in self.available_themes:
            self.theme = settings.theme

    @functools.cached_property
    def looked_in(self) -> tuple[str, ...]:
        """The folders in which sessions are looked for, as a person would name them; said where there are none."""
        return tuple(self._looked_in())

    def follow(self, first: FirstScreen) -> None:
        """Replace a first screen that was kept once this one is there, or have this one kept."""
        if getattr(self.driver_class, "TAKES_OVER", False):
            self.first = FirstFrame(first)
        else:
            first.give_back()

    def begin_again(self, *added: str) -> None:
        """End, and start anew with more on the command line."""
        self.again = added
        self.exit(0)

    # -- the frame -----------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Those of Textual, and what keeps every text readable and in its place."""
        return [*super().get_line_filters(), READABLE, KEPT_IN_PLACE]

    def get_key_display(self, binding: Binding) -> str:
        """A key as the bottom line writes it."""
        return binding.key_display or brief(binding.key)

    def get_default_screen(self) -> Screen[None]:
        """The one that the tabs are on."""
        return MainScreen(id="_default")

    async def on_event(self, event: Event) -> None:
        """Whoever does something wants to see what comes of it."""
        if isinstance(event, InputEvent):
            self._used_at = time.monotonic()
        if self.first is not None and isinstance(event, InputEvent) and not self.first.is_touched:
            self.first.is_touched = True
            self.set_timer(SOON_SECONDS, self._end_waiting)
        await super().on_event(event)

    def compose(self) -> ComposeResult:
        """Header strip, tab strip, panes, filter line, footer with the status corner."""
        yield HeaderStrip()
        yield TabStrip([(str(n), tab.name, tab.title) for n, tab in enumerate(TABS, 1)])
        with ContentSwitcher(initial=self._tab):
            yield pane_of(self._tab)
        yield FilterInput()
        with Horizontal(id="bottom"):
            yield KeyBar()
            yield self._status
        yield SmallestView()

    async def on_mount(self) -> None:
        """First the frame, then what the store has, then let the ingester go to work."""
        self.set_interval(TICK_SECONDS, self._tick)
        if self.first is not None:
            self.set_timer(LATE_SECONDS, self._end_waiting)
        await self._show_tab(self._tab)
        if self._make_service is None:
            self._status.say(*self._untouched)
            self.set_interval(WATCH_SECONDS, self._watch_store)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.has_begun = True
        self._fill_pane()
        self.header.refresh_data()
        if self._widens and self._make_service is None:
            self._widen()
        if self.first is not None:
            self.set_timer(SOON_SECONDS, self._draw_parts)
        self.set_timer(HEAD_START_SECONDS, self._go_live)

    def _draw_parts(self) -> None:
        if self.first is not None:
            self.first.draws_parts = True
            self.screen.refresh()

    def _end_waiting(self) -> None:
        """What is there is drawn, though it is not all that there will be."""
        if self.first is not None:
            self.first.is_late = True
            self.screen.refresh()

    def _go_live(self) -> None:
        if self.first is not None and not self.first.is_late:
            # What is seen first comes first, but not for ever. The last that was drawn may not have been all of it yet.
            self.screen_stack[0].refresh()
            self.set_timer(HEAD_START_SECONDS / 4, self._go_live)
            return
        if not gc.isenabled():
            self._looks_seldom = True
            garbage.begin_to_look()
        if self._make_service is not None:
            self._start_service()
        if self._prepares:
            self.set_timer(PREPARE_SECONDS, self._prepare_tab)

    async def _prepare_tab(self) -> None:
        """Make a tab that nobody has wanted yet, so that it is there when somebody does; then the next."""
        if not self.is_up:
            return
        missing = next((tab for tab in TABS if not self._is_made(tab.name)), None)
        if missing is None:
            if self._looks_seldom:
                garbage.pass_over()
            return
        if not self._is_in_use:
            # To import it takes as long as to make it: beside the screen.
            await asyncio.to_thread(missing.learn)
            if self.is_up and not self._is_in_use:
                await self._make_tab(missing.name)
        self.set_timer(PREPARE_SECONDS, self._prepare_tab)

    @property
    def _is_in_use(self) -> bool:
        """Whether somebody has just pressed a key, or moved the mouse, and may go on to."""
        return time.monotonic() - self._used_at < IN_USE_SECONDS

    @work(thread=True, group="service")
    def _start_service(self) -> None:
        assert self._make_service is not None
        service = self._make_service(self._tell)
        with self._ending:
            if not self._is_ending:
                self._service = service
                service.start()

    @property
    def _untouched(self) -> tuple[str, str]:
        """What is said of a store that this dashboard only looks at, and the same in short."""
        return ("store as it is (--no-ingest)", "as it is") if self.store.is_file else ("a team's lake", "lake")

    def _watch_store(self) -> None:
        """See whether somebody else has written to it."""
        if not self._is_watching:
            self._is_watching = True
            self._look_at_store()

    @work(thread=True, group="watch", exit_on_error=False)
    def _look_at_store(self) -> None:
        try:
            stamp = self.store.look()
        except StoreError as error:
            self.post_message(StoreLooked(None, str(error)))
        else:
            self.post_message(StoreLooked(stamp))

    def on_store_looked(self, message: StoreLooked) -> None:
        """Ask again where the store has changed, or is there again."""
        self._is_watching = False
        if not self.is_up:
            return
        if message.stamp is None:
            self.lose_store(message.reason)
            return
        was_lost, self._lost = self._lost, None
        is_new = self._stamp is not None and self._stamp != message.stamp
        self._stamp = message.stamp
        if was_lost is not None:
            self._status.say(*self._untouched)
        if was_lost is not None or is_new:
            self._refresh_all()

    def lose_store(self, reason: str) -> None:
        """Say that the store cannot be reached, since when, and why; what is on the screen stays."""
        if self._lost is None:
            self._lost = self.now()
        if self.is_up:
            since = f"{local(self._lost, self.zone):%H:%M}"
            self._status.say(f"✗ server lost at {since}: {reason if len(reason) <= 60 else reason[:59] + '…'}")

    def _tell(self, news: News) -> None:
        self.post_message(IngestNews(news))

    def on_unmount(self) -> None:
        """Leave no thread behind, and remember how it was left."""
        if self._memory is not None:
            self._memory.keep(Remembered(self.theme, self._tab, self._left_days, self.choices.told))
        with self._ending:
            self._is_ending = True
        self._end_soon()
        if self._service is not None:
            self._service.stop()

    # -- while much is to be read ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading_soon(self, chosen: Filter) -> Iterator[Reader | None]:
        """Whom to ask for what tokens took while the store is filled; None: the store. For any thread."""
        soon = self._soon
        # What is looked for is sought in texts, which are not read that soon.
        if soon is None or chosen.text or chosen.found is not None:
            yield None
        else:
            with soon.read() as connection:
                yield connection

    def _begin_soon(self) -> None:
        if self._make_soon is not None and self._soon is None:
            self._soon = self._make_soon(self._tell_soon)
            self._soon.begin()

    def _tell_soon(self) -> None:
        self.post_message(SoonTold())

    def _end_soon(self) -> None:
        soon, self._soon = self._soon, None
        if soon is not None:
            soon.end()

    def on_soon_told(self) -> None:
        """Sums can be told, though the store is not full."""
        if self.is_up and self._soon is not None:
            self._refresh_all()

    @property
    def active_pane(self) -> Pane:  # type: ignore[type-arg]
        """The pane on the screen."""
        shown = self.active_tab
        return shown.shown if isinstance(shown, ViewsTab) else shown  # type: ignore[return-value]

    @property
    def active_tab(self) -> Widget:
        """The tab on the screen: a pane, or what holds several."""
        return self._switcher.query_children(f"#{self._switcher.current or TABS[0].name}").first()

    @property
    def is_up(self) -> bool:
        """Whether the tabs are on the screen. At the end news and answers may come when they are taken down."""
        # Every pane asks this with every piece of news: nothing is looked for.
        return bool(self.screen_stack) and self._status.is_attached

    @property
    def _switcher(self) -> ContentSwitcher:
        return self.screen_stack[0].query_one(ContentSwitcher)

    @property
    def header(self) -> HeaderStrip:
        """What runs, who waits, and what is left, above all tabs."""
        return self.screen_stack[0].query_one(HeaderStrip)

    @property
    def panes(self) -> list[Pane]:  # type: ignore[type-arg]
        """The panes that are made."""
        return list(self.screen_stack[0].query(Pane))

    @property
    def is_reading(self) -> bool:
        """Whether a catch-up is under way, or about to begin."""
        return isinstance(self._news, Reading) or (self._news is None and self._make_service is not None)

    @property
    def is_settled(self) -> bool:
        """Whether all that there was at the start is read: what turns up from now on is new."""
        return self._make_service is None or isinstance(self._news, UpToDate)

    def live_changed(self) -> None:
        """A session does something else, though nothing was written."""
        if self.is_up:
            self.header.refresh_data()
            self.active_pane.refresh_data()

    @property
    def reading_words(self) -> str:
        """How far the catch-up is, in words."""
        if not isinstance(self._news, Reading):
            return ""
        progress = self._news.progress
        return f"{progress.files_done:,} of {progress.files:,} files, {percent(progress.ratio, 0)}."

    def reread(self, path: str) -> bool:
        """Have a file read again from its start; False if this dashboard reads none."""
        if self._service is None:
            return False
        self._service.reread(Path(path))
        return True

    def on_ingest_news(self, message: IngestNews) -> None:
        """Tell the status corner; ask again where the store has changed."""
        was_reading = self.is_reading
        self._news = message.news
        if not self.is_up:
            return
        self._status.tell(message.news)
        progressed = isinstance(message.news, Reading) and message.news.progress.files_done > 0
        if isinstance(message.news, Reading) and message.news.progress.bytes >= SOON_BYTES:
            self._begin_soon()
        elif isinstance(message.news, UpToDate):
            self._end_soon()
        if message.changed or progressed or (was_reading and not self.is_reading):
            self._refresh_all()
        if self._widens and isinstance(message.news, UpToDate):
            # Once all is read: before, what is there need not be the newest.
            self._widen()

    def _refresh_all(self) -> None:
        # The header takes what runs from the pane that lists it.
        for pane in self.panes:
            pane.refresh_data()
        self.header.refresh_data()
        self._refresh_details()

    def _refresh_details(self) -> None:
        # A screen over the tabs that shows data of the store has a `refresh_data`.
        refresh = getattr(self.screen, "refresh_data", None)
        if refresh is not None:
            refresh()

    def on_resize(self) -> None:
        """Another width has room for other things."""
        if self.has_begun:
            self.call_after_refresh(self._fill_anew)

    def _fill_anew(self) -> None:
        if self.is_up:
            self._status.fit()
            self.header.tick()
            self.active_pane.refresh_data()
            self._refresh_details()

    def _tick(self) -> None:
        if not self.is_up:
            return
        if self._ranged(self.chosen) != self.chosen:
            # Another day, or hour, has begun.
            self.choose()
        self.header.tick()
        self.active_pane.renew()
        self._refresh_details()
        if self._looks_seldom and not self._is_in_use:
            garbage.look_at_rest()

    # -- the filter ----------------------------------------------------------------------------------------------

    def _ranged(self, chosen: Filter) -> Filter:
        return ranged(chosen, self._fixed, self._range, self.now())

    def choose(self, **changes: object) -> None:
        """Change the filter of all panes."""
        self._set_last = [name for name in self._set_last if name not in changes] + list(changes)
        self.chosen = self._ranged(self.chosen.but(**changes))
        self.describe_filter()
        self.header.refresh_data()
        for pane in self.panes:
            pane.refresh_data()
        self.post_message(FilterChanged(self.chosen))

    def describe_filter(self) -> None:
        """Say which filters hold, and which could."""
        chosen, pane = self.chosen, self.active_pane
        held = dict(chips(chosen, self.session_title))
        self._offers_agent = differs("agent")
        offered = ["agent"] if self._offers_agent else []
        could = {field: f"all {field}s" for field in (*offered, "project", "model") if field not in held}
        parts = [
            FilterPart(RANGE, self.range_label, held=bool(self._zoomed)),
            *(FilterPart(field, text, held=True) for field, text in held.items()),
        ]
        parts += [FilterPart(f"{OWN}{name}", text, held=True) for name, text in pane.own_filters()]
        parts += [FilterPart(field, text) for field, text in could.items()]
        parts.append(FilterPart(ZONE, chosen.zone))
        self.screen_stack[0].query_one(TabStrip).describe(parts, pane.filter_note())

    @property
    def range_label(self) -> str:
        """The days that are shown, in words."""
        if self._range is ALL and (self._fixed.since or self._fixed.until):
            return f"{self._fixed.since or '…'} to {self._fixed.until or 'today'}"
        return self._range.label

    def note_learnt(self) -> None:
        """The store was asked: that it has several agents may not have been known when the filters were told."""
        if self.is_up and self._offers_agent != differs("agent"):
            self.describe_filter()

    def tell_awaited(self) -> None:
        """Say whether what is on the screen is still the answer to another question than the last."""
        if self.is_up:
            self.screen_stack[0].query_one(TabStrip).awaits = self.active_pane.awaits_answer

    def filter_in_words(self) -> list[str]:
        """Which filters hold and what they leave, in a sentence."""
        return self.screen_stack[0].query_one(TabStrip).in_words()

    @property
    def droppable(self) -> list[str]:
        """The fields that are filtered by, but for a person that the command line names."""
        kept = "user" if self.chosen.user == self._fixed.user else ""
        return [field for field in FIELDS if field != kept and getattr(self.chosen, field) is not None]

    def show_days(self, days: Range) -> None:
        """Show these days from now on, on every tab."""
        self._left_days = days
        self._show_days(days)

    def _show_days(self, days: Range) -> None:
        self._widens = False
        self._fixed = self._fixed.but(since=None, until=None)
        self._range = days
        self._zoomed.clear()
        self.choose()

    def on_pointed_zoomed(self, message: Pointed.Zoomed) -> None:
        """Show only what a bar stands for."""
        if message.span != self._range:
            self._widens = False
            self._zoomed.append(self._range)
            self._range = message.span
            self._set_last = [*(name for name in self._set_last if name != RANGE), RANGE]
            self.choose()

    def _zoom_out(self, steps: int) -> None:
        """Go back to what was zoomed into."""
        for _ in range(steps):
            self._range = self._zoomed.pop()
        self.choose()

    def show_zone(self, zone: str) -> None:
        """Tell days and times in a zone from now on, on every tab."""
        self.zone = ZoneInfo(zone)
        self.choose(zone=zone)

    def _widen(self) -> None:
        """Before anybody has chosen days: where these have nothing, show as many as it takes, once."""
        self._widens = False
        self._ask_newest_day()

    @work(thread=True, exclusive=True, group="newest", exit_on_error=False)
    def _ask_newest_day(self) -> None:
        from ..queries.tokens import newest_day

        try:
            with self.store.read() as connection:
                day = newest_day(connection, self.chosen)
        except StoreError:
            # The pane says it, with the reason.
            return
        today = day_at(self.now(), self.zone)
        if day is not None and self.chosen.since is not None and day < self.chosen.since:
            self.call_from_thread(self._show_days, holding(day, today))

    @work
    async def action_pick(self, what: str) -> None:
        """Choose days, or one value of a field of the filter, from a list."""
        if what == ZONE:
            from .screens.zone_screen import ZoneScreen

            zone = await self.push_screen_wait(ZoneScreen(self.chosen.zone, self.settings.tz, self.now()))
            if zone is not None:
                self.show_zone(zone)
            return
        if what == RANGE:
            from .screens.range_screen import RangeScreen

            days = await self.push_screen_wait(RangeScreen(self._range, day_at(self.now(), self.zone)))
            if days is not None:
                self.show_days(days)
            return
        from .screens.picker import PickerScreen

        picked = await self.push_screen_wait(PickerScreen(what, getattr(self.chosen, what)))
        if picked is not None:
            self.choose(**{what: picked or None})

    def action_unfilter(self) -> None:
        """Drop the filter that was set last: of this tab, else of all."""
        own, held = self.active_pane.own_filters(), self.droppable + [RANGE] * bool(self._zoomed)
        last = sorted(held, key=lambda name: self._set_last.index(name) if name in self._set_last else -1)
        if own:
            self._drop(f"{OWN}{own[-1][0]}")
        elif last:
            self._drop(last[-1])

    def _drop(self, name: str) -> None:
        """Drop a filter: a field, or one of the pane's own."""
        if name == RANGE:
            self._zoom_out(1)
        elif name in self.droppable:
            self.choose(**{name: None})
        elif name.startswith(OWN):
            self.active_pane.drop_own(name.removeprefix(OWN))
            self.screen_stack[0].query_one(FilterInput).keep(self.active_pane.text)
            self.choose()

    def on_tab_strip_filter_clicked(self, message: TabStrip.FilterClicked) -> None:
        """What is held is dropped; for what could be, there is a list to choose from."""
        name = message.part.name
        if message.part.held and (name in (*self.droppable, RANGE) or name.startswith(OWN)):
            self._drop(name)
        else:
            self.action_pick(message.part.name)

    def action_filter(self) -> None:
        """Open the filter line of the pane."""
        self.query_one(FilterInput).open(self.active_pane.text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the user types."""
        if isinstance(event.input, FilterInput):
            self.active_pane.text = event.value
            self.active_pane.refresh_data()
            self.header.refresh_data()
            self.describe_filter()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        if isinstance(event.input, FilterInput):
            event.input.close()
            self._focus_pane()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now: there may be nothing to go up from, or to choose from."""
        if action == "pick":
            return differs(_DIMENSION_OF.get(str(parameters[0]), str(parameters[0])))
        if action == "turn":
            return isinstance(self.active_tab, HasViews)
        if action not in ("up", "unfilter"):
            return True
        is_open = action == "up" and self.screen_stack[0].query_one(FilterInput).is_open
        return bool(is_open or self.active_pane.own_filters() or self.droppable or self._zoomed)

    def action_up(self) -> None:
        """One step up: close the filter line, or drop the filters. Never quits."""
        line = self.query_one(FilterInput)
        pane = self.active_pane
        if line.is_open:
            line.close()
            self._focus_pane()
        if pane.own_filters():
            pane.clear_filters()
            line.value = ""
            self.choose()
        elif self.droppable or self._zoomed:
            self._zoom_out(len(self._zoomed))
            self.choose(**dict.fromkeys(self.droppable))

    # -- tabs, help ----------------------------------------------------------------------------------------------

    async def action_show_tab(self, name: str) -> None:
        """Show a tab."""
        await self._show_tab(name)
        self._focus_pane()
        # First it is painted as it was: to ask takes time from that.
        self.call_after_refresh(self.active_pane.refresh_data)

    async def action_turn(self, step: int) -> None:
        """The next view of the tab, or the one before."""
        tab = self.active_tab
        if isinstance(tab, HasViews):
            await turn(tab, step)
            self.describe_filter()

    def pane_changed(self) -> None:
        """Another view of the tab is on the screen."""
        self.query_one(FilterInput).close()
        self.describe_filter()
        self._fill_pane()

    def _fill_pane(self) -> None:
        self.active_pane.refresh_data()
        # Last: what is hidden while the data come would lose the focus.
        self._focus_pane()

    async def _show_tab(self, name: str) -> None:
        """A tab is made when it is first wanted: making all would be most of what a start costs."""
        await self._make_tab(name)
        self._switcher.current = self._tab = name
        self.query_one(TabStrip).active = name
        self.query_one(FilterInput).close()
        self.describe_filter()
        self.tell_awaited()

    async def _make_tab(self, name: str) -> None:
        # A key may want a tab that is just being prepared.
        async with self._making:
            if not self._is_made(name):
                made = pane_of(name)
                made.display = False
                await self._switcher.mount(made)

    def _is_made(self, name: str) -> bool:
        return bool(self._switcher.query_children(f"#{name}"))

    def on_record_table_columns_wanted(self, message: RecordTable.ColumnsWanted) -> None:
        """The columns of a table are to be chosen."""
        from .screens.columns_screen import ColumnsScreen

        self.push_screen(ColumnsScreen(message.table))

    def on_record_table_order_wanted(self, message: RecordTable.OrderWanted) -> None:
        """The order of a table's rows is to be chosen."""
        from .screens.order_screen import OrderScreen

        self.push_screen(OrderScreen(message.table))

    async def on_tab_strip_chosen(self, message: TabStrip.Chosen) -> None:
        """A tab was clicked."""
        await self.action_show_tab(message.name)

    def _focus_pane(self) -> None:
        self.active_pane.take_focus()

    def action_export(self) -> None:
        """Write a table or a chart of the tab into a file."""
        from .exporting import offer

        offer(self, self.active_pane, self.active_pane.id or "")

    def action_console(self) -> None:
        """Open the SQL console; it keeps its query and answer from one time to the next."""
        from .screens.console import NAME, ConsoleScreen

        if not self.is_screen_installed(NAME):
            self.install_screen(ConsoleScreen(), NAME)
        self.push_screen(NAME)

    def action_jump(self) -> None:
        """Show a letter on everything that can be gone to; once more leaves it."""
        from .screens.jump_screen import JumpScreen, Target, targets

        if isinstance(self.screen, JumpScreen):
            self.screen.dismiss()
            return

        def go(target: Target | None) -> None:
            if target is not None:
                target.go()

        self.push_screen(JumpScreen(targets(self.screen)), go)

    def action_command_palette(self) -> None:
        """All that can be done, each by its name."""
        from .screens.palette_screen import PaletteScreen

        if not isinstance(self.screen, PaletteScreen):
            self.push_screen(PaletteScreen(id="--command-palette"))

    def action_help(self) -> None:
        """All keys, in words."""
        from .screens.help import HelpScreen

        self.push_screen(HelpScreen(self.active_pane))

    # -- for the palette -----------------------------------------------------------------------------------------

    def made_tab(self, name: str) -> Widget:
        """A tab that is made, else one that is not on the screen: to ask what it has."""
        made = self._switcher.query_children(f"#{name}")
        return made.first() if made else pane_of(name)

    async def go(self, tab: str, view: str) -> None:
        """Show a view of a tab."""
        await self._show_tab(tab)
        shown = self.active_tab
        if isinstance(shown, HasViews):
            await shown.show_view(view)
        self.describe_filter()
        self._fill_pane()

    async def break_down(self, dimension: str) -> None:
        """Show tokens and money by one of their dimensions."""
        from .tokens.pane import TokensPane

        await self.go("tokens", "overview")
        self.screen_stack[0].query_one(TokensPane).choose_dimension(dimension)

    async def show_accesses_of(self, table: str) -> None:
        """Show what read or wrote a table."""
        from .access.pane import AccessPane

        await self.go("access", "list")
        self.screen_stack[0].query_one(AccessPane).show_table(table)

    def open_session(self, session_id: str) -> None:
        """Show a session in full."""
        from .sessions.detail import SessionScreen

        self.push_screen(SessionScreen(session_id))
