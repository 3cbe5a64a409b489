"""What every source has to keep, tested for all that are registered, and for the made-up ones."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import engine as engines
from agnes_stats.ingest import load as loads
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Root, Source
from agnes_stats.queries import sync
from agnes_stats.queries.facts import FACTS
from agnes_stats.queries.schema import columns_of
from agnes_stats.queries.store import Writer

from tests.formats.madeup import MADE_UP
from tests.formats.specimens import SPECIMENS, Specimen
from tests.storing import kept_open, store_in

REGISTERED = list(SOURCES)
KINDS = [*REGISTERED, *(source.kind for source in MADE_UP)]
OF_THE_KIND_OF_CHANGE = pytest.mark.parametrize(
    "specimen",
    [pytest.param(kind, marks=pytest.mark.long) if kind in REGISTERED else kind for kind in KINDS],
    indirect=True,
)
"""For what follows from how a source changes: the made-up ones change in every way there is.

The registered ones are tried with all tests. Of them the others see what is a source's own, in one life of its files.
"""

SEEN_IN_A_LIFE = pytest.mark.parametrize(
    "specimen", [pytest.param(kind, marks=pytest.mark.long) for kind in KINDS], indirect=True
)
"""For what one life of its files shows of each source, too, which is cheaper; here it is said which promise it was."""

TABLES = (
    *(fact.name for fact in FACTS),
    "activity",
    "accounts",
    "uploads",
    "sync_tables",
    "sessions",
    "tokens_daily",
    "tools_daily",
    "extensions_daily",
)

LAST = 2
"""The number of the last state of a specimen."""

Dump = dict[str, list[tuple[Any, ...]]]


class Folder:
    """A root of one source, and a store of its own that follows it."""

    def __init__(self, folder: Path, root: Path, specimen: Specimen) -> None:
        self.specimen = specimen
        self.root = root
        self.root.mkdir(parents=True)
        folder.mkdir()
        self.store = store_in(folder)
        self.engine = Engine(self.store, [Root(specimen.kind, self.root)], workers=0, rest_seconds=0.0)

    def put(self, state: int) -> Folder:
        self.specimen.put(self.root, state)
        return self

    def read(self) -> int:
        """Read all that is new; how many files that were."""
        # Nobody else writes to it, who would have to be given time.
        self.engine.rest_seconds = 0.0
        return self.engine.catch_up().files

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return connection.execute(sql).fetchall()

    def dump(self, *, without: tuple[str, ...] = ()) -> Dump:
        """All that the store knows of what was read, but for empty tables."""
        counts, found = self.counts(), {}
        with self.store.read() as connection:
            for table in (table for table, count in counts.items() if count):
                rows = connection.execute(f"SELECT {self._shown(table, without)} FROM {table}").fetchall()
                found[table] = sorted(rows, key=repr)
        return found

    @staticmethod
    def _shown(table: str, without: tuple[str, ...]) -> str:
        return ", ".join(
            f'round("{name}", 9)' if kind == "DOUBLE" else f'"{name}"'
            for name, kind in columns_of(table).items()
            if name not in without
        )

    def facts(self) -> Dump:
        """What the files told, wherever in them it stood."""
        return self.dump(without=("path", "pos", "usage_path", "usage_pos", "result_path", "result_pos"))

    def counts(self) -> dict[str, int]:
        """How many rows there are in each table."""
        return dict(self.rows(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)))

    def rejects(self) -> list[sync.Reject]:
        with self.store.read() as connection:
            return sync.rejects(connection)


@pytest.fixture(autouse=True)
def made_up_sources() -> Iterator[None]:
    for source in MADE_UP:
        SOURCES.add(source())
    yield
    for source in MADE_UP:
        SOURCES.remove(source.kind)


@pytest.fixture(params=KINDS)
def specimen(request: pytest.FixtureRequest) -> Iterator[Specimen]:
    yield SPECIMENS[request.param]()


@contextlib.contextmanager
def followed(folder: Path, root: Path, specimen: Specimen) -> Iterator[Folder]:
    """A folder whose store is open as long as the block lasts: opening it anew would take most of the time."""
    made = Folder(folder, root, specimen)
    try:
        with kept_open(made.store):
            yield made
    finally:
        specimen.close(root)
        shutil.rmtree(root)


class AtOnce:
    """What a store knows whose files were all there when it was first looked for them; found out once for each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int], Dump] = {}

    def root(self, kind: str) -> Path:
        """Where all files of a kind lie, whatever the test: some keys are made of the folder's name."""
        return self._folder / kind / "root"

    def of(self, specimen: Specimen, state: int) -> Dump:
        key = (specimen.kind, state)
        if key not in self._known:
            with followed(self._folder / f"{specimen.kind} {state}", self.root(specimen.kind), specimen) as folder:
                assert folder.put(state).read() > 0
                self._known[key] = folder.facts()
        return self._known[key]


