"""The configuration of the `agnes` command: which server, which workspace, until when its token is good."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...queries.paths import home_folder
from ...queries.regular import oddity
from .values import Problem, path_text, read_file, read_object, text_of, unix_time

DEFAULT_SERVER = "http://localhost:8000"
"""Where the `agnes` command looks when nobody told it a server."""

_ENTRY = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "e": "\x1b",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}
_OWNER_CHARS = 200
_BEARER = re.compile(r"[\x21-\x7e]+")


class Token:
    """A bearer token. It shows itself only to who asks for it: no log, error or traceback contains it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        """Raise ValueError for a text that cannot be sent in a header; the message does not contain it."""
        if not _BEARER.fullmatch(secret):
            raise ValueError("the token is empty or has characters that no token has")
        self._secret = secret

    def __repr__(self) -> str:
        return "Token(***)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not stored")

    def header(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._secret}"

    def expires_at(self) -> dt.datetime | None:
        """The `exp` claim in UTC, read without checking the signature; None if there is none to be read."""
        return unix_time(self._claims().get("exp"))

    def owner(self) -> str | None:
        """Whose token it says it is, read without checking the signature: an address, or the server's id of a user."""
        claims = self._claims()
        return text_of(claims.get("email"), _OWNER_CHARS) or text_of(claims.get("sub"), _OWNER_CHARS)

    def mark(self) -> str:
        """A name for a token that says nothing of its owner: the same for the same token, and no help to guess it."""
        return f"token {hashlib.sha256(self._secret.encode()).hexdigest()[:8]}"

    def removed_from(self, value: Any) -> Any:
        """A text, list or object of an answer without the token: a server may repeat what it was sent."""
        if isinstance(value, str):
            # What is this short is in many words, and no token.
            return value if len(self._secret) < 6 else value.replace(self._secret, "***")
        if isinstance(value, list):
            return [self.removed_from(item) for item in value]
        if isinstance(value, dict):
            return {self.removed_from(key): self.removed_from(item) for key, item in value.items()}
        return value

    def _claims(self) -> dict[str, Any]:
        parts = self._secret.split(".")
        if len(parts) != 3:
            return {}
        try:
            payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
            claims = json.loads(payload)
        except (binascii.Error, ValueError, RecursionError):
            return {}
        return claims if isinstance(claims, dict) else {}


@dataclass(frozen=True, slots=True)
class Config:
    """What `config.yaml` says, as far as it matters here; None where it says nothing."""

    server: str | None = None
    workspace_root: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the `agnes` command on this machine would talk to, and as whom."""

    server: str
    server_from: str
    """`AGNES_SERVER`, `config.yaml`, or `default` when nobody configured one."""
    token: Token | None = None
    token_expires_at: dt.datetime | None = None
    owner: str | None = None
    """Whose token it is: what the token says itself, else the `agnes` command's note of it."""
    ca_bundle: Path | None = None
    """Certificates of a company's own authority, where the installer left some."""
    problems: tuple[Problem, ...] = field(default=())


def config_folder(env: Mapping[str, str], home: Path) -> Path:
    """`AGNES_CONFIG_DIR`, else `~/.config/agnes`. It need not exist."""
    named = env.get("AGNES_CONFIG_DIR")
    return Path(named) if named else home / ".config" / "agnes"


def shared_folder() -> Path:
    """Where old versions of the `agnes` command kept the state of pulls of all workspaces."""
    return config_folder(os.environ, home_folder())


def read_account(env: Mapping[str, str], home: Path) -> Account:
    """Server and token as the `agnes` command resolves them.

    Server: `AGNES_SERVER`, then `server` in config.yaml, then `DEFAULT_SERVER`. Token: token.json, then
    `AGNES_TOKEN`; the other way round where `AGNES_SESSION_ID` is set, because a hosted chat gets a fresh
    token with each start and the file may hold the one of the start before.
    """
    return account_in(config_folder(env, home), env, home)


