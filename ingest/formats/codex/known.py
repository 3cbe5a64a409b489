"""What rollouts hold that is of use, or known to be of none: all else is told to the doctor, or it would go unseen."""

from __future__ import annotations

KNOWN_TYPES = frozenset(
    {
        *("session_meta", "turn_context", "response_item", "event_msg", "compacted", "world_state"),
        *("inter_agent_communication_metadata", "inter_agent_communication", "ghost_snapshot", "token_usage_record"),
        *("security_risk_score", "retained_context", "realtime_item"),
    }
)
"""Types of rows."""

KNOWN_EVENTS = frozenset(
    {
        *("user_message", "agent_message", "agent_reasoning", "agent_reasoning_raw_content", "token_count"),
        *("agent_reasoning_section_break", "task_started", "turn_started", "task_complete", "turn_complete"),
        *("turn_aborted", "context_compacted", "mcp_tool_call_begin", "mcp_tool_call_end", "patch_apply_begin"),
        *("patch_apply_end", "web_search_begin", "web_search_end", "sub_agent_activity", "thread_settings_applied"),
        *("thread_name_updated", "thread_goal_updated", "thread_rolled_back", "undo_completed", "item_completed"),
        *("item_started", "exec_command_begin", "exec_command_end", "view_image_tool_call", "image_generation_begin"),
        *("image_generation_end", "dynamic_tool_call_request", "dynamic_tool_call_response", "guardian_assessment"),
        *("collab_agent_spawn_begin", "collab_agent_spawn_end", "collab_agent_interaction_begin"),
        *("collab_agent_interaction_end", "collab_waiting_begin", "collab_waiting_end", "collab_close_begin"),
        *("collab_close_end", "collab_resume_begin", "collab_resume_end", "entered_review_mode", "exited_review_mode"),
        *("error", "warning", "stream_error", "background_event", "deprecation_notice", "model_reroute"),
        *("plan_update", "turn_diff", "session_configured", "shutdown_complete", "hook_started", "hook_completed"),
    }
)
"""Types of `event_msg`."""

KNOWN_ITEMS = frozenset(
    {
        *("message", "reasoning", "agent_message", "ghost_snapshot", "compaction", "compaction_summary"),
        *("context_compaction", "compaction_trigger", "other"),
    }
)
"""Types of `response_item` that are neither calls nor what came back of them."""

KNOWN_DONE = frozenset(
    {
        *("UserMessage", "AgentMessage", "Reasoning", "Plan", "CommandExecution", "FileChange", "McpToolCall"),
        *("DynamicToolCall", "CollabAgentToolCall", "SubAgentActivity", "WebSearch", "ImageView", "ImageGeneration"),
        *("ContextCompaction", "EnteredReviewMode", "ExitedReviewMode", "HookPrompt", "Sleep", "Extension"),
    }
)
"""Types of items that are told as completed."""
