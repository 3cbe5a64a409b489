"""The store and every question that can be asked of it. Knows neither the ingester nor the screen."""

from .filters import Filter
from .store import Store, StoreBusy, StoreDamaged, StoreError, StoreReadOnly, StoreTooNew

__all__ = ["Filter", "Store", "StoreBusy", "StoreDamaged", "StoreError", "StoreReadOnly", "StoreTooNew"]
