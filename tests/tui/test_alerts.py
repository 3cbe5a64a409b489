"""What the user is called for, how, and how often; and the header that says how it stands."""

from __future__ import annotations

import datetime as dt
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.news import UpToDate
from agnes_stats.queries.budget import Budget
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.live import LiveSession, Told, ToldState, running_now
from agnes_stats.queries.store import Store
from agnes_stats.tui import header, notifying
from agnes_stats.tui.alerts import Alerts
from agnes_stats.tui.messages import IngestNews
from agnes_stats.tui.notifying import Notifier
from agnes_stats.tui.sessions.now import NowCards
from agnes_stats.tui.settings import BadSetting, settings_from

from tests.storing import until
from tests.transcripts import Transcript, catch_up, store_of, write
from tests.tui.running import NOW, running, screen_text, settle

BEGUN = NOW - dt.timedelta(minutes=1)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> LiveSession:
    """A session with an open call."""
    told = Transcript("s", NOW).title("fix the \x1b[31mchurn query").prompt("go")
    told.response(("a", "Bash", {"command": "make deploy"}))
    with store_of(tmp_path_factory.mktemp("live"), [told]).read() as connection:
        return running_now(connection, Filter(), now=NOW)[0]


def doing(session: LiveSession, state: str, since: dt.datetime | None = NOW) -> list[LiveSession]:
    import dataclasses

    return [dataclasses.replace(session, state=state, since=since)]


