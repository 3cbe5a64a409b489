"""DuckDB as it is used here: connections, statements, errors.

They are of the engine's own module. The package `duckdb` passes them on and builds an API for relations besides, which
nobody here calls and which takes five times as long to import as the engine; it is the same engine for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
else:
    try:
        import _duckdb as duckdb
    except ImportError:
        # The module's name is no promise of DuckDB's.
        import duckdb

__all__ = ["duckdb"]
