"""The door to the store: `Store` opens it, for reading or writing, and says in words what is wrong with it."""

from .database import CONFINED
from .errors import (
    QueryFailed,
    StoreAway,
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
from .file import OTHER_KINDS, Store, StoreChanged
from .files import LAKE_SUFFIX, Stamp
from .locking import StoreUnlockable
from .reader import Answer, Reader, Writer
from .starting import ExtensionMissing
from .touched import TouchedByWrite


def _lake() -> type[Store]:
    from .lake import LakeStore

    return LakeStore


OTHER_KINDS[LAKE_SUFFIX] = _lake

__all__ = [
    "CONFINED",
    "Answer",
    "ExtensionMissing",
    "QueryFailed",
    "Reader",
    "Stamp",
    "Store",
    "StoreAway",
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
    "TouchedByWrite",
    "Writer",
    "explained",
]
