"""What an agent does not tell is absent, and the place where it would stand says why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.store import Store

from tests.formats import test_copilot, test_gemini
from tests.formats.arriving import arrived, lines
from tests.storing import close_all, held
from tests.tui.running import at_sizes, press, running, screen_text, show_days

REASON = "Copilot tells input when the session ends"


def made(kind: str, name: str, content: str, folder: Path) -> Store:
    """A store that this test's dashboard may open by itself."""
    store = arrived("at once", kind, {name: content}, folder)
    close_all()
    return store


def copilot(folder: Path, *rows: object) -> Store:
    told = (test_copilot.START, test_copilot.ASK, test_copilot.answer(2, 30), *rows)
    return made("copilot", test_copilot.EVENTS, lines(*told), folder)  # type: ignore[arg-type]


@pytest.fixture
def running_session(tmp_path: Path) -> Iterator[Store]:
    with held(copilot(tmp_path)) as made:
        yield made


@pytest.fixture
def closed_session(tmp_path: Path) -> Iterator[Store]:
    with held(copilot(tmp_path, test_copilot.closed(3, 1000, 50, 700, 100, 9))) as made:
        yield made


async def test_input_of_a_session_of_copilot_that_runs(running_session: Store) -> None:
    async with running(running_session, (140, 45)) as (_, pilot):
        await show_days(pilot, "all")
        await press(pilot, "enter")
        async for _, shown in at_sizes(pilot, [(140, 45), (100, 30)]):
            assert REASON in " ".join(shown.split())
            assert "Input 0" not in " ".join(shown.split())


async def test_input_of_a_session_of_copilot_that_is_closed(closed_session: Store) -> None:
    async with running(closed_session, (140, 45)) as (app, pilot):
        await show_days(pilot, "all")
        await press(pilot, "enter")
        shown = " ".join(screen_text(app).split())
        assert REASON not in shown
        assert "Input 200" in shown


async def test_branch_version_and_time_of_a_call_that_gemini_does_not_tell(tmp_path: Path) -> None:
    call = {"id": "t", "name": "run_shell_command", "args": {"command": "duckdb a.db -c 'from t'"}}
    answer = test_gemini.answer(2, {"input": 7, "output": 3}) | {"toolCalls": [call | {"status": "success"}]}
    with held(made("gemini", test_gemini.CHAT, lines(test_gemini.HEAD, answer), tmp_path)) as store:
        async with running(store, (140, 45)) as (app, pilot):
            await show_days(pilot, "all")
            await press(pilot, "enter")
            shown = " ".join(screen_text(app).split())
            assert "Branch Gemini CLI tells no branch" in shown
            assert "Versions Gemini CLI tells no version" in shown
            await press(pilot, "escape", "3")
            assert "Gemini CLI does not tell when a call ended" in screen_text(app)


async def test_the_list_of_sources_says_what_they_do_not_tell(running_session: Store) -> None:
    async with running(running_session, (140, 45)) as (app, pilot):
        await press(pilot, "4")
        assert REASON in screen_text(app)
