"""The shape of a session's events: the fields we use, everything else is skipped unread."""

from __future__ import annotations

from typing import Any

import msgspec

KNOWN_TYPES = frozenset(
    {
        *("session.resume", "session.info", "session.warning", "session.idle", "session.truncation", "session.handoff"),
        *("session.compaction_start", "session.context_changed", "session.mode_changed", "session.plan_changed"),
        *("session.workspace_file_changed", "session.task_complete", "session.usage_info", "session.snapshot_rewind"),
        *("session.import_legacy", "session.permissions_changed", "session.remote_steerable_changed", "session.end"),
        *(
            "session.tools_updated",
            "session.skills_loaded",
            "session.mcp_servers_loaded",
            "session.background_tasks_changed",
        ),
        *("session.custom_agents_updated", "session.extensions_loaded", "session.mcp_server_status_changed"),
        *("assistant.turn_start", "assistant.turn_end", "assistant.intent", "assistant.reasoning", "assistant.usage"),
        *(
            "assistant.reasoning_delta",
            "assistant.message_delta",
            "assistant.streaming_delta",
            "assistant.message_start",
        ),
        *("tool.user_requested", "tool.execution_progress", "tool.execution_partial_result", "skill.invoked"),
        *(
            "subagent.completed",
            "subagent.failed",
            "subagent.selected",
            "subagent.deselected",
            "hook.start",
            "hook.end",
        ),
        *("system.message", "system.notification", "permission.requested", "permission.completed"),
        *("user_input.requested", "user_input.completed", "elicitation.requested", "elicitation.completed"),
        *("external_tool.requested", "external_tool.completed", "command.queued", "command.execute"),
        *("command.completed", "commands.changed", "capabilities.changed", "pending_messages.modified"),
        *("exit_plan_mode.requested", "exit_plan_mode.completed", "mcp.oauth_required", "mcp.oauth_completed"),
        *("sampling.requested", "sampling.completed"),
    }
)
"""Types of events that tell nothing of use; those that do have a method of the decoder."""


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
