"""Responses into rows: whose one is, what it took, and which of the lines that tell of one response count for what."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from ...queries.facts import RESPONSES
from ..batch import Row
from ..merged_batch import MergedBatch
from ..merged_rows import Order, Values
from ..short_rows import ShortRow, ShortRows, own_row
from .events import Response, Telling

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


# -- comparing lines -----------------------------------------------------------------------------------------------

Told = Response | Telling

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

_OWNER, _USED = map(Order, RESPONSES.halves)
_owner_values = attrgetter(*(_FIELDS[column] for column in _OWNER.columns))
_used_values = attrgetter(*(_FIELDS[column] for column in _USED.columns))

# `ResponseLines.add` looks at no more than decides for nearly every line, and adds up what lines tell a part of.
assert (_OWNER.is_last, _OWNER.columns[:2]) == (False, ("embedded", "ts"))
assert (_USED.is_last, _USED.columns[:2]) == (True, ("usage_embedded", "output_tokens"))
assert {name: aggregate for name, (_, aggregate) in RESPONSES.sums.items()} == {
    "ended_at": "max",
    "is_api_error": "bool_or",
    "least_output_tokens": "max",
}

_NEVER = 2**63
"""Microseconds: after all times."""


class _KnownLines(msgspec.Struct, gc=False):
    """Of the lines of a response those that count, and what is added up of all."""

    owner: Told
    """The one whose it is."""
    used: Told
    """The one that tells what it took."""
    ended_at: int | None
    least_output: int | None
    is_error: bool
    is_copy: bool
    """One line says it for all of its file."""
    latest: int
    """A line that is later is surely not the one whose it is."""
    least: int
    """A line with less output surely does not tell what it took; one with more does, unless it is embedded."""


def _latest(owner: Told) -> int:
    ts = owner.place.ts
    return _NEVER if ts is None or owner.place.embedded else ts


def _least(used: Told) -> int:
    return -1 if used.place.embedded else used.tokens.output


_PLACED = ("place.session", "place.embedded", "place.copy_signs", "place.home")

_OWNER_SAYS = attrgetter(*_PLACED, "speaker", "kind", "model", "provider", "gateway", "priced_as", "tool", "effort")
_USED_SAYS = attrgetter(
    *("place.embedded", "speed", "service_tier", "web_searches", "inference_geo", "stop_reason", "ttft_ms"),
    *("duration_ms", "billed", "logged_cost_usd", "lower_bound", "early_output", "stays_early"),
)
"""All that `owned` and `taken` make rows of, besides what is each response's own, `attribution` and `cache_miss`."""

_TELLING_OWNER_SAYS = attrgetter("owner_says", *_PLACED, "speaker")
_TELLING_USED_SAYS = attrgetter("used_says", "place.embedded")


def _said_of_owner(told: Told) -> Values | None:
    """All that decides what is said of whose a response is; None where that is said of no other."""
    if isinstance(told, Telling):
        return _TELLING_OWNER_SAYS(told)
    return None if told.attribution is not None else _OWNER_SAYS(told)


def _said_of_used(told: Told) -> Values | None:
    """The same of what it took."""
    if isinstance(told, Telling):
        return _TELLING_USED_SAYS(told)
    return None if told.cache_miss is not None else _USED_SAYS(told)


def whole(told: Told) -> Response:
    """All that a line tells."""
    return told.whole() if isinstance(told, Telling) else told


class ResponseLines:
    """The lines of one reading that tell of responses, compared as they come: only those that count become rows."""

    def __init__(self, batch: MergedBatch) -> None:
        self._batch = batch
        self._known: dict[tuple[str, str], _KnownLines] = {}
        self._said: dict[Values, int] = {}
        """What several responses say -> the number under which it is told."""
        self._last: tuple[Values | None, int] = None, 0
        """The same of the last response."""

    def add(self, path: str, told: Told) -> None:
        """Take a line of a file."""
        place, output = told.place, told.tokens.output
        ts = place.ts
        ended = ts if told.ended_at is None else told.ended_at
        least = told.least_output if told.lower_bound is None else None
        key = path, told.key
        known = self._known.get(key)
        if known is None:
            bounds = _latest(told), _least(told)
            self._known[key] = _KnownLines(told, told, ended, least, told.is_error, place.is_copy, *bounds)
            return
        if (ts is None or ts <= known.latest) and _OWNER.beats(_owner_values(told), _owner_values(known.owner)):
            known.owner, known.latest = told, _latest(told)
        if output >= known.least and (
            (output > known.least and not place.embedded) or _USED.beats(_used_values(told), _used_values(known.used))
        ):
            known.used, known.least = told, _least(told)
        if ended is not None and (known.ended_at is None or ended > known.ended_at):
            known.ended_at = ended
        if least is not None and (known.least_output is None or least > known.least_output):
            known.least_output = least
        known.is_error, known.is_copy = known.is_error or told.is_error, known.is_copy or place.is_copy

    def tell(self, here: Callable[[str, Any], Row]) -> None:
        """Tell each response of each file. `here`: the columns of a path and a place."""
        short = self._batch.short
        for (path, _), lines in self._known.items():
            owner, used = lines.owner, lines.used
            if short is None or owner.place.ts is None or used.place.ts is None:
                self._batch.add("responses", _row(lines, here(path, owner.place)))
            else:
                number = self._number(short, path, lines, here)
                short.rows.append(_short(number, owner, used, lines.ended_at, lines.least_output))

    def _number(self, short: ShortRows, path: str, lines: _KnownLines, here: Callable[[str, Any], Row]) -> int:
        """Under which number is said what is not a response's own."""
        owner, used = _said_of_owner(lines.owner), _said_of_used(lines.used)
        same = None if owner is None or used is None else (path, lines.is_error, lines.is_copy, owner, used)
        if same is not None and same == self._last[0]:
            # As a rule: that is seen sooner than all of it is hashed.
            return self._last[1]
        try:
            number = self._said.get(same) if same is not None else None
        except TypeError:
            # Something in it is a list, or an object.
            same = number = None
        if number is None:
            row = _row(lines, here(path, lines.owner.place))
            self._batch.say_whose(row)
            number = short.say(row)
            if same is not None:
                self._said[same] = number
        self._last = same, number
        return number


def _row(lines: _KnownLines, here: Row) -> Row:
    row = owned(whole(lines.owner), here) | taken(whole(lines.used))
    row["ended_at"], row["least_output_tokens"] = lines.ended_at, lines.least_output
    row["is_api_error"], row["is_copy"] = lines.is_error, lines.is_copy
    place = lines.used.place
    row["usage_embedded"], row["usage_ts"], row["usage_pos"] = place.embedded, place.ts, place.pos
    return row


def _short(number: int, owner: Told, used: Told, ended: int | None, least: int | None) -> ShortRow:
    """What is a response's own; the rest is said under a number."""
    place, used_place = owner.place, used.place
    assert place.ts is not None and used_place.ts is not None and ended is not None
    row = own_row(owner.key, number, place.ts, place.pos, used.tokens, used_place.ts, used_place.pos, ended, least)
    row.requested_at, row.prompt_id = owner.requested_at, owner.prompt_id
    return row
