"""Real transcripts many times over, each time with other ids, so that nothing of one copy is taken for another's.

python bench/multiply.py FOLDER TO --times 20
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

_UUID = rb"\b[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
_PREFIXED = rb"\b(?:msg|req|toolu|chatcmpl|call)_(?=[A-Za-z0-9])"
_AGENT = rb"agent-(?=[0-9a-z]{6,}\b)|\"agentId\": ?\"|agentId: "
_IDS = re.compile(rb"(?P<uuid>" + _UUID + rb")|(?:" + _PREFIXED + rb"|" + _AGENT + rb")")


def multiply(folder: Path, to: Path, times: int) -> None:
    """Write every file below `folder` to `to` so many times, below `projects` in a folder for each copy."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for number in range(times):
        for path in files:
            inside = path.relative_to(folder).as_posix().removeprefix("projects/")
            target = to / "projects" / f"copy-{number:02}-{_renamed(inside.encode(), number).decode()}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_renamed(path.read_bytes(), number))


def _renamed(data: bytes, number: int) -> bytes:
    """Bytes with all ids changed, to others of nearly the same length."""

    def other(found: re.Match[bytes]) -> bytes:
        if found["uuid"]:
            return b"%08x" % ((int(found[0], 16) + number) % 2**32)
        return found[0] + b"%02d" % number

    return _IDS.sub(other, data)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    multiply(given.folder, given.to, given.times)


if __name__ == "__main__":
    main()
