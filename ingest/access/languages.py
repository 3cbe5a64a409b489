"""The reader of each language that a script may be written in."""

from __future__ import annotations

from . import powershell, shell
from .commands import ScriptBudget, SimpleCommand
from .scripts import POWERSHELL


def commands_in(script: str, language: str, budget: ScriptBudget) -> list[SimpleCommand]:
    """Return the commands of a script in order; those inside substitutions hang on their command's `inner`.

    Never raises.
    """
    if language == POWERSHELL:
        return powershell.commands_in(script, budget)
    return shell.commands_in(script, budget)
