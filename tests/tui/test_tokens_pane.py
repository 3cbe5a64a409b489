"""The Tokens tab: what it says at a glance, and what its keys do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store, StoreBusy
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.kit.frame import TabStrip
from agnes_stats.tui.tokens.pane import TokensPane
from agnes_stats.tui.tokens.records import MOST_ROWS, TokenTable
from rich.text import Text
from textual.pilot import Pilot

from tests.storing import held
from tests.transcripts import HAIKU, SONNET, Transcript, catch_up, store_of, write
from tests.tui.running import NOW, press, running, screen_text, settle, show_days

WEBSITE = "/home/dana/work/website"
HOSTILE = "[/foo]\x1b[2J (fix the [red]prompt[/])"


def transcripts() -> list[Transcript]:
    """March 2026, until Tuesday the 10th: two projects, a sub-agent, an unpriced model, a placeholder."""
    churn = Transcript("churn", "2026-03-09T16:00:00", branch="fix/churn")
    churn.title("Fix the churn query").prompt("Fix it")
    churn.wait(9).response(tokens=(9_000, 42_000, 3_100_000, 250_000))
    churn.wait(60).prompt("Look around").wait(5)
    churn.response(("t1", "Task", {"subagent_type": "Explore", "prompt": "Look"}), tokens=(500, 3_000, 400_000, 9_000))
    explorer = Transcript("churn", churn.now, agent="a1", model=HAIKU, branch="fix/churn")
    explorer.prompt("Look").wait(3).response(tokens=(800, 6_000, 210_000, 30_000))
    churn.wait(40).result("t1", "Found it.", toolUseResult={"agentId": "a1", "status": "completed"})
    site = Transcript("site", "2026-03-04T08:00:00", cwd=WEBSITE, model=SONNET)
    site.title(HOSTILE).prompt("Add a page").wait(4).response(tokens=(1_000, 3, 700_000, 20_000), stop=None)
    site.wait(60).response(tokens=(2_000, 30_000, 900_000, 12_000))
    today = Transcript("today", "2026-03-10T09:30:00", cwd=WEBSITE, model=SONNET, branch="")
    today.prompt("Change the colours").wait(7).response(tokens=(300, 9_000, 150_000, 40_000))
    trial = Transcript("trial", "2026-03-02T11:00:00", model="acme/coder-large-2")
    trial.prompt("Try the new model").wait(9).response(tokens=(50_000, 7_000, 0, 0))
    january = Transcript("january", "2026-01-20T11:00:00")
    january.prompt("Plan").wait(9).response(tokens=(5_000, 10_000, 90_000, 10_000))
    return [churn, explorer, site, today, trial, january]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(tmp_path_factory.mktemp("tokens-pane"), transcripts())) as store:
        yield store


def opened(store: Store, size: tuple[int, int] = (140, 45), **options: object):  # type: ignore[no-untyped-def]
    return running(store, size, tab="tokens", **options)


def line_with(app: AgnesStats, part: str) -> str:
    lines = [line for line in screen_text(app).splitlines() if part in line]
    assert lines, f"{part!r} is not on the screen:\n{screen_text(app)}"
    return lines[0]


def bars(app: AgnesStats) -> StackedBars:
    return app.query_one("#over-time", StackedBars)


def names(app: AgnesStats, table: str = "by") -> list[str]:
    column = "title" if table == "top" else "name"
    return [str(record.cells[column]) for record in app.query_one(f"#{table}", TokenTable).records]


def whole_tab(app: AgnesStats) -> str:
    """What stands above and below is the frame's."""
    return "\n".join(screen_text(app).splitlines()[2:-1])


async def broken_down(app: AgnesStats, pilot: Pilot[int]) -> dict[str, list[str]]:
    """The rows by everything there is to break down by; in the end they are by model again."""
    seen = {}
    for _ in range(6):
        seen[str(bars(app).border_title).removeprefix("Spend by day and ")] = names(app)
        await press(pilot, "b")
    assert "and model" in str(bars(app).border_title)
    return seen


