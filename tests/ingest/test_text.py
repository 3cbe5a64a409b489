"""Every text column of the store is either read by the redactor or named here, with the reason why not."""

import msgspec
import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.call_rows import AccessedRow, CallRow
from agnes_stats.ingest.merged_batch import MergedBatch
from agnes_stats.ingest.short_rows import ShortRows
from agnes_stats.ingest.text import TEXTS, begun, first_line, kept, one_line, without_credentials
from agnes_stats.queries.schema import FACTS, TABLES, columns_of

KEY = "a key: it names a row, a session, an agent or a call in other tables too"
PLACE = "where something lies on this machine, or whose folder it is: without it, it is not found again"
WORD = "one of a few words of this program's own"
DERIVED = "made of columns of the facts, which are read"
OURS = "written by this program about itself"

WHOSE = {"agent", "machine", "username"}
"""Which coding agent, on which machine, in whose folder: named by the user's own settings and folders."""

STRAYS = {f"{prefix}{name}_session_id" for prefix in ("", "result_") for name in ("named", "home")}
"""Columns of sessions' ids in any table: keys, too."""

NOT_READ: dict[str, dict[str, str]] = {
    "accesses": {
        **dict.fromkeys(("id", "call_id", "session_id"), KEY),
        **dict.fromkeys(("path", "workspace"), PLACE),
        **dict.fromkeys(("seen_in", "statement", "dialect"), WORD),
    },
    "accounts": {"workspace": PLACE},
    "activity": {"session_id": KEY},
    "subagents": {
        **dict.fromkeys(("subagent_id", "tool_use_id", "parent", "reported_call_id"), KEY),
        **dict.fromkeys(("path", "reported_path"), PLACE),
    },
    "background_ends": {
        **dict.fromkeys(("id", "session_id", "task_id", "call_id"), KEY),
        "path": PLACE,
    },
    "events": {"id": KEY, "session_id": KEY, "path": PLACE, "kind": WORD},
    "external_runs": {
        **dict.fromkeys(("id", "session_id", "call_id"), KEY),
        "path": PLACE,
        "program": WORD,
    },
    "files": {
        **dict.fromkeys(("path", "root", "members"), PLACE),
        **dict.fromkeys(("head", "tail"), "a checksum"),
        "source": WORD,
        "session_id": KEY,
        "state": "keys, times and names; `without_credentials` reads it",
        "members": PLACE,
    },
    "context_windows": {"model": "named in the user's own settings"},
    "forgotten": {"session_id": KEY},
    "meta": dict.fromkeys(("name", "value"), OURS),
    "models": {"model": DERIVED},
    "own_totals": {"session_id": KEY, "path": PLACE},
    "prompts": {"id": KEY, "session_id": KEY, "path": PLACE, "kind": WORD},
    "rates": dict.fromkeys(("model", "speed", "tier"), DERIVED),
    "rejects": {"path": PLACE},
    "responses": {
        **dict.fromkeys(("key", "session_id", "subagent_id", "prompt_id"), KEY),
        **dict.fromkeys(("path", "usage_path"), PLACE),
        **dict.fromkeys(("kind", "billed", "stop_reason"), WORD),
    },
    "server_reads": {
        **dict.fromkeys(("server", "account"), "where the user's own settings lead, and whose token they have"),
        **dict.fromkeys(("endpoint", "failure"), WORD),
        **dict.fromkeys(("newest_id", "gap_at", "gap_id", "floor_id"), "a server's key and cursor, given back to it"),
    },
    "limit_samples": {"id": KEY, "path": PLACE},
    "session_firsts": {"session_id": KEY, "kind": WORD, "path": PLACE},
    "session_lasts": {"session_id": KEY, "kind": WORD, "path": PLACE},
    "snapshot_keys": {"snapshot": PLACE, "fact": WORD, "key": KEY},
    "strays": {"session_id": KEY, "home": KEY, "path": PLACE},
    "summaries": {"leaf_uuid": KEY, "path": PLACE},
    "sync_actions": {
        **dict.fromkeys(("id", "session_id", "call_id"), KEY),
        **dict.fromkeys(("path", "workspace"), PLACE),
    },
    "sync_tables": {"workspace": PLACE},
    "task_changes": {
        **dict.fromkeys(("id", "session_id", "subagent_id", "call_id"), KEY),
        **dict.fromkeys(("path", "result_path"), PLACE),
        **dict.fromkeys(("form", "status"), WORD),
    },
    "tool_calls": {
        **dict.fromkeys(
            (
                "id",
                "session_id",
                "subagent_id",
                "response_key",
                "prompt_id",
                "result_session_id",
                "spawned_subagent_id",
            ),
            KEY,
        ),
        **dict.fromkeys(("path", "result_path"), PLACE),
        "class": WORD,
    },
    "unknowns": {"path": PLACE},
    "uploads": {"workspace": PLACE, "path": PLACE, "session_id": KEY, "status": WORD},
    "workspaces": {"workspace": PLACE},
    "snapshots": {"workspace": PLACE, "path": PLACE},
    "plugins": {"workspace": PLACE, "source": WORD},
    "server_sessions": {"server": PLACE, "account": KEY},
    "worktrees": {"session_id": KEY, "path": PLACE},
    "zones": {"zone": "a name of the zone database"},
    **{
        table: dict.fromkeys((name for name, kind in TABLES[table].items() if kind == "VARCHAR"), DERIVED)
        for table in ("sessions", "tokens_daily", "tools_daily", "extensions_daily")
    },
}


