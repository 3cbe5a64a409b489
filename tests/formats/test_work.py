"""What calls left behind, by agent: lines added and removed as the agent tells them, and the commits that git names."""

from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.formats.work import commits_in, lines_of_diff, lines_of_patch

from tests.formats import test_codex as codex
from tests.formats import test_copilot as copilot
from tests.formats import test_gemini as gemini
from tests.formats import test_mux as mux
from tests.formats import test_opencode as opencode
from tests.formats import test_pi as pi
from tests.formats import test_qwen as qwen
from tests.formats.arriving import arrived, asked, every_way, lines

DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n same\n-old\n+new\n+more\n"
PATCH = "*** Begin Patch\n*** Update File: x.py\n@@\n same\n-old\n+new\n+more\n*** End Patch\n"
COMMIT = "[main 1a2b3c4] Count once\n 1 file changed\n"

LEFT = [("commit", "1a2b3c4", None), ("lines_added", None, 2), ("lines_removed", None, 1)]


@pytest.mark.parametrize(
    ("text", "commits"),
    {
        "[main 1a2b3c4] Count once": ["1a2b3c4"],
        "ok\n[fix/häuser#7 (root-commit) 1a2b3c4d5e] First": ["1a2b3c4d5e"],
        "[detached HEAD 1a2b3c4] Count once": ["1a2b3c4"],
        "[a 1a2b3c4] x\n[a 1a2b3c4] x\n[b 5d6e7f8] y": ["1a2b3c4", "5d6e7f8"],
        "see [main 1a2b3c4] there": [],
        "[info] started\n[main zzzzzzz] no": [],
        "": [],
    }.items(),
)
def test_commits_are_what_git_says_at_the_start_of_a_line(text: str, commits: list[str]) -> None:
    assert list(commits_in(text)) == commits


def test_heads_of_a_diff_are_no_lines() -> None:
    assert lines_of_diff(DIFF) == (2, 1)
    assert lines_of_diff("-- old sql comment\n--- x\n") == (0, 2)
    assert lines_of_diff(DIFF + DIFF.replace("+more\n", "")) == (3, 2)


def test_only_what_stands_in_a_patch_is_one() -> None:
    assert lines_of_patch(f"apply_patch <<'EOF'\n{PATCH}EOF\n+not this\n") == (2, 1)
    assert lines_of_patch("+not a patch\n") is None


def _codex(call: str, output: str, *, failed: bool = False, **told: Any) -> tuple[str, str]:
    rows = (
        *codex.MAIN[:3],
        codex.item(3, call, call_id="p", **told),
        codex.item(4, f"{call}_output", call_id="p", output="Exit code: 1\nOutput:\nno" if failed else output),
    )
    return codex.rollout(codex.A), lines(*rows)


def _gemini(status: str) -> tuple[str, str]:
    said = [{"functionResponse": {"response": {"output": COMMIT}}}]
    shown = {"fileName": "x.py", "fileDiff": DIFF}
    told = {"id": "p", "name": "replace", "args": {}, "status": status, "result": said, "resultDisplay": shown}
    return gemini.CHAT, lines(gemini.HEAD, gemini.ASK, gemini.answer(2, gemini.TOKENS, told))


def _qwen(status: str) -> tuple[str, str]:
    call = {"functionCall": {"id": "p", "name": "edit", "args": {}}}
    said = {"functionResponse": {"id": "p", "response": {"output": COMMIT}}}
    shown = {"callId": "p", "status": status, "resultDisplay": {"fileDiff": DIFF}}
    rows = (qwen.record(3, "assistant", call), qwen.record(4, "tool_result", said, toolCallResult=shown))
    return qwen.CHAT, lines(*rows)


def _pi(*, failed: bool) -> tuple[str, str]:
    told = {"toolCallId": "p", "isError": failed, "details": {"diff": " 1 same\n-2 old\n+2 new\n+3 more\n"}}
    call = {"type": "toolCall", "id": "p", "name": "edit", "arguments": {}}
    text = [{"type": "text", "text": COMMIT}]
    return pi.OLD, lines(*pi.SESSION, pi.answer(4, pi.usage(1, 1), call), pi.entry(5, "toolResult", text, **told))


