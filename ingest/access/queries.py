"""Accesses that run SQL: from its text to the access, and where a client gets that text from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..late import Late
from ..text import kept
from .commands import SimpleCommand, printed
from .model import ADHOC, TEXT_LIMIT, Access, table_access, table_resource
from .sql import analyse

_UNKNOWN_TEXT = Late(r"\s*(?:\$[({]?\w*|`)")
_SEND = Late(r"\\(?:G|g\w*|watch\b.*|crosstabview\b.*)\s*$", re.MULTILINE)
_COPY = Late(
    r"^[ \t]*\\copy\b(?P<what>[ \t]*(?:\(.*\)|[\w.\"]+[ \t]*(?:\([^()]*\))?)[ \t]*(?:from|to)[ \t]+)?"
    r"(?P<file>(?<=[ \t])(?!program\b|p?std(?:in|out)\b)[^\s'();]+)?",
    re.MULTILINE | re.IGNORECASE,
)
_LISTING = Late(r"\\(?:l|d[a-zA-Z]*[+S]*|z)\+?(?:\s|;|$)|\.(?:tables|databases|indexes|indices)\b")
_SCHEMA = Late(r"\\d[+S]*\s+([^\s;*]+)|\.(?:schema|columns|fullschema)(?:[ \t]+([^\s;-][^\s;]*))?")
_TABLE_OF = Late(r"\.(?:dump|import\s+\S+)\s+([^\s;-]+)")
_FROM_FILE = Late(r"(?:\\i|\\ir|\.read|source)\s+\S|\\\.\s+\S")
_DUMP = Late(r"\.dump\b")


class Stdin:
    """The input of a command: whether it has one, and its text where the script tells it."""

    def __init__(self, command: SimpleCommand, files: Mapping[str, str], outer: Stdin | None = None) -> None:
        """`files` are those whose text the script has told before; `outer` is what the whole script reads."""
        self._command = command
        self._files = files
        self._outer: Stdin | None = None
        self.given = command.piped or command.stdin is not None or any(op == "<" for op, _ in command.redirects)
        self.taken = False
        if not self.given and outer is not None and outer.given:
            self.given, self._outer = True, outer

    def take(self) -> str | None:
        """Return the text a command reads from its input, or None when only running the script could tell."""
        self.taken = True
        if self._outer is not None:
            return self._outer.take()
        if self._command.stdin is not None:
            return self._command.stdin
        if self._command.piped:
            return printed(self._command.feed)
        named = [target for operator, target in self._command.redirects if operator == "<"]
        return self.file(named[-1]) if named else None

    def file(self, name: str) -> str | None:
        """Return the text of a file the command reads, where the script tells it."""
        offered = self._command.offered.get(name)
        return self._files.get(name) if offered is None else printed(offered)


def query_access(action: str, sql: str | None, dialect: str | None) -> Access:
    """Return the access of one piece of SQL; None, or text only known at run time, gives one without SQL."""
    if sql is None or not sql.strip() or (_UNKNOWN_TEXT.match(sql) and " " not in sql.strip()[:200]):
        return Access(action, ADHOC, dialect=dialect)
    if _UNKNOWN_TEXT.match(sql) and sql.lstrip().startswith(("$(", "`")):
        return Access(action, ADHOC, dialect=dialect)
    text = sql.strip()
    found = analyse(text, dialect)
    return Access(
        action,
        table_resource(found.named),
        sql=kept(text, TEXT_LIMIT),
        tables_read=found.read,
        tables_written=found.written,
        statement=found.kind,
        dialect=dialect,
    )


def client_accesses(action: str, texts: Iterable[str | None], dialect: str | None) -> list[Access]:
    """Return the access of what a database shell is told in one call: SQL, and the shell's own commands.

    A text of None stands for SQL that is read from elsewhere. The shell's own commands (`\\d t`, `.tables`)
    count where no SQL comes with them; those that touch no data give nothing.
    """
    given = list(texts)
    known = [text for text in given if text is not None]
    statements: list[str] = []
    own: list[str] = []
    for text in known:
        sql, commands = _apart(text, dialect)
        own += commands
        if sql.strip():
            statements.append(sql.strip().rstrip(";"))
    if statements:
        return [query_access(action, ";\n".join(statements), dialect)]
    if len(known) < len(given):
        return [query_access(action, None, dialect)]
    return next((found for line in own if (found := _own_command(line, action, dialect))), [])


def _as_copy(found: re.Match[str]) -> str:
    """Return psql's `\\copy`, which knows file names without quotes, as the statement of the server."""
    named = found["file"] or ""
    return "copy" + (f"{found['what']}'{named}'" if found["what"] and named else (found["what"] or "") + named)


def _apart(text: str, dialect: str | None) -> tuple[str, list[str]]:
    """Return the SQL of a text and the database shell's own commands in it."""
    if dialect in ("postgres", "mysql"):
        text = _COPY.sub(_as_copy, _SEND.sub(";", text))
    mark = "\\" if dialect == "postgres" else "." if dialect in ("sqlite", "duckdb") else None
    lines = text.split("\n")
    own = [line.strip() for line in lines if mark and line.lstrip().startswith(mark)]
    sql = "\n".join(line for line in lines if not (mark and line.lstrip().startswith(mark)))
    if dialect == "mysql" and _FROM_FILE.match(sql.strip()):
        return "", [sql.strip()]
    return sql, own


def _own_command(line: str, action: str, dialect: str | None) -> list[Access]:
    """Return the access of one command of a database shell, none when it touches no data."""
    if _FROM_FILE.match(line):
        return [query_access(action, None, dialect)]
    if schema := _SCHEMA.match(line):
        name = schema[1] or schema[2]
        return [table_access("catalog.schema", [name.strip("\"'")] if name else [], dialect)]
    if table := _TABLE_OF.match(line):
        names = (table[1].strip("\"'"),)
        written = line.startswith(".import")
        return [
            Access(
                action,
                table_resource(names),
                tables_read=() if written else names,
                tables_written=names if written else (),
                dialect=dialect,
            )
        ]
    if _DUMP.match(line):
        return [query_access(action, None, dialect)]
    return [Access("catalog.list", ADHOC, dialect=dialect)] if _LISTING.match(line) else []
