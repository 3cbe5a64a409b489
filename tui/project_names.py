"""What the projects of the store are called, on every screen and in every table alike.

A name depends on all other projects. Whoever asks the store has them learnt on that occasion; what shows a project then
finds its name by its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import user_names

if TYPE_CHECKING:
    from ..queries.store import Reader

_names: Mapping[str, str] = {}


def learn(connection: Reader) -> None:
    """Take over the names of a store's projects, and of its people."""
    from ..queries.projects import project_names
    from ..queries.sessions import people

    global _names
    _names = project_names(connection)
    user_names.learn(people(connection))


def name_of(path: str) -> str | None:
    """The name of a project; None if it is none of the store."""
    return _names.get(path)
