"""Other AIs that a shell script hands work to: `codex exec …`, `gemini -p …`, `claude -p …` and their like.

Only what gives a task counts: not `--version`, `login`, `mcp`, nor the word in quotes, paths and here-documents.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..text import PATH_CHARS, kept
from .commands import ScriptBudget, SimpleCommand, note_files, walk
from .languages import commands_in
from .options import Grammar, Split, grammar, pattern_of, split, words
from .queries import Stdin
from .scripts import SH
from .shell import SCRIPT_LIMIT
from .wrappers import Call, unwrap

TASK_CHARS = 500
_MAX_RUNS = 20
_MAX_SCRIPTS = 6

_UNSURE = re.compile(r"\$[\w({]|`")
"""What only running the script could fill in."""


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One hand-over to another AI.

    `task` is None where the script does not tell it, `folder` where it cannot be known. A relative `folder` is so from
    where the script began.
    """

    program: str
    """One of the names of PROGRAMS."""
    task: str | None
    folder: str | None
    remote: bool = False
    """It runs on another machine."""


@dataclass(frozen=True, slots=True)
class _Program:
    """How a command line of an agent says that it works once, on what and where.

    `asks`: options that make it work once and go home, `said_in`: those of them whose value is the task; else it is the
    first operand, or comes by the input. `verbs`: words that make it work once, instead of such an option.
    """

    rules: Grammar
    asks: frozenset[str] = frozenset()
    said_in: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    folder: tuple[str, ...] = ()
    greedy: frozenset[str] = frozenset()
    """Options that take all words up to the next option."""
    by_input: bool = False
    """It also works once if it has an input and no verb."""
    joined: bool = False
    """All operands together are the task."""


_CODEX = (
    "m model C cd s sandbox p profile c config i image o output-last-message output-schema color a ask-for-approval "
    "add-dir enable disable base commit title local-provider"
)
_CLAUDE = (
    "model output-format input-format append-system-prompt system-prompt permission-mode max-turns r resume session-id "
    "fallback-model agents settings json-schema max-budget-usd effort agent permission-prompt-tool setting-sources n "
    "name append-system-prompt-file system-prompt-file"
)
_GEMINI = (
    "p prompt i prompt-interactive m model approval-mode e extensions include-directories o output-format "
    "allowed-tools allowed-mcp-server-names r resume"
)
_GEMINI_LIKE = _Program(grammar(_GEMINI), words("p prompt"), ("p", "prompt"), by_input=True)
_CURSOR = _Program(
    grammar("m model output-format resume workspace api-key H header mode"), words("p print"), folder=("workspace",)
)

PROGRAMS = {
    "codex": _Program(grammar(_CODEX), verbs=words("exec e review"), folder=("C", "cd")),
    "gemini": _GEMINI_LIKE,
    "qwen": replace(_GEMINI_LIKE, rules=grammar(f"{_GEMINI} openai-api-key openai-base-url auth-type")),
    "copilot": _Program(
        grammar(
            "p prompt model agent add-dir allow-tool deny-tool log-dir log-level additional-mcp-config resume i "
            "interactive stream"
        ),
        words("p prompt"),
        ("p", "prompt"),
    ),
    "claude": _Program(
        grammar(_CLAUDE),
        words("p print"),
        greedy=words("allowedTools allowed-tools disallowedTools disallowed-tools tools mcp-config add-dir betas"),
    ),
    "opencode": _Program(
        grammar("m model s session agent f file format title port attach variant dir command log-level"),
        verbs=words("run"),
        folder=("dir",),
        joined=True,
    ),
    "pi": _Program(
        grammar(
            "mode provider model api-key system-prompt append-system-prompt session session-dir models tools thinking "
            "extension e skill theme"
        ),
        words("p print"),
        joined=True,
    ),
    "cursor-agent": _CURSOR,
    "amp": _Program(grammar("x execute mode log-level settings-file"), words("x execute"), ("x", "execute")),
    "droid": _Program(
        grammar("m model auto o output-format f file s session-id cwd r"), verbs=words("exec"), folder=("cwd",)
    ),
    "aider": _Program(
        grammar("m message msg f message-file model file read edit-format weak-model editor-model test-cmd lint-cmd"),
        words("m message msg f message-file"),
        ("m", "message", "msg"),
    ),
}
"""Program -> how its command line is read."""

_ALIASES = {
    "agent": "cursor-agent",
    "claude-code": "claude",
    "gemini-cli": "gemini",
    "opencode-ai": "opencode",
    "pi-coding-agent": "pi",
    "qwen-code": "qwen",
}

_ENDS = words("h help version V v list-sessions list-extensions")
"""Options with which a program tells something and does no work."""

_NO_TASK = words(
    "login logout mcp mcp-server config doctor update upgrade install setup-token auth completion apply extensions "
    "models sessions serve web agents plugin plugins app-server features cloud sandbox debug stats export import help "
    "uninstall session github status ls resume"
)
"""First operands that are errands of the program, and no task."""

_INTERESTING = re.compile(
    rf"(?:{pattern_of((*PROGRAMS, *_ALIASES))})"
    r"(?:@[\w.^~-]+|\.cmd|\.exe)?[\"']?(?:\s|$)"
)


@dataclass(slots=True)
class _Search:
    """What is carried through a script and the scripts in it."""

    runs: list[AgentRun] = field(default_factory=list)
    budget: ScriptBudget = field(default_factory=ScriptBudget)


