"""Names of libraries that begin with an underscore are no promise: where one is gone, a test has to say so.

A method that nobody calls does nothing, and says nothing, and one that happens to be called like one of a library
replaces that.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any

import agnes_stats.tui
from textual._compositor import Compositor
from textual.containers import Vertical
from textual.css.model import RuleSet
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

REPLACED = {
    "tui.app.MainScreen._compositor_refresh",
    "tui.cli._Parser._print_message",
    "tui.endable.EndableApp._fatal_error",
    "tui.helping.Parser._check_value",
    "tui.kit.pop_up.PopUp._on_screen_resume",
    "tui.kit.table.RecordTable._render_cell",
    "tui.kit.table.RecordTable._update_dimensions",
    "tui.serving.DashboardServer._make_app",
}
"""Methods of libraries that ours are called instead of."""


def classes() -> Iterator[type[Any]]:
    for found in pkgutil.walk_packages(agnes_stats.tui.__path__, "agnes_stats.tui."):
        importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        if name.startswith("agnes_stats.tui."):
            yield from (kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == name)


def replaced(kind: type[Any]) -> Iterator[str]:
    """The methods with an underscore that a class has from a library, and has others in the place of."""
    theirs = [base for base in kind.__mro__[1:] if not base.__module__.startswith("agnes_stats.")]
    for name, value in vars(kind).items():
        is_private = name.startswith("_") and not name.startswith("__")
        is_ours = is_private and inspect.isfunction(value) and value.__module__ == kind.__module__
        if is_ours and any(name in vars(base) for base in theirs):
            yield f"{kind.__module__.removeprefix('agnes_stats.')}.{kind.__qualname__}.{name}"


def test_what_replaces_a_method_of_a_library_has_one_to_replace() -> None:
    assert {name for kind in classes() for name in replaced(kind)} == REPLACED


def test_a_method_that_happens_to_be_called_as_one_of_a_library_is_found() -> None:
    clash = type("Clash", (Vertical,), {"_on_mount": lambda self: None, "_ours": lambda self: None})
    clash.__module__ = __name__
    assert list(replaced(clash)) == [f"{__name__}.Clash._on_mount"]


def test_what_is_set_in_a_library_is_looked_up_there() -> None:
    names = argparse.ArgumentParser.__init__.__code__.co_names
    assert "_" in names, "tui/helping.py spares the library a search for catalogues of translations"
    names = LinuxDriver.run_input_thread.__code__.co_names
    assert "getincrementaldecoder" in names, "tui/endable.py has bytes passed over that are no UTF-8"
    # A mixin has no library's class above it, in which the first test would look.
    assert callable(vars(Screen).get("_screen_resized")), "tui/kit/pop_up.py has screens not laid out again"
    assert "_compositor" in Screen.__init__.__code__.co_names, (
        "tui/kit/pop_up.py has screens lay out in a way of their own"
    )
    assert "_full_map" in Compositor.reflow.__code__.co_names, "tui/kit/told_sizes.py has it compare with another one"
    assert "__hash__" in vars(RuleSet), "tui/kit/rule_hash.py has no need to be there any more"
