"""Answers that are kept beside the store, to be told again as long as nothing has changed that they depend on.

An answer is exact or it is not used. What it depends on is found out and not listed by hand: while a run reads its
settings and compares the disk with the store, everything that it looks at is recorded (`Looks`), be it there or not.
The kept answer has the list of it, and a digest of what was seen: names, inodes, sizes and times of files, the names in
folders that were listed. The rest is in the name of its file (`request`): the program's own code, the words of the
command, the environment, the folder, the terminal. With it stand the store as it was, and until when the day lasts.

Imports next to nothing: to tell an answer again takes as long as Python needs to start.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable
from typing import Any

try:
    # What `hashlib` gives, without loading all of OpenSSL first.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

COMMANDS = ("tokens", "daily", "weekly", "monthly", "models")
"""Commands whose answers depend on the store, on what is new on disk, and on the day, and on nothing that passes."""

FORMAT = b"agnes-stats answer 1"
"""Raised when the file becomes another one."""

MOST_BYTES = 8 * 1024 * 1024
"""What is longer is not kept."""

MOST_KEPT = 32

SETTLED_SECONDS = 0.1
"""A file that was changed less long ago may be changed again, and its time stay the same: clocks of disks tick."""

_OF_A_SHELL = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})
"""Variables that no answer depends on, and that change all the while. The current folder is asked for itself."""

_OF_CODE = (".py", ".pyc", ".so", ".pyd", ".dylib")
_SIZE = 16
"""Bytes of a digest."""


def folder_beside(store: str) -> str:
    """The folder of the answers that are kept of a store; for its owner only."""
    return f"{store}.answers"


def drop(store: str) -> None:
    """Remove all answers kept of a store: what they tell must not be anywhere any more. Raises OSError."""
    folder = folder_beside(store)
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        os.unlink(os.path.join(folder, name))


class Kept:
    """What a run may keep of its answer, and what it has to know for that."""

    def __init__(self, store: str, key: str) -> None:
        self.store = store
        """The store that the words and the environment name; the settings may name another one."""
        self._path = os.path.join(folder_beside(store), key)
        self._looks = Looks()
        self._seen: tuple[bytes, bytes, bytes] | None = None
        """The list of what was looked at, its digest, and that of the store."""
        self._made = self._until = 0.0

    def find(self, now: float) -> bytes | None:
        """The answer, if there is one and it is still right; `now` is in seconds since 1970."""
        try:
            data = _read(self._path)
        except OSError:
            return None
        body, digest = data[:-_SIZE], data[-_SIZE:]
        if blake2b(body, digest_size=_SIZE).digest() != digest:
            return None
        head, _, rest = body.partition(b"\n")
        try:
            form, made, until, size = head.rsplit(b" ", 3)
            length, is_now = int(size), float(made) <= now < float(until)
        except ValueError:
            return None
        if form != FORMAT or not is_now:
            return None
        seen, looked, answer = rest[: 2 * _SIZE], rest[2 * _SIZE : 2 * _SIZE + length], rest[2 * _SIZE + length :]
        if _state_of_store(self.store)[0] != seen[:_SIZE] or _state_of(looked)[0] != seen[_SIZE:]:
            return None
        return answer

    def look(self) -> None:
        """Record from now on what is looked at."""
        self._looks.begin()

    def settle(self, store: str, until: float, is_still_so: Callable[[], bool]) -> None:
        """Take down what the answer to come depends on, while the store is open, and nobody can write to it.

        `is_still_so` says once more that nothing on disk is new: so all of it was, when it was looked at here, as the
        store has it. `until`: when the day ends, in seconds since 1970.
        """
        self._looks.end()
        if store != self.store or not self._looks.are_complete:
            return
        made = time.time()
        kept_of_store, store_changed = _state_of_store(store)
        looked = self._looks.told(lambda how, path: path.startswith(store) or (how == LISTED and _is_own(path, store)))
        state, changed = _state_of(looked)
        if made - max(changed, store_changed) < SETTLED_SECONDS or not is_still_so():
            return
        self._made, self._until, self._seen = made, until, (looked, state, kept_of_store)

    def give_up(self) -> None:
        """Stop recording; nothing is kept."""
        self._looks.end()
        self._seen = None

    def keep(self, answer: bytes) -> None:
        """Keep an answer. Where that is not possible there will be none."""
        if self._seen is None or _state_of_store(self.store)[0] != self._seen[2]:
            return
        looked, state, of_store = self._seen
        head = FORMAT + b" %r %r %d\n" % (self._made, self._until, len(looked))
        body = head + of_store + state + looked + answer
        if len(body) + _SIZE > MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            _write(self._path, body + blake2b(body, digest_size=_SIZE).digest())
            if _state_of_store(self.store)[0] != of_store:
                # Somebody wrote meanwhile, who may have dropped all answers for what was in them.
                os.unlink(self._path)


_current: Kept | None = None


class beginning:  # noqa: N801
    """A context manager around a run: what may be kept of its answer, None where nothing may."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __enter__(self) -> Kept | None:
        global _current
        if self._words and self._words[0] in COMMANDS and os.name == "posix":
            try:
                _current = Kept(_store_of(self._words), request(self._words))
            except (OSError, ValueError):
                _current = None
        return _current

    def __exit__(self, *_: object) -> None:
        global _current
        if _current is not None:
            _current.give_up()
        _current = None


