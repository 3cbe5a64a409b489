"""How much of a plan's limits is used: what the status line was told, what rollouts say, and when it will be full."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import plan_limits
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.plan_limits import PlanLimit
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.formats.test_codex import A, B, at, event, head, rollout, turn, uuid7
from tests.storing import store_in

NOW = dt.datetime(2026, 11, 5, 12)
"""A Thursday; UTC."""


def moment(hours: float) -> float:
    """Seconds since 1970, so many hours after NOW."""
    return (NOW + dt.timedelta(hours=hours)).replace(tzinfo=dt.UTC).timestamp()


def told(session: str = "s1", spent: float = 1.0, **windows: Any) -> dict[str, Any]:
    """What Claude Code tells its status line."""
    return {"session_id": session, "cost": {"total_cost_usd": spent}, "rate_limits": windows}


def window(used: Any, resets: float | None = 3.0) -> dict[str, Any]:
    """A window of which so much is used, and that ends so many hours after NOW."""
    return {"used_percentage": used} | ({} if resets is None else {"resets_at": moment(resets)})


class Log:
    """The file beside a store, and the store that reads it."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = store_in(folder)
        self.path = limit_log.log_beside(self.store.path)

    def note(self, hours: float, payload: dict[str, Any]) -> bool:
        return limit_log.note(self.path, payload, moment(hours))

    def limits(self, hours: float = 0.0) -> dict[str, PlanLimit]:
        Engine(self.store, [Root("limits", self.path.parent)], workers=0).catch_up()
        with self.store.read() as connection:
            found = plan_limits.limits(connection, Filter(), now=NOW + dt.timedelta(hours=hours))
        assert len({limit.window for limit in found}) == len(found)
        return {limit.window: limit for limit in found}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_every_window_that_says_how_much_is_used_is_read_and_nothing_else(log: Log) -> None:
    windows = {
        "five_hour": window(28.000000000000004),
        "seven_day": None,
        "seven_day_opus": window(57.99999999999999, None),
        "extra_usage": {"is_enabled": False},
        "odd": window("12"),
        "odder": window(True),
        "oddest": window(float("nan")),
        "less": window(-3),
        "\x1b]0;title\x07": window(3),
        "\ud800": window(3),
        "": window(3),
        "x" * 1000: window(3),
    }
    assert log.note(-0.1, told(**windows))
    found = log.limits()
    assert {name: limit.used_percentage for name, limit in found.items()} == {"five_hour": 28.0, "seven_day_opus": 58.0}
    assert found["five_hour"].resets_at == NOW + dt.timedelta(hours=3)
    assert found["seven_day_opus"].resets_at is None
    assert found["five_hour"].account is None
    assert found["five_hour"].agent == "claude-code"


@pytest.mark.parametrize("limits", [None, {}, [], "x", {"five_hour": None}, {"five_hour": {}}, {"five_hour": [1]}])
def test_no_window_is_no_sample(log: Log, limits: object) -> None:
    assert not log.note(0, {"session_id": "s1", "rate_limits": limits})
    assert not log.path.exists()


def test_only_what_is_news_is_kept_for_its_owner_only(log: Log) -> None:
    assert log.note(-3, told(five_hour=window(10)))
    assert not log.note(-2.9, told(five_hour=window(10.000000000000002)))
    assert log.note(-2.8, told(five_hour=window(11)))
    assert not log.note(-2.7, told(five_hour=window(11))), "the session has had no other answer"
    assert log.note(-2.6, told(five_hour=window(11), spent=2.0)), "it has"
    assert log.note(-2.5, told("s2", five_hour=window(30)))
    assert not log.note(-2.4, told(five_hour=window(11), spent=2.0)), "an idle session repeats what it heard long ago"
    assert log.limits()["five_hour"].last_used == 30.0
    assert len(log.path.read_text().splitlines()) == 4
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_what_cannot_be_written_to_is_left_alone(log: Log) -> None:
    os.mkfifo(log.path)
    assert not log.note(0, told(five_hour=window(10)))
    assert not limit_log.note(log.path.parent / "missing" / "limits.jsonl", told(five_hour=window(10)), moment(0))


