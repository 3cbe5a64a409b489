"""The commands a shell script consists of, and what they certainly print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONVERSION = re.compile(r"%[sdb]")
_MAX_FILES = 50
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(slots=True)
class SimpleCommand:
    """One simple command: its words, the variables it sees, its redirections and its input."""

    argv: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    """Operator and target; descriptors, devices and here-documents are left out."""
    stdin: str | None = None
    """The text of a here-document or here-string."""
    piped: bool = False
    feed: list[SimpleCommand] = field(default_factory=list)
    """The commands of the pipeline's stage before this one."""
    inner: list[SimpleCommand] = field(default_factory=list)
    """The commands of the substitutions in its words."""
    offered: dict[str, list[SimpleCommand]] = field(default_factory=dict)
    """By the name of a file in its words the commands that write into it: `<(…)`."""
    shell: tuple[int, ...] = ()
    """Which subshell it runs in, and which that one is in; `()` is the script's own."""


@dataclass(slots=True)
class Document:
    """A here-document whose body begins after the current line."""

    command: SimpleCommand
    delimiter: str
    strip_tabs: bool
    expands: bool


@dataclass(slots=True)
class ScriptBudget:
    """What one tool call's script may cost, so that none can blow up: expanded characters and commands."""

    characters: int = 200_000
    commands: int = 2_000


def walk(commands: Sequence[SimpleCommand]) -> Iterator[SimpleCommand]:
    """Yield each command after the commands of its substitutions."""
    for command in commands:
        yield from walk(command.inner)
        yield command


def printed(commands: Sequence[SimpleCommand]) -> str | None:
    """Return what these commands print where echo, printf or a here-document make that certain, else None."""
    texts = [_printed(command) for command in commands]
    return None if None in texts or not texts else "".join(text for text in texts if text is not None)


def note_files(command: SimpleCommand, files: dict[str, str]) -> None:
    """Keep in `files` the text of those that a command writes; forget those it may write something else into."""
    written = [*command.redirects]
    if command.argv[:1] == ["tee"]:
        operator = ">>" if "-a" in command.argv else ">"
        written += [(operator, word) for word in command.argv[1:] if not word.startswith("-")]
    text = _printed(replace(command, redirects=[])) if written else None
    for operator, target in written:
        if operator == "<":
            continue
        before = files.pop(target, None) if operator == ">>" else ""
        if text is not None and before is not None and len(files) < _MAX_FILES:
            files[target] = before + text
        else:
            files.pop(target, None)


def _printed(command: SimpleCommand) -> str | None:
    if not command.argv or command.redirects:
        return None if command.redirects else ""
    name, words = command.argv[0], command.argv[1:]
    if name == "echo":
        flags = 0
        while flags < len(words) and re.fullmatch(r"-[neE]+", words[flags]):
            flags += 1
        text = " ".join(words[flags:]) + "\n"
        return unescaped(text) if any("e" in flag for flag in words[:flags]) else text
    if name == "printf" and words:
        return _formatted(unescaped(words[0]), words[1:])
    if name == "tee" or (name == "cat" and all(word == "-" for word in words)):
        return printed(command.feed) if command.stdin is None and command.piped else command.stdin
    return None


def _formatted(form: str, arguments: Sequence[str]) -> str:
    """Return what printf makes of its arguments; it uses the format again until none is left."""
    left = list(arguments)
    lines = [_CONVERSION.sub(lambda _: left.pop(0) if left else "", form)]
    while left and _CONVERSION.search(form):
        lines.append(_CONVERSION.sub(lambda _: left.pop(0) if left else "", form))
    return "".join(lines)


def unescaped(text: str) -> str:
    """Return text with the backslash escapes of `$'…'`, `echo -e` and `printf` resolved."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
