"""A team's store as a lake is what it is as a file: drained from the same inbox, asked the same, whatever happens."""

import asyncio
import json
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.team import drain as draining
from agnes_stats.ingest.team import inbox
from agnes_stats.queries.console import Refused, ask
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.schema import STORE_VERSION
from agnes_stats.queries.store import Store, StoreAway, StoreError
from agnes_stats.queries.store import lake as store_lake
from agnes_stats.queries.store.one_each import OneEach
from agnes_stats.tui import cli

from tests.team.lakes import address_of, bucket, lake_for, seen_by
from tests.team.people import cut, fork_of, talk
from tests.team.postgres import ADMIN, PASSWORD, Server
from tests.team.postgres import running as running_server
from tests.team.world import Team, differing, told
from tests.tui.running import running, screen_text, settle, until

pytestmark = pytest.mark.lake


@pytest.fixture
def team(tmp_path: Path, server: Server, database: str) -> Callable[..., Team]:
    return lambda *people: Team(tmp_path, server, database, people)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main(list(words))
    told_so = capsys.readouterr()
    return status, told_so.out + told_so.err


EXACT = ("queries", "sync", "tokens", "daily")
"""Commands that add money up as decimals, or none."""


def nearly(answer: str) -> str:
    """An answer without the last digits of its sums, which depend on the order of what was added."""
    return re.sub(r"\d+\.\d{6,}", lambda found: f"{float(found[0]):.6f}", answer)


def test_a_lake_has_and_answers_what_a_file_does(team: Callable[..., Team], capsys: pytest.CaptureFixture[str]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), fork_of(talk("s2", 10), "a-fork")])
    us.reads("bob", [talk("s2", 10), cut(talk("s1", 9), 3)])
    lake = lake_for(us)
    for who in us.people:
        us.push(who)
        assert us.drain(lake).facts == us.drain().facts > 0
    assert us.drain(lake).rows == 0
    assert differing(told(lake), told(us.store)) == ""
    named = address_of(us, "ann").text
    for command in (
        ["queries"],
        ["sync"],
        ["tokens", "--json"],
        ["daily", "--json"],
        ["sessions", "--json"],
        ["operator", "--since", "2026-03-01", "--until", "2026-03-31", "--json"],
        ["metrics", "--json"],
        ["search", "about", "--json"],
        ["panels"],
    ):
        status, of_lake = said(capsys, *command, "--tz", "UTC", "--store", named)
        assert status == 0
        of_file = said(capsys, *command, "--tz", "UTC", "--store", str(us.store.path))[1]
        assert of_lake == of_file if command[0] in EXACT else nearly(of_lake) == nearly(of_file), command


def test_killed_drains_and_drains_at_once_leave_a_lake_right(team: Callable[..., Team]) -> None:
    chance = random.Random(3)
    us = team("ann", "bob")
    lake = lake_for(us)
    died: list[int] = []

    def dies(at: int) -> None:
        died.append(us.dies("drain", "", at, store=lake))

    for stage in (3, 100):
        us.reads("ann", [cut(talk("s1", 9), stage), fork_of(talk("s2", 10), "a-fork")])
        us.reads("bob", [talk("s2", 10), cut(talk("s1", 9), 3), cut(talk("s3", 11), stage)])
        for who in us.people:
            us.push(who)
        # Alone, so that nobody else has done it all before; the others end at their place if there is enough left.
        dies(chance.randint(20, 40))
        plan: list[Callable[[], Any]] = [partial(us.drain, lake), partial(dies, chance.randint(20, 90))]
        plan += [partial(dies, chance.randint(90, 300)), partial(us.drain, lake)]
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(each) for each in plan]:
                future.result()
    us.drain(lake)
    us.drain()
    assert differing(told(lake), told(us.store)) == ""
    assert differing(told(lake), told(us.one_store())) == ""
    assert (died[0], died[3]) == (9, 9)
    assert set(died) <= {0, 9}


def in_files(us: Team, words: bytes) -> bool:
    """Whether something stands in any file of the lake, also in one that no table has any more."""
    with duckdb.connect() as connection:
        paths = [str(path) for path in us.folder.glob("lake/**/*.parquet")]
        rows = [connection.execute("FROM read_parquet(?)", [path]).fetchall() for path in paths]
    return words.decode() in repr(rows)


def in_catalogue(us: Team, words: str) -> list[str]:
    """The tables of the catalogue in which something stands."""
    with us.server.admin(us.database) as admin:
        tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'agnes_stats_lake'").fetchall()
        return [
            table
            for (table,) in tables
            if admin.execute(
                f'SELECT 1 FROM agnes_stats_lake."{table}" t WHERE t::text LIKE %s LIMIT 1', [f"%{words}%"]
            ).fetchone()
            or admin.execute(
                f'SELECT 1 FROM agnes_stats_lake."{table}" t WHERE t::text LIKE %s LIMIT 1',
                [f"%{words.encode().hex()}%"],
            ).fetchone()
        ]


