"""What is known of Claude Code transcripts without being used. Everything else in them is counted as unknown."""

from __future__ import annotations

import msgspec

from .rows import Block, CacheCreation, Iteration, Message, Row, ServerToolUse, Usage


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN_TYPES = _names("""
    agent-name ai-title assistant attachment attribution-snapshot content-replacement custom-title
    file-history-snapshot last-prompt mode permission-mode pr-link progress queue-operation speculation-accept summary
    system tag user worktree-state
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

KNOWN_NAMES: dict[type[msgspec.Struct], frozenset[str]] = {
    Row: _names("""
        agentColor agentName agentSetting apiError attributionPlugin attributionSkill cause compactMetadata
        entrypoint error errorDetails hasOutput hookCount hookErrors hookInfos imagePasteIds isSnapshotUpdate isVirtual
        isVisibleInTranscriptOnly lastPrompt level logicalParentUuid maxRetries mcpMeta messageCount messageId
        microcompactMetadata mode operation parentToolUseID parentUuid permissionMode planContent prNumber
        prRepository prUrl preventedContinuation promptId replacements retryAttempt retryInMs sessionKind slug snapshot
        sourceToolAssistantUUID sourceToolUseID stopReason tag teamName thinkingMetadata todos toolUseID url userType
    """),
    Message: _names("container context_management role stop_details stop_sequence type"),
    Usage: _names(""),
    Iteration: _names(""),
    CacheCreation: _names(""),
    ServerToolUse: _names("web_fetch_requests"),
    Block: _names("cache_control caller citations context data signature source title to"),
}
"""Shapes whose fields are checked -> fields with a meaning we know, and no use for."""
