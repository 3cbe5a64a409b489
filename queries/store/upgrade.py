"""What rows of an older store are given when it is brought up to this version: what later columns would hold.

Files that are still there are told anew by their sources, whose versions are raised. This is for what is nowhere else.
Every statement may be run again, on a store of any older version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..facts import FACTS
from .rebuilding import made_anew

_CLAUDE = "claude-code"
"""Before version 3 there was no other agent; those that came later say who they are."""

_OF_NO_AGENT = {"accesses": "seen_in = 'transcript'", "sync_actions": "source = 'transcript'"}
"""Facts that workspaces and servers tell, too -> those that an agent told."""


_STOPS = {
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded"), "'length'"),
    "end_turn": "'end'",
    "pause_turn": "'pause'",
    "advisor": "NULL",
}
"""Reasons to stop in the words of the only agent that there was before version 3 -> in those of `StopReason`."""

_EARLY = f"""
    UPDATE responses SET early_output = output_tokens BETWEEN 1 AND 5,
        stays_early = coalesce([TRY_CAST(part AS INTEGER) FOR part IN string_split(version, '.')] <= [2, 1, 52], false),
        least_output_tokens = CASE WHEN output_tokens NOT BETWEEN 1 AND 5 THEN output_tokens + 1 END
    WHERE is_placeholder AND early_output IS NULL AND lower_bound IS NULL AND coalesce(agent, '{_CLAUDE}') = '{_CLAUDE}'
"""
"""Before version 9 these columns followed from the version and from what the lines showed, which is no longer kept."""


def fills(zones: Iterable[str]) -> Iterator[str]:
    """The statements, in their order; `zones` are those whose days are kept."""
    # The reason told an advisor's answer.
    yield (
        "UPDATE responses SET kind = CASE WHEN stop_reason = 'advisor' THEN 'advisor' ELSE 'turn' END, "
        "is_answer = true WHERE kind IS NULL"
    )
    for before, now in _STOPS.items():
        yield f"UPDATE responses SET stop_reason = {now} WHERE stop_reason = '{before}'"
    yield (
        "UPDATE tool_calls SET mcp_server = split_part(name, '__', 2) "
        "WHERE class = 'mcp_call' AND mcp_server IS NULL AND starts_with(name, 'mcp__')"
    )
    yield _EARLY
    for fact in FACTS:
        if "agent" in fact.columns:
            told = _OF_NO_AGENT.get(fact.name, "true")
            yield f"UPDATE {fact.name} SET agent = '{_CLAUDE}' WHERE agent IS NULL AND {told}"
    yield "UPDATE files SET source = 'agnes-server-folder' WHERE source = 'agnes'"
    yield from made_anew(zones)
