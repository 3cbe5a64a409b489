"""Side by side with other token counters, each as a whole process, in turn: A B A B …

    make bench                        20 MB, 300 MB and 1 GB, with the peers, into bench/RESULTS.md
    python bench/run.py --mb 5 --no-peers --no-dashboard --rounds 1      a smoke run
    python bench/run.py --transcripts ~/.claude                          also with real transcripts, twenty times over

Peers are installed by npm and pip into bench/work. Absolute times are of one machine on one day; the ratios are what
counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import beside
import dashboard
from contest import Contestant, race
from corpus import write_corpus
from multiply import multiply
from peers import Peers

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
STRANGE_MB = 100
OURS = Path(sys.executable).with_name("agnes-stats")

Race = tuple[str, Contestant, Contestant | None]
"""What is raced, ours, and the peer, if there is one."""


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


def cold(home: Path, what: str) -> Contestant:
    """A first run: everything is read into an empty store."""
    store = WORK / f"cold-{home.name}" / "s.duckdb"
    return Contestant(
        f"ingest, empty store, {what}",
        ours(home, store, "ingest"),
        before=lambda: shutil.rmtree(store.parent, ignore_errors=True),
    )


def soon(home: Path, what: str) -> Contestant:
    """The first answer about tokens, with an empty store: until it is told, before the store is filled."""
    store = WORK / f"soon-{home.name}" / "s.duckdb"
    return Contestant(
        f"daily --json, empty store, until answered, {what}",
        ours(home, store, "daily", "--json"),
        before=lambda: shutil.rmtree(store.parent, ignore_errors=True),
        until_answered=True,
    )


def scene(megabytes: int, rounds: int, peers: Peers | None, *, heavy: bool) -> list[Race]:
    """The races on one corpus. `heavy`: the peers that keep a store, too; they take minutes."""
    home, truth = corpus(megabytes)
    store = WORK / f"warm-{megabytes}" / "s.duckdb"
    subprocess.run(ours(home, store, "ingest"), check=True, stdout=subprocess.DEVNULL)
    check_truth(home, store, truth)
    size = sum(file.stat().st_size for file in store.parent.glob("s.duckdb*"))
    sys.stdout.write(f"{megabytes} MB: store {size / 1e6:.1f} MB, {size / truth['bytes']:.2%} of the transcripts\n")
    first = cold(home, f"{megabytes} MB")
    ask = Contestant(f"tokens --json, nothing new, {megabytes} MB", ours(home, store, "tokens", "--json"))
    ccusage, tokscale = (peers.ccusage(home), peers.tokscale(home)) if peers else (None, None)
    answer = soon(home, f"{megabytes} MB")
    race([c for c in (answer, first, ccusage) if c], rounds)
    race([c for c in (ask, tokscale) if c], rounds)
    races: list[Race] = [("soon", answer, ccusage), ("cold", first, ccusage), ("warm", ask, tokscale)]
    for peer in (peers.session_analytics(home), peers.agentsview(home)) if peers and heavy else ():
        peer.run()
        races.append(("cold", first, peer))
    return races


def real(transcripts: Path, rounds: int, peers: Peers) -> list[Race]:
    """The race on real transcripts, twenty times over with other ids."""
    home = WORK / "home-real"
    if not home.exists():
        multiply(transcripts, home / ".claude", 20)
    first, ccusage = cold(home, "real ones, 20 times"), peers.ccusage(home)
    race([first, ccusage], rounds)
    return [("cold", first, ccusage)]


def strange(rounds: int) -> str:
    """What fields cost that no version of Claude Code has yet, on every row: one line."""
    contestants = []
    for is_strange, what in ((False, "plain"), (True, "with unknown fields")):
        home = WORK / f"home-{STRANGE_MB}-{what.split()[0]}"
        shutil.rmtree(home, ignore_errors=True)
        truth = write_corpus(home / ".claude", STRANGE_MB, is_strange=is_strange)
        contestants.append((cold(home, what), truth["lines"]))
    race([contestant for contestant, _ in contestants], rounds)
    plain, odd = (contestant.median("cpu") / lines for contestant, lines in contestants)
    more = f"{odd / plain - 1:+.0%}"
    return f"\nUnknown fields on every row of {STRANGE_MB} MB, CPU of a line in the whole ingest: {more}.\n"


def report(races: list[Race]) -> str:
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
        lines.append(f"| {mine.name} | {mine.median('wall'):.2f} | {mine.median('cpu'):.2f} | {mine.peak:.0f} {other}")
    return "\n".join(lines) + "\n"


def start_up(rounds: int) -> list[Race]:
    """What the command costs before it does anything."""
    races: list[Race] = []
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
    parser.add_argument("--mb", type=int, action="append", help="size of a corpus; repeat (20, 300 and 1000)")
    parser.add_argument("--transcripts", type=Path, help="a folder of real transcripts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-dashboard", action="store_true", help="leave out what is measured in a terminal")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    given = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    peers = None if given.no_peers else Peers(WORK)
    if peers:
        peers.install()
    races = start_up(given.rounds)
    sizes = given.mb or [20, 300, 1000]
    for megabytes in sizes:
        races += scene(megabytes, given.rounds, peers, heavy=megabytes == sizes[-1])
    if given.transcripts and peers:
        races += real(given.transcripts, given.rounds, peers)
    table = report(races)
    if peers:
        table += strange(given.rounds)
    if not given.no_dashboard:
        megabytes = sizes[-1]
        home, store = WORK / f"home-{megabytes}", WORK / f"warm-{megabytes}" / "s.duckdb"
        rows = [*dashboard.measure(home, store, ours), *beside.measure(home, store, ours)]
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
