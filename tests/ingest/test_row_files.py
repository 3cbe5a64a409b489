"""Files of rows on their way from those that read to the one that loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.ingest.row_files import put_together, write_apart


def test_rows_of_several_tables_in_a_file_are_put_together_by_table(tmp_path: Path) -> None:
    first = write_apart(tmp_path / "t1.rows", {"calls": [b"1\n", b"2\n"], "prompts": [b"a\n"]})
    second = write_apart(tmp_path / "t2.rows", {"prompts": [b"b\n", b"c\n"], "activity": [b"x\n"]})
    third = write_apart(tmp_path / "t3.rows", {"calls": [b"3\n"]})

    made = put_together([first, second, third])

    assert {table: path.read_text() for table, path in made.items()} == {
        "calls": "1\n2\n3\n",
        "prompts": "a\nb\nc\n",
        "activity": "x\n",
    }


def test_a_table_without_rows_has_no_file(tmp_path: Path) -> None:
    apart = write_apart(tmp_path / "t1.rows", {"calls": [], "prompts": [b"a\n"]})

    assert put_together([apart]).keys() == {"prompts"}


def test_rows_that_are_gone_are_no_rows_that_are_loaded(tmp_path: Path) -> None:
    apart = write_apart(tmp_path / "t1.rows", {"calls": [b"1\n" * 800_000], "prompts": [b"a\n"]})
    Path(apart.path).write_bytes(Path(apart.path).read_bytes()[:-1])

    with pytest.raises(OSError, match="rows that were written are gone"):
        put_together([apart])
