"""A forgiving reader of PowerShell scripts, and of what `cmd /c` is given: which commands would run, with which words.

Its commands are those of `shell.commands_in`, with cmdlets under the names of Unix programs, so that whatever looks at
commands need not know which shell they were written for. A backslash is a letter, a backtick escapes, a text that
stands alone is what is put out: `about_Parsing` and `about_Quoting_Rules` in PowerShell's help. Nothing is executed;
what only running could tell stays in the words as it was written.
"""

from __future__ import annotations

import re

from ..late import Late
from .cmdlets import COMMA, translated
from .commands import ScriptBudget, SimpleCommand, printed
from .options import words as _words
from .shell import SCRIPT_LIMIT

_MAX_DEPTH = 16
_MAX_VARIABLES = 200
_MAX_VALUE = 20_000
_MAX_TURNS = 8

_PLAIN = Late(r"[^\s`'\"$(){};|&<>,]+")
_IN_QUOTES = Late(r'[^"`$]+')
_COMMENT = Late(r"<#.*?(?:#>|$)|#[^\n]*", re.DOTALL)
_REDIRECT = Late(r"(?:\d|\*)?(>>?)(&\d)?")
_SEPARATOR = Late(r"&&|\|\||[;|&\n]")
_HERE = Late(r"@(['\"])[ \t]*\n(.*?)\n\1@", re.DOTALL)
_NAME = r"\$(?:\{([^}\n]{1,200})\}|((?:[A-Za-z]+:)?\w+))"
_VARIABLE = Late(_NAME)
_ASSIGNMENT = Late(rf"(?:\[[\w.]+\]\s*)?{_NAME}\s*(\+?)=(?!=)\s*")
_REST = Late(r"--%[ \t]*([^\n|]*)")
_REST_WORD = re.compile(r'"([^"]*)"|(\S+)')
_VALUE = r"""(?:'[^']*'|"[^"$`]*"|[\w.-]+)"""
_LOOP = Late(rf"foreach\s*\(\s*\$(\w+)\s+in\s+@?\(?({_VALUE}(?:\s*,\s*{_VALUE})*)\)?\s*\)\s*\{{", re.IGNORECASE)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": ""}
_KEYWORDS = _words(
    "if elseif else while do until for foreach switch try catch finally function filter return throw trap begin "
    "process end param"
)


def commands_in(script: str, budget: ScriptBudget) -> list[SimpleCommand]:
    """Return the commands of a script in order; those inside brackets hang on their command's `inner`.

    Never raises; a script beyond `SCRIPT_LIMIT` characters is cut.
    """
    return _PowerShellReader(script[:SCRIPT_LIMIT].replace("\r\n", "\n").replace(COMMA, ""), budget).script("")