def test_what_is_told_no_more_is_nowhere_in_a_compacted_lake(
    team: Callable[..., Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So some rows are in files, and some in the catalogue.
    monkeypatch.setattr(store_lake, "INLINED_ROWS", 3)
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), talk("secret", 12)])
    us.reads("bob", [talk("s2", 10)])
    lake = lake_for(us)
    for who in us.people:
        us.push(who)
    us.drain(lake)
    us.drain()
    assert in_files(us, b"about secret") or in_catalogue(us, "about secret")
    out.forget(us.store_of("ann"), out.Forgettable(sessions=("secret",)))
    us.push("ann")
    us.drain(lake)
    us.drain()
    assert draining.compact(lake, inbox.address(us.url("drainer"))) > 0
    assert not in_files(us, b"about secret")
    assert in_catalogue(us, "about secret") == []
    assert (in_files(us, b"secret"), in_catalogue(us, "secret")) == (False, [])
    assert differing(told(lake), told(us.store)) == ""
    # Nothing lies about that no table has, and it goes on as before.
    assert us.drain(lake).rows == 0
    us.reads("bob", [talk("s3", 13)])
    us.push("bob")
    us.drain(lake)
    us.drain()
    assert differing(told(lake), told(us.store)) == ""
    assert (in_files(us, b"secret"), in_catalogue(us, "secret")) == (False, [])


# -- who looks at it -----------------------------------------------------------------------------------------------


async def test_a_dashboard_sees_what_is_drained_and_keeps_it_when_the_server_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setattr("agnes_stats.tui.app.WATCH_SECONDS", 0.1)
    monkeypatch.setattr(store_lake, "REST_SECONDS", 0.1)
    with running_server() as own:
        us = Team(tmp_path, own, own.database("team"), ["ann"])
        us.reads("ann", [talk("s1", 9)])
        lake = lake_for(us)
        us.push("ann")
        us.drain(lake)
        async with running(seen_by(us, "ann"), chosen=Filter(), tab="sessions") as (app, pilot):
            await until(pilot, lambda: "about s1" in screen_text(app))
            assert "a team's lake" in screen_text(app)
            us.reads("ann", [talk("s1", 9), talk("s2", 10)])
            us.push("ann")
            await asyncio.to_thread(us.drain, lake)
            await until(pilot, lambda: "about s2" in screen_text(app))
            own.halt()
            await until(pilot, lambda: "cannot be reached" in screen_text(app))
            app.active_pane.refresh_data()
            await settle(pilot)
            assert "about s2" in screen_text(app)
            own.resume()
            await until(pilot, lambda: "a team's lake" in screen_text(app))


def test_people_may_look_and_nothing_else(team: Callable[..., Team], capsys: pytest.CaptureFixture[str]) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    lake = lake_for(us)
    named = address_of(us, "ann").text
    status, line = said(capsys, "tokens", "--store", named)
    assert (status, "nothing is drained into it" in line or "does not exist" in line, line.count("\n")) == (1, True, 1)
    with us.server.admin(us.database) as admin:
        made = "SELECT count(*) FROM pg_tables WHERE schemaname = 'agnes_stats_lake'"
        assert admin.execute(made).fetchone() == (0,)
    us.drain(lake)
    assert said(capsys, "tokens", "--store", named)[0] == 0
    us.reads("ann", [talk("s1", 9), talk("s2", 10)])
    us.push("ann")
    before = told(lake)
    for command, answer in (
        (["forget", "--session", "s1", "--yes"], "does not let this role"),
        (["ingest"], "takes nothing from files"),
        (["merge", str(us.store_of("ann").path)], "takes nothing from files"),
        (["team", "drain", us.url("ann")], "does not let this role"),
        (["team", "compact", us.url("ann")], "does not let this role"),
    ):
        status, line = said(capsys, *command, "--store", named)
        assert (status in (1, 2), answer in line, line.count("\n")) == (True, True, 1), (command, line)
    assert differing(told(lake), before) == ""
    us.drain(lake)
    for wrong in ("nobody", "ann"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGPASSWORD", "guessed-wrong")
            patch.setattr(store_lake, "_engines", OneEach(store_lake._Engine))
            status, line = said(capsys, "tokens", "--store", address_of(us, wrong).text)
        assert (status, "refuses us" in line, line.count("\n"), "guessed" in line) == (1, True, 1, False), line
    assert said(capsys, "doctor", "--json", "--store", named)[0] == 0
    status, line = said(capsys, "team", "status", us.url("drainer"), "--store", address_of(us, "drainer").text)
    assert (status, "0 rows wait for the lake at" in line) == (0, True), line


def test_a_query_of_the_users_own_reaches_the_lake_and_nothing_else(team: Callable[..., Team], tmp_path: Path) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    lake = lake_for(us)
    us.drain(lake)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    path = seen_by(us, "ann").path
    assert ask(path, "SELECT session_id FROM sessions").rows == [("s1",)]
    for refused in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"FROM '{tmp_path}/secret.csv'",
        "SELECT * FROM postgres_query('__ducklake_metadata_store', 'SELECT 1')",
        "FROM __ducklake_metadata_store.agnes_stats_lake.ducklake_snapshot",
        "FROM ducklake_snapshots('store')",
        "FROM store.main.sessions",
    ):
        with pytest.raises(Refused):
            ask(path, refused)
    # Also where the gate is passed: the connection itself is cut off.
    with Store(path).read(confined=True) as reader:
        assert reader.value("SELECT count(*) FROM responses") > 0
        for cut_off in (
            f"FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY sessions TO '{tmp_path}/out.csv'",
            "SET enable_external_access = true",
            "LOAD httpfs",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "DELETE FROM sessions",
        ):
            with pytest.raises(StoreError):
                reader.execute(cut_off)