BROKEN_DOWN = {
    "model": ["opus-4.5", "sonnet-4.5", "haiku-4.5", "acme/coder-large-2"],
    "project": ["warehouse", "website"],
    "agent type": ["main", "Explore"],
    "token kind": ["Cache read", "Cache write 5m", "Output", "Input"],
    "git branch": ["fix/churn", "main", "(no git branch)"],
    "agent version": ["2.1.114"],
}


async def focus_order(pilot: Pilot[int]) -> list[str]:
    found = []
    for _ in range(4):
        found.append(str(pilot.app.focused.id if pilot.app.focused else None))
        await press(pilot, "tab")
    return found


async def test_marks_are_explained_in_as_many_words_as_there_is_room_for(store: Store) -> None:
    async with opened(store, (140, 45)) as (app, pilot):
        for width, told in (
            (
                140,
                "≥ lower bound: 1 of 7 responses (14 %) · +? no known price: 57k tokens (1 %): acme/coder-large-2 57k",
            ),
            (80, "≥ lower bound: 1 of 7 responses (14 %) · +? no known price: 57k tokens (1 %)"),
            (60, "≥ in 14 % · +? in 1 %"),
        ):
            await pilot.resize_terminal(width, 45)
            await settle(pilot)
            assert line_with(app, "≥ ").strip() == told


async def test_the_whole_tab_tells_prices_and_bounds_and_goes_round_by_tab(
    store: Store, golden: Callable[[str, str], None]
) -> None:
    async with opened(store) as (app, pilot):
        golden("tokens-140x45", whole_tab(app))
        text = screen_text(app)
        # Money without a price is said and never zero.
        assert "≥$6.85+?" in line_with(app, "≥$6.85")
        assert "+? no known price: 57k tokens (1 %): acme/coder-large-2 57k" in text
        assert "+?" in line_with(app, "acme/coder-")
        assert "acme/coder-large-2 $" not in text, "no layer of the chart of money"
        # Lower bounds are marked.
        assert "≥39k" in line_with(app, "sonnet-4.5  ")
        assert "≥ lower bound: 1 of 7 responses (14 %)" in text
        # Titles are text.
        assert "[/foo] (fix the [red]prompt[/])" in text
        assert "\x1b" not in text
        assert await focus_order(pilot) == ["by", "second", "top", "over-time"]

        def tone() -> str:
            return str(app.query_one("#by", TokenTable).records[0].cells["bar"].style)  # type: ignore[union-attr]

        before = tone()
        app.theme = "textual-light"
        await settle(pilot)
        assert tone() != before, "bars follow the theme"


async def test_money_or_tokens_by_everything_then_by_text_then_in_another_order(store: Store) -> None:
    async with opened(store) as (app, pilot):
        assert bars(app).border_title == "Spend by day and model"
        assert names(app)[-1] == "acme/coder-large-2"
        await press(pilot, "u")
        assert bars(app).border_title == "Tokens by day and model"
        assert names(app) == ["opus-4.5", "sonnet-4.5", "haiku-4.5", "acme/coder-large-2"]
        assert "Peak Mar 09: 4.1M" in screen_text(app)
        await press(pilot, "u")
        assert await broken_down(app, pilot) == BROKEN_DOWN
        await press(pilot, "B")
        assert "Spend by day and agent version" in str(bars(app).border_title)
        await press(pilot, "b", "slash", *"chu", "enter")
        assert names(app) == ["opus-4.5", "haiku-4.5"]
        assert names(app, "top") == ["Fix the churn query"]
        await press(pilot, "escape")
        assert len(names(app)) == 4
        by = app.query_one("#by", TokenTable)
        by.action_sort_by("output_tokens")
        await settle(pilot)
        assert names(app) == ["opus-4.5", "sonnet-4.5", "acme/coder-large-2", "haiku-4.5"]
        by.action_sort_by("output_tokens")
        await settle(pilot)
        assert names(app) == ["haiku-4.5", "acme/coder-large-2", "sonnet-4.5", "opus-4.5"]
        assert "▴ Output" in screen_text(app)
        await press(pilot, "s", "t")
        assert "▾ Total" in screen_text(app)


