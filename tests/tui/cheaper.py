"""What Textual works out again and again, to the same end: told at once while a dashboard is under test.

Nothing here is other than what Textual would find (test_cheaper.py). It takes 7 % of what a start and a key take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, MethodType
from typing import Any

import pytest
from textual import _callback
from textual._compositor import Compositor
from textual.css import match as matching
from textual.css import query, stylesheet
from textual.css.model import RuleSet, Selector, SelectorSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump

_PARSE_RULES = Stylesheet._parse_rules
_CHECK = matching._check_selectors
_COUNT = _callback._count_parameters
_HEARD = MessagePump._get_dispatch_methods

_PARSED: dict[tuple[object, ...], list[RuleSet]] = {}
"""What style sheets say, of all dashboards of this process: each would parse them anew, in 35 ms of CPU."""

_COUNTED: dict[tuple[CodeType, bool], int] = {}


@contextmanager
def cheaper() -> Iterator[None]:
    """Textual as it is, but that it paints nothing by itself: what has changed is painted once all is settled.

    What changes in between stays noted, and is painted together, as on a terminal that is slow.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Compositor, "render_update", lambda *_, **__: None)
        patched.setattr(Stylesheet, "_parse_rules", _parse_rules)
        patched.setattr(stylesheet, "_check_selectors", _check_selectors)
        patched.setattr(query, "match", _match)
        patched.setattr(_callback, "_count_parameters", _count_parameters)
        patched.setattr(MessagePump, "_get_dispatch_methods", _of_those_who_hear())
        yield


def _parse_rules(sheet: Stylesheet, css: str, read_from: CSSLocation, **how: Any) -> list[RuleSet]:
    key = (css, read_from, *how.items(), *sheet._variables.items())
    if key not in _PARSED:
        _PARSED[key] = _PARSE_RULES(sheet, css, read_from, **how)
    return _PARSED[key]


def _check_selectors(selectors: list[Selector], path: list[DOMNode]) -> bool:
    """The last selector has to be right for the last node: most are not, and need no look at those above it."""
    return selectors[-1].check(path[-1]) and _CHECK(selectors, path)


def _match(selector_sets: Iterable[SelectorSet], node: DOMNode) -> bool:
    return any(each.selectors[-1].check(node) and _CHECK(each.selectors, node.css_path_nodes) for each in selector_sets)


def _count_parameters(function: Callable[..., Any]) -> int:
    """How many parameters a function has: the same of all that are made by the same lines."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return _COUNT(function)
    key = (code, isinstance(function, MethodType))
    if key not in _COUNTED:
        _COUNTED[key] = _COUNT(function)
    return _COUNTED[key]


def _of_those_who_hear() -> Callable[[MessagePump, str, Message], Iterable[Any]]:
    """Which classes have a method for a kind of message, and which have none, is looked up once."""
    found: dict[tuple[type, str, type], list[tuple[type, Any]] | None] = {}

    def heard(pump: MessagePump, name: str, message: Message) -> Iterable[Any]:
        key = (type(pump), name, type(message))
        if key not in found:
            found[key] = _methods(type(pump), name, type(message))
        plain = found[key]
        return _HEARD(pump, name, message) if plain is None else _bound(plain, pump, message)

    return heard


def _methods(pump: type, name: str, message: type) -> list[tuple[type, Any]] | None:
    """Those that are called after the message, each with its class; None if others say in a decorator what they do."""
    plain: list[tuple[type, Any]] = []
    for kind in pump.__mro__:
        has = vars(kind)
        if any(heard in message.__mro__ for heard in has.get("_decorated_handlers") or ()):
            return None
        method = has.get(f"_{name}") or has.get(name)
        if method is not None and not getattr(method, "_textual_on", None):
            plain.append((kind, method))
    return plain


def _bound(plain: list[tuple[type, Any]], pump: MessagePump, message: Message) -> Iterator[tuple[type, Any]]:
    for kind, method in plain:
        if message._no_default_action:
            return
        yield kind, method.__get__(pump, kind)
