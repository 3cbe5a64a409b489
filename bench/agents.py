"""What other agents leave, of any size, the same for the same seed: Codex rollouts and an OpenCode database.

    python bench/agents.py codex FOLDER --mb 300        python bench/agents.py opencode FOLDER --messages 10000
    python bench/agents.py compare --mb 100             # CPU seconds per MB of both, beside Claude Code's

Prints the true sums as JSON. `compare` reads each corpus into a store of its own, checks the sums, and counts the CPU
of all processes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from corpus import WORDS, write_corpus

HEAD_BYTES = 40_000
"""Of the first line of a rollout, which has the instructions of the agent in it."""

Truth = dict[str, int]


class Words:
    """Texts of any length, cheap to make."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._text = " ".join(self.random.choices(WORDS, k=20_000))

    def text(self, size: int) -> str:
        """A text of so many characters."""
        start = self.random.randrange(len(self._text) - size)
        return self._text[start : start + size]

    def uuid7(self, moment: dt.datetime) -> str:
        """A UUID with the time in it, as Codex gives to threads and turns."""
        stamp = f"{int(moment.timestamp() * 1000):012x}"
        return f"{stamp[:8]}-{stamp[8:]}-7{self.random.getrandbits(12):03x}-8000-{self.random.getrandbits(48):012x}"


def write_codex(folder: Path, megabytes: float, seed: int = 1) -> Truth:
    """Rollouts under `folder/sessions`, about that many megabytes; the true sums."""
    words, truth, written = Words(seed), {"input": 0, "output": 0, "cache_read": 0, "calls": 0, "bytes": 0}, 0
    now = dt.datetime(2026, 8, 1, 8, tzinfo=dt.UTC)
    while written < megabytes * 1e6:
        now += dt.timedelta(minutes=words.random.randint(5, 240))
        thread = words.uuid7(now)
        data = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in _rollout(words, thread, now, truth))
        path = folder / "sessions" / f"{now:%Y/%m/%d}" / f"rollout-{now:%Y-%m-%dT%H-%M-%S}-{thread}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data)
        written += len(data)
    return truth | {"bytes": written}


