"""Which other AIs a shell script hands work to, with what task and in which folder."""

import pytest
from agnes_stats.ingest.access.other_agents import AgentRun, agents_run, is_certain
from agnes_stats.ingest.access.scripts import POWERSHELL, SH

HERE = "."


def one(program: str, task: str | None, folder: str | None = HERE, *, remote: bool = False) -> list[AgentRun]:
    return [AgentRun(program, task, folder, remote)]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('codex exec "fix it"', one("codex", "fix it")),
        ("codex e --full-auto 'fix it'", one("codex", "fix it")),
        ("codex -m gpt-5 exec -s read-only --json fix", one("codex", "fix")),
        ("codex review --base main", one("codex", None)),
        ('codex exec resume 0198 "go on"', one("codex", "go on")),
        ('codex exec -C ../shop "count"', one("codex", "count", "../shop")),
        ('gemini -p "sum up"', one("gemini", "sum up")),
        ("echo sum up | gemini -m flash", one("gemini", "sum up\n")),
        ("copilot --allow-all-tools --prompt 'sum up'", one("copilot", "sum up")),
        ('claude -p "hello" --allowedTools Bash Read 2>&1 | head', one("claude", "hello")),
        ('claude --allowedTools Bash Read -p "hello"', one("claude", "hello")),
        ('claude --print --output-format json "hello"', one("claude", "hello")),
        ("cat brief.md | claude -p", one("claude", None)),
        ("claude -p <<< 'hello'", one("claude", "hello\n")),
        ("opencode run fix the test", one("opencode", "fix the test")),
        ("pi --mode json 'hello'", one("pi", "hello")),
        ("pi -p hello there", one("pi", "hello there")),
        ("cursor-agent -p --force hello", one("cursor-agent", "hello")),
        ("agent -p hello", one("cursor-agent", "hello")),
        ("qwen -p hello", one("qwen", "hello")),
        ("amp -x hello", one("amp", "hello")),
        ("droid exec hello", one("droid", "hello")),
        ("aider -m hello shop.py", one("aider", "hello")),
        # What stands before the command word.
        ("cd shop && timeout -k 5 600 codex exec hi", one("codex", "hi", "shop")),
        ("cd /srv/shop; A=b nohup sudo -u ann env C=d codex exec hi &", one("codex", "hi", "/srv/shop")),
        ("npx -y @openai/codex@latest exec hi", one("codex", "hi")),
        ("npx -y @google/gemini-cli -p hi", one("gemini", "hi")),
        ("~/.local/bin/claude -p hi", one("claude", "hi")),
        ("bash -lc 'cd shop && codex exec hi'", one("codex", "hi", "shop")),
        ("bash <<EOF\nclaude -p hi\nEOF", one("claude", "hi")),
        ("env -C shop codex exec hi", one("codex", "hi", "shop")),
        ('cd "$DIR" && codex exec hi', one("codex", "hi", None)),
        ("ssh build codex exec hi", one("codex", "hi", None, remote=True)),
        ("A='claude -p'; $A hi", one("claude", "hi")),
        ("ANSWER=$(gemini -p hi) && echo $ANSWER", one("gemini", "hi")),
        # A subshell leaves the folder of the shell around it alone.
        (
            "(cd a && codex exec one) && (cd b && codex exec two) && codex exec three",
            one("codex", "one", "a") + one("codex", "two", "b") + one("codex", "three"),
        ),
        ("for f in a b; do codex exec check $f; done", one("codex", "check") * 2),
    ],
)
def test_work_is_handed_over(script: str, found: list[AgentRun]) -> None:
    assert agents_run(script) == found


@pytest.mark.parametrize(
    "script",
    [
        *("codex --version", "codex login", "codex mcp list", "codex", "codex exec --help", "codex help exec"),
        *("gemini --version", "gemini mcp list | cat", "gemini", "claude mcp add x", "claude config list", "claude"),
        *("which codex", "command -v claude", "type gemini", "ls ~/codex exec", "cat codex/exec", "rm -r claude -p"),
        *('echo "codex exec hi"', "git commit -m 'use claude -p'", "grep -rn 'gemini -p' .", "pip install aider -q"),
        *("cat <<EOF\ncodex exec hi\nEOF", "cat > run.sh <<'EOF'\nclaude -p hi\nEOF", "# codex exec hi"),
        *("opencode models", "pi list", "agent", "copilot", "my-codex exec hi", "codexx exec hi", "droid"),
    ],
)
def test_nothing_is_handed_over(script: str) -> None:
    assert agents_run(script) == []


def test_powershell_is_read_too() -> None:
    assert agents_run("codex exec 'fix it'", POWERSHELL) == one("codex", "fix it")
    assert agents_run("codex exec 'fix it'", SH) == one("codex", "fix it")


def test_what_the_shell_fills_in_is_no_certain_task() -> None:
    assert is_certain("costs 5$ or so")
    assert [is_certain(text) for text in ("$(cat p.md)", "do $TASK", "do ${TASK}", "`cat p.md`")] == [False] * 4


def test_a_script_with_thousands_of_them_stays_small() -> None:
    assert len(agents_run("codex exec hi\n" * 5000)) == 20