def test_a_card_is_painted_anew_only_where_it_says_something_else(
    session: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[int] = []
    monkeypatch.setattr(NowCards, "_most", 3)
    monkeypatch.setattr(NowCards, "repaint_lines", lambda _, lines: painted.extend(lines))
    cards = NowCards()
    cards._live, cards._now = (*doing(session, "permission"), *doing(session, "waiting", None)), NOW
    told = []
    for seconds in (1, 2, 59, 61, 75, 100, 121):
        cards.tick(NOW + dt.timedelta(seconds=seconds))
        told.append(list(painted))
        painted.clear()
    assert told == [[1], [1], [1], [1], [], [], [1]]


def spent(usd: float, **more: Any) -> list[Budget]:
    return [Budget(NOW.date().replace(day=1), 100.0, usd, 0, 0, **more)]


def test_each_change_is_told_once(session: LiveSession) -> None:
    alerts = Alerts(BEGUN)

    def news(state: str) -> list[str]:
        return alerts.news(doing(session, state), [], is_settled=True)

    assert news("working") == []
    assert news("permission") == ["fix the churn query (warehouse) asks for permission: Bash make deploy"]
    assert news("permission") == []
    assert news("working") == []
    assert news("waiting") == ["fix the churn query (warehouse) waits for you"]
    assert alerts.news([], [], is_settled=True) == []
    assert news("waiting") == [], "it was out of sight"
    assert news("working") == []
    assert news("idle") == ["fix the churn query (warehouse) is done"]
    assert news("shell") == news("idle") == []


def test_what_was_so_at_the_start_is_not_told(session: LiveSession) -> None:
    alerts = Alerts(BEGUN)
    long_ago = doing(session, "waiting", BEGUN - dt.timedelta(hours=1))
    assert alerts.news(long_ago, spent(85.0), is_settled=True) == []
    assert Alerts(BEGUN).news(long_ago, [], is_settled=False) == []
    late = Alerts(BEGUN)
    assert late.news([], [], is_settled=True) == []
    assert late.news(long_ago, [], is_settled=True) == [], "it was read only now"
    assert late.news([], [], is_settled=True) == []
    assert len(Alerts(BEGUN).news(doing(session, "waiting"), [], is_settled=True)) == 1, "this is new"
    assert Alerts(BEGUN).news(doing(session, "waiting"), [], is_settled=False) == []


def test_a_budget_is_told_at_80_and_at_100_percent_once_each() -> None:
    alerts = Alerts(BEGUN)

    def news(usd: float, *, is_settled: bool = True, **more: Any) -> list[str]:
        return alerts.news([], spent(usd, **more), is_settled=is_settled)

    assert news(10.0, is_settled=False) == news(81.0, is_settled=False) == []
    assert news(82.0) == [], "all is read now: it was so at the start"
    assert news(99.0) == []
    assert news(100.0) == ["over budget: $100.00 of $100.00 in March (100 %)"]
    assert news(99.0) == news(120.0) == []
    assert news(79.0, period="day") == []
    assert news(80.0, period="day") == ["near day budget: $80.00 of $100.00 today (80 %)"]
    assert news(180.0, period="session", session_id="abcdefgh-1234") == [
        "abcdefgh: over session budget: $180.00 of $100.00 in this session (180 %)"
    ]
    assert news(180.0, period="session", session_id="abcdefgh-1234") == []


def test_a_budget_of_a_session_says_which(session: LiveSession) -> None:
    alerts, live = Alerts(BEGUN), doing(session, "working")
    assert alerts.news(live, [], is_settled=True) == []
    (line,) = alerts.news(live, spent(80.0, period="session", session_id="s"), is_settled=True)
    assert line.startswith("fix the churn query (warehouse): near session budget: $80.00 of $100.00")


# -- how -------------------------------------------------------------------------------------------------------------


class Screen:
    """What a notifier knows of the app."""

    def __init__(self) -> None:
        self.rung = 0
        self.written: list[str] = []
        self._driver = self

    def bell(self) -> None:
        self.rung += 1

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        self.written.append("")


def failures() -> tuple[list[str], Any]:
    found: list[str] = []
    return found, found.append


def test_off_bell_and_the_terminals_own_notification() -> None:
    screen = Screen()
    for how in ("off", "bell", "osc9"):
        Notifier(how, pytest.fail).tell(screen, "fix \x1b]9;evil\x07 waits\nfor you")
    assert screen.rung == 1
    assert screen.written == ["\x1b]9;fix waits for you\x07", ""]


def test_a_command_gets_the_line_as_its_last_word_and_on_standard_input_and_no_shell_sees_it(tmp_path: Path) -> None:
    program, out = tmp_path / "tell me", tmp_path / "out.json"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\ntold = json.dumps([sys.argv[1:], sys.stdin.read()])\n"
        f"open({str(out)!r} + '.new', 'w').write(told)\nos.rename({str(out)!r} + '.new', {str(out)!r})\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    line = "$(touch evil) `touch evil`; touch evil & 'x' \"y\" --help"
    Notifier(f"'{program}' --title agnes", pytest.fail).tell(Screen(), line)
    until(out.exists)
    assert json.loads(out.read_text()) == [["--title", "agnes", line], f"{line}\n"]
    assert not (Path.cwd() / "evil").exists()


@pytest.mark.parametrize(("how", "why"), [("/no/such/program", "No such file"), ("false", "ended with 1")])
def test_a_command_that_cannot_tell_says_so(how: str, why: str) -> None:
    found, failed = failures()
    Notifier(how, failed).tell(Screen(), "x")
    until(lambda: found)
    assert why in found[0]


def test_a_command_that_takes_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "COMMAND_SECONDS", 0.05)
    found, failed = failures()
    Notifier("sh -c 'exec sleep 600'", failed).tell(Screen(), "x")
    until(lambda: found)
    assert "took longer" in found[0]


def test_the_way_is_off_unless_the_user_chooses(tmp_path: Path) -> None:
    def chosen(value: str | None) -> str:
        return settings_from({"notify": value, "store": str(tmp_path / "s")}, {}, tmp_path / "none").notify

    assert [chosen(value) for value in (None, "OFF", "Bell", "osc9", "notify-send agnes")] == [
        *("off", "off", "bell", "osc9", "notify-send agnes")
    ]
    for wrong in ("'half", "  ", "''", "\0"):
        with pytest.raises(BadSetting, match="--notify"):
            chosen(wrong)


