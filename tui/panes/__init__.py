"""The tabs, in their order. A new one is a file beside these and a line here."""

from .access import AccessPane
from .base import Pane
from .sessions import SessionsPane
from .sync import SyncPane
from .tokens import TokensPane

PANES: tuple[type[Pane], ...] = (  # type: ignore[type-arg]
    SessionsPane,
    TokensPane,
    AccessPane,
    SyncPane,
)
