"""What a tool call left behind, as agents tell it: commits in the words of git, changed lines in a patch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .numbers import whole_number

COMMITTED = r"(?:detached HEAD|[^\s\[\]\\\"]+)(?: \(root-commit\))? ([0-9a-f]{7,40})\] "
"""How a line goes on in which git tells of a commit, behind a bracket: `[main 1a2b3c4] Count each customer once`."""

# The bracket first, and then that it begins a line: a character alone is looked for ten times as fast.
_COMMITTED = re.compile(r"\[(?<=^\[)" + COMMITTED, re.MULTILINE)

_LOOKED_AT = 64 * 1024
"""Characters of a result in which git's words are looked for: they come before the list of files."""

_BEGIN, _END = "*** Begin Patch", "*** End Patch"


class ChangedLines(NamedTuple):
    """How many lines a call added to files, and how many it removed from them."""

    added: int
    removed: int


def commits_in(text: str) -> Iterator[str]:
    """The hashes of the commits that the output of a call tells of, each once, as short as they are told there."""
    head = text[:_LOOKED_AT]
    # A line that begins so is rare, and quickly looked for.
    if head.startswith("[") or "\n[" in head:
        yield from dict.fromkeys(_COMMITTED.findall(head))


def lines_of_diff(diff: str) -> ChangedLines:
    """The lines that a unified diff adds and removes. Its heads (`--- a/x`, `+++ b/x`) come in pairs and are none."""
    added = removed = 0
    before = ""
    for line in diff.splitlines():
        if line.startswith("+++ ") and before.startswith("--- "):
            removed -= 1
        elif line.startswith("+"):
            added += 1
        elif line.startswith("-"):
            removed += 1
        before = line
    return ChangedLines(added, removed)


def lines_of_patch(text: str) -> ChangedLines | None:
    """The lines that patches in the form of `apply_patch` add and remove; None if there is no patch in the text.

    A file that such a patch deletes is named without its lines: they are not counted.
    """
    added = removed = 0
    patches = text.split(_BEGIN)[1:]
    for patch in patches:
        for line in patch.split(_END, 1)[0].splitlines():
            added += line.startswith("+")
            removed += line.startswith("-")
    return ChangedLines(added, removed) if patches else None


def lines_told(counts: object, added: str, removed: str) -> ChangedLines | None:
    """The lines that two fields of an object count; None if it has neither."""
    told = [whole_number(counts.get(name)) for name in (added, removed)] if isinstance(counts, Mapping) else []
    return ChangedLines(told[0] or 0, told[1] or 0) if any(count is not None for count in told) else None


def lines_of_files(files: Any, added: str, removed: str) -> ChangedLines | None:
    """The sum of what each file of a list counts, see `lines_told`; None if none counts anything."""
    told = [lines for file in (files if isinstance(files, list) else ()) if (lines := lines_told(file, added, removed))]
    return ChangedLines(sum(lines.added for lines in told), sum(lines.removed for lines in told)) if told else None