def current() -> Kept | None:
    """What may be kept of the answer that this run makes."""
    return _current


def request(words: list[str]) -> str:
    """A name for all that an answer depends on besides the disk. Raises OSError where that cannot be told."""
    made = blake2b(digest_size=_SIZE)
    for descriptor in (0, 1, 2):
        os.fstat(descriptor)
    size = tuple(os.get_terminal_size(1)) if os.isatty(1) else ()
    environment = sorted((name, value) for name, value in os.environ.items() if name not in _OF_A_SHELL)
    told = (sys.version, sys.executable, words, environment, os.getcwd(), os.geteuid(), size, os.isatty(2))
    made.update(repr(told).encode("utf-8", "backslashreplace"))
    _add_code(made, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return made.hexdigest()


def _add_code(made: Any, root: str) -> None:
    """Add the program itself to a digest: names, sizes and times of its files."""
    waiting = [os.path.join(root, room) for room in ("ingest", "queries", "tui")]
    names = []
    while waiting:
        with os.scandir(waiting.pop()) as listed:
            for entry in listed:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    names.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}\n")
                elif entry.name != "__pycache__" and entry.is_dir():
                    waiting.append(entry.path)
    made.update("".join(sorted(names)).encode("utf-8", "surrogateescape"))


def _store_of(words: list[str]) -> str:
    """The store, as far as the command line and the environment tell it."""
    named = os.environ.get("AGNES_STATS_STORE")
    for number, word in enumerate(words):
        if word == "--store" and number + 1 < len(words):
            named = words[number + 1]
        elif word.startswith("--store="):
            named = word.removeprefix("--store=")
    if not named:
        data = os.environ.get("XDG_DATA_HOME", "").strip()
        if not data:
            folders = ("~", "Library", "Application Support") if sys.platform == "darwin" else ("~", ".local", "share")
            data = os.path.join(*folders)
        named = os.path.join(data, "agnes-stats", "store.duckdb")
    return os.path.join(os.getcwd(), os.path.expanduser(named))


# -- what was seen -----------------------------------------------------------------------------------------------

LISTED, SEEN, OWN, LED = b"l", b"s", b"o", b"r"
"""How something was looked at: its names, what it is, what it is if it is a link, where it leads."""