def _copilot(*, success: bool) -> tuple[str, str]:
    counts = {"metrics": {"resultLength": 9, "linesAdded": 2, "linesRemoved": 1}}
    told = {"toolCallId": "p", "success": success, "result": {"content": COMMIT}, "toolTelemetry": counts}
    rows = (copilot.event(2, "tool.execution_start", toolCallId="p", toolName="edit", arguments={}),)
    return copilot.EVENTS, lines(copilot.START, *rows, copilot.event(3, "tool.execution_complete", **told))


def _mux(*, success: bool) -> tuple[str, str]:
    output = {"success": success, "diff": DIFF, "output": COMMIT}
    part = {"type": "dynamic-tool", "toolCallId": "p", "toolName": "file_edit_insert", "input": {}, "output": output}
    return mux.CHAT, lines(mux.FULL | {"parts": [part | {"state": "output-available"}]})


SUCCEEDED = {
    "codex, a patch": ("codex", _codex("custom_tool_call", COMMIT, name="apply_patch", input=PATCH)),
    "codex, in the shell": (
        "codex",
        _codex(
            "function_call", COMMIT, name="shell", arguments={"command": ["bash", "-lc", f"apply_patch <<E\n{PATCH}E"]}
        ),
    ),
    "codex, a program": (
        "codex",
        _codex("custom_tool_call", COMMIT, name="exec", input=f"await apply_patch({PATCH!r})"),
    ),
    "gemini": ("gemini", _gemini("success")),
    "qwen": ("qwen", _qwen("success")),
    "pi": ("pi", _pi(failed=False)),
    "copilot": ("copilot", _copilot(success=True)),
    "mux": ("mux", _mux(success=True)),
}

FAILED = {
    "codex": _codex("custom_tool_call", COMMIT, failed=True, name="apply_patch", input=PATCH),
    "gemini": _gemini("error"),
    "qwen": _qwen("error"),
    "pi": _pi(failed=True),
    "copilot": _copilot(success=False),
    "mux": _mux(success=False),
}

SHOWN = "SELECT kind, text, amount FROM events WHERE kind IN ('commit', 'lines_added', 'lines_removed') ORDER BY kind"


@every_way
@pytest.mark.parametrize("case", SUCCEEDED)
def test_lines_and_commits_of_a_call(case: str, way: str, tmp_path: Path) -> None:
    kind, (name, content) = SUCCEEDED[case]
    store = arrived(way, kind, {name: content}, tmp_path)
    assert asked(store, SHOWN) == LEFT
    assert asked(store, "SELECT count(*) FROM events WHERE ts IS NULL OR session_id IS NULL") == [(0,)]


@pytest.mark.parametrize("kind", FAILED)
def test_a_call_that_failed_left_nothing(kind: str, tmp_path: Path) -> None:
    name, content = FAILED[kind]
    store = arrived("at once", kind, {name: content}, tmp_path)
    assert asked(store, "SELECT is_error FROM tool_calls") == [(True,)]
    assert asked(store, SHOWN) == []


@pytest.mark.parametrize(
    "told",
    [
        {"filediff": {"file": "x.py", "additions": 2, "deletions": 1}},
        {"files": [{"additions": 2, "deletions": 0}, {"additions": 0, "deletions": 1}, {"relativePath": "y"}]},
    ],
)
def test_opencode_counts_of_one_file_or_of_each(told: Any, tmp_path: Path) -> None:
    time = {"start": opencode.START + 3000, "end": opencode.START + 4500}
    state = {"status": "completed", "time": time, "input": {}, "output": COMMIT, "metadata": told}
    rows = [
        opencode.session("ses_a"),
        opencode.answer("msg_2", "ses_a", 2, opencode.usage(1, 1)),
        opencode.part("prt_p", "msg_2", "ses_a", type="tool", tool="edit", state=state),
    ]
    assert asked(opencode.told("at once", tmp_path, *rows), SHOWN) == LEFT
