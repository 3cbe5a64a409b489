"""Which shell a script is written for."""

from __future__ import annotations

SH, POWERSHELL = "sh", "powershell"

SHELLS = {
    **dict.fromkeys(("bash", "shell", "exec_command", "run_shell_command", "local_shell", "monitor"), SH),
    **dict.fromkeys(("powershell", "pwsh"), POWERSHELL),
}
"""Tools that run a script, in small letters -> what it is written in."""
