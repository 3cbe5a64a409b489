"""Reading files again from their start, because somebody asked for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from ..queries.store import Store


def mark_unread(store: Store, paths: Iterable[Path], *, unless: threading.Event | None = None) -> None:
    """Drop the watermarks of files, so that whoever looks at them next reads them from the start. Facts stay.

    `unless`, and what is raised, as for `Store.write`.
    """
    with store.write(unless=unless) as connection:
        connection.execute(
            "UPDATE files SET parser = NULL WHERE path IN (SELECT unnest(?))", [[str(path) for path in paths]]
        )
