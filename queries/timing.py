"""How long responses and turns take, and how fast the answer comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from .filters import Filter, Where, within
from .matching import RESPONSE_FIELDS, with_text
from .rollups import MAIN_AGENT, day_of
from .tokens import GROUPS, detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

Metric = Literal["response", "turn", "speed"]
METRICS: tuple[Metric, ...] = get_args(Metric)
"""`response`: milliseconds from a prompt or tool result to the first row of the response. `turn`: milliseconds that
Claude Code measured from a prompt to the end of the work on it. `speed`: output tokens a second of a response."""

BUCKETS = 20

SAMPLES = {
    "response": "epoch_ms(ts) - epoch_ms(requested_at)",
    "speed": "output_tokens * 1e3 / (epoch_ms(ended_at) - epoch_ms(requested_at))",
}
"""Metric -> the SQL of a value, over rows of `tokens.detailed`."""

VALID = {
    "response": "ts >= requested_at",
    # A placeholder for the output says nothing about its speed.
    "speed": "ended_at > requested_at AND output_tokens > 0 AND undercounted = 0",
}
"""Metric -> the SQL of whether a row has a value."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values of a metric: percentiles, and how many fall into each of 20 buckets from the least value to p99.

    What is beyond p99 counts in the last bucket. `edges` is one longer than `counts`.
    """

    count: int
    least: float
    p50: float
    p90: float
    p99: float
    greatest: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelPercentiles:
    """Values of a metric of one model."""

    name: str
    count: int
    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class _Summary:
    count: int
    least: float
    percentiles: list[float]
    greatest: float


def distribution(connection: Reader, chosen: Filter, metric: Metric) -> Distribution | None:
    """The values of one of METRICS; None if there are none.

    Responses are those of the main agent, or of the type of sub-agent that the filter names.
    """
    samples, where = _samples(chosen, metric)
    found = connection.ask(
        _Summary,
        "SELECT count(*) AS count, min(value) AS least, quantile_cont(value, [0.5, 0.9, 0.99]) AS percentiles, "
        f"max(value) AS greatest FROM {samples} HAVING count(*) > 0",
        where.parameters,
    )
    if not found:
        return None
    (summary,) = found
    p50, p90, p99 = summary.percentiles
    least = summary.least
    top = p99 if p99 > least else summary.greatest
    # Values that are all alike, or nearly, still need edges that ascend.
    width = max((top - least) / BUCKETS, 1e-6 * max(1.0, least))
    counts = [0] * BUCKETS
    for bucket, count in connection.rows(
        f"SELECT greatest(0, least({BUCKETS - 1}, floor((value - $least) / $width)))::INTEGER, count(*) "
        f"FROM {samples} GROUP BY 1",
        where.parameters | {"least": least, "width": width},
    ):
        counts[bucket] = count
    edges = tuple(least + width * number for number in range(BUCKETS + 1))
    return Distribution(summary.count, least, p50, p90, p99, summary.greatest, edges, tuple(counts))


def by_model(connection: Reader, chosen: Filter, metric: Metric) -> list[ModelPercentiles]:
    """The percentiles of each model, the one with most values first."""
    samples, where = _samples(chosen, metric)
    return connection.ask(
        ModelPercentiles,
        "SELECT name, count(*) AS count, quantile_cont(value, 0.5) AS p50, quantile_cont(value, 0.9) AS p90, "
        f"quantile_cont(value, 0.99) AS p99 FROM {samples} GROUP BY name ORDER BY count DESC, name",
        where.parameters,
    )


def _samples(chosen: Filter, metric: Metric) -> tuple[str, Where]:
    """SQL of rows of a value and the name of a model, and its parameters."""
    if metric == "turn":
        return _turns(chosen)
    where = where_of(chosen.but(subagent_type=chosen.subagent_type or MAIN_AGENT))
    where.add(VALID[metric]).add("kind = 'turn'")
    rows = f"{detailed(chosen, types=True)} WHERE {where}"
    return f"(SELECT ({SAMPLES[metric]})::DOUBLE AS value, {GROUPS['model']} AS name FROM {rows})", where


def _turns(chosen: Filter) -> tuple[str, Where]:
    """A turn has the model, branch and version of the last response of the session's main agent before it ended."""
    where = Where().by(
        chosen,
        {
            "day": "day",
            "agent": "agent",
            "machine": "machine",
            "project": "project",
            "session_id": "session_id",
            "user": "username",
            **{field: column for field, column in RESPONSE_FIELDS.items() if field != "subagent_type"},
        },
    )
    if chosen.subagent_type not in (None, MAIN_AGENT):
        where.add("false")
    with_text(where, chosen)
    # Both sides of an ASOF join need a time, or nothing would match.
    rows = f"""(
        SELECT e.amount::DOUBLE AS value, {day_of("e.ts", "$zone")} AS day, e.session_id,
            coalesce(e.agent, s.agent) AS agent, coalesce(e.machine, s.machine) AS machine, s.username, s.project,
            coalesce(r.model, '(unknown)') AS name, r.model, r.git_branch, r.version
        FROM (FROM {within(chosen, "events")} WHERE kind = 'turn' AND amount IS NOT NULL AND ts IS NOT NULL) e
        LEFT JOIN sessions s USING (session_id)
        ASOF LEFT JOIN (
            SELECT session_id, ts, model, git_branch, version FROM responses
            WHERE ts IS NOT NULL AND session_id IS NOT NULL AND subagent_id IS NULL AND NOT is_sidechain
        ) r ON r.session_id = e.session_id AND r.ts <= e.ts
    )"""
    return f"(SELECT value, name FROM {rows} WHERE {where})", where.add("true", zone=chosen.zone)
