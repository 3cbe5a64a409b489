"""Side by side with other token counters, each as a whole process, in turn: A B A B …

    make bench                        300 MB and 1 GB, with the peers, into bench/RESULTS.md
    python bench/run.py --mb 5 --no-peers --no-dashboard --rounds 1      a smoke run

Peers are installed by npm into bench/work. Absolute times are of one machine on one day; the ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dashboard
from corpus import write_corpus

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
OURS = Path(sys.executable).with_name("agnes-stats")
NPM = ("ccusage@20.0.24", "@ccusage/ccusage-linux-x64@20.0.24", "@tokscale/cli-linux-x64-gnu@4.17.0")
CCUSAGE = WORK / "npm/node_modules/@ccusage/ccusage-linux-x64/bin/ccusage"
TOKSCALE = WORK / "npm/node_modules/@tokscale/cli-linux-x64-gnu/bin/tokscale"


@dataclass
class Cost:
    """What one run of a command took: seconds of wall clock and processor, MiB at its peak (largest process)."""

    wall: float
    cpu: float
    peak: float


@dataclass
class Contestant:
    """A command, and what must be done before each of its runs."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    costs: list[Cost] = field(default_factory=list)

    def run(self) -> None:
        """One run; CalledProcessError if the command fails."""
        self.before()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, told = process.communicate()
        wall = time.monotonic() - begun
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self.command, stderr=told)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
        self.costs.append(Cost(wall, cpu, after.ru_maxrss / 1024))

    def median(self, what: str) -> float:
        """The median of `wall`, `cpu` or `peak`."""
        return float(statistics.median(getattr(cost, what) for cost in self.costs))


def install_peers() -> None:
    """Native programs of the peers from npm, if they are not there yet."""
    if not CCUSAGE.exists():
        (WORK / "npm").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", WORK / "npm", *NPM], check=True)
    for program in (CCUSAGE, TOKSCALE):
        program.chmod(0o755)


def corpus(megabytes: int) -> tuple[Path, dict[str, int]]:
    """A home folder with a corpus of that size, made once, and its truth."""
    home = WORK / f"home-{megabytes}"
    truth = home / "truth.json"
    if not truth.exists():
        shutil.rmtree(home, ignore_errors=True)
        told = write_corpus(home / ".claude", megabytes)
        truth.write_text(json.dumps(told))
    return home, json.loads(truth.read_text())


def check_truth(home: Path, store: Path, truth: dict[str, int]) -> None:
    """Speed does not count if the sums are wrong."""
    out = subprocess.run(
        ours(home, store, "tokens", "--json", "--no-ingest"), check=True, capture_output=True, text=True
    )
    totals = json.loads(out.stdout)["totals"]
    expected = {name: truth[name] for name in ("input", "output", "cache_read", "cache_creation")}
    got = {name: totals[name] for name in expected}
    if got != expected or totals["responses"] != truth["calls"]:
        raise SystemExit(f"wrong sums: {got} instead of {expected}")


def ours(home: Path, store: Path, *arguments: str) -> list[str]:
    """Our command on a corpus and a store."""
    return [str(OURS), *arguments, "--store", str(store), "--source", f"claude={home / '.claude'}", "--tz", "UTC"]


def race(contestants: list[Contestant], rounds: int) -> None:
    """All in turn, `rounds` times, after one round that does not count."""
    for number in range(rounds + 1):
        for contestant in contestants:
            contestant.run()
            if number == 0 and rounds > 1:
                contestant.costs.clear()


def scene(megabytes: int, rounds: int, peers: bool) -> list[tuple[str, Contestant, Contestant | None]]:
    """The races on one corpus: (what, ours, the peer)."""
    home, truth = corpus(megabytes)
    cold, warm = WORK / f"cold-{megabytes}" / "s.duckdb", WORK / f"warm-{megabytes}" / "s.duckdb"
    there = {"HOME": str(home), "TOKSCALE_PRICING_CACHE_ONLY": "1", "XDG_CONFIG_HOME": str(home / ".config")}
    ingest = Contestant(
        f"ingest, empty store, {megabytes} MB",
        ours(home, cold, "ingest"),
        before=lambda: shutil.rmtree(cold.parent, ignore_errors=True),
    )
    ask = Contestant(f"tokens --json, nothing new, {megabytes} MB", ours(home, warm, "tokens", "--json"))
    subprocess.run(ours(home, warm, "ingest"), check=True, stdout=subprocess.DEVNULL)
    check_truth(home, warm, truth)
    ccusage = tokscale = None
    if peers:
        ccusage = Contestant("ccusage daily --json --offline", [str(CCUSAGE), "daily", "--json", "--offline"], there)
        tokscale = Contestant("tokscale --json, warm", [str(TOKSCALE), "--json", "--no-spinner", "-c", "claude"], there)
    race([c for c in (ingest, ccusage) if c], rounds)
    race([c for c in (ask, tokscale) if c], rounds)
    size = sum(file.stat().st_size for file in cold.parent.glob("s.duckdb*"))
    sys.stdout.write(f"{megabytes} MB: store {size / 1e6:.1f} MB, {size / truth['bytes']:.2%} of the transcripts\n")
    return [("cold", ingest, ccusage), ("warm", ask, tokscale)]


def report(races: list[tuple[str, Contestant, Contestant | None]]) -> str:
    """One table, in Markdown."""
    lines = [
        "| ours | wall s | cpu s | peak MiB | against | wall s | cpu s | ratio of walls |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for _, mine, peer in races:
        other = "| – | – | – | – |"
        if peer is not None:
            ratio = mine.median("wall") / peer.median("wall")
            other = f"| {peer.name} | {peer.median('wall'):.2f} | {peer.median('cpu'):.2f} | **{ratio:.2f}** |"
        lines.append(
            f"| {mine.name} | {mine.median('wall'):.2f} | {mine.median('cpu'):.2f} | {mine.median('peak'):.0f} {other}"
        )
    return "\n".join(lines) + "\n"


def start_up(rounds: int) -> list[tuple[str, Contestant, Contestant | None]]:
    """What the command costs before it does anything."""
    races: list[tuple[str, Contestant, Contestant | None]] = []
    for flag in ("--version", "--help"):
        pair = (
            Contestant(f"agnes-stats {flag}", [str(OURS), flag]),
            Contestant("python -c pass", [sys.executable, "-c", "pass"]),
        )
        race(list(pair), max(rounds, 5))
        races.append(("start", *pair))
    return races


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, action="append", help="size of a corpus; repeat (300 and 1000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-dashboard", action="store_true", help="leave out what is measured in a terminal")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    given = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    if not given.no_peers:
        install_peers()
    races = start_up(given.rounds)
    for megabytes in given.mb or (300, 1000):
        races += scene(megabytes, given.rounds, not given.no_peers)
    table = report(races)
    if not given.no_dashboard:
        megabytes = (given.mb or [1000])[-1]
        rows = dashboard.measure(WORK / f"home-{megabytes}", WORK / f"warm-{megabytes}" / "s.duckdb", ours)
        table += f"\n| the dashboard, {megabytes} MB | measured | ratio to importing Textual |\n|---|---|---|\n"
        table += "".join(
            f"| {row.what} | {row.value} | {f'**{row.ratio:.2f}**' if row.ratio else '–'} |\n" for row in rows
        )
    sys.stdout.write(table)
    if given.write:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        head = f"# Results\n\nMedians of {given.rounds} runs in turn; {machine}; {time.strftime('%Y-%m-%d')}.\n\n"
        (HERE / "RESULTS.md").write_text(head + table, "utf-8")


if __name__ == "__main__":
    main()
