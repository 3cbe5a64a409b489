"""`agnes-stats mcp`: answers for coding agents, in the Model Context Protocol."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from .. import terminal
from ..settings import OPTIONS, SHOWS, BadSetting, Settings
from .command import Command, options_in


def run(given: argparse.Namespace, _: Settings) -> int:
    """`agnes-stats mcp`."""
    try:
        from ..mcp_tools import serve
    except ImportError:
        raise BadSetting("mcp needs the protocol's library; install agnes-stats[mcp]") from None
    fixed = options_in(given)
    serve(lambda words: answer_of([words[0], *_heeded(words[0], fixed), *words[1:]]), list(fixed))
    return 0


def _heeded(command: str, options: dict[str, list[str]]) -> list[str]:
    from . import command_of

    heeds = command_of(command).heeds
    return [word for name, words in options.items() if name in heeds for word in words]


def answer_of(words: Sequence[str]) -> Any:
    """What a command answers with `--json`. Raises BadSetting, StoreError and OSError."""
    import os

    from ..cli import parser
    from ..settings import settings_from
    from . import command_of

    given = parser(words).parse_args(words)
    with terminal.taking_answers() as answers:
        command_of(given.command).run(given, settings_from(vars(given), os.environ))
    return answers[-1]


COMMAND = Command(
    heeds=tuple(option.name for option in OPTIONS if option.group != SHOWS or option.name == "no-cost"),
    run=run,
    has_json=False,
    examples=("mcp", "mcp --project shop"),
)
