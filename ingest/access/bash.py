"""The data accesses of one shell script, everything it wraps included."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from ..text import kept
from .agnes import agnes_accesses
from .clients import CLIENTS, client_calls
from .code import database_of, sql_in_javascript, sql_in_python
from .commands import ScriptBudget, SimpleCommand, note_files, printed, walk
from .languages import commands_in
from .model import TEXT_LIMIT, Access
from .options import grammar, pattern_of, split
from .queries import Stdin, query_access
from .scripts import SH
from .shell import SCRIPT_LIMIT
from .shell_files import FILE_COMMANDS, READERS, reader_accesses, redirect_accesses
from .wrappers import Call, unwrap

_MAX_ACCESSES = 50
_MAX_SCRIPTS = 6

_PYTHON = grammar("c m W X check-hash-based-pycs")
_JAVASCRIPT = grammar("e eval p print r require input-type import loader")
_INTERPRETERS = frozenset({"python", "pypy", "ipython", "node", "bun", "deno", "tsx"})
_NAMES = {"agnes", *CLIENTS, *READERS, *FILE_COMMANDS, *_INTERPRETERS}
_INTERESTING = re.compile(rf"(?:{pattern_of(_NAMES)})(?![\w-])|(?:python|node)\d|>(?![&>=]|\s*/dev/)")


def script_accesses(script: str, language: str = SH) -> list[Access]:
    """Return the data accesses of a shell script in order, each once; every one carries the whole script, cut.

    Never raises. A script without a word of interest is not parsed; PowerShell has too many words for that.
    """
    if len(script) <= _SHORT:
        return list(_remembered(script, language))
    return _found_in(script, language)


_SHORT = 300
"""Characters of a script that is worth remembering: agents run the same few commands again and again."""


@functools.lru_cache(maxsize=4096)
def _remembered(script: str, language: str) -> tuple[Access, ...]:
    return tuple(_found_in(script, language))


def _found_in(script: str, language: str) -> list[Access]:
    if language == SH and _INTERESTING.search(script[:SCRIPT_LIMIT]) is None:
        return []
    # What is found in it, a host or a file, is not to be half of a credential: they are blotted out before.
    script = kept(script, SCRIPT_LIMIT)
    found = _of_script(script, Call((), language=language), 0, ScriptBudget())
    if not found:
        return []
    command = kept(script.strip(), TEXT_LIMIT)
    return [replace(access, command=command) for access in dict.fromkeys(found[:_MAX_ACCESSES])]


def _of_script(script: str, around: Call, depth: int, budget: ScriptBudget, given: Stdin | None = None) -> list[Access]:
    """Return the accesses of a script that runs where, and is written in what, `around` says; `given` is its input."""
    if depth >= _MAX_SCRIPTS:
        return []
    results: list[tuple[SimpleCommand, list[Access]]] = []
    plumbing: set[int] = set()
    files: dict[str, str] = {}
    count = 0
    for command in walk(commands_in(script, around.language, budget)):
        stdin = Stdin(command, files, given)
        for argv in _repeated(command):
            call = unwrap(argv, command.env)
            if call is None or count >= _MAX_ACCESSES:
                continue
            if around.host or around.remote:
                call = replace(call, host=call.host or around.host, remote=call.remote or around.remote)
            accesses = _of_call(call, stdin, depth, budget)
            results.append((command, accesses))
            count += len(accesses)
            if call.program in CLIENTS or call.program == "agnes":
                plumbing.update(id(inner) for inner in command.inner)
        note_files(command, files)
        redirected = redirect_accesses(command.redirects, around.host, skip_input=stdin.taken)
        results.append((command, redirected))
        count += len(redirected)
        if stdin.taken:
            plumbing.update(id(fed) for fed in command.feed)
    found: list[Access] = []
    for command, accesses in results:
        # `cat q.sql | psql` and `psql -c "$(cat q.sql)"` touch the database; the file is the question.
        is_plumbing = id(command) in plumbing and command.argv[:1] in (["cat"], [])
        found += [access for access in accesses if not (is_plumbing and access.action == "file.read")]
    return found


def _repeated(command: SimpleCommand) -> list[list[str]]:
    """Return the words of a command; of `xargs -I` those of each run, where the script tells its input."""
    argv = command.argv
    if argv[:1] != ["xargs"] or not command.piped:
        return [argv]
    at = next((at for at, word in enumerate(argv) if word.startswith("-I")), 0)
    mark = argv[at][2:] or "".join(argv[at + 1 : at + 2]) if at else ""
    text = printed(command.feed) if mark else None
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()][:_MAX_ACCESSES]
    return [[word.replace(mark, line) for word in argv] for line in lines] or [argv]


def _of_call(call: Call, stdin: Stdin, depth: int, budget: ScriptBudget) -> list[Access]:
    """Return the accesses of one program, or of the script it runs."""
    name, words = call.program, call.argv[1:]
    if call.script is not None:
        return _of_script(call.script, call, depth + 1, budget, stdin)
    if call.script_from_input:
        text = stdin.take() if stdin.given else None
        return _of_script(text, call, depth + 1, budget) if text is not None else []
    if name == "agnes":
        return agnes_accesses(words, stdin, remote=call.remote)
    if name in CLIENTS:
        return client_calls(call, stdin)
    if name in _INTERPRETERS:
        return _interpreted(call, stdin)
    if name in READERS:
        return reader_accesses(name, words, call.host, piped=stdin.given)
    return FILE_COMMANDS[name](words, call.host) if name in FILE_COMMANDS else []


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
    if given.has("m"):
        return None
    if given.operands[:1] not in ((), ("-",)):
        return stdin.file(given.operands[0])
    return stdin.take() if stdin.given else None
