"""What a scenario is: in go the lines of a few files, out come numbers.

All scenarios share a store, because making one takes long. So that they do not meet there, their files lie in a folder
each, and ids of the forms used here (`s1`, `u1`, `t1`, `a1`, `msg_…`, `gen-…`, `req…`) get the scenario's name added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agnes_stats.tests.counting.rows import Line, content

MAIN, OTHER = "s1.jsonl", "s2.jsonl"
"""The usual files: of session s1, and of session s2."""

WITHOUT_SESSION = "without-session"
"""The one scenario whose rows belong to no session."""

_ID = re.compile(rb'"(msg_\w*|gen-\w+|req(?:_\w+)?|row-\d+|[suta]\d)"')
_ID_IN_NAME = re.compile(r"\b[sa]\d\b")

_COUNTS = (
    *("responses", "inp", "out", "read", "w5", "w1h", "undercounted", "rejects", "unknown", "api_errors"),
    *("prompts", "commands", "calls", "mcp", "dispatches", "skills", "errors", "denied"),
)
NOTHING = dict.fromkeys(_COUNTS, 0) | {"sessions": 1}
"""What a scenario expects of the numbers it does not name."""


@dataclass(frozen=True)
class Scenario:
    """Lines in, numbers out."""

    name: str
    rule: str
    lines: Mapping[str, bytes]
    counts: Mapping[str, int]
    also: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    """Names of VIEWS -> the answer."""

    @property
    def files(self) -> dict[str, bytes]:
        """Path below a project's folder -> content, with ids that no other scenario has."""
        mark = f".{self.name}"
        return {
            f"{self.name}/{_ID_IN_NAME.sub(lambda found: found[0] + mark, name)}": _ID.sub(
                lambda found: b'"' + found[1] + mark.encode() + b'"', data
            )
            for name, data in self.lines.items()
        }


def case(
    name: str,
    rule: str,
    files: Mapping[str, list[Line] | bytes] | list[Line] | bytes,
    also: Mapping[str, Mapping[Any, Any]] | None = None,
    **counts: int,
) -> Scenario:
    """A scenario; lines without a file's name are those of `MAIN`, numbers that are not named are as in NOTHING."""
    named = files if isinstance(files, Mapping) else {MAIN: files}
    lines = {file: content(lines) for file, lines in named.items()}
    assert not counts.keys() - NOTHING.keys() and not (also or {}).keys() - VIEWS.keys(), name
    return Scenario(name, rule, lines, NOTHING | counts, also or {})


# -- what is asked of the store: the first column is the scenario ------------------------------------------------

_BY_SESSION = f"coalesce(split_part(session_id, '.', 2), '{WITHOUT_SESSION}')"
_BY_PATH = "regexp_extract(path, '/projects/([^/]+)/', 1)"
_SESSION = "split_part(session_id, '.', 1)"


def _daily(name: str, value: str, table: str = "tokens_daily") -> str:
    return f"SELECT {_BY_SESSION}, {name}, sum({value})::BIGINT FROM {table} GROUP BY ALL"


def _counted(name: str, rows: str) -> str:
    return f"SELECT {_BY_PATH}, {name}, count(*) FROM {rows} GROUP BY ALL"


def _session(column: str) -> str:
    return f"SELECT {_BY_SESSION}, {_SESSION}, {column} FROM sessions"


COUNTS = (
    f"""SELECT {_BY_SESSION}, sum(responses) AS responses, sum(input_tokens) AS inp, sum(output_tokens) AS out,
        sum(cache_read_tokens) AS read, sum(cache_write_5m_tokens) AS w5, sum(cache_write_1h_tokens) AS w1h,
        sum(undercounted) AS undercounted FROM tokens_daily GROUP BY ALL""",
    f"""SELECT {_BY_SESSION}, count(*) AS sessions, sum(user_messages) AS prompts, sum(slash_commands) AS commands,
        sum(tool_calls_total) AS calls, sum(mcp_calls) AS mcp, sum(subagent_dispatches) AS dispatches,
        sum(skill_invocations) AS skills, sum(tool_errors) AS errors, sum(denied) AS denied
        FROM sessions GROUP BY ALL""",
    f"SELECT {_BY_PATH}, count(*) AS rejects FROM rejects GROUP BY ALL",
    f"SELECT {_BY_PATH}, sum(count) AS unknown FROM unknowns GROUP BY ALL",
    f"SELECT {_BY_PATH}, count(*) AS api_errors FROM events WHERE kind = 'api_error' GROUP BY ALL",
)

