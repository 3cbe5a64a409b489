"""What an agent does not tell: said in its source, and true of what its files give."""

from pathlib import Path

import pytest
from agnes_stats.ingest.formats import SOURCES, Matter
from agnes_stats.tui.untold import sentences, why

from tests.formats.arriving import _catch_up, asked
from tests.formats.specimens import SPECIMENS
from tests.storing import store_in

TOLD = {
    Matter.BRANCH: "SELECT count(*) FROM sessions WHERE git_branch IS NOT NULL",
    Matter.VERSION: "SELECT count(*) FROM sessions WHERE version IS NOT NULL",
    Matter.CALL_TIME: "SELECT count(*) FROM tool_calls WHERE result_ts IS NOT NULL",
    Matter.FIRST_TOKEN: "SELECT count(*) FROM responses WHERE ttft_ms IS NOT NULL",
}
"""Matter -> how often the store has it."""

CLAIMS = {kind: [matter for matter in source.untold if matter in TOLD] for kind, source in SOURCES.items()}


@pytest.mark.parametrize("kind", [kind for kind, matters in CLAIMS.items() if matters])
def test_what_is_said_to_be_untold_is_not_in_the_store(kind: str, tmp_path: Path) -> None:
    specimen, store, home = SPECIMENS[kind](), store_in(tmp_path), tmp_path / "home"
    specimen.put(home, len(specimen.states) - 1)
    _catch_up(store, kind, home)
    specimen.close(home)
    assert {matter: asked(store, TOLD[matter]) for matter in CLAIMS[kind]} == {key: [(0,)] for key in CLAIMS[kind]}


@pytest.mark.parametrize("kind", [kind for kind, source in SOURCES.items() if source.agent and source.untold])
def test_every_sentence_names_its_agent_and_is_shown_with_its_source(kind: str) -> None:
    assert SOURCES[kind].untold
    for matter, sentence in SOURCES[kind].untold.items():
        assert sentence.lower().startswith(kind)
        assert why(SOURCES[kind].agent, matter) == sentence
        assert sentence in sentences(kind)


def test_what_is_told_needs_no_reason() -> None:
    assert why("claude-code", Matter.BRANCH) is None
    assert why(None, Matter.BRANCH) is None
    assert why("somebody", Matter.INPUT) is None
