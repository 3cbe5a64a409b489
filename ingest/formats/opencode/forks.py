"""Which messages a fork has copied: it gives them new ids, and leaves everything else as it was."""

from __future__ import annotations

import json

from ....queries.digest import blake2b
from .decoder import Object

_SAME = ("role", "time", "modelID", "providerID", "tokens", "cost", "agent")


class Twins:
    """Messages by what a copy leaves as it was. They are added by the age of their session, the oldest first."""

    def __init__(self) -> None:
        self._owners: dict[bytes, str] = {}

    def add(self, session_id: str, message: Object) -> None:
        """Note a message."""
        self._owners.setdefault(_mark(message), session_id)

    def is_copied(self, session_id: str, message: Object) -> bool:
        """Whether an older session has the same message."""
        return self._owners.get(_mark(message), session_id) != session_id


def _mark(message: Object) -> bytes:
    body = json.dumps([message.get(name) for name in _SAME], sort_keys=True, default=str)
    return blake2b(body.encode("utf-8", "replace"), digest_size=16).digest()
