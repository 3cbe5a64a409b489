"""What the name of a lake says, and what is said where there is none to be had. No server is asked here."""

from pathlib import Path

import pytest
from agnes_stats.queries.postgres import ServerError
from agnes_stats.queries.store import Store, starting
from agnes_stats.queries.store.lake import conninfo
from agnes_stats.queries.store.lake_address import lake_address, lake_at, path_for
from agnes_stats.tui import cli

LAKE = "ducklake:postgresql://ann@db.example.com:5433/agnes"


@pytest.mark.parametrize(
    ("text", "data", "schema"),
    [
        (f"{LAKE}?data=/srv/lake", "/srv/lake/", "agnes_stats_lake"),
        (f"{LAKE}?data=s3://bucket/of/it/&schema=sales", "s3://bucket/of/it/", "sales"),
        (f"{LAKE}?data=/srv/a%20b%26c", "/srv/a b&c/", "agnes_stats_lake"),
        (LAKE, None, "agnes_stats_lake"),
    ],
)
def test_a_name_is_read_and_told_again(text: str, data: str | None, schema: str) -> None:
    lake = lake_address(text)
    assert (lake.data, lake.schema) == (data, schema)
    assert lake_address(lake.text) == lake
    assert "db.example.com" in lake.shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ducklake:postgresql://ann:hunter2@db/agnes?data=/x", "has a password in it"),
        ("ducklake:postgresql://ann@db/agnes?data=/x&password=hunter2", "has a password in it"),
        ("ducklake:sqlite:x.db", "a lake is named as"),
        ("ducklake:postgresql://ann@db?data=/x", "a lake is named as"),
        ("ducklake:postgresql://ann@db/agnes?data=ftp://x", "no folder and no bucket"),
        ("ducklake:postgresql://ann@db/agnes?data=s3://", "no folder and no bucket"),
        ("ducklake:postgresql://ann@db/agnes?data=/x&schema=a;b", "a name of small letters"),
    ],
)
def test_a_name_that_is_none_is_told_in_a_line(text: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ServerError, match=line):
        lake_address(text)
    assert cli.main(["tokens", "--store", text]) == 2
    told = capsys.readouterr().err
    assert (line in told, told.count("\n"), "hunter2" in told) == (True, 1, False)


def test_a_connection_has_what_the_address_says_and_no_word_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    told = conninfo(lake_address("ducklake:postgresql://a%27b%5C@h/d%20e?data=/x&sslmode=require").catalogue)
    for part in ("host=h ", r"user='a\'b\\' ", "dbname='d e' ", "sslmode=require", "connect_timeout=10 "):
        assert part in f"{told} "
    assert "hunter2" not in told
    assert "sslmode=verify-full" in conninfo(lake_address(f"{LAKE}?data=/x").catalogue)
    assert "sslmode" not in conninfo(lake_address("ducklake:postgresql://a@127.0.0.1/d?data=/x").catalogue)


def test_what_duckdb_lacks_for_a_lake_is_named_with_how_it_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_packaged", lambda name: None)
    monkeypatch.setattr(starting, "_of_time_zones", list)
    assert cli.main(["tokens", "--store", f"{LAKE}?data={tmp_path}"]) == 1
    told = capsys.readouterr().err
    assert ("has no extension postgres_scanner here" in told, "'agnes-stats[lake]'" in told) == (True, True)
    assert told.count("\n") == 1


def test_a_file_that_stands_for_a_lake_is_for_its_owner_and_found_again(tmp_path: Path) -> None:
    lake = lake_address(f"{LAKE}?data=/srv/lake")
    path = path_for(lake, tmp_path)
    assert path == path_for(lake, tmp_path)
    assert path != path_for(lake_address(f"{LAKE}?data=/srv/other"), tmp_path)
    assert lake_at(path) == lake
    assert path.stat().st_mode & 0o077 == 0
    assert not Store(path).is_file
    path.write_text("something else")
    assert "does not name a lake" in str(_fault(Store(path)))
    assert "No such file" in str(_fault(Store(tmp_path / "none.ducklake")))


def _fault(store: Store) -> Exception:
    with pytest.raises(Exception, match=r".") as raised, store.read():
        pass
    return raised.value


def test_nothing_is_read_from_files_into_a_lake(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["ingest"], ["ingest", "--rebuild"]):
        assert cli.main([*command, "--store", f"{LAKE}?data=/x"]) == 2
        assert "takes nothing from files" in capsys.readouterr().err
