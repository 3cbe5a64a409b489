"""Transcripts written by hand, row by row, as Claude Code writes them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store

from tests.storing import kept_open, store_in

OPUS, SONNET, HAIKU = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"


class Transcript:
    """One file. Every method writes a row at the time of `at`; ids are made of the session's and a running number."""

    def __init__(
        self,
        session: str,
        at: str | dt.datetime,
        *,
        cwd: str = "/home/dana/work/warehouse",
        branch: str = "main",
        model: str = OPUS,
        agent: str | None = None,
        version: str = "2.1.114",
    ) -> None:
        """`at` is ISO time in UTC. `agent` makes it the file of a sub-agent of that id."""
        self.session = session
        self.now = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
        self.rows: list[dict[str, Any]] = []
        self.model = model
        self.agent = agent
        self._usual = {"sessionId": session, "cwd": cwd, "gitBranch": branch, "version": version}
        self._count = 0
        self.about: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The file's name below a project's folder."""
        return f"{self.session}/subagents/agent-{self.agent}.jsonl" if self.agent else f"{self.session}.jsonl"

    def wait(self, seconds: float) -> Transcript:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds)
        return self

    def row(self, kind: str, **fields: Any) -> Transcript:
        """Any row."""
        self._count += 1
        own = f"{self.agent or self.session}-{self._count}"
        stamp = f"{self.now:%Y-%m-%dT%H:%M:%S}.{self.now.microsecond // 1000:03d}Z"
        row = {"type": kind, "uuid": own, "timestamp": stamp, "isSidechain": self.agent is not None, **self._usual}
        if self.agent:
            row["agentId"] = self.agent
        self.rows.append(row | fields)
        return self

    def prompt(self, text: str, **fields: Any) -> Transcript:
        """What a person typed."""
        return self.row("user", message={"role": "user", "content": text}, **fields)

    def command(self, name: str) -> Transcript:
        """A slash command; `name` without the slash."""
        return self.prompt(f"<command-name>/{name}</command-name>")

    def response(
        self,
        *calls: tuple[str, str, dict[str, Any]],
        tokens: tuple[int, int, int, int] = (10, 100, 1000, 200),
        model: str | None = None,
        stop: str | None = "end_turn",
        text: str = "Done.",
    ) -> Transcript:
        """A response of the model, in one row. Calls are (id, tool, input); tokens are (in, out, read, written 5m)."""
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        content += [{"type": "tool_use", "id": key, "name": name, "input": given} for key, name, given in calls]
        usage = dict(
            zip(
                ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
                tokens,
                strict=True,
            )
        )
        message = {
            "id": f"msg_{self.agent or self.session}_{self._count}",
            "model": model or self.model,
            "role": "assistant",
            "content": content,
            "stop_reason": "tool_use" if calls and stop else stop,
            "usage": usage,
        }
        return self.row("assistant", message=message, requestId=f"req_{self._count}")

    def result(self, call: str, text: str = "ok", *, error: bool = False, **fields: Any) -> Transcript:
        """What a tool call gave back."""
        block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": error}
        return self.row("user", message={"role": "user", "content": [block]}, **fields)

    def note(self, subagent_type: str, description: str, call: str) -> Transcript:
        """Of a sub-agent: the note beside its file that says what it is and which call started it."""
        self.about = {"agentType": subagent_type, "description": description, "toolUseId": call}
        return self

    def event(self, subtype: str, **fields: Any) -> Transcript:
        """A note of the program itself, like `turn_duration`."""
        return self.row("system", subtype=subtype, **fields)

    def title(self, text: str) -> Transcript:
        """A title the user gave."""
        return self.row("custom-title", customTitle=text)


def write(root: Path, transcripts: Iterable[Transcript], folder: str = "-home-dana-work") -> None:
    """Write the files of transcripts below a root of the kind `claude`."""
    for transcript in transcripts:
        path = root / "projects" / folder / transcript.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in transcript.rows), "utf-8")
        if transcript.about is not None:
            path.with_suffix(".meta.json").write_text(json.dumps(transcript.about), "utf-8")


def store_of(folder: Path, transcripts: Iterable[Transcript], *, zones: tuple[str, ...] = ("UTC",)) -> Store:
    """A store below `folder` with these transcripts read; their files are in `folder`/claude."""
    write(folder / "claude", transcripts)
    store = store_in(folder)
    catch_up(store, folder / "claude", zones=zones)
    return store


def catch_up(store: Store, root: Path, *, zones: tuple[str, ...] = ("UTC",)) -> None:
    """Bring a store up to date with the files below a root of the kind `claude`."""
    (root / "projects").mkdir(parents=True, exist_ok=True)
    with kept_open(store):
        # Nobody else writes to it, who would have to be given time.
        Engine(store, [Root("claude", root)], zones=zones, workers=1, rest_seconds=0.0).catch_up()
