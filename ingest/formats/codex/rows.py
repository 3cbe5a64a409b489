"""The shape of a rollout's rows: the fields we use, everything else is skipped unread."""

from __future__ import annotations

from typing import Any

import msgspec


class RolloutRow(msgspec.Struct, gc=False):
    """A line of a rollout."""

    type: Any = None
    timestamp: Any = None
    payload: msgspec.Raw = msgspec.Raw()


class Git(msgspec.Struct, gc=False):
    """`session_meta.git`."""

    branch: Any = None


class Meta(msgspec.Struct, gc=False):
    """`session_meta`: the head of a rollout, repeated when a thread is resumed."""

    id: Any = None
    session_id: Any = None
    """The root of the tree of threads, since 0.142."""
    timestamp: Any = None
    cwd: Any = None
    cli_version: Any = None
    model_provider: Any = None
    source: Any = None
    thread_source: Any = None
    parent_thread_id: Any = None
    forked_from_id: Any = None
    git: Any = None


class TurnContext(msgspec.Struct, gc=False):
    """`turn_context`: what holds for the turn that begins."""

    turn_id: Any = None
    model: Any = None
    effort: Any = None


class Item(msgspec.Struct, gc=False):
    """`response_item`: a message, a call, or what came back of one."""

    type: Any = None
    id: Any = None
    call_id: Any = None
    name: Any = None
    arguments: Any = None
    input: Any = None
    action: Any = None
    output: msgspec.Raw = msgspec.Raw()


class UsageInfo(msgspec.Struct, gc=False):
    """`token_count.info`."""

    total_token_usage: Any = None
    last_token_usage: Any = None
    model_context_window: Any = None


class Event(msgspec.Struct, gc=False):
    """`event_msg`."""

    type: Any = None
    turn_id: Any = None
    started_at: Any = None
    duration_ms: Any = None
    time_to_first_token_ms: Any = None
    message: Any = None
    reason: Any = None
    info: UsageInfo | None = None
    rate_limits: Any = None
    call_id: Any = None
    success: Any = None
    invocation: Any = None
    duration: Any = None
    result: msgspec.Raw = msgspec.Raw()
    item: msgspec.Raw = msgspec.Raw()
    """Of `item_completed`."""
    event_id: Any = None
    kind: Any = None
    agent_thread_id: Any = None
    """Of a sub-agent's activity, with the two before: the call, what happened, and whose thread that is."""
    new_thread_id: Any = None
    """The same of older versions, beside `call_id`."""


class CompletedItem(msgspec.Struct, gc=False):
    """`event_msg.item` of `item_completed`: what newer threads ("paginated") tell instead of single events."""

    type: Any = None
    id: Any = None
    content: Any = None
    server: Any = None
    tool: Any = None
    arguments: Any = None
    status: Any = None
    duration: Any = None
    result: msgspec.Raw = msgspec.Raw()
    error: Any = None
    kind: Any = None
    agent_thread_id: Any = None


class UsageRecord(msgspec.Struct, gc=False):
    """`token_usage_record`: what a response took, beside `token_count`."""

    response_id: Any = None
    usage: Any = None
    thread_token_usage: Any = None
