"""A handful of sessions, one of them running at `running.NOW`."""

from __future__ import annotations

from pathlib import Path

from agnes_stats.queries.store import Store

from tests.transcripts import HAIKU, SONNET, Transcript, catch_up, store_of

HOSTILE = "[/foo] [red]x \x1b[2Jgone\n\x07 ‮evil"


def bash(told: Transcript, call: str, command: str, **result: object) -> Transcript:
    """A shell command and its result."""
    told.wait(2).response((call, "Bash", {"command": command}), tokens=(5, 400, 40_000, 1_500))
    return told.wait(3).result(call, **result)  # type: ignore[arg-type]


def churn() -> list[Transcript]:
    """Runs: a command for 14 seconds, and a sub-agent."""
    told = Transcript("3f0fc83a-0001", "2026-03-10T14:02:00").prompt("the churn number looks too high, why?")
    bash(told, "c1", 'duckdb -c "select count(*) from subscriptions"', text="12 rows")
    bash(told, "c2", "dbt run --select churn", error=True, text="Database Error in model churn: no such column")
    told.wait(5).response(("c3", "Edit", {"file_path": "/home/dana/work/warehouse/models/churn.sql"}))
    told.wait(20).result("c3", error=True, text="no", toolDenialKind="user-rejected").wait(4).response()
    told.event("turn_duration", durationMs=45_000).wait(1_990).prompt("then count each customer once")
    for number in range(4):
        bash(told, f"c4{number}", f"dbt test --select churn_{number}")
    told.wait(120).event("compact_boundary", content="Conversation compacted")
    told.wait(327).response(("t1", "Task", {"description": "find all uses of churn", "subagent_type": "Explore"}))
    told.wait(40).response(("c5", "Bash", {"command": 'duckdb -c "select month, sum(n) from churn"'}))
    # Both calls are blocks of one response.
    told.rows[-1]["message"] = told.rows[-1]["message"] | {"id": told.rows[-2]["message"]["id"]}
    told.rows[-1]["message"]["usage"] |= {
        "output_tokens": 700, "cache_read_input_tokens": 120_000, "cache_creation_input_tokens": 2_000,
    }  # fmt: skip
    agent = Transcript("3f0fc83a-0001", told.now, agent="a1", model=HAIKU).wait(-30).prompt("find all uses of churn")
    agent.wait(3).response(("g1", "Grep", {"pattern": "churn"})).wait(1).result("g1")
    agent.wait(2).response(("r1", "Read", {"file_path": "/home/dana/work/warehouse/models/marts.sql"}))
    agent.wait(1).result("r1", "3 rows").note("Explore", "find all uses of churn", "t1")
    return [told.title("fix the churn query"), agent]


def quiet() -> list[Transcript]:
    """Over."""
    dash = Transcript("3f0fc83a-0002", "2026-03-10T11:47:00", cwd="/home/dana/work/web-frontend", model=SONNET)
    dash.prompt("add the revenue dashboard")
    for number in range(7):
        bash(dash, f"d{number}", f"npm test {number}")
    slow = Transcript("3f0fc83a-0003", "2026-03-09T19:20:00").prompt("why is the nightly sync slow")
    slow.wait(4).response(tokens=(10, 3, 300_000, 900_000), stop=None).wait(1_080).response()
    old = Transcript("3f0fc83a-0004", "2026-02-18T09:15:00", cwd="/home/dana/work/infra").prompt("migrate to uv")
    bash(old, "o1", "uv sync").wait(3_300).response(model="acme/code-large")
    odd = Transcript("3f0fc83a-0005", "2026-03-01T12:00:00", cwd="/home/dana/work/infra").prompt(HOSTILE)
    bash(odd, "h1", HOSTILE, error=True, text=HOSTILE)
    return [dash, slow, old, odd]


def world(folder: Path) -> Store:
    """The store: five sessions, of which the oldest one's file is gone and one is private, and one not read yet."""
    store = store_of(folder, [*churn(), *quiet()])
    next(folder.rglob("3f0fc83a-0004.jsonl")).unlink()
    catch_up(store, folder / "claude")
    with store.write() as connection:
        # Where the test's folder lies must not show on the screens.
        connection.execute("UPDATE files SET path = '/home/dana/.claude/projects/' || parse_filename(path)")
        connection.execute("INSERT INTO uploads (session_id, status) VALUES ('3f0fc83a-0003', 'private')")
        connection.execute(
            "INSERT INTO files (path, source, root, session_id, is_main, mtime_ns) "
            "VALUES ('/t/3f0fc83a-0006.jsonl', 'claude', '/t', '3f0fc83a-0006', true, 1772000000000000000)"
        )
    return store