def test_ten_minutes_make_it_stale_and_after_its_reset_nobody_knows(log: Log) -> None:
    log.note(-1, told(five_hour=window(40, 1.0)))
    assert not log.limits(-1 + 10 / 60)["five_hour"].stale
    late = log.limits(-1 + 11 / 60)["five_hour"]
    assert (late.stale, late.used_percentage) == (True, 40.0)
    over = log.limits(1.0)["five_hour"]
    assert (over.stale, over.used_percentage, over.last_used) == (True, None, 40.0)
    assert over.as_of == NOW - dt.timedelta(hours=1)


def test_the_line_goes_through_the_first_and_the_last_sample_of_the_hour(log: Log) -> None:
    for hours, used in ((-3, 5), (-1, 50), (-0.9, 51), (0, 70)):
        log.note(hours, told(five_hour=window(used, 2.0)))
    # 20 % in an hour: 30 % more take an hour and a half.
    assert log.limits()["five_hour"].projected_full_at == NOW + dt.timedelta(hours=1.5)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([(0, 50, 2.0)], "one sample"),
        ([(-2, 10, 2.0), (0, 50, 2.0)], "the other one is older than an hour"),
        ([(-0.5, 50, 2.0), (0, 50, 2.0)], "no growth"),
        ([(-0.5, 40, 2.0), (0, 50, 2.0)], "full after the reset"),
        ([(-0.5, 90, 0.2), (0, 95, 5.0)], "another window"),
        ([(-0.5, 90, None), (0, 95, 5.0)], "nobody said that it is the same window"),
        ([(-0.5, 80, None), (-0.2, 3, None)], "less than before: it was reset"),
        ([(-0.5, 80, 2.0), (0, 100, 2.0)], "full already"),
        ([(-0.5, 80, 2.0), (0, 120, 2.0)], "more than full"),
    ],
)
def test_nothing_is_foretold(log: Log, samples: list[tuple[float, float, float | None]], why: str) -> None:
    for spent, (hours, used, resets) in enumerate(samples):
        log.note(hours, told(spent=spent, five_hour=window(used, resets)))
    assert log.limits()["five_hour"].projected_full_at is None, why


def test_a_week_with_a_reset(log: Log) -> None:
    """Twenty minutes apart, seven days long: a week ends after the fifth day, five hours often."""
    for number in range(7 * 72 + 1):
        hours = number / 3 - 168
        week = (number / 3 / 120 % 1) * 60
        ends = hours + 5 - (number / 3) % 5
        five = window(number / 3 % 5 * 15, ends)
        log.note(hours, told(spent=number, five_hour=five, seven_day=window(week, -48 if hours < -48 else 72)))
    found = log.limits()
    assert found["seven_day"].used_percentage == 24.0
    assert found["seven_day"].resets_at == NOW + dt.timedelta(hours=72)
    assert found["five_hour"].used_percentage == 45.0
    assert found["five_hour"].projected_full_at is None, "15 % an hour is not full within its window"
    with log.store.read() as connection:
        samples = plan_limits.history(connection, Filter(), now=NOW)
    weekly = [sample.used_percentage for sample in samples if sample.span == "seven_day"]
    falls = [number for number, used in enumerate(weekly[1:]) if used < weekly[number]]
    assert len(falls) == 1
    assert max(weekly) > 59


def test_lines_that_are_no_samples_are_rejected_and_cost_nothing_else(log: Log) -> None:
    log.note(-0.1, told(five_hour=window(10)))
    with log.path.open("a") as file:
        file.write('{"ts": 5}\n{]\n{"ts": "x", "rate_limits": {"five_hour": {"used_percentage": 3}}}\n')
    log.note(0, told(five_hour=window(11)))
    assert log.limits()["five_hour"].used_percentage == 11.0
    with log.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM rejects").fetchone() == (3,)


# -- Codex -----------------------------------------------------------------------------------------------------------

