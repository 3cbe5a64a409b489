"""One object for each file, for everyone in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Made = TypeVar("Made")


class OneEach(Generic[Made]):
    """What was made for a file, by whatever name that is called, as long as somebody has it."""

    def __init__(self, make: Callable[[Path], Made]) -> None:
        self._make = make
        self._made: WeakValueDictionary[str, Made] = WeakValueDictionary()
        self._lock = threading.Lock()

    def of(self, path: Path) -> Made:
        """That of the file; made now if nobody has it."""
        key = os.path.realpath(path)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = self._make(path)
            return made
