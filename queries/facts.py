"""The facts of the store and how two tellings of the same fact are merged.

A fact is kept once under its key. Where several lines of a transcript speak of the same fact, each *half* of it is
taken whole from the line that wins by that half's order, so loading is idempotent and the order of arrival is
irrelevant. `FACTS` is the one place that states those keys and orders; the loader writes its SQL from it.

"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Rank = tuple[tuple[int, Any], ...]
"""How a line ranks in an order; two of the same order are compared as tuples are."""


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order: as SQL, and for rows in Python, which both say the same of any two rows.

    NULL comes after all values, unless `absent` says what it stands for.
    """

    column: str
    absent: str | bool | int | None = None
    """What no value stands for; `infinity` and `-infinity` are times."""
    negated: bool = False

    @property
    def sql(self) -> str:
        """The term in the order of DuckDB."""
        if isinstance(self.absent, str):
            return f"coalesce({self.column}, '{self.absent}'::TIMESTAMP)"
        if self.absent is not None:
            return f"coalesce({self.column}, {str(self.absent).lower()})"
        return f"NOT {self.column}" if self.negated else self.column

    def rank(self, row: Mapping[str, Any]) -> tuple[int, Any]:
        """The term of a row, comparable with that of another one."""
        return self.rank_of(row.get(self.column))

    def rank_of(self, value: Any) -> tuple[int, Any]:
        """The term of a row that has a value in its column, comparable with that of another one."""
        if value is None:
            if self.absent is None or self.absent == "infinity":
                return 1, 0
            return (-1, 0) if self.absent == "-infinity" else (0, self.absent)
        return 0, (not value if self.negated else value)


# A row without a time never beats one with a time: read again, it may have one.
_NEVER_FIRST, _NEVER_LAST = "infinity", "-infinity"


_WHOSE = {"agent": "VARCHAR", "machine": "VARCHAR", "username": "VARCHAR"}
"""Which coding agent told a fact, on which machine and in whose name; NULL: not told apart."""