async def test_a_low_screen_shows_the_other_table_on_demand_and_breaks_down_too(
    store: Store, golden: Callable[[str, str], None]
) -> None:
    async with opened(store, (80, 24)) as (app, pilot):
        golden("tokens-80x24", whole_tab(app))
        assert "Top sessions" not in screen_text(app)
        await press(pilot, "w")
        assert "Fix the churn query" in screen_text(app)
        assert app.focused is app.query_one("#top")
        await press(pilot, "w")
        assert app.focused is app.query_one("#by")
        assert await broken_down(app, pilot) == BROKEN_DOWN
        await press(pilot, "B")
        assert "and agent version" in str(bars(app).border_title)


async def test_no_cost_hides_money_everywhere_and_the_budget_with_it(store: Store) -> None:
    async with opened(store, no_cost=True, budget=5.0) as (app, pilot):
        assert "budget" not in screen_text(app)
        for _ in range(2):
            assert "$" not in screen_text(app)
            assert "Cost" not in screen_text(app)
            assert bars(app).border_title == "Tokens by day and model"
            await press(pilot, "u")
        assert "Tokens" in screen_text(app).splitlines()[3].split("Today")[0], "tokens come first"


async def test_a_bar_in_words_by_day_week_and_month_and_by_hour_in_a_short_range(store: Store) -> None:
    async with opened(store) as (app, pilot):
        app.set_focus(bars(app))
        await press(pilot, "left")
        assert "Mon Mar 09: $4.63 = opus-4.5 $4.54 + haiku-4.5 $0.09 · 4.1M tokens" in screen_text(app)
        await press(pilot, "left")
        assert "Sun Mar 08: nothing" in screen_text(app)
        told, seen = "", []
        for _ in range(4):
            seen.append(str(bars(app).border_title).split()[2])
            await press(pilot, "h")
            told = told or screen_text(app)
        assert "Mon Mar 02 to Sun Mar 08" in told or "Mon Mar 09 to Sun Mar 15" in told
        assert seen == ["day", "week", "month", "day"]
        await show_days(pilot, "7 days")
        assert "7 days" in line_with(app, "all projects")
        await press(pilot, "h", "h")
        assert "by hour" in str(bars(app).border_title)
        await show_days(pilot, "30")
        assert "by hour" not in str(bars(app).border_title), "thirty days are too many hours"


async def test_enter_shows_only_the_row_and_backspace_takes_it_back(
    store: Store, golden: Callable[[str, str], None]
) -> None:
    async with opened(store, (200, 60)) as (app, pilot):
        golden("tokens-200x60", whole_tab(app))
        await press(pilot, "b", "b")
        await press(pilot, "enter")
        assert app.chosen.subagent_type == "main"
        assert "main" in screen_text(app).splitlines()[1], "the line of filters says so"
        await press(pilot, "B", "B")
        await press(pilot, "down", "enter")
        assert (app.chosen.model, app.chosen.subagent_type) == (SONNET, "main")
        assert names(app) == ["sonnet-4.5"]
        app.set_focus(app.query_one("#top"))
        await press(pilot, "enter")
        assert app.chosen.session_id == "site"
        assert "session [/foo] (fix the [red]" in screen_text(app).splitlines()[1]
        held = []
        for _ in range(4):
            await press(pilot, "backspace")
            held.append((app.chosen.session_id, app.chosen.model, app.chosen.subagent_type))
        assert held == [(None, SONNET, "main"), (None, None, "main"), (None, None, None), (None, None, None)]
        app.choose(user="eve")
        await press(pilot, "escape")
        assert app.chosen.user is None, "it does not come from the command line"


def below_the_header(text: str) -> str:
    """The screen without its first line, which tells of every budget."""
    return text.partition("\n")[2]