@pytest.fixture(scope="module")
def stores_at_once(tmp_path_factory: pytest.TempPathFactory) -> AtOnce:
    return AtOnce(tmp_path_factory.mktemp("at-once"))


@pytest.fixture
def at_once(specimen: Specimen, stores_at_once: AtOnce) -> Dump:
    """What is known of all its files."""
    return stores_at_once.of(specimen, LAST)


@pytest.fixture
def at_first(specimen: Specimen, stores_at_once: AtOnce) -> Dump:
    """The same, of the files in their first state."""
    return stores_at_once.of(specimen, 0)


@pytest.fixture
def folder(
    request: pytest.FixtureRequest, specimen: Specimen, stores_at_once: AtOnce, tmp_path: Path
) -> Iterator[Folder]:
    # Their files lie in the same folder as those of the test.
    for other in {"at_once", "at_first"} & set(request.fixturenames):
        request.getfixturevalue(other)
    with followed(tmp_path / "store", stores_at_once.root(specimen.kind), specimen) as folder:
        yield folder


def only_facts(dump: Dump) -> Dump:
    return {fact.name: dump[fact.name] for fact in FACTS if fact.name in dump}


def source_of(folder: Folder) -> Source:
    return SOURCES[folder.specimen.kind]


def test_every_source_has_a_specimen() -> None:
    assert set(SPECIMENS) == set(KINDS)
    for kind in KINDS:
        assert SOURCES[kind].kind == kind


def test_the_life_of_its_files(folder: Folder, specimen: Specimen, at_once: Dump) -> None:
    """It is read while it grows and while it is half written, told again, spoilt, and removed: what a source has to do
    itself for all that, in as few readings as will do. Each promise has a test of its own below."""
    for state in range(LAST + 1):
        if state:
            specimen.tear(folder.root, state)
            folder.read()
        folder.put(state).read()
    assert folder.facts() == at_once
    assert folder.rejects() == []
    assert folder.read() == 0
    said = {
        told
        for fact in FACTS
        if folder.counts()[fact.name]
        for told in folder.rows(f"SELECT DISTINCT agent, machine FROM {fact.name}")
    }
    assert said <= {(specimen.agent, None)} and (said or specimen.agent is None)
    assert all(len(state) < 1000 for (state,) in folder.rows("SELECT state FROM files"))
    before = folder.counts()
    specimen.spoil(folder.root)
    folder.read()
    [reject] = folder.rejects()
    assert reject.reason and folder.counts() == before
    specimen.remove(folder.root)
    folder.read()
    assert folder.counts() == before


# -- numbers ---------------------------------------------------------------------------------------------------------


@OF_THE_KIND_OF_CHANGE
def test_reading_twice_changes_nothing(folder: Folder) -> None:
    assert folder.put(LAST).read() > 0
    before, stamp = folder.dump(), folder.store.stamp()
    assert folder.read() == 0
    assert folder.store.stamp() == stamp
    folder.engine.catch_up(rebuild=True)
    assert folder.dump() == before


@SEEN_IN_A_LIFE
def test_it_does_not_matter_in_which_portions_it_is_read(folder: Folder, at_once: Dump) -> None:
    for state in range(LAST + 1):
        assert folder.put(state).read() > 0
    assert folder.facts() == at_once


