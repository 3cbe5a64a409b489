"""From files to facts: finds transcripts, reads what is new in them and loads it into the store."""

from .engine import Engine, Progress, Summary
from .service import IngestService, News, Reading, Troubled, UpToDate, find_roots
from .sources import ADAPTERS, Root

__all__ = [
    "ADAPTERS",
    "Engine",
    "IngestService",
    "News",
    "Progress",
    "Reading",
    "Root",
    "Summary",
    "Troubled",
    "UpToDate",
    "find_roots",
]
