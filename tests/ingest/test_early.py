"""Processes that are made before anybody knows what there is to read: they read it, or they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest import early, usage_reading, usage_share, work
from agnes_stats.ingest.copies import Queue
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.work import Workers
from agnes_stats.queries import tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import start

from tests.faults.same import contents, difference
from tests.storing import until
from tests.transcripts import Transcript, write

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no copies of a process")


@pytest.fixture(autouse=True)
def three_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(usage_reading, "LEAST_BYTES", 0)
    monkeypatch.setattr(early, "usual_processes", lambda: 3)
    yield
    early.end()


def _write_sessions(root: Path) -> None:
    for number in range(5):
        said = Transcript(f"s{number}", "2026-01-10T12:00:00").prompt("count")
        for _ in range(number + 1):
            said.wait(60).response()
        write(root, [said])


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Of a store that does not exist yet, and five sessions with 15 responses."""
    _write_sessions(tmp_path / "claude")
    return Engine(Store(tmp_path / "new.duckdb"), [Root("claude", tmp_path / "claude")])


def _told(engine: Engine) -> tokens.TokenSums:
    with contextlib.ExitStack() as whole:
        begun = engine.begin(whole, with_sessions=False)
        assert begun is not None
        with engine.store.read() as connection:
            ahead = engine.ahead(connection, whole, begun)
        assert ahead is not None
        return tokens.totals(ahead.tell(with_sessions=False), Filter())


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers under which this process reads."""
    share, numbers = usage_share.UsageTask.share, []

    def noted(task: usage_share.UsageTask, lots: Iterator[int], number: int) -> usage_share.UsageShare:
        numbers.append(number)
        return share(task, lots, number)

    monkeypatch.setattr(usage_share.UsageTask, "share", noted)
    return numbers


def _none_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be read is left to others from now on."""
    monkeypatch.setattr(Queue, "taken", lambda _: iter(()))


def test_they_read_what_there_is(engine: Engine, monkeypatch: pytest.MonkeyPatch, shares: list[int]) -> None:
    early.begin()
    _none_here(monkeypatch)
    assert _told(engine).responses == 15
    assert shares == [], "nothing was left to this process"


def test_what_they_leave_is_read_here(engine: Engine, monkeypatch: pytest.MonkeyPatch, shares: list[int]) -> None:
    early.begin()
    _none_here(monkeypatch)
    for process in _waiting():
        os.kill(process, signal.SIGKILL)
    assert _told(engine).responses == 15
    assert shares == [1]


def test_those_that_cannot_be_told_end_and_others_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    early.begin()
    waiting = _waiting()
    write, tried = Path.write_text, []

    def full(path: Path, *given: str) -> int:
        tried.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert _told(engine).responses == 15
    monkeypatch.setattr(Path, "write_text", write)
    assert len(tried) == 1
    assert not [process for process in waiting if _is_there(process)]


def _waiting() -> list[int]:
    waiting = list(early._early._waiting) if early._early is not None else []
    assert len(waiting) == 2
    return waiting


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_those_that_nobody_needs_are_ended() -> None:
    early.begin()
    waiting = _waiting()
    early.end()
    assert not [process for process in waiting if _is_there(process)]
    early.end()


