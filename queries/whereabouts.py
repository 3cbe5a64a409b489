"""Where in which file something of a session stands, and what the session began as a copy of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .store import Reader

Kind = Literal["prompt", "call", "response", "event"]


@dataclass(frozen=True, slots=True)
class Spot:
    """What a file tells of a thing, as `label` says. `kind` and `root` are those of the source that has the file.

    `pos`: the byte at which its line begins, or what else tells it from the others of the file.
    """

    label: str
    kind: str
    root: str
    path: str
    pos: int


_SPOTS: dict[Kind, str] = {
    "prompt": "SELECT 'asked' AS label, path, pos FROM prompts WHERE id = $id",
    "call": "SELECT 'called' AS label, path, pos FROM tool_calls WHERE id = $id AND path IS NOT NULL "
    "UNION ALL SELECT 'result', result_path, result_pos FROM tool_calls WHERE id = $id AND result_path IS NOT NULL",
    "response": "SELECT 'answered' AS label, path, pos FROM responses WHERE key = $id "
    "UNION SELECT 'answered', usage_path, usage_pos FROM responses WHERE key = $id AND usage_path IS NOT NULL",
    "event": "SELECT 'noted' AS label, path, pos FROM events WHERE id = $id",
}


def spots(connection: Reader, kind: Kind, key: str) -> list[Spot]:
    """Where it stands, a result after its call."""
    return connection.ask(
        Spot,
        "SELECT t.label, f.source AS kind, f.root, t.path, t.pos "
        f"FROM ({_SPOTS[kind]}) t JOIN files f ON f.path = t.path ORDER BY t.label, t.path, t.pos",
        {"id": key},
    )


@dataclass(frozen=True, slots=True)
class Relative:
    """Another session that this one is a copy of, or that is a copy of this one."""

    session_id: str
    title: str | None


def origin_of(connection: Reader, session_id: str) -> Relative | None:
    """The session that this one began as a copy of: it was forked from it, or resumed into another file."""
    found = connection.ask(
        Relative,
        "SELECT l.value AS session_id, s.title FROM session_lasts l LEFT JOIN sessions s ON s.session_id = l.value "
        "WHERE l.session_id = $id AND l.kind = 'forked_from' AND l.value IS NOT NULL AND l.value <> $id",
        {"id": session_id},
    )
    return found[0] if found else None


def copies_of(connection: Reader, session_id: str) -> list[Relative]:
    """The sessions that began as copies of this one."""
    return connection.ask(
        Relative,
        "SELECT l.session_id, s.title FROM session_lasts l LEFT JOIN sessions s ON s.session_id = l.session_id "
        "WHERE l.value = $id AND l.kind = 'forked_from' AND l.session_id <> $id ORDER BY s.started_at, l.session_id",
        {"id": session_id},
    )
