"""Queries to start from. They obey the filters, and show how any table does that has sessions or days."""

from __future__ import annotations

EXAMPLES = {
    "Cost by day": """\
SELECT day, round(sum(cost_usd), 2) AS cost_usd, sum(output_tokens)::BIGINT AS output_tokens
FROM tokens_daily
WHERE {{filters}}
GROUP BY day
ORDER BY day""",
    "Cost by project and model": """\
SELECT project, model, round(sum(cost_usd), 2) AS cost_usd, count(DISTINCT session_id) AS sessions
FROM tokens_daily
WHERE {{filters}}
GROUP BY ALL
ORDER BY cost_usd DESC NULLS LAST""",
    "Longest sessions": """\
SELECT title, round(active_seconds / 60) AS minutes, user_messages AS prompts, tool_calls, tool_errors, cost_usd
FROM sessions
WHERE session_id IN (SELECT session_id FROM tokens_daily WHERE {{filters}})
ORDER BY active_seconds DESC
LIMIT 50""",
    "Tools that fail most": """\
SELECT name AS tool, count(*) FILTER (is_error) AS errors, count(*) AS calls,
  round(100 * errors / calls, 1) AS percent
FROM tool_calls
WHERE session_id IN (SELECT session_id FROM tokens_daily WHERE {{filters}})
GROUP BY name
HAVING errors > 0
ORDER BY errors DESC""",
    "Tables read most": """\
SELECT name, count(*) AS reads, max(ts) AS last_read
FROM accesses, unnest(tables_read) AS t(name)
WHERE session_id IN (SELECT session_id FROM tokens_daily WHERE {{filters}})
GROUP BY ALL
ORDER BY reads DESC""",
    "Tokens by hour of the day": """\
SELECT hour(ts) AS hour_utc, sum(total_tokens)::BIGINT AS tokens
FROM responses
WHERE session_id IN (SELECT session_id FROM tokens_daily WHERE {{filters}})
GROUP BY ALL
ORDER BY hour_utc""",
    "Columns of a table": """\
DESCRIBE sessions""",
}
"""Name -> query."""