async def test_a_model_keeps_its_colour_whatever_else_is_shown(store: Store) -> None:
    def tones() -> dict[str, str]:
        records = app.query_one("#by", TokenTable).records
        bars = [(record.cells["name"], record.cells["bar"]) for record in records]
        return {str(name): str(bar.style) for name, bar in bars if isinstance(bar, Text)}

    async with opened(store) as (app, pilot):
        before = tones()
        assert len({before[name] for name in ("opus-4.5", "sonnet-4.5", "haiku-4.5")}) == 3
        # Alone it would be the first of all, and have its colour.
        app.choose(project=WEBSITE)
        await settle(pilot)
        assert tones() == {"sonnet-4.5": before["sonnet-4.5"]}
        assert bars(app).ink().series[0].rich_color.name in before["sonnet-4.5"]


async def test_backspace_drops_filters_set_elsewhere_and_no_budget_is_told_that_is_kept(store: Store) -> None:
    async with opened(store, chosen=Filter(project=WEBSITE), budget=9.0) as (app, pilot):
        assert names(app) == ["sonnet-4.5"]
        assert "budget" not in below_the_header(screen_text(app))
        await press(pilot, "backspace")
        assert app.chosen.project is None
        assert "budget" not in below_the_header(screen_text(app))


async def test_branch_and_version_filter_and_show_as_chips(store: Store) -> None:
    async with opened(store, (80, 24)) as (app, pilot):
        for keys in ("bbbb", ["enter"], "b", ["enter"]):
            await press(pilot, *keys)
        assert (app.chosen.branch, app.chosen.version) == ("fix/churn", "2.1.114")
        assert " branch fix/churn ✕  ·  version 2.1.114 ✕ " in screen_text(app)
        app.choose(model=HAIKU)
        await settle(pilot)
        assert names(app) == ["2.1.114"]
        assert (names(app, "top"), app.query_one("#by", TokenTable).records[0].cells["output_tokens"]) == (
            ["Fix the churn query"],
            "6.0k",
        ), "the tables obey all of them at once"
        line = screen_text(app).splitlines()[2]
        await pilot.click(TabStrip, offset=(line.index("haiku-4.5 ✕"), 1))
        await settle(pilot)
        assert (app.chosen.branch, app.chosen.model) == ("fix/churn", None), "a click on the model's chip drops it"
        await press(pilot, "backspace")
        assert (app.chosen.branch, app.chosen.version) == ("fix/churn", None)
        await press(pilot, "backspace")
        assert app.chosen.branch is None
        assert "✕" not in screen_text(app)
        await press(pilot, "B")
        await press(pilot, "down", "down", "enter")
        assert [note.message for note in app._notifications] == ["There is no filter for rows (no git branch)."]


async def test_escape_drops_every_filter_but_the_person_of_the_command_line(store: Store) -> None:
    every = Filter(project=WEBSITE, subagent_type="main", session_id="site", branch="main", version="2", user="eve")
    async with opened(store, (200, 60), chosen=Filter(user="eve")) as (app, pilot):
        app.choose(project=WEBSITE, subagent_type="main", session_id="site", branch="main", version="2")
        await settle(pilot)
        assert app.chosen.but(since=None) == every
        line = screen_text(app).splitlines()[1]
        assert all(told in line for told in ("agent main", "branch main", "version 2", "user eve", "session site"))
        assert "Nothing matches these filters" in screen_text(app)
        assert "branch main ✕" in screen_text(app), "it can be seen what leaves nothing"
        await press(pilot, "escape")
        assert app.chosen.but(since=None) == Filter(user="eve")
        await press(pilot, "backspace", "escape")
        assert app.chosen.user == "eve"


async def test_a_budget_warns_in_words(store: Store) -> None:
    for size, budget, told in (
        ((140, 45), 8.0, "near budget: ≥$6.85+? of $8.00 in March (85 %)"),
        ((80, 24), 5.0, "over budget: ≥$6.85+? of $5.00 in March (137 %)"),
    ):
        async with opened(store, size, budget=budget, chosen=Filter(model=SONNET)) as (app, _):
            assert told in screen_text(app)


