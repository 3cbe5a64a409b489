"""The door to the store: `Store` opens it, for reading or writing, and says in words what is wrong with it."""

from ..faults import (
    QueryFailed,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreInterrupted,
    StoreReadOnly,
    StoreTooNew,
)
from .database import CONFINED
from .file import Store, StoreChanged
from .files import Stamp
from .locking import StoreUnlockable

__all__ = [
    "CONFINED",
    "QueryFailed",
    "Stamp",
    "Store",
    "StoreBusy",
    "StoreChanged",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreInterrupted",
    "StoreReadOnly",
    "StoreTooNew",
    "StoreUnlockable",
]
