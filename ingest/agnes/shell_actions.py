"""Which sync action a shell command is."""

from __future__ import annotations

from collections.abc import Iterator

from ..access.commands import Budget, walk
from ..access.shell import commands_in
from ..access.wrappers import Call, unwrap
from .actions import MANIFEST_FETCH, SESSION_UPLOAD, SYNC_UPDATE

_ACTION_OF_VERB = {"pull": MANIFEST_FETCH, "push": SESSION_UPLOAD, "update": SYNC_UPDATE}

_NO_EFFECT = frozenset({"--help", "-h", "--dry-run"})
"""With one of these the command transfers nothing."""

_DEEPEST = 3
"""Scripts within scripts that are followed."""


def sync_action_of(command: str) -> str | None:
    """The first sync action that running `command` in a shell performs; None if it performs none.

    `agnes pull` fetches the manifest, `agnes push` uploads sessions, `agnes update` does both. The words in a
    string, a comment or a here-document are not commands. With `--help` or `--dry-run` nothing is transferred,
    and what runs on another machine brings no workspace here in step.
    """
    return next(_sync_actions(command, Budget(), 0), None)


def _sync_actions(script: str, budget: Budget, depth: int) -> Iterator[str]:
    if "agnes" not in script or depth > _DEEPEST:
        return
    for command in walk(commands_in(script, budget)):
        call = unwrap(command.argv, command.env)
        if call is None or call.remote:
            continue
        if call.script is not None:
            yield from _sync_actions(call.script, budget, depth + 1)
        elif action := _action(call):
            yield action


def _action(call: Call) -> str | None:
    arguments = call.argv[1:]
    if call.program != "agnes" or not arguments or not _NO_EFFECT.isdisjoint(arguments):
        return None
    return _ACTION_OF_VERB.get(arguments[0])
