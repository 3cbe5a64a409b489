"""The doctor finds what is wrong, and what is about to vanish."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats.claude.retention import retention
from agnes_stats.tui import cli
from agnes_stats.tui.commands import doctor

from tests.storing import store_in
from tests.transcripts import Transcript, write


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
    return tmp_path / "claude"


def examined(claude: Path, capsys: pytest.CaptureFixture[str], *more: str, status: int = 0) -> dict[str, Any]:
    store = claude.with_name("data") / "store.duckdb"
    arguments = ["doctor", "--json", "--store", str(store), "--source", f"claude={claude}", *more]
    assert cli.main(arguments) == status
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["healthy"] is (status == 0)
    return told


def test_all_is_well(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = examined(claude, capsys)
    source = told["sources"][0]
    assert (source["kind"], source["files"], source["bytes_behind"], source["unreadable"]) == ("claude", 1, 0, [])
    assert (told["store"]["sessions"], told["store"]["mode"], told["store"]["folder_mode"]) == (1, "0600", "0700")
    assert told["store"]["share_of_transcripts"] > 0
    assert told["watermarks"]["oldest_session_at"] == "2026-03-10T09:00:00+00:00"
    assert {"agnes-stats", "python", "duckdb", "textual"} <= told["versions"].keys()
    assert (told["problems"], told["rejects"], told["unknown"]) == ([], [], [])


def test_a_clock_of_the_system_that_is_not_duckdb_s_is_told(
    claude: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examined(claude, capsys, "--tz", "Asia/Kathmandu")["notes"] == []
    monkeypatch.setattr(doctor, "utc_now", lambda: dt.datetime(2026, 3, 12, 9))
    # All winter long it is another time in New York; since the eighth of March it is not.
    monkeypatch.setattr(doctor, "ZoneInfo", lambda _: dt.timezone(dt.timedelta(hours=-4)))
    [note] = examined(claude, capsys, "--tz", "America/New_York")["notes"]
    assert note.startswith("this system's clock of America/New_York is not DuckDB's on 126 days since 2025-11-02")


def test_it_is_told_in_words_without_escape_codes(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (claude / "projects/-home-dana-work/x.jsonl").write_bytes(b"\x1b[2J{\n")
    arguments = ["doctor", "--store", str(claude.with_name("s.duckdb")), "--source", f"claude={claude}"]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    assert "x.jsonl at byte 0" in told
    assert "Healthy." in told
    assert "\x1b" not in told


def test_rejects_unknowns_and_models_without_a_price_are_notes(
    claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = Transcript("s2", "2026-03-10T09:00:00").response(model="acme-large").row("a-new-kind")
    write(claude, [odd])
    with (claude / "projects/-home-dana-work/s2.jsonl").open("a") as file:
        file.write("not json\n")
    told = examined(claude, capsys)
    assert [(row["length"], row["path"].endswith("s2.jsonl")) for row in told["rejects"]] == [(9, True)]
    assert any("a-new-kind" in row["what"] for row in told["unknown"])
    assert told["unpriced_models"] == ["acme-large"]


def test_a_file_that_cannot_be_parsed_is_a_problem(
    claude: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agnes_stats.ingest.formats import SOURCES

    monkeypatch.setattr(SOURCES["claude"], "read", lambda *_: dict[str, str]()["surprise"])
    told = examined(claude, capsys, status=1)
    assert "s1.jsonl cannot be parsed: KeyError: 'surprise'" in told["problems"][0]


def test_what_stays_behind_after_reading_is_a_problem(
    claude: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(claude / "projects/-home-dana-work/s1.jsonl", (1e9, 1e9))
    claude.with_name("data").mkdir()
    store_in(claude.with_name("data"))
    examined(claude, capsys, "--no-ingest")
    monkeypatch.setattr(Engine, "_read_few", lambda *_: None)
    told = examined(claude, capsys, status=1)
    assert "1 file under" in told["problems"][0]
    assert told["sources"][0]["files_behind"] == 1


@pytest.mark.parametrize("content", [b"x" * 20000, b"DUCK"])
def test_a_store_that_cannot_be_read_is_a_problem(
    claude: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    data = claude.with_name("data")
    data.mkdir()
    (data / "store.duckdb").write_bytes(content)
    told = examined(claude, capsys, status=1)
    assert any("--rebuild" in problem for problem in told["problems"])
    assert told["store"]["size"] == len(content)


def test_a_store_that_others_can_read_is_a_problem(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examined(claude, capsys)
    claude.with_name("data").joinpath("store.duckdb").chmod(0o644)
    told = examined(claude, capsys, "--no-ingest", status=1)
    assert "chmod 600" in told["problems"][0]


def test_a_named_place_that_is_not_there_is_a_problem(
    claude: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude.with_name("nowhere")))
    monkeypatch.chdir(claude)
    status = cli.main(["doctor", "--json", "--store", str(claude.with_name("s.duckdb"))])
    told = json.loads(capsys.readouterr().out)
    assert status == 1
    assert "CLAUDE_CONFIG_DIR" in told["problems"][0]


# -- retention ---------------------------------------------------------------------------------------------------------

NOW = dt.datetime(2026, 3, 31, 12)
DAY_NS = 86_400_000_000_000


def mtime(day: dt.datetime) -> int:
    return int(day.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000_000


def test_what_claude_code_deletes_next(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (claude / "settings.json").write_text('{"cleanupPeriodDays": 10}')
    now = dt.datetime.now(dt.UTC).timestamp()
    for name, age in (("overdue", 11), ("soon", 5), ("later", 1)):
        write(claude, [Transcript(name, "2026-03-10T09:00:00").prompt("hello")])
        os.utime(claude / f"projects/-home-dana-work/{name}.jsonl", (now, now - age * 86400))
    told = examined(claude, capsys)["retention"][0]
    assert (told["days"], told["is_default"], told["settings"]) == (10, False, str(claude / "settings.json"))
    assert (told["due_within_7_days"], told["due_now"]) == (2, 1)
    assert told["first"]["path"].endswith("overdue.jsonl")


@pytest.mark.parametrize(
    ("settings", "days", "fault"),
    [
        (None, 30, False),
        ("{}", 30, False),
        ('{"cleanupPeriodDays": 365}', 365, False),
        ('{"cleanupPeriodDays": "long"}', 30, True),
        ('{"cleanupPeriodDays": true}', 30, True),
        ("{", 30, True),
        ("[]", 30, False),
    ],
)
def test_the_setting(tmp_path: Path, settings: str | None, days: int, fault: bool) -> None:
    if settings is not None:
        (tmp_path / "settings.json").write_text(settings)
    held = retention(tmp_path, managed=tmp_path / "none.json")
    assert (held.days, held.is_default, held.fault is not None) == (days, days == 30, fault)


def test_the_organisations_setting_wins(tmp_path: Path) -> None:
    managed = tmp_path / "managed.json"
    managed.write_text('{"cleanupPeriodDays": 7}')
    (tmp_path / "settings.json").write_text('{"cleanupPeriodDays": 365}')
    held = retention(tmp_path, managed=managed)
    assert (held.days, held.settings) == (7, managed)


def test_due_is_counted_from_the_last_change(tmp_path: Path) -> None:
    held = retention(tmp_path, managed=tmp_path / "none.json")
    files = {"a": mtime(dt.datetime(2026, 3, 3)), "b": mtime(dt.datetime(2026, 2, 1)), "c": mtime(NOW)}
    assert held.due(files, NOW, dt.timedelta(days=7)) == [
        (dt.datetime(2026, 3, 3), "b"),
        (dt.datetime(2026, 4, 2), "a"),
    ]
