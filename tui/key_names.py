"""How keys are written: the same on the bottom line, in the help, in the palette and in `agnes-stats help keys`."""

from __future__ import annotations

from textual.keys import format_key

_NAMES = {
    "enter": "↵",
    "escape": "Esc",
    "delete": "Del",
    "backspace": "Backspace",
    "space": "Space",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
"""Textual's name of a key -> what is on it, where its own spelling is another one than a keyboard's."""
_MODIFIERS = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt", "super": "Super"}


def spelled(key: str) -> str:
    """A key as it is written where there is room: `Ctrl+P`, `Esc`, `F5`. `key` is one of Textual's, without commas."""
    *modifiers, last = key.split("+")
    return "+".join([*(_MODIFIERS.get(each, each) for each in modifiers), _name(last, alone=not modifiers)])


def brief(key: str) -> str:
    """The same for a line that has to hold many: `^P`."""
    *modifiers, last = key.split("+")
    before = "".join("^" if each == "ctrl" else f"{_MODIFIERS.get(each, each)}+" for each in modifiers)
    return before + _name(last, alone=not modifiers)


def _name(key: str, *, alone: bool) -> str:
    name = _NAMES.get(key) or format_key(key)
    is_function = name[:1] == "f" and name[1:].isdecimal()
    # With Ctrl a letter is the key's, not what it writes: keyboards and manuals have capitals there.
    return name.upper() if is_function or (not alone and len(name) == 1) else name
