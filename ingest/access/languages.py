"""Which shell a script is written for, and the reader of each."""

from __future__ import annotations

from . import powershell, shell
from .commands import ScriptBudget, SimpleCommand

SH, POWERSHELL = "sh", "powershell"

SHELLS = {
    **dict.fromkeys(("bash", "shell", "exec_command", "run_shell_command", "local_shell", "monitor"), SH),
    **dict.fromkeys(("powershell", "pwsh"), POWERSHELL),
}
"""Tools that run a script, in small letters -> what it is written in."""


def commands_in(script: str, language: str, budget: ScriptBudget) -> list[SimpleCommand]:
    """Return the commands of a script in order; those inside substitutions hang on their command's `inner`.

    Never raises.
    """
    if language == POWERSHELL:
        return powershell.commands_in(script, budget)
    return shell.commands_in(script, budget)
