"""A lake for the tests of a team: a catalogue in a database of the tests' server, and files in a folder."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from agnes_stats.ingest.team import lake
from agnes_stats.queries.store import Store
from agnes_stats.queries.store.lake_address import LakeAddress, lake_address, path_for

from tests.team.postgres import ADMIN
from tests.team.world import Team


def address_of(us: Team, role: str, *, url: str = "", data: str = "") -> LakeAddress:
    """The lake of a team, as a role names it; in another database, or with its files elsewhere, if these are given."""
    return lake_address(f"ducklake:{url or us.url(role)}?data={data or us.folder / 'lake'}")


def lake_for(us: Team, *, url: str = "", drainer: str = "drainer", data: str = "") -> Store:
    """The lake of a team as its drainer has it; prepared, but not made. `url`: of another database, as its admin."""
    lake.init(address_of(us, ADMIN, url=url, data=data), us.people, drainer)
    us.server.give_passwords(drainer, *us.people)
    return seen_by(us, drainer, url=url.replace(f"{ADMIN}@", f"{drainer}@"), data=data)


def seen_by(us: Team, role: str, *, url: str = "", data: str = "") -> Store:
    """The lake as a role names it."""
    return Store(path_for(address_of(us, role, url=url, data=data), us.folder))


@contextlib.contextmanager
def bucket(name: str) -> Iterator[str]:
    """The address of a server that speaks S3, with an empty bucket, until the block ends; it keeps all in memory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        give_up = time.monotonic() + 60
        while True:
            assert process.poll() is None
            try:
                with urllib.request.urlopen(urllib.request.Request(f"{url}/{name}", method="PUT"), timeout=30):
                    break
            except urllib.error.URLError:
                assert time.monotonic() < give_up
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()
