"""What the README says of commands, options and sources is what the code does."""

import re
from pathlib import Path

from agnes_stats.ingest.formats import SOURCES
from agnes_stats.tui.commands import COMMANDS
from agnes_stats.tui.settings import OPTIONS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->(.*)<!-- /{name} -->", README, re.DOTALL)
    assert found, name
    return found[1]


def test_every_option_is_in_the_readme_in_the_words_of_its_help() -> None:
    told = dict(re.findall(r"^\| `--([^`]+)` \| (.+) \|$", section("options"), re.MULTILINE))
    expected = {f"{option.name} {option.metavar or ''}".strip(): option.help for option in OPTIONS}
    assert told == expected


def test_every_command_is_in_the_readme() -> None:
    assert re.findall(r"`agnes-stats (\w+)`", section("commands")) == list(COMMANDS)


def test_every_source_is_in_the_readme() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", section("sources"), re.MULTILINE) == list(SOURCES)


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
        assert targets or page.name not in ("README.md", "contributing.md")
        for target in targets:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_word_about_paths_of_one_machine() -> None:
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        assert not re.search(r"/work/|/root/", page.read_text("utf-8")), page
