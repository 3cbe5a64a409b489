"""Which agent, machine and person: told on every tab and by every command where there are several, else nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store
from agnes_stats.queries.tellers import NOBODY
from agnes_stats.tui import cli, learnt

from tests.formats import test_gemini
from tests.formats.arriving import lines
from tests.storing import held, store_in
from tests.transcripts import Transcript
from tests.tui.running import press, running, screen_text

CALL = ("c1", "Bash", {"command": "duckdb shop.duckdb -c 'from orders'"})


def world(folder: Path, *, several: bool) -> Store:
    """A session of Claude Code; where there are several agents, a chat of Gemini CLI's from a laptop, too."""
    claude, gemini = folder / "claude", folder / "gemini"
    talk = Transcript("s-claude", "2026-03-10T12:00:00", cwd="/home/ann/shop").prompt("Count the orders")
    path = claude / "projects" / "-home-ann-shop" / "s-claude.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(lines(*talk.response(CALL).wait(2).result("c1", "12 rows").response().rows), "utf-8")
    roots = [Root("claude", claude)]
    if several:
        head = {"sessionId": "s-gemini", "projectHash": "x", "startTime": "2026-03-10T13:00:00.000Z"}
        call = {"id": "t1", "name": "run_shell_command", "args": {"command": "duckdb till.duckdb -c 'from sales'"}}
        answer = {"id": "m2", "timestamp": "2026-03-10T13:01:00.000Z", "type": "gemini", "content": "ok"}
        answer |= {"model": "gemini-2.5-pro", "tokens": {"input": 700, "output": 30, "total": 730}}
        answer |= {"toolCalls": [call | {"status": "success", "timestamp": "2026-03-10T13:01:02.000Z"}]}
        ask = {"id": "m1", "timestamp": "2026-03-10T13:00:01.000Z", "type": "user", "content": "Sum up the sales"}
        chat = gemini / test_gemini.CHAT
        chat.parent.mkdir(parents=True)
        chat.write_text(lines(head, ask, answer), "utf-8")
        roots.append(Root("gemini", gemini, "laptop"))
    store = store_in(folder)
    Engine(store, roots, workers=0).catch_up()
    return store


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("several"), several=True)) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("alone"), several=False)) as made:
        yield made


async def test_every_tab_tells_the_agent_where_there_are_several(several: Store) -> None:
    async with running(several, (240, 50)) as (app, pilot):
        for tab in "123":
            await press(pilot, tab)
            shown = screen_text(app)
            assert "Agent" in shown, tab
            assert {"claude-code", "gemini"} <= set(shown.split()), tab
            assert "Machine" in shown, tab
            assert "laptop" in shown, tab
            assert "all agents" in shown, tab


async def test_the_first_screen_offers_to_pick_an_agent_once_it_is_known_that_there_are_several(
    several: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learnt, "_tellers", NOBODY)
    async with running(several, (140, 45)) as (app, _):
        assert "all agents ▾" in screen_text(app)


async def test_with_one_agent_nobody_is_told_which_and_there_is_nothing_to_pick(alone: Store) -> None:
    async with running(alone, (180, 50)) as (app, pilot):
        for tab in "1234":
            await press(pilot, tab)
            shown = screen_text(app)
            assert "claude-code" not in shown, tab
            assert "Machine" not in shown, tab
            assert "all agents" not in shown, tab
        screen = app.screen
        await press(pilot, "A", "M", "U")
        assert app.screen is screen


async def test_one_agent_is_picked_by_keys_and_dropped_again(several: Store) -> None:
    async with running(several, (140, 45)) as (app, pilot):
        await press(pilot, "A")
        await press(pilot, *"gem", "enter")
        assert app.chosen.agent == "gemini"
        shown = screen_text(app)
        assert "Sum up the sales" in shown
        assert "Count the orders" not in shown
        await press(pilot, "escape")
        assert app.chosen.agent is None
        await press(pilot, "M")
        await press(pilot, *"lap", "enter")
        assert app.chosen.machine == "laptop"
        assert "Count the orders" not in screen_text(app)


async def test_tokens_are_broken_down_by_agent_and_enter_filters(several: Store) -> None:
    async with running(several, (140, 45)) as (app, pilot):
        await press(pilot, "2", "b", "b")
        assert "and agent" in screen_text(app)
        await press(pilot, "enter")
        assert app.chosen.agent in ("claude-code", "gemini")