class Looks:
    """All that this process looks at on the disk, between `begin` and `end`.

    Listing and opening tell themselves to Python's audit hooks; what looks at a single file does not, so those few
    functions of `os` are others meanwhile, that note the path and then do the same.
    """

    def __init__(self) -> None:
        self._paths: set[tuple[bytes, str]] = set()
        self._real: dict[str, Any] = {}
        self.are_complete = True

    def begin(self) -> None:
        """Record."""
        global _looking
        for name, how in (("stat", SEEN), ("lstat", OWN), ("readlink", LED), ("access", SEEN)):
            self._real[name] = getattr(os, name)
            setattr(os, name, self._noting(self._real[name], how))
        if _looking is None:
            sys.addaudithook(_hear)
        _looking = self

    def end(self) -> None:
        """Stop recording."""
        for name, real in self._real.items():
            setattr(os, name, real)
        self._real.clear()

    def told(self, is_left_out: Callable[[bytes, str], bool]) -> bytes:
        """What was looked at, without some of it; as `_state_of` takes it."""
        wanted = {(how, path) for how, path in self._paths if not is_left_out(how, path)}
        folders = {path for how, path in wanted if how == LISTED}
        # What is in a folder that is listed is looked at with it.
        parts = [
            how + os.fsencode(path)
            for how, path in sorted(wanted)
            if how != SEEN or os.path.dirname(path) not in folders or os.path.isdir(path)
        ]
        return b"\0".join(parts)

    def heard(self, event: str, given: tuple[Any, ...]) -> None:
        """Take down what an audit hook was told."""
        if not self._real:
            return
        if event == "open":
            writes = isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
            if not writes and not str(given[0]).endswith(_OF_CODE):
                self._note(given[0], SEEN)
        elif event in ("os.scandir", "os.listdir"):
            self._note("." if given[0] is None else given[0], LISTED)

    def _note(self, path: Any, how: bytes) -> None:
        if isinstance(path, int):
            # Something open, which was told when it was opened.
            return
        name = os.fsdecode(path)
        self._paths.add((how, name if os.path.isabs(name) else os.path.join(os.getcwd(), name)))

    def _noting(self, real: Callable[..., Any], how: bytes) -> Callable[..., Any]:
        def noted(path: Any, *given: Any, **named: Any) -> Any:
            if named.get("dir_fd") is not None:
                self.are_complete = False
            self._note(path, OWN if how == SEEN and named.get("follow_symlinks") is False else how)
            return real(path, *given, **named)

        return noted


def _is_own(folder: str, store: str) -> bool:
    """Whether a folder is listed for no answer: to find our own modules, or what a killed run left beside the store."""
    is_package = folder in sys.path_importer_cache and os.path.exists(os.path.join(folder, "__init__.py"))
    return is_package or folder == os.path.dirname(store)


_looking: Looks | None = None


def _hear(event: str, given: tuple[Any, ...]) -> None:
    if _looking is not None:
        _looking.heard(event, given)


def _state_of(looked: bytes) -> tuple[bytes, float]:
    """A digest of what there is now of all that was looked at, and when any of it last changed (since 1970)."""
    made = blake2b(digest_size=_SIZE)
    parts: list[bytes] = []
    changed = 0.0
    for item in looked.split(b"\0") if looked else ():
        how, path = item[:1], item[1:]
        if how == LISTED:
            try:
                with os.scandir(path) as listed:
                    entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in listed)
            except OSError as error:
                parts.append(b"%d" % (error.errno or 0))
                continue
            for name, is_folder in entries:
                if is_folder:
                    parts.append(name + b"/")
                else:
                    told, at = _status_of(path + b"/" + name, follow=True)
                    parts += (name, told)
                    changed = max(changed, at)
        elif how == LED:
            try:
                parts.append(os.readlink(path))
            except OSError as error:
                parts.append(b"%d" % (error.errno or 0))
        else:
            told, at = _status_of(path, follow=how == SEEN)
            parts.append(told)
            changed = max(changed, at)
        parts.append(b"\0")
    made.update(b"\1".join(parts))
    return made.digest(), changed


def _state_of_store(store: str) -> tuple[bytes, float]:
    """The same of a store, its log, and what it was told to forget."""
    return _state_of(b"\0".join(SEEN + os.fsencode(store + end) for end in ("", ".wal", ".forgotten")))


def _status_of(path: bytes, *, follow: bool) -> tuple[bytes, float]:
    """What may change of a file, and when it last did. Of a folder only that it is one: its names are apart."""
    try:
        status = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError) as error:
        return b"-%d" % (getattr(error, "errno", None) or 0), 0.0
    told = b"%d %d %o" % (status.st_dev, status.st_ino, status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return told, 0.0
    return told + b" %d %d %d" % (status.st_size, status.st_mtime_ns, status.st_ctime_ns), status.st_ctime


def _read(path: str) -> bytes:
    """The content of a file of our own, which nobody else can have written. Raises OSError, also for another one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise PermissionError(path)
        return file.read(MOST_BYTES + 1)


def _write(path: str, data: bytes) -> None:
    """Put a file in its place, readable by its owner only, and remove the oldest ones if there are many."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)
    aside = f"{path}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    with os.scandir(folder) as listed:
        kept = sorted((entry.stat().st_mtime_ns, entry.path) for entry in listed)
    for _, old in kept[:-MOST_KEPT]:
        os.unlink(old)
