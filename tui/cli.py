"""The command `agnes-stats`. Reads its arguments and hands over; imports the screen or the store only when needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .. import __version__
from ..queries import kept
from ..queries.paths import leave_deleted_folder
from . import ending, first_screen, terminal, user_names
from .commands import COMMANDS, EXAMPLES, GROUPS, TOPICS, command_of
from .commands.command import PLACES
from .factories import misnamed, need_store, only_read
from .helping import Parser
from .settings import OPTION_GROUPS, OPTIONS, BadSetting, Option, Settings, is_text, parsed, settings_from

COMPLETES = "_ARGCOMPLETE"
"""The variable that is set where a shell asks what may come next."""


class _Parser(Parser):
    """What is written about a command line goes where everything does that is told."""

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
        _tell_unheeded(option_string, command)


def _tell_unheeded(flag: str | None, command: str) -> None:
    terminal.error(f"{flag} changes nothing for {command}")


def _without_unheeded(given: argparse.Namespace) -> dict[str, Any]:
    """What was given, without options before a command that change nothing for it: that is told. Raises BadSetting."""
    values = vars(given)
    if given.command is None:
        return values
    wanted = command_of(given.command)
    own = [flag for flag, _ in wanted.options]
    for option in OPTIONS:
        if option.name in (*wanted.heeds, *PLACES) or f"--{option.name}" in own or option.key not in values:
            continue
        # A value that does not exist is a mistake in any place.
        parsed(option, values[option.key], f"--{option.name}")
        _tell_unheeded(f"--{option.name}", given.command)
        values = {name: value for name, value in values.items() if name != option.key}
    return values


def _add_options(command: argparse.ArgumentParser, heeded: Collection[str], own: Collection[str] = ()) -> None:
    """Give a parser the options that it heeds, under their headings. It takes the others, too, without listing them.

    Not those of whose names it has `own` ones, flags that mean something else.
    """
    groups = {name: command.add_argument_group(name) for name in OPTION_GROUPS}
    for option in OPTIONS:
        if f"--{option.name}" in own:
            continue
        heeds = option.name in heeded
        _add_option(groups[option.group], option, f"--{option.name}", heeds=heeds, listed=heeds)
        if option.former is not None:
            _add_option(groups[option.group], option, f"--{option.former}", heeds=heeds, listed=False)


def _add_option(group: argparse._ArgumentGroup, option: Option, flag: str, *, heeds: bool, listed: bool) -> None:
    # For argparse a % in a help text is the beginning of the name of a value.
    told = option.help.replace("%", "%%") if listed else argparse.SUPPRESS
    if not heeds and option.name not in PLACES:
        # Under a name of its own, so that it does not undo what stands before the command.
        nothing, values = argparse.SUPPRESS, None if option.metavar else 0
        group.add_argument(flag, action=_Unheeded, dest=nothing, default=nothing, nargs=values, help=told)
    elif option.metavar is None:
        group.add_argument(flag, dest=option.key, action="store_true", default=argparse.SUPPRESS, help=told)
    else:
        group.add_argument(
            flag,
            dest=option.key,
            action="append" if option.many else "store",
            metavar=option.metavar,
            default=argparse.SUPPRESS,
            help=told,
        )


def parser(words: Sequence[str] | None = None) -> Parser:
    """The parser of the whole command line; commands that are not among `words`, if given, have no options in it."""
    whole = _Parser(
        prog="agnes-stats",
        usage="agnes-stats [OPTIONS]           the dashboard; one plain page where its output is no terminal\n"
        "       agnes-stats COMMAND [OPTIONS]   one answer",
        description="A live dashboard for coding-agent sessions: tokens, cost, data access and sync.",
        formatter_class=argparse.HelpFormatter,
    )
    whole.sections = {heading: list(group.items()) for heading, group in GROUPS.items()}
    whole.examples = EXAMPLES
    whole.closing = (
        "Every option can also be a variable AGNES_STATS_… or a line in the config file; agnes-stats config shows it.",
        "More: agnes-stats COMMAND --help, and agnes-stats help TOPIC with TOPIC one of " + ", ".join(TOPICS) + ".",
    )
    _add_options(whole, [option.name for option in OPTIONS])
    whole.add_argument("--version", action="version", version=f"agnes-stats {__version__}")
    whole.add_argument("--demo", action="store_true", help="the dashboard on generated sessions that keep growing")
    whole.add_argument("--plain", action="store_true", help="every view as plain text, for screen readers and pipes")
    whole.add_argument("--view", metavar="VIEW", help="with --plain: only this view, by its name")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, help_text in COMMANDS.items():
        is_wanted = words is None or name in words
        command = commands.add_parser(
            name, help=help_text.replace("%", "%%"), description=help_text, add_help=is_wanted
        )
        if is_wanted:
            _fill(command, name)
    return whole


def _fill(command: Parser, name: str) -> None:
    """Give the parser of a command its options, and what its help says."""
    wanted = command_of(name)
    places = [flag for flag, _ in wanted.options if not flag.startswith("-")]
    command.usage = " ".join(["agnes-stats", name, *(f"[{place.upper()}]" for place in places), "[OPTIONS]"])
    command.examples = wanted.examples
    own = command.add_argument_group("Of its own")
    for flag, keywords in wanted.options:
        (own if flag.startswith("-") else command).add_argument(flag, **keywords)
    if wanted.has_json:
        own.add_argument("--json", action="store_true", help="JSON instead of text")
    else:
        command.add_argument("--json", action=_Unheeded, nargs=0, help=argparse.SUPPRESS)
    _add_options(command, wanted.heeds, [flag for flag, _ in wanted.options])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status. 0 well, 1 a failure, 2 a mistake in the arguments."""
    # The store and its side files are nobody else's business.
    os.umask(0o077)
    if arguments is None:
        terminal.prepare()
        if COMPLETES in os.environ:
            from .completing import complete

            complete(parser())
        ending.heed_signals()
    terminal.take_failures()
    try:
        may_keep = kept.current()
        if may_keep is not None:
            terminal.copy()
        status = _run(sys.argv[1:] if arguments is None else arguments)
        terminal.finish()
        if may_keep is not None and status == 0 and (answer := terminal.copied()) is not None:
            may_keep.keep(answer)
    except terminal.OutputLost as lost:
        terminal.abandon()
        if lost.reason is None:
            return 0
        terminal.error(f"the answer cannot be written: {lost.reason}")
        return 1
    return status or (1 if terminal.take_failures() else 0)


