"""The header strip: what runs, who waits, what is left, whatever is filtered. It asks what the filters leave, too."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.color import Color
from textual.widgets import Static

from ..queries.standing import Asked, moves_until, of_one_state
from ..queries.store import StoreError
from . import budget_text, limit_text, marks
from . import format as words
from .alerts import Alerts
from .header_data import HEADER
from .kit.frame import NARROW, TabStrip
from .kit.palette import parse
from .kit.smallest import SmallestView
from .live_states import told_states
from .messages import HomeLoaded, StatesChanged
from .notifying import Notifier
from .sessions import text as told
from .typed_app import OnDashboard

if TYPE_CHECKING:
    from ..queries.budget import Budget
    from ..queries.filters import Filter
    from ..queries.live import LiveSession, Told
    from ..queries.plan_limits import PlanLimit
    from .header_data import HeaderData
    from .settings import Settings

_ENDS_SECONDS = 1.0
"""Within which what has been removed hears of it."""

OLD = dt.timedelta(minutes=10)
"""Limits, whose pace is that of the last hour, are asked for again after this long, though nothing was written."""

LOOK_SECONDS = 1.0
"""How often it is looked what the processes of sessions say that these do."""

FORGOTTEN = dt.timedelta(hours=24)
"""A limit whose window ended so long ago is not told any more: nobody uses that plan now."""


_QUESTION = "Header"

_NO_DAYS = {"since": None, "until": None, "after": None, "before": None}


@dataclass(frozen=True, slots=True)
class HeaderPiece:
    """Something told in the header; the lower its rank, the longer it stays when there is little room."""

    text: Text
    rank: int


class HeaderStrip(OnDashboard, Static):
    """Who waits, what is left of limits and budget, and with a workspace when data was pulled, in one line."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._data: HeaderData | None = None
        self._asked: Asked | None = None
        """When what is shown was asked for; None if that was before there was a screen."""
        self._number = 0
        """Of the question asked last."""
        self._shown = 0
        """Of the one whose answer is shown."""
        self._told: Told | None = None
        """What processes said when it was looked last."""
        self._alerts: Alerts | None = None
        self._notifier: Notifier | None = None
        self._is_over = threading.Event()

    def on_mount(self) -> None:
        """From now on it is looked what processes say, and changes are told to the user."""
        app = self.dashboard
        self._alerts = Alerts(app.now())
        self._notifier = Notifier(app.settings.notify, lambda why: app.call_from_thread(self._say_failed, why))
        if not app.settings.no_ingest:
            # A thread of its own: to hand a look to another one each time, and back, would take longer than the look.
            threading.Thread(
                target=self._keep_looking, args=(app.settings,), name="agnes-stats-look", daemon=True
            ).start()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._is_over.set()

    @property
    def told(self) -> HeaderData | None:
        """What it tells; None as long as it has no answer."""
        return self._data

    def tick(self) -> None:
        """Say anew how long ago things are; ask again if somebody has written since, or time makes it another."""
        app = self.dashboard
        if self._data is None or self._asked is None or not self._stands(self._data, self._asked):
            self.refresh_data()
        else:
            app.costs.hit(_QUESTION)
            self._show(self._data)

    def _stands(self, data: HeaderData, asked: Asked) -> bool:
        """Whether what is shown is what would be answered now."""
        now = self.dashboard.now()
        is_new = now - asked.at < OLD and not any(limit.turned(asked.at, now) for limit in data.limits)
        return is_new and not data.is_provisional and asked.stands(self.dashboard.store.stamp(), now)

    def _keep_looking(self, settings: Settings) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            try:
                self._look(settings)
            except RuntimeError:
                # In this thread a widget that is removed meanwhile has no app any more to tell.
                if not self._is_over.wait(_ENDS_SECONDS):
                    raise

    def _look(self, settings: Settings) -> None:
        """Ask again, and have the tab ask again, once a process says something else. In a thread."""
        found = told_states(settings)
        before, self._told = self._told, found
        if before is not None and before != found:
            self.post_message(StatesChanged())

    def on_states_changed(self) -> None:
        """A process says something else."""
        self.dashboard.live_changed()

    def refresh_data(self) -> None:
        """Ask the store for the numbers, and show them."""
        app = self.dashboard
        self._number += 1
        self._ask(self._number, app.chosen.but(text=app.active_pane.text), is_settled=app.is_settled)

    @work(thread=True, exclusive=True, group="home", exit_on_error=False)
    def _ask(self, number: int, chosen: Filter, *, is_settled: bool) -> None:
        app = self.dashboard
        asked = None
        try:
            data = app.ahead.take(HEADER, chosen) if app.ahead else None
            if data is not None:
                app.costs.hit(_QUESTION)
            else:
                data, asked = self._answer(chosen)
        except StoreError:
            # The pane says it, with the reason; the last numbers stay.
            return
        self.post_message(HomeLoaded(number, data, asked, is_settled=is_settled))

    def _answer(self, chosen: Filter) -> tuple[HeaderData, Asked]:
        from .header_data import header_data, whatever_is_filtered

        app = self.dashboard
        told_now, stamp, now = told_states(app.settings), app.store.stamp(), app.now()
        whose = whatever_is_filtered(app.settings, chosen)
        if app.active_pane.SHOWS_RUNNING and chosen.but(**_NO_DAYS, text="") == whose:
            # The days do not say what runs. So it is what the pane asks, which shows what they leave of it.
            whose = chosen.but(text="")
        with app.costs.asking(_QUESTION):
            with app.store.read() as connection:
                if chosen.text:
                    from ..queries.search import narrowed

                    chosen = narrowed(connection, chosen)

                same = of_one_state(stamp, app.store.stamp())

                def running() -> list[LiveSession]:
                    app.running.give_way(connection, whose, stamp=same, now=now, told=told_now)
                    return app.running.ask(connection, whose, stamp=same, now=now, told=told_now)

                data = header_data(connection, app.settings, chosen, now, running)
                asked = Asked(stamp, now, moves_until(connection, now))
            with app.reading_soon(chosen) as soon:
                if soon is not None:
                    from ..queries import tokens

                    data = replace(data, sums=tokens.totals(soon, chosen), is_provisional=True)
            return data, asked

    def on_home_loaded(self, message: HomeLoaded) -> None:
        """Show the numbers, and tell what is news. An answer that comes behind that to a newer question is dropped."""
        if not self.dashboard.is_up or message.number < self._shown:
            return
        self._shown, self._asked = message.number, message.asked
        self._data = data = message.data
        self._show(data)
        assert self._alerts is not None and self._notifier is not None
        for line in self._alerts.news(data.live, data.budgets, is_settled=message.is_settled):
            self._notifier.tell(self.app, line)

    def _say_failed(self, why: str) -> None:
        self.app.notify(words.clean(why), title="--notify does not work", severity="warning", markup=False)

    # -- showing -------------------------------------------------------------------------------------------------

    def _show(self, data: HeaderData) -> None:
        """One line; narrow screens leave out the less telling numbers."""
        wide = self.app.size.width >= NARROW
        app = self.dashboard
        pieces = [piece for piece in self._pieces(data, wide) if piece.text.cell_len]
        self.set_class(not pieces, "-untold")
        named = " agnes-stats " if wide or not pieces else ""
        line = Text(named, style="bold", no_wrap=True, overflow="ellipsis")
        gap = "  " if wide else " "
        room = app.size.width - line.cell_len
        while len(pieces) > 1 and sum(piece.text.cell_len + len(gap) for piece in pieces) > room:
            pieces.remove(max(pieces, key=lambda piece: piece.rank))
        for piece in pieces:
            line.append(gap, style="not bold")
            line.append_text(piece.text)
        pull = self._pull(data)
        if pull.cell_len + 2 <= app.size.width - line.cell_len:
            line.append(" " * (app.size.width - line.cell_len - pull.cell_len - 1)).append_text(pull)
        self.update(line, layout=False)
        screen = app.screen_stack[0]
        sums = self._sums(data)
        screen.query_one(TabStrip).tell(sums)
        screen.query_one(SmallestView).tell([*self._lines(data), Text(app.range_label, "dim"), sums])

    def _lines(self, data: HeaderData) -> list[Text]:
        """What is urgent, a line for each kind."""
        now = self.dashboard.now()
        limits = Text(" ").join(self._limits(data.limits, now, wide=False))
        live = Text(" ").join(piece.text for piece in self._sessions(data.live, wide=False))
        budget = self._budget(budget_text.worst(data.budgets)).text
        return [line for line in (live, budget, limits) if line.cell_len]

    def _pieces(self, data: HeaderData, wide: bool) -> list[HeaderPiece]:
        now = self.dashboard.now()
        return [
            *self._sessions(data.live, wide),
            *(HeaderPiece(text, 3) for text in self._limits(data.limits, now, wide)),
            self._budget(budget_text.worst(data.budgets)),
        ]

    def _pull(self, data: HeaderData) -> Text:
        """When data was pulled last, where there is a workspace to pull into."""
        if not data.has_workspace:
            return Text()
        return _told("Last pull", words.relative(data.last_pull_at, self.dashboard.now()))

    def _sums(self, data: HeaderData) -> Text:
        sums = data.sums
        parts = [marks.tokens(sums.total_tokens, sums.undercounted)]
        if not self.dashboard.settings.no_cost:
            parts.append(marks.cost(sums))
        told = Text("  ".join(parts), style="bold")
        return told.append(f"  {marks.PROVISIONAL}", "dim not bold") if data.is_provisional else told

    def _sessions(self, live: Sequence[LiveSession], wide: bool) -> list[HeaderPiece]:
        waiting = sum(one.waiting for one in live)
        if not live:
            return []
        found = [HeaderPiece(Text(f"{told.LIVE} {len(live)} live", style=self._tone("success")), 1)]
        if waiting:
            says = f"{told.WAITS} {waiting} wait{'s' if waiting == 1 else ''}{' for you' if wide else ''}"
            found.append(HeaderPiece(Text(says, style=f"bold {self._tone('warning')}"), 0))
        if any(one.runaway for one in live):
            found.append(HeaderPiece(Text("▲ runs away", style=self._tone("error")), 2))
        return found

    def _limits(self, limits: Sequence[PlanLimit], now: dt.datetime, wide: bool) -> list[Text]:
        known = [limit for limit in limits if limit.resets_at is None or now - limit.resets_at < FORGOTTEN]
        known = [limit for limit in known if limit.resets_at is not None or now - limit.as_of < FORGOTTEN]
        several = len({limit.agent for limit in known}) > 1
        found = []
        for limit in known:
            text = Text()
            if several:
                text.append(f"{words.clean(limit.agent, 12)} ", style="dim not bold")
            text.append(limit_text.used(limit.window, limit.used_percentage, limit.account), self._limit_tone(limit))
            if limit.stale and limit.used_percentage is not None:
                text.append(f" {words.relative(limit.as_of, now)}", style="dim not bold")
            elif wide and limit.projected_full_at is not None:
                when = words.when(limit.projected_full_at, now, self.dashboard.zone)
                text.append(f" full at {when}", style=self._tone("warning"))
            found.append(text)
        return found

    def _limit_tone(self, limit: PlanLimit) -> str:
        used = limit.used_percentage
        if limit.stale or used is None:
            return "dim not bold"
        return f"bold {self._tone('error')}" if used >= 100 else self._tone("warning") if used >= 80 else "bold"

    def _budget(self, budget: Budget | None) -> HeaderPiece:
        if budget is None:
            return HeaderPiece(Text(), 3)
        tone = {"within": "bold", "near": self._tone("warning"), "over": f"bold {self._tone('error')}"}[budget.state]
        return HeaderPiece(Text(budget_text.brief(budget), style=tone), 3 if budget.state == "within" else 1)

    def _tone(self, name: str) -> str:
        return parse(self.app.theme_variables, f"text-{name}", Color.parse("white")).rich_color.name


def _told(label: str, value: str) -> Text:
    return Text.assemble((f"{label} ", "dim not bold"), (value, "bold"))