class _PowerShellReader:
    """Reads one text from left to right; each method starts at `pos` and leaves it after what it read."""

    def __init__(self, text: str, budget: ScriptBudget) -> None:
        self.text = text
        self.pos = 0
        self.budget = budget
        self.variables: dict[str, str] = {}
        self.depth = 0

    def script(self, closer: str) -> list[SimpleCommand]:
        """Read commands up to the closing bracket, or to the end."""
        found: list[SimpleCommand] = []
        feed: list[SimpleCommand] | None = None
        while self.pos < len(self.text) and self.budget.commands > 0:
            self.budget.commands -= 1
            command, group = SimpleCommand(), list[SimpleCommand]()
            stop = self._command(command, group, closer)
            if feed is not None:
                command.piped, command.feed = True, feed
            stage = [*group, command] if command.argv or command.redirects or command.inner else group
            found += stage
            feed = stage if stop == "|" else None
            if closer and stop == closer:
                break
        return found

    def _command(self, command: SimpleCommand, group: list[SimpleCommand], closer: str) -> str:
        """Read one command; return the separator or bracket that ended it, "" at the end of the text."""
        words: list[str] = []
        self._blanks()
        variable = self._assignment()
        is_called, is_text, stop = False, False, ""
        while self.pos < len(self.text) and not stop:
            char = self.text[self.pos]
            if char in ")}":
                self.pos += 1
                stop = char if char == closer else ""
            elif found := _REDIRECT.match(self.text, self.pos):
                self.pos = found.end()
                self._redirect(command, found)
            elif char == "&" and not words and self.text[self.pos : self.pos + 2] != "&&":
                self.pos += 1  # the operator that runs what a text names
                is_called = True
            elif found := _SEPARATOR.match(self.text, self.pos):
                self.pos = found.end()
                stop = found[0]
            elif not words and (loop := _LOOP.match(self.text, self.pos)):
                group += self._turns(loop)
            elif char in "({" and not words:
                self.pos += 1
                group += self._nested(")" if char == "(" else "}")
            elif found := _REST.match(self.text, self.pos):
                self.pos = found.end()
                words += [quoted or bare for quoted, bare in _REST_WORD.findall(found[1])]
            else:
                is_text = is_text or (not words and self._begins_text(char))
                words.append(self._word(command))
                if len(words) == 1 and not is_text and words[0].lower() in _KEYWORDS:
                    words.clear()
            self._blanks()
        self._finish(command, words, variable, is_text=is_text and not is_called)
        return stop

    def _begins_text(self, char: str) -> bool:
        """Whether a word that begins a command is a value and not a program: a text, or a variable that holds one."""
        if char == "$":
            found = _VARIABLE.match(self.text, self.pos)
            return found is not None and self._known(found) is not None
        return char in "'\"" or _HERE.match(self.text, self.pos) is not None

    def _finish(
        self, command: SimpleCommand, words: list[str], variable: tuple[str, bool] | None, *, is_text: bool
    ) -> None:
        command.env = {name.removeprefix("env:"): value for name, value in self.variables.items()}
        if not is_text:
            command.argv, redirects = translated(words)
            command.redirects += redirects
        elif variable is not None and len(words) == 1:
            self._remember(variable, words[0].replace(COMMA, ","))
        elif len(words) == 1:
            command.argv = ["echo", *words[0].split(COMMA)]

    def _assignment(self) -> tuple[str, bool] | None:
        """The variable that what follows is put into, and whether that is added to what it holds."""
        found = _ASSIGNMENT.match(self.text, self.pos)
        if found is None:
            return None
        self.pos = found.end()
        return _name_of(found), bool(found[3])

    def _remember(self, variable: tuple[str, bool], value: str) -> None:
        name, appended = variable
        value = (self.variables.get(name, "") if appended else "") + value
        if len(value) <= _MAX_VALUE and (name in self.variables or len(self.variables) < _MAX_VARIABLES):
            self.variables[name] = value

    def _known(self, found: re.Match[str]) -> str | None:
        return self.variables.get(_name_of(found))

    def _blanks(self) -> None:
        while self.pos < len(self.text):
            if self.text[self.pos] in " \t\r":
                self.pos += 1
            elif self.text.startswith("`\n", self.pos):
                self.pos += 2
            elif found := _COMMENT.match(self.text, self.pos):
                self.pos = found.end()
            else:
                return

    def _nested(self, closer: str) -> list[SimpleCommand]:
        if self.depth >= _MAX_DEPTH:
            return []
        self.depth += 1
        commands = self.script(closer)
        self.depth -= 1
        return commands

    def _turns(self, loop: re.Match[str]) -> list[SimpleCommand]:
        """Read the body of a loop once for each of its values."""
        commands: list[SimpleCommand] = []
        for value in re.findall(_VALUE, loop[2])[:_MAX_TURNS]:
            self.pos = loop.end()
            self._remember((loop[1].lower(), False), value.strip("'\""))
            commands += self._nested("}")
        self.variables.pop(loop[1].lower(), None)
        return commands

    def _redirect(self, command: SimpleCommand, found: re.Match[str]) -> None:
        if found[2]:
            return
        self._blanks()
        starts = self.pos < len(self.text) and self.text[self.pos] not in "\n;|&<>(){}"
        target = self._word(command).replace(COMMA, ",") if starts else ""
        if target and target.lower() not in ("$null", "nul"):
            command.redirects.append((found[1], target))

    def _word(self, command: SimpleCommand) -> str:
        """Read one word, its quotes removed and its variables replaced where they are known."""
        parts: list[str] = []
        text, start = self.text, self.pos
        while self.pos < len(text):
            char = text[self.pos]
            if char == "@" and not parts and (found := _HERE.match(text, self.pos)):
                self.pos = found.end()
                parts.append(found[2] if found[1] == "'" else self._expanded(found[2], command))
            elif found := _PLAIN.match(text, self.pos):
                self.pos = found.end()
                parts.append(found[0])
            elif char == "'":
                parts.append(self._single())
            elif char == '"':
                self.pos += 1
                parts.append(self._double(command))
            elif char == "`":
                parts.append(self._escape())
            elif char == "$":
                parts.append(self._dollar(command))
            elif char in "({":
                self.pos += 1
                parts.append(self._bracket(command, ")" if char == "(" else "}"))
            elif char == ",":
                self.pos += 1
                parts.append(COMMA)
                self._blanks()
            else:
                break
        self.pos = max(self.pos, start + 1)
        return "".join(parts)

    def _single(self) -> str:
        found = Late(r"'((?:[^']|'')*)'?").match(self.text, self.pos)
        assert found is not None
        self.pos = found.end()
        return found[1].replace("''", "'")

    def _double(self, command: SimpleCommand) -> str:
        parts: list[str] = []
        text = self.text
        while self.pos < len(text):
            if found := _IN_QUOTES.match(text, self.pos):
                self.pos = found.end()
                parts.append(found[0])
            elif text.startswith('""', self.pos):
                self.pos += 2
                parts.append('"')
            elif text[self.pos] == '"':
                self.pos += 1
                break
            else:
                parts.append(self._escape() if text[self.pos] == "`" else self._dollar(command))
        return "".join(parts)

    def _escape(self) -> str:
        char = self.text[self.pos + 1 : self.pos + 2]
        self.pos += 2
        return _ESCAPED.get(char, char)

    def _expanded(self, text: str, command: SimpleCommand) -> str:
        """A text between the marks of a here-string, in which quotes are letters."""
        if self.depth >= _MAX_DEPTH:
            return text
        inside = _PowerShellReader(text.replace('"', '""'), self.budget)
        inside.variables, inside.depth = self.variables, self.depth + 1
        return inside._double(command)

    def _dollar(self, command: SimpleCommand) -> str:
        text, start = self.text, self.pos
        if text.startswith("$(", start):
            self.pos += 2
            return self._bracket(command, ")")
        found = _VARIABLE.match(text, start)
        if found is None:
            self.pos += 1
            return "$"
        self.pos = found.end()
        value = self._known(found)
        if value is None or len(value) > self.budget.characters:
            return found[0]
        self.budget.characters -= len(value)
        return value

    def _bracket(self, command: SimpleCommand, closer: str) -> str:
        """Read what stands in brackets; return what it puts out if that is certain, else how it is written."""
        start = self.pos - 1
        commands = self._nested(closer)
        command.inner += commands
        output = printed(commands) if closer == ")" else None
        return self.text[start : self.pos] if output is None else output.rstrip("\n")


def _name_of(found: re.Match[str]) -> str:
    """The name of a variable as all spellings of it: `$Env:X`, `${env:X}`, `$global:x`."""
    name: str = (found[1] or found[2]).lower()
    scope, colon, rest = name.partition(":")
    if not colon:
        return name
    return f"env:{rest.upper()}" if scope == "env" else rest
