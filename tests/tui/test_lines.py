"""Text that has the screen laid out anew only where it needs another room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.tui.kit.lines import StillText, same
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.screen import Screen

from tests.storing import held
from tests.tui.places import PLACES, a_bit_of_everything, everywhere
from tests.tui.running import screen_text, settle


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """A mark for each time that a screen is laid out."""
    found: list[bool] = []
    lay_out = Screen._refresh_layout
    monkeypatch.setattr(
        Screen, "_refresh_layout", lambda *given, **named: found.append(True) or lay_out(*given, **named)
    )
    yield found


class Host(App[None]):
    CSS = """
    #high { height: auto; } #fixed { height: 1; } #wide { width: auto; height: 1; } #end { height: 1; }
    #other { height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield StillText(id="high", markup=False)
        yield StillText(id="fixed", markup=False)
        yield StillText(id="wide", markup=False)
        with Vertical(id="other"):
            yield StillText("hidden", id="inner", markup=False)
        yield StillText("end", id="end", markup=False)

    def line(self, name: str) -> StillText:
        return self.query_one(f"#{name}", StillText)


async def test_only_another_room_has_the_screen_laid_out(laid_out: list[bool]) -> None:
    app = Host()
    async with app.run_test(size=(20, 12)) as pilot:

        async def after(name: str, content: str | Text) -> tuple[bool, list[str]]:
            await pilot.pause()
            laid_out.clear()
            app.line(name).update(content)
            await pilot.pause()
            return bool(laid_out), [line for line in screen_text(app).splitlines() if line]

        assert await after("high", "one") == (False, ["one", "hidden", "end"])
        assert await after("high", "two") == (False, ["two", "hidden", "end"])
        assert await after("high", Text("two\nlines")) == (True, ["two", "lines", "hidden", "end"])
        assert await after("high", Text("two\nwords")) == (False, ["two", "words", "hidden", "end"])
        assert (await after("high", "a text that is too long for one line"))[1][1] == "long for one line"
        assert await after("high", "x") == (True, ["x", "hidden", "end"])
        assert await after("fixed", "a text that is too long for one line") == (
            False,
            ["x", "a text that is too", "hidden", "end"],
        )
        assert await after("wide", "abc") == (True, ["x", "a text that is too", "abc", "hidden", "end"])
        assert not (await after("wide", "abd"))[0]
        assert await after("wide", "abdef") == (True, ["x", "a text that is too", "abdef", "hidden", "end"])


async def test_what_is_hidden_is_laid_out_when_it_is_shown(laid_out: list[bool]) -> None:
    app = Host()
    async with app.run_test(size=(20, 12)) as pilot:
        other = app.query_one("#other")
        other.display = False
        await pilot.pause()
        laid_out.clear()
        app.line("inner").update("now\nthere are\nthree")
        await pilot.pause()
        assert laid_out == []
        other.display = True
        await pilot.pause()
        assert [line for line in screen_text(app).splitlines() if line] == ["now", "there are", "three", "end"]


def test_texts_that_look_alike() -> None:
    assert same("a", "a") and same(Text("a", "bold"), Text("a", "bold"))
    assert not same("a", Text("a")) and not same(None, None)
    assert not same(Text("a"), Text("a", "bold")) and not same(Text("a"), Text("a", justify="right"))


@pytest.mark.long
async def test_what_is_asked_again_and_says_the_same_does_not_lay_out_any_place(
    own_home: Path, laid_out: list[bool]
) -> None:
    seen = []
    with held(a_bit_of_everything(own_home)) as store:
        async with everywhere(store, (140, 45)) as places:
            async for place, app, pilot in places:
                for _ in range(2):
                    # At first it may be found out what there is room for.
                    laid_out.clear()
                    shown = screen_text(app)
                    app.active_pane.refresh_data()
                    app.header.refresh_data()
                    app._refresh_details()
                    await settle(pilot)
                assert (screen_text(app), laid_out) == (shown, []), place
                seen.append(place)
    assert seen == list(PLACES)


async def test_a_line_that_is_too_long_says_so() -> None:
    """One line and an ellipsis for a text that asks for them, others wrap, whichever comes after the other."""
    app = Host()
    async with app.run_test(size=(10, 8)) as pilot:
        long = "one two three"
        for text, lines in (
            (Text(long), ["one two", "three"]),
            (Text(long, no_wrap=True, overflow="ellipsis"), ["one two t…"]),
            (Text(long, no_wrap=True, overflow="crop"), ["one two th"]),
            (Text(long), ["one two", "three"]),
        ):
            app.line("high").update(text)
            await pilot.pause()
            assert [line.rstrip() for line in screen_text(app).splitlines()][: len(lines)] == lines, text.overflow
