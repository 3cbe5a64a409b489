"""The commands as tools for coding agents, in the Model Context Protocol over standard input and output.

A tool is a command that answers: its options are the tool's arguments, and its `--json` is the answer, so that numbers
mean the same to an agent, a script and a person. Nothing here writes but what reading new lines writes into the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from .. import __version__
from ..queries.store import StoreError
from . import terminal
from .commands import COMMANDS, command_of
from .settings import COUNTS, OPTIONS, BadSetting

TOOLS = {
    "sessions": "sessions",
    "activity": "activity",
    "search": "search",
    "tokens": "tokens",
    "breakdown": "breakdown",
    "delegations": "delegations",
    "agents": "agents",
    "tasks": "tasks",
    "metrics": "metrics",
    "limits": "limits",
    "accesses": "queries",
    "sync": "sync",
    "sql": "sql",
}
"""Tool -> the command that answers it. None of them changes anything but the store."""

_LEFT_OUT = ("--csv", "--parquet", "--saved")
"""Options that write files or choose another form."""

Answerer = Callable[[Sequence[str]], Any]
"""Answers a command line, the command first, as `--json` does. Raises BadSetting or StoreError."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a tool: its name, the option it becomes, and what it may be, as in JSON Schema."""

    name: str
    flag: str
    schema: dict[str, Any]


def arguments_of(command: str, fixed: Sequence[str] = ()) -> list[Argument]:
    """The arguments of the tool that answers with a command; `fixed` has the options that are not to be chosen."""
    wanted = command_of(command)
    return [
        *(
            Argument(option.key, f"--{option.name}", _schema(option.help, option.metavar is None))
            for option in OPTIONS
            if option.group == COUNTS and option.name in wanted.heeds and option.name not in fixed
        ),
        *(
            Argument(_name(flag), flag, _schema(words["help"], words.get("action") == "store_true", words.get("type")))
            for flag, words in wanted.options
            if flag not in _LEFT_OUT
        ),
    ]


def _schema(about: str, is_switch: bool, kind: object = None) -> dict[str, Any]:
    return {"type": "boolean" if is_switch else "integer" if kind is int else "string", "description": about}


def _name(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def tools(fixed: Sequence[str] = ()) -> list[types.Tool]:
    """All tools as the protocol describes them."""
    return [_tool(name, command, arguments_of(command, fixed)) for name, command in TOOLS.items()]


def _tool(name: str, command: str, arguments: Sequence[Argument]) -> types.Tool:
    required = [argument.name for argument in arguments if not argument.flag.startswith("-")]
    return types.Tool(
        name=name,
        description=f"{COMMANDS[command]}. Of this machine's coding-agent sessions; days are YYYY-MM-DD, money is USD.",
        input_schema={
            "type": "object",
            "properties": {argument.name: argument.schema for argument in arguments},
            "required": required,
            "additionalProperties": False,
        },
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


def line_of(name: str, given: Mapping[str, Any], fixed: Sequence[str] = ()) -> list[str]:
    """The command line that answers a call of a tool. Raises BadSetting for what it does not take."""
    if name not in TOOLS:
        raise BadSetting(f"there is no tool {name!r}; there are {', '.join(TOOLS)}")
    known = {argument.name: argument for argument in arguments_of(TOOLS[name], fixed)}
    for unknown in given.keys() - known.keys():
        raise BadSetting(f"{name} takes no {unknown!r}; it takes {', '.join(known)}")
    words, last = [TOOLS[name], "--json"], []
    for key, argument in known.items():
        value = given.get(key)
        if argument.flag.startswith("-"):
            words += _words(argument, value)
        elif not isinstance(value, str) or not value.strip() or value.strip() == "-":
            # A single - would read the very stream that the agent speaks through.
            raise BadSetting(f"{name} needs {argument.name!r}, a text")
        else:
            last.append(value)
    return [*words, *(["--", *last] if last else [])]


def _words(argument: Argument, value: Any) -> Iterator[str]:
    if value is None or value is False:
        return
    if argument.schema["type"] == "boolean":
        yield argument.flag
    else:
        yield f"{argument.flag}={value}"


def server_of(answer: Answerer, fixed: Sequence[str] = ()) -> Server[Any]:
    """A server of the tools; `fixed` names the options that whoever started it chose for all answers."""
    one_at_a_time = threading.Lock()

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools(fixed))

    async def call_tool(_: ServerRequestContext[Any], call: types.CallToolRequestParams) -> types.CallToolResult:
        def ask() -> types.CallToolResult:
            try:
                words = line_of(call.name, call.arguments or {}, fixed)
                with one_at_a_time:
                    told = answer(words)
            except (BadSetting, StoreError, OSError) as error:
                return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
            text = types.TextContent(text=terminal.json_text(told))
            return types.CallToolResult(content=[text], structured_content=told if isinstance(told, dict) else None)

        return await anyio.to_thread.run_sync(ask)

    return Server(
        "agnes-stats",
        version=__version__,
        instructions="What the coding agents on this machine did: sessions, tokens and cost, data they touched.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve(answer: Answerer, fixed: Sequence[str] = ()) -> None:
    """Speak to the agent that started this until it closes standard input."""

    async def speak() -> None:
        server = server_of(answer, fixed)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(speak)
