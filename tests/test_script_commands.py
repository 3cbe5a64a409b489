"""Reports in ccusage's words, the user's own SQL, and the status line."""

import io
import json
from pathlib import Path

import pytest
from agnes_stats.tui import cli

DAYS = ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")


def row(number: int, day: str, model: str = "claude-opus-4-6", session: str = "s1") -> str:
    usage = {
        "input_tokens": 1,
        "output_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000,
    }
    message = {"id": f"msg_{number}", "model": model, "stop_reason": "end_turn", "content": [], "usage": usage}
    line = {
        "type": "assistant",
        "uuid": f"u{number}",
        "timestamp": f"{day}T12:00:00Z",
        "sessionId": session,
        "cwd": "/w",
    }
    return json.dumps({**line, "message": message}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "claude" / "projects" / "-w"
    project.mkdir(parents=True)
    lines = [row(number, day) for number, day in enumerate(DAYS)] + [row(9, DAYS[0], "house-model")]
    (project / "s1.jsonl").write_text("".join(lines))
    return tmp_path


def said(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    options = ["--store", str(folder / "s.duckdb"), "--source", f"claude={folder / 'claude'}", "--tz", "UTC"]
    assert cli.main([*arguments, *options]) == status
    return capsys.readouterr().out if status == 0 else capsys.readouterr().err


@pytest.mark.parametrize(
    ("report", "old_name", "expected"),
    [
        ("daily", "date", [(DAYS[0], 2222), (DAYS[1], 1111), (DAYS[2], 1111), (DAYS[3], 1111)]),
        ("weekly", "week", [("2026-10-26", 4444), ("2026-11-02", 1111)]),
        ("monthly", "month", [("2026-10", 3333), ("2026-11", 2222)]),
    ],
)
def test_a_report_has_ccusages_fields(
    report: str, old_name: str, expected: list[tuple[str, int]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(said(folder, capsys, report, "--json"))
    rows = told[report]
    assert [(entry["period"], entry["totalTokens"]) for entry in rows] == expected
    assert [entry[old_name] for entry in rows] == [period for period, _ in expected]
    first = rows[0]
    assert first["modelsUsed"] == ["claude-opus-4-6", "house-model"]
    by_model = {entry["modelName"]: entry for entry in first["modelBreakdowns"]}
    assert by_model["house-model"]["cost"] is None
    assert by_model["house-model"]["unpricedTokens"] == 1111
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens", "unpricedTokens")
    for name in names:
        assert told["totals"][name] == sum(entry[name] for entry in rows)
    # 5 a million in, 25 out, 6.25 written to the cache, 0.50 read from it.
    one = (1 * 5 + 10 * 25 + 1000 * 6.25 + 100 * 0.5) / 1e6
    assert told["totals"]["totalCost"] == pytest.approx(4 * one)


def test_models_and_their_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(folder, capsys, "models", "--json"))
    assert [entry["modelName"] for entry in told["models"]] == ["claude-opus-4-6", "house-model"]
    table = said(folder, capsys, "models")
    assert "claude-opus-4-6" in table
    assert "+unpriced" in table


def test_sql_answers_as_table_json_csv_and_parquet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT day, sum(output_tokens)::BIGINT written FROM tokens_daily WHERE {{filters}} GROUP BY 1 ORDER BY 1"
    assert "(4 rows" in said(folder, capsys, "sql", query)
    told = json.loads(said(folder, capsys, "sql", query, "--json"))
    assert (told["row_count"], told["truncated"], told["rows"][0]) == (4, False, ["2026-10-30", 20])
    assert [column["name"] for column in told["columns"]] == ["day", "written"]
    assert said(folder, capsys, "sql", query, "--csv").splitlines()[:2] == ["day,written", "2026-10-30,20"]
    target = folder / "answer.parquet"
    said(folder, capsys, "sql", query, "--parquet", str(target))
    import duckdb

    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT sum(written) FROM '{target}'").fetchone() == (50,)


def test_sql_obeys_the_filters_and_reads_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT count(*) FROM tokens_daily WHERE {{filters}}"))
    told = json.loads(said(folder, capsys, "sql", "-", "--json", "--since", "2026-11-01"))
    assert told["rows"] == [[2]]


def test_what_sql_may_not_do_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(folder, capsys, "sql", "DROP TABLE responses", status=1)
    assert told == "agnes-stats: only one SELECT at a time\n"


def test_the_status_line_reads_the_session_it_is_asked_about(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "claude/projects/-w/s1.jsonl"
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"session_id": "s1", "transcript_path": str(path)})))
    line = said(folder, capsys, "statusline")
    assert line.count("\n") == 1
    assert line.startswith("opus-4.6 · session $")
    assert "today" in line


@pytest.mark.parametrize("told", ["", "{", "[]", '{"session_id": 7, "transcript_path": "/etc/passwd"}'])
def test_the_status_line_takes_anything(
    told: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(told))
    assert said(folder, capsys, "statusline").startswith("today ")
