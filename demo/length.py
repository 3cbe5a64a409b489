"""Results and reports of the generated sessions at the length that real ones have."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

_SQL = (
    "with base as (",
    "    select * from {{ ref('stg_orders') }}",
    "    where created_at >= '{{ var(\"from\") }}'",
    "),",
    "joined as (",
    "    select b.*, c.country, c.segment",
    "    from base b left join {{ ref('customers') }} c using (customer_id)",
    ")",
    "select date_trunc('month', created_at) as month,",
    "    count(*) as orders,",
    "    sum(amount_cents) / 100.0 as revenue,",
    "from joined group by 1, 2",
    "-- one row a month and country",
)
_CODE = (
    "def load(table: str, *, since: datetime | None = None) -> int:",
    '    """Copy what is new; how many rows came."""',
    "    state = read_state(table)",
    "    query = select_all(table) if since is None else select_since(table, since)",
    "    with connect(settings.source) as source, connect(settings.target) as target:",
    "        for batch in source.stream(query, size=10_000):",
    "            target.copy(table, batch)",
    "            state.advance(batch[-1].updated_at)",
    "    write_state(table, state)",
    "    return state.rows",
    "",
    "class Retry(Exception):",
    "    pass",
    "",
    "for attempt in range(settings.attempts):",
    "    try:",
    "        return call()",
    "    except Timeout as error:",
    "        log.warning('attempt %d failed: %s', attempt, error)",
)
_LOG = (
    "INFO  connected to the target, schema version 41",
    "INFO  compiling 118 models, 342 tests, 27 sources",
    "INFO  cache warm, 4 of 118 models changed",
    "DEBUG pool: 3 idle, 5 in use",
    "INFO  batch of 10000 rows copied in 1.3 s",
    "WARN  slow statement, 2.1 s",
    "INFO  checkpoint written",
)
_REPORT = (
    "I looked at every place that reads the table and followed the calls up to the scheduler.",
    "Two of them go through the shared loader, the others open a connection of their own.",
    "The loader keeps its state in a small file beside the table, written after each batch and never before.",
    "Nothing in the tests covers a run that is stopped in the middle and taken up again the next day.",
    "The configuration names the table twice, once with the schema and once without, and both are used.",
    "The column was added in the spring; rows from before that have no value there, and no default either.",
    "The numbers agree with the dashboard to the last row for all months but the one that was asked about.",
    "The index that the query needs exists in production only, so timings on a laptop say little.",
    "I found no other caller, neither in the notebooks nor in the ad-hoc scripts of the last quarter.",
    "One of the fixtures still has the former name, which is why the search shows it although nothing uses it.",
    "The change is small: one condition in the loader and the same one in the check that runs after it.",
    "It can be taken back without reading anything again, because the old rows stay where they are.",
    "What remains open is the backfill of the months before, which is a matter of an hour at night.",
)
_NAMES = (
    "pipelines/extract.py",
    "pipelines/state.py",
    "src/checkout/cart.ts",
    "logs/sync.log",
    "models/marts/churn.sql",
)

_LANDS = ("DE", "CZ", "US", "AT")

_FEWEST, _MOST = 40, 260
"""Lines of a file that is read."""


def at_length(rng: random.Random, call: Mapping[str, Any], text: str, *, failed: bool = False) -> str:
    """A result as long as such calls give back: what matters, `text`, ends it. Failed queries have no rows."""
    name, given = call["name"], call["input"]
    if name == "Read":
        lines = [*_lines(rng, str(given["file_path"]), rng.randint(_FEWEST, _MOST)), *text.split("\n")]
        return "\n".join(f"{number:6}→{line}" for number, line in enumerate(lines, 1))
    if name == "Grep":
        found = (
            f"{rng.choice(_NAMES)}:{rng.randint(3, 900)}: {rng.choice(_CODE).strip()}"
            for _ in range(rng.randint(3, 30))
        )
        return "\n".join([*found, text])
    if name == "Bash":
        command = str(given["command"])
        told = [] if failed and _is_query(command) else _bash(rng, command)
        return "\n".join([*told, text])
    if name in ("Task", "Agent"):
        return " ".join([*rng.sample(_REPORT, rng.randint(5, len(_REPORT))), text])
    return text


def _lines(rng: random.Random, path: str, count: int) -> list[str]:
    lines = _SQL if path.endswith(".sql") else _CODE
    start = rng.randrange(len(lines))
    return [lines[(start + number) % len(lines)] for number in range(count)]


def _is_query(command: str) -> bool:
    return "select" in command.lower()


def _bash(rng: random.Random, command: str) -> list[str]:
    """What a command prints before the lines that matter: rows of a table, or what it does."""
    if _is_query(command):
        return [
            f"2026-10-{rng.randint(1, 31):02} | {rng.randint(100, 99_999):>6} | {rng.choice(_LANDS)}"
            for _ in range(rng.randint(2, 60))
        ]
    if command.startswith(("ls", "cat", "git", "which", "cd")):
        return []
    return [rng.choice(_LOG) for _ in range(rng.randint(4, 90))]
