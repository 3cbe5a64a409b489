"""The keys that work on every tab."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from .tabs import TABS

KEYS: list[BindingType] = [
    *(
        Binding(str(n), f"show_tab('{tab.name}')", tab.title, show=False, tooltip=f"The tab {tab.title}")
        for n, tab in enumerate(TABS, 1)
    ),
    Binding("left_square_bracket", "turn(-1)", "View before", show=False, key_display="[", tooltip="The view before"),
    Binding("right_square_bracket", "turn(1)", "Next view", show=False, key_display="]", tooltip="The next view"),
    Binding("r", "pick('range')", "Range", tooltip="Choose the days that are shown"),
    Binding("z", "pick('zone')", "Zone", show=False, tooltip="The zone of days and times: this machine's, UTC, any"),
    Binding("p", "pick('project')", "Project", tooltip="Show one project only"),
    Binding("m", "pick('model')", "Model", show=False, tooltip="Show one model only"),
    Binding("A", "pick('agent')", "Agent", show=False, tooltip="Show one coding agent only"),
    Binding("M", "pick('machine')", "Machine", show=False, tooltip="Show one machine only"),
    Binding("U", "pick('user')", "User", show=False, tooltip="Show one person only"),
    Binding(
        "slash",
        "filter",
        "Filter",
        key_display="/",
        tooltip="Filter this tab as you type: words in any text of its rows",
    ),
    Binding("e", "export", "Export", tooltip="A table or chart of the screen as a file: CSV, JSON, Parquet, SVG"),
    Binding("l", "console", "SQL", show=False, tooltip="The SQL console: ask the store your own question"),
    Binding(
        "ctrl+g",
        "jump",
        "Jump",
        show=False,
        priority=True,
        tooltip="Jump: a letter on every tab, filter, view, table and chart leads there",
    ),
    Binding("backspace", "unfilter", "Filter back", show=False, tooltip="Drop the filter that was set last"),
    Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys that work here"),
    Binding("escape", "up", "Up", show=False, tooltip="Back, or clear the filters"),
    Binding("q", "quit", "Quit", tooltip="Quit at once"),
]
