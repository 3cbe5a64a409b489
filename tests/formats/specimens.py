"""For each registered source a few files that grow, and what may happen to them. The contract is tested with these."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.formats import madeup, test_copilot, test_gemini, test_mux, test_opencode, test_pi, test_qwen
from tests.formats.test_codex import MAIN, A, B, head, rollout
from tests.ingest.agnes_files import run
from tests.transcripts import Transcript

Row = tuple[str, dict[str, Any]]
"""Of a database: table, and columns."""


@dataclass
class Specimen:
    """Files of one source below a root, that get from one state to the next as their owner would get them there."""

    kind: str
    states: Sequence[Mapping[str, bytes]]
    """Path below the root -> content; each state tells all that the one before told, and more."""
    spoilt: Mapping[str, bytes]
    """Files of which a part cannot be used, instead of those of the last state; the rest of them can."""
    agent: str | None = None
    """What its facts say who told them; None: it is no agent's."""
    takes_back: bool = False
    """What its files do not say any more is not so."""

    def put(self, root: Path, state: int) -> None:
        """Bring the files into a state. What has only grown is appended to, all else is written anew."""
        self._write(root, self.states[state])

    def tear(self, root: Path, state: int) -> None:
        """Bring the files into a state, the last bytes of what is new in each of them still missing."""
        before, files = self.states[state - 1], self.states[state]
        self._write(root, {name: _torn(before.get(name, b""), content) for name, content in files.items()})

    def spoil(self, root: Path) -> None:
        """Let a part of it be unusable."""
        self._write(root, {**self.states[-1], **self.spoilt})

    def replace(self, root: Path) -> None:
        """Put other files of the same content in place."""
        for path in self.paths(root):
            copy = path.with_name(f"{path.name}.copy")
            shutil.copyfile(path, copy)
            copy.replace(path)

    def remove(self, root: Path) -> None:
        """Delete all files."""
        for path in self.paths(root):
            path.unlink()

    def paths(self, root: Path) -> list[Path]:
        """The files that are there."""
        return [path for path in sorted(root.rglob("*")) if path.is_file()]

    def close(self, root: Path) -> None:
        """Let whoever has the files open end."""

    def _write(self, root: Path, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            known = path.read_bytes() if path.exists() else b""
            if known and content.startswith(known):
                with path.open("ab") as file:
                    file.write(content[len(known) :])
            else:
                path.write_bytes(content)


def _torn(before: bytes, content: bytes) -> bytes:
    keep = len(before) if content.startswith(before) else 0
    return content[: keep + (len(content) - keep) * 2 // 3]


def grown(files: Mapping[str, Sequence[bytes]], steps: int = 3) -> list[dict[str, bytes]]:
    """States of files of lines: a third of the lines, two thirds, all."""
    return [
        {name: b"".join(lines[: max(1, len(lines) * (step + 1) // steps)]) for name, lines in files.items()}
        for step in range(steps)
    ]


def as_lines(rows: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Each row as a line of JSON."""
    return [json.dumps(row).encode() + b"\n" for row in rows]


def _with_garbage(content: bytes) -> bytes:
    return content + b'{"half": \n'


class DatabaseSpecimen(Specimen):
    """A database that its owner keeps open. A state is all rows that it has, as (table, columns)."""

    def __init__(
        self, kind: str, name: str, shape: Sequence[str], states: Sequence[Sequence[Row]], odd: Row, agent: str
    ) -> None:
        """`odd`: a row that cannot be used."""
        super().__init__(kind, [{name: b""}] * len(states), {}, agent)
        self._name = name
        self._shape = shape
        self._rows = states
        self._odd = odd
        self._owners: dict[Path, sqlite3.Connection] = {}

    def put(self, root: Path, state: int) -> None:
        self._put(root, self._rows[state])

    def _put(self, root: Path, rows: Sequence[Row]) -> None:
        owner = self._owner(root)
        owner.execute("BEGIN")
        for table in {table for table, _ in (*self._rows[-1], self._odd)}:
            kept = [columns["id"] for other, columns in rows if other == table]
            owner.execute(f"DELETE FROM {table} WHERE id NOT IN ({', '.join('?' * len(kept))})", kept)
        numbers = {columns["id"]: number for number, (_, columns) in enumerate((*self._rows[-1], self._odd))}
        for table, columns in rows:
            names = [name for name in columns if name != "rowid"]
            # By itself a database would number its rows in the order in which they come.
            values = [numbers[columns["id"]], *(columns[name] for name in names)]
            rowid = "rowid" if isinstance(columns["id"], str) else None
            into = [*([rowid] if rowid else []), *names]
            values = values if rowid else values[1:]
            owner.execute(f"REPLACE INTO {table} ({', '.join(into)}) VALUES ({', '.join('?' * len(into))})", values)
        owner.execute("COMMIT")

    def _owner(self, root: Path) -> sqlite3.Connection:
        if root not in self._owners:
            root.mkdir(parents=True, exist_ok=True)
            is_new = not (root / self._name).exists()
            owner = self._owners[root] = sqlite3.connect(root / self._name, isolation_level=None)
            owner.execute("PRAGMA journal_mode = WAL")
            for statement in self._shape if is_new else ():
                owner.execute(statement)
        return self._owners[root]

    def tear(self, root: Path, state: int) -> None:
        """A transaction that is taken back: nobody sees anything of it."""
        owner = self._owner(root)
        owner.execute("BEGIN")
        for table in {table for table, _ in self._rows[-1]}:
            owner.execute(f"DELETE FROM {table}")
        owner.execute("ROLLBACK")

    def spoil(self, root: Path) -> None:
        self._put(root, [*self._rows[-1], self._odd])

    def replace(self, root: Path) -> None:
        self.close(root)
        super().replace(root)

    def remove(self, root: Path) -> None:
        self.close(root)
        super().remove(root)

    def close(self, root: Path) -> None:
        if root in self._owners:
            self._owners.pop(root).close()


# -- agents ----------------------------------------------------------------------------------------------------------


def _talk(session: str, agent: str | None = None) -> Transcript:
    talk = Transcript(session, "2026-03-10T09:00:00", agent=agent)
    if agent is None:
        talk.prompt("count the orders").title("Orders")
    for number in range(4):
        call = f"{session}-{agent}-{number}"
        talk.wait(10).response((call, "Bash", {"command": "duckdb shop.duckdb -c 'select 1'"})).wait(2).result(call)
    return talk


def claude(kind: str = "claude", folder: str = "projects/-home-dana-work") -> Specimen:
    """Two sessions; in a folder of Claude Code's a sub-agent with its note, too."""
    files = {f"{folder}/{name}.jsonl": as_lines(_talk(name).rows) for name in ("s1", "s2")}
    states = grown(files)
    if kind == "claude":
        inner = f"{folder}/s1/subagents/agent-a1"
        for state, lines in zip(states, grown({"x": as_lines(_talk("s1", "a1").rows)}), strict=True):
            state[f"{inner}.jsonl"] = lines["x"]
        for number, state in enumerate(states):
            about = {"agentType": "Explore", "description": f"look around {number}", "toolUseId": "s1-None-0"}
            state[f"{inner}.meta.json"] = json.dumps(about).encode()
    spoilt = {f"{folder}/s2.jsonl": _with_garbage(states[-1][f"{folder}/s2.jsonl"])}
    return Specimen(kind, states, spoilt, agent="claude-code")


def codex() -> Specimen:
    """A thread and another one that has just begun, and their names."""
    names = as_lines(
        [{"id": A, "thread_name": name, "updated_at": "2026-07-01T10:01:00Z"} for name in ("Shop", "Till")]
    )
    states = grown({rollout(A): as_lines(MAIN), rollout(B): as_lines([head(B, 300)]), "session_index.jsonl": names})
    return Specimen("codex", states, {rollout(A): _with_garbage(states[-1][rollout(A)])}, agent="codex")


def pi() -> Specimen:
    """A session."""
    name = "sessions/--shop--/2026-07-01T10-00-00-000Z_old.jsonl"
    states = grown({name: as_lines([*test_pi.SESSION, test_pi.answer(5, test_pi.usage(7, 1))])})
    return Specimen("pi", states, {name: _with_garbage(states[-1][name])}, agent="pi")


def gemini() -> Specimen:
    """A chat of the newer form, and another one of the older."""
    chat, old = test_gemini.CHAT, "tmp/shop/chats/session-2026-05-01T10-00-bbbb.json"
    told = [test_gemini.ASK, *(test_gemini.answer(number, {"input": 7, "output": number}) for number in range(2, 6))]
    states = grown({chat: as_lines([test_gemini.HEAD, *told])})
    for number, state in enumerate(states):
        document = test_gemini.HEAD | {"sessionId": "bbbb-1", "messages": told[: number + 2]}
        state[old] = json.dumps(document, indent=2).encode()
    return Specimen("gemini", states, {chat: _with_garbage(states[-1][chat])}, agent="gemini")


def copilot() -> Specimen:
    """A session that is closed in the end."""
    rows = [test_copilot.START, test_copilot.ASK, *(test_copilot.answer(number, 30) for number in range(2, 6))]
    name = test_copilot.EVENTS
    states = grown({name: as_lines([*rows, test_copilot.closed(7, 1000, 150, 700, 100, 9)])})
    return Specimen("copilot", states, {name: _with_garbage(states[-1][name])}, agent="copilot")


def opencode() -> Specimen:
    """A database that OpenCode has open."""
    rows = [test_opencode.session("ses_a"), *test_opencode.asks()]
    rows += [test_opencode.answer(f"msg_{n}", "ses_a", n, test_opencode.usage(100, 10 * n)) for n in range(2, 6)]
    states = [rows[: 4 + step] for step in range(3)]
    odd = (
        "message",
        {"id": "msg_odd", "session_id": "ses_a", "data": "{]", "time_updated": test_opencode.START + 10**6},
    )
    shape = [statement for statement in test_opencode.SHAPE.split(";") if statement.strip()]
    return DatabaseSpecimen("opencode", "opencode.db", shape, states, odd, agent="opencode")


def mux() -> Specimen:
    """A workspace whose older rows are moved to its archive, and a call without a conversation."""
    rows = [test_mux.ASK, *(test_mux.turn(number, test_mux.usage(100, 10 * number)) for number in range(1, 9))]
    headless = "sessions/aaaa/headless-usage.jsonl"
    call = {"model": test_mux.MODEL, "usage": test_mux.usage(5, 5), "source": "title", "timestamp": test_mux.START}
    states = []
    for step in range(3):
        files = {"config.json": test_mux.config(test_mux.made("aaaa")).encode()}
        files[test_mux.ARCHIVE] = b"".join(as_lines(rows[: 3 * step]))
        files[test_mux.CHAT] = b"".join(as_lines(rows[3 * step : 3 * step + 3]))
        files[headless] = b"".join(as_lines([call] * (step + 1)))
        states.append(files)
    return Specimen("mux", states, {test_mux.CHAT: _with_garbage(states[-1][test_mux.CHAT])}, agent="mux")


def qwen() -> Specimen:
    """A chat."""
    told = [test_qwen.record(n, "assistant", model="m", usageMetadata=test_qwen.USAGE) for n in range(3, 7)]
    states = grown({test_qwen.CHAT: as_lines([test_qwen.ASK, test_qwen.ANSWER, *told])})
    return Specimen("qwen", states, {test_qwen.CHAT: _with_garbage(states[-1][test_qwen.CHAT])}, agent="qwen")


def limits() -> Specimen:
    """What the status line was told, of two windows and then of one."""
    told = [{"five_hour": {"used_percentage": n, "resets_at": 1782914400}} for n in range(6)]
    told[0]["seven_day"] = {"used_percentage": 40, "resets_at": 1783000000}
    lines = as_lines([{"ts": 1782900000000 + n * 60000, "rate_limits": windows} for n, windows in enumerate(told)])
    states = grown({"limits.jsonl": lines})
    return Specimen("limits", states, {"limits.jsonl": _with_garbage(states[-1]["limits.jsonl"])}, agent="claude-code")


# -- Agnes -----------------------------------------------------------------------------------------------------------


def workspace() -> Specimen:
    """A pull, its log, an upload and a snapshot."""
    log = [run(f"2026-03-1{day}T08:00:00Z", ("sync", "ok", "2 tables")).encode() for day in range(3)]
    snapshot = {"name": "churn", "table_id": "churn", "fetched_at": "2026-03-10T08:00:00", "rows": 7}
    states = []
    for number in range(3):
        synced = {"tables": {}, "last_sync": f"2026-03-1{number}T08:00:00+00:00"}
        states.append(
            {
                ".claude/agnes/sync_state.json": json.dumps(synced).encode(),
                ".claude/agnes/update.log": b"".join(log[: number + 1]),
                ".claude/agnes-sessions-uploaded.txt": b"s1\t100\t2026-06-01T08:00:00Z\n" * (number + 1),
                "user/snapshots/churn.meta.json": json.dumps(snapshot).encode(),
            }
        )
    return Specimen("workspace", states, {".claude/agnes/update.log": b"{]\n" + b"".join(log)})


def account() -> Specimen:
    """A token that is renewed."""
    states = []
    for number in range(3):
        claims = base64.urlsafe_b64encode(json.dumps({"exp": 1773140400 + number}).encode()).decode().rstrip("=")
        states.append({"token.json": json.dumps({"access_token": f"e30.{claims}.c2VjcmV0"}).encode()})
    return Specimen("account", states, {"token.json": b"{]"})


# -- made-up ---------------------------------------------------------------------------------------------------------


def _rows(session: str, count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"{session}-{number}", "session": session, "at": 1773133200 + number, "out": 10 + number}
        | ({"title": f"Title {number}"} if number % 2 else {})
        for number in range(count)
    ]


def made_logs() -> Specimen:
    """Two logs."""
    states = grown({f"{name}.log": as_lines(_rows(name, 6)) for name in ("one", "two")})
    return Specimen("made-logs", states, {"one.log": _with_garbage(states[-1]["one.log"])}, agent=madeup.AGENT)


def made_notebooks(kind: str = "made-notebooks", *, takes_back: bool = False) -> Specimen:
    """A notebook whose first rows are moved to its archive as it grows, and one without an archive."""
    rows, other = _rows("one", 9), _rows("two", 6)
    states = [
        {
            "one.note.old": json.dumps(rows[: 3 * step]).encode(),
            "one.note": json.dumps(rows[3 * step : 3 * step + 3]).encode(),
            "two.note": json.dumps(other[: 2 * step + 2]).encode(),
        }
        for step in range(3)
    ]
    spoilt = {"one.note": json.dumps([*rows[6:], {"id": "odd"}]).encode()}
    return Specimen(kind, states, spoilt, agent=madeup.AGENT, takes_back=takes_back)


SHAPE = (
    "CREATE TABLE talks(id INTEGER PRIMARY KEY, name, title, changed)",
    "CREATE TABLE answers(id PRIMARY KEY, talk, at, out, changed)",
)


def made_databases() -> Specimen:
    """A database that its owner has open."""
    states = []
    for state in range(3):
        talks = [
            ("talks", {"id": number, "name": name, "title": f"Title {state}", "changed": 100 + state})
            for number, name in enumerate(("one", "two"))
        ]
        answers = [
            ("answers", {"id": row["id"], "talk": number, "at": row["at"], "out": row["out"], "changed": 100 + at // 3})
            for number, name in enumerate(("one", "two"))
            for at, row in enumerate(_rows(name, 3 * state + 3))
        ]
        states.append([*talks, *answers])
    odd = ("answers", {"id": "odd", "talk": 77, "at": 0, "out": 0, "changed": 103})
    return DatabaseSpecimen("made-databases", "made.db", SHAPE, states, odd, agent=madeup.AGENT)


SPECIMENS: dict[str, Callable[[], Specimen]] = {
    "claude": claude,
    "agnes-server-folder": lambda: claude("agnes-server-folder", "ann"),
    "workspace": workspace,
    "account": account,
    "codex": codex,
    "pi": pi,
    "gemini": gemini,
    "copilot": copilot,
    "opencode": opencode,
    "mux": mux,
    "qwen": qwen,
    "limits": limits,
    "made-logs": made_logs,
    "made-notebooks": made_notebooks,
    "made-boards": lambda: made_notebooks("made-boards", takes_back=True),
    "made-databases": made_databases,
}
"""Kind -> makes its specimen. Every registered source needs one."""
