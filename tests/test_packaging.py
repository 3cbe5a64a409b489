"""The wheel holds all it needs, and what it needs is installed with it."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
UV = Path(sys.executable).with_name("uv")


def run(*command: object, **keywords: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **keywords)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # A copy of the tracked files: what lies about in the checkout must not help, and nothing is left in it.
    source = folder / "source"
    names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).split("\n")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "bench/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(UV, "build", "--wheel", "--quiet", "--out-dir", folder, source)
    return next(folder.glob("*.whl"))


def test_every_folder_of_code_is_a_package_that_ships() -> None:
    folders = {
        ".".join(("agnes_stats", *init.parent.relative_to(ROOT).parts))
        for room in ("ingest", "queries", "tui", "demo")
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert folders | {"agnes_stats"} == set(PROJECT["tool"]["setuptools"]["packages"])


def test_the_wheel_is_one_clean_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} <= {"agnes_stats"} | {"agnes_stats.dist"}
    sheets = {f"agnes_stats/{path.relative_to(ROOT)}" for path in [ROOT / "textual.css", *ROOT.glob("tui/*/tab.css")]}
    assert len(sheets) > 1 and sheets <= set(names)
    assert not [name for name in names if "/tests/" in name or name.endswith("conftest.py")]


def test_no_python_of_ours_begins_with_importing_a_finder() -> None:
    """What setuptools installs for a package that is worked on costs every process 12 ms, as much as Python's start."""
    begun = run(sys.executable, "-c", "import sys; print(*sys.modules)").split()
    assert "site" in begun
    assert not [name for name in begun if name.startswith("__editable__")]


@pytest.mark.long
def test_the_wheel_runs_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, venv)
    run(UV, "pip", "install", "--quiet", "--python", venv / "bin/python", wheel)
    command = venv / "bin/agnes-stats"
    elsewhere = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONPATH": ""}
    assert PROJECT["project"]["version"] in run(command, "--version", cwd=tmp_path, env=elsewhere)
    answer = json.loads(run(command, "tokens", "--json", cwd=tmp_path, env=elsewhere))
    assert answer["totals"]["total"] == 0
    assert "No sessions yet" in run(command, cwd=tmp_path, env=elsewhere)
    code = "from agnes_stats.tui.app import AgnesStats; print([path.stat() for path in AgnesStats.CSS_PATH])"
    run(venv / "bin/python", "-c", code, cwd=tmp_path, env=elsewhere)


def test_the_version_is_told_in_one_voice() -> None:
    import agnes_stats

    assert agnes_stats.__version__ == PROJECT["project"]["version"]
    assert f"## {agnes_stats.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
