"""Which shell commands are sync actions."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.agnes.actions import SYNC_ACTIONS
from agnes_stats.ingest.agnes.shell_actions import sync_action_of


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("agnes pull", "manifest.fetch"),
        ("agnes push --quiet", "session.upload"),
        ("agnes update --json", "sync.update"),
        ("cd ~/ws && agnes pull 2>&1 | tail -3", "manifest.fetch"),
        ("AGNES_LOCAL_DIR=/ws timeout -k 5 60s ~/.local/bin/agnes pull", "manifest.fetch"),
        ('bash -c "( nohup agnes update --quiet >/dev/null 2>&1 & ) ; true"', "sync.update"),
        ("out=$(agnes push)", "session.upload"),
        ("if true; then agnes pull; fi", "manifest.fetch"),
        ("agnes \\\n  pull", "manifest.fetch"),
        ("agnes\\\n pull", "manifest.fetch"),
        ("'agnes' \"pull\"", "manifest.fetch"),
        ("echo a#b && agnes pull", "manifest.fetch"),
        ("cat <<EOF\nagnes push\nEOF\nagnes pull", "manifest.fetch"),
        ("cat <<< agnes; agnes push", "session.upload"),
        ("cat <<-END\n\tx\n\tEND\nagnes push", "session.upload"),
        ("agnes pull > --help", "manifest.fetch"),
        ("# isn't it\nagnes pull", "manifest.fetch"),
        ("agnes push; agnes pull", "session.upload"),
    ],
)
def test_a_command_that_syncs(command: str, action: str) -> None:
    assert sync_action_of(command) == action
    assert action in SYNC_ACTIONS


@pytest.mark.parametrize(
    "command",
    [
        "",
        "agnes",
        "agnes pull --help",
        "agnes push --dry-run",
        'echo "agnes pull"',
        "echo agnes pull",
        "grep -r 'agnes pull' docs && agnes status",
        "# agnes isn't here\nls",
        "ls  # that's all; agnes pull",
        "ls  # then; agnes pull",
        "agnes > pull",
        "cat > notes <<'END'\nagnes pull\nEND",
        "cat <<-END\n\tagnes pull\n\tEND",
        "git commit -m 'first\nagnes pull\n'",
        "echo '&&' agnes pull",
        "agnes update-workspace",
        "agnes --version pull",
        "magnes pull",
        "agnes query 'select 1' > pull",
        "ssh host agnes pull",
        'git commit -m "$(cat <<\'END\'\nsay "this:\nagnes pull\nand" that\nEND\n)"',
        "bash -c 'echo agnes pull'",
        "bash agnes.sh pull",
        'bash -c \'bash -c "bash -c \\"bash -c \\\\\\"agnes pull\\\\\\"\\""\'',
    ],
)
def test_a_command_that_does_not(command: str) -> None:
    assert sync_action_of(command) is None


def test_the_list_of_sync_actions_is_explicit() -> None:
    assert set(SYNC_ACTIONS) == {"manifest.fetch", "session.upload", "sync.trigger", "sync.update"}
