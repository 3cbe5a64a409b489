"""Pi: what its sessions count, in every way of arriving. The rules are in docs/counting.md, "Pi"."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.formats.arriving import arrived, asked, every_way, lines, tokens

OLD = "sessions/--shop--/2026-07-01T10-00-00-000Z_old.jsonl"
FORK = "sessions/--shop--/2026-07-01T11-00-00-000Z_fork.jsonl"


def header(session: str, hour: int = 10, **more: Any) -> dict[str, Any]:
    when = f"2026-07-01T{hour}:00:00.000Z"
    return {"type": "session", "version": 3, "id": session, "timestamp": when, "cwd": "/home/ann/shop", **more}


def entry(number: int, role: str, content: Any, **more: Any) -> dict[str, Any]:
    when = 1782900000000 + number * 1000
    return {
        "type": "message",
        "id": f"e{number}",
        "timestamp": f"2026-07-01T10:00:{number:02}.500Z",
        "message": {"role": role, "content": content, "timestamp": when, **more},
    }


def usage(given: int, output: int, read: int = 0, written: int = 0, cost: float | None = None, **more: int) -> Any:
    told: dict[str, Any] = {"input": given, "output": output, "cacheRead": read, "cacheWrite": written, **more}
    return told if cost is None else told | {"cost": {"total": cost}}


def answer(number: int, told: Any, *blocks: Mapping[str, Any], stop: str = "stop") -> dict[str, Any]:
    return entry(
        number, "assistant", list(blocks), provider="anthropic", model="claude-opus-4-6", usage=told, stopReason=stop
    )


SESSION = (
    header("old"),
    entry(1, "user", "Fix the shop"),
    {"type": "thinking_level_change", "id": "t", "timestamp": "2026-07-01T10:00:01.600Z", "thinkingLevel": "high"},
    answer(3, usage(100, 20, 3000, 400, 0.5, cacheWrite1h=300, reasoning=5)),
)


@every_way
def test_tokens_cost_and_effort_of_a_response(way: str, tmp_path: Path) -> None:
    store = arrived(way, "pi", {OLD: lines(*SESSION)}, tmp_path)
    assert tokens(store) == (1, 100, 20, 3000, 100, 5)
    assert asked(
        store,
        "SELECT cache_write_1h_tokens, logged_cost_usd, billed, effort, provider, stop_reason, agent FROM responses",
    ) == [(300, 0.5, None, "high", "anthropic", "end", "pi")]


@every_way
def test_a_cost_of_nothing_means_that_a_subscription_pays(way: str, tmp_path: Path) -> None:
    store = arrived(way, "pi", {OLD: lines(header("old"), answer(1, usage(5, 5, cost=0)))}, tmp_path)
    assert asked(store, "SELECT logged_cost_usd, billed FROM responses") == [(None, "elsewhere")]


@every_way
def test_nothing_used_is_no_response_and_an_aborted_one_with_usage_is(way: str, tmp_path: Path) -> None:
    rows = (header("old"), answer(1, usage(0, 0), stop="aborted"), answer(2, usage(7, 1), stop="aborted"))
    assert tokens(arrived(way, "pi", {OLD: lines(*rows)}, tmp_path))[:3] == (1, 7, 1)


@every_way
def test_what_a_fork_copied_counts_to_the_original(way: str, tmp_path: Path) -> None:
    own = answer(9, usage(1, 2)) | {"timestamp": "2026-07-01T11:00:09.000Z"}
    fork = (header("fork", 11, parentSession="old"), *SESSION[1:], own)
    store = arrived(way, "pi", {OLD: lines(*SESSION), FORK: lines(*fork)}, tmp_path)
    assert asked(store, "SELECT session_id, input_tokens FROM responses ORDER BY ts") == [("old", 100), ("fork", 1)]
    assert asked(store, "SELECT session_id FROM prompts") == [("old",)]


@every_way
def test_a_copy_without_its_original_counts_where_it_lies(way: str, tmp_path: Path) -> None:
    fork = (header("fork", 11, parentSession="old"), *SESSION[1:])
    assert tokens(arrived(way, "pi", {FORK: lines(*fork)}, tmp_path))[0] == 1


@every_way
def test_the_same_id_in_two_sessions_is_two_entries(way: str, tmp_path: Path) -> None:
    other = (header("fork", 11), answer(3, usage(7, 7)) | {"timestamp": "2026-07-01T11:00:03.000Z"})
    assert tokens(arrived(way, "pi", {OLD: lines(*SESSION), FORK: lines(*other)}, tmp_path))[0] == 2


@every_way
def test_calls_that_are_only_counted_up_are_told_apart(way: str, tmp_path: Path) -> None:
    call = {"type": "toolCall", "id": "functions.bash:0", "name": "bash", "arguments": {}}

    def asks_and_fails(number: int, *, fails: bool) -> tuple[dict[str, Any], ...]:
        result = entry(number + 1, "toolResult", "x", toolCallId=call["id"], isError=fails)
        return answer(number, usage(5, 5), call, stop="toolUse"), result

    begun = (*SESSION, *asks_and_fails(11, fails=False))
    other = [row | {"timestamp": "2026-07-01T11:00:03.000Z"} for row in asks_and_fails(15, fails=True)]
    rows = (*begun, *asks_and_fails(13, fails=True))
    fork = (header("fork", 11, parentSession="old"), *begun[1:], *other)
    store = arrived(way, "pi", {OLD: lines(*rows), FORK: lines(*fork)}, tmp_path)
    assert asked(store, "SELECT session_id, is_error FROM tool_calls ORDER BY ts") == [
        ("old", False),
        ("old", True),
        ("fork", True),
    ]


@every_way
def test_a_compaction_that_tells_its_usage_is_a_bill(way: str, tmp_path: Path) -> None:
    when = "2026-07-01T10:00:09.000Z"
    told = {"type": "compaction", "id": "c", "timestamp": when, "usage": usage(900, 50)}
    silent = {"type": "compaction", "id": "d", "timestamp": when}
    store = arrived(way, "pi", {OLD: lines(*SESSION, told, silent)}, tmp_path)
    assert tokens(store)[:3] == (1, 1000, 70)
    assert asked(store, "SELECT kind, count(*) FROM responses GROUP BY kind ORDER BY kind") == [
        ("compaction", 1),
        ("turn", 1),
    ]


@every_way
def test_calls_results_and_skills(way: str, tmp_path: Path) -> None:
    def call(name: str, **given: Any) -> dict[str, Any]:
        return {"type": "toolCall", "id": name, "name": name, "arguments": given}

    rows = (
        *SESSION,
        answer(
            4, usage(1, 1), call("bash", command="duckdb a.db -c 'from orders'"), call("read", path="s/pdf/SKILL.md")
        ),
        entry(5, "toolResult", [{"type": "text", "text": "Error: no file"}], toolCallId="bash", isError=True),
        entry(6, "toolResult", [{"type": "text", "text": "fine"}], toolCallId="read", isError=False),
    )
    store = arrived(way, "pi", {OLD: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT name, is_error, skill FROM tool_calls ORDER BY name") == [
        ("bash", True, None),
        ("read", False, "pdf"),
    ]
    assert ("table:orders",) in asked(store, "SELECT resource FROM accesses")


@every_way
def test_a_session_is_named_by_its_name_else_by_what_was_typed(way: str, tmp_path: Path) -> None:
    named = {"type": "session_info", "id": "n", "timestamp": "2026-07-01T10:00:20.000Z", "name": "Shop"}
    store = arrived(way, "pi", {OLD: lines(*SESSION, named), FORK: lines(header("fork"), *SESSION[1:2])}, tmp_path)
    assert asked(store, "SELECT title, project FROM sessions WHERE session_id = 'old'") == [("Shop", "/home/ann/shop")]


@every_way
def test_a_title_may_stand_before_the_header(way: str, tmp_path: Path) -> None:
    assert tokens(arrived(way, "pi", {OLD: lines({"type": "title", "title": "x"}, *SESSION)}, tmp_path))[0] == 1


@every_way
def test_a_file_without_a_header_is_refused_once(way: str, tmp_path: Path) -> None:
    store = arrived(way, "pi", {OLD: "10:00 hello\n10:01 there\n" + lines(*SESSION)}, tmp_path)
    assert asked(store, "SELECT reason FROM rejects") == [("no session header: not a session of Pi",)]
    assert tokens(store)[0] == 0


@every_way
def test_a_file_of_the_first_version_is_older_than_its_header_and_no_copy(way: str, tmp_path: Path) -> None:
    first = {"type": "session", "id": "old", "timestamp": "2026-07-01T10:30:00.000Z", "cwd": "/home/ann/shop"}
    store = arrived(way, "pi", {OLD: lines(first, *SESSION[1:])}, tmp_path)
    assert asked(store, "SELECT is_copy FROM responses") == [(False,)]
