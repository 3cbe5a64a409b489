"""What tests do instead of Textual comes to what Textual comes to."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from textual import _callback, events
from textual.css import match as matching
from textual.css import query, stylesheet
from textual.message import Message
from textual.widgets import DataTable, Input

from tests.storing import store_in
from tests.tui import cheaper
from tests.tui.running import press, running


async def test_rules_apply_and_messages_are_heard_as_ever(tmp_path: Path) -> None:
    async with running(store_in(tmp_path)) as (app, pilot):
        # A screen above it, which has a field.
        await press(pilot, "ctrl+p")
        nodes = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
        applied = heard = 0
        for node in nodes:
            path = node.css_path_nodes
            for rule in app.stylesheet.rules:
                for each in rule.selector_set:
                    matches = matching._check_selectors(each.selectors, path)
                    assert stylesheet._check_selectors(each.selectors, path) is matches, (node, rule)
                    assert query.match([each], node) is matches, (node, rule)
                    applied += matches
            for message in _messages(node):
                found = list(node._get_dispatch_methods(message.handler_name, message))
                assert found == list(cheaper._HEARD(node, message.handler_name, message)), (node, message)
                heard += len(found)
        assert applied > len(nodes) and heard > len(nodes)
        stopped = events.Key("down", None)
        [first, *rest] = node_with_more_than_one(nodes, stopped)._get_dispatch_methods("on_key", stopped)
        assert first and rest
        begun = iter(node_with_more_than_one(nodes, stopped)._get_dispatch_methods("on_key", stopped))
        next(begun)
        stopped.prevent_default()
        assert list(begun) == [], "whoever hears it first keeps it from those below"


def _messages(node: Any) -> list[Message]:
    table, field = DataTable[str](), Input()
    return [
        events.Key("down", None),
        events.Mount(),
        events.Idle(),
        events.Focus(),
        DataTable.HeaderSelected(table, None, 0, None),
        Input.Changed(field, "x"),
        Input.Submitted(field, "x"),
    ]


def node_with_more_than_one(nodes: list[Any], message: Message) -> Any:
    return next(node for node in nodes if len(list(cheaper._HEARD(node, message.handler_name, message))) > 1)


def test_parameters_are_counted_as_ever() -> None:
    class Heard:
        def method(self, one: int, *, two: int = 0) -> None: ...

    def made(number: int) -> Any:
        return lambda one, *more: number

    functions = [Heard().method, Heard.method, Heard, made(1), made(2), print, partial(Heard().method, 1).func]
    with cheaper.cheaper():
        counted = [_callback._count_parameters(function) for function in (*functions, *functions)]
    assert counted == [cheaper._COUNT(function) for function in (*functions, *functions)]