VIEWS = {
    "responses by session": _counted(_SESSION, "responses"),
    "responses in side chains": _counted("is_sidechain", "responses"),
    "kinds": _counted("kind", "responses"),
    "output by session": _daily(_SESSION, "output_tokens"),
    "output by day": _daily("coalesce(day::VARCHAR, 'none')", "output_tokens"),
    "output by model": _daily("model", "output_tokens"),
    "output by speed": _daily("speed || ' ' || service_tier", "output_tokens"),
    "responses by agent type": _daily("subagent_type", "responses"),
    "undercounted by day": _daily("day::VARCHAR", "undercounted"),
    "calls by tool": _daily("tool", "invocations", "tools_daily"),
    "calls by class": _daily("class", "invocations", "tools_daily"),
    "calls by day": _daily("coalesce(day::VARCHAR, 'none')", "invocations", "tools_daily"),
    "finished by tool": _daily("tool", "finished", "tools_daily"),
    "errors by tool": _daily("tool", "errors", "tools_daily"),
    "errors by session": _session("tool_errors"),
    "calls by session": _counted(_SESSION, "tool_calls"),
    "prompts by session": _counted(_SESSION, "prompts WHERE kind = 'prompt'"),
    "prompt sources": _counted("coalesce(source, 'not told')", "prompts WHERE kind = 'prompt'"),
    "prompt of response": f"SELECT {_BY_PATH}, split_part(key, '.', 1), split_part(prompt_id, '.', 1) FROM responses",
    "prompt texts": f"SELECT {_BY_PATH}, text, {_SESSION} FROM prompts WHERE kind = 'prompt'",
    "commands by name": _counted("command", "prompts WHERE kind = 'command'"),
    "extensions": f"SELECT {_BY_SESSION}, type || ' ' || concat_ws(':', plugin, name), source FROM extensions_daily",
    "title": _session("title"),
    "project": _session("project"),
    "primary model": _session("primary_model"),
    "own total": f"SELECT {_BY_SESSION}, {_SESSION} || ' ' || model, total_tokens FROM own_totals WHERE model <> ''",
    "own cost": f"SELECT {_BY_SESSION}, {_SESSION}, cost_usd FROM own_totals WHERE model = ''",
    "active seconds": _session("active_seconds"),
    "wall seconds": _session("wall_seconds"),
    "web searches": _session("web_searches"),
    "logged cost": f"SELECT {_BY_PATH}, split_part(key, '.', 1), logged_cost_usd FROM responses",
    "times": f"SELECT {_BY_PATH}, split_part(key, '.', 1), strftime(ts, '%H:%M') FROM responses",
    "sub-agents": f"SELECT {_BY_PATH}, split_part(spawned_subagent_id, '.', 1), spawned_tokens FROM tool_calls "
    "WHERE spawned_subagent_id IS NOT NULL",
    "agents in the background": "SELECT regexp_extract(reported_path, '/projects/([^/]+)/', 1), "
    "subagent_id, reported_tokens FROM subagents WHERE reported_tokens IS NOT NULL",
    "compactions": f"SELECT {_BY_PATH}, split_part(id, '.', 1), concat_ws(' ', cause, amount, tokens_after) "
    "FROM events WHERE kind = 'compact'",
    "kept": f"SELECT {_BY_PATH}, split_part(key, '.', 1), concat_ws(', ', effort, reasoning_tokens, attributed_plugin, "
    "attributed_skill, attributed_mcp_server, attributed_mcp_tool, cache_miss_reason, cache_missed_tokens) "
    "FROM responses",
    "unknown": f"SELECT {_BY_PATH}, what, sum(count)::BIGINT FROM unknowns GROUP BY ALL",
    "rejects": f"SELECT {_BY_PATH}, split_part(reason, ':', 1), count(*) FROM rejects GROUP BY ALL",
}
"""Further questions a scenario may answer -> the SQL of it: scenario, name, value."""
