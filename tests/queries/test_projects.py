"""What projects are called, and that a name, a path and any spelling of it mean the same sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.projects import lies_in, names_of, project_names
from agnes_stats.queries.sessions import list_sessions
from agnes_stats.queries.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.storing import held
from tests.transcripts import Transcript, store_of

NOW = dt.datetime(2026, 3, 11)
WINDOWS = r"C:\claude\market-data"
FOLDERS = {
    "mine": "/home/me/shop",
    "theirs": "/srv/them/shop",
    "main": WINDOWS,
    "worktree": WINDOWS + r"\.claude\worktrees\bridge-1",
    "ide": r"c:\claude\market-data",
    "other disk": r"D:\claude\market-data",
    "share": r"\\nas\team\tools",
}


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/w/shop"], ["shop"]),
        (["/w/shop", "/x/store"], ["shop", "store"]),
        (["/a/shop", "/b/shop", "/b/store"], ["a/shop", "b/shop", "store"]),
        (["/a/x/shop", "/b/x/shop", "/c/shop"], ["a/x/shop", "b/x/shop", "c/shop"]),
        (["/a/b", "/x/a/b"], ["/a/b", "x/a/b"]),
        (["/shop", "/a/shop"], ["/shop", "a/shop"]),
        ([WINDOWS, r"D:\claude\market-data"], [WINDOWS, r"D:\claude\market-data"]),
        ([WINDOWS, r"C:\other\market-data"], [r"claude\market-data", r"other\market-data"]),
        ([r"\\nas\team\shop", "/mnt/team/shop"], [r"nas\team\shop", "mnt/team/shop"]),
        ([r"\\a\b", "/a/b"], [r"\\a\b", "/a/b"]),
        (["/", "C:\\", ""], ["/", "C:", ""]),
    ],
)
def test_a_name_is_as_long_as_it_must_be(paths: list[str], names: list[str]) -> None:
    assert names_of(paths) == dict(zip(paths, names, strict=True))


@given(st.lists(st.text(st.sampled_from("ab/\\"), min_size=1, max_size=8), unique=True, max_size=12))
def test_no_two_projects_have_one_name(paths: list[str]) -> None:
    names = names_of(paths)
    assert names.keys() == set(paths)
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [
        ("/w/shop/src", "/w/shop", True),
        ("/w/shop", "/w/shop/", True),
        ("/w/shopping", "/w/shop", False),
        ("/w", "/w/shop", False),
        (r"c:\w\shop\src", r"C:\w\shop", True),
        ("C:/w/shop/src", r"c:\w\shop", True),
        (r"D:\w\shop", r"C:\w\shop", False),
        (r"\\nas\shop\src", r"\\nas\shop", True),
    ],
)
def test_a_path_lies_in_a_folder_on_every_system(path: str, folder: str, inside: bool) -> None:
    with duckdb.connect() as connection:
        sql = f"SELECT {lies_in('$path', '$folder')}"
        assert connection.execute(sql, {"path": path, "folder": folder}).fetchone() == (inside,)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    sessions = [Transcript(name, "2026-03-10T12:00:00", cwd=cwd).prompt("Go") for name, cwd in FOLDERS.items()]
    with held(store_of(Path(tmp_path_factory.mktemp("projects")), sessions)) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "sessions"),
    [
        ("shop", {"mine", "theirs"}),
        ("me/shop", {"mine"}),
        ("/home/me/shop", {"mine"}),
        ("/home/me/shop/", {"mine"}),
        ("hop", set()),
        ("market-data", {"main", "worktree", "ide", "other disk"}),
        (WINDOWS, {"main", "worktree", "ide"}),
        (r"c:\claude\market-data", {"main", "worktree", "ide"}),
        ("C:/claude/market-data", {"main", "worktree", "ide"}),
        (r"claude\market-data", {"main", "worktree", "ide", "other disk"}),
        (r"D:\claude\market-data", {"other disk"}),
        (r"\\nas\team\tools", {"share"}),
        ("team/tools", {"share"}),
    ],
)
def test_a_project_is_meant_by(store: Store, name: str, sessions: set[str]) -> None:
    with store.read() as connection:
        found = list_sessions(connection, Filter(project=name), now=NOW, limit=20)
    assert {row.session_id for row in found.rows} == sessions


def test_the_name_that_is_shown_means_that_project_alone(store: Store) -> None:
    with store.read() as connection:
        names = project_names(connection)
        assert len(names) == 5
        for path, name in names.items():
            found = list_sessions(connection, Filter(project=name), now=NOW, limit=20)
            assert {row.project for row in found.rows} == {path}, name