def agents_run(script: str, language: str = SH) -> list[AgentRun]:
    """The other AIs that a shell script hands work to, in order. Never raises."""
    if not (_remembered if len(script) <= _SHORT else _may_run)(script):
        return []
    search = _Search()
    _of_script(script, Call((), language=language), ".", 0, search, None)
    return search.runs[:_MAX_RUNS]


def _may_run(script: str) -> bool:
    """Whether a script has the name of another AI in it."""
    return _INTERESTING.search(script[:SCRIPT_LIMIT]) is not None


_SHORT = 300
"""Characters of a script that is worth remembering: agents run the same few commands again and again."""

_remembered = functools.lru_cache(maxsize=4096)(_may_run)


def _of_script(script: str, around: Call, folder: str | None, depth: int, search: _Search, given: Stdin | None) -> None:
    if depth >= _MAX_SCRIPTS:
        return
    files: dict[str, str] = {}
    # A subshell begins where the shell around it is, and where it goes is forgotten after it.
    folders: dict[tuple[int, ...], str | None] = {(): folder}
    for command in walk(commands_in(script, around.language, search.budget)):
        here = _here(folders, command.shell)
        stdin = Stdin(command, files, given)
        call = unwrap(command.argv, command.env) if len(search.runs) < _MAX_RUNS else None
        if call is not None:
            call = replace(call, remote=call.remote or around.remote)
            if call.program in ("cd", "pushd", "Set-Location"):
                folders[command.shell] = _moved(here, call.argv[1:])
            else:
                _of_call(call, stdin, _away(command, here), depth, search)
        note_files(command, files)


def _here(folders: dict[tuple[int, ...], str | None], shell: tuple[int, ...]) -> str | None:
    known = next(at for at in range(len(shell), -1, -1) if shell[:at] in folders)
    return folders[shell[:known]]


def _away(command: SimpleCommand, here: str | None) -> str | None:
    """Where a command runs: `env -C folder` runs it elsewhere."""
    if command.argv[:1] == ["env"]:
        for option in ("-C", "--chdir"):
            if option in command.argv[:-1]:
                return _moved(here, [command.argv[command.argv.index(option) + 1]])
    return here


def _moved(here: str | None, operands: Sequence[str]) -> str | None:
    """Where `cd` leads; None where only running it could tell."""
    target = next((word for word in operands if not word.startswith("-")), "~")
    if _UNSURE.search(target) or "-" in operands:
        return None
    if target.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", target):
        return target
    return None if here is None else posixpath.normpath(posixpath.join(here, kept(target, PATH_CHARS)))


def _of_call(call: Call, stdin: Stdin, folder: str | None, depth: int, search: _Search) -> None:
    if call.script is not None:
        _of_script(call.script, call, folder, depth + 1, search, stdin)
    elif call.script_from_input:
        text = stdin.take() if stdin.given else None
        if text is not None:
            _of_script(text, call, folder, depth + 1, search, None)
    elif (name := _ALIASES.get(call.program, call.program)) in PROGRAMS:
        run = _run_of(name, call, stdin, folder)
        if run is not None:
            search.runs.append(run)


def _run_of(name: str, call: Call, stdin: Stdin, folder: str | None) -> AgentRun | None:
    program = PROGRAMS[name]
    given = split(list(_without_greedy(call.argv[1:], program.greedy)), program.rules)
    if given.has(*_ENDS) and not given.has(*program.said_in):
        return None
    operands = given.operands
    if program.verbs:
        if operands[:1] and operands[0] in program.verbs:
            operands = _after_verbs(name, operands)
        else:
            return None
    elif not _works_once(name, program, given, stdin):
        return None
    if operands[:1] and operands[0] == "help":
        return None
    task = _task(program, given, operands, stdin)
    elsewhere = given.last(*program.folder) if program.folder else None
    if elsewhere is not None:
        folder = _moved(folder, [elsewhere])
    return AgentRun(name, task, None if call.remote else folder, call.remote)


def _works_once(name: str, program: _Program, given: Split, stdin: Stdin) -> bool:
    if given.has(*program.asks):
        return True
    if name == "pi" and given.last("mode") in ("json", "text"):
        return True
    return program.by_input and stdin.given and not (given.operands[:1] and given.operands[0] in _NO_TASK)


def _after_verbs(name: str, operands: Sequence[str]) -> tuple[str, ...]:
    """The operands after `exec`, and after `resume <id>` or `review` behind it."""
    rest = tuple(operands[1:])
    if name == "codex" and operands[0] != "review":
        if rest[:1] == ("resume",):
            rest = rest[2:] or ("",)
        elif rest[:1] == ("review",):
            rest = rest[1:]
    return rest


def _task(program: _Program, given: Split, operands: Sequence[str], stdin: Stdin) -> str | None:
    said = given.last(*program.said_in) if program.said_in else None
    if said is None and operands:
        said = " ".join(operands) if program.joined else operands[0]
    if (said is None or said in ("", "-")) and stdin.given:
        said = stdin.take()
    if said is None or not said.strip() or said == "-":
        return None
    return kept(said, TASK_CHARS * 4)


def is_certain(task: str) -> bool:
    """Whether a task is what the other AI was given: nothing in it is left for the shell to fill in."""
    return _UNSURE.search(task) is None


def _without_greedy(argv: Sequence[str], greedy: frozenset[str]) -> Iterator[str]:
    """The words without the options that take all words up to the next option, and without those."""
    eating = False
    for word in argv:
        if word.startswith("-"):
            eating = word.lstrip("-").partition("=")[0] in greedy
            if eating:
                eating = "=" not in word
                continue
        if not eating:
            yield word
