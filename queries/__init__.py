"""The store and every question that can be asked of it. Knows neither the ingester nor the screen."""

from __future__ import annotations

TYPE_CHECKING = False
"""As `typing` has it: to import that takes a tenth of the time in which an answer that was kept is told."""

if TYPE_CHECKING:
    from typing import Any

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
