"""Rows of tool calls, and of the data that they touch: of these there are many.

They are structs whose fields are columns. To make one, to look through its texts and to write it takes a third of the
time that a dict takes.
"""

from __future__ import annotations

from typing import Any

import msgspec


class PlacedRow(msgspec.Struct, gc=False, omit_defaults=True):
    """The columns that say where, when and by whom a fact was told. None: there is nothing to tell."""

    ts: int | None = None
    path: str | None = None
    pos: int | None = None
    is_copy: bool | None = None
    session_id: str | None = None
    agent: str | None = None
    machine: str | None = None
    username: str | None = None
    copy_signs: int | None = None
    named_session_id: str | None = None
    home_session_id: str | None = None

    def columns(self) -> dict[str, Any]:
        """All that it tells, as other rows tell it."""
        told = zip(self.__struct_encode_fields__, msgspec.structs.astuple(self), strict=True)
        return {column: value for column, value in told if value is not None}


class CallRow(PlacedRow, gc=False, omit_defaults=True, rename={"kind": "class"}):
    """A row of `tool_calls`: a call, its result, or both."""

    id: str | None = None
    embedded: bool | None = None
    is_sidechain: bool | None = None
    name: str | None = None
    kind: str | None = None
    detail: str | None = None
    response_key: str | None = None
    prompt_id: str | None = None
    subagent_id: str | None = None
    mcp_server: str | None = None
    subagent_type: str | None = None
    skill: str | None = None
    is_builtin: bool | None = None
    addressee: str | None = None
    in_background: bool | None = None
    result_embedded: bool | None = None
    result_is_copy: bool | None = None
    result_copy_signs: int | None = None
    is_error: bool | None = None
    result_ts: int | None = None
    result_path: str | None = None
    result_pos: int | None = None
    result_session_id: str | None = None
    result_named_session_id: str | None = None
    result_home_session_id: str | None = None
    denial: str | None = None
    error_text: str | None = None
    result_bytes: int | None = None
    result_rows: int | None = None
    result_note: str | None = None
    spawned_subagent_id: str | None = None
    spawned_status: str | None = None
    spawned_tokens: int | None = None
    spawned_ms: int | None = None
    report_chars: int | None = None


class AccessedRow(PlacedRow, gc=False, omit_defaults=True):
    """A row of `accesses` that a tool call made."""

    id: str | None = None
    seen_in: str | None = None
    call_id: str | None = None
    action: str | None = None
    resource: str | None = None
    tables_read: list[str] | None = None
    tables_written: list[str] | None = None
    command: str | None = None
    sql: str | None = None
    statement: str | None = None
    dialect: str | None = None
