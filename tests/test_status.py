"""`status`: how it stands, for a machine: what runs, what today took, limits, budgets, and an exit status."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.session_states import proc_stat
from agnes_stats.tui import cli

from tests.formats.test_codex import A
from tests.ingest.test_session_states import ON_LINUX, other, put
from tests.transcripts import Transcript, write

__all__ = ["other"]

NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
ZONE = f"Etc/GMT{NOW.hour - 12:+d}"
"""A zone where it is noon: there today is today while this runs."""


def just_now() -> dt.datetime:
    """What ran when the tests were collected runs no more when they have taken five minutes."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of Claude Code's with a session that has answered just now: 0.01 USD of Opus 4.5."""
    told = Transcript("s1", just_now()).prompt("/secret words").response(tokens=(0, 400, 0, 0))
    write(tmp_path / "claude", [told])
    return tmp_path


def status(home: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    places = ["--store", str(home / "data" / "s.duckdb"), "--source", f"claude={home / 'claude'}", "--tz", ZONE]
    exit_status = cli.main(["status", "--json", *places, *options])
    told = capsys.readouterr()
    assert told.err == ""
    return exit_status, json.loads(told.out)


def test_it_tells_what_runs_and_what_today_took_and_nothing_private(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_status, answer = status(home, capsys)
    assert exit_status == 0
    (live,) = answer["live"]
    assert (live["session"], live["agent"], live["state"], live["exact"]) == ("s1", "claude-code", "waiting", False)
    since = dt.datetime.fromisoformat(live["since"]).replace(tzinfo=None)
    assert dt.timedelta() <= just_now() - since < dt.timedelta(minutes=5)
    assert (live["tokens_per_minute"], live["usd_per_hour"]) == (80.0, pytest.approx(0.12))
    assert answer["today"]["tokens"]["total"] == 400
    assert answer["today"]["cost_usd"] == pytest.approx(0.01)
    assert (answer["limits"], answer["budget"]) == ([], [])
    text = json.dumps(answer)
    assert "secret" not in text and str(home) not in text and "/work" not in text


@pytest.mark.parametrize(
    ("options", "exit_status"),
    [
        (("--budget", "1"), 0),
        (("--budget-day", "0.0125"), 10),
        (("--budget-week", "0.011"), 10),
        (("--budget", "0.01"), 20),
        (("--budget-session", "0.005", "--budget", "5"), 20),
        (("--budget-day", "0.0125", "--no-cost"), 0),
    ],
)
def test_the_exit_status_tells_of_budgets(
    home: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], exit_status: int
) -> None:
    found, answer = status(home, capsys, *options)
    assert found == exit_status
    assert bool(answer["budget"]) == ("--no-cost" not in options)
    for one in answer["budget"]:
        assert one["used_ratio"] == one["spent_usd"] / one["limit_usd"]
        assert (one["session"] == "s1", one["projected_usd"] is None) == ((one["period"] == "session",) * 2)


@pytest.mark.parametrize(("used", "hours", "exit_status"), [(79.9, 1, 0), (80, 1, 10), (100, 1, 20), (100, -1, 0)])
def test_the_exit_status_tells_of_limits(
    home: Path, capsys: pytest.CaptureFixture[str], used: float, hours: float, exit_status: int
) -> None:
    (home / "data").mkdir()
    window = {"used_percentage": used, "resets_at": time.time() + 3600 * hours}
    assert limit_log.note(home / "data" / limit_log.NAME, {"rate_limits": {"seven_day": window}}, time.time())
    found, answer = status(home, capsys)
    assert found == exit_status
    (limit,) = answer["limits"]
    assert limit["used_percentage"] == (used if hours > 0 else None)


@ON_LINUX
def test_a_process_says_what_its_session_does(home: Path, capsys: pytest.CaptureFixture[str], other: Any) -> None:
    found = proc_stat(other.pid)
    assert found is not None
    put(home / "claude", other.pid, procStart=str(found[1]), status="waiting", waitingFor="permission to use Bash")
    (live,) = status(home, capsys)[1]["live"]
    assert (live["state"], live["exact"], live["since"][:16]) == ("permission", True, "2026-03-10T14:00")
    (live,) = status(home, capsys, "--no-ingest")[1]["live"]
    assert (live["state"], live["exact"]) == ("waiting", False), "no file is to be read"
    other.kill()
    other.wait()
    assert status(home, capsys)[1]["live"] == []


def test_for_people_it_is_a_few_lines(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--store", str(home / "s.duckdb"), "--source", f"claude={home / 'claude'}", "--tz", ZONE]
    assert cli.main(["status", *places, "--budget-day", "0.0125"]) == 10
    told = capsys.readouterr().out
    assert "waiting (inferred)" in told
    assert "Today $0.01 400 tokens" in told
    assert "Budget of a day $0.01 of $0.01 (80 %)" in told


def test_of_what_was_written_it_tells_what_was_thinking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = {"input_tokens": 100, "cached_input_tokens": 0, "output_tokens": 50, "reasoning_output_tokens": 20}
    at = f"{NOW.isoformat()}Z"
    meta = {"id": A, "timestamp": at, "cwd": "/w", "cli_version": "0.144.0", "model_provider": "openai"}
    info = {"total_token_usage": {**used, "total_tokens": 150}, "last_token_usage": {**used, "total_tokens": 150}}
    rows = [("session_meta", meta), ("turn_context", {"turn_id": None, "model": "gpt-5.2-codex"})]
    rows.append(("event_msg", {"type": "token_count", "info": info}))
    path = tmp_path / "codex" / "sessions" / "2026" / "07" / "01" / f"rollout-2026-07-01T10-00-00-{A}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps({"timestamp": at, "type": kind, "payload": of}) + "\n" for kind, of in rows))
    places = ["--store", str(tmp_path / "s.duckdb"), "--source", f"codex={tmp_path / 'codex'}", "--tz", ZONE]
    assert cli.main(["status", "--json", *places]) == 0
    tokens = json.loads(capsys.readouterr().out)["today"]["tokens"]
    assert (tokens["output"], tokens["reasoning"]) == (50, 20)
