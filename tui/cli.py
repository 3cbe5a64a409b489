"""The command `agnes-stats`. Reads its arguments and hands over; imports the screen or the store only when needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from .. import __version__
from .settings import OPTIONS, BadSetting, Settings, settings_from

COMMANDS = {
    "ingest": "read all that is new, once, and say what was read",
    "sessions": "sessions, newest first",
    "tokens": "tokens and cost by day, model and session",
    "queries": "accesses to data, newest first",
    "sync": "sync actions, and when data was last pulled",
    "home": "the last 24 hours, or seven days, in one line",
    "doctor": "sources, store and health; exit status 1 if something is wrong",
    "forget": "remove sessions from the store for good, by session, project or age",
    "daily": "tokens and cost by day, in ccusage's words",
    "weekly": "the same by week; weeks begin on Monday",
    "monthly": "the same by month",
    "blocks": "the same by five-hour block, as Claude plans count them",
    "models": "the same by model",
    "sql": "your own SELECT on the store, read-only, at most 10,000 rows",
    "statusline": "one line about now, for Claude Code's status line",
}
_ONLY = {
    "ingest": (
        ("--rebuild", {"action": "store_true", "help": "read everything on disk again; changes no number"}),
        ("--with-forgotten", {"action": "store_true", "help": "with --rebuild: also what was forgotten on request"}),
    ),
    "sessions": (
        ("--limit", {"type": int, "default": 50, "metavar": "N", "help": "rows, 1 to 200 (50)"}),
        ("--offset", {"type": int, "default": 0, "metavar": "N", "help": "rows to skip (0)"}),
    ),
    "tokens": (("--days", {"type": int, "default": 30, "metavar": "N", "help": "days in `daily`, 1 to 365 (30)"}),),
    "queries": (
        ("--limit", {"type": int, "default": 50, "metavar": "N", "help": "rows, 1 to 200 (50)"}),
        ("--cursor-ts", {"metavar": "TIME", "help": "go on after this time …"}),
        ("--cursor-id", {"metavar": "ID", "help": "… and this id"}),
        ("--all", {"action": "store_true", "help": "file, web and catalogue accesses too, not only queries"}),
    ),
    "sync": (
        ("--limit", {"type": int, "default": 50, "metavar": "N", "help": "rows, 1 to 200 (50)"}),
        ("--cursor-ts", {"metavar": "TIME", "help": "go on after this time …"}),
        ("--cursor-id", {"metavar": "ID", "help": "… and this id"}),
    ),
    "blocks": (
        ("--active", {"action": "store_true", "help": "only the block that is running"}),
        ("--recent", {"action": "store_true", "help": "only the last three days"}),
    ),
    "sql": (
        (
            "query",
            {"metavar": "QUERY", "nargs": "?", "help": "the query, - for standard input; {{filters}} is replaced"},
        ),
        ("--saved", {"metavar": "NAME", "help": "the query of that name in the dashboard's console, or its example"}),
        ("--csv", {"action": "store_true", "help": "CSV instead of a table"}),
        ("--parquet", {"metavar": "FILE", "help": "write a Parquet file instead"}),
    ),
    "forget": (
        ("--session", {"metavar": "ID", "help": "this session"}),
        ("--before", {"metavar": "DAY", "help": "what is older than this day"}),
        ("--yes", {"action": "store_true", "help": "do not ask"}),
    ),
    "home": (("--window", {"default": "24h", "metavar": "W", "help": "24h or 7d (24h)"}),),
}


class _Parser(argparse.ArgumentParser):
    """One line for a mistake, not the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise BadSetting(message)


def parser(words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line; commands that are not among `words`, if given, have no options in it."""
    common = _Parser(add_help=False)
    for option in OPTIONS:
        if option.metavar is None:
            common.add_argument(f"--{option.name}", action="store_true", default=argparse.SUPPRESS, help=option.help)
        else:
            common.add_argument(
                f"--{option.name}",
                action="append" if option.many else "store",
                metavar=option.metavar,
                default=argparse.SUPPRESS,
                help=option.help,
            )
    whole = _Parser(
        prog="agnes-stats",
        parents=[common],
        description="A live dashboard for coding-agent sessions: tokens, cost, data access and sync.",
        epilog="Every option can also be a variable AGNES_STATS_… or a line in the config file.",
    )
    whole.add_argument("--version", action="version", version=f"agnes-stats {__version__}")
    whole.add_argument("--demo", action="store_true", help="the dashboard on generated sessions that keep growing")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, help_text in COMMANDS.items():
        is_wanted = words is None or name in words
        command = commands.add_parser(
            name, parents=[common] if is_wanted else [], help=help_text, description=help_text, add_help=is_wanted
        )
        if not is_wanted:
            continue
        command.add_argument("--json", action="store_true", help="JSON instead of a table")
        for flag, keywords in _ONLY.get(name, ()):
            command.add_argument(flag, **keywords)  # type: ignore[arg-type]
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status. 0 well, 1 a failure, 2 a mistake in the arguments."""
    # The store and its side files are nobody else's business.
    os.umask(0o077)
    try:
        words = sys.argv[1:] if arguments is None else arguments
        given = parser(words).parse_args(words)
        settings = settings_from(vars(given), os.environ)
        return _run(given, settings)
    except BadSetting as error:
        print(f"agnes-stats: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except BrokenPipeError:
        # The reader went away; nothing more to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(given: argparse.Namespace, settings: Settings) -> int:
    from ..queries.store import StoreError

    try:
        return _command(given)(given, settings)
    except StoreError as error:
        print(f"agnes-stats: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def _command(given: argparse.Namespace) -> Callable[[argparse.Namespace, Settings], int]:
    if given.command is not None:
        from .commands import COMMAND_FUNCTIONS

        return COMMAND_FUNCTIONS[given.command]
    if not sys.stdout.isatty():
        from .commands import overview

        return overview
    from .dashboard import dashboard

    return dashboard
