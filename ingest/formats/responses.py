"""Responses into rows: whose one is, what it took, and which of the lines that tell of one response count for what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from ...queries.facts import RESPONSES
from ..batch import Row
from ..merged_batch import MergedBatch
from ..merged_rows import Values, Winners
from ..short_rows import ShortRow, own_row
from .events import Response

UNKNOWN_MODEL = "unknown"
"""Stands for a model that the source does not name."""


def owned(told: Response, here: Row) -> Row:
    """The columns that say whose a response is. `here`: those of its place, all of which it has, too."""
    speaker = told.speaker
    row: Row = {
        **here,
        "key": told.key,
        "embedded": told.place.embedded,
        "is_sidechain": speaker.is_sidechain,
        "kind": told.kind,
        "model": told.model or UNKNOWN_MODEL,
    }
    for column, value in (
        ("version", speaker.version),
        ("git_branch", speaker.branch),
        ("subagent_id", speaker.subagent_id),
        ("subagent_name", speaker.subagent_name),
        ("requested_at", told.requested_at),
        ("prompt_id", told.prompt_id),
        ("effort", told.effort),
        ("provider", told.provider),
        ("gateway", told.gateway),
        ("priced_as", told.priced_as),
        ("tool", told.tool),
    ):
        if value is not None:
            row[column] = value
    if told.attribution is not None:
        by = told.attribution
        row |= {"attributed_plugin": by.plugin, "attributed_skill": by.skill}
        row |= {"attributed_mcp_server": by.mcp_server, "attributed_mcp_tool": by.mcp_tool}
    return row


def taken(told: Response) -> Row:
    """The columns that say what a response took."""
    tokens = told.tokens
    row: Row = {
        "output_tokens": tokens.output,
        "total_tokens": tokens.total,
        "input_tokens": tokens.input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "web_searches": told.web_searches,
        "speed": told.speed,
        "service_tier": told.service_tier,
    }
    if told.lower_bound is None:
        row["early_output"], row["stays_early"] = told.early_output, told.stays_early
    for column, value in (
        ("lower_bound", told.lower_bound),
        ("reasoning_tokens", tokens.reasoning),
        ("stop_reason", told.stop_reason),
        ("inference_geo", told.inference_geo),
        ("ttft_ms", told.ttft_ms),
        ("duration_ms", told.duration_ms),
        ("billed", told.billed),
        ("logged_cost_usd", told.logged_cost_usd),
    ):
        if value is not None:
            row[column] = value
    if told.cache_miss is not None:
        row["cache_miss_reason"], row["cache_missed_tokens"] = told.cache_miss.reason, told.cache_miss.tokens
    return row


def added_up(told: Response) -> Row:
    """The columns of which all lines of a response tell a part, besides those of its place."""
    row: Row = {"is_api_error": told.is_error}
    if told.ended_at is not None:
        row["ended_at"] = told.ended_at
    if told.lower_bound is None:
        row["least_output_tokens"] = told.least_output
    return row


_FIELDS = {
    "embedded": "place.embedded",
    "usage_embedded": "place.embedded",
    "ts": "place.ts",
    "usage_ts": "place.ts",
    "copy_signs": "place.copy_signs",
    "pos": "place.pos",
    "usage_pos": "place.pos",
    "is_sidechain": "speaker.is_sidechain",
    "output_tokens": "tokens.output",
    "total_tokens": "tokens.total",
}
"""Where a line has what it is compared by."""


def _compared(columns: tuple[str, ...]) -> Callable[[Response], Values]:
    return attrgetter(*(_FIELDS[column] for column in columns))


def _summed(columns: tuple[str, ...]) -> Callable[[Response], Values]:
    assert columns == ("ended_at", "is_api_error", "least_output_tokens", "is_copy")
    return lambda told: (
        told.place.ts if told.ended_at is None else told.ended_at,
        told.is_error,
        told.least_output if told.lower_bound is None else None,
        told.place.is_copy,
    )


_OWNER_SAYS = attrgetter(
    *("place.session", "place.embedded", "place.copy_signs", "place.home", "kind", "model", "provider", "gateway"),
    *("priced_as", "tool", "effort", "speaker.subagent_id", "speaker.subagent_name", "speaker.is_sidechain"),
    *("speaker.version", "speaker.branch"),
)
_USED_SAYS = attrgetter(
    *("place.embedded", "speed", "service_tier", "web_searches", "inference_geo", "stop_reason", "ttft_ms"),
    *("duration_ms", "billed", "logged_cost_usd", "lower_bound", "early_output", "stays_early"),
)
"""All that `owned` and `taken` make rows of, besides what is each response's own, `attribution` and `cache_miss`."""


_WINNERS: Winners[Response] = Winners(RESPONSES, _compared, _summed)


class ResponseLines:
    """The lines of one reading that tell of responses, compared as they come: only those that count become rows."""

    def __init__(self, batch: MergedBatch) -> None:
        self._batch = batch
        self._winners = _WINNERS.another()
        self._said: dict[Values, int] = {}

    def add(self, path: str, told: Response) -> None:
        """Take a line of a file."""
        self._winners.add((path, told.key), told)

    def tell(self, here: Callable[[str, Any], Row]) -> None:
        """Tell each response of each file. `here`: the columns of a path and a place."""
        short = self._batch.short
        for (path, _), (owner, used), sums in self._winners:
            if short is None or owner.place.ts is None or used.place.ts is None:
                self._batch.add("responses", self._row(owner, used, sums, here(path, owner.place)))
                continue
            ended, is_error, least, is_copy = sums
            same = path, is_error, is_copy, *_OWNER_SAYS(owner), *_USED_SAYS(used)
            number = self._said.get(same)
            if number is None or owner.attribution is not None or used.cache_miss is not None:
                row = self._row(owner, used, sums, here(path, owner.place))
                self._batch.say_whose(row)
                number = short.say(row)
                if owner.attribution is None and used.cache_miss is None:
                    self._said[same] = number
            short.rows.append(_short(number, owner, used, ended, least))

    def _row(self, owner: Response, used: Response, sums: Sequence[Any], here: Row) -> Row:
        row = owned(owner, here) | taken(used)
        row.update(zip(self._winners.summed, sums, strict=True))
        place = used.place
        row["usage_embedded"], row["usage_ts"], row["usage_pos"] = place.embedded, place.ts, place.pos
        return row


def _short(number: int, owner: Response, used: Response, ended: int, least: int | None) -> ShortRow:
    """What is a response's own; the rest is said under a number."""
    place, used_place = owner.place, used.place
    assert place.ts is not None and used_place.ts is not None
    row = own_row(owner.key, number, place.ts, place.pos, used.tokens, used_place.ts, used_place.pos, ended, least)
    row.requested_at, row.prompt_id = owner.requested_at, owner.prompt_id
    return row
