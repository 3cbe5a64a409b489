"""The pages of `--help`: what the command is for, examples, and its options under headings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from .settings import BadSetting
from .suggesting import did_you_mean

Lines = Sequence[tuple[str, str]]
"""Names, and what each is, in one line."""

_INDENT = "  "

# For each heading of each command the library would look on the disk for a catalogue in the user's language, 840 times
# at a start; there is none.
argparse._ = str  # type: ignore[attr-defined]


class Parser(argparse.ArgumentParser):
    """A parser whose help reads like a manual, and which tells a mistake in one line with what was perhaps meant."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.sections: dict[str, Lines] = {}
        """What the help lists before the options: heading -> names and what each is."""
        self.examples: tuple[str, ...] = ()
        """Command lines, without the program's name."""
        self.closing: tuple[str, ...] = ()
        """Sentences at the end of the help."""
        self._positionals.title = "What it takes"
        self._optionals.title = "And"

    def error(self, message: str) -> NoReturn:
        """One line for a mistake, not the whole usage."""
        raise BadSetting(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in the library, but that a word that is unknown is told with the known one that is near."""
        given, unknown = self.parse_known_args(args, namespace)
        if unknown:
            flag = unknown[0].partition("=")[0]
            near = did_you_mean(flag, self._flags(given)) if flag.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        return given

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in the library, but that a value may begin with a dash, as names of projects made of folders do."""
        return super().parse_known_args(self._joined(sys.argv[1:] if args is None else args), namespace)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """The words, an option that takes a value joined with it where it looks like a short option that nobody has."""
        joined: list[str] = []
        for number, word in enumerate(words):
            if word == "--":
                return [*joined, *words[number:]]
            option = self._option_string_actions.get(joined[-1]) if joined else None
            takes_it = option is not None and option.nargs is None and joined[-1].startswith("--")
            if takes_it and word[:1] == "-" and word[1:2] not in ("", "-") and word not in self._option_string_actions:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def page_of(self, command: str | None) -> str:
        """The help of a command, or of the whole. Raises KeyError if there is no such command."""
        return (self if command is None else self._commands()[command]).format_help()

    def _flags(self, given: argparse.Namespace) -> Iterable[str]:
        parser = self._commands().get(getattr(given, "command", None) or "", self)
        return [
            flag for action in parser._actions if action.help != argparse.SUPPRESS for flag in action.option_strings
        ]

    def _commands(self) -> Mapping[str, argparse.ArgumentParser]:
        return next((a.choices for a in self._actions if isinstance(a, argparse._SubParsersAction)), {})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            near = did_you_mean(str(value), action.choices)
            self.error(f"there is no command {str(value)!r}{near or '; agnes-stats --help lists them'}")
        super()._check_value(action, value)

    def format_usage(self) -> str:
        """How it is called, in one line for each way."""
        return self.usage or super().format_usage()

    def format_help(self) -> str:
        """The whole page, as wide as the terminal."""
        page = self._get_formatter()
        page.add_text(self.description)
        page.add_usage(self.usage, self._actions, self._mutually_exclusive_groups, prefix="Usage: ")
        text = page.format_help()
        for heading, lines in self.sections.items():
            text += _listed(heading, lines, self._width())
        if self.examples:
            text += "\n".join(["\nExamples:", *(f"{_INDENT}agnes-stats {line}".rstrip() for line in self.examples), ""])
        options = self._get_formatter()
        for group in [*self._action_groups[2:], *self._action_groups[:2]]:
            if not any(isinstance(action, argparse._SubParsersAction) for action in group._group_actions):
                options.start_section(group.title)
                options.add_arguments(group._group_actions)
                options.end_section()
        text += "\n" + options.format_help()
        if self.closing:
            closing = self._get_formatter()
            for sentence in self.closing:
                closing.add_text(sentence)
            text += "\n" + closing.format_help()
        return text

    def _width(self) -> int:
        return self._get_formatter()._width


def _listed(heading: str, lines: Lines, width: int) -> str:
    import textwrap

    column = max(len(name) for name, _ in lines) + 2 * len(_INDENT)
    text = f"\n{heading}:\n"
    for name, about in lines:
        first, *rest = textwrap.wrap(about, max(width - column, 20)) or [""]
        text += f"{_INDENT}{name.ljust(column - len(_INDENT))}{first}\n"
        text += "".join(f"{' ' * column}{line}\n" for line in rest)
    return text