async def test_new_rows_leave_the_cursor_where_it_is(tmp_path: Path) -> None:
    store = store_of(tmp_path, transcripts())
    async with opened(store) as (app, pilot):
        await press(pilot, "down", "down")
        assert app.query_one("#by", TokenTable).selected.key == f"={HAIKU}"  # type: ignore[union-attr]
        big = Transcript("big", "2026-03-10T10:00:00", model="claude-opus-4-1-20250805")
        write(tmp_path / "claude", [big.prompt("More").response(tokens=(9_000, 900_000, 9_000_000, 90_000))])
        catch_up(store, tmp_path / "claude")
        app.query_one(TokensPane).refresh_data()
        await settle(pilot)
        assert names(app) == ["opus-4.1", "opus-4.5", "sonnet-4.5", "haiku-4.5", "acme/coder-large-2"]
        assert app.query_one("#by", TokenTable).selected.key == f"={HAIKU}"  # type: ignore[union-attr]


async def test_many_groups_end_in_one_row_and_still_add_up(tmp_path: Path) -> None:
    sessions = []
    for number in range(MOST_ROWS + 3):
        one = Transcript(f"s{number}", "2026-03-10T10:00:00", cwd=f"/home/dana/p{number}")
        sessions.append(one.prompt("Go").response(tokens=(0, 1000 + number, 0, 0)))
    async with opened(store_of(tmp_path, sessions)) as (app, pilot):
        await press(pilot, "b", "u")
        shown = app.query_one("#by", TokenTable).records
        assert [str(shown[-1].cells["name"]), shown[-1].cells["total_tokens"]] == ["3 others", "3.0k"]
        assert "197 others" in screen_text(app), "the chart has a layer for them"


async def test_projects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    sessions = [
        Transcript(who, "2026-03-10T10:00:00", cwd=f"/home/{who}/api").prompt("Go").response() for who in ("ann", "bob")
    ]
    async with opened(store_of(tmp_path, sessions)) as (app, pilot):
        await press(pilot, "b")
        assert sorted(names(app)) == ["ann/api", "bob/api"]
        assert {str(row.cells["project"]) for row in app.query_one("#top", TokenTable).records} == {
            "ann/api",
            "bob/api",
        }


async def test_an_empty_store_says_what_would_be_here(tmp_path: Path) -> None:
    async with opened(store_of(tmp_path, [])) as (app, _):
        told = " ".join(screen_text(app).split())
        assert "No tokens yet" in told
        assert "~/.claude" in told
        assert "agnes-stats --demo" in told


async def test_days_without_tokens_say_which_key_helps(store: Store) -> None:
    async with opened(store, now=dt.datetime(2027, 1, 1)) as (app, pilot):
        assert "No tokens in these days. Press r for a longer range." in screen_text(app)
        await show_days(pilot, "all")
        assert "opus-4.5" in screen_text(app)


async def test_filters_that_match_nothing_say_which_key_clears_them(store: Store) -> None:
    async with opened(store, chosen=Filter(model="gpt-99")) as (app, pilot):
        assert "Nothing matches these filters. Press Escape" in screen_text(app)
        await press(pilot, "escape")
        assert "opus-4.5" in screen_text(app)


async def test_a_failure_is_told_in_the_pane(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy(store.path, 4711)

    monkeypatch.setattr(TokensPane, "load", busy)
    async with opened(store) as (app, pilot):
        assert "process 4711" in " ".join(screen_text(app).split())
        monkeypatch.undo()
        await press(pilot, "f5")
        assert "opus-4.5" in screen_text(app)


async def test_the_keys_are_heard_where_there_is_nothing_to_see(store: Store) -> None:
    async with opened(store, now=NOW + dt.timedelta(days=20)) as (app, pilot):
        await press(pilot, "1")
        await show_days(pilot, "7 days")
        await press(pilot, "2")
        assert "Spend by" not in screen_text(app)
        await press(pilot, "b")
        await show_days(pilot, "30")
        assert "Spend by day and model" in screen_text(app), "nothing is broken down where nothing is shown"
        await press(pilot, "b")
        assert "Spend by day and project" in screen_text(app)
