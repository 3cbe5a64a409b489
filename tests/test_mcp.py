"""`agnes-stats mcp`: a coding agent asks, and gets the numbers that the commands have."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.tui import cli
from agnes_stats.tui.commands import command_of
from agnes_stats.tui.commands.mcp import answer_of
from agnes_stats.tui.mcp_tools import TOOLS, line_of, server_of, tools
from agnes_stats.tui.settings import BadSetting
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

USAGE = {"input_tokens": 1000, "output_tokens": 500}


def row(session: str, cwd: str) -> str:
    common = {"sessionId": session, "cwd": cwd, "timestamp": "2026-01-01T10:00:00Z"}
    call = {"type": "tool_use", "id": f"t{session}", "name": "Bash", "input": {"command": "duckdb a.db -c 'select 1'"}}
    message = {"id": f"m{session}", "model": "claude-opus-4-6", "content": [call], "usage": USAGE}
    prompt = {**common, "type": "user", "uuid": f"p{session}", "message": {"role": "user", "content": "hi\x1b[2J"}}
    return "".join(
        json.dumps(one) + "\n"
        for one in (prompt, {**common, "type": "assistant", "uuid": f"a{session}", "message": message})
    )


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(tmp_path / "none.toml"))
    folder = tmp_path / "claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    for name, cwd in (("s1", "/w/shop"), ("s2", "/w/bank")):
        (folder / f"{name}.jsonl").write_text(row(name, cwd))
    return ["--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path / 'claude'}", "--tz", "UTC"]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert cli.main(list(words)) == 0
    return json.loads(capsys.readouterr().out)


async def test_a_real_client_gets_what_the_commands_say(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-m", "agnes_stats", "mcp", *places]
    async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=words))) as client:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == list(TOOLS)
        for name, given in (
            ("sessions", {"limit": 1}),
            ("tokens", {"project": "shop", "since": "2026-01-01", "until": "2026-01-01"}),
            ("sql", {"query": "SELECT count(*) AS n FROM responses"}),
            ("accesses", {"all": True}),
            ("activity", {"depth": 1}),
            ("search", {"words": "duckdb"}),
            ("limits", {}),
        ):
            answer = await client.call_tool(name, given)
            assert not answer.is_error, (name, answer)
            command, *rest = line_of(name, given)
            expected = told(capsys, command, *places, *rest)
            if name == "sql":
                expected |= {key: answer.structured_content[key] for key in expected if "seconds" in key or "ms" in key}
            assert answer.structured_content == expected
        wrong = await client.call_tool("sessions", {"since": "soon"})
        assert wrong.is_error
        assert "is no day" in wrong.content[0].text
        assert not (await client.call_tool("sessions", {})).is_error


async def test_what_was_chosen_at_the_start_holds_for_every_answer(
    places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server = server_of(lambda words: answer_of([words[0], *places, "--project=shop", *words[1:]]), ["project"])
    async with Client(server) as client:
        assert "project" not in (await client.list_tools()).tools[0].input_schema["properties"]
        rows = (await client.call_tool("sessions", {})).structured_content["rows"]
        assert [row["project"] for row in rows] == ["/w/shop"]
        assert (await client.call_tool("sessions", {"project": "bank"})).is_error


def test_no_tool_writes_a_file_or_reads_the_stream_of_the_agent() -> None:
    for tool in tools():
        assert not {"parquet", "csv", "yes", "rebuild", "store", "source"} & set(tool.input_schema["properties"])
    for query in ("-", " - ", "", None, 3):
        with pytest.raises(BadSetting, match="needs 'query'"):
            line_of("sql", {"query": query})


def test_a_value_is_never_an_option() -> None:
    assert line_of("sql", {"query": "--parquet=x"})[-2:] == ["--", "--parquet=x"]
    assert "--project=--store=x" in line_of("sessions", {"project": "--store=x"})
    with pytest.raises(BadSetting, match="takes no 'store'"):
        line_of("sessions", {"store": "x"})
    with pytest.raises(BadSetting, match="there is no tool 'forget'"):
        line_of("forget", {})


def test_every_tool_answers_in_json() -> None:
    assert all(command_of(command).has_json for command in TOOLS.values())


def test_every_argument_is_told() -> None:
    assert tools()
    for tool in tools():
        assert tool.description
        for schema in tool.input_schema["properties"].values():
            assert schema["description"]
