"""The script of the generated sessions, from text to turns.

One thing per line, the first word says what: `project`, `branches`, `tables` begin a project; `title` and `ask` begin a
turn, `answer` ends it. Between them stand tool calls: `run SECONDS COMMAND`, `read PATH`, `write PATH | TEXT`,
`edit PATH | OLD | NEW`, `grep PATTERN | PATH`, `call SECONDS TOOL JSON` and `agent TYPE | TASK | PROMPT`; `out` and
`err` give a line of the result, `deny` has the person refuse, `searches N` counts web searches, `plan A | B | ?C` keeps
a to-do list while the calls are made, of which C is left to do, `launch` is an `agent` that works in the background. A
`>` makes a line belong to the sub-agent above it, `> >` to one of that one, a `\\` at its end continues it. `$table`,
`$other`, `$column`, `$month`, `$rows`, `$count` are filled in when a turn is played.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from .text import SCRIPT


@dataclass(slots=True)
class ScriptStep:
    """One tool call; `crew` is what the sub-agent does that it starts."""

    tool: str
    given: dict[str, Any]
    seconds: float
    out: list[str] = field(default_factory=list)
    failed: bool = False
    denied: bool = False
    crew: list[ScriptStep] = field(default_factory=list)
    in_background: bool = False


@dataclass(slots=True)
class ScriptTurn:
    """A prompt, the tool calls it leads to, and the answer. `title` names a session that begins with it."""

    title: str
    prompt: str = ""
    steps: list[ScriptStep] = field(default_factory=list)
    answer: str = ""
    web_searches: int = 0
    plan: list[str] = field(default_factory=list)
    """What is on the to-do list while it goes on."""


@dataclass(slots=True)
class Project:
    """A place where sessions happen; `cwd` is an absolute path, or `workspace` for the Agnes workspace."""

    cwd: str
    branches: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    turns: list[ScriptTurn] = field(default_factory=list)


@cache
def projects() -> tuple[Project, ...]:
    """The projects of the script. They are shared: not to be changed."""
    found: list[Project] = []
    for line in re.sub(r"\\\n\s*", "", SCRIPT).splitlines():
        if line:
            word, _, rest = line.partition(" ")
            if word == "project":
                found.append(Project(rest))
            else:
                _read(found[-1], word, rest)
    return tuple(found)


def _read(project: Project, word: str, rest: str) -> None:
    if word in ("branches", "tables"):
        getattr(project, word).extend(rest.split())
    elif word == "title":
        project.turns.append(ScriptTurn(rest))
    elif word == "ask":
        project.turns[-1].prompt = rest
    elif word == "answer":
        project.turns[-1].answer = rest
    elif word == "searches":
        project.turns[-1].web_searches = int(rest)
    elif word == "plan":
        project.turns[-1].plan.extend(rest.split(" | "))
    elif word == ">":
        _read_crew(project.turns[-1].steps[-1].crew, rest)
    else:
        _read_step(project.turns[-1].steps, word, rest)


def _read_crew(steps: list[ScriptStep], line: str) -> None:
    word, _, rest = line.partition(" ")
    if word == ">":
        _read_crew(steps[-1].crew, rest)
    else:
        _read_step(steps, word, rest)


def _read_step(steps: list[ScriptStep], word: str, rest: str) -> None:
    if word in ("out", "err"):
        steps[-1].out.append(rest)
        steps[-1].failed = word == "err"
    elif word == "deny":
        steps[-1].denied = True
    else:
        steps.append(_STEPS[word](rest))


def _run(rest: str) -> ScriptStep:
    seconds, _, command = rest.partition(" ")
    words = re.findall(r"[\w./-]+", command)
    return ScriptStep("Bash", {"command": command, "description": " ".join(words[:3])}, float(seconds))


def _call(rest: str) -> ScriptStep:
    seconds, tool, given = rest.split(" ", 2)
    return ScriptStep(tool, msgspec.json.decode(given), float(seconds))


def _file(tool: str, *names: str) -> Any:
    def step(rest: str) -> ScriptStep:
        return ScriptStep(tool, dict(zip(names, rest.split(" | "), strict=True)), 0.3)

    return step


def _launch(rest: str) -> ScriptStep:
    step: ScriptStep = _STEPS["agent"](rest)
    step.in_background = True
    step.given["run_in_background"] = True
    return step


_STEPS: dict[str, Any] = {
    "run": _run,
    "call": _call,
    "read": _file("Read", "file_path"),
    "write": _file("Write", "file_path", "content"),
    "edit": _file("Edit", "file_path", "old_string", "new_string"),
    "grep": _file("Grep", "pattern", "path"),
    "agent": _file("Task", "subagent_type", "description", "prompt"),
    "launch": _launch,
}
