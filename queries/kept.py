"""Answers that are kept beside the store, to be told again as long as nothing has changed that they depend on.

An answer is exact or it is not used. What it depends on is found out and not listed by hand: while a run reads its
settings and compares the disk with the store, everything that it looks at is recorded (`Looks`), be it there or not.
The kept answer has the list of it, and a digest of what was seen: names, inodes, sizes and times of files, the names in
folders that were listed. The rest is in the name of its file (`request`): the program's own code, the words of the
command, the environment, the folder, the terminal. With it stand the store as it was, and until when the day lasts.

The status line is asked for all the while, and a session writes all the while. So its answers are not found out once
and kept until something changes, but made anew by whoever keeps the store up to date (`KeptLine`).

Imports next to nothing: to tell an answer again takes as long as Python needs to start.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from .digest import blake2b

TYPE_CHECKING = False
"""As in `queries`."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

COMMANDS = ("tokens", "daily", "weekly", "monthly", "models")
"""Commands whose answers depend on the store, on what is new on disk, and on the day, and on nothing that passes."""

LINE = "statusline"
"""The command whose answers are kept by somebody who makes them anew."""

SCREEN = "the first screen"
"""What the dashboard shows first is kept as if it were the answer to a command of this name."""

LAST_LINES = ".statusline"
"""Behind the name of a store: the last lines that were told, for when nothing else can be."""

LINE_ENDS_WITH = ".line"
"""The name of a file with one of those."""

FORMAT = b"agnes-stats answer 1"
"""Raised when the file becomes another one."""

MOST_BYTES = 8 * 1024 * 1024
"""What is longer is not kept."""

MOST_KEPT = 32

SETTLED_SECONDS = 0.1
"""A file that was changed less long ago may be changed again, and its time stay the same: clocks of disks tick."""

