"""`agnes-stats completion`: what makes a shell complete commands, options and values."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .. import terminal
from ..settings import BadSetting, Settings
from .command import Command

HOW = {
    "bash": 'eval "$(agnes-stats completion bash)"            # in ~/.bashrc',
    "zsh": 'eval "$(agnes-stats completion zsh)"             # in ~/.zshrc, after compinit',
    "fish": "agnes-stats completion fish | source             # in ~/.config/fish/config.fish",
}
"""Shell -> the line that turns completion on, and where it goes."""


def run(given: argparse.Namespace, _: Settings) -> int:
    """`agnes-stats completion [SHELL]`."""
    from argcomplete.shell_integration import shellcode

    shell = given.shell or Path(os.environ.get("SHELL", "")).name
    if shell not in HOW:
        named = f"{shell!r} is no shell that can be completed" if shell else "which shell?"
        raise BadSetting(f"{named}; it can be one of {', '.join(HOW)}")
    script = shellcode(["agnes-stats"], shell=shell)
    terminal.lines([f"# {HOW[shell]}", *script.splitlines()])
    return 0


COMMAND = Command(
    heeds=(),
    run=run,
    options=(("shell", {"metavar": "SHELL", "nargs": "?", "help": f"{', '.join(HOW)} (default: yours)"}),),
    has_json=False,
    examples=("completion bash",),
)
