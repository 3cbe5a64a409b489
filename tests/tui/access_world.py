"""A store for the Data access tab: every action, result and source, a few days of it, and one hostile session."""

from __future__ import annotations

from pathlib import Path

from agnes_stats.queries.store import Store

from tests.queries.accesses import agnes, at, logged, session, store_with
from tests.transcripts import Transcript

HOSTILE = "[/foo]\x1b[2J\x1b]0;x\x07hidden\u202e"
JOINED = "select month, count(*) from orders join customers using (id)"
WAREHOUSE, WEB = "/w/warehouse", "/w/web-frontend"


def world(folder: Path) -> Store:
    """16 accesses within 30 days before 2026-03-10 14:44:30, and one before."""
    churn = Transcript("churn", at("14:06:12"), cwd=WAREHOUSE).prompt("why").title("fix the churn query")
    churn.response(("churn-no0", *agnes(JOINED))).wait(9).result("churn-no0", "ok").wait(20)
    churn.response(("churn-no1", *agnes("select count(*) from events"))).wait(2)
    churn.result("churn-no1", "(31 rows)").wait(60)
    churn.response(("churn-no2", *agnes("select x from orders"))).wait(1)
    churn.result("churn-no2", "Exit code 1", error=True).wait(60)
    churn.response(("churn-no3", "Bash", {"command": "agnes snapshot create events --as e"})).wait(30)
    churn.result("churn-no3").wait(60)
    churn.response(("churn-no4", "Bash", {"command": "agnes schema orders"})).wait(1).result("churn-no4")
    web = session(
        "web",
        "2026-03-09T09:00",
        ("Read", {"file_path": f"{WEB}/models/churn.sql"}),
        ("Write", {"file_path": f"{WEB}/models/sums.sql", "content": "x"}),
        ("WebFetch", {"url": "https://example.org/a"}),
        agnes("insert into sums select id from customers", remote=False),
        cwd=WEB,
    )
    web.response(("web-no", "Bash", {"command": "cat secrets.csv"})).wait(5)
    web.result("web-no", "no", error=True, toolDenialKind="user-rejected")
    web.response(("web-left", "Grep", {"pattern": "x", "path": "src"}), stop="tool_use")
    run = Transcript("run", at("14:44:16"), cwd=WEB).prompt("how many")
    run.response(("run-no0", *agnes("select count(*) from customers", remote=False)), stop="tool_use")
    evil = session("evil", "2026-03-08T08:00", agnes("select '[/foo]\x1b[2J[bold]x' from t"), cwd="/w/[/bar]\x1b[31m")
    evil.title(HOSTILE)
    old = session("old", "2026-01-02T09:00", agnes("select 1 from orders"), cwd=WAREHOUSE)
    server = [
        logged("seen", "14:06:20", JOINED, duration_ms=800, rows=1204),
        logged("bad", "14:07:44", "select x from orders", result="error.400", error="no column named x", rows=None),
        logged("alone", "2026-03-07T12:00", "select 9 from events", resource="table:events"),
        logged("gone", "2026-03-07T11:00", "select 9 from lost", resource="table:lost", result="error.404", rows=None),
    ]
    snapshot = {"table_id": "events", "rows": 9000, "fetched_at": f"{at('14:09:10').isoformat()}Z"}
    return store_with(folder, [churn, web, run, evil, old], server=server, snapshots={"e": snapshot})
