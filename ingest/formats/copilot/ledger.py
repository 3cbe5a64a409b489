"""Copilot CLI's own ledger of requests, `session-store.db`: all kinds of tokens of each one, as soon as it is answered.

Where a session is in it, that is what the session took; what the events tell of tokens is part of it (see `ledgers`).
"""

from __future__ import annotations

import math
import sqlite3
from typing import Any

from ...batch import Batch
from ...text import short
from ..emit import Emitter
from ..events import Label, Place, Response, ResponseKind, Speaker, StopReason, Tokens
from ..numbers import whole_number
from ..source import SourceFile, State
from ..times import moment_of
from .decoder import AGENT

REQUESTS = "assistant_usage_events"

_STOPS = {"stop": StopReason.END, "tool_calls": StopReason.TOOL_USE, "length": StopReason.LENGTH}


class RequestsDecoder:
    """Reads new requests of one database into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch, connection: sqlite3.Connection) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._connection = connection
        self._told: set[str] = set()
        """Sessions of which folder and branch are told."""

    def row(self, table: str, row: sqlite3.Row, pos: int) -> str | None:  # noqa: ARG002
        """Read one request; the reason if it cannot be used."""
        told: dict[str, Any] = dict(row)
        session = short(told.get("session_id"))
        if session is None:
            return "it names no session"
        given, output, read, written, thought = (
            whole_number(told.get(f"{kind}_tokens"))
            for kind in ("input", "output", "cache_read", "cache_write", "reasoning")
        )
        if not (given or output or read or written):
            return None
        ts = moment_of(told.get("created_at"))
        self._emitter.clock(ts)
        place = Place(session, ts, pos)
        self._emitter.active(session, ts)
        self._about(session, place)
        self._emitter.response(
            Response(
                key=f"{AGENT}:{session}:request:{told.get('id', told['_key'])}",
                place=place,
                speaker=_speaker(session, told.get("parent_tool_call_id")),
                model=short(told.get("model")),
                tokens=Tokens(
                    max(0, (given or 0) - (read or 0) - (written or 0)),
                    output or 0,
                    read or 0,
                    written or 0,
                    reasoning=None if thought is None else min(thought, output or 0),
                ),
                kind=ResponseKind.COMPACTION if told.get("initiator") == "compaction" else ResponseKind.REQUEST,
                effort=short(told.get("reasoning_effort")),
                stop_reason=_STOPS.get(str(told.get("finish_reason"))),
                duration_ms=_millis(told.get("duration_ms")),
                ttft_ms=_millis(told.get("time_to_first_token_ms")),
            )
        )
        return None

    def finish(self) -> State:
        """Add what can only be said at the end; the state for the next reading."""
        return self._emitter.finish(0)

    def _about(self, session: str, place: Place) -> None:
        """Folder and branch of a session, whose own file may be gone."""
        if session in self._told:
            return
        self._told.add(session)
        try:
            found = self._connection.execute("SELECT * FROM sessions WHERE id = ?", [session]).fetchone()
        except sqlite3.OperationalError:
            return  # no such table, or another one of that name
        for label, column in ((Label.CWD, "cwd"), (Label.BRANCH, "branch")):
            if found is not None and column in found.keys() and isinstance(found[column], str):  # noqa: SIM118
                self._emitter.label(label, found[column], place)


def _speaker(session: str, call: Any) -> Speaker:
    """The main conversation, or the sub-agent that a call started."""
    if not isinstance(call, str) or not call:
        return Speaker()
    return Speaker(subagent_id=f"{session}:{call}", is_sidechain=True)


def _millis(value: Any) -> int | None:
    """A duration that may have fractions of a millisecond."""
    is_fraction = isinstance(value, float) and math.isfinite(value)
    return whole_number(round(value) if is_fraction else value)