@OF_THE_KIND_OF_CHANGE
def test_it_does_not_matter_in_which_order_the_files_are_read(folder: Folder, at_once: Dump) -> None:
    folder.put(LAST)
    files = [folder.engine.recognise(path) for path in reversed(folder.specimen.paths(folder.root))]
    for file in files:
        if file is not None:
            folder.engine.ingest([file])
    assert folder.read() == 0
    assert folder.facts() == at_once


@OF_THE_KIND_OF_CHANGE
def test_a_backfill_reads_the_same(folder: Folder, at_once: Dump, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "WORKER_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.work.STRETCH", 300)
    folder.put(LAST).read()
    assert folder.facts() == at_once


@OF_THE_KIND_OF_CHANGE
def test_it_may_be_killed_anywhere(folder: Folder, at_once: Dump, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put(0).read()
    folder.put(LAST)
    before, load, seen, is_in = folder.dump(), loads.load, 0, False

    class Killed(Exception):
        pass

    def load_until(at: int) -> Callable[[Writer, Any], list[str]]:
        """The load, with a store that breaks at its nth statement."""

        def load_and_die(connection: Writer, work: Any) -> list[str]:
            execute, left = Writer.execute, at

            def dying(writer: Writer, statement: str, *rest: Any) -> Any:
                nonlocal left, is_in
                if left == 0 and statement != "ROLLBACK":
                    raise Killed
                left -= 1
                answer = execute(writer, statement, *rest)
                is_in = is_in or statement == "COMMIT"
                return answer

            with monkeypatch.context() as patch:
                patch.setattr(Writer, "execute", dying)
                return load(connection, work)

        return load_and_die

    for at in range(4, 200, 13):
        monkeypatch.setattr(loads, "load", load_until(at))
        try:
            folder.read()
        except Killed:
            seen += 1
            if is_in:
                # What comes after that is about DuckDB, not about the store.
                break
            assert folder.dump() == before
        else:
            break
    assert seen
    assert folder.facts() == at_once


@SEEN_IN_A_LIFE
def test_what_is_half_written_waits_until_it_is_whole(folder: Folder, at_once: Dump) -> None:
    for state in range(LAST + 1):
        if state:
            folder.specimen.tear(folder.root, state)
            folder.read()
        folder.put(state).read()
    assert folder.facts() == at_once
    assert folder.rejects() == []


# -- what happens to files -------------------------------------------------------------------------------------------


@OF_THE_KIND_OF_CHANGE
def test_a_file_that_was_replaced_by_its_copy_says_the_same(folder: Folder) -> None:
    folder.put(LAST).read()
    before = folder.dump()
    folder.specimen.replace(folder.root)
    folder.read()
    assert folder.dump() == before


@OF_THE_KIND_OF_CHANGE
def test_what_a_shrunk_file_does_not_say_any_more_stays_unless_it_is_taken_back(
    folder: Folder, specimen: Specimen, at_first: Dump
) -> None:
    folder.put(LAST).read()
    whole, counts = folder.facts(), folder.counts()
    folder.put(0).read()
    if specimen.takes_back:
        # Spans of activity do not say where they come from, and stay.
        assert only_facts(folder.facts()) == only_facts(at_first)
    else:
        assert folder.counts() == counts
    folder.put(LAST).read()
    assert folder.facts() == whole


@SEEN_IN_A_LIFE
def test_facts_outlive_their_files(folder: Folder) -> None:
    folder.put(LAST).read()
    before = folder.dump()
    folder.specimen.remove(folder.root)
    folder.read()
    assert folder.dump() == before
    assert folder.rows("SELECT count(*) FROM files WHERE gone_at IS NULL") == [(0,)]
    assert folder.read() == 0


@OF_THE_KIND_OF_CHANGE
def test_a_file_out_of_reach_is_told_and_read_when_it_is_back(folder: Folder) -> None:
    folder.put(LAST).read()
    before = folder.dump()
    [path, *_] = (path for (path,) in folder.rows("SELECT path FROM files ORDER BY path"))
    found = Path(path)
    aside = folder.root.with_name("aside")
    found.rename(aside)
    # As root, the tests may read anything: a loop of links is out of everybody's reach.
    found.symlink_to(found)
    folder.read()
    assert folder.dump() == before
    assert [reject.path for reject in folder.rejects()] == [path]
    found.unlink()
    aside.rename(found)
    folder.read()
    assert (folder.dump(), folder.rejects()) == (before, [])


@SEEN_IN_A_LIFE
def test_what_cannot_be_used_is_told_and_costs_nothing_else(folder: Folder, specimen: Specimen) -> None:
    folder.put(LAST).read()
    before = folder.counts()
    specimen.spoil(folder.root)
    folder.read()
    [reject] = folder.rejects()
    assert folder.engine.recognise(Path(reject.path)) is not None
    assert reject.reason
    assert reject.pos >= 0 and reject.length >= 0
    assert folder.counts() == before
    folder.read()
    assert folder.rejects() == [reject]


# -- what a store has to know ----------------------------------------------------------------------------------------


@SEEN_IN_A_LIFE
def test_the_state_of_a_file_is_small_and_plain(folder: Folder) -> None:
    folder.put(LAST).read()
    states = [state for (state,) in folder.rows("SELECT state FROM files")]
    assert states
    for state in states:
        assert isinstance(json.loads(state), dict)
        assert len(state) < 1000


@OF_THE_KIND_OF_CHANGE
def test_a_newer_version_takes_back_what_an_older_one_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put(LAST).read()
    before = folder.dump()
    with folder.store.write() as connection:
        for fact in FACTS:
            if fact.name not in before:
                continue
            key = ", ".join(f"'wrong ' || {column}" for column in fact.key)
            rest = ", ".join(f'"{column}"' for column in fact.columns if column not in fact.key)
            columns = ", ".join(fact.columns)
            connection.execute(f"INSERT INTO {fact.name} ({columns}) SELECT {key}, {rest} FROM {fact.name}")
    monkeypatch.setattr(type(source_of(folder)), "version", source_of(folder).version + 1)
    assert folder.read() > 0
    told = only_facts(folder.dump())
    if source_of(folder).is_cut:
        # Nobody can tell what was wrong from what is gone from the file since.
        assert all(row in told[name] for name, rows in only_facts(before).items() for row in rows)
        return
    assert told == only_facts(before)
    assert folder.read() == 0


@pytest.fixture
def files(specimen: Specimen, tmp_path: Path) -> Iterator[tuple[Source, Path]]:
    """A source and the folder in which all of its files lie, which nobody has read."""
    root = tmp_path / "root"
    root.mkdir()
    specimen.put(root, LAST)
    yield SOURCES[specimen.kind], root
    specimen.close(root)


def test_all_of_it_is_watched(files: tuple[Source, Path]) -> None:
    source, root = files
    wanted = source.watch_paths(root)
    found = list(source.discover(root))
    assert found
    for path in found:
        for member in source.members(path):
            where = Path(member).parent
            is_looked_at = Path(member) in wanted.looked_at or where in wanted.flat
            assert is_looked_at or any(where.is_relative_to(deep) for deep in wanted.deep), member


def test_whatever_changes_belongs_to_something_that_is_found(files: tuple[Source, Path]) -> None:
    source, root = files
    found = {Path(path) for path in source.discover(root)}
    for path in found:
        file = source.recognise(root, path)
        assert file is not None and file.path in found and file.kind == source.kind
        for member in source.members(path):
            assert source.recognise(root, Path(member)) == file
    assert source.recognise(root, root / "something else") is None


@SEEN_IN_A_LIFE
def test_every_fact_says_which_agent_told_it_on_which_machine(folder: Folder, specimen: Specimen) -> None:
    assert {"agent", "machine", "username"} <= set.intersection(*(set(fact.columns) for fact in FACTS))
    folder.put(0).read()
    # Nobody said so before.
    folder.engine.roots = [Root(specimen.kind, folder.root, "laptop")]
    folder.put(LAST).read()
    said = {
        told
        for fact in FACTS
        if folder.counts()[fact.name]
        for told in folder.rows(f"SELECT DISTINCT agent, machine FROM {fact.name}")
    }
    assert said <= {(specimen.agent, "laptop")}
    assert said or specimen.agent is None
