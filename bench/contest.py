"""Commands that race each other, each as a whole process, in turn: A B A B …"""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.05
"""How often the memory of a command is looked at, in the round that does not count."""


@dataclass
class Cost:
    """What one run of a command took: seconds of wall clock and of processor."""

    wall: float
    cpu: float


@dataclass
class Contestant:
    """A command, and what must be done before and after each of its runs."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    until_answered: bool = False
    """Only until its standard output ends: it may go on with something else, and is then ended."""
    costs: list[Cost] = field(default_factory=list)
    peak: float = 0.0
    """MiB of all its processes together at the worst moment; shared pages are divided among those who share them."""

    def run(self, *, counts: bool = True) -> None:
        """One run, that counts or only looks at the memory. CalledProcessError if the command fails."""
        self.before()
        if self.until_answered:
            self._run_until_answered(counts=counts)
            return
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with contextlib.nullcontext() if counts else self._memory_watched(process.pid):
            _, told = process.communicate()
        wall = time.monotonic() - begun
        self.after()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self.command, stderr=told)
        done = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = done.ru_utime + done.ru_stime - usage.ru_utime - usage.ru_stime
        if counts:
            self.costs.append(Cost(wall, cpu))

    def _run_until_answered(self, *, counts: bool) -> None:
        begun = time.monotonic()
        with subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            with contextlib.nullcontext() if counts else self._memory_watched(process.pid):
                answer = process.stdout.read()
            wall, cpu = time.monotonic() - begun, _cpu_of(process.pid)
            process.kill()
        self.after()
        if not answer:
            raise subprocess.CalledProcessError(process.returncode, self.command)
        if counts:
            self.costs.append(Cost(wall, cpu))

    def median(self, what: str) -> float:
        """The median of `wall` or `cpu`."""
        return float(statistics.median(getattr(cost, what) for cost in self.costs))

    @contextlib.contextmanager
    def _memory_watched(self, pid: int) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(LOOK_SECONDS):
                self.peak = max(self.peak, sum(_memory(each) for each in _family(pid)))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def race(contestants: list[Contestant], rounds: int) -> None:
    """All in turn, `rounds` times, after one round that does not count."""
    for number in range(rounds + 1):
        for contestant in contestants:
            contestant.run(counts=number > 0)


def _family(pid: int) -> list[int]:
    """A process and all that it began; only itself where there is no /proc."""
    found = [pid]
    for listed in Path("/proc").glob(f"{pid}/task/*/children"):
        with contextlib.suppress(OSError):
            found += [each for child in listed.read_text().split() for each in _family(int(child))]
    return found


def _memory(pid: int) -> float:
    """MiB of a process, its share of what is shared included; 0 if it is gone, or the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _cpu_of(pid: int) -> float:
    """Seconds of processor that a process and its ended children took so far, where the system tells; else 0."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in told[11:15]) / os.sysconf("SC_CLK_TCK")
