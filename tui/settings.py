"""Every setting, in one place: an option of the command, a variable `AGNES_STATS_…`, and a line in the config file.

The command line wins over the environment, the environment over the file. Imported by every command, so it
imports nothing slow.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..queries.paths import expanded, is_folder
from ..queries.regular import NotRegularError, read_text
from .suggesting import did_you_mean
from .tabs import TABS

APP = "agnes-stats"
_TABLES = ("prices", "aliases", "windows", "agnes", "users", "team")
"""What the config file has beside the options."""
_MOST_BYTES = 16 * 1024 * 1024
"""Of a config file."""
TAB_NAMES = tuple(tab.name for tab in TABS)


FIRST_DAY, LAST_DAY = dt.date(1970, 1, 1), dt.date(2199, 12, 31)
"""Days that can be asked for: every zone has them, and a table may have a row for each."""


class BadSetting(Exception):
    """A value that cannot be used; the message is one line for people."""


def is_text(value: str) -> bool:
    """Whether a text can be asked for or be a path: it has no NUL and no half characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _text(value: str) -> str:
    if not is_text(value):
        raise BadSetting(f"{value!r} is no text in UTF-8")
    return value


def path_of(value: str) -> Path:
    """A path as people write it, absolute. Raises BadSetting."""
    path = expanded(_text(value))
    if str(path).startswith("~"):
        raise BadSetting(f"there is no home folder for {value}")
    try:
        return path.absolute()
    except OSError:
        raise BadSetting(f"{value} is in the current folder, which was deleted") from None


def _store(value: str) -> Path:
    """The path of a store; of a lake, which has a name of its own, that of the file that stands for it here."""
    if not value.startswith("ducklake:"):
        return path_of(value)
    from ..queries.postgres import ServerError
    from ..queries.store.lake_address import lake_address, path_for

    try:
        return path_for(lake_address(_text(value)), default_store().parent)
    except ServerError as error:
        raise BadSetting(error) from None
    except OSError as error:
        raise BadSetting(f"nothing can be noted of a lake in {default_store().parent}: {error.strerror}") from None


