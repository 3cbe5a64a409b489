"""What is known of Claude Code transcripts without being used. Everything else in them is counted as unknown."""

from __future__ import annotations

import msgspec

from .rows import (
    CacheCreation,
    ContentBlock,
    Diagnostics,
    Iteration,
    Message,
    MissReason,
    OutputConfig,
    OutputDetails,
    Row,
    ServerToolUse,
    Usage,
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _order(text: str) -> tuple[str, ...]:
    return tuple(text.split())


KNOWN_TYPES = _names("""
    agent-color agent-name agent-setting ai-title api-request api-request-blob api-request-shape assistant atis-latch
    attachment attribution-snapshot bridge-session content-replacement cost-state custom-title file-history-delta
    file-history-snapshot frame-link last-prompt mode permission-mode pr-link progress queue-operation relocated
    speculation-accept summary system tag tools-used user worktree-state
    """)
"""Row types with a meaning we know, used or not; others are counted as unknown."""

KNOWN_SUBTYPES = _names("""
    agents_killed api_error api_metrics away_summary bridge_status compact_boundary informational local_command
    memory_saved microcompact_boundary permission_retry scheduled_task_fire stop_hook_summary turn_duration
    """)
"""Kinds of system rows with a meaning we know."""

KNOWN_BLOCKS = _names("""
    advisor_tool_result bash_code_execution_tool_result code_execution_tool_result container_upload document fallback
    image mcp_tool_result mcp_tool_use redacted_thinking search_result server_tool_use text
    text_editor_code_execution_tool_result thinking tool_reference tool_result tool_use web_fetch_tool_result
    web_search_tool_result
    """)
"""Types of content blocks with a meaning we know."""

KNOWN_NAMES: dict[type[msgspec.Struct], tuple[str, ...]] = {
    Row: _order("""
        agentName agentColor agentSetting operation reason deliveryId commandUuid queuePriority mode lastPrompt atis
        parentUuid logicalParentUuid isSidechain retryInMs retryAttempt maxRetries cause apiError apiErrorStatus
        errorDetails url hookAdditionalContext pendingBackgroundAgentCount pendingWorkflowCount messageCount
        attributionAgent attributionSkill attributionPlugin attributionMcpServer attributionMcpTool advisorModel effort
        perTurnEffort requestedModel promptCacheRequested requestRef apiBlockIndex madeBy requestSessionId promptId
        classifierMetaLines toolDenialKind userFeedback permissionDecision toolInputStreamMs sandboxed origin
        promptSource queueSkipAttachments turnOrigin turnPosition turnCompanion interruptedMessageId sentAtMs rowSource
        commandRun rendered renderedRole renderedBesideToolResult attachment session_id userType cwd sessionId version
        gitBranch agentId slug message requestId type isVisibleInTranscriptOnly isCompactSummary isVirtual prNumber
        prUrl prRepository summary aiTitle customTitle title subtype durationMs hookCount hookInfos hookErrors
        preventedContinuation stopReason hasOutput content leafUuid isMeta messageId snapshotMessageId trackingPath
        backup snapshot isSnapshotUpdate replacements data toolUseID parentToolUseID uuid timestamp sourceToolUseID
        thinkingMetadata todos level compactMetadata microcompactMetadata error isApiErrorMessage isAbortedMidStream
        permissionMode imagePasteIds planContent teamName tag toolUseResult mcpMeta sourceToolAssistantUUID
        worktreeSession relocatedCwd frameUrl path entrypoint sessionKind forkedFrom costUSD
        bridgeSessionId lastSequenceNum ownerAccountUuid ownerOrganizationUuid source
        id hash shape shapeHash base keep tail params thread querySource requestDigest echoWireToolInputs cacheControl
        tools startTime modelUsage hasUnknownModelCost totalCostUSD totalDuration totalAPIDuration
        totalAPIDurationWithoutRetries totalToolDuration totalLinesAdded totalLinesRemoved
    """),
    Message: _order("""
        container model id type role content stop_reason stop_sequence stop_details usage context_management diagnostics
        output_config
    """),
    Usage: _order("""
        input_tokens cache_creation_input_tokens cache_read_input_tokens output_tokens_details server_tool_use
        cache_creation output_tokens service_tier inference_geo iterations speed fallback_credit
    """),
    Iteration: _order("""
        input_tokens output_tokens cache_read_input_tokens cache_creation_input_tokens cache_creation type model
        output_tokens_details server_tool_use service_tier inference_geo speed
    """),
    CacheCreation: (),
    OutputDetails: (),
    Diagnostics: (),
    MissReason: (),
    OutputConfig: (),
    ServerToolUse: ("web_search_requests", "web_fetch_requests"),
    ContentBlock: _order("""
        tool_use_id type source from to title thinking signature data text citations content is_error id name input
        caller context cache_control
    """),
}
"""Shapes whose fields are checked -> fields with a meaning we know, used or not, in the order of newer transcripts."""

USUAL_NAMES: dict[type[msgspec.Struct], tuple[str, ...]] = {
    Row: _order("""
        parentUuid advisorModel promptId userType slug toolUseID parentToolUseID permissionMode entrypoint
        sourceToolAssistantUUID requestId
    """),
}
"""Of the fields of a row without a use those that stand in nearly all rows of users and models (in nine of ten of all
rows there is no other)."""
