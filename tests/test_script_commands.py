"""Reports in ccusage's words, the user's own SQL, and the status line."""

import datetime as dt
import io
import json
from pathlib import Path

import pytest
from agnes_stats.queries.console_book import Book
from agnes_stats.tui import cli, factories
from agnes_stats.tui.commands import blocks, ccusage

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


def made(folder: Path) -> Path:
    project = folder / "claude" / "projects" / "-w"
    project.mkdir(parents=True)
    lines = [row(number, day) for number, day in enumerate(DAYS)] + [row(9, DAYS[0], "house-model")]
    (project / "s1.jsonl").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all tests that only ask: the first answer reads it."""
    return made(tmp_path_factory.mktemp("asked"))


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """To write to."""
    return made(tmp_path)


def said(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    options = ["--store", str(folder / "s.duckdb"), "--source", f"claude={folder / 'claude'}", "--tz", "UTC"]
    assert cli.main([arguments[0], *options, *arguments[1:]]) == status
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


def test_a_report_begins_and_ends_with_a_day_that_has_something_and_misses_none_between(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own_folder / "claude" / "projects" / "-w" / "s1.jsonl"
    path.write_text(row(1, "2026-10-30") + row(2, "2026-11-02"))
    range_ = ("--since", "2026-01-01", "--until", "2026-12-31")
    told = json.loads(said(own_folder, capsys, "daily", "--json", *range_))["daily"]
    assert [(day["date"], day["totalTokens"]) for day in told] == [
        *(("2026-10-30", 1111), ("2026-10-31", 0), ("2026-11-01", 0), ("2026-11-02", 1111)),
    ]
    assert json.loads(said(own_folder, capsys, "daily", "--json", "--since", "2026-11-03"))["daily"] == []


def block_rows(folder: Path) -> None:
    """Two blocks in a row, a gap, and a third block, in which a limit is hit; all by hand."""
    times = ("11-02T08:40:00", "11-02T13:00:00", "11-02T13:30:00", "11-03T09:10:00", "11-03T09:40:00")
    lines = [row(number, "2026-11-02", session="s2") for number in range(20, 25)]
    lines = [line.replace("2026-11-02T12:00:00", f"2026-{when}") for line, when in zip(lines, times, strict=True)]
    refusal = json.loads(row(30, "2026-11-03", "<synthetic>", "s2"))
    refusal |= {"timestamp": "2026-11-03T09:45:00Z", "isApiErrorMessage": True}
    refusal["message"]["content"] = [{"type": "text", "text": "Claude AI usage limit reached|1793710800"}]
    path = folder / "claude" / "projects" / "-w" / "s1.jsonl"
    path.write_text("".join(lines) + json.dumps(refusal) + "\n")


def test_blocks_have_ccusages_fields(
    own_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block_rows(own_folder)
    monkeypatch.setattr(blocks, "utc_now", lambda: dt.datetime(2026, 11, 3, 10, 10))
    first, second, gap, running = json.loads(said(own_folder, capsys, "blocks", "--json"))["blocks"]
    # 5 a million in, 25 out, 6.25 written to the cache, 0.50 read from it.
    one = (1 * 5 + 10 * 25 + 1000 * 6.25 + 100 * 0.5) / 1e6
    counts = {
        "inputTokens": 2,
        "outputTokens": 20,
        "cacheCreationInputTokens": 2000,
        "cacheReadInputTokens": 200,
    }
    assert first == {
        "id": "2026-11-02T08:00:00.000Z",
        "startTime": "2026-11-02T08:00:00.000Z",
        "endTime": "2026-11-02T13:00:00.000Z",
        "actualEndTime": "2026-11-02T13:00:00.000Z",
        "isActive": False,
        "isGap": False,
        "entries": 2,
        "tokenCounts": counts,
        "reasoningTokens": None,
        "totalTokens": 2222,
        "costUSD": pytest.approx(2 * one),
        "unpricedTokens": 0,
        "billedElsewhereTokens": 0,
        "responses": 2,
        "undercountedResponses": 0,
        "outputUndercounted": False,
        "models": ["claude-opus-4-6"],
        "burnRate": None,
        "projection": None,
        "agent": "claude-code",
        "machine": None,
        "username": None,
    }
    assert (second["startTime"], second["entries"]) == ("2026-11-02T13:00:00.000Z", 1)
    assert gap == first | {
        "agent": None,
        "id": "gap-2026-11-02T18:30:00.000Z",
        "startTime": "2026-11-02T18:30:00.000Z",
        "endTime": "2026-11-03T09:10:00.000Z",
        "actualEndTime": None,
        "isGap": True,
        "entries": 0,
        "tokenCounts": dict.fromkeys(counts, 0),
        "totalTokens": 0,
        "costUSD": 0,
        "responses": 0,
        "models": [],
    }
    assert (running["isActive"], running["usageLimitResetTime"]) == (True, "2026-11-03T13:00:00.000Z")
    # An hour since its first response; it ends at 14:00.
    assert running["burnRate"] == {
        "tokensPerMinute": pytest.approx(2222 / 60),
        "tokensPerMinuteForIndicator": pytest.approx(22 / 60),
        "costPerHour": pytest.approx(2 * one),
    }
    assert running["projection"] == {
        "totalTokens": round(2222 + 2222 / 60 * 230),
        "totalCost": round(2 * one + 2 * one / 60 * 230, 2),
        "remainingMinutes": 230,
    }


def test_blocks_as_a_table_and_only_some_of_them(
    own_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block_rows(own_folder)
    monkeypatch.setattr(blocks, "utc_now", lambda: dt.datetime(2026, 11, 3, 10, 10))
    head, *lines = said(own_folder, capsys, "blocks").splitlines()
    assert head.split() == ["Block", "Input", "Output", "Cache", "read", "Cache", "write", "Total", "Cost"]
    assert [line[:33].rstrip() for line in lines[:2]] == ["2026-11-02 08:00 to 13:00", "2026-11-02 13:00 to 18:00"]
    assert lines[2].startswith("2026-11-03 09:00 to 14:00 (running, limit until 13:00)")
    assert lines[3].startswith("running: 3h 50m left, at $0.01 an hour, 37 tokens/min, heading for $0.06, ")
    assert len(lines) == 4
    assert "limit until 2026-11-03 23:00" in said(own_folder, capsys, "blocks", "--tz", "Australia/Brisbane")
    assert "$" not in said(own_folder, capsys, "blocks", "--no-cost")
    active = json.loads(said(own_folder, capsys, "blocks", "--json", "--active"))["blocks"]
    assert [block["id"] for block in active] == ["2026-11-03T09:00:00.000Z"]
    monkeypatch.setattr(blocks, "utc_now", lambda: dt.datetime(2026, 11, 5, 18, 10))
    recent = json.loads(said(own_folder, capsys, "blocks", "--json", "--recent"))["blocks"]
    assert [block["startTime"][5:16] for block in recent] == ["11-02T18:30", "11-03T09:00"]
    assert json.loads(said(own_folder, capsys, "blocks", "--json", "--branch", "no such"))["blocks"] == []


def test_a_budget_warns_in_monthly_and_in_the_status_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setattr(ccusage, "utc_now", lambda: dt.datetime(2026, 11, 2, 13))
    monkeypatch.setattr(factories, "utc_now", lambda: dt.datetime(2026, 11, 2, 13))
    # Two responses of this month, of USD 0.006555 each.
    for budget, words in (
        ("0.10", "budget: $0.01 of $0.10 in November (13 %)"),
        ("0.015", "near budget: $0.01 of $0.01 in November (87 %)"),
        ("0.01", "over budget: $0.01 of $0.01 in November (131 %)"),
    ):
        assert said(folder, capsys, "monthly", "--budget", budget, "--model", "no such").splitlines()[-1] == words
        told = said(folder, capsys, "statusline", "--budget", budget)
        assert ("budget" in told) == (not words.startswith("budget"))
    assert "over budget 131 %" in told
    shorter = ("--budget-day", "0.008", "--budget-week", "1", "--budget-session", "0.001")
    told = said(folder, capsys, "statusline", *shorter)
    assert "near day budget 81 %" in told and "over session budget" in told and "week" not in told
    assert "budget" not in said(folder, capsys, "monthly", "--budget", "0.01", "--no-cost")
    assert json.loads(said(folder, capsys, "monthly", "--json", "--budget", "0.01"))["budget"] == {
        "month": "2026-11",
        "budget": 0.01,
        "spent": pytest.approx(0.01311),
        "share": pytest.approx(1.311),
        "state": "over",
        "unpricedTokens": 0,
        "outputUndercounted": False,
    }
    assert "budget" not in json.loads(said(folder, capsys, "daily", "--json", "--budget", "0.01"))
    assert "--budget" in said(folder, capsys, "monthly", "--budget", "-5", status=2)


def test_models_and_their_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(folder, capsys, "models", "--json"))
    assert [entry["modelName"] for entry in told["models"]] == ["claude-opus-4-6", "house-model"]
    table = said(folder, capsys, "models")
    assert "claude-opus-4-6" in table
    assert "+? no known price: 1.1k tokens (20 %)" in table


def test_sql_answers_as_table_json_csv_and_parquet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT day, sum(output_tokens)::BIGINT written FROM tokens_daily WHERE {{filters}} GROUP BY 1 ORDER BY 1"
    assert "(4 rows" in said(folder, capsys, "sql", query)
    assert "(1 row, " in said(folder, capsys, "sql", "SELECT 1")
    told = json.loads(said(folder, capsys, "sql", query, "--json"))
    assert (told["row_count"], told["truncated"], told["rows"][0]) == (4, False, ["2026-10-30", 20])
    assert [column["name"] for column in told["columns"]] == ["day", "written"]
    assert said(folder, capsys, "sql", query, "--csv").splitlines()[:2] == ["day,written", "2026-10-30,20"]
    forms = ["--json", "--csv", "--parquet=x"]
    for left_out in forms:
        assert cli.main(["sql", query, *(form for form in forms if form != left_out)]) == 2
        assert "sql answers in one form" in capsys.readouterr().err
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


def test_sql_by_the_name_in_the_console(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Book(folder / "s.duckdb").save("how many", "SELECT count(*) AS n FROM sessions")
    assert json.loads(said(folder, capsys, "sql", "--saved", "how many", "--json"))["rows"] == [[1]]
    assert said(folder, capsys, "sql", "--saved", "Cost by day", "--csv").startswith("day,cost_usd,")
    told = said(folder, capsys, "sql", "--saved", "what", status=2)
    assert told.startswith("agnes-stats: no query is saved as 'what'; there are: Cost by day")
    assert "how many" in told
    for arguments in ([], ["SELECT 1", "--saved", "how many"]):
        assert "sql takes a query" in said(folder, capsys, "sql", *arguments, status=2)


def test_panels_are_asked_under_the_filters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = Book(folder / "s.duckdb")
    assert said(folder, capsys, "panels").startswith("No panels yet: ")
    assert json.loads(said(folder, capsys, "panels", "--json")) == {"rows": []}
    sql = "SELECT day, sum(output_tokens)::BIGINT AS n FROM tokens_daily WHERE day >= $since AND {{filters}} GROUP BY 1"
    book.save("by day", f"{sql} ORDER BY 1")
    book.pin("by day")
    (row,) = json.loads(said(folder, capsys, "panels", "--json", "--since", "2026-11-01"))["rows"]
    assert (row["name"], row["form"], row["error"], row["row_count"]) == ("by day", "bars", None, 2)
    assert [column["name"] for column in row["columns"]] == ["day", "n"]
    lines = said(folder, capsys, "panels", "by day").splitlines()
    assert lines[0] == "by day"
    assert len(lines) == 1 + (dt.date.fromisoformat(lines[-1][2:12]) - dt.date(2026, 10, 30)).days + 1
    assert lines[1].split()[:2] == ["2026-10-30", "20"] and "█" in lines[1]
    book.save("broken", "SELECT nonsense FROM sessions")
    book.pin("broken")
    for form in (["--json"], []):
        assert cli.main(["panels", "--store", str(folder / "s.duckdb"), "--no-ingest", *form]) == 1
        told = capsys.readouterr()
        assert told.err == "agnes-stats: 1 panel cannot be answered: broken\n"
        if form:
            row = json.loads(told.out)["rows"][1]
            assert row["rows"] == [] and "nonsense" in row["error"]
        else:
            assert '\nbroken\n  ✗ Binder Error: Referenced column "nonsense"' in told.out
    assert "there is no panel 'x'; there are: by day, broken" in said(folder, capsys, "panels", "x", status=2)
    book.pin("by day", "table")
    lines = said(folder, capsys, "panels", "by day", "--until", "2026-10-30").splitlines()
    assert lines == ["by day", "  day          n", "  2026-10-30  20"]
    book.path.write_text("[]")
    assert "cannot be read: it holds no object" in said(folder, capsys, "panels", status=1)


def test_sql_sends_no_escape_codes_to_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = """SELECT 'a' || chr(27) || ']0;x' || chr(7) || 'b' || chr(155) AS "n\x1b[31m" """
    assert "\x1b]0;x\x07b\x9b" in said(folder, capsys, "sql", query, "--csv")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for form in (["--csv"], []):
        told = said(folder, capsys, "sql", query, *form)
        assert told.split("\n")[:2] == ["n", "ab"]
        assert told.replace("\n", "").isprintable()


def test_what_sql_may_not_do_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(folder, capsys, "sql", "DROP TABLE responses", status=1)
    assert told == "agnes-stats: only one SELECT at a time\n"


def test_the_status_line_reads_the_session_it_is_asked_about(
    own_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own_folder / "claude/projects/-w/s1.jsonl"
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"session_id": "s1", "transcript_path": str(path)})))
    line = said(own_folder, capsys, "statusline")
    assert line.count("\n") == 1
    assert line.startswith("opus-4.6 · session $")
    assert "today" in line


@pytest.mark.parametrize("told", ["", "{", "[]", '{"session_id": 7, "transcript_path": "/etc/passwd"}'])
def test_the_status_line_takes_anything(
    told: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(told))
    assert said(folder, capsys, "statusline").startswith("today ")
