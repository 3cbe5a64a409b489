"""`agnes-stats context SESSION`: how the context of a session grew, and of what."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .. import format as words
from ..factories import utc_now
from ..settings import BadSetting, Settings
from .answering import answered
from .command import READING, Command
from .json_fields import stamp
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats context`."""
    if not given.session:
        raise BadSetting("the context of which session? Name it by its id, or by how that begins")
    return answered(given, settings, lambda connection: context_answer(connection, given.session), show)


def context_answer(connection: Reader, session: str) -> Answer:
    """The context of a session, named by its id or the beginning of it. Raises BadSetting if none, or several, are."""
    from ...queries.context_story import context_story
    from ...queries.sessions import sessions_named

    named = sessions_named(connection, session)
    if len(named) != 1:
        raise BadSetting(f"{'several sessions begin' if named else 'no session begins'} with {session!r}")
    story = context_story(connection, named[0], now=utc_now())
    if story is None:
        raise BadSetting(f"no session begins with {session!r}")
    row = story.session
    return {
        "session_id": row.session_id,
        "window": row.context_window,
        "window_from": row.context_window_from,
        "now": row.context_tokens,
        "compacts_at": row.compacts_at,
        "prompts": [
            {"id": each.id, "timestamp": stamp(each.timestamp), "tokens": each.tokens} for each in story.prompts
        ],
        "compactions": [
            {
                "timestamp": stamp(each.timestamp),
                "trigger": each.trigger,
                "before": each.before,
                "after": each.after,
            }
            for each in story.compactions
        ],
        "rebuilds": [
            {
                "timestamp": stamp(each.timestamp),
                "cause": each.cause,
                "tokens": each.tokens,
                "cost_usd": each.cost_usd,
            }
            for each in story.rebuilds
        ],
        "by_source": [{"name": each.name or "rest", "tokens": each.tokens} for each in story.by_source],
    }


def show(answer: Answer, page: Page) -> list[str]:
    """As text."""
    if answer["now"] is None:
        return ["This session has no context yet."]
    share = f" of {words.count(answer['window'])} ({answer['window_from']})" if answer["window"] else ""
    compacts = f", compacts at ~{words.count(answer['compacts_at'])}" if answer["compacts_at"] else ""
    lines = [f"Context {words.count(answer['now'])}{share}{compacts}", ""]
    events = [(each["timestamp"], "prompt", words.count(each["tokens"]), "") for each in answer["prompts"]]
    events += [
        (
            each["timestamp"],
            " ".join(part for part in (each["trigger"], "compaction") if part),
            words.count(each["after"]),
            f"from {words.count(each['before'])}" if each["before"] else "",
        )
        for each in answer["compactions"]
    ]
    events += [
        (
            each["timestamp"],
            f"cache rebuilt: {each['cause'].replace('_', ' ')}",
            words.count(each["tokens"]),
            words.usd(each["cost_usd"]) if page.cost else "",
        )
        for each in answer["rebuilds"]
    ]
    columns = [
        TextColumn("When"),
        TextColumn("What", flexible=True),
        TextColumn("Tokens", right=True),
        TextColumn("", right=True),
    ]
    cells = [[page.when(at), *rest] for at, *rest in sorted(events, key=lambda event: event[0] or "")]
    lines += table(columns, cells, page.width)
    columns = [TextColumn("In the context", flexible=True), TextColumn("≈ tokens", right=True)]
    cells = [[each["name"], words.count(each["tokens"])] for each in answer["by_source"]]
    return [*lines, "", *table(columns, cells, page.width)]


COMMAND = Command(
    heeds=READING,
    run=run,
    options=(("session", {"metavar": "SESSION", "nargs": "?", "help": "the session's id, or how it begins"}),),
)
