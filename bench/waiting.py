"""A program that opens a store again and again, and how long it waits until it has it, with the opening itself.

python bench/waiting.py STORE SECONDS      one JSON list of seconds
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from agnes_stats.queries.store import Store

REST_SECONDS = 0.2
"""Between two times it rests up to so long."""


def main() -> None:
    """Open it until the time is over."""
    store, end, waited = Store(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2]), []
    while time.monotonic() < end:
        begun = time.perf_counter()
        with store.read() as connection:
            waited.append(time.perf_counter() - begun)
            connection.value("SELECT sum(total_tokens) FROM responses")
        time.sleep(random.uniform(0, REST_SECONDS))
    # What it took to start DuckDB is none of the waiting.
    sys.stdout.write(json.dumps(waited[1:]))


if __name__ == "__main__":
    main()
