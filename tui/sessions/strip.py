"""The time of a session in two lines: tokens a minute, and below them prompts, errors, compactions and pauses."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from ...queries.timeline import Timeline, TimelineStep
from .. import format as words
from ..kit.spark import sparkline

LEGEND = 18
"""Cells at the right edge in which the marks are counted."""

ERROR, COMPACTION, PROMPT, PAUSE = "✗", "◆", "╵", "┊"


def time_strip(shown: Timeline, width: int, styles: Mapping[str, str]) -> Text:
    """Two lines of `width` cells; `styles` are those of `success`, `warning` and `error`."""
    room = max(1, width - LEGEND)
    line = Text(sparkline([step.tokens for step in shown.steps], room), style=styles["success"], no_wrap=True)
    line.append(" " * (room - line.cell_len + 1))
    line.append(f"peak {words.count(shown.peak)} tok/min", style="dim")
    marks = Text(no_wrap=True)
    for step in shown.steps[:room]:
        mark, tone = _mark(step)
        marks.append(mark, style=styles.get(tone, tone))
    marks.append(" " * (room - marks.cell_len + 1))
    for mark, count, tone in (
        (ERROR, sum(step.errors for step in shown.steps), "error"),
        (COMPACTION, sum(step.compactions for step in shown.steps), "warning"),
    ):
        if count:
            marks.append(f"{mark} {words.count(count)}  ", style=styles[tone])
    marks.rstrip()
    return Text("\n", no_wrap=True, overflow="crop").join([line, marks])


def _mark(step: TimelineStep) -> tuple[str, str]:
    """The mark of a step, and its tone: of several the gravest."""
    if step.errors:
        return ERROR, "error"
    if step.compactions:
        return COMPACTION, "warning"
    if step.prompts:
        return PROMPT, ""
    return (PAUSE, "dim") if step.after_pause else (" ", "")
