"""Gemini CLI (`gemini`): chats under `~/.gemini/tmp`."""
