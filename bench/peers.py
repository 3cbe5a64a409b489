"""The other token counters: where they are installed, and how they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from contest import Contestant

NPM = ("ccusage@20.0.24", "@ccusage/ccusage-linux-x64@20.0.24", "@tokscale/cli-linux-x64-gnu@4.17.0")
PIP = ("agentsview==0.46.1", "agent-session-analytics==0.2.1", "duckdb-cli")


class Peers:
    """Programs of the peers, in a folder of the bench."""

    def __init__(self, work: Path) -> None:
        self._npm = work / "npm"
        self._pip = work / "pip"
        self._homes = work / "homes"
        modules = self._npm / "node_modules"
        self._ccusage = modules / "@ccusage/ccusage-linux-x64/bin/ccusage"
        self._tokscale = modules / "@tokscale/cli-linux-x64-gnu/bin/tokscale"

    def install(self) -> None:
        """Install what is missing, by npm and pip. Raises CalledProcessError."""
        if not self._ccusage.exists():
            self._npm.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "install", "--silent", "--prefix", self._npm, *NPM], check=True)
        for program in (self._ccusage, self._tokscale):
            program.chmod(0o755)
        if not (self._pip / "bin" / "agentsview").exists():
            subprocess.run([sys.executable, "-m", "venv", self._pip], check=True)
            subprocess.run([self._pip / "bin" / "pip", "install", "--quiet", *PIP], check=True)

    def ccusage(self, home: Path) -> Contestant:
        """A counter that reads everything each time and keeps nothing."""
        command = [str(self._ccusage), "daily", "--json", "--offline"]
        return Contestant("ccusage daily --json --offline", command, _at(home))

    def tokscale(self, home: Path) -> Contestant:
        """A counter with a cache of its own, which its first run fills; its price list is the bundled one."""
        command = [str(self._tokscale), "--json", "--no-spinner", "-c", "claude"]
        return Contestant("tokscale --json, warm", command, {**_at(home), "TOKSCALE_PRICING_CACHE_ONLY": "1"})

    def agentsview(self, home: Path) -> Contestant:
        """A SQLite archive with the texts; the work is done by a daemon, so its CPU time is not seen here."""
        program = str(self._pip / "bin" / "agentsview")
        own = self._homes / "agentsview"

        def stop() -> None:
            subprocess.run(
                [program, "daemon", "stop"], env={**os.environ, **_at(own)}, capture_output=True, check=False
            )

        return Contestant("agentsview sync", [program, "sync"], _at(own), before=lambda: _renew(own, home), after=stop)

    def session_analytics(self, home: Path) -> Contestant:
        """A DuckDB file that is made anew from all transcripts."""
        programs = self._pip / "bin"
        own = self._homes / "session-analytics"
        environment = {**_at(own), "PATH": f"{programs}:{os.environ['PATH']}"}
        command = [str(programs / "agent-session-analytics"), "ingest", "--force"]
        return Contestant("agent-session-analytics ingest", command, environment, before=lambda: _renew(own, home))


def _at(home: Path) -> dict[str, str]:
    """An environment in which a program finds its files in a home folder."""
    return {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_CACHE_HOME": str(home / ".cache")}


def _renew(own: Path, home: Path) -> None:
    """A home folder with the transcripts of another, and nothing else."""
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    (own / ".claude").symlink_to(home / ".claude")
