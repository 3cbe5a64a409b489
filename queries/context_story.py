"""How the context of a session grew: after each prompt, at compactions, where its cache was built anew, and of what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .sessions import SessionRow, one_session
from .token_kinds import INWARD, WRITTEN
from .turns import find_turns, placed

if TYPE_CHECKING:
    from .store import Reader

BYTES_PER_TOKEN = 4
"""How many bytes of a result are taken for one token: transcripts do not tell the tokens of a result."""

LEAST_REBUILT, LEAST_SHARE = 1024, 0.05
"""Tokens, and their share of what was in the cache: less is no rebuild of it, but the end of a prompt that changed."""

_OWN = "subagent_id IS NULL AND NOT is_sidechain AND kind = 'turn'"
"""SQL of whether a response is one of the session's own conversation."""


@dataclass(frozen=True, slots=True)
class ContextAfter:
    """How large the context was after the last response to a prompt; None where nothing answered it."""

    id: str
    timestamp: dt.datetime | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class PastCompaction:
    """`trigger` is auto or manual, None where it is not told; `after` is None where only a later response shows it."""

    id: str
    timestamp: dt.datetime | None
    trigger: str | None
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A response for which tokens were written to the cache that had been there: `tokens`.

    `cost_usd` is what writing them cost; None where no price is known. `cause` is what the agent told, else
    compaction, model (another one than before), pause (longer than the cache lives), or unknown.
    """

    id: str
    timestamp: dt.datetime | None
    cause: str
    tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class ContextSource:
    """About how many tokens of the context came from the results of a tool; the rest of it is `None`."""

    name: str | None
    tokens: int


@dataclass(frozen=True, slots=True)
class ContextStory:
    """All of it. What the context is now, its window and when it is compacted is in `session`."""

    session: SessionRow
    prompts: list[ContextAfter]
    compactions: list[PastCompaction]
    rebuilds: list[Rebuild]
    by_source: list[ContextSource]


_PROMPTS = f"""
    SELECT p.id, p.ts AS timestamp, a.tokens FROM prompts p LEFT JOIN (
        SELECT turn, arg_max({INWARD}, (coalesce(ts, '-infinity'::TIMESTAMP), path, pos)) AS tokens
        FROM ({
    placed(
        "SELECT session_id, NULL::VARCHAR AS thread, ts, path, pos, input_tokens, cache_read_tokens, "
        f"cache_write_5m_tokens, cache_write_1h_tokens FROM responses WHERE session_id = $id AND {_OWN}"
    )
}) GROUP BY turn
    ) a ON a.turn = p.id
    WHERE p.session_id = $id ORDER BY p.ts NULLS LAST, p.path, p.pos
"""

_COMPACTIONS = """
    SELECT id, ts AS timestamp, cause AS trigger, amount AS before, tokens_after AS after FROM events
    WHERE session_id = $id AND kind = 'compact' ORDER BY ts NULLS LAST, path, pos
"""

# What was in the cache after the response before, and is not read from it now. A cache of five minutes lives that long
# since it was last used, one of an hour an hour: some of a prompt may be in either.
_REBUILDS = f"""
    WITH own AS (
        SELECT key AS id, ts, coalesce(requested_at, ts) AS asked_at, coalesce(ended_at, ts) AS ended_at, model,
            priced_as, speed, service_tier, cache_read_tokens AS read, {WRITTEN} AS written, {INWARD} AS inward,
            cache_write_5m_tokens AS short, cache_write_1h_tokens AS long, cache_miss_reason AS told
        FROM responses WHERE session_id = $id AND {_OWN} AND ts IS NOT NULL AND {INWARD} > 0
    ),
    pairs AS (
        SELECT *, lag(read + written) OVER o AS had, lag(model) OVER o AS model_before, lag(ended_at) OVER o AS before,
            lag(ts) OVER o AS ts_before,
            max(long) OVER (o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > 0 AS lasting
        FROM own WINDOW o AS (ORDER BY ts, id)
    ),
    lost AS (
        SELECT *, least(had - read, written) AS tokens FROM pairs
        WHERE had IS NOT NULL AND least(had - read, written) >= greatest({LEAST_REBUILT}, {LEAST_SHARE} * had)
    )
    SELECT l.id, l.ts AS timestamp, l.tokens,
        CASE WHEN EXISTS (SELECT 1 FROM events e WHERE e.session_id = $id AND e.kind = 'compact'
                AND e.ts > l.ts_before AND e.ts <= l.ts) THEN 'compaction'
            WHEN nullif(l.told, '') IS NOT NULL THEN l.told
            WHEN l.model IS DISTINCT FROM l.model_before THEN 'model'
            WHEN l.asked_at - l.before > CASE WHEN l.lasting THEN INTERVAL 1 HOUR ELSE INTERVAL 5 MINUTE END
                THEN 'pause'
            ELSE 'unknown' END AS cause,
        l.tokens * (
            SELECT arg_max(CASE WHEN l.written > 0
                    THEN (l.short * p.cache_write_5m + l.long * p.cache_write_1h) / l.written END, p.above)
            FROM rates p WHERE p.model = coalesce(l.priced_as, l.model) AND p.above < greatest(l.inward, 1)
                AND p.speed = CASE WHEN l.speed = 'fast' THEN 'fast' ELSE 'standard' END
                AND p.tier = CASE WHEN l.service_tier = 'batch' THEN 'batch' ELSE 'standard' END
                AND l.ts::DATE >= coalesce(p.valid_from, '-infinity'::DATE)
                AND l.ts::DATE < coalesce(p.valid_to, 'infinity'::DATE)
        ) / 1e6 AS cost_usd
    FROM lost l ORDER BY l.ts, l.id
"""

# Only what came back since the last compaction is still in the context.
_SOURCES = f"""
    SELECT name, (sum(result_bytes) // {BYTES_PER_TOKEN})::BIGINT AS tokens FROM tool_calls
    WHERE session_id = $id AND name IS NOT NULL AND subagent_id IS NULL AND NOT is_sidechain AND result_bytes > 0
        AND result_ts > (SELECT coalesce(max(ts), '-infinity'::TIMESTAMP) FROM events
            WHERE session_id = $id AND kind = 'compact')
    GROUP BY name HAVING sum(result_bytes) >= {BYTES_PER_TOKEN} ORDER BY tokens DESC, name
"""


def context_story(connection: Reader, session_id: str, *, now: dt.datetime) -> ContextStory | None:
    """How the context of a session grew; None if there is no such session. `now` is UTC without a zone."""
    row = one_session(connection, session_id, now=now)
    if row is None:
        return None
    find_turns(connection, [session_id])
    return story_of(connection, row)


def story_of(connection: Reader, row: SessionRow) -> ContextStory:
    """The same of a session that `find_turns` was given on this connection."""
    own = {"id": row.session_id}
    return ContextStory(
        session=row,
        prompts=connection.ask(ContextAfter, _PROMPTS, own),
        compactions=connection.ask(PastCompaction, _COMPACTIONS, own),
        rebuilds=connection.ask(Rebuild, _REBUILDS, own),
        by_source=_shares(connection.ask(ContextSource, _SOURCES, own), row.context_tokens),
    )


def _shares(found: list[ContextSource], context: int | None) -> list[ContextSource]:
    """The sources, and what the context holds besides; together the context, as far as the estimate allows."""
    if not context:
        return []
    known = sum(source.tokens for source in found)
    if known > context:
        # Results are cleared from a context without a word: then each has its share of what is there.
        found = [ContextSource(source.name, source.tokens * context // known) for source in found]
        known = sum(source.tokens for source in found)
    return [*found, ContextSource(None, context - known)]
