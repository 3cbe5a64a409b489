"""Where the program starts: an answer that was kept and is still right is told before anything else is imported."""

from __future__ import annotations

import gc
import os
import sys
import time

from ..queries import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `agnes-stats`; its exit status. `arguments`: another command line than that of the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words, arguments)
    except KeyboardInterrupt:
        # It came before anybody heeds signals (`ending.py`), amid what is imported.
        return _end(_INTERRUPTED, arguments)


_INTERRUPTED = 128 + 2
"""The exit status after SIGINT, by the custom of shells."""


def _run(words: list[str], arguments: Sequence[str] | None) -> int:
    if words[:1] == [kept.LINE]:
        return _line(words, arguments)
    if not words or words[0].startswith("-"):
        return _dashboard(words, arguments)
    if arguments is None and reads_ahead(words):
        from ..ingest import early

        early.begin(whole=words[0] == FILLS)
    with kept.beginning(words) as may_keep:
        if may_keep is not None:
            answer = may_keep.find(time.time())
            if answer is not None and _is_told(answer):
                return _end(0, arguments)
            may_keep.look()
        status = _whole(arguments)
    return _end(status, arguments)


def _whole(arguments: Sequence[str] | None) -> int:
    """All of the command, where no kept answer is told; its exit status."""
    if arguments is None:
        from . import garbage

        # What is imported stays, and most of the rest: it is looked through for garbage less often.
        gc.set_threshold(*garbage.MEASURE)
    from .cli import main as whole

    return whole(arguments)


READS_AHEAD = ("tokens", "daily", "weekly", "monthly")
"""Commands that tell what responses took before the store is full."""


FILLS = "ingest"
"""The command that does nothing else than to fill it."""


def reads_ahead(words: list[str]) -> bool:
    """Whether this looks like a command that reads all there is for a store that does not exist yet.

    If it is not one after all, processes were made in vain.
    """
    return (
        words[0] in (*READS_AHEAD, FILLS)
        and not any(word in ("-h", "--help", "--no-ingest") for word in words)
        and not os.environ.get("AGNES_STATS_NO_INGEST")
        and _has_no_store(words)
        and _has_streams()
    )


def _has_no_store(words: list[str]) -> bool:
    try:
        return not os.path.lexists(kept.store_of(words))
    except OSError:
        # The folder that we are in is gone.
        return False


def _has_streams() -> bool:
    """Whether what is opened next does not get the number of a stream that the caller has closed."""
    try:
        for descriptor in range(3):
            os.fstat(descriptor)
    except OSError:
        return False
    return True


def _line(words: list[str], arguments: Sequence[str] | None) -> int:
    """The same of the status line, which depends on what is said on standard input, too."""
    from . import line_soon

    told = line_soon.take_input()
    with kept.beginning(words, *line_soon.matters(told)) as may_keep:
        if may_keep is not None and told is not None:
            answer = line_soon.answer(may_keep, told)
            if answer is not None and _is_told(answer):
                return _end(0, arguments)
            may_keep.look()
        status = _whole(arguments)
    return _end(status, arguments)


def _dashboard(words: list[str], arguments: Sequence[str] | None) -> int:
    """Without a command there is a dashboard: what it will show first is shown while the rest is imported."""
    from . import first_screen

    with first_screen.of(words):
        # What is imported stays: to search it for garbage, again and again, would take a tenth of the time.
        gc.disable()
        from .cli import main as whole

        gc.enable()
        status = whole(arguments)
    return _end(status, arguments)


def _end(status: int, arguments: Sequence[str] | None) -> int:
    """The exit status when all is told; the process itself ends at once.

    To take it down would take a while, and DuckDB 2 would write to the terminal what of its own was still in use.
    """
    if arguments is None:
        if (instances := sys.modules.get("agnes_stats.queries.store.instance")) is not None:
            instances.end_all()
        if (terminal := sys.modules.get("agnes_stats.tui.terminal")) is not None:
            terminal.flush()
        os._exit(status)
    return status


def _is_told(answer: bytes) -> bool:
    """Write an answer, that was fit for this terminal, as it is; whether that is done, or nobody wants it any more.

    What else is wrong is told by the run that makes the answer anew.
    """
    left = memoryview(answer)
    try:
        while left:
            left = left[os.write(1, left) :]
    except BrokenPipeError:
        return True
    except OSError:
        return False
    return True
