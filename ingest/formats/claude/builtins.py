"""What Claude Code itself brings; other bare names are the user's own."""

from __future__ import annotations

BUILTIN_NAMES = frozenset(
    {
        "Explore",
        "Plan",
        "general-purpose",
        "statusline-setup",
        "output-style-setup",
        "claude-code-guide",
        "Task",
        "Agent",
        "add-dir",
        "agents",
        "bug",
        "clear",
        "compact",
        "config",
        "context",
        "cost",
        "doctor",
        "exit",
        "export",
        "fast",
        "help",
        "hooks",
        "ide",
        "init",
        "install-github-app",
        "login",
        "logout",
        "mcp",
        "memory",
        "model",
        "output-style",
        "permissions",
        "plan",
        "plugin",
        "pr-comments",
        "release-notes",
        "rename",
        "resume",
        "review",
        "rewind",
        "sandbox",
        "security-review",
        "stats",
        "status",
        "statusline",
        "tasks",
        "terminal-setup",
        "theme",
        "todos",
        "usage",
        "vim",
    }
)
"""Commands, skills and sub-agents."""

_GIVE_WORK = frozenset({"init", "pr-comments", "review", "security-review", "statusline"})

SETTINGS = BUILTIN_NAMES - _GIVE_WORK
"""Commands that only change or show a setting: they give the model no work."""
