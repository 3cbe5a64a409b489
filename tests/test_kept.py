"""Answers that are kept are told again exactly, or not at all: whatever they may depend on is changed here."""

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from agnes_stats.ingest.forget import Forgettable, forget
from agnes_stats.queries import kept
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli, start

from tests import storing
from tests.transcripts import Transcript, store_of, write

NOON = "2026-01-10T12:00:00"


class World:
    """A home folder with a session, and the store of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / ".claude"
        self.config = home / "config.toml"
        said = Transcript("one", NOON).prompt("count").wait(5).response()
        self.store = store_of(home / "kept", [said])
        shutil.move(home / "kept" / "claude", self.root)
        self.words = ["tokens", "--json", "--store", str(self.store.path)]

    @property
    def transcript(self) -> Path:
        return self.root / "projects" / "-home-dana-work" / "one.jsonl"

    @property
    def answers(self) -> list[Path]:
        folder = Path(kept.folder_beside(str(self.store.path)))
        return list(folder.iterdir()) if folder.exists() else []

    def found(self, words: list[str] | None = None) -> bytes | None:
        with kept.beginning(words or self.words) as may_keep:
            return None if may_keep is None else may_keep.find(time.time())


@pytest.fixture
def world(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(kept, "SETTLED_SECONDS", 0.0)
    monkeypatch.setenv("AGNES_STATS_CONFIG", str(own_home / "config.toml"))
    return World(own_home)


Ask = Callable[..., str]


@pytest.fixture
def ask(world: World, capfd: pytest.CaptureFixture[str]) -> Ask:
    def asked(main: Callable[[list[str]], int] = start.main) -> str:
        assert main(world.words) == 0
        return capfd.readouterr().out

    return asked


def _settled(world: World, ask: Ask, after: str = "") -> str:
    """An answer that is kept. A run that has something to read, or to write, keeps none; the next one finds no news."""
    told = ask()
    if world.found() is None:
        again = ask()
        assert again == told, "what is read is read before it is told"
    assert world.found() is not None, f"the answer is not kept after {after}"
    return told


def _append(world: World) -> None:
    more = Transcript("one", "2026-01-10T13:00:00").prompt("more").wait(5)
    more._count = 10
    with world.transcript.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in more.response().rows)


def _replace(world: World) -> None:
    copy = world.transcript.with_suffix(".aside")
    shutil.copy2(world.transcript, copy)
    copy.replace(world.transcript)


def _touch(world: World) -> None:
    changed = world.transcript.stat().st_mtime_ns + 1
    os.utime(world.transcript, ns=(changed, changed))


def _earlier(world: World) -> None:
    """As a file that is put back from a copy."""
    changed = world.transcript.stat().st_mtime_ns - 3600 * 10**9
    os.utime(world.transcript, ns=(changed, changed))


def _cut_short(world: World) -> None:
    before = world.transcript.stat()
    lines = world.transcript.read_bytes().splitlines(keepends=True)
    world.transcript.write_bytes(b"".join(lines[:-1]))
    os.utime(world.transcript, ns=(before.st_atime_ns, before.st_mtime_ns))


def _put_back(world: World) -> None:
    _cut_short(world)
    _earlier(world)


def _subagent(world: World) -> None:
    write(world.root, [Transcript("one", NOON, agent="a1").response()])


def _note(world: World) -> None:
    note = world.transcript.with_name("one") / "subagents" / "agent-a1.meta.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text('{"agentType": "scout"}')


def _plugins(world: World) -> None:
    (world.root / "plugins").mkdir()
    (world.root / "plugins" / "installed_plugins.json").write_text('{"version": 1, "plugins": {}}')


def _another_agent(world: World) -> None:
    (world.home / ".codex" / "sessions").mkdir(parents=True)


def _another_home(world: World) -> None:
    (world.home / ".config" / "claude" / "projects").mkdir(parents=True)


def _prices(world: World) -> None:
    world.config.write_text('[prices."claude-opus-4-5-20251101"]\ninput = 1\noutput = 2\n')


def _alias(world: World) -> None:
    world.config.write_text('[aliases]\n"claude-opus-4-5-20251101" = "claude-haiku-4-5"\n')


def _people(world: World) -> None:
    world.config.write_text('[users]\nabcd = "Dana"\n')


def _cut(world: World) -> None:
    for path in world.answers:
        path.write_bytes(path.read_bytes()[:-1])


CHANGES: dict[str, Callable[[World], object]] = {
    "a line": _append,
    "the same once more": _replace,
    "another time": _touch,
    "an earlier time": _earlier,
    "less at the same time": _cut_short,
    "less at an earlier time": _put_back,
    "a mode": lambda world: world.transcript.chmod(0o640),
    "an empty file": lambda world: world.transcript.with_name("empty.jsonl").touch(),
    "a folder": lambda world: (world.root / "projects" / "-new").mkdir(),
    "a link": lambda world: (world.root / "projects" / "linked").symlink_to(world.home),
    "a sub-agent": _subagent,
    "its note": _note,
    "plugins": _plugins,
    "another agent": _another_agent,
    "another home": _another_home,
    "prices": _prices,
    "an alias": _alias,
    "people": _people,
    "a zone": lambda world: world.config.write_text('tz = "Asia/Tokyo"\n'),
    "a project": lambda world: world.config.write_text('project = "nowhere"\n'),
    "no costs": lambda world: world.config.write_text("no-cost = true\n"),
    "no settings": lambda world: world.config.unlink(),
    "limits": lambda world: (world.store.path.parent / "limits.jsonl").write_text("{}\n"),
    "a row in the store": lambda world: storing.note(world.store, "x"),
    "another store": lambda world: storing.another_inode(world.store),
    "a byte of the answer": lambda world: storing.spoil(world.answers),
    "the end of the answer": _cut,
    "an answer that others may read": lambda world: [path.chmod(0o644) for path in world.answers],
    "another name": lambda world: world.transcript.rename(world.transcript.with_name("two.jsonl")),
    "no file": lambda world: next(world.root.rglob("two.jsonl")).unlink(),
    "forgotten": lambda world: forget(world.store, Forgettable(("one",), None)),
    "a log of the store": lambda world: world.store.log_path.write_bytes(b""),
    "no store": lambda world: world.store.path.unlink(),
}


USUAL = (
    *(
        "a line",
        "another time",
        "an earlier time",
        "less at the same time",
        "a sub-agent",
        "another agent",
        "prices",
        "a zone",
        "a row in the store",
    ),
    *("a byte of the answer", "forgotten", "no store"),
)


@pytest.mark.parametrize("names", [USUAL, pytest.param(tuple(CHANGES), marks=pytest.mark.long)], ids=["usual", "all"])
def test_what_it_may_depend_on_makes_an_answer_anew(world: World, ask: Ask, names: tuple[str, ...]) -> None:
    seen = set()
    before = "the first"
    for name in names:
        seen.add(_settled(world, ask, before))
        CHANGES[name](world)
        assert world.found() is None, name
        before = name
    assert ask() == ask(cli.main)
    assert len(seen) > len(names) // 6, "what changes the answer is seen in it"


VARIABLES = {
    "TZ": "Asia/Tokyo",
    "AGNES_STATS_TZ": "Asia/Tokyo",
    "AGNES_STATS_SINCE": "2026-02-01",
    "AGNES_STATS_CONFIG": "/nowhere/config.toml",
    "CLAUDE_CONFIG_DIR": "/nowhere",
    "CODEX_HOME": "/nowhere",
    "XDG_CONFIG_HOME": "/nowhere",
    "HOME": "/nowhere",
    "PYTHONIOENCODING": "ascii",
    "SOMETHING": "else",
}


def _another_day(world: World) -> None:
    with kept.beginning(world.words) as may_keep:
        assert may_keep is not None
        midnight = (time.time() // 86400 + 1) * 86400
        assert may_keep.find(midnight - 1)
        assert may_keep.find(midnight) is None
        assert may_keep.find(time.time() - 3600) is None, "the clock was set back"


def test_so_do_variables_words_the_folder_the_day_and_the_program(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _settled(world, ask)
    for name, value in VARIABLES.items():
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert world.found() is None, name
    assert world.found()
    _another_day(world)
    _another_program(world, tmp_path)
    assert world.found([*world.words, "--days", "7"]) is None
    assert world.found(["daily", *world.words[1:]]) is None
    monkeypatch.chdir(tmp_path)
    assert world.found() is None


def _another_program(world: World, folder: Path) -> None:
    digests: set[bytes] = set()
    (folder / "code" / "queries").mkdir(parents=True)
    for room in ("ingest", "tui"):
        (folder / "code" / room).mkdir()
    module = folder / "code" / "queries" / "sums.py"
    for text in ("", "1", "2"):
        module.write_text(text)
        os.utime(module, ns=(len(digests), len(digests)))
        made = kept.blake2b()
        kept._add_code(made, str(folder / "code"))
        digests.add(made.digest())
    assert len(digests) == 3
    import genai_prices

    installed = Path(genai_prices.__file__).parent.parent
    assert b"l" + os.fsencode(installed) in world.answers[0].read_bytes(), "its folder tells its version"


def test_an_answer_is_told_again_as_it_was_to_its_owner_alone(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as soon:
        # What was changed just now may change again before the clock of the disk ticks.
        soon.setattr(kept, "SETTLED_SECONDS", 1e9)
        ask()
        assert not world.answers
    told = _settled(world, ask)
    assert json.loads(told)["totals"]["responses"] == 1
    with monkeypatch.context() as without:
        without.setattr(cli, "main", None)
        assert ask() == told
    wrong = [*world.words, "--days", "0"]
    assert start.main(wrong) == 2
    assert world.found(wrong) is None, "what failed is not kept"
    monkeypatch.setattr(kept, "MOST_KEPT", 2)
    for days in ("5", "6"):
        start.main([*world.words, "--days", days])
    assert len(world.answers) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in world.answers} == {0o600}
    assert stat.S_IMODE(world.answers[0].parent.stat().st_mode) == 0o700


def test_it_is_told_before_anything_is_imported(world: World, ask: Ask) -> None:
    command = [sys.executable, "-c", TOLD, *world.words]
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        loaded = set(done.stderr.split())
        if "_duckdb" not in loaded:
            break
    assert json.loads(done.stdout)["totals"]["responses"] == 1
    assert not loaded & {"_duckdb", "argparse", "json", "dataclasses", "msgspec", "hashlib"}


TOLD = """
import sys
before = set(sys.modules)
from agnes_stats.tui.start import main
status = main()
sys.stdout.flush()
print(*(set(sys.modules) - before), file=sys.stderr)
sys.exit(status)
"""


def test_a_store_that_others_name_keeps_nothing(own_home: Path) -> None:
    """Where the settings have another store than the words and the environment say."""
    store = Store(own_home / "elsewhere" / "store.duckdb")
    (own_home / "config.toml").write_text(f'store = "{store.path}"\n')
    named = Path(kept.store_of(["tokens"]))
    named.parent.mkdir(parents=True)
    storing.store_in(named.parent)
    assert named.exists()
    with kept.beginning(["tokens"]) as may_keep:
        assert may_keep is not None
        may_keep.look()
        may_keep.settle(str(store.path), time.time() + 60, lambda: True)
        may_keep.keep(b"{}")
    assert not list(own_home.rglob("*.answers"))
