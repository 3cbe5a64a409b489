"""What may come next on a command line, for the shell: commands and options, and values that the store knows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from ..queries.store import StoreError
from .settings import TAB_NAMES, BadSetting


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process, if a shell asks; else return at once."""
    import argcomplete

    for one in [parser, *_commands(parser)]:
        for action in one._actions:
            values = _VALUES.get(action.dest)
            if values is not None:
                action.completer = values  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options="long")


def _commands(parser: argparse.ArgumentParser) -> Sequence[argparse.ArgumentParser]:
    return [
        command
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for command in action.choices.values()
    ]


Values = Callable[..., list[str]]
"""The words that may stand for a value that begins with `prefix`, given what is on the line already."""


def _stored(ask: Callable[[Any], list[str]]) -> Values:
    """Values that the store has. Where it is busy, or there is none, there are none: nobody waits on a key."""

    def values(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        import os

        from ..queries.store import Store
        from .settings import settings_from

        try:
            settings = settings_from(vars(parsed_args), os.environ)
            store = Store(settings.store)
            store.demand()
            with store.read() as connection:
                return [value for value in ask(connection) if value.startswith(prefix)]
        except (BadSetting, StoreError, OSError):
            return []

    return values


def _projects(connection: Any) -> list[str]:
    from ..queries.projects import project_names

    return sorted(set(project_names(connection).values()))


def _models(connection: Any) -> list[str]:
    from ..queries.sessions import models

    return [choice.value for choice in models(connection)]


def _machines(connection: Any) -> list[str]:
    from ..queries.tellers import tellers

    return [machine for machine in tellers(connection).machine if machine]


def _zones(prefix: str, **_: Any) -> list[str]:
    import zoneinfo

    return sorted(zone for zone in zoneinfo.available_timezones() if zone.startswith(prefix))


def _sources(prefix: str, **_: Any) -> list[str]:
    from ..ingest.formats import SOURCES

    return [f"{kind}=" for kind in SOURCES if kind.startswith(prefix)]


def _agents(prefix: str, **_: Any) -> list[str]:
    from ..ingest.formats import SOURCES

    return sorted({source.agent for source in SOURCES.values() if source.agent and source.agent.startswith(prefix)})


def _tabs(prefix: str, **_: Any) -> list[str]:
    return [tab for tab in TAB_NAMES if tab.startswith(prefix)]


def _topics(prefix: str, **_: Any) -> list[str]:
    from .commands import COMMANDS, TOPICS

    return [name for name in (*TOPICS, *COMMANDS) if name.startswith(prefix)]


def _ranges(prefix: str, **_: Any) -> list[str]:
    from .ranges import RANGES

    return [choice.label for choice in RANGES if choice.label.startswith(prefix)]


def _saved(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    import os

    from ..queries.console_book import Book
    from ..queries.console_examples import EXAMPLES
    from .settings import settings_from

    try:
        saved = Book(settings_from(vars(parsed_args), os.environ).store).read().saved
    except (BadSetting, StoreError, OSError):
        saved = {}
    return [name for name in EXAMPLES | saved if name.startswith(prefix)]


def _one_of(*words: str) -> Values:
    return lambda prefix, **_: [word for word in words if word.startswith(prefix)]


def _themes(prefix: str, **_: Any) -> list[str]:
    from textual.theme import BUILTIN_THEMES

    return [name for name in BUILTIN_THEMES if name.startswith(prefix)]


_VALUES: dict[str, Values] = {
    "project": _stored(_projects),
    "model": _stored(_models),
    "tz": _zones,
    "source": _sources,
    "agent": _agents,
    "machine": _stored(_machines),
    "tab": _tabs,
    "theme": _themes,
    "topic": _topics,
    "range": _ranges,
    "saved": _saved,
    "notify": _one_of("off", "bell", "osc9"),
    "window": _one_of("24h", "7d"),
    "share": _one_of("numbers", "labels", "all"),
    "action": _one_of("init", "drain", "compact", "status"),
    "shell": _one_of("bash", "zsh", "fish"),
}
"""Where a value goes -> what it may be."""