@pytest.fixture
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is, it is worth worker processes."""
    monkeypatch.setattr("agnes_stats.ingest.engine.COPY_BYTES", 0)


def _first_worker() -> int:
    assert isinstance(early._early, early.EarlyWorkers)
    process = early._early._process
    assert process is not None
    return process


@pytest.mark.usefixtures("much")
def test_workers_that_are_there_read_the_whole(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early.begin(whole=True)
    process, started = _first_worker(), []
    monkeypatch.setattr(Workers, "_start", lambda *_, **__: started.append(1))
    monkeypatch.setattr(work, "run_task", lambda _: pytest.fail("a worker reads it"))
    assert engine.catch_up().files == 5
    assert not started
    assert not _is_there(process)
    monkeypatch.undo()
    (tmp_path / "other").mkdir()
    other = Store(tmp_path / "other" / "store.duckdb")
    Engine(other, engine.roots).catch_up()
    assert difference(contents(engine.store), contents(other)) == ""


@pytest.mark.usefixtures("much")
def test_what_workers_that_died_leave_is_read_all_the_same(engine: Engine) -> None:
    early.begin(whole=True)
    os.kill(_first_worker(), signal.SIGKILL)
    assert engine.catch_up().files == 5


def test_workers_are_ended_where_there_is_little_to_read(engine: Engine) -> None:
    early.begin(whole=True)
    process = _first_worker()
    assert engine.catch_up().files == 5
    assert not _is_there(process)


def test_each_takes_its_own() -> None:
    early.begin()
    assert early.take(early.EarlyWorkers) is None
    early.end()
    early.begin(whole=True)
    assert early.take(early.EarlyCopies) is None
    process = _first_worker()
    early.end()
    assert not _is_there(process)


WAITS = """
import os, sys
from agnes_stats.ingest import early
early.usual_processes = lambda: 3
early.begin(whole={whole})
print(*getattr(early._early, "_waiting", ()) or [early._early._process], flush=True)
sys.stdin.readline()
{end}
"""


def _kill(running: subprocess.Popen[str]) -> None:
    running.kill()


def _go_on(running: subprocess.Popen[str]) -> None:
    assert running.stdin is not None
    running.stdin.write("\n")
    running.stdin.flush()


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("end", "how"),
    [("", _kill), ("os._exit(0)", _go_on), ("sys.exit(2)", _go_on), ("raise OSError", _go_on)],
)
def test_they_end_with_the_process_that_made_them(
    end: str, how: Callable[[subprocess.Popen[str]], None], whole: bool
) -> None:
    command = [sys.executable, "-c", WAITS.format(end=end, whole=whole)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        waiting = [int(number) for number in running.stdout.readline().split()]
        # Of workers it knows the first, which waits for the others.
        assert len(waiting) == (1 if whole else 2)
        how(running)
        # They have none of what it tells open: else this would wait for them.
        assert running.stdout.read() == ""
        running.wait()
    until(lambda: not [process for process in waiting if _is_there(process)])


@pytest.mark.parametrize(
    ("words", "reads"),
    [
        ("daily", True),
        ("tokens --json", True),
        ("monthly --json --store {new}", True),
        ("weekly --store={old}", False),
        ("daily --help", False),
        ("daily --no-ingest", False),
        ("ingest --json", True),
        ("ingest --store {old}", False),
        ("sessions --json", False),
        ("models", False),
    ],
)
def test_they_are_made_for_what_reads_all_there_is(own_home: Path, words: str, reads: bool) -> None:
    old = own_home / "old.duckdb"
    old.touch()
    assert start.reads_ahead(words.format(old=old, new=own_home / "new.duckdb").split()) is reads


WHOLE = """
import sys
from agnes_stats.ingest import early, usage_reading
early.usual_processes = lambda: 3
usage_reading.LEAST_BYTES = 1
from agnes_stats.tui import start
sys.exit(start.main())
"""


def test_a_command_answers_with_them(tmp_path: Path) -> None:
    _write_sessions(tmp_path / "claude")
    options = ["--store", str(tmp_path / "store.duckdb"), "--source", f"claude={tmp_path / 'claude'}", "--tz", "UTC"]

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WHOLE, *words, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    wrong = ask("daily", "--since", "soon")
    assert (wrong.returncode, wrong.stdout) == (2, "") and "is no day" in wrong.stderr
    first = ask("daily", "--json")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith('{"provisional": true, ')
    assert ask("daily", "--json").stdout == first.stdout.replace('"provisional": true, ', "")
    assert [path.name for path in tmp_path.glob(".agnes-stats-*")] == []


FILLS = """
import sys
from agnes_stats.ingest import early, engine
early.usual_processes = lambda: 3
engine.COPY_BYTES = 1
from agnes_stats.tui import start
sys.exit(start.main())
"""


def test_a_command_fills_a_store_with_them(tmp_path: Path) -> None:
    _write_sessions(tmp_path / "claude")
    command = [sys.executable, "-c", FILLS, "ingest", "--json", "--store", str(tmp_path / "store.duckdb")]
    command += ["--source", f"claude={tmp_path / 'claude'}"]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (first.returncode, first.stderr) == (0, "")
    assert json.loads(first.stdout)["files"] == 5
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(again.stdout)["files"] == 0
    assert [path.name for path in tmp_path.glob(".agnes-stats-*")] == []


def test_a_stream_that_is_closed_stays_so(own_home: Path) -> None:
    """What is opened early would get its number, and be told the answer."""
    code = "import os\nfrom agnes_stats.tui import start\nos._exit(start.reads_ahead(['daily']))"
    closing = f"import os; os.close(1)\n{code}"
    assert [subprocess.run([sys.executable, "-c", each], check=False).returncode for each in (code, closing)] == [1, 0]


def _imported_by(code: str, *given: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)", *given]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_what_reads_for_tokens_alone_imports_little() -> None:
    code = "import agnes_stats.ingest.usage_share, agnes_stats.ingest.formats.claude.usage_decoder"
    access = {f"agnes_stats.ingest.access.{name}" for name in ("model", "results", "tools", "other_agents", "sql")}
    needless = {*access, "agnes_stats.queries.store", "_hashlib", "logging", "subprocess"}
    assert not needless & _imported_by(code)
    assert access <= _imported_by("from agnes_stats.ingest import access; access.import_all()")


PLANS = """
import sys, threading
from pathlib import Path
from agnes_stats.ingest import usage_reading
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.plan import plan
[job] = plan([Root("claude", Path(sys.argv[1]))], {}, threading.Event()).jobs
assert job.todo == job.size > 0 and not usage_reading.is_worth_it([job])
"""


def test_to_find_what_there_is_to_read_imports_nothing_that_reads(tmp_path: Path) -> None:
    write(tmp_path, [Transcript("s", "2026-01-10T12:00:00").prompt("count").wait(60).response()])
    assert not {"msgspec", "agnes_stats.ingest.formats.claude.decoder"} & _imported_by(PLANS, str(tmp_path))


def test_where_the_program_starts_imports_none_of_it() -> None:
    """A kept answer is told in the time that Python needs to start."""
    needless = {"agnes_stats.ingest", "agnes_stats.tui.cli", "threading", "typing", "dataclasses", "re"}
    assert not needless & (_imported_by("import agnes_stats.tui.start") - _imported_by(""))


TAKES = """
import os, sys, time
from agnes_stats.ingest.copies import Queue, copied
queue, owner = Queue(), os.getpid()
queue.fill(range(9))
def take():
    mine = queue.taken()
    os.write(1, b"%d taken\\n" % next(mine))
    while os.getppid() == owner:
        time.sleep(0.005)
    os.write(1, b"%d more\\n" % len(list(mine)))
copied(take)
sys.stdin.readline()
"""


def test_copies_take_nothing_more_once_who_made_them_is_gone() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", TAKES], stdin=pipe, stdout=pipe, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "0 taken\n"
        running.kill()
        assert running.stdout.read() == "0 more\n"
