"""Starting DuckDB, of each version that this works with, and what does not come with it: its extensions.

DuckDB 2 brings all that a store in a file needs; 1.5 has time zones in an extension. Extensions are taken from packages
of the same version that pip has installed, or from DuckDB's own folder of them; nothing is ever fetched.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..quoting import quoted
from .errors import StoreError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Settings = dict[str, str | bool | int | float | list[str]]
"""Of DuckDB, by name."""

CHECKPOINT = "1MB"
"""What DuckDB takes to be more than this goes straight into the file. With the usual 16 MB a load of some 100 MB of
transcripts is written, and waited for, twice: into the log when it is committed, then from there when the file is
closed.
"""

CLOSING = ("enable_external_access", "lock_configuration")
"""Settings after which nothing can be loaded any more, in the order in which they are made."""


class ExtensionMissing(StoreError):
    """DuckDB lacks a part that is needed. The message says which, and how it comes here."""


def started(
    database: str, settings: Settings, *, read_only: bool = False, extensions: Sequence[str] = ()
) -> DuckDBPyConnection:
    """A connection to a database, or to one in memory, with its settings, and extensions loaded.

    Raises ExtensionMissing, or duckdb.Error.
    """
    from ._duckdb import duckdb

    needed = [*_of_time_zones(), *extensions]
    later = {name: value for name, value in settings.items() if needed and name in ("TimeZone", *CLOSING)}
    first = {name: value for name, value in settings.items() if name not in later}
    connection = duckdb.connect(database, read_only=read_only, config=first)
    try:
        load(connection, needed)
        close_off(connection, later)
    except BaseException:
        connection.close()
        raise
    return connection


def close_off(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Make settings that had to wait until all was loaded, those that end that last."""
    for name in sorted(settings, key=lambda name: CLOSING.index(name) if name in CLOSING else -1):
        # Else only of this connection, and not of its cursors.
        connection.execute(f"SET GLOBAL {name} = {quoted(str(settings[name]))}")


def load(connection: DuckDBPyConnection, extensions: Sequence[str]) -> None:
    """Load extensions. Raises ExtensionMissing."""
    from ._duckdb import duckdb

    for name in extensions:
        try:
            connection.execute(f"LOAD {quoted(str(_packaged(name) or name))}")
        except duckdb.Error as error:
            raise ExtensionMissing(
                f"DuckDB {duckdb.__version__} has no extension {name} here, which this needs: "
                f"pip install 'agnes-stats[lake]' brings it, with a DuckDB {LAKE_VERSION}"
            ) from error


LAKE_VERSION = "1.5.5"
"""The newest DuckDB of which all extensions come as packages."""


def _of_time_zones() -> list[str]:
    return [] if is_second() else ["icu"]


def is_second() -> bool:
    """Whether it is DuckDB 2, which has settings that 1.5 does not know."""
    from ._duckdb import duckdb

    return not duckdb.__version__.startswith("1.")


def _packaged(name: str) -> Path | None:
    """An extension's file in a package of DuckDB's own for this version; None if there is none."""
    from ._duckdb import duckdb

    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in (package.submodule_search_locations or []) if package is not None else []:
        path = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.is_file():
            return path
    return None
