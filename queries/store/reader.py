"""What others see of an open store: a `Reader` answers questions, a `Writer` changes things as well."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..quoting import quoted
from ..schema import ddl
from .errors import StoreError, explained
from .instance import beside
from .parsed import PARSED
from .starting import CHECKPOINT, is_second

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from duckdb import DuckDBPyConnection

    T = TypeVar("T", bound=DataclassInstance)
else:
    T = TypeVar("T")

P = ParamSpec("P")
Got = TypeVar("Got")

Parameters = Mapping[str, Any] | Sequence[Any] | None
"""Values for the `$name` or the `?` of a statement."""

Row = tuple[Any, ...]


Explain = Callable[[BaseException], StoreError]
"""Makes an error of DuckDB's one of ours."""


class Answer:
    """The rows of one statement, to be fetched before the next one. Raises StoreError where they cannot be read."""

    def __init__(self, explain: Explain, connection: DuckDBPyConnection) -> None:
        self._explain = explain
        self._connection = connection
        described = connection.description or []
        self.columns = [str(column[0]) for column in described]
        self.types = [str(column[1]) for column in described]
        """DuckDB's names of them."""

    def fetchall(self) -> list[Any]:
        """All rows that are left, tuples."""
        return _told(self._explain, self._connection.fetchall)

    def fetchmany(self, size: int) -> list[Row]:
        """So many rows, fewer at the end."""
        return _told(self._explain, self._connection.fetchmany, size)

    def fetchone(self) -> Any:
        """The next row, a tuple; None at the end. The others hold up the store until they are fetched, too."""
        return _told(self._explain, self._connection.fetchone)


class Reader:
    """Questions to one state of a store. All of it raises StoreError: QueryFailed where DuckDB refuses a question."""

    def __init__(self, path: Path, connection: DuckDBPyConnection, explain: Explain | None = None) -> None:
        """`explain`: what is wrong with a store that is no file; `path` is where its own files are on this machine."""
        self._path = path
        self._connection = connection
        self._explain = explain or (lambda error: explained(path, error, opening=False))

    def execute(self, sql: str, parameters: Parameters = None) -> Answer:
        """Run one statement. That of a reader may make temporary tables, which are its own, and changes nothing."""
        statement = PARSED.of(sql, self._connection)
        if parameters is None:
            _told(self._explain, self._connection.execute, statement)
        else:
            _told(self._explain, self._connection.execute, statement, parameters)
        return Answer(self._explain, self._connection)

    def ask(self, shape: type[T], sql: str, parameters: Parameters = None) -> list[T]:
        """All rows of a question as `shape`; its fields are the columns, by name."""
        return [row for row, _ in self.ask_beside(shape, (), sql, parameters)]

    def ask_beside(
        self, shape: type[T], columns: Sequence[str], sql: str, parameters: Parameters = None
    ) -> list[tuple[T, Row]]:
        """The same, each row with some more columns, as they are."""
        fields = dataclasses.fields(shape)
        names = ", ".join((*(field.name for field in fields), *columns))
        found = self.rows(f"SELECT {names} FROM ({sql})", parameters)
        for place, field in enumerate(fields):
            if "dt.date" in str(field.type) and any(isinstance(row[place], str) for row in found):
                kind = dt.datetime if "dt.datetime" in str(field.type) else dt.date
                found = [(*row[:place], _within(row[place], kind), *row[place + 1 :]) for row in found]
        end = len(fields)
        return [(shape(*row[:end]), row[end:]) for row in found]

    def one(self, shape: type[T], sql: str, parameters: Parameters = None) -> T:
        """The single row of a question that always has one."""
        return self.ask(shape, sql, parameters)[0]

    def rows(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """All rows of a question that have no shape of their own."""
        return self.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = None) -> Row | None:
        """The first row; None if there is none."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        """The first column of the first row; None if there is no row."""
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    def interrupt(self) -> None:
        """Stop the statement under way, from another thread; it then raises StoreInterrupted."""
        self._connection.interrupt()


class Writer(Reader):
    """Changes to a store. Nobody else has it open for writing meanwhile."""

    _is_alone = False
    """Whether it is `in_one_thread`."""

    def another(self, connection: DuckDBPyConnection) -> Writer:
        """A writer with another connection to the same."""
        return Writer(self._path, connection, self._explain)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done in the block is in the store at its end, or, if it raises, nothing of it."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    @contextlib.contextmanager
    def in_one_thread(self, *, writes_much: bool = False) -> Iterator[None]:
        """What is done in the block is done by this thread alone: of much that is written a fifth costs less.

        Up to `commit`, if that ends it. DuckDB shares out work to threads that each keep blocks of all columns. Another
        one of this process that asks meanwhile does so in its own thread. To end and to start them takes 4 ms each: a
        block within one does neither. `writes_much`: what is committed goes straight into the file.
        """
        if self._is_alone:
            yield
            return
        self.execute("SET threads = 1")
        self._is_alone = True
        try:
            if is_second():
                # Else most of what is written is made small before it is committed, by this thread.
                self.execute("SET enable_optimistic_write = false")
                if writes_much:
                    # DuckDB takes it for less than it is: 32 MB of rows in small groups for less than one.
                    self.execute("SET checkpoint_threshold = '1KB'")
            yield
        finally:
            # After a fault DuckDB may have been ended, and its threads with it.
            with contextlib.suppress(StoreError):
                self._share_out()
                if is_second():
                    self.execute("RESET enable_optimistic_write")
                    if writes_much:
                        self.execute(f"SET checkpoint_threshold = {quoted(CHECKPOINT)}")

    def commit(self) -> None:
        """End a transaction, all of which is in the store then.

        To make small what is written takes as long as a third of all before, and threads do it together.
        """
        self._share_out()
        self.execute("COMMIT")

    def _share_out(self) -> None:
        if self._is_alone:
            self._is_alone = False
            self.execute("RESET threads")

    @contextlib.contextmanager
    def beside(self) -> Iterator[Reader]:
        """A reader of the state that was committed last, while this one goes on changing it."""
        cursor = beside(self._connection)
        try:
            yield Reader(self._path, cursor, self._explain)
        finally:
            cursor.close()

    def make_tables(self, only: Collection[str] | None = None) -> None:
        """Make the tables of a store that are not there, of one in memory that has some; `only`: of these."""
        for statement in ddl(only):
            self.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))

    def copy_to(self, path: Path) -> None:
        """Make a store at a path of all that this one has, which is one in memory."""
        name = self.value("SELECT current_database()")
        self.execute(f"ATTACH {quoted(str(path))} AS copy_of_it")
        try:
            self.execute(f'COPY FROM DATABASE "{name}" TO copy_of_it')
        finally:
            self.execute("DETACH copy_of_it")


def _told(explain: Explain, ask: Callable[P, Got], *given: P.args, **named: P.kwargs) -> Got:
    """What DuckDB says, its errors as ours."""
    from ._duckdb import duckdb

    try:
        return ask(*given, **named)
    except duckdb.Error as error:
        raise explain(error) from error
    except RuntimeError as error:
        # So DuckDB tells of a Ctrl-C that came while it worked.
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


def _within(moment: object, kind: type[dt.date]) -> object:
    """DuckDB hands over a time that Python has none for as text: it becomes the first or last one that there is."""
    if not isinstance(moment, str):
        return moment
    return kind.min if "BC" in moment or moment.startswith("-") else kind.max
