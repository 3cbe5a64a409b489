"""However transcripts are cut and ordered, and however often they are read again, the store ends up the same."""

from __future__ import annotations

import itertools
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from agnes_stats.tests.counting.rows import (
    HAIKU,
    OPUS,
    Line,
    Row,
    again,
    answer,
    attached,
    call,
    line,
    person,
    progress,
    result,
    row,
    usage,
)
from agnes_stats.tests.counting.rows import said as text
from agnes_stats.tests.counting.table import Scenario
from agnes_stats.tests.counting.ways import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ("s1.jsonl", "s2.jsonl", "s1/subagents/agent-a1.jsonl", "agent-a2.jsonl", "s1/subagents/agent-a1.meta.json")

times = st.sampled_from(
    [
        None,
        "10:00",
        "10:00",
        "10:05",
        "10:25",
        "2026-03-01T23:59:59Z",
        "2026-03-03T00:00:01Z",
        "1970-01-01T00:00:00Z",
        "x",
    ]
)
uuids = st.sampled_from(["u1", "u2", "u3", "new", None])
marks = st.fixed_dictionaries(
    {
        "sessionId": st.sampled_from(["s1", "s1", "s2", None]),
        "cwd": st.sampled_from(["/w/a", "/w/b", None]),
        "isSidechain": st.sampled_from([None, None, True]),
        "forkedFrom": st.sampled_from([None, None, {"sessionId": "s1"}]),
        "sessionKind": st.sampled_from([None, None, "bg"]),
        "session_id": st.sampled_from([None, None, "s2"]),
        "gitBranch": st.sampled_from([None, "main", "fix"]),
    }
)
blocks = st.lists(
    st.one_of(
        st.sampled_from([text("ok"), text("word " * 30)]),
        st.builds(
            lambda key, name, kind: call(key, name, **({"subagent_type": kind} if kind else {})),
            st.sampled_from(["t1", "t2", "t3"]),
            st.sampled_from(["Read", "Task", "Agent", "mcp__agnes__query", "Skill"]),
            st.sampled_from([None, "Explore"]),
        ),
    ),
    max_size=2,
)
usages = st.builds(
    lambda inp, out, w5, w1h: usage(inp, out, flat=w5 + w1h, w5=w5, w1h=w1h),
    st.sampled_from([0, 10]),
    st.sampled_from([1, 5, 100, 100, 900]),
    st.sampled_from([0, 30]),
    st.sampled_from([0, 30]),
)
answers = st.builds(
    lambda key, at, said, used, model, stop, request: answer(
        key, at, *said, used=used, model=model, stop=stop, request=request
    ),
    st.sampled_from(["msg_1", "msg_2", "msg_3", "gen-1", None]),
    times,
    blocks,
    usages,
    st.sampled_from([OPUS, OPUS, HAIKU, "<synthetic>"]),
    st.sampled_from([None, "end_turn"]),
    st.sampled_from([None, "req_1", "req_2"]),
)
told = st.dictionaries(
    st.sampled_from(["agentId", "totalTokens", "status"]), st.sampled_from(["a1", "a2", 5]), max_size=3
)
results = st.builds(
    lambda key, at, error, told: result(key, at, error=error, toolUseResult=told),
    st.sampled_from(["t1", "t2", "t3", "t9"]),
    times,
    st.sampled_from([None, True]),
    told,
)
people = st.builds(
    person,
    st.sampled_from(["hello", "again", "<command-name>/x</command-name>", "[Request interrupted by user]"]),
    times,
)
queued = st.builds(attached, st.sampled_from(["and more", "<task-notification>x"]), times)
others = st.builds(
    lambda kind, at, fields: row(kind, at, **fields),
    st.sampled_from(["summary", "custom-title", "ai-title", "system", "mode", "dream"]),
    times,
    st.fixed_dictionaries(
        {"summary": st.just("S"), "leafUuid": st.sampled_from(["u1", "u2"]), "title": st.sampled_from(["A", "B"])}
    ),
)
plain = st.one_of(answers, answers, results, people, queued, others)


def _marked(told: Row, key: str | None, fields: Row) -> Row:
    return again(told, **fields, **({} if key == "new" else {"uuid": key}))


