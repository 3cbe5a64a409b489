"""Standard input, output and error: this module alone touches them.

A terminal obeys what it is sent. So whatever is told goes through here, errors and tracebacks included, and leaves as
characters that can be printed. Imports nothing slow.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .escape_codes import ESCAPE_CODES

MAX_MESSAGE = 1000
"""Cells of a message; what is longer is cut."""

TRACEBACK_VARIABLE = "AGNES_STATS_TRACEBACK"
"""Where this is set, a fault of the program is told with all its lines of code."""

DRIVER_VARIABLE = "TEXTUAL_DRIVER"
"""Names the class by which Textual draws; set where that is not the one for terminals."""


_failures: list[str] = []
_taken: list[Any] | None = None
_copied: list[str] | None = None
_PACKAGE = Path(__file__).parent.parent


class OutputLost(Exception):
    """Standard output takes nothing more. `reason` is None if its reader merely had enough."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.reason = None if isinstance(error, BrokenPipeError) else error.strerror or type(error).__name__


def prepare() -> None:
    """Make the streams of this process fit for anything: once, before any file is opened.

    A stream that the caller closed is opened to nowhere. Else the next file would get its number, be it the store,
    and whatever a library prints would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the encoding of the terminal does not have is written as its number.
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    sys.excepthook = lambda *raised: fault(raised[1])
    threading.excepthook = lambda told: None if told.exc_value is None else fault(told.exc_value)
    sys.unraisablehook = lambda told: None if told.exc_value is None else fault(told.exc_value)


# -- telling -----------------------------------------------------------------------------------------------------


def error(message: object) -> None:
    """One line on standard error."""
    from .format import clean

    _to_stderr(f"agnes-stats: {clean(message, MAX_MESSAGE)}\n")


def failure(message: object) -> None:
    """An error that does not keep the command from answering; it ends with status 1 all the same."""
    error(message)
    _failures.append(str(message))


def take_failures() -> list[str]:
    """What `failure` told since this was last asked."""
    told = list(_failures)
    _failures.clear()
    return told


def fault(raised: BaseException) -> None:
    """A mistake of this program, told in one line; with all of the traceback where `TRACEBACK_VARIABLE` is set."""
    _to_stderr(f"agnes-stats: {fault_text(raised)}\n")


def fault_text(raised: BaseException) -> str:
    """What `fault` tells. The local variables are not in it: they hold what people wrote."""
    from .format import clean

    frames = traceback.extract_tb(raised.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)] or frames
    where = f"{Path(own[-1].filename).name} line {own[-1].lineno}" if own else "no code"
    reason = clean(raised, 200)
    told = f"{type(raised).__name__}{f' ({reason})' if reason else ''} in {where}"
    line = f"this should not have happened, please report it: {told}"
    if not os.environ.get(TRACEBACK_VARIABLE):
        return f"{line}; {TRACEBACK_VARIABLE}=1 tells more"
    return "\n".join([line, *("".join(safe(part) for part in traceback.format_exception(raised)).splitlines())])


def progress(line: str, *, over: bool = False) -> None:
    """A line on standard error that the next one is written over; `over`: whatever comes next."""
    _to_stderr(f"\r{safe(line)}" + "\r" * over)


def question(text: str) -> str:
    """Ask on standard error; the line that is typed, empty where nobody can."""
    _to_stderr(f"{safe(text)} ")
    try:
        return sys.stdin.readline().strip()
    except (OSError, ValueError):
        return ""


def lines(told: Iterable[str]) -> None:
    """Lines on standard output."""
    _to_stdout("".join(safe(line).replace("\n", " ") + "\n" for line in told))


@contextlib.contextmanager
def taking_answers() -> Iterator[list[Any]]:
    """What `answer` is told within the block, which is not written anywhere."""
    global _taken
    _taken = []
    try:
        yield _taken
    finally:
        _taken = None


def answer(value: Any) -> None:
    """JSON on standard output, in one line."""
    if _taken is not None:
        _taken.append(json.loads(json_text(value)))
        return
    _to_stdout(json_text(value, sys.stdout.encoding) + "\n")


def raw(text: str) -> None:
    """Text as it is into a file or a pipe, for other programs; to a terminal as `lines`."""
    if is_terminal(sys.stdout):
        lines(text.splitlines())
    else:
        _to_stdout(text)


def copy() -> None:
    """Remember from now on what is written to standard output."""
    global _copied
    _copied = []


def copied() -> bytes | None:
    """What was written since `copy`, as it left; None if anything was told on standard error, too."""
    if _copied is None or not isinstance(sys.stdout, io.TextIOWrapper):
        return None
    return "".join(_copied).encode(sys.stdout.encoding, sys.stdout.errors or "strict")


def encoding() -> str:
    """That of standard output."""
    return sys.stdout.encoding or "utf-8"


def encoded(drawn: str) -> bytes:
    """What is drawn, as it leaves on standard error."""
    stream = sys.__stderr__
    return drawn.encode(stream.encoding if stream is not None else "utf-8", "backslashreplace")


def finish() -> None:
    """Hand over what standard output still holds. Raises OutputLost."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OutputLost(error) from error


