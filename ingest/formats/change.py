"""The three ways in which a source changes, and how what is new in it is read.

- `AppendedLines`: a file of lines that only grows, read on from where the last reading ended.
- `Snapshot`: one file or several that are written anew as a whole, and read as a whole.
- `Database` (`database.py`): a SQLite file that its owner writes to all the while; rows changed since are read.

A source says in `Source.change` which one it is, and brings what decodes lines, documents or rows. What they have in
common: nothing that is not a regular file is opened; when in doubt all is read again, which changes no number, for
facts are merged under their keys; what cannot be used is told by a reject and costs nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from ...queries.digest import blake2b
from ..jsonl import MAX_LINE, is_whole
from ..text import plain_json, without_credentials
from .opening import BUFFER, COMPRESSED, BrokenError, opened
from .search import Find, find_in
from .source import Fingerprint, ReadResult, Source, SourceFile, State, Vanished, Watermark

if TYPE_CHECKING:
    from ..batch import Batch

STRETCH = 48 * 1024 * 1024
"""Bytes read of one file before its rows are handed on, so that a huge file needs no huge memory."""

UNTIMED_HEAD = 1024 * 1024
"""Bytes: a longer start of a file without any time is not read again when a time turns up."""

_LINE, _CHUNK = 1, 512 * 1024
"""Bytes: what is read to have a line, and what is searched at once: more would not stay in the processor's memory."""

_HEAD = 1024
_TAIL = 256


class Change(Protocol):
    """How a file changes."""

    def todo(self, watermark: Watermark, size: int) -> int:
        """About how many bytes there are still to read in a file of `size` bytes, of which some are read."""

    def read(
        self, source: Source, file: SourceFile, watermark: Watermark | None, batch: Batch, limit: int
    ) -> ReadResult:
        """As `Source.read`."""

    def told_at(self, source: Source, file: SourceFile, pos: int) -> Any:
        """What stands at a place that facts of the file name, as its owner wrote it, parsed.

        Raises LookupError if nothing (more) does, and OSError as `read`.
        """


