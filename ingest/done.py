"""What reading some files came to, as one process tells it another."""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from ..queries.plain_json import from_plain, to_plain
from .batch import Row
from .formats import ReadResult
from .row_files import RowsApart


@dataclass(slots=True)
class Done:
    """What a task came to."""

    rows_apart: RowsApart | None = None
    """Those of a task with a folder."""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Those of a task without a folder."""
    is_merged: bool = False
    """Whether the rows of responses are merged, as `Load.is_merged`."""
    results: list[ReadResult] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    """All models of the responses, and the names under which their prices are looked up, if these are others."""
    is_news: bool = False
    """Whether anything differs from the watermarks that the task set out from."""


@contextlib.contextmanager
def collected_later() -> Iterator[None]:
    """For the block Python does not look for what leads back to itself.

    Of rows nothing does, and to look through all of them again and again takes a tenth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


encoded_done = msgspec.json.Encoder(enc_hook=to_plain).encode


def decoded_done(told: bytes) -> Done:
    """What another process has told. Raises msgspec.DecodeError."""
    return _decoder().decode(told)


@functools.cache
def _decoder() -> msgspec.json.Decoder[Done]:
    # Those that only tell what they have done need none.
    return msgspec.json.Decoder(Done, dec_hook=from_plain)
