"""The shape of a session's events: the fields we use, everything else is skipped unread."""

from __future__ import annotations

from typing import Any

import msgspec


class EventRow(msgspec.Struct, gc=False):
    """A line of `events.jsonl`."""

    type: Any = None
    id: Any = None
    timestamp: Any = None
    agentId: Any = None  # noqa: N815
    data: msgspec.Raw = msgspec.Raw()


class Data(msgspec.Struct, gc=False):
    """`data` of an event of any type."""

    sessionId: Any = None  # noqa: N815
    copilotVersion: Any = None  # noqa: N815
    startTime: Any = None  # noqa: N815
    selectedModel: Any = None  # noqa: N815
    reasoningEffort: Any = None  # noqa: N815
    context: Any = None
    newModel: Any = None  # noqa: N815
    title: Any = None
    content: Any = None
    source: Any = None
    isAutopilotContinuation: Any = None  # noqa: N815
    parentToolCallId: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    agentName: Any = None  # noqa: N815
    agentDescription: Any = None  # noqa: N815
    messageId: Any = None  # noqa: N815
    model: Any = None
    outputTokens: Any = None  # noqa: N815
    toolCallId: Any = None  # noqa: N815
    toolName: Any = None  # noqa: N815
    mcpServerName: Any = None  # noqa: N815
    arguments: Any = None
    success: Any = None
    result: Any = None
    toolTelemetry: Any = None  # noqa: N815
    error: Any = None
    message: Any = None
    reason: Any = None
    preCompactionTokens: Any = None  # noqa: N815
    modelMetrics: Any = None  # noqa: N815
