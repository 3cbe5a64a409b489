"""The shape of an entry of a Pi session: the fields we use, everything else is skipped unread."""

from __future__ import annotations

from typing import Any

import msgspec


class EntryMessage(msgspec.Struct, gc=False):
    """`message` of an entry."""

    role: Any = None
    content: Any = None
    provider: Any = None
    model: Any = None
    usage: Any = None
    stopReason: Any = None  # noqa: N815
    timestamp: Any = None
    toolCallId: Any = None  # noqa: N815
    isError: Any = None  # noqa: N815
    details: Any = None


class SessionEntry(msgspec.Struct, gc=False):
    """A line of a session."""

    type: Any = None
    id: Any = None
    timestamp: Any = None
    version: Any = None
    cwd: Any = None
    parentSession: Any = None  # noqa: N815
    branchedFrom: Any = None  # noqa: N815
    name: Any = None
    model: Any = None
    thinkingLevel: Any = None  # noqa: N815
    usage: Any = None
    message: EntryMessage | None = None
