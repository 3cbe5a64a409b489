"""Command-line words split into options and operands, the way getopt does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which options of a program take values; names are written without their dashes.

    `values` maps an option to the number of words it takes; `attached` are letters whose value, if any, is
    the rest of their word (`-i.bak`); `single_dash` programs write long names with one dash (`-readonly`).
    """

    values: Mapping[str, int] = field(default_factory=dict)
    attached: frozenset[str] = frozenset()
    single_dash: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """The options in order (a flag has the value "") and the operands of one command."""

    options: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)

    def all(self, *names: str) -> list[str]:
        return [value for name, value in self.options if name in names]

    def last(self, *names: str) -> str | None:
        found = self.all(*names)
        return found[-1] if found else None


def words(text: str) -> frozenset[str]:
    """Return the set of blank-separated words."""
    return frozenset(text.split())


def pattern_of(names: Iterable[str]) -> str:
    """Return the pattern of any of some names that does not go on a word, or an option, before it.

    Most places of a script are passed over by their first character: it is looked at before what stands before it.
    """
    rests: dict[str, list[str]] = {}
    for name in sorted(set(names), key=len, reverse=True):
        rests.setdefault(name[0], []).append(re.escape(name[1:]))
    return "|".join(rf"{re.escape(first)}(?<![\w-].)(?:{'|'.join(rest)})" for first, rest in sorted(rests.items()))


def grammar(valued: str, *, attached: str = "", single_dash: bool = False) -> Grammar:
    """Return a grammar from the options that take a value, blank-separated; `name:2` takes two words."""
    values: dict[str, int] = {}
    for word in valued.split():
        name, _, count = word.partition(":")
        values[name] = int(count or 1)
    return Grammar(values, frozenset(attached), single_dash)


def split(words: Sequence[str], rules: Grammar) -> Split:
    """Return the options and operands of the words that follow a program's name."""
    options: list[tuple[str, str]] = []
    operands: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            operands.extend(words[index:])
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        found, wanted = _option(word, rules)
        taken = words[index : index + wanted]
        index += len(taken)
        if taken:
            found[-1] = (found[-1][0], taken[-1])
        options.extend(found)
    return Split(tuple(options), tuple(operands))


def _option(word: str, rules: Grammar) -> tuple[list[tuple[str, str]], int]:
    """Return the options written in one word, and how many further words the last of them takes."""
    if word.startswith("--") or rules.single_dash:
        name, equals, value = word.lstrip("-").partition("=")
        if equals:
            return [(name, value)], 0
        return [(name, "")], rules.values.get(name, 0)
    found: list[tuple[str, str]] = []
    letters = word[1:]
    for index, letter in enumerate(letters):
        rest = letters[index + 1 :]
        if letter in rules.attached:
            return [*found, (letter, rest)], 0
        wanted = rules.values.get(letter, 0)
        if wanted and rest:
            return [*found, (letter, rest)], wanted - 1
        found.append((letter, ""))
        if wanted:
            return found, wanted
    return found, 0
