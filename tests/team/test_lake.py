"""A team's store as a lake is what it is as a file: drained from the same inbox, asked the same, whatever happens."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.tui import cli

from tests.team.lakes import address_of, lake_for
from tests.team.people import cut, fork_of, talk
from tests.team.postgres import Server
from tests.team.world import Team, differing, told

pytestmark = pytest.mark.lake


@pytest.fixture
def team(tmp_path: Path, server: Server, database: str) -> Callable[..., Team]:
    return lambda *people: Team(tmp_path, server, database, people)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main(list(words))
    told_so = capsys.readouterr()
    return status, told_so.out + told_so.err


def test_a_lake_has_and_answers_what_a_file_does(team: Callable[..., Team], capsys: pytest.CaptureFixture[str]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), fork_of(talk("s2", 10), "a-fork")])
    us.reads("bob", [talk("s2", 10), cut(talk("s1", 9), 3)])
    lake = lake_for(us)
    for who in us.people:
        us.push(who)
        assert us.drain(lake).facts == us.drain().facts > 0
    assert us.drain(lake).rows == 0
    assert differing(told(lake), told(us.store)) == ""
    named = address_of(us, "ann").text
    for command in (
        ["queries"],
        ["sync"],
        ["tokens", "--json"],
        ["daily", "--json"],
        ["sessions", "--json"],
        ["operator", "--since", "2026-03-01", "--until", "2026-03-31", "--json"],
        ["metrics", "--json"],
        ["search", "about", "--json"],
        ["panels"],
    ):
        of_lake = said(capsys, *command, "--tz", "UTC", "--store", named)
        assert of_lake == said(capsys, *command, "--tz", "UTC", "--store", str(us.store.path))
        assert of_lake[0] == 0


def test_killed_drains_and_drains_at_once_leave_a_lake_right(team: Callable[..., Team]) -> None:
    chance = random.Random(3)
    us = team("ann", "bob")
    lake = lake_for(us)
    died: list[int] = []

    def dies(at: int) -> None:
        died.append(us.dies("drain", "", at, store=lake))

    for stage in (3, 100):
        us.reads("ann", [cut(talk("s1", 9), stage), fork_of(talk("s2", 10), "a-fork")])
        us.reads("bob", [talk("s2", 10), cut(talk("s1", 9), 3), cut(talk("s3", 11), stage)])
        for who in us.people:
            us.push(who)
        plan: list[Callable[[], Any]] = [partial(us.drain, lake), partial(dies, chance.randint(20, 90))]
        plan += [partial(dies, chance.randint(90, 300)), partial(us.drain, lake)]
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(each) for each in plan]:
                future.result()
    us.drain(lake)
    us.drain()
    assert differing(told(lake), told(us.store)) == ""
    assert differing(told(lake), told(us.one_store())) == ""
    assert 9 in died
    assert set(died) <= {0, 9}
