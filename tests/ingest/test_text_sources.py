"""A credential in every place of every source, also across the places where texts are cut: none is in the store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from agnes_stats.ingest.access import Access
from agnes_stats.ingest.agnes.server import AgnesServerError
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root, events
from agnes_stats.ingest.formats.claude import decoder
from agnes_stats.ingest.formats.emit import Emitter
from agnes_stats.ingest.formats.events import (
    Label,
    LimitSample,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    Speaker,
    Subagent,
    Tokens,
    ToolCall,
    ToolResult,
)
from agnes_stats.ingest.formats.source import SourceFile
from agnes_stats.ingest.server_source import ServerAccess, ask_once
from agnes_stats.ingest.text import TEXTS
from agnes_stats.queries.schema import FACTS, TABLES, columns_of
from agnes_stats.queries.store import Store

from tests.ingest import agnes_http
from tests.ingest.agnes_files import ledger, log, put, run
from tests.ingest.agnes_http import client, entry, pages_of, says
from tests.ingest.test_text import NOT_READ, WHOSE
from tests.machine import Machine
from tests.storing import store_in

SECRET = "hunter2Zq9XsecretTail" * 3
CUTS = (0, 80, 120, 200, 240, 300, 500, 960, 1000, 2000, 4000, 4096)
"""Where texts are cut, and four times that where their white space is taken out first."""
STEP = 30


def texts() -> Iterator[str]:
    """A text with a credential at its beginning, and some with one that is cut: its half alone is not known for one."""
    for cut in CUTS:
        yield f"{'x' * max(0, cut - STEP)} s3://u:{SECRET}@h/x y"


def lines_of(text: str, number: int) -> list[dict[str, Any]]:
    """Rows of a transcript with a text in every place that Claude Code fills with somebody's words."""
    base = {
        "sessionId": f"s{number}",
        "timestamp": "2026-03-01T10:00:00Z",
        "cwd": f"/w/{text}",
        "gitBranch": text,
        "version": text,
    }
    calls = [
        ("Bash", {"command": text, "description": text}),
        ("Bash", {"command": f"psql -c \"select 1\"; agnes pull # {text}"}),
        ("Bash", {"command": f"psql -c \"select '{text}' from orders\" > out_{text}"}),
        ("Bash", {"command": f"curl 'https://u:{SECRET}@h/{text}' -o x"}),
        ("Bash", {"command": f"duckdb -c \"copy t to 'https://u:{SECRET}@h/{text}'\""}),
        ("PowerShell", {"command": text}),
        ("WebFetch", {"url": f"https://u:{SECRET}@h/?q={text}", "prompt": text}),
        ("WebSearch", {"query": text}),
        ("Read", {"file_path": text}),
        ("Grep", {"pattern": text, "path": text}),
        ("Task", {"description": text, "prompt": text, "subagent_type": text}),
        ("Skill", {"skill": text}),
        ("mcp__postgres__query", {"sql": f"select '{text}' from read_csv('https://u:{SECRET}@h/{text}')", "dsn": text}),
        ("mcp__x__y", {"password": SECRET, "deep": {"token": SECRET, "list": [text]}, "text": text}),
        (text, {"a": text}),
        ("TodoWrite", {"todos": [{"content": text, "status": "pending"}]}),
        ("TaskUpdate", {"taskId": text, "owner": text, "addBlocks": [text], "addBlockedBy": [text]}),
        ("Bash", {"command": f"cd '/x/{text}' && codex exec '{text}'"}),
    ]  # fmt: skip
    blocks = [
        {"type": "tool_use", "id": f"t{number}.{at}", "name": name, "input": given}
        for at, (name, given) in enumerate(calls)
    ]
    results = [
        {
            "type": "tool_result",
            "tool_use_id": f"t{number}.{at}",
            "is_error": True,
            "content": f"Error: {text}\n[scope] {text}",
        }
        for at in range(len(calls))
    ]
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        **dict.fromkeys(("speed", "service_tier", "inference_geo"), text),
        "iterations": [{"type": "advisor_message", "model": text}, {"type": text}],
    }
    message = {"id": f"m{number}", "model": text, "stop_reason": text, "usage": usage, "content": blocks}
    message["diagnostics"] = {"cache_miss_reason": {"type": text}}
    told = dict.fromkeys(("attributionAgent", "attributionPlugin", "attributionSkill", "effort"), text)
    told |= {"attributionMcpServer": text, "attributionMcpTool": text}
    task = f"<task-notification><task-id>g{number}</task-id><subagent_tokens>1</subagent_tokens>"
    task += f"<status>{text[-150:]}</status></task-notification>"
    plain = {**base, "isSidechain": False}
    return [
        {**plain, "type": "user", "uuid": f"p{number}", "message": {"role": "user", "content": text}},
        {**plain, "type": "user", "uuid": f"q{number}", "promptSource": text, "message": {"content": text}},
        {**plain, "type": "user", "message": {"content": f"<command-name>/{text.replace(' ', '')}</command-name>"}},
        {**plain, "type": "cost-state", "modelUsage": {text: {"costUSD": 1.0}}},
        {**plain, "type": "user", "message": {"role": "user", "content": f"<command-name>/{text}</command-name>"}},
        {**plain, "type": "user", "message": {"role": "user", "content": f"[Request interrupted by {text}"}},
        {**plain, "type": "custom-title", "customTitle": text},
        {**plain, "type": "ai-title", "aiTitle": text},
        {"type": "summary", "leafUuid": f"leaf{number}", "summary": text},
        {**plain, "type": "assistant", "uuid": f"a{number}", "message": message, **told},
        {**plain, "type": "user", "uuid": f"r{number}", "toolDenialKind": text, "message": {"content": results},
         "toolUseResult": {"agentId": f"g{number}", "status": text}},
        {**plain, "type": "assistant", "isApiErrorMessage": True,
         "message": {"id": f"e{number}", "model": "<synthetic>", "content": [{"type": "text", "text": text}]}},
        {**plain, "type": "system", "subtype": "compact_boundary", "content": text,
         "compactMetadata": {"trigger": text}},
        {**plain, "type": "user", "message": {"content": task}},
        {**plain, "type": "system", "subtype": "api_error", "content": text, "cause": text},
        {**plain, "type": "system", "subtype": text},
        {**plain, "type": text},
        {**plain, "type": "user", text: 1, "message": {"content": [{"type": text}]}},
        {**plain, "type": "worktree-state",
         "worktreeSession": {"worktreePath": f"/v/{text}", "originalCwd": f"/o/{text}"}},
    ]  # fmt: skip


