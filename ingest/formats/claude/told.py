"""What a row of Claude Code tells of the response that it is a part of. The rules are those of docs/counting.md."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from ..events import Attribution, CacheMiss, Place, Response, Speaker, Telling
from ..numbers import dollars
from .rows import Message, Row, Usage
from .text import text_in
from .usage import (
    SPEED,
    TIER,
    Note,
    count_of,
    effort_of,
    leaves_placeholders,
    shown_bytes,
    stop_of,
    tokens_of,
    whole_number,
)

DENSEST_OUTPUT = 10
"""Bytes of JSON per token: more than this was never seen of a finished response (the most was 5)."""

PLACEHOLDER = range(1, 6)
"""Output counts from the start of the stream, which some versions log and never the final one."""

_WHOSE = attrgetter(
    *("perTurnEffort", "effort", "attributionPlugin", "attributionSkill", "attributionMcpServer", "attributionMcpTool")
)
_HOW = attrgetter("speed", "service_tier", "inference_geo")


class RowTelling(Telling, gc=False):
    """One row's telling. What it says is kept as the row has it."""

    def whole(self) -> Response:
        """The response that the row tells, decoded only where the row counts."""
        model, requested, (turn, session, plugin, skill, server, tool) = self.owner_says
        _, is_early, searches, stop, cost, miss, (speed, tier, place) = self.used_says
        told = Response(key=self.key, place=self.place, speaker=self.speaker, model=text_in(model), tokens=self.tokens)
        # To name many fields at once takes twice as long as to set them.
        told.stop_reason = stop_of(stop)
        told.requested_at, told.prompt_id = self.requested_at, self.prompt_id
        told.effort = effort_of(turn, session, requested)
        told.speed, told.service_tier = text_in(speed) or SPEED, text_in(tier) or TIER
        told.inference_geo = text_in(place)
        told.web_searches = searches
        told.logged_cost_usd = cost
        told.is_error = self.is_error
        told.lower_bound, told.early_output = None, is_early
        told.stays_early = leaves_placeholders(self.speaker.version)
        told.least_output = self.least_output
        if miss is not None:
            told.cache_miss = CacheMiss(*miss)
        if plugin is not None or skill is not None or server is not None:
            told.attribution = Attribution(text_in(plugin), text_in(skill), text_in(server), text_in(tool))
        return told


def telling_of(key: str, message: Message, place: Place, speaker: Speaker, row: Row, note: Note) -> RowTelling:
    """What a row tells. What cannot be read of its numbers is noted."""
    usage = message.usage or Usage()
    tokens = tokens_of(usage, note)
    requested, reasons = message.output_config, message.diagnostics
    miss = reasons.cache_miss_reason if reasons is not None else None
    return RowTelling(
        key,
        place,
        speaker,
        tokens,
        bool(row.isApiErrorMessage),
        -(-shown_bytes(message) // DENSEST_OUTPUT),
        (message.model, None if requested is None else requested.effort, _WHOSE(row)),
        (
            speaker.version,
            tokens.output in PLACEHOLDER,
            searches_of(usage, note),
            message.stop_reason,
            None if row.costUSD is None else dollars(row.costUSD),
            None if miss is None else (text_in(miss.type), whole_number(miss.cache_missed_input_tokens)),
            _HOW(usage),
        ),
    )


def searches_of(usage: Any, note: Note) -> int:
    """How often the web was searched."""
    used = usage.server_tool_use
    return count_of(used.web_search_requests, note) if used is not None else 0
