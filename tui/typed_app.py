"""What widgets and screens have in common that belong to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import AgnesStats


class OnDashboard:
    """Mixed into a widget or a screen: its app is the dashboard."""

    @property
    def dashboard(self) -> AgnesStats:
        """The app, with its type."""
        node: Any = self
        return node.app  # type: ignore[no-any-return]
