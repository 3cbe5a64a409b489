"""What matches a filter, in plain Python over the facts: the same questions without SQL, rollups or haste."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from agnes_stats.ingest.formats.claude.builtins import BUILTIN_NAMES
from agnes_stats.queries.filters import Filter

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

Row = dict[str, Any]

GIVES_WORK = ("init", "pr-comments", "review", "security-review", "statusline")
SETTINGS = frozenset(BUILTIN_NAMES) - frozenset(GIVES_WORK)
"""Slash commands that do not begin a turn."""

KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


class Facts:
    """All facts of a store as lists of rows, and what has to be known to place them."""

    def __init__(self, connection: Reader) -> None:
        def table(name: str) -> list[Row]:
            answer = connection.execute(f"FROM {name}")
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]

        self.responses = table("responses")
        self.calls = table("tool_calls")
        self.prompts = table("prompts")
        self.accesses = table("accesses")
        self.sessions = {row["session_id"]: row for row in table("sessions")}
        self.agents = {row["subagent_id"]: row for row in table("subagents")}
        self.files = table("files")
        self.response = {row["key"]: row for row in self.responses}
        self.call = {row["id"]: row for row in self.calls}

    def session(self, row: Row) -> Row:
        return self.sessions.get(row["session_id"], {})

    # -- sub-agents

    @cached_property
    def _types(self) -> dict[str, str]:
        noted: dict[str, list[str]] = defaultdict(list)
        called: dict[str, list[str]] = defaultdict(list)
        for agent, note in self.agents.items():
            if note["subagent_type"]:
                noted[agent].append(note["subagent_type"])
            call = self.call.get(note["tool_use_id"])
            if call and (kind := call["subagent_type"] or call["name"]):
                called[agent].append(kind)
        for call in self.calls:
            if call["spawned_subagent_id"] and (kind := call["subagent_type"] or call["name"]):
                called[call["spawned_subagent_id"]].append(kind)
        return {agent: min(noted.get(agent) or called[agent]) for agent in {*noted, *called}}

    def subagent_type(self, row: Row) -> str:
        if row["subagent_id"] is None and not row["is_sidechain"]:
            return "main"
        return self._types.get(row["subagent_id"]) or row.get("subagent_name") or "subagent"

    @staticmethod
    def thread(row: Row) -> str | None:
        return row["subagent_id"] if row["subagent_id"] is not None else "" if row["is_sidechain"] else None

    def _call_of(self, session: str, agent: str) -> Row | None:
        """The call that started a sub-agent of a session."""
        note = self.agents.get(agent)
        named = self.call.get(note["tool_use_id"]) if note else None
        if named and named["name"] and named["session_id"] == session:
            return named
        started = [
            call
            for call in self.calls
            if call["name"] and call["session_id"] == session and call["spawned_subagent_id"] == agent
        ]
        return min(started, key=lambda call: (call["ts"] or dt.datetime.max, call["pos"]), default=None)

    def root_at(self, session: str, agent: str) -> dt.datetime | None:
        """When the outermost call above a sub-agent was made."""
        seen, found = set(), None
        thread: str | None = agent
        while thread is not None and thread not in seen:
            seen.add(thread)
            call = self._call_of(session, thread)
            own = [
                row["ts"]
                for row in (*self.responses, *self.calls)
                if row["session_id"] == session and self.thread(row) == thread and row["ts"]
            ]
            found = (call["ts"] if call else None) or min(own, default=None)
            parent = self.thread(call) if call else None
            is_known = any(self.thread(row) == parent for row in self.responses if row["session_id"] == session)
            is_known |= any(
                self.thread(row) == parent for row in self.calls if row["session_id"] == session and row["name"]
            )
            is_known |= any(
                row["spawned_subagent_id"] == parent
                for row in self.calls
                if row["session_id"] == session and row["name"]
            )
            thread = parent if is_known else None
        return found

    # -- turns

    @cached_property
    def _starts(self) -> dict[str, list[tuple[dt.datetime, str]]]:
        begun: dict[tuple[str, dt.datetime], Row] = {}
        for row in sorted(self.prompts, key=lambda row: (row["path"], row["pos"])):
            if row["ts"] and row["session_id"] and (row["kind"] == "prompt" or row["command"] not in SETTINGS):
                begun[row["session_id"], row["ts"]] = row
        found: dict[str, list[tuple[dt.datetime, str]]] = defaultdict(list)
        for (session, ts), row in sorted(begun.items(), key=lambda item: item[0]):
            found[session].append((ts, row["id"]))
        return found

    @cached_property
    def turns(self) -> dict[str, list[Row]]:
        """Prompt or command -> the responses of its turn, those of sub-agents included."""
        roots: dict[tuple[str, str], dt.datetime | None] = {}
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.responses:
            session, thread = row["session_id"], self.thread(row)
            if session is None:
                continue
            placed = row["ts"] or dt.datetime.min
            if thread is not None:
                if (session, thread) not in roots:
                    roots[session, thread] = self.root_at(session, thread)
                placed = roots[session, thread] or placed
            before = [turn for ts, turn in self._starts[session] if ts <= placed]
            if before:
                found[before[-1]].append(row)
        return found


_ANYTHING = ("assistant_messages", "tool_calls_total", "user_messages", "slash_commands", "tool_errors")
"""A session is listed if any of these is not 0."""


@dataclass
class Sums:
    """What a selection of responses adds up to."""

    responses: int
    tokens: dict[str, int]
    total: int
    cost: float | None
    unpriced: int
    undercounted: int
    sessions: int


def sums(rows: Iterable[Row]) -> Sums:
    found = list(rows)
    costs = [row["cost_usd"] for row in found if row["cost_usd"] is not None]
    return Sums(
        responses=sum(row["is_answer"] for row in found),
        tokens={kind: sum(row[kind] for row in found) for kind in KINDS},
        total=sum(row[kind] for row in found for kind in KINDS),
        cost=sum(costs) if costs else None,
        unpriced=sum(row[kind] for row in found if row["cost_usd"] is None for kind in KINDS),
        undercounted=sum(row["output_undercounted"] for row in found),
        sessions=len({row["session_id"] for row in found} - {None}),
    )


class Naive:
    """The answers under one filter."""

    def __init__(self, facts: Facts, chosen: Filter) -> None:
        self.facts = facts
        self.chosen = chosen
        self.zone = ZoneInfo(chosen.zone)

    # -- what matches

    def day(self, ts: dt.datetime | None) -> dt.date | None:
        return None if ts is None else ts.replace(tzinfo=dt.UTC).astimezone(self.zone).date()

    def in_days(self, ts: dt.datetime | None) -> bool:
        since, until, day = self.chosen.since, self.chosen.until, self.day(ts)
        if since is None and until is None:
            return True
        return day is not None and (since is None or day >= since) and (until is None or day <= until)

    def _of_session(self, row: Row, project: str | None, words: Iterable[Any]) -> bool:
        chosen, session = self.chosen, self.facts.session(row)
        if chosen.project is not None and not (
            project == chosen.project or (project or "").endswith(f"/{chosen.project}")
        ):
            return False
        if chosen.session_id is not None and row["session_id"] != chosen.session_id:
            return False
        if chosen.user is not None and (session.get("username") or row.get("username")) != chosen.user:
            return False
        if chosen.agent is not None and (row.get("agent") or session.get("agent")) != chosen.agent:
            return False
        return chosen.text.lower() in " ".join(str(word) for word in words if word is not None).lower()

    def session_matches(self, row: Row) -> bool:
        """Whether the session of a row is one that the fields about sessions leave."""
        session = self.facts.session(row)
        named = ("title", "project", "primary_model", "session_id", "git_branch")
        if self.chosen.text and not session:
            return False
        return self._of_session(row, session.get("project"), [session.get(name) for name in named])

    def by_response(self, row: Row | None, caller: Row | None = None) -> bool:
        """Whether a response, or a call without one, passes the fields that only responses know."""
        chosen, known = self.chosen, row or {}
        wanted = {"model": chosen.model, "git_branch": chosen.branch, "version": chosen.version}
        if any(value is not None and known.get(name) != value for name, value in wanted.items()):
            return False
        if chosen.subagent_type is None:
            return True
        who = row or (caller if caller and caller["name"] else None)
        return who is not None and self.facts.subagent_type(who) == chosen.subagent_type

    @property
    def asks_responses(self) -> bool:
        return any((self.chosen.model, self.chosen.branch, self.chosen.version, self.chosen.subagent_type))

    @cached_property
    def responses(self) -> list[Row]:
        return [
            row
            for row in self.facts.responses
            if self.in_days(row["ts"]) and self.session_matches(row) and self.by_response(row)
        ]

    def _call_passes(self, row: Row) -> bool:
        response = self.facts.response.get(row["response_key"])
        return self.in_days(self.call_time(row)) and self.by_response(response, row)

    def call_time(self, row: Row) -> dt.datetime | None:
        response = self.facts.response.get(row["response_key"])
        times: list[dt.datetime | None] = [response["ts"] if response else None, row["ts"], row["result_ts"]]
        return next((time for time in times if time is not None), None)

    @cached_property
    def calls(self) -> list[Row]:
        """Tool calls, by the text of their session."""
        return [row for row in self.facts.calls if row["name"] and self._call_passes(row) and self.session_matches(row)]

    @cached_property
    def calls_by_own_text(self) -> list[Row]:
        named = ("name", "skill", "subagent_type", "detail", "error_text")
        return [
            row
            for row in self.facts.calls
            if row["name"]
            and self._call_passes(row)
            and self._of_session(
                row,
                self.facts.session(row).get("project"),
                [row[name] for name in named] + [self.facts.session(row).get(name) for name in ("title", "project")],
            )
        ]

    def prompt_passes(self, row: Row) -> bool:
        """By its own time, and by any response of its turn."""
        if not self.in_days(row["ts"]):
            return False
        return not self.asks_responses or any(map(self.by_response, self.facts.turns.get(row["id"], ())))

    @cached_property
    def prompts(self) -> list[Row]:
        return [row for row in self.facts.prompts if self.prompt_passes(row) and self.session_matches(row)]

    def access_passes(self, access_id: str) -> bool:
        """By its call."""
        row = next(row for row in self.facts.accesses if row["id"] == access_id)
        call = self.facts.call.get(row["call_id"])
        if call is None:
            return self.in_days(row["ts"]) and not self.asks_responses
        return self._call_passes(call)

    # -- what it adds up to

    def by(self, name: Callable[[Row], Any]) -> dict[Any, Sums]:
        groups: dict[Any, list[Row]] = defaultdict(list)
        for row in self.responses:
            groups[name(row)].append(row)
        return {key: sums(rows) for key, rows in groups.items()}

    @cached_property
    def listed(self) -> dict[str, dict[str, Any]]:
        """Session -> what matches in it, for every session that has anything that matches."""
        ids = [key for key in self.facts.sessions if self.session_matches({"session_id": key})]
        found = {}
        for key in ids:
            counts = self.counts(key)
            only_active = not self.asks_responses and not self._has_facts(key) and self._was_active(key)
            if only_active or counts["billed"] or any(counts[name] for name in _ANYTHING):
                found[key] = counts
        return found

    def _has_facts(self, key: str) -> bool:
        return any(row["session_id"] == key for row in (*self.facts.responses, *self.facts.prompts)) or any(
            (row["session_id"] == key and row["name"]) or (row["result_session_id"] == key and row["is_error"])
            for row in self.facts.calls
        )

    def _was_active(self, key: str) -> bool:
        row, chosen = self.facts.sessions[key], self.chosen
        if chosen.since is None and chosen.until is None:
            return True
        first, last = self.day(row["started_at"]), self.day(row["ended_at"])
        if first is None or last is None:
            return False
        return (chosen.since is None or last >= chosen.since) and (chosen.until is None or first <= chosen.until)

    @cached_property
    def _by_session(self) -> tuple[dict[str, list[Row]], ...]:
        """Responses, calls, errors and prompts by session, whatever the fields about sessions say."""
        alone = Naive(self.facts, self.chosen.but(project=None, agent=None, user=None, session_id=None, text=""))
        errors = [row for row in self.facts.calls if row["is_error"] and alone._call_passes(row)]
        found: tuple[dict[str, list[Row]], ...] = tuple(defaultdict(list) for _ in range(4))
        for part, rows, name in zip(
            found,
            (alone.responses, alone.calls, errors, alone.prompts),
            ("session_id", "session_id", "result_session_id", "session_id"),
            strict=True,
        ):
            for row in rows:
                part[row[name]].append(row)
        return found

    def counts(self, key: str) -> dict[str, Any]:
        """What of a session matches."""
        responses, calls, errors, prompts = (part.get(key, []) for part in self._by_session)
        used = sums(responses)
        classes = Counter(row["class"] for row in calls)
        return {
            "user_messages": sum(row["kind"] == "prompt" for row in prompts),
            "slash_commands": sum(row["kind"] == "command" for row in prompts),
            "assistant_messages": used.responses,
            "billed": len(responses),
            "tool_calls": classes["tool_use"],
            "mcp_calls": classes["mcp_call"],
            "subagent_dispatches": classes["subagent"],
            "tool_calls_total": len(calls),
            "tool_errors": len(errors),
            "denied": sum(row["denial"] is not None for row in errors),
            "skill_invocations": sum(row["skill"] is not None for row in calls),
            "distinct_tools": len({row["name"] for row in calls}),
            "distinct_skills": len({row["skill"] for row in calls} - {None}),
            **used.tokens,
            "tokens_total": used.total,
            "cost_usd": used.cost,
            "unpriced_tokens": used.unpriced,
            "undercounted": used.undercounted,
        }