# -- the header ------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A session that waits, and one that works; limits, of which one is nearly used and the other is old."""
    told = [
        Transcript("done", NOW - dt.timedelta(seconds=30)).prompt("count the orders").response(),
        Transcript("busy", NOW - dt.timedelta(seconds=20)).prompt("go").response(("a", "Bash", {"command": "make"})),
    ]
    store = store_of(tmp_path, told)
    at = NOW.replace(tzinfo=dt.UTC).timestamp()
    log = limit_log.log_beside(store.path)
    five = {"used_percentage": 84.0, "resets_at": at + 7200}
    limit_log.note(log, {"rate_limits": {"seven_day": {"used_percentage": 12, "resets_at": at + 90000}}}, at - 1500)
    limit_log.note(log, {"rate_limits": {"five_hour": {**five, "used_percentage": 64}}}, at - 1200)
    limit_log.note(log, {"rate_limits": {"five_hour": five}}, at)
    Engine(store, [Root("limits", log.parent)], workers=0).catch_up()
    return store


async def test_the_header_says_who_waits_and_what_is_left(store: Store) -> None:
    async with running(store, (160, 45), budget=0.001, budget_day=50.0) as (app, _):
        line = screen_text(app).splitlines()[0]
        assert "● 2 live  ◆ 1 waits for you  5h 84 % full at" in line
        assert "7d 12 % 25m ago" in line
        assert "over budget" in line


async def test_a_narrow_header_leaves_out_the_less_telling(store: Store) -> None:
    async with running(store, (80, 24)) as (app, _):
        line = screen_text(app).splitlines()[0]
        assert "● 2 live ◆ 1 waits 5h 84 % 7d 12 %" in line
        assert "agnes-stats" not in line
    async with running(store, (80, 24), now=NOW + dt.timedelta(days=3)) as (app, _):
        line = screen_text(app).splitlines()[0]
        assert line == " agnes-stats"


async def test_after_a_reset_nobody_knows(store: Store) -> None:
    async with running(store, now=NOW + dt.timedelta(hours=3)) as (app, _):
        assert "5h –" in screen_text(app).splitlines()[0]


async def test_a_change_is_told_to_the_user_once(store: Store, tmp_path: Path) -> None:
    async with running(store, notify="bell") as (app, pilot):
        rung: list[int] = []
        app.bell = lambda: rung.append(1)  # type: ignore[method-assign]

        async def go_on(told: Transcript, seconds: int) -> None:
            write(tmp_path / "claude", [told])
            catch_up(store, tmp_path / "claude")
            moment = NOW + dt.timedelta(seconds=seconds)
            app.now = lambda: moment
            app.post_message(IngestNews(UpToDate(1, 0.0)))
            await settle(pilot)

        busy = Transcript("busy", NOW - dt.timedelta(seconds=20)).prompt("go")
        busy.response(("a", "Bash", {"command": "make"})).wait(25).result("a")
        await go_on(busy, 6)
        assert rung == []
        await go_on(busy.wait(1).response(), 8)
        assert rung == [1]
        await go_on(busy.row("mode", mode="x"), 9)
        assert rung == [1]


async def test_what_a_process_says_is_noticed_though_nothing_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock on the cards goes on, too."""
    states = {"busy": ToldState("working", None, NOW)}
    monkeypatch.setattr(header, "told_states", lambda _: Told(dict(states)))
    monkeypatch.setattr("agnes_stats.tui.sessions.list.told_states", lambda _: Told(dict(states)))
    async with running(store) as (app, pilot):
        strip = app.query_one(header.HeaderStrip)
        strip._look(app.settings)
        await settle(pilot)
        assert "asks for permission" not in screen_text(app)
        states["busy"] = ToldState("waiting", "permission", NOW - dt.timedelta(seconds=3))
        strip._look(app.settings)
        await settle(pilot)
        assert "◆ 2 wait for you" in screen_text(app)
        assert "asks for permission since 3 s" in screen_text(app)
