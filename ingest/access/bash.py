"""The data accesses of one shell script, everything it wraps included."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .agnes import agnes_accesses
from .clients import CLIENTS, client_calls
from .code import database_of, sql_in_javascript, sql_in_python
from .commands import Budget, Command, walk
from .model import TEXT_LIMIT, Access
from .options import grammar, split
from .queries import Stdin, query_access
from .shell import SCRIPT_LIMIT, commands_in
from .shell_files import FILE_COMMANDS, READERS, reader_accesses, redirect_accesses
from .wrappers import Call, unwrap

_MAX_ACCESSES = 50
_MAX_SCRIPTS = 6

_PYTHON = grammar("c m W X check-hash-based-pycs")
_JAVASCRIPT = grammar("e eval p print r require input-type import loader")
_INTERPRETERS = frozenset({"python", "pypy", "ipython", "node", "bun", "deno", "tsx"})
_NAMES = sorted({"agnes", *CLIENTS, *READERS, *FILE_COMMANDS, *_INTERPRETERS}, key=len, reverse=True)
_INTERESTING = re.compile(
    r"(?<![\w-])(?:" + "|".join(map(re.escape, _NAMES)) + r")(?![\w-])|(?:python|node)\d|>(?![&>=]|\s*/dev/)"
)


@dataclass(slots=True)
class _Run:
    """One script and the scripts inside it, while their accesses are collected."""

    budget: Budget = field(default_factory=Budget)
    found: list[Access] = field(default_factory=list)


def script_accesses(script: str) -> list[Access]:
    """Return the data accesses of a shell script in order, each once; every one carries the whole script,
    cut.

    Never raises. A script without a word of interest is not parsed.
    """
    if _INTERESTING.search(script[:SCRIPT_LIMIT]) is None:
        return []
    run = _Run()
    _script(run, script, Call(()), 0)
    command = script.strip()[:TEXT_LIMIT]
    return [replace(access, command=command) for access in dict.fromkeys(run.found[:_MAX_ACCESSES])]


def _script(run: _Run, script: str, around: Call, depth: int) -> None:
    """Collect the accesses of a script that runs where `around` says."""
    if depth >= _MAX_SCRIPTS:
        return
    results: list[tuple[Command, list[Access]]] = []
    plumbing: set[int] = set()
    for command in walk(commands_in(script, run.budget)):
        stdin = Stdin(command)
        call = unwrap(command.argv, command.env)
        if call is not None:
            call = replace(call, host=call.host or around.host, remote=call.remote or around.remote)
            outer, run.found = run.found, []
            _call(run, call, stdin, depth)
            own, run.found = run.found, outer
            results.append((command, own))
            if call.program in CLIENTS or call.program == "agnes":
                plumbing.update(id(inner) for inner in command.inner)
        host = around.host
        results.append((command, redirect_accesses(command.redirects, host, skip_input=stdin.taken)))
        if stdin.taken:
            plumbing.update(id(fed) for fed in command.feed)
    for command, accesses in results:
        # `cat q.sql | psql` and `psql -c "$(cat q.sql)"` touch the database; the file is the question.
        is_plumbing = id(command) in plumbing and command.argv[:1] in (["cat"], [])
        run.found += [access for access in accesses if not (is_plumbing and access.action == "file.read")]


def _call(run: _Run, call: Call, stdin: Stdin, depth: int) -> None:
    """Collect the accesses of one program, or of the script it runs."""
    name, words = call.program, call.argv[1:]
    if call.script is not None:
        _script(run, call.script, call, depth + 1)
    elif call.script_from_input:
        text = stdin.take() if stdin.given else None
        if text is not None:
            _script(run, text, call, depth + 1)
    elif name == "agnes":
        run.found += agnes_accesses(words, stdin, remote=call.remote)
    elif name in CLIENTS:
        run.found += client_calls(call, stdin)
    elif name in _INTERPRETERS:
        run.found += _interpreted(call, stdin)
    elif name in READERS:
        run.found += reader_accesses(name, words, call.host, piped=stdin.given)
    elif name in FILE_COMMANDS:
        run.found += FILE_COMMANDS[name](words, call.host)


def _interpreted(call: Call, stdin: Stdin) -> list[Access]:
    """Return the queries of a Python or JavaScript program given in the command or as its input."""
    is_python = call.program in ("python", "pypy", "ipython")
    code = _code_of(call, stdin, is_python=is_python)
    if not code:
        return []
    texts = sql_in_python(code) if is_python else sql_in_javascript(code)
    if not texts:
        return []
    dialect, away = database_of(code)
    action = "query.remote" if away or call.remote else "query.local"
    return [query_access(action, text, dialect) for text in texts]


def _code_of(call: Call, stdin: Stdin, *, is_python: bool) -> str | None:
    words = call.argv[1:]
    if call.program == "deno" and words[:1] == ("eval",):
        return next((word for word in words[1:] if not word.startswith("-")), None)
    given = split(words, _PYTHON if is_python else _JAVASCRIPT)
    code = given.last("c") if is_python else given.last("e", "eval", "p", "print")
    if code is not None:
        return code
    runs_other = given.has("m") or given.operands[:1] not in ((), ("-",))
    return stdin.take() if stdin.given and not runs_other else None
