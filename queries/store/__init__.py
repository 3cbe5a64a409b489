"""The door to the store: `Store` opens it, for reading or writing, and says in words what is wrong with it."""

from .database import CONFINED
from .errors import (
    QueryFailed,
    StoreBusy,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreInterrupted,
    StoreReadOnly,
    StoreTooNew,
    explained,
)
from .file import Store, StoreChanged
from .files import Stamp
from .locking import StoreUnlockable
from .reader import Answer, Reader, Writer

__all__ = [
    "CONFINED",
    "Answer",
    "QueryFailed",
    "Reader",
    "Stamp",
    "Store",
    "StoreBusy",
    "StoreChanged",
    "StoreConflict",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreInterrupted",
    "StoreReadOnly",
    "StoreTooNew",
    "StoreUnlockable",
    "Writer",
    "explained",
]
