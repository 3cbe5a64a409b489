"""Qwen Code (`qwen`): chats under `~/.qwen`."""
