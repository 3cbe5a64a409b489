"""Files of an Agnes workspace, as the tests write them."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def put(path: Path, content: object) -> Path:
    """Write a file: text and bytes as they are, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    return path


def parquet(path: Path, size: int, when: str) -> None:
    put(path, b"x" * size)
    seconds = utc(when).timestamp()
    os.utime(path, (seconds, seconds))


def run(ts: str, *steps: tuple[str, str, object], workspace: str | None = "/ws") -> str:
    listed = [{"stage": stage, "status": status, "detail": detail} for stage, status, detail in steps]
    return json.dumps({"ts": ts, "agnes_version": "0.84.8", "workspace": workspace, "steps": listed}) + "\n"


def log(workspace: Path, *lines: str | bytes) -> Path:
    content = b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return put(workspace / ".claude/agnes/update.log", content)


def ledger(workspace: Path, name: str, *lines: str) -> None:
    put(workspace / f".claude/agnes-sessions-{name}.txt", "".join(f"{line}\n" for line in lines))
