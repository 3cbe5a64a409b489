"""What `--help` says, of all commands: it is for people, and every option that is listed does something there."""

import datetime as dt
import io
import json
import re

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.queries.console_book import Book
from agnes_stats.tui import cli
from agnes_stats.tui.commands import COMMANDS, command_of
from agnes_stats.tui.commands.command import PLACES
from agnes_stats.tui.settings import OPTIONS

PAGES = ((), *((name,) for name in COMMANDS))
INNARDS = re.compile(r"==SUPPRESS==|mappingproxy|<[\w.]+ |object at 0x|%\(|%%|\{'|\bNone\b|\w+\.\w+Action|lambda")
"""What argparse prints where it was told something else than what it can print."""


def page(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert cli.main([*command, "--help"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def words_of(text: str) -> str:
    """A text as it reads, however it is broken into lines, inside words too."""
    return "".join(text.split())


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_every_page_is_for_people(
    width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for command in PAGES:
        told = page(capsys, *command)
        assert not INNARDS.search(told), command
        heeded = command_of(command[0]).heeds if command else [option.name for option in OPTIONS]
        for option in OPTIONS:
            listed = words_of(f"--{option.name} {option.metavar or ''} {option.help}")
            assert (listed in words_of(told)) == (option.name in heeded), (command, option.name)
        for flag, keywords in command_of(command[0]).options if command else ():
            assert words_of(f"{keywords.get('metavar', '')} {keywords['help']}") in words_of(told), (command, flag)


@pytest.mark.parametrize("command", COMMANDS)
def test_of_an_option_that_changes_nothing_it_says_so(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    own = [flag.removeprefix("--") for flag, _ in command_of(command).options]
    unheeded = [option for option in OPTIONS if option.name not in (*command_of(command).heeds, *PLACES, *own)]
    given = [word for option in unheeded for word in (f"--{option.name}", *(["1"] if option.metavar else []))]
    parsed = vars(cli.parser([command]).parse_args([command, *given]))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        f"agnes-stats: --{option.name} changes nothing for {command}" for option in unheeded
    ]
    assert not any(parsed.get(option.key) for option in unheeded)


# -- every option that is listed changes the answer ------------------------------------------------------------------

NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0)
LATE = NOW.hour >= 11
ZONE, NOT_IN_BOTH = ("Pacific/Kiritimati", TODAY + dt.timedelta(hours=1)) if LATE else ("Etc/GMT+12", TODAY)
"""A zone where it is another day now than in UTC, and an hour that is today in only one of the two."""
TURN = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
"""In UTC a day, a week and a month begin."""


DELEGATING = ("Agent", "TodoWrite")


def session(name: str, cwd: str, model: str, branch: str, version: str, *times: dt.datetime) -> str:
    rows: list[dict[str, object]] = []
    for number, moment in enumerate(times):
        own = f"{name}-{number}"
        row = {"sessionId": name, "cwd": cwd, "gitBranch": branch, "version": version}
        row["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        calls = [
            {"type": "tool_use", "id": f"{own}-{command[:4]}", "name": "Bash", "input": {"command": command}}
            for command in ("duckdb a.db -c 'select * from t'", "agnes pull")
        ]
        given: dict[str, object] = {"description": f"look {number}", "todos": [{"content": own, "status": "pending"}]}
        calls += [{"type": "tool_use", "id": f"{own}-{tool}", "name": tool, "input": given} for tool in DELEGATING]
        usage = {"input_tokens": 1000, "output_tokens": 50_000}
        message = {"id": f"msg_{own}", "model": model, "content": calls, "usage": usage}
        rows.append({**row, "type": "user", "uuid": f"p{own}", "message": {"role": "user", "content": "hi"}})
        rows.append({**row, "type": "assistant", "uuid": f"a{own}", "message": message})
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two sessions that differ in all that can be filtered by, read into a store; the options that name it."""
    folder = tmp_path_factory.mktemp("help")
    mine, server = folder / "claude" / "projects" / "-w", folder / "agnes" / "ann"
    mine.mkdir(parents=True)
    server.mkdir(parents=True)
    hour = dt.timedelta(hours=1)
    times = (TURN - hour / 2, TURN + hour / 2, NOT_IN_BOTH - hour / 2, NOW - hour / 60)
    (mine / "s1.jsonl").write_text(session("s1", "/w/shop", "claude-opus-4-6", "main", "2.1.1", *times))
    theirs = session("s2", "/w/bank", "claude-sonnet-4-5", "dev", "2.1.2", NOW - 72 * hour)
    (server / "s2.jsonl").write_text(theirs)
    ends = {"used_percentage": 7, "resets_at": (NOW + 3 * hour).timestamp()}
    limit_log.note(folder / limit_log.NAME, {"rate_limits": {"five_hour": ends}}, NOW.timestamp())
    options = ["--store", str(folder / "s.duckdb"), "--source", f"claude={folder / 'claude'}"]
    options += ["--source", f"agnes={folder / 'agnes'}", "--tz", "UTC"]
    assert cli.main(["ingest", *options]) == 0
    book = Book(folder / "s.duckdb")
    book.save("models", MORE["sql"][0])
    book.pin("models")
    return options


BETWEEN = str((NOW - dt.timedelta(days=1, hours=12)).date())
VALUES = {
    "tz": ZONE,
    "range": f"since {BETWEEN}",
    "since": BETWEEN,
    "until": str(TURN.date() - dt.timedelta(days=31)),
    "project": "bank",
    "model": "claude-opus-4-6",
    "branch": "main",
    "agent": "codex",
    "agent-version": "2.1.1",
    "user": "ann",
    "budget": "0.01",
    "budget-week": "0.01",
    "budget-day": "0.01",
    "budget-session": "0.01",
    "no-cost": None,
}
MORE = {
    "home": ["--window", "7d"],
    "context": ["s1"],
    "search": ["hi"],
    "forget": ["--before", str(TURN.date())],
    "sql": ["SELECT model, sum(output_tokens) FROM tokens_daily WHERE {{filters}} GROUP BY 1 ORDER BY 1", "--csv"],
}
TODAYS = {"model": "claude-sonnet-4-5", "branch": "dev", "agent-version": "2.1.2"}
"""For what is about today, when all are alike."""
TO_SEE = {
    **{
        (command, "tz"): ["--since", str(TURN.date()), "--until", str(TURN.date())]
        for command in ("models", "breakdown", "agents", "metrics")
    },
    ("home", "tz"): ["--since", str(NOW.date()), "--until", str(NOW.date())],
}
"""What is asked for besides where an option alone changes nothing: of which days, for example."""


GO_ON = {"serve", "mcp"}
"""They answer nothing by themselves, and hand their options on to what does: tests of their own see to that."""


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in GO_ON])
def test_every_option_that_is_listed_changes_the_answer(
    command: str, places: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*options: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        cli.main([command, *places, *reading, *MORE.get(command, ()), *options])
        captured = capsys.readouterr()
        return captured.out + captured.err

    reading = ["--no-ingest"] if "no-ingest" in command_of(command).heeds else []
    plain = told()
    assert "changes nothing" not in plain
    for name in command_of(command).heeds:
        if name in VALUES:
            values = {**VALUES, **TODAYS} if command in ("statusline", "status") else VALUES
            value, besides = values[name], TO_SEE.get((command, name), [])
            without = told(*besides) if besides else plain
            assert told(*besides, f"--{name}", *([] if value is None else [value])) != without, name
