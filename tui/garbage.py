"""When Python looks for garbage: seldom, and mostly while nobody waits for the screen.

A dashboard has some 400,000 objects that stay. To look through all of them takes a tenth of a second, in which no key
is heard, and by Python's own measure that comes with every third key. Nearly all garbage is gone without being looked
for: only what refers to itself in a circle is not.
"""

from __future__ import annotations

import gc

MEASURE = (3_000, 5, 300)
"""So many objects more than before have the young ones looked through, so many times of that the middle-aged, so many
times of those all: after some four million objects that stayed, however busy it is."""

LEAST = 10
"""So often were the middle-aged looked through before it is worth it to look through all at rest."""


def begin_to_look() -> None:
    """A start is over, in which nothing was looked for: what it made stays, and is passed over from now on."""
    gc.freeze()
    gc.set_threshold(*MEASURE)
    gc.enable()


def pass_over() -> None:
    """What there is by now stays, too."""
    gc.freeze()


def look_at_rest() -> bool:
    """Look through all, if enough came since; whether that was done. For a moment in which nobody waits."""
    is_due = gc.isenabled() and gc.get_count()[2] >= LEAST
    if is_due:
        gc.collect()
    return is_due