_OF_A_SHELL = frozenset(
    {
        *("_", "OLDPWD", "PWD", "SHLVL"),
        *("TMUX", "TMUX_PANE", "STY", "WINDOW", "WINDOWID", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"),
        *("TERM_SESSION_ID", "ITERM_SESSION_ID", "KITTY_PID", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID"),
        *("GNOME_TERMINAL_SCREEN", "KONSOLE_DBUS_SESSION", "KONSOLE_DBUS_WINDOW", "WEZTERM_PANE", "WT_SESSION"),
    }
)
"""Variables that no answer depends on, and that are others in each window. The current folder is asked for itself."""

_OF_CODE = (".py", ".pyc", ".so", ".pyd", ".dylib")
_SIZE = 16
"""Bytes of a digest."""


def folder_beside(store: str) -> str:
    """The folder of the answers that are kept of a store; for its owner only."""
    return f"{store}.answers"


def drop(store: str) -> None:
    """Remove all answers kept of a store: what they tell must not be anywhere any more. Raises OSError."""
    import contextlib

    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(f"{store}{LAST_LINES}")
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
        self._before: tuple[float, bytes, bytes, bytes] | None = None
        """When `take_down` was called, and the same three as they were then."""
        self._made = self._until = 0.0

    def find(self, now: float) -> bytes | None:
        """The answer, if there is one and it is still right; `now` is in seconds since 1970."""
        try:
            found = _unpacked(_read(self._path))
        except OSError:
            return None
        if found is None or not found.is_of(now) or not found.is_of_store(self.store) or not found.looks_as_then():
            return None
        return found.answer

    def look(self) -> None:
        """Record from now on what is looked at."""
        self._looks.begin()

    def take_down(self) -> None:
        """Take down what there is, before the store is asked, where nobody keeps others from writing until `settle`."""
        looked, state, _ = self._looked()
        self._before = time.time(), looked, state, _state_of_store(self.store)[0]

    def settle(self, store: str, until: float, is_still_so: Callable[[], bool]) -> None:
        """Take down what the answer depends on, while the store is open, and nobody can write to it.

        `is_still_so` says once more that nothing on disk is new: so all of it was, when it was looked at here, as the
        store has it. `until`: when the day ends, in seconds since 1970. After `take_down`, none of it may have changed
        since then.
        """
        self._looks.end()
        if store != self.store or not self._looks.are_complete:
            return
        made = time.time()
        kept_of_store, store_changed = _state_of_store(store)
        looked, state, changed = self._looked()
        asked = made
        if self._before is not None:
            asked, looked_before, before, store_before = self._before
            if store_before != kept_of_store or _state_of(looked_before)[0] != before:
                return
        if asked - max(changed, store_changed) < SETTLED_SECONDS or not is_still_so():
            return
        self._made, self._until, self._seen = made, until, (looked, state, kept_of_store)

    def _looked(self) -> tuple[bytes, bytes, float]:
        """What was looked at beside the store, a digest of what there is of it now, and when any of it last changed."""
        store = self.store
        looked = self._looks.told(lambda how, path: path.startswith(store) or (how == LISTED and _is_own(path, store)))
        return looked, *_state_of(looked)

    def give_up(self) -> None:
        """Stop recording; nothing is kept."""
        self._looks.end()
        self._seen = None

    def keep(self, answer: bytes) -> None:
        """Keep an answer. Where that is not possible there will be none."""
        if self._seen is None or _state_of_store(self.store)[0] != self._seen[2]:
            return
        looked, state, of_store = self._seen
        answer_of = _Packed(self._made, self._until, of_store, state, looked, answer)
        try:
            _write(self._path, answer_of.data())
            if _state_of_store(self.store)[0] != of_store:
                # Somebody wrote meanwhile, who may have dropped all answers for what was in them.
                os.unlink(self._path)
        except OSError:
            return

    def line(self) -> KeptLine | None:
        """What may be kept of a status line, whose settings are read by now; nothing is recorded any more.

        None where the settings name another store, or were changed just now.
        """
        self._looks.end()
        looked, state, changed = self._looked()
        if not self._looks.are_complete or time.time() - changed < SETTLED_SECONDS:
            return None
        return KeptLine(self.store, self._path + LINE_ENDS_WITH, looked, state)

    def find_line(self, now: float) -> FoundLine | None:
        """The status line that was kept of this store and these settings, be the store as it was then or not."""
        try:
            found = _unpacked(_read(self._path + LINE_ENDS_WITH))
        except OSError:
            return None
        if found is None or not found.is_of(now) or not found.looks_as_then():
            return None
        of_store, changed = _state_of_store(self.store)
        return FoundLine(found.answer, found.made, is_of_store=of_store == found.of_store, changed=changed)

    def note_asked(self) -> None:
        """Note that a line was asked for, and told: so it will be made anew for some time."""
        try:
            os.utime(self._path + LINE_ENDS_WITH)
        except OSError:
            return


class FoundLine:
    """A status line as it was kept, `made` at a time in seconds since 1970."""

    def __init__(self, answer: bytes, made: float, *, is_of_store: bool, changed: float) -> None:
        self.answer = answer
        self.made = made
        self.is_of_store = is_of_store
        """Whether nobody has written to the store since."""
        self.changed = changed
        """When somebody last did."""


class KeptLine:
    """A file with a status line, that is right as long as the settings are as they were, and the store.

    Whoever writes it has the store open, for reading at least: so nobody else can have written to it meanwhile.
    """

    def __init__(self, store: str, path: str, looked: bytes, state: bytes) -> None:
        self.path = path
        self._store = store
        self._looked = looked
        self._state = state

    def keep(self, answer: bytes, made: float, until: float, *, asked_ns: int | None = None) -> None:
        """Keep a line made just now; `asked_ns`: when it was last asked for, now if not given. Raises OSError."""
        of_store = _state_of_store(self._store)[0]
        packed = _Packed(made, until, of_store, self._state, self._looked, answer)
        _write(self.path, packed.data(), asked_ns)


class AskedLine:
    """A status line that is kept and was asked for lately."""

    def __init__(self, line: KeptLine, answer: bytes, asked_ns: int, *, is_right: bool) -> None:
        self.line = line
        self.answer = answer
        self.asked_ns = asked_ns
        self.is_right = is_right
        """Whether it can still be told."""


def asked_lines(store: str, seconds: float, now: float) -> Iterator[AskedLine]:
    """The lines kept of a store that were asked for in the last `seconds`, and whose settings are as they were."""
    try:
        with os.scandir(folder_beside(store)) as listed:
            found = [(one.path, one.stat().st_mtime_ns) for one in listed if one.name.endswith(LINE_ENDS_WITH)]
    except OSError:
        return
    of_store = b""
    for path, asked_ns in found:
        if not 0 <= now - asked_ns / 1e9 < seconds:
            continue
        try:
            kept = _unpacked(_read(path))
        except OSError:
            continue
        if kept is not None and kept.looks_as_then():
            of_store = of_store or _state_of_store(store)[0]
            is_right = kept.of_store == of_store and kept.is_of(now)
            yield AskedLine(KeptLine(store, path, kept.looked, kept.state), kept.answer, asked_ns, is_right=is_right)


class _Packed:
    """An answer with all that it depends on, as it is in its file."""

    def __init__(self, made: float, until: float, of_store: bytes, state: bytes, looked: bytes, answer: bytes) -> None:
        self.made, self.until = made, until
        self.of_store = of_store
        self.state = state
        """A digest of what was seen at all that was looked at."""
        self.looked = looked
        self.answer = answer

    def is_of(self, now: float) -> bool:
        """Whether it holds now."""
        return self.made <= now < self.until

    def is_of_store(self, store: str) -> bool:
        """Whether nobody has written to the store since."""
        return _state_of_store(store)[0] == self.of_store

    def looks_as_then(self) -> bool:
        """Whether all else is as it was."""
        return _state_of(self.looked)[0] == self.state

    def data(self) -> bytes:
        """The file's content. Raises OSError if that is too much."""
        head = FORMAT + b" %r %r %d\n" % (self.made, self.until, len(self.looked))
        body = head + self.of_store + self.state + self.looked + self.answer
        if len(body) + _SIZE > MOST_BYTES:
            raise OSError("too long to be kept")
        return body + blake2b(body, digest_size=_SIZE).digest()


def _unpacked(data: bytes) -> _Packed | None:
    """What is in a file; None if that is not what was written."""
    body, digest = data[:-_SIZE], data[-_SIZE:]
    if blake2b(body, digest_size=_SIZE).digest() != digest:
        return None
    head, _, rest = body.partition(b"\n")
    try:
        form, made, until, size = head.rsplit(b" ", 3)
        length, times = int(size), (float(made), float(until))
    except ValueError:
        return None
    if form != FORMAT:
        return None
    looked, answer = rest[2 * _SIZE : 2 * _SIZE + length], rest[2 * _SIZE + length :]
    return _Packed(*times, rest[:_SIZE], rest[_SIZE : 2 * _SIZE], looked, answer)


def screen_of(words: list[str]) -> Kept | None:
    """What may be kept of the dashboard's first screen, which begins with these words; None where nothing may."""
    if os.name != "posix":
        return None
    try:
        return Kept(store_of(words), request(words, SCREEN))
    except (OSError, ValueError):
        return None


_current: Kept | None = None


class beginning:  # noqa: N801
    """A context manager around a run: what may be kept of its answer, None where nothing may."""

    def __init__(self, words: list[str], *given: str | int | None) -> None:
        """`given`: what the answer depends on besides the words."""
        self._words = words
        self._given = given

    def __enter__(self) -> Kept | None:
        global _current
        command = self._words[0] if self._words else ""
        if command in (*COMMANDS, LINE) and os.name == "posix":
            try:
                store = store_of(self._words)
                # Who makes the store has news, all there is: that answer would not be kept.
                if command == LINE or os.path.exists(store):
                    _current = Kept(store, request(self._words, *self._given))
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


def request(words: list[str], *given: str | int | None) -> str:
    """A name for all that an answer depends on besides the disk. Raises OSError where that cannot be told."""
    made = blake2b(digest_size=_SIZE)
    for descriptor in (0, 1, 2):
        os.fstat(descriptor)
    size = tuple(os.get_terminal_size(1)) if os.isatty(1) else ()
    environment = sorted((name, value) for name, value in os.environ.items() if name not in _OF_A_SHELL)
    told = (sys.version, sys.executable, words, given, environment, os.getcwd(), os.geteuid(), size, os.isatty(2))
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


def store_of(words: list[str]) -> str:
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
    path = os.path.expanduser(named)
    # The folder that we are in may be gone, of which only a name within it would have to know.
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


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
        global _looking, _hears
        for name, how in (("stat", SEEN), ("lstat", OWN), ("readlink", LED), ("access", SEEN)):
            self._real[name] = getattr(os, name)
            setattr(os, name, self._noting(self._real[name], how))
        if not _hears:
            sys.addaudithook(_hear)
        _looking, _hears = self, True

    def end(self) -> None:
        """Stop recording. An audit hook stays for ever, and is called thousands of times a second."""
        global _looking
        if _looking is self:
            _looking = None
        for name, real in self._real.items():
            setattr(os, name, real)
        self._real.clear()

    def told(self, is_left_out: Callable[[bytes, str], bool]) -> bytes:
        """What was looked at, without some of it; as `_state_of` takes it."""
        # A copy: other threads may still look.
        wanted = {(how, path) for how, path in self._paths.copy() if not is_left_out(how, path)}
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
_hears = False
"""Whether the hook is there."""


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


def _write(path: str, data: bytes, asked_ns: int | None = None) -> None:
    """Put a file in its place, readable by its owner only, and remove the oldest ones if there are many.

    `asked_ns`: the time of the file.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)
    aside = f"{path}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if asked_ns is not None:
            os.utime(aside, ns=(asked_ns, asked_ns))
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    with os.scandir(folder) as listed:
        kept = sorted((entry.stat().st_mtime_ns, entry.path) for entry in listed)
    for _, old in kept[:-MOST_KEPT]:
        os.unlink(old)
