"""Generated sessions for `agnes-stats --demo`: a history, and sessions that go on while one looks.

A folder is filled with what Claude Code, Codex, Gemini CLI and the `agnes` command would have left there. People,
projects and numbers are made up; the shape of the files is real. The same seed and time give the same files.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import msgspec

from .others import CodexThread, GeminiChat, Played
from .play import PlayPlan, play
from .rows import Clock, DemoLine, Event, Note, Pause, Transcript
from .script import Project, ScriptTurn, projects
from .workspace import DemoWorkspace, Finished

SESSIONS = 60
"""Of Claude Code in all, those that are going on included."""

THREADS, CHATS = 16, 9
"""Of Codex and of Gemini CLI; one thread of Codex is going on."""

SOURCES = {"claude": "", "codex": "codex", "gemini": "gemini", "workspace": "workspace"}
"""Kind of source -> where it lies below the root."""

STEP_SECONDS = 0.5
"""How often `running_demo` lets the sessions go on."""

_LONGEST_WAIT = 6.0
"""Seconds: tools and people of the going-on sessions are not slower than this."""

_STEPS_PER_UPDATE = 60
_UNKNOWN_MODEL = "acme/coder-large-2"
_PLACEHOLDER_VERSION = "2.1.41"

_Write: TypeAlias = Callable[[DemoLine | Note], None]


def write_demo(root: Path, now: datetime, seed: int = 7, days: int = 45) -> None:
    """Write `root/projects`, `root/codex`, `root/gemini` and `root/workspace`, for the last `days` days before `now`.

    There are 60 sessions of Claude Code, two of them live, and some of the other agents'.

    `now` has a time zone; no row is later. OSError if the folder cannot be written.
    """
    finished: list[Finished] = []
    sessions = [*_past_sessions(root, now, seed, days), *_live_sessions(root, now, seed)]
    for other in (*_past_others(root, now, seed, days), _live_thread(root, now, seed)):
        with ExitStack() as stack:
            write = _writer(stack)
            for item in other.until(now):
                write(item)
    for session in sessions:
        with ExitStack() as stack:
            write = _writer(stack)
            for item in session.until(now):
                write(item)
        if session.transcript.cwd == str(_workspace(root)):
            finished.append(session.finished())
    runs = sorted({session.started_at - timedelta(seconds=4) for session in sessions})
    DemoWorkspace(_workspace(root), _random(seed, "workspace")).write(runs, finished, now)


class DemoGrower:
    """Lets the live sessions of a demo go on. To be used by one thread at a time."""

    def __init__(self, root: Path, now: datetime, seed: int = 7, clock: Callable[[], datetime] | None = None) -> None:
        """Take up what `write_demo` wrote for the same root, time and seed. `clock` tells the time from then on."""
        self._clock = clock or (lambda: datetime.now(UTC))
        self._live = _live_sessions(root, now, seed)
        self._going_on = [*self._live, _live_thread(root, now, seed)]
        for session in self._going_on:
            for _ in session.until(now):
                pass
        self._workspace = DemoWorkspace(_workspace(root), _random(seed, "updates"))
        self._steps = 0

    def step(self) -> None:
        """Append what has happened since the last step: a few rows, or none while a tool or a person takes time.

        OSError if a file cannot be written.
        """
        self._steps += 1
        now = self._clock()
        with ExitStack() as stack:
            write = _writer(stack)
            for session in self._going_on:
                for item in session.due(now):
                    write(item)
        if self._steps % _STEPS_PER_UPDATE == 0:
            self._workspace.update(now, self._live[-1].finished())


@contextmanager
def running_demo(root: Path, seed: int = 7) -> Iterator[None]:
    """A demo in `root` that grows until the block ends. What stops it from growing is raised at the end."""
    now = datetime.now(UTC)
    write_demo(root, now, seed)
    grower = DemoGrower(root, now, seed)
    stop = threading.Event()
    failures: list[OSError] = []

    def grow() -> None:
        try:
            while not stop.wait(STEP_SECONDS):
                grower.step()
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=grow, name="demo")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


class _Session:
    """A session that is played: by its own clock up to a moment, then as real time passes."""

    def __init__(self, clock: Clock, events: Iterator[Event]) -> None:
        self.started_at = clock.now
        self._clock = clock
        self._events = events
        self._resume_at = self.started_at

    def until(self, now: datetime) -> Iterator[DemoLine | Note]:
        """Everything that happens before `now`, at once."""
        clock = self._clock
        while self._resume_at <= now:
            clock.now = self._resume_at
            event = next(self._events, None)
            if event is None:
                return
            if isinstance(event, Pause):
                self._resume_at = clock.now + timedelta(seconds=event.seconds)
            else:
                yield event

    def due(self, now: datetime) -> Iterator[DemoLine | Note]:
        """What happens next, up to the next pause; nothing while the last one is not over."""
        clock = self._clock
        if now < min(self._resume_at, clock.now + timedelta(seconds=_LONGEST_WAIT)):
            return
        clock.now = max(now, clock.now)
        for event in self._events:
            if isinstance(event, Pause):
                self._resume_at = clock.now + timedelta(seconds=event.seconds)
                return
            yield event


class _ClaudeSession(_Session):
    """A session of Claude Code."""

    def __init__(self, transcript: Transcript, plan: PlayPlan) -> None:
        super().__init__(transcript.clock, play(transcript, plan))
        self.transcript = transcript

    def finished(self) -> Finished:
        """What is on disk of it."""
        path = self.transcript.path
        return Finished(self.transcript.session_id, path.stat().st_size, path, self.transcript.clock.now)


def _past_sessions(root: Path, now: datetime, seed: int, days: int) -> list[_ClaudeSession]:
    rng = _random(seed, "history")
    starts = sorted(_start(rng, now, days) for _ in range(SESSIONS - 2))
    return [_past_session(root, number, start, seed) for number, start in enumerate(starts)]


def _past_session(root: Path, number: int, start: datetime, seed: int) -> _ClaudeSession:
    """Most sessions are alike; a few of them each show one thing that a dashboard has to cope with."""
    rng = _random(seed, f"session {number}")
    project = rng.choices(projects(), weights=(5, 3, 3, 2, 3))[0]
    turns = islice(_for_ever(project, rng), rng.choice((1, 1, 2, 2, 3, 4, 6)))
    transcript = _transcript(root, project, start, rng, rng.choice(("claude-opus-4-6", "claude-sonnet-5")))
    title = rng.choices(("ai-title", "custom-title", ""), weights=(7, 2, 1))[0]
    plan = PlayPlan(project, turns, title, stumbles=number % 20 == 7)
    match number:
        case 4:
            transcript.version, transcript.counts_output = _PLACEHOLDER_VERSION, False
        case 11 | 26 | 41:
            transcript.model = _UNKNOWN_MODEL
        case 15 | 48:
            transcript.model, transcript.speed = "claude-opus-4-6", "fast"
        case 20 | 45:
            plan = PlayPlan(project, islice(_for_ever(project, rng), 14), title)
        case 30 | 31:
            _move(root, transcript, f"{transcript.cwd}/.claude/worktrees/try-{number}")
    return _ClaudeSession(transcript, plan)


def _live_sessions(root: Path, now: datetime, seed: int) -> list[_ClaudeSession]:
    """Two that began a while ago and do not end: on the first project, and in the Agnes workspace."""
    sessions = []
    for name, minutes, model in ((0, 42, "claude-opus-4-6"), (-1, 9, "claude-sonnet-5")):
        rng = _random(seed, f"live {name}")
        project = projects()[name]
        transcript = _transcript(root, project, now - timedelta(minutes=minutes), rng, model)
        plan = PlayPlan(project, _for_ever(project, rng), "ai-title", breaks=False)
        sessions.append(_ClaudeSession(transcript, plan))
    return sessions


def _past_others(root: Path, now: datetime, seed: int, days: int) -> Iterator[_Session]:
    """Threads of Codex and chats of Gemini CLI, each with a turn or a few, all over."""
    for number in range(THREADS - 1 + CHATS):
        rng = _random(seed, f"other {number}")
        project, start = rng.choice(projects()[:4]), _start(rng, now, days)
        turns = islice(_for_ever(project, rng), rng.choice((1, 1, 2, 3)))
        clock = Clock(start)
        if number < THREADS - 1:
            model = rng.choice(("gpt-5.1-codex", "gpt-5.1-codex", "gpt-5.1-codex-mini"))
            yield _played(_thread(root, project, rng, clock, turns, model))
        else:
            yield _played(_chat(root, project, rng, clock, turns))


def _live_thread(root: Path, now: datetime, seed: int) -> _Session:
    """A thread of Codex that does not end."""
    rng = _random(seed, "live thread")
    project = projects()[1]
    clock = Clock(now - timedelta(minutes=17))
    return _played(_thread(root, project, rng, clock, _for_ever(project, rng), "gpt-5.1-codex"))


def _played(other: Played) -> _Session:
    return _Session(other.clock, other.play())


def _thread(
    root: Path, project: Project, rng: random.Random, clock: Clock, turns: Iterable[ScriptTurn], model: str
) -> CodexThread:
    thread = CodexThread(root, project, project.cwd, turns, rng, clock, model=model)
    name = f"rollout-{clock.now:%Y-%m-%dT%H-%M-%S}-{thread.uuid()}.jsonl"
    thread.path = root / "codex" / "sessions" / f"{clock.now:%Y/%m/%d}" / name
    return thread


def _chat(root: Path, project: Project, rng: random.Random, clock: Clock, turns: Iterable[ScriptTurn]) -> GeminiChat:
    session_id = str(UUID(int=rng.getrandbits(128), version=4))
    home = root / "gemini" / "tmp" / project.cwd.rpartition("/")[2]
    home.mkdir(parents=True, exist_ok=True)
    (home / ".project_root").write_text(project.cwd, "utf-8")
    path = home / "chats" / f"session-{clock.now:%Y-%m-%dT%H-%M}-{session_id[:8]}.jsonl"
    return GeminiChat(path, project, project.cwd, turns, rng, clock, session_id=session_id)


def _for_ever(project: Project, rng: random.Random) -> Iterator[ScriptTurn]:
    """The project's turns in some order, then in another, and so on."""
    while True:
        yield from rng.sample(project.turns, len(project.turns))