class LineDecoder(Protocol):
    """Turns the lines of one file into rows. It lives for one reading, and begins with the state of the last one."""

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`. Faults become rejects; nothing is raised."""

    def finish(self) -> State:
        """Add what can only be said at the end; the state for the next reading."""


class SearchingDecoder(LineDecoder, Protocol):
    """One that is fed only lines with some bytes in them, from when on it knows which."""

    passes_over: bool
    """Set once that is done."""
    wants_all: bool
    """Whether it will never know."""

    @property
    def needle(self) -> bytes | None:
        """The bytes; None as long as any line may matter."""

    def feed_all(self, lines: Iterable[tuple[bytes | bytearray, int]]) -> None:
        """The same as `feed` with each of some lines, from when on it knows what it needs: many at once cost less."""


class DocumentDecoder(Protocol):
    """Turns the files of one whole into rows. It lives for one reading."""

    def document(self, path: Path, content: bytes) -> None:
        """Read one file, which is not empty. Faults become rejects; nothing is raised."""

    def finish(self) -> State:
        """Add what can only be said when all files are read; what is known of the whole, `session` for one."""


# -- lines that are appended -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppendedLines:
    """A file of lines to which lines are added at its end.

    Only whole lines are read; the last one is whole without a newline if it is JSON as it stands. A file that is no
    longer the one that was read (another inode, shorter, another start, other bytes before the watermark) is read
    again from its start.

    Where `Source.members` names several files they are the same lines under several names, of which the first that
    exists is read: a file, and what it is called once it is compressed (`.gz`, `.zst`). All places are counted in the
    lines' own bytes, so that one is read on where the other ended.
    """

    decoder: Callable[[SourceFile, State, Batch], LineDecoder]
    buffer: int = BUFFER
    """Bytes read at once to have lines one after the other."""
    goes_on: bool = True
    """Whether it will be read on from where this reading ends: else it is not told how to."""

    def todo(self, watermark: Watermark, size: int) -> int:
        """What was added, or all."""
        return size - watermark.read_to if watermark.read_to <= size else size

    def read(
        self, source: Source, file: SourceFile, watermark: Watermark | None, batch: Batch, limit: int
    ) -> ReadResult:
        """Read the lines added since, up to about `limit` bytes."""
        path, group = _first_of(source, file)
        with opened(path, self.buffer) as (stream, status, content):
            start: int = 0
            state: State = {}
            if watermark is not None and watermark.version == source.version:
                start, state = _resume(stream, status, path, watermark)
            decoder = self.decoder(file, state, batch)
            stream.seek(start)
            end, more = _read_all(
                stream, decoder, start, limit, content, batch, file.path, is_plain=path.suffix not in COMPRESSED
            )
            state = decoder.finish()
            size, mtime_ns = (group.size, group.mtime_ns) if group else (max(status.st_size, end), status.st_mtime_ns)
            now = Watermark(
                path=str(file.path),
                device=status.st_dev,
                inode=status.st_ino,
                # A reading that ended early must not look finished to the next comparison of sizes.
                size=end if more else size,
                mtime_ns=0 if more else mtime_ns,
                members=group.members if group else None,
                read_to=end,
                version=source.version,
                machine=file.machine,
            )
            if self.goes_on:
                head, tail = _digest(stream, 0, min(end, _HEAD)), _digest(stream, max(0, end - _TAIL), min(end, _TAIL))
                now = replace(now, head=head, tail=tail, state=_plain(state))
        # Nothing of what is compressed is missing.
        extent = sys.maxsize if path.suffix in COMPRESSED else status.st_size
        session = session_of(state, file)
        return ReadResult(file, now, start, session, more, end - start, extents=((str(file.path), extent),))

    def told_at(self, source: Source, file: SourceFile, pos: int) -> Any:
        """The line that starts there."""
        path, _ = _first_of(source, file)
        with opened(path) as (stream, _, _):
            stream.seek(pos)
            line = stream.readline(MAX_LINE)
        try:
            # Garbage may follow a whole row, where a writer was killed and another went on.
            return json.JSONDecoder().raw_decode(line.decode("utf-8", "replace").lstrip())[0]
        except (ValueError, RecursionError):
            raise LookupError from None


def _first_of(source: Source, file: SourceFile) -> tuple[Path, Fingerprint | None]:
    """The member to read, and the fingerprint of all; that is None where there is only one."""
    members = source.members(file.path)
    if len(members) == 1:
        only = members[0]
        return only if isinstance(only, Path) else Path(only), None
    group = source.fingerprint(file.path)
    return file.path.with_name(_names(group.members)[0]), group


def _names(members: str | None) -> list[str]:
    return [name for name, *_ in json.loads(members)] if members else []


def _resume(stream: BinaryIO, status: os.stat_result, path: Path, watermark: Watermark) -> tuple[int, State]:
    """Where to go on and with what state: from the start unless all signs say the file was only appended to."""
    end = watermark.read_to
    # The same lines under another name are another file, of another size.
    if _names(watermark.members)[:1] in ([], [path.name]):
        if (watermark.device, watermark.inode) != (status.st_dev, status.st_ino):
            return 0, {}
        if path.suffix not in COMPRESSED and status.st_size < end:
            return 0, {}
    if _digest(stream, 0, min(end, _HEAD)) != watermark.head:
        return 0, {}
    if _digest(stream, max(0, end - _TAIL), min(end, _TAIL)) != watermark.tail:
        return 0, {}
    state: dict[str, Any] = json.loads(watermark.state)
    # Rows before the first time in the file take that time: it may be in what follows.
    return (0, {}) if state.get("untimed") and end <= UNTIMED_HEAD else (end, state)


def _read_all(
    stream: BinaryIO,
    decoder: LineDecoder,
    start: int,
    limit: int,
    size: int,
    batch: Batch,
    path: Path,
    *,
    is_plain: bool,
) -> tuple[int, bool]:
    """The same as `_read_lines`, for decoders that search, too: all of it."""
    if not hasattr(decoder, "needle"):
        return _read_lines(stream, decoder, start, limit, size, batch, path, is_plain=is_plain)
    searching = cast("SearchingDecoder", decoder)
    if searching.wants_all:
        return _read_lines(stream, decoder, start, limit, size, batch, path, is_plain=is_plain)
    end, more = start, True
    while more and searching.needle is None:
        # Line by line until it knows what it needs.
        end, more = _read_lines(stream, decoder, end, _LINE, size, batch, path, is_plain=is_plain)
    if not more or searching.needle is None:
        return end, False
    searching.passes_over = True
    while more:
        # Between overlong lines.
        end, more = _read_matching(cast("BufferedIOBase", stream), searching, end, size, searching.needle)
        if more:
            stream.seek(end)
            end, more = _read_lines(stream, decoder, end, _LINE, size, batch, path, is_plain=is_plain)
    return end, False


def _read_matching(
    stream: BufferedIOBase, decoder: SearchingDecoder, start: int, size: int, needle: bytes
) -> tuple[int, bool]:
    """Feed the whole lines that have some bytes in them.

    The byte after the last whole line, and whether an overlong one stopped us.
    """
    pos, filled = start, 0
    # With room for more than there is, so that the end shows.
    block = bytearray(min(_CHUNK, max(0, size - start) + 1))
    view, find = memoryview(block), find_in(block)
    stream.seek(start)
    while got := stream.readinto(view[filled : max(filled, size - pos)]):
        filled += got
        whole = block.rfind(b"\n", filled - got, filled) + 1
        if whole:
            decoder.feed_all(_lines_with(needle, block, find, whole, pos))
            # What is left of a line goes before the rest of it.
            pos, filled = pos + whole, filled - whole
            view[:filled] = view[whole : whole + filled]
        elif filled >= MAX_LINE:
            return pos, True
        elif filled == len(block):
            block = block + bytes(min(len(block), MAX_LINE - len(block)))
            view, find = memoryview(block), find_in(block)
    rest = bytes(view[:filled])
    if rest and is_whole(rest):
        if needle in rest:
            decoder.feed(rest, pos)
        pos += len(rest)
    return pos, False


def _lines_with(needle: bytes, block: bytearray, find: Find, end: int, pos: int) -> Iterator[tuple[bytearray, int]]:
    """The lines before `end` in a block that have some bytes in them, and where they begin; the block does at `pos`."""
    found = find(needle, 0, end)
    while found >= 0:
        begin, after = block.rfind(b"\n", 0, found) + 1, block.find(b"\n", found) + 1
        yield block[begin:after], pos + begin
        found = find(needle, after, end)


def _read_lines(
    stream: BinaryIO,
    decoder: LineDecoder,
    start: int,
    limit: int,
    size: int,
    batch: Batch,
    path: Path,
    *,
    is_plain: bool,
) -> tuple[int, bool]:
    """Feed whole lines; the byte after the last one, and whether the limit stopped us.

    Nothing is read beyond `size`, which the file had when it was opened: what grows as fast as it is read has an end.
    """
    end = pos = start
    readline, feed = stream.readline, decoder.feed
    while pos - start < limit:
        left = size - pos
        try:
            line = readline(min(MAX_LINE, left)) if left > 0 else b""
        except BrokenError as error:
            reject(batch, path, pos, 0, str(error))
            return end, False
        if not line:
            return end, False
        if line.endswith(b"\n"):
            if not line.isspace():
                feed(line, pos)
        elif len(line) == MAX_LINE:
            length = _skip_line(stream, pos, len(line), size, has_holes=is_plain)
            if length is None:
                return end, False
            reject(batch, path, pos, length, "line longer than 64 MiB")
            pos += length - len(line)
        elif not is_whole(line):
            return end, False
        else:
            feed(line, pos)
        pos += len(line)
        end = pos
    return end, True


def _skip_line(stream: BinaryIO, start: int, length: int, size: int, *, has_holes: bool) -> int | None:
    """Read to the end of an overlong line: its length, or None if its end is not written yet.

    Holes, of which a file may have any number of terabytes, are passed over.
    """
    while (at := start + length) < size:
        data = _next_data(stream.fileno(), at) if has_holes else at
        if data is None:
            return None
        stream.seek(data)
        part = stream.readline(min(MAX_LINE, size - data))
        length = data + len(part) - start
        if part.endswith(b"\n"):
            return length
        if not part:
            return None
    return None


def _next_data(descriptor: int, at: int) -> int | None:
    """Where something is written from a place on; None if there is only a hole."""
    if not hasattr(os, "SEEK_DATA"):
        return at
    here = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        # Not every file system knows of holes.
        return None if error.errno == errno.ENXIO else at
    finally:
        os.lseek(descriptor, here, os.SEEK_SET)


def _digest(stream: BinaryIO, start: int, length: int) -> str:
    if isinstance(stream, BufferedReader) and hasattr(os, "pread"):
        # To read a few bytes elsewhere with the stream would fill its buffer from there.
        content = os.pread(stream.fileno(), length, start)
    else:
        stream.seek(start)
        content = stream.read(length)
    return blake2b(content, digest_size=8).hexdigest()


# -- files that are written anew -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files that are written anew as a whole: `Source.members`, read one after the other, as one.

    What it says of a fact replaces what it had said of it before. `vanished` decides over facts that it does not tell
    any more. While a part of it cannot be used, or it changes as we read it, nothing counts as vanished.
    """

    decoder: Callable[[SourceFile, Batch], DocumentDecoder]
    vanished: Vanished = Vanished.STAY
    moves: bool = False
    """Whose it is may be told elsewhere, and later: what was a session is a sub-agent's in another one from then on."""
    part: Callable[[Sequence[tuple[Path, bytes]], int], Any] = lambda files, _: json.loads(files[0][1])
    """What of the files' content a place stands for that the decoder gave to a fact, parsed.

    Raises LookupError or ValueError if there is nothing.
    """

    def todo(self, watermark: Watermark, size: int) -> int:  # noqa: ARG002
        """Bytes to read: all, however much of it is known."""
        return size

    def read(
        self,
        source: Source,
        file: SourceFile,
        watermark: Watermark | None,
        batch: Batch,
        limit: int,  # noqa: ARG002
    ) -> ReadResult:
        """Read all of it, whatever was read before."""
        seen = source.fingerprint(file.path)
        rejects, told = len(batch.of("rejects")), batch.sizes()
        extents: list[tuple[str, int]] = []
        decoder = self.decoder(file, batch)
        members = [Path(member) for member in source.members(file.path)]
        for member in members:
            try:
                with opened(member) as (stream, _, _):
                    content = stream.read(MAX_LINE + 1)
            except FileNotFoundError:
                content = b""
            extents.append((str(member), len(content)))
            if len(content) > MAX_LINE:
                reject(batch, member, 0, 0, "longer than 64 MiB")
            elif content.strip():
                decoder.document(member, content)
        state = decoder.finish()
        if file.path not in members:
            extents.append((str(file.path), max(size for _, size in extents)))
        before = json.loads(watermark.state).get("session") if self.moves and watermark is not None else None
        has_moved = before is not None and before == file.session_id != session_of(state, file)
        is_sure = len(batch.of("rejects")) == rejects and source.fingerprint(file.path) == seen
        return ReadResult(
            file,
            whole(file, seen, state, source),
            0,
            session_of(state, file),
            more=False,
            bytes_read=sum(size for _, size in extents),
            extents=tuple(extents),
            tables=batch.grown_since(told),
            vanished=Vanished.UNSURE if self.vanished is Vanished.GO and not is_sure else self.vanished,
            moved_from=before if has_moved else None,
        )

    def told_at(self, source: Source, file: SourceFile, pos: int) -> Any:
        """What the place stands for."""
        found = []
        for member in source.members(file.path):
            with contextlib.suppress(FileNotFoundError), opened(Path(member)) as (stream, _, _):
                found.append((Path(member), stream.read(MAX_LINE + 1)))
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            return self.part(found, pos)
        except (ValueError, RecursionError):
            raise LookupError from None


# -- what they share -------------------------------------------------------------------------------------------------


def reject(batch: Batch, path: Path, pos: int, length: int, reason: str) -> None:
    """Note bytes of a file that cannot be used; a length of 0 means the file, or a row of it, as a whole."""
    batch.add("rejects", {"path": str(path), "pos": pos, "length": length, "reason": reason})


def whole(file: SourceFile, seen: Fingerprint, state: State, source: Source, *, more: bool = False) -> Watermark:
    """The watermark of what was read as a whole; `more` if it was not."""
    return Watermark(
        path=str(file.path),
        device=seen.device,
        inode=seen.inode,
        size=0 if more else seen.size,
        mtime_ns=0 if more else seen.mtime_ns,
        members=seen.members,
        read_to=0 if more else seen.size,
        state=_plain(state),
        version=source.version,
        machine=file.machine,
    )


def _plain(state: State) -> str:
    # It may hold names that were read, as of a branch, and stands in the store.
    return plain_json(without_credentials(state))


def session_of(state: State, file: SourceFile) -> str | None:
    """The session that a file belongs to: as its rows say, else as its path does."""
    session = state.get("session")
    return session if isinstance(session, str) else file.session_id
