"""Two groups are never called alike, and a chart and its table call them by names that begin alike."""

from __future__ import annotations

import pytest
from agnes_stats.tui.tokens.text import group_names


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["claude-opus-4-5-20251101", "claude-sonnet-5"], ["opus-4.5", "sonnet-5"]),
        (["claude-sonnet-4-5-20250929", "claude-sonnet-4-5"], ["sonnet-4.5 20250929", "sonnet-4.5"]),
        (["claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"], ["claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"]),
        (
            ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"],
            ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"],
        ),
        (["gpt-5", None], ["gpt-5", "(no model)"]),
    ],
)
def test_models_of_one_name_are_told_apart(names: list[str | None], told: list[str]) -> None:
    assert group_names("model", names) == told


def test_other_groups_are_called_as_they_are() -> None:
    assert group_names("agent", ["codex", None]) == ["codex", "(no agent)"]
