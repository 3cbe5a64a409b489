"""What a session left behind: lines, commits and pull requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agnes_stats.queries.produced import Produced, produced

from tests.transcripts import Transcript, store_of


def left_by(folder: Path, *told: Transcript, session: str = "s") -> Produced:
    with store_of(folder, told).read() as connection:
        return produced(connection, session)


def edit(told: Transcript, call: str, *lines: str, error: bool = False, **beside: Any) -> Transcript:
    told.wait(1).response((call, "Edit", {"file_path": "/a"})).wait(1)
    patch = [{"oldStart": 1, "newStart": 1, "lines": list(lines)}] if lines else []
    return told.result(call, "ok", error=error, toolUseResult={"filePath": "/a", "structuredPatch": patch, **beside})


def bash(told: Transcript, call: str, out: str, *, error: bool = False, **beside: Any) -> Transcript:
    told.wait(1).response((call, "Bash", {"command": "git commit"})).wait(1)
    return told.result(call, out, error=error, toolUseResult={"stdout": out, **beside})


def begun(session: str = "s") -> Transcript:
    return Transcript(session, "2026-03-10T09:00:00").prompt("go")


def test_lines_of_patches_and_of_new_files_but_not_of_what_failed(tmp_path: Path) -> None:
    told = edit(begun(), "e1", " same", "-old", "+new", "+more")
    edit(told, "e2", type="create", content="one\ntwo\nthree")
    edit(told, "e3", "+lost", error=True)
    edit(told, "e4", "-gone", "-too")
    agent = edit(Transcript("s", told.now, agent="a1"), "e5", "+by a sub-agent")
    left = left_by(tmp_path, told, agent)
    assert (left.lines_added, left.lines_removed) == (6, 3)


def test_commits_by_what_the_result_says_of_git_or_by_gits_own_line(tmp_path: Path) -> None:
    told = bash(begun(), "b1", "[main 1a2b3c4] Count once\n 1 file changed, 2 insertions(+)")
    bash(told, "b2", "hooks ran\n[fix/churn (root-commit) 5d6e7f8a9] Begin\n")
    bash(told, "b3", "[main 9999999] told twice", gitOperation={"commit": {"sha": "9999999", "kind": "committed"}})
    bash(told, "b4", "[main abcdef1] nothing of it", error=True)
    bash(told, "b5", "see [docs] and [main] or [a 12] and text [main 1234567] in a line")
    bash(told, "b6", "pushed", gitOperation={"pr": {"number": 4, "url": "https://github.com/o/r/pull/4"}})
    left = left_by(tmp_path, told)
    assert left.commits == ["1a2b3c4", "5d6e7f8a9", "9999999"]
    assert left.pull_requests == ["https://github.com/o/r/pull/4"]
    assert (left.lines_added, left.lines_removed) == (None, None)


def test_a_pull_request_counts_once_in_a_session_however_often_it_is_told(tmp_path: Path) -> None:
    urls = [f"https://github.com/o/r/pull/{number}" for number in (7, 8, 7, 7)]
    told, other = begun(), begun("other")
    for url in urls:
        told.wait(1).row("pr-link", prNumber=7, prUrl=url, prRepository="o/r")
    other.wait(1).row("pr-link", prNumber=7, prUrl=urls[0])
    assert left_by(tmp_path, told, other).pull_requests == urls[:2]
    with store_of(tmp_path / "2", [told, other]).read() as connection:
        assert produced(connection, "other").pull_requests == urls[:1]


def test_hostile_results_tell_nothing_and_break_nothing(tmp_path: Path) -> None:
    told = begun()
    odd: tuple[dict[str, Any], ...] = (
        {"structuredPatch": "no"},
        {"structuredPatch": [{"lines": [1, None, "+x"]}]},
        {"structuredPatch": [{"lines": "+++"}]},
        {"structuredPatch": None, "type": "create", "content": 3},
        {"gitOperation": {"commit": {"sha": 5}, "pr": {"url": ["x"]}}},
        {"gitOperation": "no"},
    )
    for number, beside in enumerate(odd):
        told.wait(1).response((f"c{number}", "Edit", {})).wait(1).result(f"c{number}", "ok", toolUseResult=beside)
    told.wait(1).row("pr-link", prUrl={"not": "text"})
    left = left_by(tmp_path, told)
    assert left == Produced([], [], 1, None)