def flush() -> None:
    """Hand over what both streams still hold, as far as anybody takes it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


def close_answers() -> None:
    """All that was to be told is told: who reads standard output need not wait any longer. Raises OutputLost."""
    finish()
    _to_nowhere(sys.stdout)


def abandon() -> None:
    """Nobody takes what standard output still holds: it must not be tried again at exit."""
    _to_nowhere(sys.stdout)


def _to_nowhere(stream: IO[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _to_stdout(text: str) -> None:
    try:
        sys.stdout.write(text)
    except OSError as error:
        raise OutputLost(error) from error
    if _copied is not None:
        _copied.append(text)


def _to_stderr(text: str) -> None:
    global _copied
    _copied = None
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Where not even this can be told, nothing is left to do, and nothing to try again at exit.
        _to_nowhere(sys.stderr)


# -- what is told ------------------------------------------------------------------------------------------------


def safe(text: str) -> str:
    """The text without what a terminal would obey or that hides or reorders: only printable characters, line breaks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else " " * char.isspace() for char in ESCAPE_CODES.sub("", text)
    )


def json_text(value: Any, encoding: str | None = "utf-8") -> str:
    """JSON that says the same with every unprintable character written as its number."""
    is_unicode = (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")
    made = json.dumps(value, ensure_ascii=not is_unicode)
    if made.isprintable():
        return made
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in made)


# -- who listens, who speaks -------------------------------------------------------------------------------------


def is_terminal(stream: IO[str]) -> bool:
    """Whether a stream leads to a terminal; a closed one does not."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def can_show_screen() -> bool:
    """Whether there is a terminal for a dashboard, which reads standard input and draws on standard error.

    Or what stands for one: Textual's own driver for a browser, which `agnes-stats serve` starts it with.
    """
    return is_browser() or all(is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))


def is_browser() -> bool:
    """Whether a browser shows what this process draws."""
    return bool(os.environ.get(DRIVER_VARIABLE))


def shows_answers() -> bool:
    """Whether standard output is a terminal."""
    return is_terminal(sys.stdout)


def shows_errors() -> bool:
    """Whether standard error is a terminal."""
    return is_terminal(sys.stderr)


def can_ask() -> bool:
    """Whether somebody is there to answer a question."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def read_input(limit: int) -> str | None:
    """All of standard input, where that is no terminal; None if there is nothing, or more than `limit` characters.

    Raises OSError, and ValueError for what is no text.
    """
    if is_terminal(sys.stdin):
        return None
    told = sys.stdin.read(limit + 1)
    return told if 0 < len(told) <= limit else None
