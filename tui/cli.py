"""The command `agnes-stats`. Reads its arguments and hands over; imports the screen or the store only when needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..queries.paths import leave_deleted_folder
from . import ending, terminal
from .settings import OPTIONS, BadSetting, Settings, is_text, settings_from

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
_PLACES = ("store", "source", "tz")
"""Every command takes these, so that a script can give them to all; it lists those it heeds."""
_DAYS_AND_WHERE = ("since", "until", "project", "user")
_FILTERS = (*_DAYS_AND_WHERE, "model", "branch", "claude-version")
_READING = (*_PLACES, "no-ingest", "agnes-server")
_HEEDS = {
    "ingest": ("store", "source"),
    "sessions": (*_READING, *_FILTERS, "no-cost"),
    "tokens": (*_READING, *_FILTERS, "no-cost"),
    "queries": (*_READING, *_FILTERS),
    "sync": (*_READING, *_DAYS_AND_WHERE),
    "home": ("store", "source", "no-ingest", "agnes-server", "user", "no-cost"),
    "doctor": ("store", "source", "no-ingest", "agnes-server"),
    "forget": ("store", "tz", "project"),
    "daily": (*_READING, *_FILTERS, "no-cost"),
    "weekly": (*_READING, *_FILTERS, "no-cost"),
    "monthly": (*_READING, *_FILTERS, "budget", "no-cost"),
    "blocks": (*_READING, *_FILTERS, "no-cost"),
    "models": (*_READING, *_FILTERS, "no-cost"),
    "sql": (*_READING, *_FILTERS),
    "statusline": (*_PLACES, "no-ingest", "budget", "no-cost"),
}
"""The options that change what a command does. Before the command, and as a variable or a line, all may stand."""
_WITHOUT_JSON = ("statusline",)
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

    def _print_message(self, message: str, file: object = None) -> None:  # noqa: ARG002
        # argparse would pass over it where help cannot be written.
        terminal.lines(message.splitlines())


class _Unheeded(argparse.Action):
    """An option that changes nothing: scripts may give it, but nobody shall believe that it did something."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002
        values: object,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        command = parser.prog.rpartition(" ")[2]
        terminal.error(f"{option_string} changes nothing for {command}")


def _add_options(command: argparse.ArgumentParser, heeded: Collection[str]) -> None:
    """Give a parser the options that it heeds. It takes the others, too, without listing them."""
    for option in OPTIONS:
        flag, heeds = f"--{option.name}", option.name in heeded
        # For argparse a % in a help text is the beginning of the name of a value.
        told = option.help.replace("%", "%%") if heeds else argparse.SUPPRESS
        if not heeds and option.name not in _PLACES:
            command.add_argument(flag, action=_Unheeded, nargs=None if option.metavar else 0, help=told)
        elif option.metavar is None:
            command.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=told)
        else:
            command.add_argument(
                flag,
                action="append" if option.many else "store",
                metavar=option.metavar,
                default=argparse.SUPPRESS,
                help=told,
            )


def parser(words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line; commands that are not among `words`, if given, have no options in it."""
    whole = _Parser(
        prog="agnes-stats",
        description="A live dashboard for coding-agent sessions: tokens, cost, data access and sync.",
        epilog="Every option can also be a variable AGNES_STATS_… or a line in the config file.",
    )
    _add_options(whole, [option.name for option in OPTIONS])
    whole.add_argument("--version", action="version", version=f"agnes-stats {__version__}")
    whole.add_argument("--demo", action="store_true", help="the dashboard on generated sessions that keep growing")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, help_text in COMMANDS.items():
        is_wanted = words is None or name in words
        command = commands.add_parser(name, help=help_text, description=help_text, add_help=is_wanted)
        if not is_wanted:
            continue
        _add_options(command, _HEEDS[name])
        if name in _WITHOUT_JSON:
            command.add_argument("--json", action=_Unheeded, nargs=0, help=argparse.SUPPRESS)
        else:
            command.add_argument("--json", action="store_true", help="JSON instead of a table")
        for flag, keywords in _ONLY.get(name, ()):
            command.add_argument(flag, **keywords)  # type: ignore[arg-type]
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status. 0 well, 1 a failure, 2 a mistake in the arguments."""
    # The store and its side files are nobody else's business.
    os.umask(0o077)
    if arguments is None:
        terminal.prepare()
        ending.heed_signals()
    terminal.take_failures()
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        terminal.finish()
    except terminal.OutputLost as lost:
        terminal.abandon()
        if lost.reason is None:
            return 0
        terminal.error(f"the answer cannot be written: {lost.reason}")
        return 1
    return status or (1 if terminal.take_failures() else 0)


def _run(words: Sequence[str]) -> int:
    from ..queries.faults import StoreError

    try:
        given = parser(words).parse_args(words)
        _check_texts(vars(given))
        settings = settings_from(vars(given), os.environ)
        leave_deleted_folder()
        return _command(given)(given, settings)
    except BadSetting as error:
        terminal.error(error)
        return 2
    except StoreError as error:
        terminal.error(error)
        return 1
    except KeyboardInterrupt:
        return ending.interrupted_status()
    except SystemExit as end:
        # Help, or the version.
        return end.code if isinstance(end.code, int) else 0
    except terminal.OutputLost:
        raise
    except OSError as error:
        terminal.error(error)
        return 1
    except Exception as error:  # noqa: BLE001
        # A mistake of ours: it is told, and what of the data is in it reaches the terminal harmless.
        terminal.fault(error)
        return 1


def _check_texts(given: Mapping[str, Any]) -> None:
    """Raise BadSetting for what the system gave us in another encoding."""
    for name, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_text(text):
                raise BadSetting(f"--{name.replace('_', '-')}: {text!r} is no text in UTF-8")


def _command(given: argparse.Namespace) -> Callable[[argparse.Namespace, Settings], int]:
    if given.command is not None:
        from .commands import COMMAND_FUNCTIONS

        return COMMAND_FUNCTIONS[given.command]
    if not terminal.can_show_screen():
        from .commands import overview

        return overview
    from .dashboard import dashboard

    return dashboard