async def test_with_one_agent_tokens_are_not_broken_down_by_it(alone: Store) -> None:
    async with running(alone, (140, 45)) as (app, pilot):
        await press(pilot, "2")
        for _ in range(8):
            await press(pilot, "b")
            titles = screen_text(app)
            assert "and agent" not in titles.replace("and agent type", "").replace("and agent version", "")
            assert "and machine" not in titles
            assert "and user" not in titles


async def test_the_details_tell_who(several: Store) -> None:
    async with running(several, (140, 45)) as (app, pilot):
        await press(pilot, "enter")
        assert {"Agent", "gemini", "Machine", "laptop"} <= set(screen_text(app).split())


# -- commands --------------------------------------------------------------------------------------------------------


def said(store: Store, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    capsys.readouterr()
    places = ("--store", str(store.path), "--no-ingest", "--tz", "UTC")
    assert cli.main([*command, *places]) == 0
    return capsys.readouterr().out


COUNTED: dict[str, Any] = {
    "sessions": lambda told: told["rows"][0]["tokens_total"],
    "tokens": lambda told: told["totals"]["total"],
    "home": lambda told: told["tokens"]["total"],
    "breakdown": lambda told: told["totals"]["total_tokens"],
    "daily": lambda told: told["totals"]["totalTokens"],
    "weekly": lambda told: told["totals"]["totalTokens"],
    "monthly": lambda told: told["totals"]["totalTokens"],
    "models": lambda told: told["totals"]["totalTokens"],
    "blocks": lambda told: sum(block["totalTokens"] for block in told["blocks"]),
}
"""Command -> the tokens that its answer counts."""


@pytest.mark.parametrize("option", [("--agent", "gemini"), ("--machine", "laptop")])
@pytest.mark.parametrize("command", [name for name in COUNTED if name != "home"])
def test_every_command_counts_one_agent_alone(
    command: str, option: tuple[str, str], several: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COUNTED[command](json.loads(said(several, capsys, command, "--json", *option))) == 730


@pytest.mark.parametrize("option", [("--agent", "gemini"), ("--machine", "laptop")])
def test_accesses_of_one_agent_alone(
    option: tuple[str, str], several: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = json.loads(said(several, capsys, "queries", "--json", "--all", *option))["rows"]
    assert {(row["agent"], row["machine"], row["username"]) for row in rows} == {("gemini", "laptop", None)}
    assert "table:sales" in {row["resource"] for row in rows}


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        ("sessions", lambda told: told["rows"]),
        ("tokens", lambda told: told["top_sessions"]),
        ("tokens", lambda told: told["by_model"]),
        ("models", lambda told: told["models"]),
        ("queries", lambda told: told["rows"]),
    ],
)
def test_rows_say_who_told_them(command: str, rows: Any, several: Store, capsys: pytest.CaptureFixture[str]) -> None:
    told = rows(json.loads(said(several, capsys, command, "--json")))
    whose = {(row["agent"], row["machine"], row["username"]) for row in told}
    assert whose == {("claude-code", None, None), ("gemini", "laptop", None)}


def test_a_sum_of_several_agents_names_none(several: Store, capsys: pytest.CaptureFixture[str]) -> None:
    [day] = json.loads(said(several, capsys, "daily", "--json"))["daily"]
    assert (day["agent"], day["machine"]) == (None, None)
    whose = {(model["agent"], model["machine"]) for model in day["modelBreakdowns"]}
    assert whose == {("claude-code", None), ("gemini", "laptop")}
    [day] = json.loads(said(several, capsys, "daily", "--json", "--agent", "gemini"))["daily"]
    assert (day["agent"], day["machine"]) == ("gemini", "laptop")


@pytest.mark.parametrize("command", ["sessions", "queries"])
def test_tables_have_a_column_for_it_where_there_are_several(
    command: str, several: Store, alone: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agnes_stats.tui.commands.page.PIPED_WIDTH", 200)
    assert {"Agent", "gemini", "Machine", "laptop"} <= set(said(several, capsys, command).split())
    assert "Agent" not in said(alone, capsys, command)