def _rollout(words: Words, thread: str, now: dt.datetime, truth: Truth) -> list[dict[str, Any]]:
    def row(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {"timestamp": moment.isoformat(timespec="milliseconds"), "type": kind, "payload": payload}

    moment = now
    meta = {
        "id": thread,
        "timestamp": now.isoformat(),
        "cwd": "/home/dev/shop",
        "cli_version": "0.144.0",
        "source": "cli",
    }
    rows = [row("session_meta", meta | {"base_instructions": {"text": words.text(HEAD_BYTES)}})]
    total = {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_output_tokens": 0}
    context = words.random.randint(8_000, 20_000)
    for _ in range(words.random.randint(10, 60)):
        moment += dt.timedelta(seconds=words.random.uniform(2, 60))
        turn = words.uuid7(moment)
        rows.append(row("event_msg", {"type": "task_started", "turn_id": turn}))
        rows.append(row("turn_context", {"turn_id": turn, "model": "gpt-5.2-codex", "effort": "high"}))
        rows.append(row("event_msg", {"type": "user_message", "message": words.text(200)}))
        for _ in range(words.random.randint(1, 6)):
            moment += dt.timedelta(seconds=words.random.uniform(1, 20))
            call = f"call_{words.random.getrandbits(96):024x}"
            given = json.dumps({"cmd": words.random.choice(("ls -la src", "git status", "pytest -q", "cat data.csv"))})
            rows.append(
                row(
                    "response_item",
                    {"type": "function_call", "name": "exec_command", "call_id": call, "arguments": given},
                )
            )
            told = f"Process exited with code 0\nOutput:\n{words.text(words.random.choice((300, 900, 3000, 9000)))}"
            rows.append(row("response_item", {"type": "function_call_output", "call_id": call, "output": told}))
            rows.append(row("response_item", {"type": "reasoning", "encrypted_content": words.text(1200)}))
            new, output = words.random.randint(200, 4000), words.random.randint(50, 1500)
            last = {"input_tokens": context + new, "cached_input_tokens": context, "output_tokens": output}
            last["reasoning_output_tokens"] = output // 3
            context += new
            total = {kind: total[kind] + last[kind] for kind in total}
            info = {
                "total_token_usage": total | {"total_tokens": total["input_tokens"] + total["output_tokens"]},
                "last_token_usage": last | {"total_tokens": last["input_tokens"] + output},
            }
            rows.append(row("event_msg", {"type": "token_count", "info": info}))
            truth["calls"] += 1
            truth["input"] += new
            truth["cache_read"] += last["cached_input_tokens"]
            truth["output"] += output
    return rows


def write_opencode(folder: Path, messages: int, seed: int = 1) -> Truth:
    """`folder/opencode.db` with so many answers, each with a tool call; the true sums."""
    words, truth = Words(seed), {"input": 0, "output": 0, "cache_read": 0, "calls": 0}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "opencode.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE session(id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, title TEXT, version TEXT,"
            " time_created INTEGER, time_updated INTEGER);"
            "CREATE TABLE message(id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER,"
            " data TEXT);"
            "CREATE TABLE part(id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER,"
            " time_updated INTEGER, data TEXT);"
        )
        moment, session = 1_785_000_000_000, ""
        for number in range(messages):
            moment += words.random.randint(1_000, 60_000)
            if number % 50 == 0:
                session = f"ses_{number:08}"
                row = (session, None, "/home/dev/shop", words.text(40), "1.3.0", moment, moment)
                database.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            given, output, read = words.random.randint(1, 900), words.random.randint(50, 1500), number * 10
            tokens = {"input": given, "output": output, "reasoning": 0, "cache": {"read": read, "write": 0}}
            data = {"role": "assistant", "time": {"created": moment, "completed": moment + 900}, "modelID": "gpt-5.2"}
            data |= {"providerID": "openai", "cost": 0.01, "tokens": tokens, "finish": "tool-calls"}
            key = f"msg_{number:08}"
            row = (key, session, moment, moment, json.dumps(data))
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", row)
            state = {
                "status": "completed",
                "input": {"filePath": "/a.py"},
                "time": {"start": moment, "end": moment + 50},
            }
            state["output"] = words.text(words.random.choice((300, 900, 3000, 9000)))
            part = json.dumps({"type": "tool", "tool": "read", "callID": str(uuid.UUID(int=number)), "state": state})
            row = (f"prt_{number:08}", key, session, moment, moment, part)
            database.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", row)
            for kind, value in (("input", given), ("output", output), ("cache_read", read), ("calls", 1)):
                truth[kind] += value
    return truth | {"bytes": path.stat().st_size}


def compare(megabytes: float) -> None:
    """CPU seconds per MB of a first reading, by source. Exits with 1 if a sum is wrong."""
    command = Path(sys.executable).with_name("agnes-stats")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truths = {
            "claude": write_corpus(folder / "claude", megabytes),
            "codex": write_codex(folder / "codex", megabytes),
            "opencode": write_opencode(folder / "opencode", int(megabytes * 250)),
        }
        for _ in range(2):
            for kind, truth in truths.items():
                store = folder / f"{kind}.duckdb"
                options = ["--store", str(store), "--source", f"{kind}={folder / kind}", "--tz", "UTC"]
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([command, "ingest", "--json", *options], check=True, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                told = subprocess.run(
                    [command, "tokens", "--json", "--no-ingest", *options], check=True, capture_output=True, text=True
                )
                totals = json.loads(told.stdout)["totals"]
                wrong = [part for part in ("input", "output", "cache_read") if totals[part] != truth[part]]
                if wrong:
                    sys.exit(f"{kind}: {wrong} differ from the truth: {totals}, {truth}")
                spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                size = truth["bytes"] / 1e6
                sys.stdout.write(
                    f"{kind:10} {size:7.1f} MB  {spent:6.2f} CPU-s  {1000 * spent / size:6.1f} ms per MB\n"
                )
                for left in folder.glob(f"{kind}.duckdb*"):
                    left.unlink() if left.is_file() else shutil.rmtree(left)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("codex", "opencode", "compare"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--mb", type=float, default=100)
    parser.add_argument("--messages", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "compare":
        compare(given.mb)
        return
    if given.folder is None:
        parser.error("name a folder")
    made = (
        write_codex(given.folder, given.mb) if given.what == "codex" else write_opencode(given.folder, given.messages)
    )
    json.dump(made, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