def test_the_catalogue_may_be_on_another_server(team: Callable[..., Team], monkeypatch: pytest.MonkeyPatch) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    with running_server() as other:
        url = other.url(ADMIN, other.database("of_lakes"))
        own, us.server = us.server, other
        lake = lake_for(us, url=url, drainer="stats")
        us.server = own
        us.drain(lake)
        us.drain()
        assert differing(told(lake), told(us.store)) == ""
        other.halt()
        us.reads("ann", [talk("s1", 9), talk("s2", 10)])
        us.push("ann")
        with pytest.raises(StoreAway, match=r"cannot be reached|is lost"):
            us.drain(lake)
        other.resume()
        us.drain(lake)
        us.drain()
        assert differing(told(lake), told(us.store)) == ""


def test_the_files_may_be_in_a_bucket(team: Callable[..., Team], monkeypatch: pytest.MonkeyPatch) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    # So that there are files.
    monkeypatch.setattr(store_lake, "INLINED_ROWS", 0)
    for name, value in (("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "of-the-bucket")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with bucket("lakes") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        lake = lake_for(us, data="s3://lakes/of/ann")
        us.drain(lake)
        us.drain()
        draining.compact(lake, inbox.address(us.url("drainer")))
        seen = seen_by(us, "ann", data="s3://lakes/of/ann")
        assert differing(told(seen), told(us.store)) == ""
        assert ask(seen.path, "SELECT session_id FROM sessions").rows == [("s1",)]
        assert not list(us.folder.glob("**/*.parquet"))
    monkeypatch.setattr(store_lake, "_engines", OneEach(store_lake._Engine))
    with pytest.raises(StoreError) as lost, seen_by(us, "ann", data="s3://lakes/of/ann").read():
        pass
    assert "of-the-bucket" not in str(lost.value)


def test_a_lake_of_an_older_version_is_brought_up_by_a_drain_and_one_of_a_newer_is_left_alone(
    team: Callable[..., Team],
) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    lake = lake_for(us)
    us.drain(lake)
    before = told(lake)
    lake.for_drain()
    with lake.write() as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN context_peak")
        connection.execute(f"UPDATE meta SET value = '{STORE_VERSION - 1}' WHERE name = 'store_version'")
    with pytest.raises(StoreError, match="older agnes-stats; agnes-stats team drain brings it up"), lake.read():
        pass
    us.drain(lake)
    assert differing(told(lake), before) == ""
    with lake.write() as connection:
        connection.execute(f"UPDATE meta SET value = '{STORE_VERSION + 1}' WHERE name = 'store_version'")
    for use in (lake.read, lake.write):
        with pytest.raises(StoreError, match="written by a newer agnes-stats"), use():
            pass


def test_rows_at_the_edge_of_what_a_row_may_be_are_the_same_in_a_lake(team: Callable[..., Team]) -> None:
    us = team("eve")
    with psycopg.connect(us.url("eve"), password=PASSWORD, autocommit=True) as eve:
        machine = "INSERT INTO agnes_stats.machines (machine, origin, format, program) VALUES (%s, 'o', %s, '9')"
        insert = "INSERT INTO agnes_stats.told (machine, part, fact, ident, row) VALUES (%s, 'p', %s, %s, %s)"
        name = "m'; DROP \x1b[2J ../x"
        eve.execute(machine, [name, STORE_VERSION])
        most = {"session_id": "../s'9", "model": "m", "output_tokens": 10**12, "total_tokens": 10**12, "kind": "turn"}
        for number, at in enumerate((-62_135_596_800_000_000, 253_402_300_799_999_999, 0, None)):
            line = most | {"ts": at, "requested_at": at, "usage_ts": at, "usage_path": "p", "path": "p"}
            eve.execute(insert, [name, "responses", json.dumps([f"most{number}"]), json.dumps([line])])
        text = {"session_id": "s", "kind": "prompt", "ts": 0, "text": "é🙂'\"\\ \n" * 9000, "path": "p"}
        eve.execute(insert, [name, "prompts", '["p"]', json.dumps([text])])
        eve.execute(insert, [name, "prompts", '["q"]', "no json"])
    lake = lake_for(us)
    assert us.drain(lake).refused == us.drain().refused != {}
    draining.compact(lake, inbox.address(us.url("drainer")))
    assert differing(told(lake), told(us.store)) == ""
