"""`agnes-stats config`: the settings that count now, where each comes from, and a file to edit."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ...queries.paths import exists
from .. import terminal
from ..settings import COUNTS, OPTION_GROUPS, OPTIONS, BadSetting, Option, Settings, config_path, read_config, said
from .command import Command
from .page import TextColumn, page_of, table

DEFAULT = "default"
"""Where a setting comes from of which nothing was said."""


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats config`."""
    path = config_path(os.environ)
    if given.sample or given.write:
        if given.write:
            _write(path)
        if given.json:
            terminal.answer({"path": str(path), "written": given.write, "text": sample()})
        elif given.write:
            terminal.lines([f"wrote {path}: take the # away from what you want"])
        else:
            terminal.lines(sample().splitlines())
        return 0
    answer = config_answer(given, settings, path)
    if given.json:
        terminal.answer(answer)
    else:
        rows = [[row["name"], _shown(row["value"]), row["from"]] for row in answer["settings"]]
        columns = [TextColumn("Setting"), TextColumn("Value", flexible=True), TextColumn("From")]
        there = "" if answer["exists"] else " (there is none yet; agnes-stats config --write makes one)"
        terminal.lines([f"Config file: {path}{there}", "", *table(columns, rows, page_of(settings).width)])
    return 0


def config_answer(given: argparse.Namespace, settings: Settings, path: Path) -> dict[str, Any]:
    """Every setting with its value and where it comes from: an option, a variable, the file, or `default`."""
    file = read_config(path)
    rows = []
    for option in OPTIONS:
        found = said(option, vars(given), os.environ, file)
        rows.append(
            {
                "name": option.name,
                "value": _plain(getattr(settings, option.key)),
                "from": DEFAULT if found is None else found.origin,
            }
        )
    for name in ("aliases", "prices", "windows"):
        # Only how many: they may be long. What the server's table holds is a secret.
        rows += [{"name": f"[{name}]", "value": len(file[name]), "from": "the config file"}] if name in file else []
    return {"path": str(path), "exists": exists(path), "settings": rows}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


_EXAMPLES = {
    "store": '"~/stats/store.duckdb"',
    "source": '["claude=~/.claude", "codex@laptop=/mnt/laptop/.codex"]',
    "tz": '"Europe/Prague"',
    "project": '"shop"',
    "agent": '"claude-code"',
    "machine": '"laptop"',
    "model": '"claude-opus-4-6"',
    "branch": '"main"',
    "agent_version": '"2.1.300"',
    "user": '"ann"',
    "tab": '"tokens"',
    "theme": '"textual-light"',
    "range": '"this month"',
    "since": '"2026-01-01"',
    "until": '"2026-12-31"',
}
"""A value for each option that is no number or switch, as TOML."""


def example_of(option: Option) -> str:
    """A value an option could have, as TOML."""
    return _EXAMPLES.get(option.key, "true" if option.metavar is None else "100")


def sample() -> str:
    """A config file with a line for every setting, none of which counts before its # is taken away."""
    lines = ["# Settings of agnes-stats. The command line and variables AGNES_STATS_… win over this file."]
    for group in OPTION_GROUPS:
        lines += ["", f"# {group}"]
        if group == COUNTS:
            lines.append("# (each of these holds for all commands and the dashboard)")
        for option in OPTIONS:
            if option.group == group:
                lines += [f"# {option.help}", f"#{option.key} = {example_of(option)}"]
    return "\n".join([*lines, *_TABLES, ""])


_TABLES = (
    "",
    "# A model that has the price of another one",
    "#[aliases]",
    '#"my-gateway-opus" = "claude-opus-4-6"',
    "",
    "# Prices of your own, in USD per million tokens",
    '#[prices."house-model"]',
    "#input = 1.0",
    "#output = 5.0",
    "",
    "# Context windows in tokens; otherwise they are learnt from the sessions",
    "#[windows]",
    '#"claude-opus-4-6" = 1_000_000',
    "",
    "# What people of a server's folder are called, by their id or its beginning",
    "#[users]",
    '#"3f2a9c1e" = "Dana"',
    "",
    "# What agnes-stats push does where its options say nothing else",
    "#[team]",
    '#to = "postgresql://ann@db.example.com/agnes"',
    '#machine = "laptop"',
    '#share = "numbers"',
    '#leave-out = ["diary"]',
    "",
    "# The Agnes server, instead of that of the agnes command",
    "#[agnes]",
    '#server = "https://agnes.example.com"',
    '#token = "…"',
)


def _write(path: Path) -> None:
    from ...queries.replaced import replace_text

    if exists(path):
        raise BadSetting(f"{path} is there already; agnes-stats config --sample prints what would be written")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_text(path, sample())


COMMAND = Command(
    heeds=tuple(option.name for option in OPTIONS),
    run=run,
    needs_store=False,
    options=(
        ("--write", {"action": "store_true", "help": "make a config file with every setting in it, none of them on"}),
        ("--sample", {"action": "store_true", "help": "print what --write would write"}),
    ),
    examples=("config", "config --sample"),
)