def day_of(value: str) -> dt.date:
    """A day as people write it. Raises BadSetting."""
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise BadSetting(f"{value!r} is no day; write it as 2026-01-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadSetting(f"{value} is not between {FIRST_DAY} and {LAST_DAY}")
    return day


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        raise BadSetting(f"{value!r} is no time zone; write it as Europe/Prague, or UTC") from None
    return value


def _range(value: str) -> str:
    from .ranges import RANGES, range_named

    found = range_named(value.strip().lower())
    if found is None:
        offered = ", ".join(choice.label for choice in RANGES)
        raise BadSetting(f"{value!r} is no range of days; write it as one of {offered}, or 2026-01-05 to 2026-02-28")
    return found.label


def _switch(value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("", "0", "false", "no", "off"):
        return False
    raise BadSetting(f"{value!r} is neither true nor false")


def _usd(value: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise BadSetting(f"{value!r} is no amount of USD; write it as 100 or 99.50")
    return amount


OFF, BELL, OSC9 = "off", "bell", "osc9"
"""Ways of telling what happens, beside a command."""


def _notify(value: str) -> str:
    """How to tell; a command is split into words as a shell would, and never given to one."""
    import shlex

    if value.lower() in ("", OFF, BELL, OSC9):
        return value.lower() or OFF
    try:
        command = shlex.split(_text(value))
    except ValueError as error:
        raise BadSetting(f"{value!r} is no command: {error}") from None
    if not command or not command[0]:
        raise BadSetting(f"{value!r} is no command; write off, bell, osc9, or a command")
    return value


def _tab(value: str) -> str:
    # As on the Agnes page: an unknown tab is the first one.
    return value if value in TAB_NAMES else TAB_NAMES[0]


THEMES = (
    *("textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "catppuccin-latte"),
    *("catppuccin-frappe", "catppuccin-macchiato", "dracula", "tokyo-night", "monokai", "flexoki"),
    *("solarized-light", "solarized-dark", "rose-pine", "rose-pine-moon", "rose-pine-dawn"),
    *("atom-one-dark", "atom-one-light", "ansi-dark", "ansi-light"),
)
"""Textual's, which a test compares with it: to import them takes longer than a command."""


def _theme(value: str) -> str:
    if value not in THEMES:
        near = did_you_mean(value, THEMES) or f"; there are {', '.join(THEMES)}"
        raise BadSetting(f"{value!r} is no theme{near}")
    return value


_OLD_KINDS = {"agnes": "agnes-server-folder"}


def parts_of(source: str) -> tuple[str, str | None, str]:
    """Kind, machine and path of a `--source`; the kind "" if it is written otherwise."""
    where, sign, path = source.partition("=")
    kind, at, machine = where.partition("@")
    is_whole = sign and path and (machine.strip() or not at)
    return _OLD_KINDS.get(kind, kind) if is_whole else "", machine.strip() or None, path


def source_of(value: str) -> str:
    """A `--source` as it is kept. Raises BadSetting for an unknown kind or a folder that is not there."""
    from ..ingest.formats import SOURCES

    kind, machine, path = parts_of(value)
    if kind not in SOURCES:
        raise BadSetting(
            f"{value!r} is no source; write it as KIND=PATH or KIND@MACHINE=PATH, with KIND one of {', '.join(SOURCES)}"
        )
    if not is_folder(path_of(path)):
        raise BadSetting(f"there is no folder {path}")
    return f"{kind}{f'@{machine}' if machine else ''}={path}"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: its name in the config file (dashes become underscores), what it takes, and what it does."""

    name: str
    help: str
    parse: Callable[[str], Any]
    metavar: str | None = None
    """None for a switch."""
    many: bool = False
    former: str | None = None
    """What it was called before: that still works, and nobody is told."""
    group: str = ""
    """The heading of the help that it stands under: one of OPTION_GROUPS."""

    @property
    def key(self) -> str:
        """The name as an identifier."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.variables[0]

    @property
    def variables(self) -> list[str]:
        """The environment variable, and the one of the former name."""
        return [f"AGNES_STATS_{name.replace('-', '_').upper()}" for name in (self.name, self.former) if name]


READS, COUNTS, SHOWS = "What is read", "What counts", "How it is shown"
OPTION_GROUPS = (READS, COUNTS, SHOWS)
"""The headings of the options, in the order of the help."""

OPTIONS = (
    Option(
        "store",
        "the store's file, or a team's lake (default: in the user's data folder)",
        _store,
        "FILE",
        group=READS,
    ),
    Option(
        "source",
        "read only this, copied from a machine if one is named; repeat for several (default: all sources found)",
        source_of,
        "KIND[@MACHINE]=PATH",
        many=True,
        group=READS,
    ),
    Option("no-ingest", "answer from the store as it is, without reading files", _switch, group=READS),
    Option(
        "agnes-server",
        "ask the Agnes server too (address and token from the agnes command's config)",
        _switch,
        group=READS,
    ),
    Option(
        "range",
        "the days that count: today, yesterday, 24 hours, this week, this month, 30 days, 2026-03 …",
        _range,
        "RANGE",
        group=COUNTS,
    ),
    Option("since", "first day that counts", day_of, "DAY", group=COUNTS),
    Option("until", "last day that counts", day_of, "DAY", group=COUNTS),
    Option("tz", "the zone of days and times (default: this machine's)", _zone, "ZONE", group=COUNTS),
    Option("project", "only this project: its name as it is shown, or its path", _text, "PROJECT", group=COUNTS),
    Option("agent", "only this coding agent: claude-code, codex, …", _text, "AGENT", group=COUNTS),
    Option(
        "machine", "only this machine, as a source is named: --source KIND@MACHINE=PATH", _text, "MACHINE", group=COUNTS
    ),
    Option("model", "only this model", _text, "MODEL", group=COUNTS),
    Option("branch", "only responses on this git branch", _text, "BRANCH", group=COUNTS),
    Option(
        "agent-version",
        "only responses of this version of the agent",
        _text,
        "VERSION",
        former="claude-version",
        group=COUNTS,
    ),
    Option("user", "only this person's sessions, in a server's folder", _text, "USER", group=COUNTS),
    Option("tab", f"open the dashboard on a tab: {', '.join(TAB_NAMES)}", _tab, "TAB", group=SHOWS),
    Option(
        "theme", "the colours of the dashboard: a theme of Textual, e.g. textual-light", _theme, "THEME", group=SHOWS
    ),
    Option("no-color", "no colours, as the variable NO_COLOR asks for", _switch, group=SHOWS),
    Option("budget", "USD a month; a warning tells when 80 % and when all of it is spent", _usd, "USD", group=SHOWS),
    Option("budget-week", "the same for a week; it begins on Monday", _usd, "USD", group=SHOWS),
    Option("budget-day", "the same for a day", _usd, "USD", group=SHOWS),
    Option("budget-session", "the same for each session", _usd, "USD", group=SHOWS),
    Option(
        "notify",
        "tell when a session waits for you and when a budget is near: off, bell, osc9, or a command (default: off)",
        _notify,
        "HOW",
        group=SHOWS,
    ),
    Option("no-cost", "hide costs, for flat plans", _switch, group=SHOWS),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run. Days are in `tz`; paths are expanded."""

    store: Path
    tz: str
    source: tuple[str, ...] = ()
    no_ingest: bool = False
    range: str | None = None
    """Its label: one of `ranges.range_named`. It gives way to `since` and `until`."""
    since: dt.date | None = None
    until: dt.date | None = None
    project: str | None = None
    model: str | None = None
    branch: str | None = None
    agent: str | None = None
    machine: str | None = None
    agent_version: str | None = None
    user: str | None = None
    tab: str | None = None
    """None: the one that was left last."""
    theme: str | None = None
    budget: float | None = None
    """USD a month."""
    budget_week: float | None = None
    budget_day: float | None = None
    budget_session: float | None = None
    notify: str = OFF
    """OFF, BELL, OSC9 or a command line."""
    no_cost: bool = False
    no_color: bool = False
    agnes_server: bool = False
    prices: Mapping[str, Any] | None = None
    """The `[prices]` table of the config file."""
    aliases: Mapping[str, str] | None = None
    """The `[aliases]` table of the config file: model name -> the model whose price it has."""
    windows: Mapping[str, int] | None = None
    """The `[windows]` table of the config file: model name -> its context window in tokens."""
    agnes: Mapping[str, str] | None = field(default=None, repr=False)
    """The `[agnes]` table of the config file: `server` and `token`, instead of those of the agnes command."""
    users: Mapping[str, str] | None = None
    """The `[users]` table of the config file: the server's id of a person, or its beginning -> what they are called."""
    team: Mapping[str, Any] | None = None
    """The `[team]` table of the config file: what `push` is told by options otherwise."""


def settings_from(given: Mapping[str, Any], environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """The settings from the command line's values by key (absent or None: not given), environment and config file.

    Raises BadSetting.
    """
    file = read_config(config_path(environment) if config is None else config)
    values: dict[str, Any] = {
        option.key: parsed(option, found.raw, found.origin)
        for option in OPTIONS
        if (found := said(option, given, environment, file)) is not None
    }
    values.setdefault("store", default_store())
    values.setdefault("tz", local_zone(environment))
    if values.get("range") and (given.get("since") or given.get("until")):
        if given.get("range"):
            raise BadSetting("--range names the days already: leave out --since and --until")
        # Said here and now counts more than what was said for all times.
        del values["range"]
    if values.get("since") and values.get("until") and values["since"] > values["until"]:
        raise BadSetting(f"--since {values['since']} is after --until {values['until']}")
    for table in _TABLES:
        if table in file:
            values[table] = file[table]
    if not _is_agnes(file.get("agnes", {})):
        raise BadSetting("[agnes] in the config file may only have server and token, each a text")
    if not all(isinstance(name, str) and name for name in file.get("users", {}).values()):
        raise BadSetting("[users] in the config file names people: each line is an id and a text")
    if not _is_team(file.get("team", {})):
        raise BadSetting(
            "[team] in the config file may have to, machine and share, texts, and leave-out, a list of them"
        )
    return Settings(**values)


@dataclass(frozen=True, slots=True)
class SaidSetting:
    """What was said of a setting, as it was written, and where: an option, a variable or the config file."""

    raw: Any
    origin: str


def said(
    option: Option, given: Mapping[str, Any], environment: Mapping[str, str], file: Mapping[str, Any]
) -> SaidSetting | None:
    """What counts of all that was said of a setting; None if nothing was."""
    raw = given.get(option.key)
    if not (raw is None or raw is False or raw == []):
        return SaidSetting(raw, f"--{option.name}")
    name = next((name for name in option.variables if environment.get(name)), option.variable)
    raw = environment.get(name) or None
    if raw is not None:
        return SaidSetting(raw.split(os.pathsep) if option.many else raw, name)
    raw = file.get(option.key)
    return None if raw is None else SaidSetting(raw, f"{option.key} in the config file")


def _is_agnes(table: object) -> bool:
    return isinstance(table, dict) and all(
        name in ("server", "token") and isinstance(value, str) for name, value in table.items()
    )


def _is_team(table: object) -> bool:
    return isinstance(table, dict) and all(
        (name in ("to", "machine", "share") and isinstance(value, str))
        or (name == "leave-out" and isinstance(value, list) and all(isinstance(each, str) for each in value))
        for name, value in table.items()
    )


def parsed(option: Option, raw: Any, origin: str) -> Any:
    """What was said of a setting, as it is used. Raises BadSetting."""
    try:
        if option.many:
            return tuple(
                option.parse(str(part))
                for part in (raw if isinstance(raw, Sequence) and not isinstance(raw, str) else [raw])
            )
        return option.parse(str(raw))
    except BadSetting as error:
        raise BadSetting(f"{origin}: {error}") from None


def read_config(path: Path) -> dict[str, Any]:
    """The config file's values by key; none if there is no file. Raises BadSetting for what is not understood."""
    try:
        text = read_text(path, _MOST_BYTES)
        import tomllib

        found = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except NotRegularError as error:
        raise BadSetting(f"{path}: {error}") from None
    except OSError as error:
        raise BadSetting(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise BadSetting(f"{path}: {error}") from None
    except RecursionError:
        raise BadSetting(f"{path}: nested too deeply") from None
    known = [option.key for option in OPTIONS] + [*_TABLES]
    former = {option.former.replace("-", "_"): option.key for option in OPTIONS if option.former}
    values = {}
    for key, value in found.items():
        name = key.replace("-", "_")
        name = former.get(name, name)
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            raise BadSetting(f"{path}: no setting is called {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        values[name] = value
    return values


def config_path(environment: Mapping[str, str]) -> Path:
    """`AGNES_STATS_CONFIG`, else config.toml in the user's config folder."""
    named = environment.get("AGNES_STATS_CONFIG")
    if named:
        try:
            return path_of(named)
        except BadSetting as error:
            raise BadSetting(f"AGNES_STATS_CONFIG: {error}") from None
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False) / "config.toml"


def default_store() -> Path:
    """store.duckdb in the user's data folder."""
    from platformdirs import user_data_path

    path = user_data_path(APP, appauthor=False) / "store.duckdb"
    if not (path.is_absolute() and is_text(str(path))):
        raise BadSetting("there is no usable home folder for the store: set HOME, or name a file with --store")
    return path


def local_zone(environment: Mapping[str, str], localtime: Path = Path("/etc/localtime")) -> str:
    """The IANA name of this machine's zone; UTC where it has none."""
    named = environment.get("TZ", "").removeprefix(":")
    link = os.path.realpath(localtime)
    for candidate in (named, link.partition("zoneinfo/")[2]):
        if candidate:
            try:
                return _zone(candidate)
            except BadSetting:
                continue
    return "UTC"
