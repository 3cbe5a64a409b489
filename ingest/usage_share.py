"""What one process does of a reading that is only about what responses took (`usage_reading.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..queries.plain_json import from_plain
from .done import Done, collected_later, encoded_done
from .formats import SOURCES, SourceBusy, SourceFile, Watermark
from .model_names import models_of
from .short_rows import ShortFiles, ShortRows
from .usage_batch import UsageBatch


@dataclass(slots=True)
class UsageShare:
    """What one process has read."""

    done: Done = field(default_factory=Done)
    row_files: dict[str, str] = field(default_factory=dict)
    short: ShortFiles | None = None
    """Rows of responses in short."""
    lots: list[int] = field(default_factory=list)
    """Which lots of files that was."""
    has_strays: bool = False
    waiting: list[str] = field(default_factory=list)
    """Sessions with responses that look like the beginning of one."""


@dataclass(frozen=True, slots=True)
class UsageTask:
    """Files that several processes read, lot by lot, into files in a folder."""

    folder: Path
    lots: list[list[tuple[SourceFile, Watermark | None]]]
    step: int
    """The numbers of all who read are below it."""
    with_sessions: bool

    def answer(self, lots: Iterator[int], number: int) -> None:
        """Read some lots in another process, and leave in a file what that came to."""
        self.answer_of(number).write_bytes(encoded_done(self.share(lots, number)))

    def answer_of(self, number: int) -> Path:
        """The file that one of the processes leaves."""
        return self.folder / f"usage{number}"

    def share(self, lots: Iterator[int] | Sequence[int], number: int) -> UsageShare:
        """Read some lots. What cannot be read tells nothing here: the whole reading says why."""
        part, short = UsageShare(), ShortRows(number, self.step)
        batch, whole = (
            UsageBatch(with_sessions=self.with_sessions, short=short),
            UsageBatch(with_sessions=True, short=short),
        )
        with collected_later():
            for lot in lots:
                part.lots.append(lot)
                for file, watermark in self.lots[lot]:
                    if not _read_file(file, watermark, batch, part.done):
                        _read_file(file, watermark, whole, part.done)
        part.has_strays = batch.has_strays
        part.waiting = sorted(batch.waiting | whole.waiting)
        batch.extend(whole)
        part.done.models = models_of([*batch.of("responses"), *short.said])
        name = self.answer_of(number).name
        part.row_files = {table: str(path) for table, path in batch.write(self.folder, name).items()}
        part.short = short.write(self.folder, name)
        return part


share_in = msgspec.json.Decoder(UsageShare, dec_hook=from_plain).decode
task_in = msgspec.json.Decoder(UsageTask, dec_hook=from_plain).decode


def _read_file(file: SourceFile, watermark: Watermark | None, batch: UsageBatch, done: Done) -> bool:
    """Read a file into a batch; False if it has to be read with its sessions."""
    batch.begin()
    try:
        result = SOURCES[file.kind].read_usage(file, watermark, batch)
    except (OSError, SourceBusy):
        batch.begin()
        return True
    except Exception:  # noqa: BLE001
        # A fault of a decoder, which the whole reading tells of; the rows before it do not count there, either.
        batch.begin()
        return True
    if not batch.end():
        return False
    if result is not None:
        done.results.append(result)
    return True
