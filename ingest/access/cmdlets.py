"""PowerShell's cmdlets under the names of the Unix programs that do the same to files, the web and databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .options import words

COMMA = "\x00"
"""Stands in a word for a comma outside of quotes: a cmdlet is given a list by it, a program a letter."""

_SWITCHES = words(
    "append allmatches asbytestream asplaintext asstring casesensitive confirm debug directory file force hidden list "
    "literal name nonewline noclobber noheader notypeinformation notmatch passthru quiet raw readonly recurse "
    "simplematch skipcertificatecheck trustservercertificate usebasicparsing usedefaultcredentials verbose wait "
    "whatif nonewwindow noexit noprofile noninteractive nologo"
)
"""Parameters without a value; every other one takes the word after it."""
_PARAMETER = re.compile(r"-([A-Za-z]\w*)(?::(.*))?", re.DOTALL)

Redirects = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Given:
    """What a cmdlet is given: its named parameters, in small letters, and the rest."""

    named: Mapping[str, str]
    rest: Sequence[str]

    def take(self, *names: str) -> tuple[list[str], Given]:
        """The values of the first of these parameters that is there, else of the first of the rest; what is left."""
        for name, value in self.named.items():
            # A parameter's name may be cut short.
            if any(full.startswith(name) for full in names):
                return _values(value), Given({key: one for key, one in self.named.items() if key != name}, self.rest)
        return (_values(self.rest[0]), Given(self.named, self.rest[1:])) if self.rest else ([], self)

    def has(self, *names: str) -> bool:
        return any(full.startswith(name) for name in self.named for full in names)


def _values(word: str) -> list[str]:
    return [value.strip() for value in word.split(COMMA) if value.strip()]


def translated(argv: Sequence[str]) -> tuple[list[str], Redirects]:
    """The words and redirections of the Unix command that does what these ask for; other programs stay as they are."""
    if not argv:
        return [], []
    # The folder of a program may have blanks in its name, and tells nothing.
    name = re.split(r"[\\/]", argv[0])[-1].lower()
    make = _CMDLETS.get(name)
    if make is None:
        return [name, *(word.replace(COMMA, ",") for word in argv[1:])], []
    return make(_given(argv[1:]))


def _given(argv: Sequence[str]) -> Given:
    named: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while at < len(argv):
        found = _PARAMETER.fullmatch(argv[at])
        at += 1
        if found is None:
            rest.append(argv[at - 1])
            continue
        name, value = found[1].lower(), found[2]
        if value is None and name not in _SWITCHES and at < len(argv):
            value = argv[at]
            at += 1
        named[name] = value or ""
    return Given(named, rest)


def _reader(program: str) -> Callable[[Given], tuple[list[str], Redirects]]:
    def make(given: Given) -> tuple[list[str], Redirects]:
        paths, _ = given.take("path", "literalpath", "pspath")
        return [program, *paths], []

    return make


def _search(given: Given) -> tuple[list[str], Redirects]:
    patterns, left = given.take("pattern")
    paths, _ = left.take("path", "literalpath")
    return ["grep", "-e", "|".join(patterns), *paths], []


def _write(operator: str) -> Callable[[Given], tuple[list[str], Redirects]]:
    """A cmdlet that writes what it is given, or else its input, into files."""

    def make(given: Given) -> tuple[list[str], Redirects]:
        paths, left = given.take("path", "literalpath", "filepath", "pspath")
        mode = ">>" if operator == ">>" or given.has("append") else ">"
        values, _ = left.take("value", "inputobject")
        if values:
            return ["echo", *values], [(mode, path) for path in paths]
        return ["tee", *(["-a"] if mode == ">>" else []), *paths], []

    return make


def _copy(given: Given) -> tuple[list[str], Redirects]:
    sources, left = given.take("path", "literalpath")
    target, _ = left.take("destination")
    return ["cp", *sources, *target], []


def _web(given: Given) -> tuple[list[str], Redirects]:
    address, left = given.take("uri")
    file = left.take("outfile")[0] if left.has("outfile") else []
    return ["curl", *address, *(["-o", *file] if file else [])], []


def _echo(given: Given) -> tuple[list[str], Redirects]:
    texts = [text for word in given.rest for text in _values(word)]
    return ["echo", *(texts or given.take("inputobject", "object")[0])], []


def _start(given: Given) -> tuple[list[str], Redirects]:
    program, left = given.take("filepath")
    arguments, _ = left.take("argumentlist", "args")
    return translated([*program, *(word for text in arguments for word in text.split())])


def _expression(given: Given) -> tuple[list[str], Redirects]:
    text, _ = given.take("command")
    return ["powershell", "-Command", *text], []


def _sqlcmd(given: Given) -> tuple[list[str], Redirects]:
    argv = ["sqlcmd"]
    for option, names in (("-S", ("serverinstance",)), ("-i", ("inputfile",))):
        if given.has(*names):
            argv += [option, *given.take(*names)[0]]
    query = " ".join(given.take("query")[0]) if given.has("query") or given.rest else ""
    return [*argv, *(["-Q", query] if query else [])], []


_CMDLETS: Mapping[str, Callable[[Given], tuple[list[str], Redirects]]] = {
    **dict.fromkeys(("get-content", "gc", "type", "cat", "import-csv", "ipcsv"), _reader("cat")),
    **dict.fromkeys(("get-childitem", "gci", "dir", "ls"), _reader("ls")),
    **dict.fromkeys(("select-string", "sls"), _search),
    **dict.fromkeys(("set-content", "sc", "out-file", "export-csv", "epcsv", "tee-object", "tee"), _write(">")),
    **dict.fromkeys(("add-content", "ac"), _write(">>")),
    **dict.fromkeys(("copy-item", "copy", "cp", "cpi"), _copy),
    **dict.fromkeys(("invoke-webrequest", "iwr", "invoke-restmethod", "irm"), _web),
    **dict.fromkeys(("write-output", "echo", "write", "write-host"), _echo),
    **dict.fromkeys(("start-process", "saps", "start"), _start),
    **dict.fromkeys(("invoke-expression", "iex"), _expression),
    "invoke-sqlcmd": _sqlcmd,
}
