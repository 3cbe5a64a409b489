"""The notes that Claude Code keeps beside the transcripts of sub-agents."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ...batch import Batch
from ..change import reject
from ..source import SourceFile, State
from .keys import AGENT
from .rows import AgentMeta


class NoteDecoder:
    """`agent-<id>.meta.json`: what kind of sub-agent it is, and which call started it."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._path = file.path
        self._whose = {"agent": AGENT, "machine": file.machine, "username": file.username}
        self._batch = batch

    def document(self, path: Path, content: bytes) -> None:
        """Read the whole note."""
        try:
            note = msgspec.json.decode(content, type=AgentMeta)
        except msgspec.DecodeError as error:
            reject(self._batch, path, 0, len(content), f"not a sub-agent note: {error}")
            return
        told = {"agent_type": note.agentType, "description": note.description, "tool_use_id": note.toolUseId}
        row = {
            "agent_id": self._path.name.removeprefix("agent-").removesuffix(".meta.json"),
            "path": str(self._path),
            **self._whose,
            **{column: value for column, value in told.items() if isinstance(value, str)},
        }
        self._batch.add("agents", row)

    def finish(self) -> State:
        """Nothing to remember."""
        return {}
