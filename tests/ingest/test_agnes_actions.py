"""Which shell commands are sync actions."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.agnes.actions import SYNC_ACTIONS
from agnes_stats.ingest.agnes.shell_actions import sync_actions_in, sync_actions_of


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
        ("agnes init --server-url https://agnes.example.com --token-file ~/.agnes/token", "manifest.fetch"),
        ("cd ws && agnes onboard --accept-dir", "sync.update"),
    ],
)
def test_a_command_that_syncs(command: str, action: str) -> None:
    assert sync_actions_of(command) == [action]
    assert action in SYNC_ACTIONS


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        ("agnes pull && agnes push", ["manifest.fetch", "session.upload"]),
        ("agnes push; agnes pull", ["session.upload", "manifest.fetch"]),
        ("agnes pull || (sleep 5; agnes pull)", ["manifest.fetch", "manifest.fetch"]),
        ("for ws in a b; do (cd $ws && agnes pull); done", ["manifest.fetch", "manifest.fetch"]),
        ("agnes init && bash -c 'agnes push'", ["manifest.fetch", "session.upload"]),
        ("agnes pull --help; agnes push", ["session.upload"]),
    ],
)
def test_each_command_of_a_script_is_an_action(command: str, actions: list[str]) -> None:
    assert sync_actions_of(command) == actions


def test_a_call_has_no_end_of_actions() -> None:
    assert len(sync_actions_of("agnes pull\n" * 5000)) == 50


def test_the_tool_of_agnes_that_pulls() -> None:
    assert sync_actions_in("pull", {}, "agnes") == [("manifest.fetch", "agnes pull")]
    assert sync_actions_in("pull", {"skip_materialize": True}, "plugin_agnes_tools")[0][0] == "manifest.fetch"
    assert sync_actions_in("pull", {}, "git") == sync_actions_in("pull_request", {}, "agnes") == []
    assert sync_actions_in("pull", {}) == []


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
    assert sync_actions_of(command) == []


def test_the_list_of_sync_actions_is_explicit() -> None:
    assert set(SYNC_ACTIONS) == {"manifest.fetch", "session.upload", "sync.trigger", "sync.update"}