@dataclass(frozen=True, slots=True)
class Half:
    """Columns that are taken together from one line: the first (`min`) or the last (`max`) by `order`."""

    pick: str
    terms: tuple[Term, ...]
    columns: dict[str, str]
    needs: str | None = None
    """Only lines that have a value in this column take part."""
    rivals: str | None = None
    """A column that keeps, of every other file that tells the fact, the line that would win if there were no others.

    A file may say only later that what it told is a copy; then the original must still be known. Such a line has a
    column `is_copy` (with the prefix of the half's columns); one line that says so says it for all of its file.
    They are kept as JSON, because nearly all facts are told by one file: a list of structs would cost them all.
    """

    @property
    def order(self) -> tuple[str, ...]:
        """The order as SQL."""
        return tuple(term.sql for term in self.terms)

    @property
    def where(self) -> str | None:
        """Which lines take part, as an SQL condition; None: all."""
        return None if self.needs is None else f"{self.needs} IS NOT NULL"

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether a line takes part."""
        return self.needs is None or row.get(self.needs) is not None

    def winner(self, lines: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """Of some lines the one that wins, the first one of equals; None if none takes part."""
        best: tuple[Rank, Mapping[str, Any]] | None = None
        for line in lines:
            if self.takes(line):
                rank: Rank = tuple(term.rank(line) for term in self.terms)
                if best is None or (rank < best[0] if self.pick == "min" else rank > best[0]):
                    best = rank, line
        return None if best is None else best[1]

    @property
    def prefix(self) -> str:
        """What the columns `path`, `pos`, `is_copy` of this half begin with."""
        return next(name for name in self.columns if name == "path" or name.endswith("_path")).removesuffix("path")

    @property
    def shape_of_rivals(self) -> str:
        """The shape of the column `rivals`, as DuckDB's `from_json` takes it: a list of rows with these columns."""
        return json.dumps([self.columns], separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact table: its key columns, its halves, single columns with an aggregate, and derived columns."""

    name: str
    key: dict[str, str]
    halves: tuple[Half, ...]
    sums: dict[str, tuple[str, str]] = field(default_factory=dict)
    """column -> (type, aggregate): columns for which lines agree by `max`, `bool_or` and the like."""
    computed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """column -> (type, SQL over the merged columns)."""
    derived: dict[str, str] = field(default_factory=dict)
    """column -> type: filled by the loader from other tables."""
    repeated: dict[str, str] = field(default_factory=dict)
    """column -> the column whose value every single line has in it, too: it need not be told twice."""
    defaults: dict[str, str] = field(default_factory=dict)
    """column -> the column whose value a line has in it where it tells no other."""

    @property
    def loaded(self) -> dict[str, str]:
        """Columns that come from transcripts, with their types, in table order."""
        columns = dict(self.key)
        for half in self.halves:
            columns.update(half.columns)
        columns.update({name: kind for name, (kind, _) in self.sums.items()})
        return columns

    @property
    def told(self) -> dict[str, str]:
        """Columns that a parser tells, with their types: the loaded ones without those that repeat others."""
        return {name: kind for name, kind in self.loaded.items() if name not in self.repeated}

    @property
    def columns(self) -> dict[str, str]:
        """All columns, with their types, in table order."""
        computed = {name: kind for name, (kind, _) in self.computed.items()}
        return self.loaded | computed | self.derived | self.rivals

    @property
    def rivals(self) -> dict[str, str]:
        """The columns of `Half.rivals`, with their types."""
        return {half.rivals: "VARCHAR" for half in self.halves if half.rivals is not None}

    def only(self, columns: Collection[str]) -> Fact:
        """The same fact with some of its columns, and all by which two tellings of it are compared; without rivals.

        For one telling by each file, which says itself whether it is a copy.
        """
        halves = []
        for half in self.halves:
            kept = {*columns, *(term.column for term in half.terms), half.needs}
            those = {name: kind for name, kind in half.columns.items() if name in kept}
            halves.append(replace(half, columns=those, rivals=None))
        there = {*self.key, *columns, *(name for half in halves for name in half.columns)}
        return replace(
            self,
            halves=tuple(halves),
            sums={name: told for name, told in self.sums.items() if name in there},
            repeated={name: other for name, other in self.repeated.items() if name in there},
            defaults={name: other for name, other in self.defaults.items() if name in there},
        )


def _terms(*columns: str) -> tuple[Term, ...]:
    """The values of some columns as they are; `NOT` before one that comes first where it is not so."""
    return tuple(Term(column.removeprefix("NOT "), negated=column.startswith("NOT ")) for column in columns)


def _place(prefix: str = "", *before_path: Term) -> tuple[Term, ...]:
    """The order of rows of which the first counts: by time, then, among rows of the same time, by where they stand."""
    return (Term(f"{prefix}ts", _NEVER_FIRST), *before_path, *_terms(f"{prefix}path", f"{prefix}pos"))


def _last_place(prefix: str = "") -> tuple[Term, ...]:
    """The order of rows of which the last counts."""
    return (Term(f"{prefix}ts", _NEVER_LAST), *_terms(f"{prefix}path", f"{prefix}pos"))


def _copied(prefix: str = "") -> tuple[Term, Term]:
    """The order of rows of the same time, the original first.

    A fork repeats the rows of another session, with their times. Newer ones mark them, and what is marked is no
    original; others can only be told by `copy_signs`, of which more weigh more.
    """
    return Term(f"{prefix}is_copy", False), Term(f"{prefix}copy_signs", 0)


_ORIGINAL = _place("", *_copied())

# A side question repeats the session's rows, too, as a sub-agent's.
_OWNER = (*_terms("embedded"), *_place("", *_copied(), *_terms("is_sidechain")))

ANSWERS = "('turn', 'advisor', 'fallback')"
"""SQL of the kinds of responses that answer somebody; of the other kinds (`compaction`) there is only the bill."""

TIMED = "('turn', 'request')"
"""SQL of the kinds of which the time is told that one answer takes. No agent tells it of both."""

_IS_PLACEHOLDER = (
    "(lower_bound IS NULL AND stop_reason IS NULL AND "
    "(coalesce(early_output, false) OR output_tokens < coalesce(least_output_tokens, 0)))"
)
"""SQL: whether a response shows the output count of the start of its stream, and its agent does not say so."""

RESPONSES = Fact(
    "responses",
    key={"key": "VARCHAR"},
    halves=(
        Half(
            "min",
            _OWNER,
            {
                "embedded": "BOOLEAN",
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                # What was billed: see ANSWERS.
                "kind": "VARCHAR",
                "subagent_id": "VARCHAR",
                "subagent_name": "VARCHAR",
                "is_sidechain": "BOOLEAN",
                "model": "VARCHAR",
                "provider": "VARCHAR",
                "gateway": "VARCHAR",
                "priced_as": "VARCHAR",
                "tool": "VARCHAR",
                "version": "VARCHAR",
                "git_branch": "VARCHAR",
                "requested_at": "TIMESTAMP",
                "prompt_id": "VARCHAR",
                "effort": "VARCHAR",
                # What the agent says it worked on: a plugin, a skill, a tool of an MCP server.
                "attributed_plugin": "VARCHAR",
                "attributed_skill": "VARCHAR",
                "attributed_mcp_server": "VARCHAR",
                "attributed_mcp_tool": "VARCHAR",
            },
            rivals="rivals",
        ),
        Half(
            "max",
            (*_terms("NOT usage_embedded", "output_tokens", "total_tokens"), *_last_place("usage_")),
            {
                "usage_embedded": "BOOLEAN",
                "output_tokens": "BIGINT",
                "total_tokens": "BIGINT",
                "usage_ts": "TIMESTAMP",
                "usage_path": "VARCHAR",
                "usage_pos": "BIGINT",
                "input_tokens": "BIGINT",
                "cache_read_tokens": "BIGINT",
                "cache_write_5m_tokens": "BIGINT",
                "cache_write_1h_tokens": "BIGINT",
                "reasoning_tokens": "BIGINT",
                "web_searches": "BIGINT",
                "speed": "VARCHAR",
                "service_tier": "VARCHAR",
                "inference_geo": "VARCHAR",
                "stop_reason": "VARCHAR",
                "ttft_ms": "BIGINT",
                "duration_ms": "BIGINT",
                "billed": "VARCHAR",
                "logged_cost_usd": "DOUBLE",
                # Why the prompt was not found in the cache, and how much of it.
                "cache_miss_reason": "VARCHAR",
                "cache_missed_tokens": "BIGINT",
                "lower_bound": "BOOLEAN",
                "early_output": "BOOLEAN",
                "stays_early": "BOOLEAN",
            },
            needs="output_tokens",
        ),
    ),
    sums={
        "ended_at": ("TIMESTAMP", "max"),
        "is_api_error": ("BOOLEAN", "bool_or"),
        # What a single line of the response shows must have taken so many at the least; the most of them counts.
        "least_output_tokens": ("BIGINT", "max"),
    },
    computed={
        "is_answer": ("BOOLEAN", f"kind IN {ANSWERS}"),
        "is_placeholder": ("BOOLEAN", _IS_PLACEHOLDER),
        # Of some versions a placeholder may still grow: the loader marks those that do not.
        "output_undercounted": (
            "BOOLEAN",
            f"coalesce(lower_bound, {_IS_PLACEHOLDER} AND coalesce(stays_early, false))",
        ),
    },
    derived={"cost_usd": "DOUBLE"},
    repeated={
        "usage_embedded": "embedded",
        "usage_ts": "ts",
        "usage_path": "path",
        "usage_pos": "pos",
    },
    defaults={"ended_at": "ts"},
)

TOOL_CALLS = Fact(
    "tool_calls",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _OWNER,
            {
                "embedded": "BOOLEAN",
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "subagent_id": "VARCHAR",
                "is_sidechain": "BOOLEAN",
                "name": "VARCHAR",
                "class": "VARCHAR",
                "mcp_server": "VARCHAR",
                "subagent_type": "VARCHAR",
                "skill": "VARCHAR",
                # Whether the skill, or the kind of sub-agent, comes with the agent.
                "is_builtin": "BOOLEAN",
                "detail": "VARCHAR",
                # Of a sub-agent's call the name that it is given, of a message whom it is for: a name or an id.
                "addressee": "VARCHAR",
                # It comes back at once, and the work goes on.
                "in_background": "BOOLEAN",
                "response_key": "VARCHAR",
                "prompt_id": "VARCHAR",
            },
            needs="name",
            rivals="rivals",
        ),
        Half(
            "min",
            (*_terms("result_embedded", "NOT is_error"), *_place("result_", *_copied("result_"))),
            {
                "result_embedded": "BOOLEAN",
                "result_is_copy": "BOOLEAN",
                "result_copy_signs": "UTINYINT",
                "is_error": "BOOLEAN",
                "result_ts": "TIMESTAMP",
                "result_path": "VARCHAR",
                "result_pos": "BIGINT",
                "result_session_id": "VARCHAR",
                "result_named_session_id": "VARCHAR",
                "result_home_session_id": "VARCHAR",
                "denial": "VARCHAR",
                "error_text": "VARCHAR",
                "result_bytes": "BIGINT",
                "result_rows": "BIGINT",
                # What `agnes query` says of where the query ran, and of whose rows it gave.
                "result_note": "VARCHAR",
                "spawned_subagent_id": "VARCHAR",
                "spawned_status": "VARCHAR",
                "spawned_tokens": "BIGINT",
                "spawned_ms": "BIGINT",
                "report_chars": "BIGINT",
            },
            needs="is_error",
            rivals="result_rivals",
        ),
    ),
)

PROMPTS = Fact(
    "prompts",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "kind": "VARCHAR",
                "command": "VARCHAR",
                "text": "VARCHAR",
                # Whether a command comes with the agent; false: it gives the model no work.
                "is_builtin": "BOOLEAN",
                "begins_turn": "BOOLEAN",
                # How it came: typed, queued, sdk …; NULL where the row does not say.
                "source": "VARCHAR",
            },
            rivals="rivals",
        ),
    ),
)

_LABEL = {"ts": "TIMESTAMP", "path": "VARCHAR", "pos": "BIGINT", "value": "VARCHAR", **_WHOSE}

SESSION_FIRSTS = Fact(
    "session_firsts",
    key={"session_id": "VARCHAR", "kind": "VARCHAR"},
    halves=(Half("min", _place(), _LABEL),),
)

SESSION_LASTS = Fact(
    "session_lasts",
    key={"session_id": "VARCHAR", "kind": "VARCHAR"},
    halves=(Half("max", _last_place(), _LABEL),),
)

# A worktree that a session was given: its folder, and the project it belongs to.
WORKTREES = Fact(
    "worktrees",
    key={"session_id": "VARCHAR", "folder": "VARCHAR"},
    halves=(
        Half("min", _place(), {"ts": "TIMESTAMP", "path": "VARCHAR", "pos": "BIGINT", "project": "VARCHAR", **_WHOSE}),
    ),
)

# A session that rows of sub-agents name, and the session in whose folder they lie, where that is another one. Facts
# of such rows have both as `named_session_id` and `home_session_id`, and belong to the named one only if it has rows
# of its own.
STRAYS = Fact(
    "strays",
    key={"session_id": "VARCHAR", "home": "VARCHAR"},
    halves=(Half("min", _terms("path"), {"path": "VARCHAR", **_WHOSE}),),
)

# What an agent itself says that a session took so far, by model; the model "" is the session as a whole. It counts
# what is in no transcript, and, after a fork, what was before that: it is kept beside the responses. Of all that it
# said, the latest counts: rows of the same `path` and `pos` were said at once.
OWN_TOTALS = Fact(
    "own_totals",
    key={"session_id": "VARCHAR", "model": "VARCHAR"},
    halves=(
        Half(
            "max",
            _last_place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "input_tokens": "BIGINT",
                "output_tokens": "BIGINT",
                "cache_read_tokens": "BIGINT",
                "cache_write_5m_tokens": "BIGINT",
                "cache_write_1h_tokens": "BIGINT",
                "total_tokens": "BIGINT",
                "web_searches": "BIGINT",
                "cost_usd": "DOUBLE",
                **_WHOSE,
                "is_incomplete": "BOOLEAN",
            },
        ),
    ),
)

SUMMARIES = Fact(
    "summaries",
    key={"leaf_uuid": "VARCHAR"},
    halves=(Half("max", _terms("path", "pos"), {"path": "VARCHAR", "pos": "BIGINT", "summary": "VARCHAR", **_WHOSE}),),
)

AGENTS = Fact(
    "subagents",
    key={"subagent_id": "VARCHAR"},
    halves=(
        Half(
            "max",
            _terms("path"),
            {
                "path": "VARCHAR",
                "subagent_type": "VARCHAR",
                "is_builtin": "BOOLEAN",
                "description": "VARCHAR",
                "tool_use_id": "VARCHAR",
                "parent": "VARCHAR",
                **_WHOSE,
            },
            needs="path",
        ),
        # What the session was told of one in the background: shown where its own file is nowhere, counted never.
        Half(
            "max",
            (*_terms("reported_tokens"), *_last_place("reported_")),
            {
                "reported_tokens": "BIGINT",
                "reported_ts": "TIMESTAMP",
                "reported_path": "VARCHAR",
                "reported_pos": "BIGINT",
                "reported_ms": "BIGINT",
                "reported_status": "VARCHAR",
                "reported_call_id": "VARCHAR",
                "reported_usd": "DOUBLE",
                "report_tokens": "BIGINT",
            },
            needs="reported_tokens",
        ),
    ),
)

EVENTS = Fact(
    "events",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "kind": "VARCHAR",
                "text": "VARCHAR",
                "amount": "BIGINT",
                # Of a compaction: what is left of `amount`, and whether it came by itself.
                "tokens_after": "BIGINT",
                "cause": "VARCHAR",
                # Of an error: whether it tells that a plan's limit was hit, and until when; see Notice.resets.
                "is_limit": "BOOLEAN",
                "resets": "VARCHAR",
            },
            rivals="rivals",
        ),
    ),
)

ACCESSES = Fact(
    "accesses",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "seen_in": "VARCHAR",
                "call_id": "VARCHAR",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "workspace": "VARCHAR",
                "action": "VARCHAR",
                "resource": "VARCHAR",
                "command": "VARCHAR",
                "sql": "VARCHAR",
                "tables_read": "VARCHAR[]",
                "tables_written": "VARCHAR[]",
                "statement": "VARCHAR",
                "dialect": "VARCHAR",
                "client_kind": "VARCHAR",
                "result": "VARCHAR",
                "error": "VARCHAR",
                "duration_ms": "BIGINT",
                "rows_returned": "BIGINT",
                "bytes_scanned": "BIGINT",
            },
            rivals="rivals",
        ),
    ),
)

SYNC_ACTIONS = Fact(
    "sync_actions",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "action": "VARCHAR",
                "resource": "VARCHAR",
                "source": "VARCHAR",
                "result": "VARCHAR",
                "detail": "VARCHAR",
                "workspace": "VARCHAR",
                **_WHOSE,
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                "call_id": "VARCHAR",
                "duration_ms": "BIGINT",
                "tables": "BIGINT",
                "sessions": "BIGINT",
            },
            rivals="rivals",
        ),
    ),
)

# What a tool call, its result or a reminder says of one task of a to-do list; `queries/tasks.py` adds it up. The id of
# a task that a call makes, and that an update came to nothing, is told by the result, which may be elsewhere.
TASK_CHANGES = Fact(
    "task_changes",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "subagent_id": "VARCHAR",
                "call_id": "VARCHAR",
                # What is told: `ingest/tasks.py` has the words.
                "form": "VARCHAR",
                # Which one of how many that are told at once; a list without tasks has one row, which is none of 0.
                "number": "BIGINT",
                "of": "BIGINT",
                "task_id": "VARCHAR",
                "subject": "VARCHAR",
                "status": "VARCHAR",
                "owner": "VARCHAR",
                "blocked_by": "VARCHAR[]",
                "blocks": "VARCHAR[]",
            },
            needs="form",
            rivals="rivals",
        ),
        Half(
            "min",
            _terms("result_path", "result_pos"),
            {
                "result_path": "VARCHAR",
                "result_pos": "BIGINT",
                "given_id": "VARCHAR",
                "undone": "BOOLEAN",
            },
            needs="result_path",
        ),
    ),
)

# Work that a shell script hands to another AI. How it ended is what its tool call says.
EXTERNAL_RUNS = Fact(
    "external_runs",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "call_id": "VARCHAR",
                "program": "VARCHAR",
                "task": "VARCHAR",
                # Whether nothing in the task is left for the shell to fill in.
                "is_certain": "BOOLEAN",
                # Where it runs: relative ones are so from the session's folder; NULL: nobody knows.
                "folder": "VARCHAR",
                "is_remote": "BOOLEAN",
            },
            rivals="rivals",
        ),
    ),
)

# How something in the background ended, as its session is told: a sub-agent, each time it stops, or a shell command.
BACKGROUND_ENDS = Fact(
    "background_ends",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _ORIGINAL,
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                "is_copy": "BOOLEAN",
                "copy_signs": "UTINYINT",
                "session_id": "VARCHAR",
                "named_session_id": "VARCHAR",
                "home_session_id": "VARCHAR",
                **_WHOSE,
                "task_id": "VARCHAR",
                "call_id": "VARCHAR",
                "status": "VARCHAR",
                # All that a sub-agent took so far.
                "tokens": "BIGINT",
                "duration_ms": "BIGINT",
            },
            rivals="rivals",
        ),
    ),
)

# How much of a plan's limit was used at a moment, as the agent was told by its service. Nothing is counted from it.
LIMIT_SAMPLES = Fact(
    "limit_samples",
    key={"id": "VARCHAR"},
    halves=(
        Half(
            "min",
            _place(),
            {
                "ts": "TIMESTAMP",
                "path": "VARCHAR",
                "pos": "BIGINT",
                **_WHOSE,
                "account": "VARCHAR",
                # Which of an account's limits, where it has several of the same length.
                "limit_id": "VARCHAR",
                # five_hour, seven_day, minutes_N, or as the service calls it.
                "span": "VARCHAR",
                "used_percentage": "DOUBLE",
                "resets_at": "TIMESTAMP",
            },
        ),
    ),
)

FACTS: tuple[Fact, ...] = (
    RESPONSES,
    TOOL_CALLS,
    PROMPTS,
    SESSION_FIRSTS,
    SESSION_LASTS,
    WORKTREES,
    STRAYS,
    OWN_TOTALS,
    SUMMARIES,
    AGENTS,
    EVENTS,
    ACCESSES,
    SYNC_ACTIONS,
    TASK_CHANGES,
    EXTERNAL_RUNS,
    BACKGROUND_ENDS,
    LIMIT_SAMPLES,
)
