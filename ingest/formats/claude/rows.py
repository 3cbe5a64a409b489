"""The shape of a Claude Code transcript line: the fields we use, everything else is skipped unread."""

from __future__ import annotations

from typing import Any

import msgspec


class CacheCreation(msgspec.Struct, gc=False):
    """`usage.cache_creation`: cache writes by how long they live."""

    ephemeral_5m_input_tokens: Any = None
    ephemeral_1h_input_tokens: Any = None


class ServerToolUse(msgspec.Struct, gc=False):
    """`usage.server_tool_use`."""

    web_search_requests: Any = None


class OutputDetails(msgspec.Struct, gc=False):
    """`usage.output_tokens_details`: what part of the output is what."""

    thinking_tokens: Any = None


class Counts(msgspec.Struct, gc=False):
    """What is counted of a response, or of a part of it."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerToolUse | None = None
    speed: Any = None
    service_tier: Any = None
    inference_geo: Any = None


class Iteration(Counts, gc=False):
    """One entry of `usage.iterations`: a part of the response, or something billed beside it."""

    type: Any = None
    model: Any = None


class Usage(Iteration, gc=False):
    """`message.usage`."""

    iterations: list[Iteration] | None = None


class ContentBlock(msgspec.Struct, gc=False):
    """One content block of a message, of any type."""

    type: Any = None
    id: Any = None
    name: Any = None
    input: msgspec.Raw = msgspec.Raw()
    text: msgspec.Raw = msgspec.Raw()
    thinking: msgspec.Raw = msgspec.Raw()
    tool_use_id: Any = None
    is_error: Any = None
    content: msgspec.Raw = msgspec.Raw()
    gave_up: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="from")
    """Of a `fallback` block: the model that gave up."""


class MissReason(msgspec.Struct, gc=False):
    """`diagnostics.cache_miss_reason`: why the prompt was not found in the cache."""

    type: Any = None
    cache_missed_input_tokens: Any = None


class Diagnostics(msgspec.Struct, gc=False):
    """`message.diagnostics`."""

    cache_miss_reason: MissReason | None = None


class OutputConfig(msgspec.Struct, gc=False):
    """`message.output_config`: what was asked for."""

    effort: Any = None


class Message(msgspec.Struct, gc=False):
    """`message` of a user or assistant row."""

    id: Any = None
    model: Any = None
    stop_reason: Any = None
    usage: Usage | None = None
    content: str | list[ContentBlock] | None = None
    diagnostics: Diagnostics | None = None
    output_config: OutputConfig | None = None


class EmbeddedRow(msgspec.Struct, gc=False):
    """`data.message` of a progress row: a sub-agent's row, copied into its parent's file."""

    type: Any = None
    uuid: Any = None
    timestamp: Any = None
    requestId: Any = None  # noqa: N815
    message: Message | None = None


class ProgressData(msgspec.Struct, gc=False):
    """`data` of a progress row."""

    type: Any = None
    agentId: Any = None  # noqa: N815
    message: EmbeddedRow | None = None


class Attachment(msgspec.Struct, gc=False):
    """`attachment` of a row of that type; of use are those of queued commands and of tasks."""

    type: Any = None
    prompt: msgspec.Raw = msgspec.Raw()
    content: msgspec.Raw = msgspec.Raw()
    commandMode: Any = None  # noqa: N815
    origin: Any = None
    isMeta: Any = None  # noqa: N815


class Beside(msgspec.Struct, gc=False):
    """`toolUseResult` of a user row: what the result beside it is of, as far as it is an object."""

    status: Any = None
    agentId: Any = None  # noqa: N815
    totalTokens: Any = None  # noqa: N815
    """Of a sub-agent, as the next one: it repeats what the sub-agent's own rows say."""
    totalDurationMs: Any = None  # noqa: N815
    success: Any = None
    taskId: Any = None  # noqa: N815
    tasks: msgspec.Raw = msgspec.Raw()
    """The whole state of the tasks."""
    type: Any = None
    content: msgspec.Raw = msgspec.Raw()
    structuredPatch: msgspec.Raw = msgspec.Raw()  # noqa: N815
    gitOperation: msgspec.Raw = msgspec.Raw()  # noqa: N815


class Row(msgspec.Struct, gc=False):
    """A line of a transcript."""

    type: Any = None
    subtype: Any = None
    uuid: Any = None
    timestamp: Any = None
    sessionId: Any = None  # noqa: N815
    session_id: Any = None
    sessionKind: Any = None  # noqa: N815
    forkedFrom: Any = None  # noqa: N815
    requestId: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    attributionAgent: Any = None  # noqa: N815
    attributionSkill: Any = None  # noqa: N815
    attributionPlugin: Any = None  # noqa: N815
    attributionMcpServer: Any = None  # noqa: N815
    attributionMcpTool: Any = None  # noqa: N815
    effort: Any = None
    perTurnEffort: Any = None  # noqa: N815
    compactMetadata: msgspec.Raw = msgspec.Raw()  # noqa: N815
    cwd: Any = None
    gitBranch: Any = None  # noqa: N815
    version: Any = None
    isSidechain: Any = None  # noqa: N815
    isMeta: Any = None  # noqa: N815
    isCompactSummary: Any = None  # noqa: N815
    isApiErrorMessage: Any = None  # noqa: N815
    toolDenialKind: Any = None  # noqa: N815
    promptSource: Any = None  # noqa: N815
    origin: Any = None
    costUSD: Any = None  # noqa: N815
    durationMs: Any = None  # noqa: N815
    summary: Any = None
    leafUuid: Any = None  # noqa: N815
    customTitle: Any = None  # noqa: N815
    aiTitle: Any = None  # noqa: N815
    title: Any = None
    worktreeSession: Any = None  # noqa: N815
    prUrl: Any = None  # noqa: N815
    message: Message | None = None
    content: msgspec.Raw = msgspec.Raw()
    toolUseResult: Beside | str | list[Any] | None = None  # noqa: N815
    data: ProgressData | None = None
    attachment: Attachment | None = None


class Compaction(msgspec.Struct, gc=False):
    """`compactMetadata` of a compaction's row."""

    trigger: Any = None
    preTokens: Any = None  # noqa: N815
    postTokens: Any = None  # noqa: N815


class AgentMeta(msgspec.Struct, gc=False):
    """`agent-<id>.meta.json` beside a sub-agent's transcript."""

    agentType: Any = None  # noqa: N815
    description: Any = None
    toolUseId: Any = None  # noqa: N815
