"""What the doctor asks the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .schema import STORE_VERSION
from .store.database import verify

if TYPE_CHECKING:
    from .store import Reader

__all__ = ["FileMark", "Times", "file_marks", "forgotten_notes", "odd_days", "store_version", "times", "verify"]


@dataclass(frozen=True, slots=True)
class FileMark:
    """How far a file is read. Sizes are bytes; `parser` is None for a file that is only listed so far."""

    path: str
    source: str
    root: str
    is_main: bool
    size: int | None
    read_to: int | None
    mtime_ns: int | None
    parser: int | None
    is_gone: bool
    error: str | None


def file_marks(connection: Reader) -> list[FileMark]:
    """All files of the store, also those that are gone, by path."""
    return connection.ask(FileMark, "SELECT *, gone_at IS NOT NULL AS is_gone FROM files ORDER BY path")


@dataclass(frozen=True, slots=True)
class Times:
    """When files were read, the first and the last, and the time of the oldest session; UTC without a zone."""

    oldest_read_at: dt.datetime | None
    newest_read_at: dt.datetime | None
    oldest_session_at: dt.datetime | None


def times(connection: Reader) -> Times:
    """The store's first and last."""
    return connection.one(
        Times,
        "SELECT min(read_at) AS oldest_read_at, max(read_at) AS newest_read_at, "
        "(SELECT min(started_at) FROM sessions) AS oldest_session_at FROM files",
    )


def forgotten_notes(connection: Reader) -> int:
    """How many things the user had forgotten."""
    return int(connection.value("SELECT count(*) FROM forgotten"))


def odd_days(connection: Reader, zone: str, system: dt.tzinfo, now: dt.datetime) -> list[dt.date]:
    """The days of the last year whose noon in a zone is another one for DuckDB than for this system; `now` is UTC.

    Both bring rules of zones. Where a country changes its clock, either may not know yet.
    """
    rows = connection.rows(
        "SELECT noon, timezone($zone, make_timestamptz(epoch_us(noon))) FROM (SELECT "
        "unnest(generate_series($last::TIMESTAMP - to_days(366), $last::TIMESTAMP, to_days(1))) AS noon) ORDER BY noon",
        {"zone": zone, "last": now.replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)},
    )
    clocks = ((at.replace(tzinfo=dt.UTC).astimezone(system).replace(tzinfo=None), there) for at, there in rows)
    return [here.date() for here, there in clocks if here != there]


def store_version(connection: Reader) -> int:
    """The version that the store was made with."""
    value = connection.value("SELECT value FROM meta WHERE name = 'store_version'")
    return int(value) if value is not None else STORE_VERSION
