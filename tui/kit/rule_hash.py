"""How Textual's rules of style are told apart: by Python itself, and not by a method of theirs.

Whenever a widget, or a part of one, is styled, Textual (8.2) looks up every rule that there is in a set, and calls a
method for each, which calls `id`, and that is told to whoever listens to what the program looks at
(`queries/kept.py`). It is a fifth of the time that it takes to make a tab, or to call up a screen.
"""

from __future__ import annotations

from textual.css.model import RuleSet


def hash_at_once() -> None:
    """Have all rules, that are the same only if they are one object, hashed as such."""
    RuleSet.__hash__ = object.__hash__  # type: ignore[method-assign]
