"""The account of the `agnes` command as a source: until when its token is good, and never the token itself."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from pathlib import Path

import pytest
from agnes_stats.queries import servers, sync, workspaces
from agnes_stats.tui import dashboard
from agnes_stats.tui.factories import roots_of, server_access
from agnes_stats.tui.settings import BadSetting, Settings, settings_from
from agnes_stats.tui.sync.reject import read_excerpt

from tests.ingest.agnes_files import put
from tests.machine import Machine

EXPIRY = dt.datetime(2026, 5, 13, 12)


def token(expires: dt.datetime) -> str:
    """A token as the `agnes` command keeps it; nobody checks its signature."""
    claims = json.dumps({"sub": "dana", "exp": int(expires.replace(tzinfo=dt.UTC).timestamp())}).encode()
    return ".".join(["e30", base64.urlsafe_b64encode(claims).decode().rstrip("="), "c2VjcmV0"])


def keep(home: Path, content: object) -> Path:
    return put(home / ".config/agnes/token.json", content)


def expiry(machine: Machine) -> dt.datetime | None:
    with machine.store.read() as connection:
        (found,) = {one.token_expires_at for one in workspaces.workspaces(connection)}
    return found


@pytest.fixture
def machine(own_home: Path) -> Machine:
    machine = Machine(own_home)
    machine.workspace("analyst")
    machine.workspace("finance")
    return machine


def test_the_expiry_of_a_token_is_that_of_all_workspaces_and_follows_the_file(machine: Machine) -> None:
    assert expiry(machine.read()) is None
    path = keep(machine.home, {"access_token": token(EXPIRY), "email": "dana@example.com"})
    assert expiry(machine.read()) == EXPIRY
    keep(machine.home, {"access_token": token(EXPIRY + dt.timedelta(days=90))})
    assert expiry(machine.read()) == EXPIRY + dt.timedelta(days=90)
    path.unlink()
    assert expiry(machine.read()) is None
    keep(machine.home, {"access_token": token(EXPIRY)})
    assert expiry(machine.read()) == EXPIRY
    keep(machine.home, b"")
    assert expiry(machine.read()) is None


def test_the_token_is_neither_stored_nor_shown(machine: Machine) -> None:
    secret = token(EXPIRY)
    keep(machine.home, {"access_token": secret})
    machine.read()
    path = keep(machine.home, f'{{"access_token": "{secret}"')
    machine.read()
    with machine.store.read() as connection:
        (reject,) = sync.rejects(connection)
        tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        stored = "".join(str(connection.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables)
    assert reject.path == str(path) and reject.reason.startswith("not JSON")
    assert secret not in stored and secret.split(".")[1] not in stored
    assert read_excerpt(reject).data == b"" and "token" in read_excerpt(reject).trouble
    keep(machine.home, {"access_token": secret})
    machine.read()
    with machine.store.read() as connection:
        assert sync.rejects(connection) == []


def test_a_workspace_names_its_server_else_the_account_does(machine: Machine) -> None:
    put(machine.workspaces[1] / ".claude/init-complete", "completed_at: x\nserver_url: https://finance.example/\n")
    put(machine.home / ".config/agnes/config.yaml", "server: https://agnes.example\n")
    machine.read()
    with machine.store.read() as connection:
        servers = {Path(one.workspace).name: one.server for one in workspaces.workspaces(connection)}
    assert servers == {"analyst": "https://agnes.example", "finance": "https://finance.example"}


def test_an_empty_mark_of_a_workspace_costs_its_state_nothing(machine: Machine) -> None:
    machine.read()
    put(machine.workspaces[0] / ".claude/init-complete", b"")
    machine.read()
    with machine.store.read() as connection:
        assert len([one for one in workspaces.workspaces(connection) if one.last_pull_at is not None]) == 2


def test_the_shared_state_of_old_versions_is_followed(own_home: Path) -> None:
    machine = Machine(own_home)
    folder = own_home / "old"
    put(folder / ".claude/init-complete", "completed_at: x\n")
    machine.workspaces.append(folder)
    for day in ("2026-03-01", "2026-03-02"):
        put(own_home / ".config/agnes/sync_state.json", {"tables": {}, "last_sync": f"{day}T08:00:00+00:00"})
        machine.read()
        with machine.store.read() as connection:
            assert str(servers.last_pull(connection)) == f"{day} 08:00:00"


def test_the_demo_reads_no_account_and_asks_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agnes_stats.demo.sessions.running_demo", contextlib.nullcontext)
    mine = Settings(store=tmp_path / "s.duckdb", tz="UTC", agnes_server=True)
    with dashboard._demo(mine) as chosen:
        assert {root.kind for root in roots_of(chosen)} == {"claude", "codex", "gemini", "workspace"}
        assert not chosen.agnes_server


def test_our_own_config_may_name_server_and_token(own_home: Path, tmp_path: Path) -> None:
    keep(own_home, {"access_token": token(EXPIRY)})
    config = put(tmp_path / "c.toml", '[agnes]\nserver = "https://other.example/"\ntoken = "very-secret"\n')
    settings = settings_from({}, {}, config)
    assert server_access(settings).server == "https://other.example"
    assert "very-secret" not in f"{settings!r} {server_access(settings)!r}"
    put(config, '[agnes]\nserver = "https://other.example"\n')
    with pytest.raises(BadSetting, match="no token"):  # that of the agnes command is for its own server
        server_access(settings_from({}, {}, config))
    put(config, '[agnes]\nserver = "http://localhost:8000"\n')
    assert server_access(settings_from({}, {}, config)).server == "http://localhost:8000"
    for wrong in ("[agnes]\ntoken = 3\n", '[agnes]\nurl = "x"\n', "agnes = 1\n"):
        with pytest.raises(BadSetting, match="agnes"):
            settings_from({}, {}, put(config, wrong))
