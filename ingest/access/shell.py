"""A forgiving reader of shell scripts: which commands would run, with which words, and what is fed into them.

It follows the POSIX shell's token rules (XCU 2.3, 2.6, 2.7) as far as text alone can: quotes, here-documents,
pipelines, groups, command substitutions and plain variables are understood; nothing is executed. What only
running could tell stays in the words as it was written. Broken scripts give the commands that can be made
out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..late import Late
from .commands import Document, ScriptBudget, SimpleCommand, printed, unescaped

SCRIPT_LIMIT = 262_144
_MAX_DEPTH = 16
_MAX_VARIABLES = 200
_MAX_VALUE = 20_000
_MAX_TURNS = 8

_PLAIN = Late(r"[^\s\\'\"$`;&|<>()]+")
_ENDS_WORD = " \t\n;&|)"
"""Of what ends a word the usual; what else does is neither plain nor begins anything."""
_IN_QUOTES = Late(r'[^"\\$`]+')
_IN_BODY = Late(r"[^\\$`]+")
_REDIRECT = Late(r"\d*(?:<<<|<<-|<<|<>|<&|>>|>&|>\||<(?!\()|>(?!\())|&>>?")
_SEPARATOR = Late(r"&&|\|\||\|&|;;&|;;|;&|[;|&]")
_ASSIGNMENT = Late(r"([A-Za-z_]\w*)(\+?)=")
_NAME = Late(r"\$([A-Za-z_]\w*)")
_BRACED = re.compile(r"\$\{([A-Za-z_]\w*)(?::?[-=]([^{}$`\"']*))?\}")
_TEST = Late(r".*?\s\]\](?=[\s;&|)]|$)|.*")
_PATTERN = Late(r"\([^\s()'\"]*\)")
_DESCRIPTOR = Late(r"[<>]&\d*-?")
_FUNCTION = Late(r"\(\s*\)")
_ANSI_C = Late(r"\$'((?:[^'\\]|\\.)*)'?", re.DOTALL)
_BACKTICKS = Late(r"`((?:[^`\\]|\\.)*)`?", re.DOTALL)
_UNKNOWN = Late(r"[$`*?\[{]")
_SKIPPED = frozenset({"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!", "coproc"})
_DECLARING = frozenset({"export", "local", "declare", "readonly", "typeset"})


def commands_in(script: str, budget: ScriptBudget) -> list[SimpleCommand]:
    """Return the commands of a script in order; those inside substitutions hang on their command's `inner`.

    Never raises; a script beyond `SCRIPT_LIMIT` characters is cut.
    """
    return _ShellReader(script[:SCRIPT_LIMIT], budget, {}, 0).script("")


class _ShellReader:
    """Reads one text from left to right; each method starts at `pos` and leaves it after what it read."""

    def __init__(self, text: str, budget: ScriptBudget, variables: dict[str, str], depth: int) -> None:
        self.text = text
        self.pos = 0
        self.budget = budget
        self.variables = variables
        self.depth = depth
        self.documents: list[Document] = []
        self.cases = 0
        self.shell: tuple[int, ...] = ()
        self.shells = 0
        self.loops: list[tuple[int, str, list[str]]] = []
        """Of the loops around here: where the body begins, the variable, and the words that are left."""

    def script(self, closer: str) -> list[SimpleCommand]:
        """Read commands up to the closing `)` or `}`, or to the end."""
        found: list[SimpleCommand] = []
        outer_cases, self.cases = self.cases, 0
        feed: list[SimpleCommand] | None = None
        while self.pos < len(self.text) and self.budget.commands > 0:
            command = SimpleCommand(shell=self.shell)
            group: list[SimpleCommand] = []
            stop = self._command(command, group, closer)
            if stop == ")" and (self.cases or closer != ")"):
                continue  # the pattern of a case branch, or a stray bracket
            if feed is not None:
                command.piped, command.feed = True, feed
            stage = [*group, command] if command.argv or command.redirects or command.inner else group
            found += stage
            feed = stage if stop in ("|", "|&") else None
            if closer and stop == closer:
                break
        self.cases = outer_cases
        return found

    def _command(self, command: SimpleCommand, group: list[SimpleCommand], closer: str) -> str:
        """Read one simple command or group; return the separator that ended it, "" at the end of the text."""
        text = self.text
        while self.pos < len(text):
            char = text[self.pos]
            if char == "\n":
                self.pos += 1
                self._finish(command)
                self._here_documents()
                return "\n"
            if char.isspace():
                self.pos += 1
            elif char == "#":
                end = text.find("\n", self.pos)
                self.pos = len(text) if end < 0 else end
            elif char == "\\" and text.startswith("\\\n", self.pos):
                self.pos += 2
            elif char in "()":
                if self._bracket(command, group, char):
                    return ")"
            elif (char in "<>&" or char.isdecimal()) and (found := _REDIRECT.match(text, self.pos)):
                self.pos = found.end()
                self._redirect(command, found[0])
            elif char in "&|;" and (found := _SEPARATOR.match(text, self.pos)):
                self.pos = found.end()
                self._finish(command)
                return found[0]
            elif self._next_word(command, group, closer):
                return closer
        self._finish(command)
        return ""

    def _bracket(self, command: SimpleCommand, group: list[SimpleCommand], char: str) -> bool:
        """Read a bracket that stands where a word may; return whether it closes what is being read."""
        if char == ")":
            self.pos += 1
            self._finish(command)
            return True
        if self.text.startswith("((", self.pos):
            end = self.text.find("))", self.pos)
            self.pos = len(self.text) if end < 0 else end + 2
        elif command.argv and (found := _FUNCTION.match(self.text, self.pos)):
            self.pos = found.end()
            command.argv.clear()  # the head of a function's definition
        else:
            self.pos += 1
            group += self._nested(")")
        return False

    def _nested(self, closer: str) -> list[SimpleCommand]:
        if self.depth >= _MAX_DEPTH:
            return []
        self.depth += 1
        around = self.shell
        if closer == ")":
            self.shells += 1
            self.shell = (*around, self.shells)
        commands = self.script(closer)
        self.shell = around
        self.depth -= 1
        return commands

    def _next_word(self, command: SimpleCommand, group: list[SimpleCommand], closer: str) -> bool:
        """Read a word and take it as keyword, assignment or argument; return whether it closes a group."""
        start = self.pos
        word = self._word(command)
        if not command.argv:
            bare = self.text[start : self.pos] == word
            if bare and word == "}":
                return closer == "}"
            if bare and self._keyword(word, command, group):
                return False
            if found := _ASSIGNMENT.match(self.text, start):
                self._assign(command, found[1], word.partition("=")[2], append=bool(found[2]))
                return False
        command.argv.append(word)
        return False

    def _keyword(self, word: str, command: SimpleCommand, group: list[SimpleCommand]) -> bool:
        """Take a reserved word; `for`, `case` and `select` stay as the name of a command nobody knows."""
        if word in _SKIPPED:
            if word in ("while", "until"):
                self.loops.append((self.pos, "", []))
            elif word == "done":
                self._turn()
            return True
        if word == "{":
            group += self._nested("}")
        elif word == "function":
            self._blanks()
            self._word(command)
        elif word == "[[":
            found = _TEST.match(self.text, self.pos)
            self.pos = found.end() if found else len(self.text)
        elif word in ("case", "esac"):
            self.cases += 1 if word == "case" else -min(self.cases, 1)
            return word == "esac"
        else:
            return False
        return True

    def _blanks(self) -> None:
        while self.pos < len(self.text) and self.text[self.pos] in " \t":
            self.pos += 1

    def _assign(self, command: SimpleCommand, name: str, value: str, *, append: bool) -> None:
        before = command.env.get(name, self.variables.get(name, "")) if append else ""
        command.env[name] = before + value

    def _finish(self, command: SimpleCommand) -> None:
        """Settle what a command sees, and what later commands see because of it."""
        self.budget.commands -= 1
        own = command.env
        argv = command.argv
        if not argv:
            self._remember(own)
        elif argv[0] in _DECLARING:
            pairs = (word.partition("=") for word in argv[1:] if _ASSIGNMENT.match(word))
            self._remember({name: value for name, _, value in pairs})
        elif argv[0] in ("for", "select"):
            self._loop(argv)
        command.env = {**self.variables, **own}

    def _loop(self, argv: list[str]) -> None:
        """Begin a loop; its body is read once for each word, where all of them are known."""
        name, values = "".join(argv[1:2]), argv[3 : 3 + _MAX_TURNS] if argv[0] == "for" else []
        self.variables.pop(name, None)
        if any(_UNKNOWN.search(value) for value in values):
            values = []
        if values:
            self._remember({name: values[0]})
        self.loops.append((self.pos, name, values[1:]))

    def _turn(self) -> None:
        """At the end of a loop's body go back to its start if there is a further word."""
        start, name, values = self.loops.pop() if self.loops else (self.pos, "", [])
        if values:
            self.pos = start
            self._remember({name: values[0]})
            self.loops.append((start, name, values[1:]))

    def _remember(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            known = name in self.variables or len(self.variables) < _MAX_VARIABLES
            if known and len(value) <= _MAX_VALUE:
                self.variables[name] = value

    def _redirect(self, command: SimpleCommand, operator: str) -> None:
        self._blanks()
        start = self.pos
        if operator == "<" and self.text.startswith("<(", start):
            self.pos += 2
            command.piped, command.feed = True, self._nested(")")
            command.inner += command.feed
            return
        target = self._word(command) if _starts_word(self.text, start) else ""
        operator = operator.lstrip("0123456789")
        if operator in ("<<", "<<-"):
            raw = self.text[start : self.pos]
            expands = not any(quote in raw for quote in "'\"\\")
            self.documents.append(Document(command, target, operator == "<<-", expands))
        elif operator == "<<<":
            command.stdin = target + "\n"
        elif target and not target.startswith("/dev/") and not _DESCRIPTOR.fullmatch(operator + target):
            command.redirects.append((operator, target))

    def _here_documents(self) -> None:
        documents, self.documents = self.documents, []
        for document in documents:
            body = self._body(document)
            if document.expands and ("$" in body or "`" in body or "\\" in body):
                reader = _ShellReader(body, self.budget, self.variables, self.depth + 1)
                body = reader.until(_IN_BODY, "", document.command)
            document.command.stdin = body
            if document.command.argv[:1] == ["read"]:
                self._remember({document.command.argv[-1]: body.rstrip("\n")})

    def _body(self, document: Document) -> str:
        lines: list[str] = []
        while self.pos < len(self.text):
            end = self.text.find("\n", self.pos)
            end = len(self.text) if end < 0 else end
            line = self.text[self.pos : end]
            self.pos = end + 1
            line = line.lstrip("\t") if document.strip_tabs else line
            if line.rstrip("\r") == document.delimiter:
                break
            lines.append(line)
        self.pos = min(self.pos, len(self.text))
        return "\n".join([*lines, ""])

    def _word(self, command: SimpleCommand) -> str:
        """Read one word, its quotes removed and its variables replaced where they are known."""
        parts: list[str] = []
        text, start = self.text, self.pos
        while self.pos < len(text):
            char = text[self.pos]
            if char in _ENDS_WORD:
                break
            if found := _PLAIN.match(text, self.pos):
                self.pos = found.end()
                parts.append(found[0])
            elif char in "'\"\\$`":
                parts.append(self._quoted(char, command))
            elif char in "<>" and text.startswith("(", self.pos + 1):
                self.pos += 2
                offered = f"/dev/fd/{63 - len(command.offered)}"
                commands = self._nested(")")
                command.inner += commands
                if char == "<":
                    command.offered[offered] = commands
                parts.append(offered)
            elif char == "(" and _ASSIGNMENT.fullmatch(text, start, self.pos):
                self._array(command)
            elif char == "(" and parts and command.argv and (glob := _PATTERN.match(text, self.pos)):
                self.pos = glob.end()
                parts.append(glob[0])
            else:
                break
        self.pos = max(self.pos, start + 1)
        return "".join(parts)

    def _array(self, command: SimpleCommand) -> None:
        self.pos += 1
        if self.depth >= _MAX_DEPTH:
            return
        self.depth += 1
        while self.pos < len(self.text) and self.text[self.pos] != ")":
            if self.text[self.pos].isspace():
                self.pos += 1
            else:
                self._word(command)
        self.depth -= 1
        self.pos += 1

    def _quoted(self, char: str, command: SimpleCommand) -> str:
        """Read what a quote, a backslash, a dollar or a backtick begins, outside double quotes."""
        text, start = self.text, self.pos
        if char == "'":
            end = text.find("'", start + 1)
            end = len(text) if end < 0 else end
            self.pos = end + 1
            return text[start + 1 : end]
        if char == '"':
            self.pos += 1
            return self.until(_IN_QUOTES, '"', command)
        if char == "\\":
            self.pos += 2
            return text[start + 1 : start + 2].replace("\n", "")
        if text.startswith("$'", start):
            found = _ANSI_C.match(text, start)
            self.pos = found.end() if found else start + 2
            return unescaped(found[1]) if found else ""
        if text.startswith('$"', start):
            self.pos += 1
            return ""
        return self._expansion(command)

    def until(self, plain: Late, closer: str, command: SimpleCommand) -> str:
        """Read text where only backslash, dollar and backtick are special, up to and with the closer."""
        parts: list[str] = []
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if found := plain.match(self.text, self.pos):
                self.pos = found.end()
                parts.append(found[0])
            elif char == closer:
                self.pos += 1
                break
            elif char == "\\":
                escaped = self.text[self.pos + 1 : self.pos + 2]
                self.pos += 2
                special = escaped in '"\\$`' if closer else escaped in "\\$`"
                parts.append(escaped if special else "" if escaped == "\n" else "\\" + escaped)
            else:
                parts.append(self._expansion(command))
        return "".join(parts)

    def _expansion(self, command: SimpleCommand) -> str:
        """Read `$name`, `${name}`, `$(…)`, `$((…))` or backticks: the value if known, else as written."""
        text, start = self.text, self.pos
        if text.startswith("$((", start):
            end = text.find("))", start)
            self.pos = len(text) if end < 0 else end + 2
            return text[start : self.pos]
        if text.startswith("$(", start) or text[start] == "`":
            return self._substitution(command)
        if found := _NAME.match(text, start) or _BRACED.match(text, start):
            self.pos = found.end()
            default = found[2] if found.re is _BRACED else None
            return self._value(found[1], found[0] if default is None else default)
        end = text.find("}", start) if text.startswith("${", start) else -1
        self.pos = start + 1 if end < 0 else end + 1
        return text[start : self.pos]

    def _value(self, name: str, otherwise: str) -> str:
        value = self.variables.get(name, otherwise)
        if len(value) > self.budget.characters:
            return otherwise
        self.budget.characters -= len(value)
        return value

    def _substitution(self, command: SimpleCommand) -> str:
        text, start = self.text, self.pos
        if text[start] == "`":
            found = _BACKTICKS.match(text, start)
            self.pos = found.end() if found else start + 1
            inside = re.sub(r"\\([`$\\])", r"\1", found[1]) if found else ""
            reader = _ShellReader(inside, self.budget, dict(self.variables), self.depth + 1)
            commands = reader.script("") if self.depth < _MAX_DEPTH else []
        else:
            self.pos += 2
            commands = self._nested(")")
        command.inner += commands
        output = printed(commands)
        return text[start : self.pos] if output is None else output.rstrip("\n")


def _starts_word(text: str, pos: int) -> bool:
    return pos < len(text) and not text[pos].isspace() and text[pos] not in ";&|<>()"
