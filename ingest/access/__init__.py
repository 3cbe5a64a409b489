"""The data accesses of a coding agent's tool calls: what was queried, read, written or fetched."""

from .model import Access
from .results import error_line, may_count_rows, may_hold_note, note_in, rows_in
from .tools import accesses_of

__all__ = ["Access", "accesses_of", "error_line", "may_count_rows", "may_hold_note", "note_in", "rows_in"]