KEYS = {"path", "members"}


class Found:
    """Columns in which something was blotted out, over all that was stored."""

    def __init__(self) -> None:
        self.columns: set[tuple[str, str]] = set()

    def look(self, table: str, column: str, value: object) -> None:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                assert SECRET[:8] not in text, f"{table}.{column}: {text[-200:]}"
                if "***" in text:
                    self.columns.add((table, column))

    def look_into(self, store: Store) -> None:
        with store.read() as connection:
            for table in (*(fact.name for fact in FACTS), *TABLES):
                for column, kind in columns_of(table).items():
                    if kind.startswith("VARCHAR") and column not in {*NOT_READ.get(table, ()), *WHOSE} | KEYS:
                        for (value,) in connection.execute(f'SELECT DISTINCT "{column}" FROM {table}').fetchall():
                            self.look(table, column, value)


def transcripts_of_claude_code(tmp_path: Path, found: Found) -> None:
    folder = tmp_path / "claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    rows = [row for number, text in enumerate(texts()) for row in lines_of(text, number)]
    (folder / "s.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows) + f"{{ no JSON, password={SECRET}\n"
    )
    for number, text in enumerate(texts()):
        note = {"agentType": text, "description": text, "toolUseId": f"t{number}.9"}
        put(folder / f"s/subagents/agent-g{number}.meta.json", note)
    put(
        tmp_path / "claude/plugins/installed_plugins.json",
        {"plugins": {f"{text}@{text}": [] for text in texts()} | {f"p@token={SECRET}": []}},
    )
    put(tmp_path / "claude/plugins/known_marketplaces.json", {})
    tmp_path.mkdir(exist_ok=True)
    store = store_in(tmp_path)
    Engine(store, [Root("claude", tmp_path / "claude")], zones=("UTC",), workers=1, rest_seconds=0.0).catch_up()
    found.look_into(store)
    assert SECRET.encode() not in store.path.read_bytes()


def a_fault_of_a_parser(tmp_path: Path, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ValueError(f"unexpected password={SECRET}")

    monkeypatch.setattr(decoder.ClaudeDecoder, "feed", stumble)
    put(tmp_path / "claude/projects/-w/s.jsonl", '{"type": "user"}\n')
    tmp_path.mkdir(exist_ok=True)
    store = store_in(tmp_path)
    Engine(store, [Root("claude", tmp_path / "claude")], workers=0, rest_seconds=0.0).catch_up()
    found.look_into(store)
    assert ("files", "error") in found.columns


def events_of_every_agent(found: Found) -> None:
    for text in texts():
        batch = Batch()
        emitter = Emitter(SourceFile("x", Path("/p"), Path("/p/a"), True, "s"), batch, agent="x")
        emitter.clock(1)
        place = Place("s", 1, 0)
        emitter.notice(Notice(id="n", place=place, kind=NoticeKind.ERROR, text=text, is_limit=True, resets=text))
        emitter.limit(LimitSample(span=text, used=1.0, resets_at=None, account=text, limit=text), place)
        for kind in (Response, ToolCall, ToolResult, Prompt, Notice, Subagent):
            told = filled(kind, text, place)
            {
                Response: emitter.response,
                ToolCall: emitter.tool_call,
                ToolResult: emitter.tool_result,
                Prompt: emitter.prompt,
                Notice: emitter.notice,
                Subagent: emitter.subagent,
            }[kind](told)  # type: ignore[operator]
        for label in Label:
            emitter.label(label, text, place)
        emitter.unknown(text)
        emitter.reject(0, 1, text)
        emitter.finish(0)
        for table, rows in batch.rows.items():
            for row in rows:
                for column, value in row.items():
                    if column in TEXTS.get(table, ()):
                        found.look(table, column, value)
                    elif column not in NOT_READ[table] and column not in WHOSE:
                        assert not isinstance(value, str), f"{table}.{column}"


# There it is imported for who checks types only; msgspec looks it up to tell what the fields of an event are.
vars(events).setdefault("Access", Access)


def filled(kind: type[msgspec.Struct], text: str, place: Place) -> Any:
    """An event with a text in every field that has one and is no key."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        options = get_args(field.type) or (field.type,)
        if field.name == "place":
            values[field.name] = place
        elif field.name == "speaker":
            values[field.name] = filled(Speaker, text, place)
        elif field.name == "tokens":
            values[field.name] = Tokens(1, 1)
        elif field.name == "given":
            values[field.name] = {"password": SECRET, "text": text}
        elif field.name == "kind":
            values[field.name] = NoticeKind.ERROR if kind is Notice else field.default
        elif str in options:
            is_key = field.name in ("key", "id") or field.name.endswith(("_id", "_key"))
            values[field.name] = "k" if is_key else text
    if kind is ToolResult:
        values["is_error"] = True
    if kind is Prompt:
        values["command"] = None
    return kind(**{name: value for name, value in values.items() if value is not msgspec.NODEFAULT})


def files_of_agnes(tmp_path: Path, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("AGNES_CONFIG_DIR", str(home / ".config/agnes"))
    put(home / ".config/agnes/config.yaml", f"server: https://u:{SECRET}@h\n")
    machine = Machine(home)
    workspace = machine.workspace()
    put(workspace / ".claude/init-complete", f"server_url: https://u:{SECRET}@h\n")
    tables = {text: {"rows": 1} for text in texts()}
    state = {"tables": tables | {f"token={SECRET}": 1}, "last_sync": "never", "snapshot_blocked": list(texts())}
    put(workspace / ".claude/agnes/sync_state.json", state)
    steps = [(text, text, text) for text in texts()] + [
        ("pull", "error", [{"table": text, "error": text} for text in texts()])
    ]
    log(
        workspace,
        *(run(f"2026060{at % 9 + 1}T0{at % 9}0000Z", step) for at, step in enumerate(steps)),
        "{ password=hunter2Zq9X\n",
    )
    ledger(workspace, "failed", *(f"2026-06-01T00:00:00Z\ts{at}\t{text}\t/x" for at, text in enumerate(texts())))
    for at, text in enumerate(texts()):
        meta = {"table_id": text, "fetched_at": "2026-06-01T00:00:00Z", "name": text, "where": text, "order_by": text}
        put(workspace / f"user/snapshots/{at}.meta.json", meta | {"select": [text]})
    machine.read()
    found.look_into(machine.store)
    assert SECRET.encode() not in machine.store.path.read_bytes()


def answers_of_a_server(tmp_path: Path, found: Found) -> None:
    rows = [
        entry(at, action=text, resource=f"table:{text}", result=text, client_kind=text,
              params={"sql_preview": text, "error": text})
        for at, text in enumerate(texts())
    ]  # fmt: skip
    synced = [
        entry(at, action="sync.trigger", resource=text, result=text, client_kind=text, params={"error": text})
        for at, text in enumerate(texts())
    ]
    tmp_path.mkdir(exist_ok=True)
    store = store_in(tmp_path)
    with agnes_http.servers() as start:
        server = start()
        server.tell(queries=pages_of(rows, size=50), sync=says(200, {"rows": synced, "next_cursor": None}))
        fields = ("id", "session_id", "session_file", "pipeline_status", "download_url")
        kept = [dict.fromkeys(fields, text) | {"started_at": "2026-03-01T10:00:00Z"} for text in texts()]
        server.tell(sessions=says(200, {"rows": kept, "total": len(kept)}))
        access = ServerAccess("http://agnes", client(server), "ann@example.com")
        ask_once(store, access)
        server.tell(sync=says(302, {}, Location=f"https://u:{SECRET}@elsewhere/?token={SECRET}"))
        with pytest.raises(AgnesServerError):
            ask_once(store, access)
    found.look_into(store)


UNSEEN = {
    ("sync_actions", "action"): "only known ones are read",
    ("server_reads", "reason"): "made of the address that was asked, and a number",
    ("task_changes", "given_id"): "up to 40 letters and digits, behind Task # and before created",
}
"""Columns that no source fills with a text like that."""


def test_no_credential_of_any_source_is_in_any_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found()
    transcripts_of_claude_code(tmp_path / "1", found)
    events_of_every_agent(found)
    answers_of_a_server(tmp_path / "2", found)
    with monkeypatch.context() as patch:
        files_of_agnes(tmp_path / "3", found, patch)
        a_fault_of_a_parser(tmp_path / "4", found, patch)
    every = {(table, column) for table, columns in TEXTS.items() for column in columns}
    assert every - found.columns == set(UNSEEN)
