"""Kill the ingester with SIGKILL at random moments, hundreds of times, and compare with a run in peace.

    python tests/faults/kill_loop.py [KILLS] [FOLDER] [SEED]

KILLS (200) are shared by rounds of 20, half of them in a backfill, half while the files grow. FOLDER is a folder of
Claude Code transcripts to play with, copied first; without it some are written. Prints one line a round. Exit status 1
if a store differs in any row, or anything but the store is left behind.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.killing import Killer, hand_written, verdict

ROUND = 20


def main(kills: int = 200, source: Path | None = None, seed: int = 1) -> int:
    """All rounds; the exit status."""
    failures = in_commit = 0
    for number in range(-(-kills // ROUND)):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="agnes-stats-kill-") as name:
            folder = Path(name)
            if source is None:
                hand_written(folder / "source", sessions=12, responses=25)
            killer = Killer(folder, source or folder / "source", seed + number, size="big" if source else "small")
            if number % 2:
                killer.live(ROUND, longest=2.0)
            else:
                killer.backfill(ROUND, longest=2.0)
            wrong = verdict(killer, folder)
        failures += bool(wrong)
        in_commit += killer.in_commit
        kind = "live" if number % 2 else "backfill"
        took = time.monotonic() - begun
        sys.stdout.write(
            f"round {number + 1}: {killer.kills} kills, {kind}, {killer.in_commit} in a commit, "
            f"{killer.read} files read between them, {took:.0f} s: "
            f"{wrong or 'equal'}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{kills} kills, {in_commit} in a commit, {failures} rounds differ\n")
    return 1 if failures else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(
            int(given[0]) if given else 200,
            Path(given[1]) if len(given) > 1 and given[1] else None,
            int(given[2]) if len(given) > 2 else 1,
        )
    )
