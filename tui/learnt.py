"""What is learnt of the store whenever it is asked: what its projects are called, and who told what it knows.

Which agent, on which machine, in whose name: that is shown only where the store has more than one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..queries.tellers import NOBODY, tellers
from . import project_names
from .user_names import user_name

if TYPE_CHECKING:
    from ..queries.store import Reader
    from .kit.table import Column

_tellers = NOBODY


def learn(connection: Reader) -> None:
    """Take over what a store says. Raises StoreError."""
    global _tellers
    project_names.learn(connection)
    _tellers = tellers(connection)


def differs(dimension: str) -> bool:
    """Whether the sessions of the store differ in `agent`, `machine` or `username`; anything else may always."""
    return _tellers.differ(dimension)


def told_apart(columns: Sequence[Column]) -> list[Column]:
    """The columns, without those of who told it where that is the same everywhere."""
    return [column for column in columns if differs(column.key)]


def who(row: Any) -> list[tuple[str, str | None]]:
    """Who told a row, as labels and values: of what differs in this store."""
    labels = {"agent": "Agent", "machine": "Machine", "username": "User"}
    read = row.get if isinstance(row, Mapping) else lambda name: getattr(row, name)
    told = {name: read(name) for name in labels}
    told["username"] = told["username"] and user_name(told["username"])
    return [(label, told[name]) for name, label in labels.items() if differs(name)]
