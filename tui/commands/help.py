"""`agnes-stats help`: what the whole, a command or a topic is about."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Callable, Sequence

from .. import marks, terminal
from ..settings import OPTIONS, BadSetting, Settings, config_path
from ..suggesting import did_you_mean
from . import COMMANDS, GROUPS, TOPICS
from .command import Command


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats help [TOPIC]`."""
    topic = given.topic
    if topic is not None and topic not in (*COMMANDS, *TOPICS):
        near = did_you_mean(topic, [*COMMANDS, *TOPICS])
        raise BadSetting(f"there is no help on {topic!r}{near or '; topics are ' + ', '.join(TOPICS)}")
    if topic in TOPICS:
        lines = topic_lines(topic, settings)
        if given.json:
            terminal.answer({"topic": topic, "about": TOPICS[topic], "text": "\n".join(lines)})
        else:
            terminal.lines(lines)
        return 0
    if given.json:
        terminal.answer(
            _listed() if topic is None else {"topic": topic, "about": COMMANDS[topic], "text": _page(topic)}
        )
    else:
        terminal.lines(_page(topic).splitlines())
    return 0


def _listed() -> dict[str, object]:
    return {
        "commands": [
            {"group": group, "name": name, "about": line} for group in GROUPS for name, line in GROUPS[group].items()
        ],
        "topics": [{"name": name, "about": line} for name, line in TOPICS.items()],
    }


def _page(command: str | None) -> str:
    from ..cli import parser

    return parser([] if command is None else [command]).page_of(command)


def topic_lines(topic: str, settings: Settings) -> list[str]:
    """What a topic is about, in lines. Raises KeyError if there is no such topic."""
    write: Callable[[Settings], Sequence[str]] = _TOPICS[topic]
    return [f"{topic}: {TOPICS[topic]}", "", *write(settings)]


def _options(_: Settings) -> list[str]:
    import os

    return [
        *_wrapped(
            "A setting may stand on the command line, in a variable of the environment, or in the config file. The "
            "command line wins over the variable, the variable over the file. agnes-stats config shows which counts."
        ),
        "",
        f"The config file is {config_path(os.environ)}; agnes-stats config --write makes one to edit.",
        "AGNES_STATS_CONFIG names another.",
        "",
        *_columns([(f"--{option.name} {option.metavar or ''}".strip(), f"{option.variable}") for option in OPTIONS]),
        "",
        *_wrapped(
            f"A list in a variable is separated by {os.pathsep!r}. NO_COLOR is heeded, and "
            f"{terminal.TRACEBACK_VARIABLE}=1 tells all of a fault of this program."
        ),
    ]


def _filters(_: Settings) -> list[str]:
    return [
        *_wrapped(
            "Filters mean the same on every tab and in every command: what is not asked for is not counted, in rows, "
            "sums and charts alike."
        ),
        "",
        *_columns(
            [
                ("--since, --until", "calendar days in the zone of --tz, both counted: 2026-01-31"),
                ("--project", "the name as it is shown, or the path of the folder"),
                ("--agent", "the coding agent: claude-code, codex, gemini, …"),
                ("--model, --branch", "of each response, so a session may count in part"),
                ("--user", "a person, where a server's folder has several"),
                ("--text", "of a command: sessions with these words in any text that is stored"),
            ]
        ),
        "",
        "In the dashboard r changes the days, p the project, m the model; / filters by text; Esc takes filters back.",
        "The chips beside the tabs say what is on.",
    ]


def _keys(_: Settings) -> list[str]:
    from textual.binding import Binding

    from ..key_names import spelled
    from ..keys import KEYS
    from ..tabs import TABS, pane_of
    from ..views import ViewsTab

    def told(bindings: Sequence[object]) -> list[tuple[str, str]]:
        shown = []
        for binding in bindings:
            if isinstance(binding, Binding) and (binding.tooltip or binding.description):
                key = ", ".join(map(spelled, binding.key.split(",")))
                shown.append((key, binding.tooltip or binding.description))
        return shown

    lines = ["Everywhere", "", *_columns(told(KEYS))]
    for tab in TABS:
        pane = pane_of(tab.name)
        own = [] if isinstance(pane, ViewsTab) else told(type(pane).BINDINGS)
        if own:
            lines += ["", tab.title, "", *_columns(own)]
        for view in pane.VIEWS if isinstance(pane, ViewsTab) else ():
            of_view = told(view.make(type(pane).__module__.rpartition(".")[0]).BINDINGS)
            if of_view:
                lines += ["", f"{tab.title}, {view.label}", "", *_columns(of_view)]
    return [*lines, "", "? in the dashboard lists the keys that work where you are."]


def _sources(_: Settings) -> list[str]:
    from ...ingest.formats import SOURCES

    def told(thing: object) -> str:
        return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].replace("`", "").split())

    rows = [
        (kind, f"{told(type(source))} Looked for in: {told(type(source).locate)}") for kind, source in SOURCES.items()
    ]
    return [
        *_columns(rows),
        "",
        *_wrapped(
            "--source KIND=PATH reads only that folder, --source KIND@MACHINE=PATH one that was copied from another "
            "machine. agnes-stats doctor says what was found here, and how far it is read."
        ),
    ]


