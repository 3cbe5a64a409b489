"""How long tool calls ran: which of them say so, and how their times are told in classes.

Left out are calls that wait for a person, that were refused, and that come back at once while the work goes on: their
time from call to result is none of an execution.
"""

from __future__ import annotations

from .hand_over_facts import BACKGROUND, LAUNCHES

CLASSES_MS: tuple[int | None, ...] = (1000, 5000, 10000, 30000, None)
"""The upper edges of HtmlGraph's five classes, in milliseconds; an edge belongs to the class above it."""

_WAITS = (
    *("askuserquestion", "exitplanmode", "enterplanmode", "requestuserinput", "askuser", "question", "askquestion"),
    *("planexit", "planenter"),
)
"""Tools that wait for a person, in small letters without what stands between words."""


def _listed(words: tuple[str, ...] | frozenset[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def executed() -> str:
    """SQL of whether a call's time is that of its execution."""
    bare = "replace(replace(lower(name), '_', ''), '-', '')"
    return (
        "(is_error IS NOT NULL AND denial IS NULL AND ts IS NOT NULL AND result_ts IS NOT NULL "
        f"AND {bare} NOT IN ({_listed(_WAITS)}) AND in_background IS NOT true AND name NOT IN ({_listed(LAUNCHES)}) "
        f"AND (spawned_status IS NULL OR spawned_status NOT IN ({_listed(BACKGROUND)})))"
    )


def milliseconds() -> str:
    """SQL of the milliseconds from a call to its result."""
    return "greatest(0, epoch_ms(result_ts) - epoch_ms(ts))"


def class_of(ms: str) -> str:
    """SQL of the number of the class, from 0, of the SQL `ms`."""
    return f"CASE {' '.join(f'WHEN {ms} < {edge} THEN {n}' for n, edge in enumerate(CLASSES_MS[:-1]))} ELSE 4 END"
