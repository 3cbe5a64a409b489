"""How a session went over time: tokens, errors, compactions, prompts, in equal steps of the time it was at work."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader

PAUSE = dt.timedelta(minutes=10)
"""A longer pause is shown as none: it would be all that one sees of a session that was left and resumed."""


LEAST = dt.timedelta(seconds=10)
"""A step is no shorter: responses take about as long."""


@dataclass(frozen=True, slots=True)
class TimelineMoment:
    """Something that happened: `kind` is response (`amount` is its tokens), error, compact or prompt."""

    ts: dt.datetime
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step of the time: what happened in it."""

    tokens: int
    errors: int
    compactions: int
    prompts: int
    after_pause: bool
    """Whether a long pause was left out before it."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps, oldest first, and how long each is."""

    steps: tuple[TimelineStep, ...]
    step_seconds: float

    @property
    def peak(self) -> float:
        """The most tokens in a minute; where a step is longer, a minute of it."""
        wide = max(1, round(60 / self.step_seconds))
        most = max((sum(step.tokens for step in self.steps[n : n + wide]) for n in range(len(self.steps))), default=0)
        return most * 60 / max(60.0, self.step_seconds)


_MOMENTS = """
    SELECT ts, 'response' AS kind, total_tokens AS amount FROM responses WHERE session_id = $id AND ts IS NOT NULL
    UNION ALL SELECT coalesce(result_ts, ts), 'error', 1 FROM tool_calls
        WHERE session_id = $id AND is_error AND coalesce(result_ts, ts) IS NOT NULL
    UNION ALL SELECT ts, CASE kind WHEN 'compact' THEN 'compact' ELSE 'error' END, 1 FROM events
        WHERE session_id = $id AND kind IN ('compact', 'api_error') AND ts IS NOT NULL
    UNION ALL SELECT ts, 'prompt', 1 FROM prompts WHERE session_id = $id AND ts IS NOT NULL
    ORDER BY ts
"""


def moments(connection: Reader, session_id: str) -> list[TimelineMoment]:
    """All that a timeline shows, in the order of time."""
    return connection.ask(TimelineMoment, _MOMENTS, {"id": session_id})


def timeline(found: list[TimelineMoment], count: int) -> Timeline | None:
    """The time of a session in at most `count` equal steps, none shorter than LEAST; None if nothing has a time."""
    if not found or count <= 0:
        return None
    at, places, pauses = 0.0, [], []
    before = found[0].ts
    for moment in found:
        gap = (moment.ts - before).total_seconds()
        is_pause = gap > PAUSE.total_seconds()
        at += 60.0 if is_pause else gap
        if is_pause:
            pauses.append(at)
        places.append(at)
        before = moment.ts
    seconds = max(LEAST.total_seconds(), at / count * (1 + 1e-9))
    size = min(count, int(at / seconds) + 1)
    tokens, errors, compactions, prompts = ([0] * size for _ in range(4))
    counts = {"response": tokens, "error": errors, "compact": compactions, "prompt": prompts}
    for moment, place in zip(found, places, strict=True):
        counts[moment.kind][min(size - 1, int(place / seconds))] += moment.amount
    begun = {min(size - 1, int(place / seconds)) for place in pauses}
    steps = tuple(
        TimelineStep(tokens[n], errors[n], compactions[n], prompts[n], after_pause=n in begun) for n in range(size)
    )
    return Timeline(steps, seconds)
