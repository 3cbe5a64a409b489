"""Patterns that are compiled when they are first used. Most texts need none, and to compile all takes 40 ms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator


class Late:
    """A regular expression. Its methods are those of `re.Pattern`."""

    match: Callable[..., re.Match[str] | None]
    fullmatch: Callable[..., re.Match[str] | None]
    search: Callable[..., re.Match[str] | None]
    finditer: Callable[..., Iterator[re.Match[str]]]
    sub: Callable[..., str]

    def __init__(self, source: str, flags: int = 0) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Callable[..., object]:
        # Only asked for what is not there yet.
        compiled = re.compile(self._source, self._flags)
        self.match, self.fullmatch = compiled.match, compiled.fullmatch
        self.search, self.finditer, self.sub = compiled.search, compiled.finditer, compiled.sub
        found: Callable[..., object] = self.__dict__[name]
        return found
