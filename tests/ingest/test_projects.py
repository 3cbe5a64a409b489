"""Which project a working folder belongs to: folders of every system, and worktrees of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.ingest.projects import folder_of, project_of

REPOSITORY = r"C:\claude\market-data"


@pytest.mark.parametrize(
    ("cwd", "project"),
    [
        ("/w/shop", "/w/shop"),
        ("/w/shop/", "/w/shop"),
        ("/", "/"),
        ("shop", "shop"),
        ("/w/shop/.claude/worktrees/fix-1", "/w/shop"),
        ("/w/shop/.claude/worktrees/fix-1/src/deep", "/w/shop"),
        ("/w/shop/.worktrees/2", "/w/shop"),
        ("/w/shop/.worktrees/2/src", "/w/shop"),
        ("/w/shop/.worktrees", "/w/shop"),
        ("/w/shop/.worktrees/a/.claude/worktrees/b", "/w/shop"),
        ("/w/shop.worktrees/2", "/w/shop.worktrees/2"),
        ("/w/my.worktrees", "/w/my.worktrees"),
        ("/w/shop/worktrees/2", "/w/shop/worktrees/2"),
        ("/w/shop/.claude/worktrees-old/2", "/w/shop/.claude/worktrees-old/2"),
        ("/.worktrees/2", "/.worktrees/2"),
        # Windows
        (REPOSITORY, REPOSITORY),
        (r"c:\claude\market-data", REPOSITORY),
        ("C:\\claude\\market-data\\", REPOSITORY),
        ("C:/claude/market-data", REPOSITORY),
        (r"c:\claude/market-data", REPOSITORY),
        (r"\\?\C:\claude\market-data", REPOSITORY),
        (r"C:\claude\market-data\.claude\worktrees\bridge-1", REPOSITORY),
        (r"c:\claude\market-data\.claude\worktrees\bridge-1\src", REPOSITORY),
        (r"C:/claude/market-data/.claude/worktrees/bridge-1", REPOSITORY),
        (r"C:\claude\market-data\.worktrees\2", REPOSITORY),
        ("C:\\", "C:\\"),
        ("c:/", "C:\\"),
        ("c:", "C:"),
        # a network share, and Linux as Windows sees it and the other way round
        (r"\\nas\team\shop", r"\\nas\team\shop"),
        ("\\\\nas\\team\\shop\\", r"\\nas\team\shop"),
        (r"\\nas\team\shop\.claude\worktrees\x", r"\\nas\team\shop"),
        (r"\\?\UNC\nas\team\shop", r"\\nas\team\shop"),
        (r"\\wsl$\Ubuntu\home\me\shop\.worktrees\2", r"\\wsl$\Ubuntu\home\me\shop"),
        (r"\\wsl.localhost\Ubuntu\home\me\shop", r"\\wsl.localhost\Ubuntu\home\me\shop"),
        ("/mnt/c/claude/market-data/.claude/worktrees/x", "/mnt/c/claude/market-data"),
    ],
)
def test_a_folder_belongs_to_this_project(cwd: str, project: str) -> None:
    assert project_of(cwd) == project


@pytest.mark.parametrize("folder", ["", "\\", "\\\\", "//", "C:x", "a:b", "\x00", "/w/\udc80", "é" * 5000])
def test_what_is_no_folder_does_no_harm(folder: str) -> None:
    assert isinstance(project_of(folder), str)
    assert folder_of(folder_of(folder)) == folder_of(folder)


def worktree(folder: Path, pointer: str) -> Path:
    """A folder that git would take for a worktree."""
    folder.mkdir(parents=True)
    (folder / ".git").write_text(f"gitdir: {pointer}\n")
    return folder


def test_worktrees_of_git_belong_to_their_repository(tmp_path: Path) -> None:
    repository = tmp_path / "shop"
    (repository / ".git" / "worktrees").mkdir(parents=True)
    absolute = worktree(tmp_path / "elsewhere" / "fix", f"{repository}/.git/worktrees/fix")
    relative = worktree(tmp_path / "shop-fix", "../shop/.git/worktrees/shop-fix")
    (absolute / "src" / "deep").mkdir(parents=True)
    (repository / "src").mkdir()
    for folder in (absolute, relative, absolute / "src", absolute / "src" / "deep"):
        assert project_of(str(folder)) == str(repository)
    assert project_of(str(repository / "src")) == str(repository / "src"), "where one works, if it is no worktree"


def test_worktrees_of_a_repository_without_files_of_its_own(tmp_path: Path) -> None:
    hidden = worktree(tmp_path / "shop" / "main", f"{tmp_path}/shop/.bare/worktrees/main")
    named = worktree(tmp_path / "a", f"{tmp_path}/store.git/worktrees/a")
    assert project_of(str(hidden)) == str(tmp_path / "shop")
    assert project_of(str(named)) == str(tmp_path / "store")


def test_a_submodule_is_no_worktree_and_a_huge_mark_is_not_read(tmp_path: Path) -> None:
    submodule = worktree(tmp_path / "shop" / "lib", "../.git/modules/lib")
    huge = worktree(tmp_path / "huge", f"{tmp_path}/{'x' * 5000}/.git/worktrees/huge")
    for folder in (submodule, huge):
        assert project_of(str(folder)) == str(folder)