rows = st.builds(_marked, st.one_of(plain, st.builds(progress, st.one_of(answers, results), times)), uuids, marks)
junk = st.sampled_from([b"", b"{", b"null", b"\0\0", b"\xff", b"}", b'{"a": 1}'])
lines: st.SearchStrategy[Line] = st.one_of(
    rows, rows, rows, junk, st.builds(lambda one, gap, two: line(one) + gap + line(two), rows, junk, rows)
)
files = st.builds(
    lambda told, ends, last: b"".join(line(item) + end for item, end in zip(told, ends, strict=False)) + last,
    st.lists(lines, max_size=6),
    st.lists(st.sampled_from([b"\n", b"\r\n", b" \n\n"]), min_size=6, max_size=6),
    st.one_of(st.just(b""), rows.map(line), rows.map(lambda told: line(told)[:-5])),
)
notes = st.sampled_from([b'{"agentType": "reviewer", "toolUseId": "t1"}', b'{"toolUseId": "t2"}', b"{}"])


@dataclass(frozen=True)
class Lot:
    """Some files of one project, and the portions in which they arrive."""

    files: dict[str, bytes]
    cuts: list[float]
    seed: int

    def steps(self) -> list[tuple[str, bytes]]:
        """Portions of the files; each file's in their order, the files' in any."""
        portions: dict[str, list[bytes]] = {}
        for name, data in self.files.items():
            places = [0, *sorted(int(cut * len(data)) for cut in self.cuts), len(data)]
            portions[name] = [data[start:end] for start, end in itertools.pairwise(places)]
        turns = [name for name, parts in portions.items() for _ in parts]
        random.Random(self.seed).shuffle(turns)
        return [(name, portions[name].pop(0)) for name in turns]


lots = st.lists(
    st.builds(
        lambda contents, note, cuts, seed: Lot(dict(zip(NAMES, [*contents, note], strict=True)), cuts, seed),
        st.lists(files, min_size=4, max_size=4),
        notes,
        st.lists(st.floats(0, 1), max_size=2),
        st.integers(0, 999),
    ),
    min_size=1,
    max_size=8,
)


def in_portions(bench: Bench, arriving: list[Lot], rng: random.Random) -> None:
    """Let all lots arrive side by side; now and then a file is replaced by a copy, which is read from the start."""
    waiting = [lot.steps() for lot in arriving]
    while waiting := [steps for steps in waiting if steps]:
        names = set()
        for steps in waiting:
            for name, data in (steps.pop(0) for _ in range(min(len(steps), rng.randint(1, 3)))):
                bench.append(name, data)
                names.add(name)
                if rng.random() < 0.2:
                    copy = bench.path(name).with_suffix(".copy")
                    shutil.copy(bench.path(name), copy)
                    copy.replace(bench.path(name))
        bench.ingest(sorted(names))


@pytest.mark.long
@settings(max_examples=4, deadline=None)
@given(lots, st.integers(0, 999))
def test_any_portions_lead_to_the_same_store(found: list[Lot], seed: int) -> None:
    named = [
        Lot(Scenario(f"lot{number}", "", lot.files, {}).files, lot.cuts, lot.seed) for number, lot in enumerate(found)
    ]
    with (
        TemporaryDirectory() as one,
        TemporaryDirectory() as other,
        Bench(Path(one)) as whole,
        Bench(Path(other)) as cut,
    ):
        whole.at_once({name: data for lot in named for name, data in lot.files.items()})
        in_portions(cut, named, random.Random(seed))
        assert whole.stale_rollups() == cut.stale_rollups() == []
        expected, got = whole.dump(), cut.dump()
        for table in expected:
            assert got[table] == expected[table], table
        cut.engine.catch_up(rebuild=True)
        assert cut.dump() == expected


def test_whose_a_line_is_that_does_not_win_depends_on_no_order(tmp_path: Path) -> None:
    # The agent's line names a session of which nothing else is known: it is given to the one that it was started in.
    files = {
        "s1/subagents/agent-a1.jsonl": line(again(result("t1", "10:05"), sessionId="s2", uuid="u1")),
        "s1.jsonl": line(again(result("t1", "10:00"), sessionId="s1", uuid="u2")),
    }
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
    with Bench(tmp_path / "one") as whole, Bench(tmp_path / "other") as cut:
        whole.at_once(files)
        for name, data in files.items():
            cut.append(name, data)
            cut.ingest([name])
        assert '"result_session_id":"s2"' in str(whole.dump()["tool_calls"])
        assert cut.dump() == whole.dump()
