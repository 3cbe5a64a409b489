"""The store and every question that can be asked of it. Knows neither the ingester nor the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .filters import Filter
    from .store import Store, StoreBusy, StoreDamaged, StoreError, StoreReadOnly, StoreTooNew

__all__ = ["Filter", "Store", "StoreBusy", "StoreDamaged", "StoreError", "StoreReadOnly", "StoreTooNew"]


def __getattr__(name: str) -> Any:
    """The names above, when they are wanted: an answer that was kept is told before anything of them is imported."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Filter":
        from .filters import Filter

        return Filter
    from . import store

    return getattr(store, name)