def test_every_text_column_is_read_or_has_a_reason_not_to_be() -> None:
    for table in (*(fact.name for fact in FACTS), *TABLES):
        texts = {name for name, kind in columns_of(table).items() if kind.startswith("VARCHAR")}
        read, not_read = set(TEXTS.get(table, ())), set(NOT_READ.get(table, ())) | (texts & (WHOSE | STRAYS))
        # What is kept of other files has been read, column by column, when they were.
        not_read |= {name for fact in FACTS if fact.name == table for name in fact.rivals}
        assert not read & not_read, table
        assert read | not_read == texts, f"{table}: {texts ^ (read | not_read)}"


@pytest.mark.parametrize("batch", [Batch(), MergedBatch(), MergedBatch(short=ShortRows())])
def test_what_is_added_to_a_batch_is_read_and_cut(batch: Batch) -> None:
    call = CallRow(id="call", detail="PGPASSWORD=hunter2 psql", path="/a?token=b", error_text="x" * 1000)
    call.spawned_status, call.kind = "--password=hunter2", "tool_use"
    batch.take("tool_calls", [call])
    batch.take("accesses", [AccessedRow(tables_read=["https://u:hunter2@h/t.csv"], tables_written=[])])
    batch.add("accesses", {"tables_read": ["https://u:hunter2@h/t.csv"], "sql": None})
    told = msgspec.json.decode(msgspec.json.encode([batch.of("tool_calls"), batch.of("accesses")]))
    assert told == [
        [
            {
                "id": "call",
                "detail": "PGPASSWORD=*** psql",
                "path": "/a?token=b",
                "class": "tool_use",
                "error_text": "x" * 300,
                "spawned_status": "--password=***",
            }
        ],
        [
            {"tables_read": ["https://u:***@h/t.csv"], "tables_written": []},
            {"tables_read": ["https://u:***@h/t.csv"], "sql": None},
        ],
    ]


def test_a_name_that_fits_one_column_is_cut_for_a_shorter_one() -> None:
    batch = Batch()
    name = "n" * (TEXTS["task_changes"]["task_id"] + 20)
    batch.add("responses", {"key": "k", "model": name})
    batch.add("task_changes", {"task_id": name})

    assert batch.of("responses")[0]["model"] == name
    assert len(batch.of("task_changes")[0]["task_id"]) == TEXTS["task_changes"]["task_id"]


def test_rows_that_are_structs_have_the_columns_of_their_table() -> None:
    told = {fact.name: set(fact.told) for fact in FACTS}
    assert set(CallRow.__struct_encode_fields__) == told["tool_calls"]
    # The others are told by a server.
    by_servers = {"workspace", "client_kind", "result", "error", "duration_ms", "rows_returned", "bytes_scanned"}
    assert set(AccessedRow.__struct_encode_fields__) == told["accesses"] - by_servers


def test_what_a_parser_remembers_is_read() -> None:
    state = {"branch": "password=hunter2", "asked": {"a": 5}, "seen": ["x", ("y", None)], "long": "x" * 300}
    expected = {**state, "branch": "password=***", "seen": ["x", ["y", None]]}
    assert without_credentials(state) == expected


def test_a_credential_across_the_place_of_the_cut_leaves_no_half() -> None:
    text = f"{'x' * 70} postgres://u:{'hunter2' * 10}@db/x"
    blotted = f"{'x' * 70} postgres://u:***@db/x"
    for limit in range(84, 110):
        assert kept(text, limit) == blotted[:limit]
        assert first_line(f"\n {text}\nmore", limit) == blotted[:limit]
        assert one_line(f"a\n\n  {text}", limit) == f"a {blotted}"[:limit]


LONG = (
    *("word " * 400, "word\t\n  " * 400, "  " * 900 + "end", "\n\n x" * 300, "a" * 3000, "a b" + " " * 2000 + "c d"),
    *("k=" + "token=hunter2Zq9X " * 200, "x " * 130 + "password=hunter2Zq9X and more " * 30, "ab " * 85 + "."),
)


@pytest.mark.parametrize("text", LONG)
def test_a_line_is_what_it_would_be_if_all_of_the_text_were_read(text: str) -> None:
    for limit in (60, 240, 300, 500):
        assert one_line(text, limit) == " ".join(kept(text, limit * 4).split())[:limit]
        begins = text.lstrip().split("\n", 1)[0]
        assert first_line(text, limit) == kept(begins, limit * 4).strip()[:limit]


@pytest.mark.parametrize("text", LONG)
def test_the_beginning_of_a_text_is_that_of_all_of_it(text: str) -> None:
    for chars in (10, 82, 150, 400, 2000):
        begins = begun(text, 1500, chars)
        whole = kept(text, 1500)
        assert whole.startswith(begins)
        assert len(begins) >= min(chars, len(whole))
