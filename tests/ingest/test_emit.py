"""Events become rows, whichever agent they come from."""

from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.emit import Emitter
from agnes_stats.ingest.formats.events import (
    Billed,
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    ResponseKind,
    Speaker,
    StopReason,
    Subagent,
    Tokens,
    ToolCall,
    ToolKind,
    ToolResult,
)
from agnes_stats.ingest.formats.source import SourceFile
from agnes_stats.queries.facts import FACTS
from agnes_stats.queries.schema import TABLES

FILE = SourceFile("parrot", Path("/p"), Path("/p/a.log"), True, "s1", "ann", machine="laptop")
MAIN = Speaker(version="1.2", branch="main")
MINUTE = 60_000_000


def emitter(batch: Batch, **state: Any) -> Emitter:
    made = Emitter(FILE, batch, agent="parrot", state=state)
    made.clock(MINUTE)
    return made


def at(ts: int | None = MINUTE, pos: int = 7) -> Place:
    return Place("s1", ts, pos)


def answer(**more: Any) -> Response:
    said = {
        "key": "parrot:1",
        "place": at(),
        "speaker": MAIN,
        "model": "p-1",
        "tokens": Tokens(1, 20, 300, 4000, 50000),
    }
    return Response(**{**said, **more})


def test_a_response_is_a_row_with_every_kind_of_token_once() -> None:
    batch = Batch()
    emitter(batch).response(
        answer(
            tokens=Tokens(1, 20, 300, 4000, 50000, reasoning=15),
            stop_reason=StopReason.END,
            billed=Billed.ELSEWHERE,
            effort="high",
            ttft_ms=900,
        )
    )
    [row] = batch.of("responses")
    assert row["total_tokens"] == 54321  # reasoning is part of the output
    assert (row["agent"], row["machine"], row["username"]) == ("parrot", "laptop", "ann")
    assert (row["kind"], row["stop_reason"], row["billed"]) == ("turn", "end", "elsewhere")
    assert (row["reasoning_tokens"], row["effort"], row["ttft_ms"], row["lower_bound"]) == (15, "high", 900, False)


def test_a_model_that_is_not_named_is_unknown_and_a_bill_keeps_its_kind() -> None:
    batch = Batch()
    emitter(batch).response(answer(model=None, kind=ResponseKind.HEADLESS))
    [row] = batch.of("responses")
    assert (row["model"], row["kind"]) == ("unknown", "headless")


def test_a_call_and_its_result_are_one_row_where_both_are_read_at_once() -> None:
    batch = Batch()
    made = emitter(batch)
    made.tool_call(ToolCall(id="c1", place=at(), speaker=MAIN, name="peck", given={"path": "seeds.txt"}))
    made.tool_result(ToolResult(call_id="c1", place=at(2 * MINUTE), is_error=True, text="Error: no seeds", size=15))
    made.finish()
    [row] = batch.of("tool_calls")
    assert (row["name"], row["class"], row["detail"]) == ("peck", "tool_use", "seeds.txt")
    assert (row["is_error"], row["result_ts"], row["result_bytes"]) == (True, 2 * MINUTE, 15)
    assert "no seeds" in row["error_text"]


def test_what_a_call_did_is_one_line_and_nothing_where_that_cannot_be_told() -> None:
    batch = Batch()
    made = emitter(batch)
    for detail in ("two\n  lines  here", "", None):
        made.tool_call(ToolCall(id="c1", place=at(), speaker=MAIN, name="peck", given={"path": "a\nb"}, detail=detail))
    made.finish()
    assert [row.get("detail") for row in batch.of("tool_calls")] == ["two lines here", None, "a b"]


def test_what_is_known_of_copies_and_of_strays_stands_in_every_row() -> None:
    batch = Batch()
    made = emitter(batch)
    place = Place("s2", MINUTE, 7, copy_signs=2, home="s1")
    made.response(answer(place=place))
    made.tool_result(ToolResult(call_id="c0", place=place))
    made.finish()
    [told], [result] = batch.of("responses"), batch.of("tool_calls")
    assert (told["copy_signs"], told["named_session_id"], told["home_session_id"]) == (2, "s2", "s1")
    assert (result["result_copy_signs"], result["result_named_session_id"], result["result_home_session_id"]) == (
        *(2, "s2", "s1"),
    )
    assert [(row["session_id"], row["home"]) for row in batch.of("strays")] == [("s2", "s1")]


def test_a_response_that_shows_by_itself_whether_it_is_a_lower_bound() -> None:
    batch = Batch()
    made = emitter(batch)
    made.response(answer(lower_bound=None, early_output=True, least_output=30))
    made.response(answer(lower_bound=True))
    shown, said = batch.of("responses")
    assert (shown.get("lower_bound"), shown["early_output"], shown["least_output_tokens"]) == (None, True, 30)
    assert said["lower_bound"] is True
    assert "early_output" not in said


def test_a_result_without_its_call_is_a_row_of_its_own() -> None:
    batch = Batch()
    made = emitter(batch)
    made.tool_result(ToolResult(call_id="c0", place=at(), text="fine"))
    made.finish()
    [row] = batch.of("tool_calls")
    assert (row["id"], row["is_error"]) == ("c0", False)
    assert "name" not in row


