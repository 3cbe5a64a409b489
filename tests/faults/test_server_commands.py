"""What the commands tell of an Agnes server that fails and recovers: in words, and by their exit status."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.tui import cli

from tests.ingest import agnes_http
from tests.ingest.agnes_http import SECRET, Server, entry, pages_of, says
from tests.transcripts import Transcript, write


@pytest.fixture
def server() -> Iterator[Server]:
    with agnes_http.servers() as start:
        yield start()


Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
    config = tmp_path / "config.toml"
    config.write_text(f'[agnes]\nserver = "{server.url}"\ntoken = "{SECRET}"\n')
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(config))
    options = ["--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]

    def run(status: int, *words: str) -> tuple[str, str]:
        assert cli.main([words[0], *options, *words[1:]]) == status
        told = capsys.readouterr()
        assert SECRET not in told.out + told.err
        return told.out, told.err

    yield run


def well(server: Server) -> None:
    server.tell(
        queries=pages_of([entry(number) for number in range(3)], size=9),
        sync=says(200, {"rows": [entry(8, action="manifest.fetch")], "last_pull_at": "2026-06-01T12:00:00"}),
    )


def told_of(out: str) -> Any:
    (found,) = json.loads(out)["servers"]
    return found


def test_a_server_that_is_well(run: Run, server: Server) -> None:
    well(server)
    found = told_of(run(0, "doctor", "--json", "--agnes-server")[0])
    assert (found["server"], found["reachable"], found["failure"], found["rows"]) == (server.url, True, None, 4)
    assert found["account"].startswith("token ")
    assert found["asked_at"] == found["answered_at"]
    assert found["last_pull_at"] == "2026-06-01T12:00:00+00:00"
    out, _ = run(0, "doctor", "--agnes-server")
    assert f"· {server.url} as token " in out
    assert ": reachable, last asked 20" in out
    assert "4 rows of it" in out


def test_a_server_that_fails_is_told_by_every_command_and_its_status_until_it_recovers(
    run: Run, server: Server
) -> None:
    well(server)
    run(0, "sync", "--json", "--agnes-server")
    server.tell(queries=says(401, {"detail": "Token revoked"}), sync=says(401, {"detail": "Token revoked"}))
    out, err = run(1, "sync", "--json", "--agnes-server")
    assert (told_of(out)["failure"], len(json.loads(out)["rows"])) == ("revoked", 1)
    assert err == f"agnes-stats: {server.url}: the token was revoked; run `agnes auth login` (401)\n"
    # It stays visible without being asked again, where it is to be asked at all.
    out, _ = run(0, "sync", "--json")
    assert told_of(out)["failure"] == "revoked"
    told = json.loads(run(0, "doctor", "--json")[0])
    assert any("was revoked" in note for note in told["notes"])
    told = json.loads(run(1, "doctor", "--json", "--agnes-server", "--no-ingest")[0])
    assert any("was revoked" in problem for problem in told["problems"])
    out, _ = run(1, "doctor", "--agnes-server")
    assert "failing: revoked" in out and "last answered 20" in out
    well(server)
    assert told_of(run(0, "doctor", "--json", "--agnes-server")[0])["failure"] is None
    assert run(0, "tokens", "--json", "--agnes-server")[1] == ""


def test_a_server_that_is_not_there(run: Run, server: Server) -> None:
    server.tell(queries=says(404, {}), sync=says(404, {}))
    out, err = run(1, "queries", "--json", "--agnes-server")
    assert json.loads(out)["rows"] == []
    assert "too old" in err
