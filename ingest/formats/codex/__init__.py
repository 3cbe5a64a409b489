"""Codex (`codex`, its desktop app and IDE extension): rollouts under `~/.codex/sessions`."""