def _run(words: Sequence[str]) -> int:
    from ..queries.store import StoreError

    try:
        given = parser(words).parse_args(words)
        _check_texts(vars(given))
        settings = only_read(settings_from(_without_unheeded(given), os.environ))
        user_names.set_aliases(settings.users or {})
        leave_deleted_folder()
        if _needs_store(given):
            need_store(settings)
        _tell_misnamed(given, settings)
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


def _needs_store(given: argparse.Namespace) -> bool:
    """Whether what was asked for is answered from the store, as it is where `--no-ingest` is heeded."""
    if given.command is None:
        return not given.demo
    command = command_of(given.command)
    return command.needs_store and "no-ingest" in command.heeds


def _tell_misnamed(given: argparse.Namespace, settings: Settings) -> None:
    """Tell of variables that name folders that are not there. Where a screen is shown, Sync does that."""
    if given.command is None:
        if given.demo or _shows_screen(given):
            return
    elif not (given.command == "ingest" or _needs_store(given)):
        return
    if wrong := misnamed(settings):
        terminal.error("; ".join(wrong))
        if (may_keep := kept.current()) is not None:
            # Who asks again is told again.
            may_keep.give_up()


def _shows_screen(given: argparse.Namespace) -> bool:
    return given.command is None and not given.plain and not given.view and terminal.can_show_screen()


def _check_texts(given: Mapping[str, Any]) -> None:
    """Raise BadSetting for what the system gave us in another encoding."""
    for name, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_text(text):
                raise BadSetting(f"--{name.replace('_', '-')}: {text!r} is no text in UTF-8")


def _command(given: argparse.Namespace) -> Callable[[argparse.Namespace, Settings], int]:
    if _shows_screen(given):
        from .dashboard import dashboard

        return dashboard
    # What a command looks at, and that may be much, is not what a first screen depends on.
    first_screen.current().give_up()
    if given.command is not None:
        return command_of(given.command).run
    if given.plain or given.view:
        from .plain import plain

        return plain
    from .commands.overview import overview

    return overview