def _numbers(_: Settings) -> list[str]:
    return [
        *_wrapped(marks.MEANING),
        "",
        *_wrapped(
            "A response counts once, however many lines, files or copies repeat it. Tokens are input, output, cache "
            "reads and cache writes; reasoning is part of the output. A sub-agent's tokens belong to the session that"
            " started it. Days are those of --tz. Costs are list prices; what a subscription pays for has none. – "
            "stands for what is not known."
        ),
    ]


def _sql(_: Settings) -> list[str]:
    from ...queries.console import PARAMETERS
    from ...queries.schema import FACTS, ROLLUPS_BY_DAY, TABLES

    names = sorted({fact.name for fact in FACTS} | set(TABLES) | set(ROLLUPS_BY_DAY))
    return [
        *_wrapped(
            "agnes-stats sql 'SELECT …' asks the store in DuckDB's SQL, read-only: at most 10,000 rows and 30 "
            "seconds. It reads nothing but these tables; SUMMARIZE or DESCRIBE of one tells its columns."
        ),
        "",
        *_wrapped(", ".join(names)),
        "",
        *_wrapped(
            "{{filters}} stands for the filters of the options, as a condition on tokens_daily: SELECT … WHERE "
            "{{filters}}. What they choose has names, too:"
        ),
        "",
        *_columns([(f"${name}", about) for name, about in PARAMETERS.items()]),
        "",
        *_wrapped(
            "Times are in UTC, money in USD. --json, --csv and --parquet FILE choose the form; --saved NAME asks what"
            " was saved in the console, and agnes-stats panels asks those that are panels of the Tokens tab."
        ),
    ]


def _files(settings: Settings) -> list[str]:
    store = settings.store
    return [
        *_columns(
            [
                (str(store), "the store: facts, how far files are read, daily sums"),
                (f"{store.name}.lock, .queue", "by these, programs that use the store wait for each other"),
                (f"{store.name}.backup", "a daily copy, once it holds what no transcript has any more"),
                (f"{store.name}.forgotten", "what was forgotten on request, so that it stays so"),
                (f"{store.name}.answers", "the last answers for scripts, told again while nothing is new"),
                (f"{store.name}.statusline", "the last status line, for when the store is busy"),
                (
                    f"{store.name}.statusline-keeper",
                    "by this, a dashboard says that it keeps the status line up to date",
                ),
                (f"{store.name}.push-key, .push.json", "with what key paths are hashed before `push`; the last push"),
                (f"{store.name}.team", "says that this is a team's store, into which nothing is read from here"),
                ("console.json", "the queries you saved or asked last, and which are panels"),
                ("screen.json", "how the dashboard was left: theme, tab, days, measure, orders, columns"),
            ]
        ),
        "",
        *_wrapped(
            "All lie in one folder that only you may read. The store has titles, the first line of prompts, commands "
            "and SQL of data accesses and error lines, each cut short, with passwords and keys blotted out; never "
            "whole prompts, answers or contents of files. Nothing leaves this machine unless you turn that on."
        ),
    ]


def _exit(_: Settings) -> list[str]:
    return _columns(
        [
            ("0", "it went well"),
            ("1", "it failed, or doctor found something wrong; one line on standard error says what"),
            ("2", "a mistake in the command line, a variable or the config file"),
            ("10, 20", "of status: 80 %, or all, of a budget or of a plan's limit is used"),
            ("130, 143", "ended by Ctrl+C or by the system; nothing is lost"),
        ]
    )


_TOPICS: dict[str, Callable[[Settings], Sequence[str]]] = {
    "options": _options,
    "filters": _filters,
    "keys": _keys,
    "sources": _sources,
    "numbers": _numbers,
    "sql": _sql,
    "files": _files,
    "exit": _exit,
}

_WIDTH = 100


def _width() -> int:
    import shutil

    return min(_WIDTH, max(40, shutil.get_terminal_size((_WIDTH, 24)).columns))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _width(), break_long_words=False, break_on_hyphens=False)


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Names with what each is; where a name is long, beneath it."""
    column = min(max(len(name) for name, _ in rows), 28) + 4
    lines = []
    for name, about in rows:
        told = textwrap.wrap(about, max(_width() - column, 20), break_long_words=False, break_on_hyphens=False) or [""]
        if len(name) + 4 > column:
            lines.append(f"  {name}")
        else:
            lines.append(f"  {name.ljust(column - 2)}{told.pop(0)}")
        lines += [" " * column + line for line in told]
    return lines


COMMAND = Command(
    heeds=("store",),
    run=run,
    options=(("topic", {"metavar": "TOPIC", "nargs": "?", "help": f"a command, or one of {', '.join(TOPICS)}"}),),
    examples=("help exit", "help tokens"),
)