FIRST = {
    "primary_used_percent": 2.0,
    "secondary_used_percent": 12.0,
    "primary_to_secondary_ratio_percent": 0.0,
    "primary_window_minutes": 299,
    "secondary_window_minutes": 10079,
}
BETWEEN = {
    "primary": {"used_percent": 5.5, "window_minutes": 300, "resets_in_seconds": 600},
    "secondary": None,
}
LATER = {
    "limit_id": "codex",
    "primary": {"used_percent": 13.0, "window_minutes": 300, "resets_at": 1782918000},
    "secondary": {"used_percent": 27.0, "window_minutes": 43200, "resets_at": 1785000000},
    "plan_type": "plus",
}


def count(second: float, limits: object) -> dict[str, Any]:
    return event(second, "token_count", info=None, rate_limits=limits)


def codex_limits(folder: Path, *rows: dict[str, Any], name: str = A) -> dict[str, PlanLimit]:
    path = folder / "codex" / rollout(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = store_in(folder)
    Engine(store, [Root("codex", folder / "codex")], workers=0).catch_up()
    now = dt.datetime.fromisoformat(at(60)).replace(tzinfo=None)
    with store.read() as connection:
        return {limit.window: limit for limit in plan_limits.limits(connection, Filter(agent="codex"), now=now)}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (FIRST, {"five_hour": (2.0, None, None), "seven_day": (12.0, None, None)}),
        (BETWEEN, {"five_hour": (5.5, "2026-07-01T10:10:10", None)}),
        (LATER, {"five_hour": (13.0, "2026-07-01T15:00", "plus"), "minutes_43200": (27.0, "2026-07-25T17:20", "plus")}),
        (LATER | {"limit_id": "spark"}, {"five_hour": (13.0, "2026-07-01T15:00", "plus · spark")}),
        ({"primary": None, "secondary": None}, {}),
        ({"primary": {"used_percent": 3}, "secondary": {"window_minutes": 300}}, {}),
        (None, {}),
        ("x", {}),
    ],
)
def test_windows_of_codex_are_named_by_their_length(
    tmp_path: Path, limits: object, expected: dict[str, tuple[float, str | None, str | None]]
) -> None:
    found = codex_limits(tmp_path, head(A), turn(1, uuid7(1)), count(10, limits))
    for name, (used, resets_at, account) in expected.items():
        limit = found[name]
        ends = None if resets_at is None else dt.datetime.fromisoformat(resets_at)
        assert (limit.used_percentage, limit.resets_at, limit.account) == (used, ends, account)
        assert limit.as_of == dt.datetime.fromisoformat(at(10)).replace(tzinfo=None)
    assert bool(found) == bool(expected)


def test_what_a_fork_copied_is_no_sample(tmp_path: Path) -> None:
    copied = count(10, LATER)
    rows = (head(B, 300, forked_from_id=A), turn(300, uuid7(1)), copied | {"timestamp": at(300.1)})
    assert codex_limits(tmp_path, *rows, name=B) == {}


# -- the commands ----------------------------------------------------------------------------------------------------


def test_the_command_tells_what_is_known_and_else_how_to_get_it(
    log: Log, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "claude").mkdir()
    places = ["--store", str(log.store.path), "--source", f"claude={tmp_path / 'claude'}", "--tz", "UTC"]
    assert cli.main(["limits", *places]) == 0
    assert '"agnes-stats statusline"' in capsys.readouterr().out
    now = dt.datetime.now(dt.UTC)
    resets_at = int((now + dt.timedelta(hours=2)).timestamp())
    payload = told(seven_day={"used_percentage": 12}, five_hour={"used_percentage": 42.7, "resets_at": resets_at})
    assert limit_log.note(log.path, payload, now.timestamp())
    assert cli.main(["limits", "--json", *places]) == 0
    five, week = json.loads(capsys.readouterr().out)["rows"]
    assert (five["window"], five["used_percentage"], five["stale"], five["account"]) == ("five_hour", 42.7, False, None)
    assert dt.datetime.fromisoformat(five["resets_at"]).timestamp() == resets_at
    assert (week["window"], week["resets_at"], week["projected_full_at"]) == ("seven_day", None, None)
    assert cli.main(["limits", *places]) == 0
    out = capsys.readouterr().out
    assert "5h" in out and "42 %" in out and "stale" not in out
