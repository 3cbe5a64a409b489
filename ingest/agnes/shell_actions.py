"""Which sync action a shell command is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..access.commands import ScriptBudget, walk
from ..access.languages import SH, commands_in
from ..access.tools import script_of
from ..access.wrappers import Call, unwrap
from .actions import MANIFEST_FETCH, SESSION_UPLOAD, SYNC_UPDATE

_ACTION_OF_VERB = {"pull": MANIFEST_FETCH, "push": SESSION_UPLOAD, "update": SYNC_UPDATE}

_NO_EFFECT = frozenset({"--help", "-h", "--dry-run"})
"""With one of these the command transfers nothing."""

_DEEPEST = 3
"""Scripts within scripts that are followed."""


def sync_action_in(tool: str, given: Mapping[str, object]) -> tuple[str, str] | None:
    """The first sync action of a tool call, with the script that performs it; None if it performs none."""
    found = script_of(tool, given)
    if found is None or "agnes" not in found[0].lower():
        return None
    action = sync_action_of(*found)
    return None if action is None else (action, found[0])


def sync_action_of(command: str, language: str = SH) -> str | None:
    """The first sync action that running `command` in a shell performs; None if it performs none.

    `agnes pull` fetches the manifest, `agnes push` uploads sessions, `agnes update` does both. The words in a
    string, a comment or a here-document are not commands. With `--help` or `--dry-run` nothing is transferred,
    and what runs on another machine brings no workspace here in step.
    """
    return next(_sync_actions(command, language, ScriptBudget(), 0), None)


def _sync_actions(script: str, language: str, budget: ScriptBudget, depth: int) -> Iterator[str]:
    if "agnes" not in script.lower() or depth > _DEEPEST:
        return
    for command in walk(commands_in(script, language, budget)):
        call = unwrap(command.argv, command.env)
        if call is None or call.remote:
            continue
        if call.script is not None:
            yield from _sync_actions(call.script, call.language, budget, depth + 1)
        elif action := _action(call):
            yield action


def _action(call: Call) -> str | None:
    arguments = call.argv[1:]
    if call.program != "agnes" or not arguments or not _NO_EFFECT.isdisjoint(arguments):
        return None
    return _ACTION_OF_VERB.get(arguments[0])
