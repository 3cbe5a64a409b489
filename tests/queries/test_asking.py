"""The console's question in a process of its own."""

import datetime as dt
import os
import threading
from pathlib import Path

import pytest
from agnes_stats.queries.asking import Asker, Asking, Stopped
from agnes_stats.queries.console import Refused
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store, StoreError

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 1"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("store") / "s.duckdb"
    with Store(found).write() as connection:
        connection.execute(
            "INSERT INTO tokens_daily BY NAME SELECT 'UTC' AS zone, DATE '2026-11-20' AS day, 'it''s' AS project"
        )
    return found


def test_it_is_answered_while_this_process_has_the_store_open(path: Path) -> None:
    chosen = Filter(since=dt.date(2026, 11, 20), until=dt.date(2026, 11, 20), project="it's")
    with Store(path).read():
        answer = Asking(path, "SELECT day, 'ø\x1b' AS t FROM tokens_daily WHERE {{filters}}", chosen).answer()
    assert (answer.columns, answer.types) == (["day", "t"], ["DATE", "VARCHAR"])
    assert answer.rows == [("2026-11-20", "ø\x1b")]


def test_what_goes_wrong_is_told_in_its_own_words(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file of the current folder is not taken for a module of the program.
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="only one SELECT"):
        Asking(path, "DROP TABLE tokens_daily", Filter()).answer()
    with pytest.raises(StoreError, match="nonsense"):
        Asking(path, "SELECT nonsense FROM tokens_daily", Filter()).answer()


def test_it_can_be_stopped_at_once(path: Path) -> None:
    asking = Asking(path, ENDLESS, Filter())
    threading.Timer(0.05, asking.stop).start()
    with pytest.raises(Stopped):
        asking.answer()
    with pytest.raises(ProcessLookupError):
        os.kill(asking.pid, 0)


def test_one_process_answers_one_question_after_the_other_until_it_is_let_go(path: Path) -> None:
    asker = Asker(path)
    assert asker.pid is None
    assert asker.ask("SELECT count(*) AS n FROM tokens_daily WHERE {{filters}}", Filter(project="it's")).rows == [(1,)]
    first = asker.pid
    with pytest.raises(Refused):
        asker.ask("DROP TABLE tokens_daily", Filter())
    # Between its questions the store belongs to whoever writes.
    with Store(path, wait=2).write() as connection:
        connection.execute("INSERT INTO tokens_daily BY NAME SELECT 'UTC' AS zone, 'other' AS project")
    assert asker.ask("SELECT count(*) AS n FROM tokens_daily", Filter()).rows == [(2,)]
    assert asker.pid == first
    asker.close()
    assert asker.ask("SELECT 'ü\n' AS t", Filter()).rows == [("ü\n",)]
    assert asker.pid != first
    asker.stop()
    with pytest.raises(Stopped):
        asker.ask("SELECT 1", Filter())
    assert asker.pid is None
