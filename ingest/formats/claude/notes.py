"""The notes that Claude Code keeps beside the transcripts of sub-agents."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ...batch import Batch
from ...jsonl import inner_of
from ..emit import Emitter
from ..events import Subagent
from ..source import SourceFile, State
from .builtins import BUILTIN_NAMES
from .keys import AGENT
from .rows import AgentMeta

_meta = msgspec.json.Decoder(AgentMeta).decode


class NoteDecoder:
    """`agent-<id>.meta.json`: what kind of sub-agent it is, and which call started it."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._emit = Emitter(file, batch, agent=AGENT)

    def document(self, path: Path, content: bytes) -> None:
        """Read the whole note."""
        note = inner_of(_meta, AgentMeta, content)
        if note is None:
            self._emit.reject(0, len(content), "not a sub-agent note")
            return
        said = (note.agentType, note.description, note.toolUseId)
        kind, description, call = (value if isinstance(value, str) else None for value in said)
        name = path.name.removeprefix("agent-").removesuffix(".meta.json")
        told = Subagent(id=name, type=kind, description=description, call_id=call)
        told.is_builtin = kind in BUILTIN_NAMES
        self._emit.subagent(told)

    def finish(self) -> State:
        """Nothing to remember."""
        return {}
