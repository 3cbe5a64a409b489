"""What Codex's tool calls did, and whether they failed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...access import Access, accesses_of
from ...access.model import file_access
from ..work import ChangedLines, lines_of_patch

_SUBAGENT_TOOLS = frozenset({"spawn_agent"})

_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_REFUSED = re.compile(
    r"apply_patch verification failed|failed in sandbox|execution error|exec_command failed|write_stdin failed"
    r"|patch rejected by user|exec command rejected by user|Script failed|aborted by user|unsupported call"
    r"|failed to parse"
)
_DENIED = re.compile(r"(?:patch|exec command) rejected by user")
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+?)\s*$", re.MULTILINE)
_MOVED = re.compile(r"^\*\*\* Move to: (.+?)\s*$", re.MULTILINE)
_JS_COMMAND = re.compile(r"""\b(?:cmd|command)["']?\s*:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)""")
_JS_PATCH = re.compile(r"\bapply_patch\s*\(")

_MANY = 50
"""Files or scripts of one call that are followed."""


def given_of(arguments: Any) -> dict[str, Any]:
    """The input of a function call, which Codex writes as JSON in a text."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return {}
    return arguments if isinstance(arguments, dict) else {}


def is_subagent_tool(name: str) -> bool:
    """Whether a tool starts a thread of its own."""
    return name in _SUBAGENT_TOOLS


def spawned_in(text: str) -> str | None:
    """The thread that a call has started, as older versions tell it in its output; None if it tells none."""
    thread = given_of(text).get("agent_id")
    return thread if isinstance(thread, str) and thread else None


def script_of(given: Mapping[str, Any]) -> str | None:
    """The shell script that a call runs: a text, or the last word of `bash -lc …`; None if it runs none."""
    command = given.get("cmd", given.get("command"))
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        is_shell = len(command) == 3 and command[1] in ("-c", "-lc")
        return str(command[2]) if is_shell else " ".join(command)
    return command if isinstance(command, str) and command.strip() else None


def scripts_in(program: str) -> list[str]:
    """The shell scripts that a program of the code mode runs through `tools.exec_command({cmd: …})`."""
    return [text for found in _JS_COMMAND.findall(program)[:_MANY] if (text := _js_text(found)).strip()]


def accesses_in_program(program: str) -> list[Access]:
    """The data that a program of the code mode touches, as far as it names its commands and patches."""
    found = [access for script in scripts_in(program) for access in accesses_of("bash", {"command": script})]
    return found + (accesses_in_patch(program.replace("\\n", "\n")) if _JS_PATCH.search(program) else [])


def accesses_in_patch(patch: str) -> list[Access]:
    """The files that a patch in Codex's own format writes."""
    paths = [*_PATCHED.findall(patch), *_MOVED.findall(patch)]
    return [file_access("file.write", path) for path in dict.fromkeys(paths[:_MANY])]


def lines_in(text: str) -> ChangedLines | None:
    """The lines that the patches of a call add and remove; None if it has none. In code mode a line ends in `\\n`."""
    if "*** Begin Patch" not in text:
        return None
    return lines_of_patch(text.replace("\\n", "\n") if _JS_PATCH.search(text) else text)


def _js_text(literal: str) -> str:
    if literal[0] == '"':
        try:
            return str(json.loads(literal, strict=False))
        except ValueError:
            pass
    return re.sub(
        r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), literal[1:-1], flags=re.DOTALL
    )


def text_of(output: Any) -> str:
    """The text of a call's output: a text, a list of texts, or an object with either."""
    if isinstance(output, dict):
        output = output.get("content") or ""
    if isinstance(output, str):
        return output
    if not isinstance(output, list):
        return ""
    parts = [part.get("text") if isinstance(part, dict) else part for part in output]
    return "\n".join(part for part in parts if isinstance(part, str))


def has_failed(text: str) -> bool:
    """Whether a call's output tells of a failure. Codex sets no flag.

    The exit code counts only in the lines that Codex puts before the output: a program may print the same words.
    """
    if text.startswith("{"):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict):
            facts = told.get("metadata")
            code = facts.get("exit_code") if isinstance(facts, dict) else None
            return isinstance(code, int) and code != 0
    code_told = _EXIT.search(text.split("\nOutput:", 1)[0])
    if code_told:
        return int(code_told[1]) != 0
    return _REFUSED.match(text) is not None


def denial_of(text: str) -> str | None:
    """Why a call was not allowed, if a person refused it."""
    return "user-rejected" if _DENIED.match(text) else None
