"""Rows of responses that are told in short, or not, in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from agnes_stats.ingest.merged_batch import MergedBatch
from agnes_stats.ingest.text import keep


def shown(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Rows without what has no value, as their texts are kept."""
    told = []
    for row in rows:
        keep("responses", row)
        told.append(str({name: row[name] for name in sorted(row) if row[name] is not None}))
    return sorted(told)


def whole_rows(batch: MergedBatch) -> Iterator[dict[str, Any]]:
    """Rows that are told in short, as the store reads them."""
    assert batch.short is not None
    said = {row["s"]: row for row in batch.short.said}
    for row in batch.short.rows:
        own = msgspec.structs.asdict(row)
        number = own.pop("said")
        otherwise = {"ended_at": row.ts, "usage_ts": row.ts, "usage_pos": row.pos}
        told = otherwise | {name: value for name, value in own.items() if value is not None}
        yield {name: value for name, value in said[number].items() if name != "s"} | told