def _transcript(root: Path, project: Project, start: datetime, rng: random.Random, model: str) -> Transcript:
    transcript = Transcript(
        path=root,
        session_id=str(UUID(int=rng.getrandbits(128), version=4)),
        cwd="",
        branch=rng.choice(project.branches),
        model=model,
        random=rng,
        clock=Clock(start),
    )
    _move(root, transcript, str(_workspace(root)) if project.cwd == "workspace" else project.cwd)
    return transcript


def _move(root: Path, transcript: Transcript, cwd: str) -> None:
    """Set the folder a session works in, and with it the file it is written to."""
    slug = re.sub(r"[^A-Za-z0-9]", "-", cwd)
    transcript.cwd = cwd
    transcript.path = root / "projects" / slug / f"{transcript.session_id}.jsonl"


def _start(rng: random.Random, now: datetime, days: int) -> datetime:
    """A moment in working hours (UTC), seldom at a weekend, at least two hours ago."""
    latest = now.astimezone(UTC) - timedelta(hours=2)
    while True:
        day = latest.date() - timedelta(days=rng.randrange(days))
        moment = datetime.combine(day, time(7), UTC) + timedelta(hours=rng.betavariate(2, 2) * 12)
        if moment <= latest and (day.weekday() < 5 or rng.random() < 0.2):
            return moment


def _workspace(root: Path) -> Path:
    return root / "workspace"


def _random(seed: int, what: str) -> random.Random:
    """Numbers of its own for each part, so that one part does not change when another does."""
    return random.Random(f"{seed} {what}")


def _writer(stack: ExitStack) -> _Write:
    """A function that writes rows, each with one call, into files that are closed with the stack."""
    files: dict[Path, FileIO] = {}

    def write(item: DemoLine | Note) -> None:
        if isinstance(item, Note):
            item.path.parent.mkdir(parents=True, exist_ok=True)
            item.path.write_bytes(msgspec.json.encode(item.content))
            return
        file = files.get(item.path)
        if file is None:
            item.path.parent.mkdir(parents=True, exist_ok=True)
            file = files[item.path] = stack.enter_context(FileIO(item.path, "a"))
        file.write(msgspec.json.encode(item.row) + b"\n")

    return write
