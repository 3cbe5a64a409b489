"""How large the results of tool calls are: what fills the context."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching
from .filters import Filter, Where

if TYPE_CHECKING:
    from .store import Reader

BYTES_PER_TOKEN = 4
"""How many bytes of a result are taken for one token: transcripts do not tell the tokens of a result."""


@dataclass(frozen=True, slots=True)
class ToolResults:
    """All results of one tool. Bytes are those of the text in the transcript."""

    name: str
    calls: int
    finished: int
    errors: int
    result_bytes: int
    typical_bytes: float | None
    """The median."""
    largest_bytes: int

    @property
    def result_tokens(self) -> int:
        """About how many tokens the results are."""
        return self.result_bytes // BYTES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Result:
    """One result. Its time is UTC without a zone."""

    id: str
    name: str
    detail: str | None
    session_id: str | None
    title: str | None
    ts: dt.datetime | None
    result_bytes: int

    @property
    def result_tokens(self) -> int:
        """About how many tokens it is."""
        return self.result_bytes // BYTES_PER_TOKEN


def _calls(chosen: Filter) -> tuple[str, Where]:
    """SQL of the tool calls that a filter lets pass."""
    where = matching.calls_where(chosen)
    rows = f"SELECT * REPLACE (coalesce(result_bytes, 0) AS result_bytes) FROM {matching.calls(chosen)} WHERE {where}"
    return f"({rows})", where


def by_tool(connection: Reader, chosen: Filter) -> list[ToolResults]:
    """Every tool, the one with the largest results in all first."""
    calls, where = _calls(chosen)
    return connection.ask(
        ToolResults,
        "SELECT name, count(*) AS calls, count(is_error) AS finished, count(*) FILTER (is_error) AS errors, "
        "sum(result_bytes)::BIGINT AS result_bytes, max(result_bytes) AS largest_bytes, "
        "median(result_bytes) FILTER (is_error IS NOT NULL) AS typical_bytes "
        f"FROM {calls} GROUP BY name ORDER BY result_bytes DESC, calls DESC, name",
        where.parameters,
    )


def largest(connection: Reader, chosen: Filter, limit: int = 20) -> list[Result]:
    """The largest results."""
    calls, where = _calls(chosen)
    return connection.ask(
        Result,
        "SELECT id, name, detail, session_id, title, ts, result_bytes "
        f"FROM {calls} WHERE result_bytes > 0 ORDER BY result_bytes DESC, id LIMIT {int(limit)}",
        where.parameters,
    )
