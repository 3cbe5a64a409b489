"""What the views of the Tokens tab have in common."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args
from zoneinfo import ZoneInfo

from textual.containers import Vertical
from textual.theme import Theme
from textual.widget import Widget

from ...queries.filters import Filter
from ...queries.timing import METRICS, Metric
from ...queries.trends import GRANULARITIES, Granularity, Measure
from ..choices import Choices
from ..learnt import differs
from ..settings import Settings

if TYPE_CHECKING:
    from ...queries.store import Reader

Data = TypeVar("Data")

DIMENSIONS = {
    "model": "model",
    "project": "project",
    "agent": "agent",
    "subagent_type": "agent type",
    "kind": "token kind",
    "git_branch": "git branch",
    "version": "agent version",
    "machine": "machine",
    "username": "user",
}
"""What tokens can be broken down by -> its name in a sentence."""


def dimensions() -> list[str]:
    """Those of DIMENSIONS that tell anything apart: agents, machines and users do if there are several."""
    return [name for name in DIMENSIONS if differs(name)]


WIDE = 184
"""A screen of so many columns has room for three things beside each other."""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the user chose on this tab."""

    view: str = "overview"
    measure: Measure = "cost_usd"
    by: str = "model"
    granularity: Granularity | None = None
    """None: what suits the range."""
    timing: Metric = "response"
    order: str | None = None
    """Column by which the groups are sorted; None: by the measure."""
    descending: bool = True


_GROUP_ORDERS = ("name", "sessions", "input_tokens", "output_tokens", "total_tokens", "cost_usd")


def kept_options(choices: Choices) -> ViewOptions:
    """What is remembered of the options: measure, grouping, granularity, the kind of times, and the order."""
    usual = ViewOptions()
    order = choices.one_of("tokens order", [f"{key} {way}" for key in _GROUP_ORDERS for way in ("asc", "desc")], "")
    key, _, way = order.partition(" ")
    granularity = choices.one_of("tokens granularity", GRANULARITIES, "")
    made: dict[str, Any] = {
        "measure": choices.one_of("tokens measure", get_args(Measure), usual.measure),
        "by": choices.one_of("tokens by", DIMENSIONS, usual.by),
        "granularity": granularity or None,
        "timing": choices.one_of("tokens timing", METRICS, usual.timing),
        "order": key or None,
        "descending": way != "asc",
    }
    return replace(usual, **made)


def keep_options(choices: Choices, options: ViewOptions) -> None:
    """Remember them; what is as usual is not noted."""
    usual = ViewOptions()
    order = options.order and f"{options.order} {'desc' if options.descending else 'asc'}"
    choices.note("tokens order", order)
    for name in ("measure", "by", "granularity", "timing"):
        value = getattr(options, name)
        choices.note(f"tokens {name}", None if value == getattr(usual, name) else value)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: it travels with its answer, so that both are shown together."""

    chosen: Filter
    options: ViewOptions
    now: dt.datetime
    """UTC without a zone."""
    here: dt.datetime
    """The same on the clock of the filter's zone, without a zone."""
    cost: bool
    """Whether money is shown at all."""
    width: int
    """Columns of the screen: a wide one is told more."""
    budget: float | None = None
    """USD a month."""
    settings: Settings | None = None
    """Of the run."""
    is_soon: bool = False
    """Whether it is asked before the store is full (`tui/soon.py`)."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days are told."""
        return ZoneInfo(self.chosen.zone)

    @property
    def measure(self) -> Measure:
        """Money or tokens."""
        return self.options.measure if self.cost else "total_tokens"

    @property
    def money(self) -> bool:
        """Whether the measure is money."""
        return self.measure == "cost_usd"


class TokenView(Vertical, Generic[Data]):
    """One view. `ask` runs in a thread and returns frozen data, `show` puts it on the screen."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    ACTIONS: ClassVar[frozenset[str]] = frozenset()
    """Those of the tab's actions that mean something here, of "measure", "by", "granularity" and "table"."""
    STANDS: ClassVar[bool] = True
    """Whether its answer is the same until an hour begins; else it is asked for every minute."""

    DEFAULT_CSS = """
    TokenView { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__(id=f"tokens-{self.NAME}")
        self._last: tuple[Data, Question] | None = None

    def on_mount(self) -> None:
        """Bars in tables have a colour of the theme: with another one they are made anew."""
        self.app.theme_changed_signal.subscribe(self, self._in_new_colors)

    def _in_new_colors(self, _: Theme) -> None:
        self.call_after_refresh(self._show_again)

    def _show_again(self) -> None:
        # What is there by then: another answer may have come.
        if self._last is not None:
            self.show(*self._last)

    def present(self, data: Data, question: Question) -> None:
        """Show an answer, and again when the colours change."""
        self._last = (data, question)
        self.show(data, question)

    def told_soon(self, question: Question) -> bool:  # noqa: ARG002
        """Whether all that it asks for is known before the store is full (`tui/soon.py`): what responses took."""
        return False

    def ask(self, connection: Reader, question: Question) -> Data:
        """Ask the store. Touch no widget here."""
        raise NotImplementedError

    def show(self, data: Data, question: Question) -> None:
        """Show the answer."""
        raise NotImplementedError

    @property
    def shows_cost(self) -> bool:
        """Whether money is shown at all."""
        app: Any = self.app
        return not app.settings.no_cost

    @property
    def has_other_table(self) -> bool:
        """Whether there is something for which a low screen has no room."""
        return self.has_class("-low")

    def switch_table(self) -> None:
        """Show what a low screen has no room for, in place of something else."""

    @property
    def first_focus(self) -> Widget | None:
        """What gets the focus when the view is shown."""
        for widget in self.query("*"):
            if widget.can_focus and widget.display and all(node.display for node in widget.ancestors_with_self[:-1]):
                return widget
        return None
