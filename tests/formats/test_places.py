"""Where the sources of other agents look: the variables that name a place, the usual places, and links to them."""

from pathlib import Path

import pytest
from agnes_stats.ingest.formats import SOURCES, Places

USUAL = {
    "codex": ".codex",
    "pi": ".pi/agent",
    "gemini": ".gemini",
    "copilot": ".copilot",
    "opencode": ".local/share/opencode",
    "mux": ".xum",
    "qwen": ".qwen",
}
"""Kind -> the usual place below the home folder."""

NAMED = [
    ("codex", "CODEX_HOME", "."),
    ("pi", "PI_CODING_AGENT_DIR", "."),
    ("pi", "PI_AGENT_DIR", "."),
    ("gemini", "GEMINI_CLI_HOME", ".gemini"),
    ("gemini", "GEMINI_DATA_DIR", "."),
    ("copilot", "COPILOT_HOME", "."),
    ("opencode", "OPENCODE_DATA_DIR", "."),
    ("opencode", "XDG_DATA_HOME", "opencode"),
    ("mux", "XUM_ROOT", "."),
    ("mux", "MUX_ROOT", "."),
]
"""Kind, variable, and what is read of the folder that it names."""


def located(kind: str, home: Path, **environment: str) -> list[Path]:
    return SOURCES[kind].locate(Places(environment, home, home))


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("kind", USUAL)
def test_the_usual_place(kind: str, tmp_path: Path) -> None:
    assert located(kind, tmp_path) == []
    there = folder(tmp_path / USUAL[kind])
    assert located(kind, tmp_path) == [there]


@pytest.mark.parametrize(("kind", "variable", "inner"), NAMED)
def test_a_variable_names_another_place(kind: str, variable: str, inner: str, tmp_path: Path) -> None:
    folder(tmp_path / USUAL[kind])
    other = folder(tmp_path / "other" / inner)
    assert located(kind, tmp_path, **{variable: str(tmp_path / "other")}) == [other]
    assert located(kind, tmp_path, **{variable: "  "}) == [tmp_path / USUAL[kind]]


def test_homes_of_mux_that_link_to_each_other_are_one(tmp_path: Path) -> None:
    home = folder(tmp_path / ".xum")
    for link in (".mux", ".cmux"):
        (tmp_path / link).symlink_to(home, target_is_directory=True)
    assert located("mux", tmp_path) == [home]
    assert located("mux", tmp_path, XUM_ROOT=str(home), MUX_ROOT=str(tmp_path / ".mux")) == [home]


def test_homes_of_mux_of_their_own_are_all_read(tmp_path: Path) -> None:
    homes = [folder(tmp_path / name) for name in (".xum", ".mux", ".xum-dev")]
    assert located("mux", tmp_path) == homes
