"""How a session is taken up again, by the words of its agent."""

from __future__ import annotations

import shlex

from ...queries.sessions import SessionRow

_COMMANDS = {
    "claude-code": "claude --resume {id}",
    "codex": "codex resume {id}",
    "copilot": "copilot --resume {id}",
    "opencode": "opencode --session {id}",
    "qwen": "qwen --resume {id}",
}
"""Agents that take up a session by its id -> the command. Gemini counts its sessions, Pi takes a file, Mux a click."""


def resume_command(row: SessionRow, folder: str | None) -> str | None:
    """The command line that resumes a session, in its folder if that is known; None where the agent has none."""
    command = _COMMANDS.get(row.agent or "")
    if command is None or row.pending or row.machine is not None:
        return None
    told = command.format(id=shlex.quote(row.session_id))
    return f"cd {shlex.quote(folder)} && {told}" if folder else told
