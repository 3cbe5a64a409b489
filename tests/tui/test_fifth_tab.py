"""A fifth tab is one folder and one line: a made-up one, in a process of its own that runs the line first."""

import json
import subprocess
import sys
from pathlib import Path

from tests.transcripts import Transcript, store_of

PANE = """
from textual.widgets import Static

from agnes_stats.queries import sessions
from agnes_stats.tui.pane import Pane, PaneState


def first(connection, chosen, now):
    return "asked first"


class WeatherPane(Pane[str]):
    def compose(self):
        yield PaneState()
        yield Static(id="sky")

    def load(self, connection, chosen, now):
        return f"{sessions.count_sessions(connection)} sunny session"

    def show(self, data):
        seen.append(data)
        self.query_one("#sky", Static).update(data)


seen = []
"""

COMMAND = """
from agnes_stats.tui import terminal
from agnes_stats.tui.commands.command import PLACES, Command


def run(given, settings):
    terminal.answer({"weather": "sunny"})
    return 0


COMMAND = Command(heeds=PLACES, run=run)
"""

LINE = """
import sys
from agnes_stats import tui
from agnes_stats.tui import tabs

tui.__path__.append(sys.argv[1])
tabs.TABS += (tabs.Tab("weather", "Weather", "WeatherPane", "weather", about="the weather", first="pane:first"),)
"""

DASHBOARD = """
import asyncio, json
from pathlib import Path
from agnes_stats.tui.dashboard import app_of, first_answers
from agnes_stats.tui.settings import Settings
from tests.tui.running import press, screen_text, settle
from agnes_stats.tui.weather.pane import seen

async def look():
    settings = Settings(store=Path(sys.argv[2]), tz="UTC", no_ingest=True, tab="weather")
    with first_answers(settings) as ahead:
        app = app_of(settings, ahead)
        async with app.run_test(size=(100, 60)) as pilot:
            await settle(pilot)
            strip = screen_text(app).splitlines()[1]
            await press(pilot, "1", "5", "f5")
            sky = app.query_one("#sky")
            told = {
                "strip": strip, "active": app.active_pane.id, "seen": seen, "text": screen_text(app),
                "css": [sky.styles.height.value, str(sky.styles.border_top[0])],
            }
            await press(pilot, "question_mark")
            return told | {"help": screen_text(app)}

print(json.dumps(asyncio.run(look())))
"""

CLI = """
from agnes_stats.tui import cli
assert cli.main(["weather"]) == 0
try:
    cli.main(["--help"])
except SystemExit:
    pass
"""


def ran(code: str, folder: Path, store: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LINE + code, folder, store],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fifth_tab_is_one_folder_and_one_line(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
    for name, text in (
        ("__init__.py", ""),
        ("pane.py", PANE),
        ("command.py", COMMAND),
        ("tab.css", "WeatherPane #sky { height: 7; border: heavy $primary; }"),
    ):
        path = tmp_path / "tabs/weather" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    told = json.loads(ran(DASHBOARD, tmp_path / "tabs", store.path))
    assert "5 Weather" in told["strip"]
    assert told["active"] == "weather"
    assert told["seen"][0] == "asked first" and told["seen"][-1] == "1 sunny session"
    assert "1 sunny session" in told["text"]
    assert told["css"] == [7.0, "heavy"]
    assert "agnes-stats weather --json" in told["help"]
    said = ran(CLI, tmp_path / "tabs", store.path)
    answer, _, page = said.partition("}")
    assert json.loads(answer + "}") == {"weather": "sunny"}
    assert "the weather" in page
