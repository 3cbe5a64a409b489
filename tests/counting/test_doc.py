"""docs/counting.md names every scenario under its rule, and no other."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from agnes_stats.tests.counting.test_scenarios import TABLE

DOC = (Path(__file__).resolve().parents[2] / "docs" / "counting.md").read_text("utf-8")


def shown_by_rule() -> dict[str, set[str]]:
    found = {}
    for section in re.split(r"^### ", DOC, flags=re.MULTILINE)[1:]:
        title, text = section.split("\n", 1)
        rule = title.split()[0] if re.match(r"R\d+ ", title) else title.lower()
        assert rule not in found, title
        shown = re.search(r"^Shown by:(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        assert shown, title
        found[rule] = set(re.findall(r"`([^`]+)`", shown[1]))
    return found


def test_every_scenario_is_named_under_its_rules() -> None:
    expected: dict[str, set[str]] = defaultdict(set)
    for scenario in TABLE.values():
        for rule in scenario.rule.split(", "):
            expected[rule].add(scenario.name)
    told = shown_by_rule()
    assert told == expected | {rule: set() for rule in told.keys() - expected.keys()}


def test_all_twenty_rules_are_there() -> None:
    assert [rule for rule in shown_by_rule() if rule.startswith("R")] == [f"R{number}" for number in range(1, 21)]
