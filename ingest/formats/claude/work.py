"""What a tool call left behind, as its result tells: lines added and removed, commits, pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ...jsonl import inner_of, value_in
from ..events import NoticeKind
from ..work import COMMITTED
from .results import RawResult
from .rows import Beside

_COMMITTED = re.compile(rb'\[(?:(?<=\\n\[)|(?<=^"\[)|(?<="text":"\[))' + COMMITTED.encode())
"""The same in a result that is still JSON."""

_BRACKET = ord("[")
_BEGINNINGS = (b"\\n[", b'"text":"[')
"""How lines begin that may be git's, beside the first one of a content that is nothing but text."""
_LOOKED_AT = 64 * 1024
"""Bytes of a result in which git's words are looked for: they come before the list of files."""


Left = tuple[NoticeKind, str | None, int | None]
"""Something that a call left behind: its kind, words and amount."""


class _Hunk(msgspec.Struct):
    lines: list[Any] = []


class _Commit(msgspec.Struct):
    sha: Any = None


class _PullRequest(msgspec.Struct):
    url: Any = None


class _GitOperation(msgspec.Struct):
    commit: _Commit | None = None
    pr: _PullRequest | None = None


_HUNKS = msgspec.json.Decoder(list[_Hunk] | None)
_OPERATION = msgspec.json.Decoder(_GitOperation | None)


def work_in(raw: RawResult) -> list[Left]:
    """What a result that is no error tells."""
    content, beside = raw.content, raw.beside
    left = [*_lines(beside)] if beside.structuredPatch else []
    commits: list[str] = []
    if beside.gitOperation:
        told = inner_of(_OPERATION.decode, _GitOperation | None, beside.gitOperation)
        if told is not None and told.commit is not None and isinstance(told.commit.sha, str):
            commits.append(told.commit.sha)
        if told is not None and told.pr is not None and isinstance(told.pr.url, str):
            left.append((NoticeKind.PULL_REQUEST, told.pr.url, None))
    # A line that begins so is rare, and quickly looked for; quickest of all a single byte.
    if not commits and content.find(_BRACKET, 0, _LOOKED_AT) >= 0:
        head = content[:_LOOKED_AT]
        if head[:2] == b'"[' or any(start in head for start in _BEGINNINGS):
            commits = [found.decode() for found in dict.fromkeys(_COMMITTED.findall(head))]
    return left + [(NoticeKind.COMMIT, sha, None) for sha in commits]


def _lines(beside: Beside) -> Iterator[Left]:
    hunks = inner_of(_HUNKS.decode, list[_Hunk] | None, beside.structuredPatch)
    lines = [line for hunk in hunks or () for line in hunk.lines if isinstance(line, str)]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    if not lines and beside.type == "create" and isinstance(content := value_in(beside.content), str):
        # A new file is told whole, without a patch.
        added = len(content.splitlines())
    if added:
        yield NoticeKind.LINES_ADDED, None, added
    if removed:
        yield NoticeKind.LINES_REMOVED, None, removed
