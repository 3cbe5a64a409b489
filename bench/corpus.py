"""A synthetic folder of Claude Code transcripts of any size, the same for the same seed.

    python bench/corpus.py FOLDER --mb 300

Shaped after what was measured on real ones: a line has 3 to 5 kB on average, a response is two lines, one session in
ten has sub-agents, one in twenty-five has a fork that repeats its first half, and the last fifth has the rows of newer
versions, with fields that older ones lack. Prints the true sums as JSON, so that a benchmark is also a check.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODELS = ("claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-7")
PROJECTS = ("shop", "warehouse", "website", "infra", "notes", "api", "mobile", "reports")
WORDS = (
    "the",
    "table",
    "of",
    "orders",
    "is",
    "read",
    "again",
    "and",
    "every",
    "row",
    "that",
    "has",
    "changed",
    "since",
)

Row = dict[str, Any]


class Corpus:
    """Writes sessions one after the other and counts what they truly hold."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.projects = folder / "projects"
        self.random = random.Random(seed)
        self.written = 0
        self.truth = {"calls": 0, "input": 0, "output": 0, "cache_read": 0, "cache_creation": 0, "files": 0, "lines": 0}
        self.now = dt.datetime(2026, 8, 1, 8, tzinfo=dt.UTC)
        self.is_newer = False
        """Whether rows have the fields of newer versions of Claude Code."""
        self.is_strange = False
        """Whether rows have fields, too, that no version has yet."""
        self._words = [" ".join(self.random.choices(WORDS, k=40)) for _ in range(200)]

    def session(self) -> None:
        """One session, with its sub-agents, or a fork of it beside it."""
        project = self.random.choice(PROJECTS)
        session = self._uuid()
        self.now += dt.timedelta(minutes=self.random.randint(5, 240))
        folder = self.projects / f"-home-dev-{project}"
        rows = list(self._talk(session, f"/home/dev/{project}", self.random.randint(30, 160)))
        self._write(folder / f"{session}.jsonl", rows)
        if self.random.random() < 0.10:
            for _ in range(self.random.randint(1, 12)):
                agent = f"{self.random.getrandbits(32):08x}"
                side = self._talk(session, f"/home/dev/{project}", self.random.randint(5, 40), agent)
                self._write(folder / session / "subagents" / f"agent-{agent}.jsonl", list(side))
        elif self.random.random() < 0.04:
            fork = self._uuid()
            copied = [{**row, "sessionId": fork} for row in rows[: len(rows) // 2]]
            self._write(folder / f"{fork}.jsonl", copied)

    def _talk(self, session: str, cwd: str, turns: int, agent: str | None = None) -> Iterator[Row]:
        moment = self.now
        model = self.random.choice(MODELS)
        context = self.random.randint(10_000, 30_000)
        base: Row = {
            "sessionId": session,
            "cwd": cwd,
            "version": "2.1.114",
            "gitBranch": "main",
            "userType": "external",
        }
        base["isSidechain"] = agent is not None
        if self.is_newer:
            base |= {"version": "2.1.332", "entrypoint": "cli", "slug": "quiet-river", "session_id": session}
        if agent:
            base["agentId"] = agent
        yield self._row(base, "user", moment, {"role": "user", "content": self._text(200)})
        for _ in range(turns):
            moment += dt.timedelta(seconds=self.random.uniform(2, 45))
            output = self.random.randint(50, 1500)
            wrote = self.random.randint(200, 6000)
            usage: Row = {
                "input_tokens": self.random.randint(1, 300),
                "output_tokens": output,
                "cache_read_input_tokens": context,
                "cache_creation_input_tokens": wrote,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": wrote},
                "service_tier": "standard",
            }
            context += wrote
            call = f"toolu_{self._id()}"
            message = {"id": f"msg_{self._id()}", "role": "assistant", "model": model, "type": "message"}
            text = [{"type": "text", "text": self._text(600)}]
            tool = [{"type": "tool_use", "id": call, **self._tool()}]
            request = f"req_{self._id()}"
            early = {**usage, "output_tokens": min(output, self.random.randint(1, 8))}
            yield self._row(
                base, "assistant", moment, {**message, "content": text, "stop_reason": None, "usage": early}, request
            )
            last = {**message, "content": tool, "stop_reason": "tool_use", "usage": usage}
            yield self._row(base, "assistant", moment + dt.timedelta(seconds=1), last, request)
            moment += dt.timedelta(seconds=self.random.uniform(0.1, 20))
            told = self._text(self.random.choice((300, 900, 3000, 9000, 20000)))
            result: Row = {"type": "tool_result", "tool_use_id": call, "content": told}
            if self.random.random() < 0.05:
                result["is_error"] = True
            row = self._row(base, "user", moment, {"role": "user", "content": [result]})
            row["toolUseResult"] = {"stdout": told, "stderr": "", "interrupted": False}
            yield row
            self.truth["calls"] += 1
            self.truth["input"] += usage["input_tokens"]
            self.truth["output"] += output
            self.truth["cache_read"] += usage["cache_read_input_tokens"]
            self.truth["cache_creation"] += wrote
        self.now = max(self.now, moment)

    def _tool(self) -> Row:
        kind = self.random.random()
        if kind < 0.4:
            command = self.random.choice(
                (
                    "ls -la src",
                    "git status",
                    "pytest -q",
                    'duckdb shop.db -c "SELECT count(*) FROM orders"',
                    "make check",
                )
            )
            return {"name": "Bash", "input": {"command": command, "description": self._text(40)}}
        path = f"/home/dev/src/module_{self.random.randint(1, 90)}.py"
        if kind < 0.75:
            return {"name": "Read", "input": {"file_path": path}}
        return {
            "name": "Edit",
            "input": {"file_path": path, "old_string": self._text(300), "new_string": self._text(300)},
        }

    def _row(self, base: Row, kind: str, moment: dt.datetime, message: Row, request: str | None = None) -> Row:
        row = {**base, "type": kind, "uuid": self._uuid(), "timestamp": moment.isoformat(timespec="milliseconds")}
        row["timestamp"] = row["timestamp"].replace("+00:00", "Z")
        if self.is_newer and kind == "assistant":
            row |= {"effort": "high", "attributionSkill": None, "apiDurationMs": 900, "requestSource": "main"}
            message = {**message, "diagnostics": {"cache": "hit"}, "container": None}
            message["stop_details"] = None
            used = message["usage"]
            counts = {name: used[name] for name in used if name.endswith("_tokens") or name == "cache_creation"}
            message["usage"] = {
                **used,
                "output_tokens_details": {"thinking_tokens": used["output_tokens"] // 3},
                "inference_geo": "not_available",
                "iterations": [{"type": "message", **counts}],
                "speed": "standard",
            }
            calls = [{**block, "caller": {"type": "direct"}} for block in message["content"] if "input" in block]
            message["content"] = calls or message["content"]
        elif self.is_newer:
            row |= {"promptSource": "typed", "origin": {"kind": "human"}, "permissionMode": "default"}
        if self.is_strange:
            row["futureField"] = {"of": ["some", "kind"], "count": 3}
            message = {**message, "futureField": "unknown"}
            if "usage" in message:
                message["usage"] = {**message["usage"], "future_tokens_details": {"of": 1}}
        row["message"] = message
        if request:
            row["requestId"] = request
        return row

    def _write(self, path: Path, rows: list[Row]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()
        path.write_bytes(data)
        self.written += len(data)
        self.truth["files"] += 1
        self.truth["lines"] += len(rows)

    def _text(self, size: int) -> str:
        start = self.random.randrange(len(self._words))
        parts = []
        while size > 0:
            part = self._words[start % len(self._words)]
            parts.append(part[:size])
            size -= len(part) + 1
            start += 1
        return " ".join(parts)

    def _id(self) -> str:
        return f"{self.random.getrandbits(120):030x}"

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


def write_corpus(folder: Path, megabytes: float, seed: int = 1, *, is_strange: bool = False) -> dict[str, int]:
    """Write about that many megabytes (10^6 bytes) under `folder/projects`; the true sums.

    `is_strange`: every row has fields that no version of Claude Code has yet.
    """
    corpus = Corpus(folder, seed)
    corpus.is_strange = is_strange
    while corpus.written < megabytes * 1e6:
        corpus.is_newer = corpus.written >= 0.8 * megabytes * 1e6
        corpus.session()
    return corpus.truth | {"bytes": corpus.written}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mb", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    json.dump(write_corpus(given.folder, given.mb, given.seed), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