def test_a_script_is_followed_to_the_data_whatever_the_tool_is_called() -> None:
    batch = Batch()
    script = 'duckdb shop.duckdb -c "select * from orders" && agnes pull'
    made = emitter(batch)
    made.tool_call(ToolCall(id="c1", place=at(), speaker=MAIN, name="caw", script=script))
    made.finish()
    assert ["orders"] in [row["tables_read"] for row in batch.of("accesses")]
    [action] = batch.of("sync_actions")
    assert (action["id"], action["source"], action["agent"]) == ("call:c1", "transcript", "parrot")


@pytest.mark.parametrize(
    ("name", "given", "script", "actions"),
    [
        ("PowerShell", {"command": "& 'C:\\x y\\agnes.exe' pull"}, None, ["manifest.fetch"]),
        ("powershell", {"command": "agnes pull"}, "& 'C:\\x y\\agnes.exe' push", ["session.upload"]),
        ("bash", {"command": "agnes push"}, None, ["session.upload"]),
        ("caw", {"command": "agnes push"}, None, []),
    ],
)
def test_a_script_is_read_in_its_own_language(
    name: str, given: dict[str, object], script: str | None, actions: list[str]
) -> None:
    batch = Batch()
    emitter(batch).tool_call(ToolCall(id="c1", place=at(), speaker=MAIN, name=name, given=given, script=script))
    assert [row["action"] for row in batch.of("sync_actions")] == actions


def test_the_server_of_an_mcp_tool_is_told() -> None:
    batch = Batch()
    made = emitter(batch)
    made.tool_call(ToolCall(id="c1", place=at(), speaker=MAIN, name="db-ask", kind=ToolKind.MCP, mcp_server="db"))
    made.finish()
    [row] = batch.of("tool_calls")
    assert (row["class"], row["mcp_server"]) == ("mcp_call", "db")


def test_of_a_prompt_the_first_line_is_kept_and_of_a_command_its_name() -> None:
    batch = Batch()
    made = emitter(batch)
    made.prompt(Prompt(id="p1", place=at(), text="\n  sing\nmore"))
    made.prompt(Prompt(id="p2", place=at(), command="clear"))
    told = [(row["kind"], row["text"], row["command"]) for row in batch.of("prompts")]
    assert told == [("prompt", "sing", None), ("command", None, "clear")]


def test_what_stands_before_the_first_time_takes_it() -> None:
    batch = Batch()
    made = Emitter(FILE, batch, agent="parrot")
    made.prompt(Prompt(id="p1", place=at(None), text="early"))
    made.label(Label.TITLE, "Early bird", at(None))
    made.clock(MINUTE)
    made.finish(0)
    assert [row["ts"] for row in (*batch.of("prompts"), *batch.of("session_lasts"))] == [MINUTE, MINUTE]


def test_a_stretch_without_any_time_says_so_in_its_state() -> None:
    made = Emitter(FILE, Batch(), agent="parrot")
    made.prompt(Prompt(id="p1", place=at(None), text="early"))
    assert made.finish(0) == {"last_ts": None, "untimed": True}


def test_the_first_folder_and_the_last_title_of_a_session_count() -> None:
    batch = Batch()
    made = emitter(batch)
    for pos, (folder, title) in enumerate((("/home/ann/shop", "one"), ("/tmp", "two"))):
        made.label(Label.CWD, folder, at(MINUTE, pos))
        made.label(Label.TITLE, title, at(MINUTE, pos))
    made.finish(0)
    assert {row["kind"]: row["value"] for row in batch.of("session_firsts")} == {
        "cwd": "/home/ann/shop",
        "project": "/home/ann/shop",
    }
    [last] = batch.of("session_lasts")
    assert (last["value"], last["agent"]) == ("two", "parrot")


def test_moments_of_a_session_become_its_activity() -> None:
    batch = Batch()
    made = emitter(batch)
    for minute in (1, 5, 40):
        made.active("s1", minute * MINUTE)
    made.finish(0)
    assert [(row["started_at"], row["ended_at"]) for row in batch.of("activity")] == [
        (MINUTE, 5 * MINUTE),
        (40 * MINUTE, 40 * MINUTE),
    ]


def test_all_rows_fit_the_tables_of_the_store() -> None:
    batch = Batch()
    made = emitter(batch)
    made.response(answer(ended_at=2 * MINUTE))
    made.tool_call(
        ToolCall(
            id="c1",
            place=at(),
            speaker=MAIN,
            name="bash",
            given={"command": "cat a.csv"},
            script="cat a.csv && agnes pull",
        )
    )
    made.tool_result(ToolResult(call_id="c1", place=at(), subagent_id="chick", subagent_tokens=3))
    made.prompt(Prompt(id="p1", place=at(), text="hello"))
    made.notice(Notice(id="n1", place=at(), kind=NoticeKind.COMPACTION, text="short", amount=9))
    made.subagent(Subagent(id="chick", type="nest", description="sit", call_id="c1"))
    made.label(Label.CWD, "/p", at())
    made.reject(3, 4, "no song")
    made.unknown("row type tweet")
    made.active("s1", MINUTE)
    made.finish(0)
    columns = {fact.name: fact.told for fact in FACTS} | TABLES
    assert set(batch.rows) >= {
        "responses",
        "tool_calls",
        "accesses",
        "prompts",
        "events",
        "subagents",
        "rejects",
        "unknowns",
    }
    for table, rows in batch.rows.items():
        for row in rows:
            assert set(row) <= set(columns[table]), table
