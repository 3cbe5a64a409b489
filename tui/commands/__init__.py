"""The commands, in the order of the help. A new one is a file beside these with a `COMMAND` in it, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..tabs import TABS

if TYPE_CHECKING:
    from .command import Command

GROUPS = {
    "What happened": {
        "sessions": "sessions, newest first",
        "activity": "prompts of all sessions, newest first, and what was done for each",
        "context": "how the context of a session grew, and of what",
        "tokens": "tokens and cost by day, model and session",
        "breakdown": "tokens, cost and times by agent, project, model, mode, thinking level, tool and provider",
        "delegations": "work handed to sub-agents and other AIs, newest first: status, time, tokens, cost",
        "agents": "types of agents with their models, ranked: events, success, times, tokens, cost",
        "tasks": "the to-do lists of sessions, task by task, with their history",
        "metrics": "how long calls ran, calls by hour and day, errors, what tools cost",
        "queries": "accesses to data, newest first",
        "search": "where some words are: titles, prompts, commands, paths, SQL, errors",
        "sync": "sync actions, and when data was last pulled",
        "operator": "what the people of a server's folder, or of a team, did in the last 30 days",
        "home": "the last 24 hours, or seven days, in one line",
        "status": "what runs, what today took, what is left; exit status 0, 10 or 20: fine, 80 % used, all used",
        "limits": "how much of the plans' limits is used, and when they are reset",
        "statusline": "one line about now, for Claude Code's status line",
    },
    "In ccusage's words": {
        "daily": "tokens and cost by day, in ccusage's words",
        "weekly": "the same by week; weeks begin on Monday",
        "monthly": "the same by month",
        "blocks": "the same by five-hour block, as Claude plans count them",
        "models": "the same by model",
    },
    "Your own questions": {
        "sql": "your own SELECT on the store, read-only, at most 10,000 rows",
        "panels": "the queries that you made panels of the Tokens tab, each asked now",
    },
    "The store": {
        "ingest": "read all that is new, once, and say what was read",
        "merge": "take over the store of another machine of yours; what both have counts once",
        "doctor": "sources, store and health; exit status 1 if something is wrong",
        "forget": "remove sessions from the store for good, by session, project or age",
    },
    "A team": {
        "push": "tell a team's inbox what this machine did, as much of it as you say; nothing is sent otherwise",
        "team": "make a team's inbox, drain it into a store that everyone reads, say who pushes what",
    },
    "This program": {
        "serve": "the dashboard in a browser, for this machine alone unless told otherwise",
        "mcp": "answers for coding agents, in the Model Context Protocol, read-only",
        "help": "what a command or a topic is about",
        "config": "the settings that count now, and where each comes from; --write makes a file to edit",
        "completion": "what makes your shell complete commands, options and values",
    },
}
"""Heading of the help -> name -> what it does, in one line."""

GROUPS["What happened"] |= {tab.command: tab.about for tab in TABS if tab.about}

COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}

EXAMPLES = (
    "",
    "--demo",
    "tokens --since 2026-01-01 --project shop",
    "daily --json",
    "sql 'SUMMARIZE responses'",
)
"""Of the whole command: command lines without the program's name. Each works."""

TOPICS = {
    "options": "where a setting may stand, and which of several counts",
    "filters": "days, projects, models: what counts, on the screen and in every command",
    "keys": "the keys of the dashboard",
    "sources": "which agents are read, and where their files are looked for",
    "numbers": "what the marks beside numbers mean",
    "sql": "your own questions: tables, filters, limits",
    "files": "what is stored, where, and who may read it",
    "exit": "exit statuses, for scripts",
}
"""What `agnes-stats help` tells of besides the commands."""

_ELSEWHERE = {"daily": "periods:COMMAND", "weekly": "periods:COMMAND", "monthly": "periods:MONTHLY"}
"""Commands that share a file: its name, and that of the object in it."""


def command_of(name: str) -> Command:
    """The command of that name. Its file is imported when it is wanted: a run needs one of them. Raises KeyError."""
    if name not in COMMANDS:
        raise KeyError(name)
    for tab in TABS:
        if tab.about and tab.command == name:
            own: Command = tab.own_command()
            return own
    module, _, thing = _ELSEWHERE.get(name, f"{name}:COMMAND").partition(":")
    command: Command = getattr(import_module(f".{module}", __package__), thing)
    return command
