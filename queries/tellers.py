"""Who told what the store knows: which agents, on which machines, in whose names.

Most stores have one agent, no named machine and nobody's name: then none of it is worth a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class Tellers:
    """What sessions have, each once and in the order of names; "" where some have a machine or a name, and others none.

    A session without an agent, of which only an Agnes server told, is no other agent's.
    """

    agent: list[str]
    machine: list[str]
    username: list[str]

    def differ(self, dimension: str) -> bool:
        """Whether sessions differ in `agent`, `machine` or `username`; anything else may always differ."""
        return len(getattr(self, dimension, ("", ""))) > 1


NOBODY = Tellers([], [], [])


def tellers(connection: Reader) -> Tellers:
    """Who told of the sessions in the store. Raises StoreError."""
    values = {"agent": "agent", "machine": "coalesce(machine, '')", "username": "coalesce(username, '')"}
    parts = ", ".join(
        f"coalesce(list_sort(list(DISTINCT {value}) FILTER ({value} IS NOT NULL)), []) AS {name}"
        for name, value in values.items()
    )
    return connection.one(Tellers, f"SELECT {parts} FROM sessions")
