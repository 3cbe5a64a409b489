"""What is shown of a prompt, and names a session without a title."""

from __future__ import annotations

import time

import pytest
from agnes_stats.ingest.formats.typed import typed_line

UUID = "0dfd5cae-5544-49ff-b8d5-9a6ed7648d94"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fix it\nplease", "fix it"),
        ("\n\n  fix it", "fix it"),
        ("?", "?"),
        ("👍\n", "👍"),
        ("---\n", "---"),
        ("<ide_opened_file>a.md is open</ide_opened_file>fix it", "fix it"),
        ("<system-reminder a='1'>be\nbrief</system-reminder>\nfix it", "fix it"),
        ("fix <system_reminder>\n<b>x</b>\n</system_reminder>it", "fix it"),
        ("<current_datetime>2026-07-03T10:32:26</current_datetime>\n\nfix it", "fix it"),
        ("[Image #1]", ""),
        ("[Image #1] [Image #2] fix it", "fix it"),
        ("[Pasted text #1 +14 lines] fix it", "fix it"),
        ("<task>\nfix it\n</task>", "fix it"),
        ("[[ ## user_query ## ]]\n\nfix it", "fix it"),
        ("[Subagent Context] You run at depth 1.\n\n[Subagent Task]\n\nfix it", "fix it"),
        ("<<<BEGIN_INTERNAL>>>\nfix it", "fix it"),
        (f"{UUID}\nfix it", "fix it"),
        (UUID, UUID),
        ("```python\nprint(1)\n```", "print(1)"),
        ("====\nfix it\n====", "fix it"),
        ("## Fix it\nall", "Fix it"),
        ("#12 is broken", "#12 is broken"),
        ("[WIP] fix it", "[WIP] fix it"),
        ("a <b> c", "a <b> c"),
    ],
)
def test_the_line_that_says_what_was_asked(text: str, line: str) -> None:
    assert typed_line(text, 100) == line
    assert typed_line(line, 100) == line


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    began = time.thread_time()
    assert typed_line("x" * 50_000_000, 240) == "x" * 240
    assert typed_line("<system-reminder>" * 3_000_000, 240) == ""
    assert typed_line("[Image #1]" * 3_000_000, 240) == ""
    assert time.thread_time() - began < 0.5
