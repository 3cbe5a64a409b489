"""What a session left behind: commits, pull requests, lines added and removed, as far as its agent tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class Produced:
    """Hashes of commits, as short as they were told, and addresses of pull requests, in the order of time.

    In a team's store not those of who tells numbers only.
    """

    commits: list[str]
    pull_requests: list[str]
    lines_added: int | None
    """None where no change of a file was told."""
    lines_removed: int | None


_PRODUCED = """
    SELECT coalesce(list(text ORDER BY ts, pos) FILTER (kind = 'commit' AND text IS NOT NULL), []) AS commits,
        coalesce(list(text ORDER BY ts, pos) FILTER (kind = 'pull_request' AND text IS NOT NULL), []) AS pull_requests,
        sum(amount) FILTER (kind = 'lines_added')::BIGINT AS lines_added,
        sum(amount) FILTER (kind = 'lines_removed')::BIGINT AS lines_removed
    FROM events WHERE session_id = $id AND kind IN ('commit', 'pull_request', 'lines_added', 'lines_removed')
"""


def produced(connection: Reader, session_id: str) -> Produced:
    """What a session left behind, its sub-agents included."""
    return connection.one(Produced, _PRODUCED, {"id": session_id})
