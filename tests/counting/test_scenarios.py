"""The rules of docs/counting.md, each by a few lines of transcript, read in every way there is."""

from __future__ import annotations

from typing import Any

import pytest
from agnes_stats.tests.counting.scenarios_lines import LINES
from agnes_stats.tests.counting.scenarios_responses import RESPONSES
from agnes_stats.tests.counting.scenarios_sessions import SESSIONS
from agnes_stats.tests.counting.table import COUNTS, NOTHING, VIEWS, Scenario
from agnes_stats.tests.counting.ways import WAYS, Bench

from tests.once import once

ALL = (*RESPONSES, *SESSIONS, *LINES)
TABLE = {scenario.name: scenario for scenario in ALL}


class Said:
    """What a store says after all scenarios were read in one way."""

    def __init__(self, bench: Bench) -> None:
        self.counts = bench.numbers(COUNTS)
        self.views = {name: bench.pairs(question) for name, question in VIEWS.items()}
        self.dump = bench.dump()
        self.stale = bench.stale_rollups()


class InEveryWay(dict[str, Said]):
    """Way -> what a store says; all scenarios are read in it when that is first asked."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, way: str) -> Said:
        said = self[way] = once(self._folders, f"said {way}", lambda: self._read(way))
        return said

    def _read(self, way: str) -> Said:
        files = {name: data for scenario in TABLE.values() for name, data in scenario.files.items()}
        with Bench(self._folders.mktemp("way")) as bench:
            WAYS[way](bench, files)
            return Said(bench)


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> InEveryWay:
    return InEveryWay(tmp_path_factory)


_MARKS: dict[str, list[pytest.MarkDecorator]] = {"at once": [pytest.mark.fast], "line by line": [], "touched again": []}
"""The others take seconds each, and are read with all tests."""

every_way = pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[*_MARKS.get(way, [pytest.mark.long])]) for way in WAYS]
)


@every_way
@pytest.mark.parametrize("scenario", TABLE.values(), ids=TABLE)
def test_numbers(scenario: Scenario, way: str, said: InEveryWay) -> None:
    assert NOTHING | {"sessions": 0} | said[way].counts.get(scenario.name, {}) == scenario.counts
    answers: dict[str, Any] = {view: said[way].views[view].get(scenario.name, {}) for view in scenario.also}
    assert answers == scenario.also


@every_way
def test_every_way_leads_to_the_same_store(way: str, said: InEveryWay) -> None:
    assert any(said["at once"].dump.values())
    for table, rows in said["at once"].dump.items():
        assert said[way].dump[table] == rows, table


@every_way
def test_rollups_say_what_the_facts_say(way: str, said: InEveryWay) -> None:
    assert said[way].stale == []


def test_names_are_unique() -> None:
    assert len(TABLE) == len(ALL)
