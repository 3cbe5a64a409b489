"""A lake for the tests of a team: a catalogue in a database of the tests' server, and files in a folder."""

from __future__ import annotations

from agnes_stats.ingest.team import lake
from agnes_stats.queries.store import Store
from agnes_stats.queries.store.lake_address import LakeAddress, lake_address, path_for

from tests.team.postgres import ADMIN
from tests.team.world import Team


def address_of(us: Team, role: str, *, url: str = "", name: str = "lake") -> LakeAddress:
    """The lake of a team, as a role names it; in another database if its address is given."""
    return lake_address(f"ducklake:{url or us.url(role)}?data={us.folder / name}")


def lake_for(us: Team, *, url: str = "", drainer: str = "drainer", name: str = "lake") -> Store:
    """The lake of a team as its drainer has it; prepared, but not made. `url`: of another database, as its admin."""
    lake.init(address_of(us, ADMIN, url=url, name=name), us.people, drainer)
    us.server.give_passwords(drainer, *us.people)
    return seen_by(us, drainer, url=url.replace(f"{ADMIN}@", f"{drainer}@"), name=name)


def seen_by(us: Team, role: str, *, url: str = "", name: str = "lake") -> Store:
    """The lake as a role names it."""
    return Store(path_for(address_of(us, role, url=url, name=name), us.folder))