def account_in(folder: Path, env: Mapping[str, str], home: Path) -> Account:
    """The same, from the files in this folder."""
    config = read_config(folder)
    problems = list(config.problems)
    server, server_from = DEFAULT_SERVER, "default"
    if named := env.get("AGNES_SERVER") or config.server:
        server, server_from = named, "AGNES_SERVER" if env.get("AGNES_SERVER") else "config.yaml"
    token, noted = _resolve_token(env, folder / "token.json", problems)
    bundle = home / ".agnes" / "ca-bundle.pem"
    return Account(
        server=server.rstrip("/"),
        server_from=server_from,
        token=token,
        token_expires_at=token.expires_at() if token else None,
        owner=(token.owner() or noted) if token else None,
        ca_bundle=bundle if _is_file(bundle) else None,
        problems=tuple(problems),
    )


def _is_file(path: Path) -> bool:
    try:
        return oddity(path.stat()) is None
    except OSError:
        return False


def _resolve_token(env: Mapping[str, str], path: Path, problems: list[Problem]) -> tuple[Token | None, str | None]:
    """The token, and whose it is by the file that it is from."""
    given = env.get("AGNES_TOKEN")
    if env.get("AGNES_SESSION_ID") and given:
        return _token(given, "AGNES_TOKEN", problems), None
    file = read_object(path, problems) or {}
    stored = file.get("access_token")
    if isinstance(stored, str) and stored:
        return _token(stored, path_text(path), problems), text_of(file.get("email"), _OWNER_CHARS)
    return (_token(given, "AGNES_TOKEN", problems) if given else None), None


def _token(secret: str, where: str, problems: list[Problem]) -> Token | None:
    try:
        return Token(secret.strip())
    except ValueError as error:
        problems.append(Problem(where, str(error)))
        return None


def read_config(folder: Path) -> Config:
    """`server` and `workspace_root` of config.yaml.

    Only what the `agnes` command writes is understood: a flat mapping of scalars, plain or quoted, where a
    long value may go on in indented lines. Nested mappings are passed over. A wanted value in another form
    is a problem.
    """
    path = folder / "config.yaml"
    problems: list[Problem] = []
    data = read_file(path, problems)
    found: dict[str, str | None] = {}
    for number, key, raw in _entries(data.decode("utf-8", "replace")) if data else ():
        if key in ("server", "workspace_root"):
            try:
                found[key] = _scalar(raw)
            except ValueError as error:
                problems.append(Problem(path_text(path), f"{key}: {error}", line=number))
    return Config(found.get("server"), found.get("workspace_root"), tuple(problems))


def _entries(text: str) -> list[tuple[int, str, list[str]]]:
    """(line number, key, lines of the value) of every entry that starts in the first column."""
    entries: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith((" ", "\t")):
            if entries:
                entries[-1][2].append(line.strip())
        elif match := _ENTRY.fullmatch(line.rstrip()):
            entries.append((number, match[1], [(match[2] or "").strip()]))
    return entries


def _scalar(lines: list[str]) -> str | None:
    text = lines[0]
    for line in lines[1:]:
        # In a double-quoted value a backslash at the end of a line swallows the line break.
        folds = text.startswith('"') and (len(text) - len(text.rstrip("\\"))) % 2 == 1
        text = text[:-1] + line if folds else f"{text} {line}".strip()
    if match := re.fullmatch(r"'((?:[^']|'')*)'(?:\s+#.*)?", text):
        return match[1].replace("''", "'") or None
    if match := re.fullmatch(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?', text, re.DOTALL):
        return _ESCAPE.sub(_unescape, match[1]) or None
    if text.startswith(("'", '"', "|", ">", "[", "{", "&", "*", "!", "%", "@", "`")):
        raise ValueError("not a plain or quoted text")
    plain = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    return None if plain.lower() in ("", "~", "null") else plain


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(min(int(code[1:], 16), 0x10FFFF))
    return _ESCAPED.get(code, code)
