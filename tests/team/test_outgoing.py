"""What leaves this machine: as much as its owner says, and of everything else nothing. No server is asked here."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.team import inbox
from agnes_stats.ingest.team.outgoing import Terms, parts, rows_of
from agnes_stats.ingest.team.share import Share, kind_of
from agnes_stats.queries.postgres import encryption
from agnes_stats.queries.schema import FACTS
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.storing import held, store_in
from tests.transcripts import Transcript, store_of, write

KEY = "5a" * 32
SECRETS = ("Zebra", "quagga", "okapi", "tapir", "bongo", "kudu")
"""Words that stand in a prompt, a title, a command, a query, an error and a path."""


def told_by(store: Store, share: Share = Share.NUMBERS, *leave_out: str) -> str:
    """All that goes, as one text."""
    terms = Terms("mac", share, KEY, leave_out=leave_out)
    with store.read() as connection:
        return json.dumps([list(row) for row in rows_of(connection, terms, list(parts(connection, terms)))])


def speaking(session: str, cwd: str = "/home/dana/kudu/shop") -> Transcript:
    """A session with a secret in every place."""
    told = Transcript(session, "2026-03-10T09:00:00", cwd=cwd, branch="feature-Zebra").title("about the quagga")
    told.prompt("find the okapi").wait(5)
    calls = (
        (f"a-{session}", "Bash", {"command": "duckdb shop.duckdb -c 'select tapir from animals' && ls bongo"}),
        (f"b-{session}", "Read", {"file_path": "/home/dana/kudu/shop/animals.py"}),
        (f"c-{session}", "Bash", {"command": "codex exec 'count the okapi'"}),
        (f"d-{session}", "TodoWrite", {"todos": [{"content": "feed the okapi", "status": "pending"}]}),
    )
    told.response(*calls).wait(5)
    for call, _, _ in calls:
        told.result(call, "no such bongo", error=True)
    return told.wait(5).response().event("api_error", error={"message": "okapi"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = store_of(tmp_path_factory.mktemp("speaking"), [speaking("s1")])
    with held(made) as store:
        yield store


def test_every_column_of_text_has_a_class() -> None:
    """What has none would go with `all` only: that is right, but somebody should have thought of it."""
    texts = [
        (fact.name, column)
        for fact in FACTS
        for column, kind in fact.loaded.items()
        if kind.startswith("VARCHAR") and column not in ("username", "value")
    ]
    assert [
        (fact, column) for fact, column in texts if kind_of(next(f for f in FACTS if f.name == fact), column) is None
    ] == []


def test_numbers_are_all_that_goes_unless_more_is_asked_for(store: Store) -> None:
    told = told_by(store)
    assert [word for word in (*SECRETS, "animals", "dana", "codex exec") if word.lower() in told.lower()] == []
    assert '"shop"' in told.replace("\\", "")
    assert "claude-opus-4-5" in told
    assert "msg_s1" in told


def test_labels_are_titles_branches_and_tables(store: Store) -> None:
    told = told_by(store, Share.LABELS)
    assert [word for word in (*SECRETS, "animals") if word.lower() in told.lower()] == ["Zebra", "quagga", "animals"]


def test_all_is_all(store: Store) -> None:
    told = told_by(store, Share.ALL)
    assert [word for word in SECRETS if word.lower() not in told.lower()] == []


def test_no_character_of_a_text_breaks_a_row(tmp_path: Path) -> None:
    store = store_of(tmp_path, [speaking("s1")])
    with store.write() as connection:
        connection.execute("UPDATE prompts SET text = 'a' || chr(0) || 'b \\u0000 \"\\', id = 'p' || chr(0)")
        terms = Terms("mac", Share.ALL, KEY)
        [row] = [row for row in rows_of(connection, terms, list(parts(connection, terms))) if row.fact == "prompts"]
    assert json.loads(row.ident) == ["p"]
    [line] = json.loads(row.row)
    assert line["text"] == 'ab \\u0000 "\\'


def test_hashes_need_the_key(store: Store) -> None:
    def paths(key: str) -> set[str]:
        with store.read() as connection:
            terms = Terms("mac", Share.NUMBERS, key)
            rows = rows_of(connection, terms, list(parts(connection, terms)))
            return {line["path"] for row in rows if row.fact == "prompts" for line in json.loads(row.row)}

    assert paths("aa") == paths("aa")
    assert not paths("aa") & paths("ab")
    assert {len(path) for path in paths("aa")} == {32}


@pytest.mark.parametrize("share", [Share.NUMBERS, Share.ALL])
def test_of_projects_left_out_and_of_private_sessions_nothing_goes(tmp_path: Path, share: Share) -> None:
    agent = speaking("s3", "/w/diary")
    agent.agent = "x1"
    store = store_of(tmp_path, [speaking("s1"), speaking("s2", "/w/diary"), speaking("s4"), agent])
    with store.write() as connection:
        connection.execute("INSERT INTO uploads (workspace, session_id, status) VALUES ('/w', 's4', 'private')")
    told = told_by(store, share, "diary")
    assert [name for name in ("s1", "s2", "s3", "s4") if f"-{name}" in told or f"msg_{name}" in told] == ["s1"]
    assert "diary" not in told


def changed(store: Store, before: dict[str, Any], terms: Terms) -> set[str]:
    with store.read() as connection:
        after = parts(connection, terms)
    return {name.partition(" ")[0] for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_only_parts_that_changed_are_others(tmp_path: Path) -> None:
    store = store_of(tmp_path, [speaking("s1"), speaking("s2"), speaking("s3")])
    terms = Terms("mac", Share.NUMBERS, KEY)
    with store.read() as connection:
        before = parts(connection, terms)
    assert changed(store, before, terms) == set()
    write(tmp_path / "claude", [speaking("s2").wait(60).prompt("more")])
    Engine(store, [Root("claude", tmp_path / "claude")], workers=0).catch_up()
    out.forget(store, out.Forgettable(("s3",)))
    assert changed(store, before, terms) == {"s2", "s3"}
    for other in (Terms("mini", Share.NUMBERS, KEY), Terms("mac", Share.ALL, KEY), Terms("mac", Share.NUMBERS, "aa")):
        assert changed(store, before, other) == {"s1", "s2", "s3"}


# -- addresses, and the command without a server ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["postgresql://ann:secret@db/agnes", "postgresql://db/agnes?user=ann&password=secret", "postgres://ann:@db/x"],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(inbox.InboxError, match=r"has a password in it.*pgpass") as refused:
        inbox.address(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["db.example.com/agnes", "mysql://ann@db/agnes", "postgresql://db:port/x", "", "postgresql://[x/y"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(inbox.InboxError, match="named as postgresql://"):
        inbox.address(text)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("postgresql://ann@db.example.com/agnes", "verify-full"),
        ("postgresql://ann@10.0.0.7/agnes", "verify-full"),
        ("postgresql://ann@127.0.0.1/agnes", None),
        ("postgresql://ann@localhost/agnes", None),
        ("postgresql:///agnes", None),
        ("postgresql://ann@db.example.com/agnes?sslmode=require", None),
    ],
)
def test_beyond_this_machine_whom_we_speak_to_is_proven(
    text: str, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert encryption(inbox.address(text)).get("sslmode") == mode


def said(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    source = ["--store", str(folder / "store.duckdb"), "--source", f"claude={folder / 'claude'}"]
    status = cli.main([words[0], *source, *words[1:]])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_a_dry_run_tells_what_would_go_and_keeps_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "claude", [speaking("s1"), speaking("s2", "/w/diary")])
    status, told = said(
        capsys, tmp_path, "push", "--dry-run", "--machine", "mac", "--leave-out", "diary", "--leave-out", "x"
    )
    assert (status, "nothing was sent" in told, "--leave-out: no project is called x so far" in told) == (0, True, True)
    assert "responses: 2 rows of" in told
    assert not list(tmp_path.glob("*push-key*"))
    answer = json.loads(said(capsys, tmp_path, "push", "--dry-run", "--json", "--machine", "mac")[1])
    assert {row["table"]: row["rows"] for row in answer["tables"]}["responses"] == 4
    assert (answer["machine"], answer["share"], answer["to"]) == ("mac", "numbers", None)


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["push"], 2, "push to where?"),
        (["push", "--to", "postgresql://a:b@h/d"], 2, "has a password in it"),
        (["push", "--to", "postgresql://a@h/d", "--share", "much"], 2, "'much' is none of numbers, labels, all"),
        (["push", "--to", "postgresql://a@127.0.0.1:1/d"], 1, "127.0.0.1:1/d cannot be reached"),
        (["team"], 2, "do what? One of init, drain, compact, status"),
        (["team", "drain"], 2, "which inbox?"),
        (["team", "init", "postgresql://a:b@h/d"], 2, "has a password in it"),
        (["team", "drain", "postgresql://a@127.0.0.1:1/d"], 1, "127.0.0.1:1/d cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    words: list[str], status: int, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "claude").mkdir()
    found, told = said(capsys, tmp_path, *words)
    assert (found, told.count("\n"), line in told) == (status, 1, True), told


def test_nothing_needs_the_library_but_what_connects(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from agnes_stats.tui import cli\n"
        "from agnes_stats.tui.commands import COMMANDS, command_of\n"
        "import agnes_stats.ingest.team.drain, agnes_stats.ingest.team.push, agnes_stats.tui.app\n"
        "[command_of(name) for name in COMMANDS]\n"
        "sys.exit(cli.main(['push', '--no-ingest', '--to', 'postgresql://a@127.0.0.1:1/d', '--store', sys.argv[1]]))"
    )
    ran = subprocess.run([sys.executable, "-c", program, store_in(tmp_path).path], capture_output=True, text=True)
    assert (ran.returncode, "pip install 'agnes-stats[team]'" in ran.stderr) == (1, True), ran.stderr
