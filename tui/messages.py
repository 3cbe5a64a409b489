"""What the parts of the dashboard tell each other. Threads post these; only the screen's own thread acts on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from ..ingest.news import News
    from ..queries.filters import Filter
    from ..queries.standing import Asked
    from ..queries.store import Stamp
    from .header_data import HeaderData


class IngestNews(Message):
    """The ingester has something to tell. Only the latest counts."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self.news = news

    def can_replace(self, message: Message) -> bool:
        """Progress may be dropped for newer progress; changes of the store may not."""
        return isinstance(message, IngestNews) and type(message.news) is type(self.news) and not message.changed

    @property
    def changed(self) -> bool:
        """Whether the store has other content than before."""
        return getattr(self.news, "files", 0) > 0


class SoonTold(Message):
    """What tokens took can be told, though not all is read."""


class HomeLoaded(Message):
    """The numbers of the header."""

    def __init__(self, number: int, data: HeaderData, asked: Asked | None, *, is_settled: bool) -> None:
        """`is_settled`: all that there was at the start was read when it was asked."""
        super().__init__()
        self.number = number
        """Of the question: the higher, the newer."""
        self.data = data
        self.asked = asked
        """When it was asked for; None if that was before there was a screen."""
        self.is_settled = is_settled


class StatesChanged(Message):
    """The process of a session says that it does something else."""


class FilterChanged(Message):
    """The filter of all panes is another one now."""

    def __init__(self, chosen: Filter) -> None:
        super().__init__()
        self.chosen = chosen


class PaneLoaded(Message):
    """The answer to a pane's question. Late answers to older questions are dropped by their number."""

    def __init__(self, number: int, data: Any, asked: Asked | None = None, *, is_whole: bool = True) -> None:
        """`is_whole`: this is all, not only what fills a screen."""
        super().__init__()
        self.number = number
        self.data = data
        self.asked = asked
        """When it was asked for; None if that was before there was a screen."""
        self.is_whole = is_whole


class PaneFailed(Message):
    """A pane's question could not be answered; the reason is one line for people."""

    def __init__(self, number: int, reason: str, *, is_away: bool = False) -> None:
        super().__init__()
        self.number = number
        self.reason = reason
        self.is_away = is_away
        """The store cannot be reached just now: what is shown is true of then."""


class StoreLooked(Message):
    """A store that others write to was looked at."""

    def __init__(self, stamp: Stamp | None, reason: str = "") -> None:
        super().__init__()
        self.stamp = stamp
        """As it is now; None if it cannot be reached, for the reason."""
        self.reason = reason
