"""Which sync actions a tool call is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from .. import access
from ..access.scripts import SH
from .actions import MANIFEST_FETCH, SESSION_UPLOAD, SYNC_UPDATE

if TYPE_CHECKING:
    from ..access.commands import ScriptBudget
    from ..access.wrappers import Call

_ACTION_OF_VERB = {
    "pull": MANIFEST_FETCH,
    "push": SESSION_UPLOAD,
    "update": SYNC_UPDATE,
    # Makes a workspace and pulls for the first time; in one that exists it is an update.
    "init": MANIFEST_FETCH,
    "onboard": SYNC_UPDATE,
}

_NO_EFFECT = frozenset({"--help", "-h", "--dry-run"})
"""With one of these the command transfers nothing."""

_DEEPEST = 3
"""Scripts within scripts that are followed."""

_MOST = 50
"""Actions of one call."""


def sync_actions_in(tool: str, given: Mapping[str, object], server: str | None = None) -> list[tuple[str, str]]:
    """The sync actions of a tool call, in order, each with the script, or the tool, that performs it.

    Of a tool of an MCP server `tool` is the name that the server has for it, and `server` the server's.
    """
    if server is not None:
        is_pull = tool.lower() == "pull" and "agnes" in server.lower()
        return [(MANIFEST_FETCH, f"{server} {tool}")] if is_pull else []
    found = access.script_of(tool, given)
    if found is None or not _may_act(found[0]):
        return []
    return [(action, found[0]) for action in sync_actions_of(*found)]


def sync_action_id(call: str, number: int) -> str:
    """The key of one of the sync actions of a call, counted from 0."""
    return f"call:{call}:{number}" if number else f"call:{call}"


def sync_actions_of(command: str, language: str = SH) -> list[str]:
    """The sync actions that running `command` in a shell performs, in order.

    `agnes pull` fetches the manifest, `agnes push` uploads sessions, `agnes update` does both; `agnes init` pulls into
    a new workspace, `agnes onboard` brings any up to date. The words in a string, a comment or a here-document are not
    commands. With `--help` or `--dry-run` nothing is transferred, and what runs on another machine brings no workspace
    here in step.
    """
    if not _may_act(command):
        return []
    from ..access.commands import ScriptBudget

    return list(islice(_sync_actions(command, language, ScriptBudget(), 0), _MOST))


def _may_act(script: str) -> bool:
    return "agnes" in script.lower()


def _sync_actions(script: str, language: str, budget: ScriptBudget, depth: int) -> Iterator[str]:
    if depth > _DEEPEST or not _may_act(script):
        return
    from ..access.commands import walk
    from ..access.languages import commands_in
    from ..access.wrappers import unwrap

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
