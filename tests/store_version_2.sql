-- The tables of version 2 of the store, and a few rows: a session of Claude Code with a sub-agent, whose files are gone,
-- one on an Agnes server, and a workspace.
CREATE TABLE responses (key VARCHAR, embedded BOOLEAN, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN,
    session_id VARCHAR, username VARCHAR, agent_id VARCHAR, agent_name VARCHAR, is_sidechain BOOLEAN, model VARCHAR,
    version VARCHAR, git_branch VARCHAR, requested_at TIMESTAMP, prompt_id VARCHAR, usage_embedded BOOLEAN,
    output_tokens BIGINT, total_tokens BIGINT, usage_ts TIMESTAMP, usage_path VARCHAR, usage_pos BIGINT, input_tokens
    BIGINT, cache_read_tokens BIGINT, cache_write_5m_tokens BIGINT, cache_write_1h_tokens BIGINT, web_searches BIGINT,
    speed VARCHAR, service_tier VARCHAR, stop_reason VARCHAR, logged_cost_usd DOUBLE, ended_at TIMESTAMP, is_api_error
    BOOLEAN, shown_bytes BIGINT, output_undercounted BOOLEAN, cost_usd DOUBLE);
CREATE TABLE tool_calls (id VARCHAR, embedded BOOLEAN, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN,
    session_id VARCHAR, username VARCHAR, agent_id VARCHAR, is_sidechain BOOLEAN, name VARCHAR, class VARCHAR,
    subagent_type VARCHAR, skill VARCHAR, detail VARCHAR, response_key VARCHAR, prompt_id VARCHAR, result_embedded
    BOOLEAN, result_is_copy BOOLEAN, is_error BOOLEAN, result_ts TIMESTAMP, result_path VARCHAR, result_pos BIGINT,
    result_session_id VARCHAR, denial VARCHAR, error_text VARCHAR, result_bytes BIGINT, result_rows BIGINT,
    spawned_agent_id VARCHAR, spawned_status VARCHAR, spawned_tokens BIGINT, spawned_ms BIGINT, report_chars BIGINT);
CREATE TABLE prompts (id VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN, session_id VARCHAR,
    username VARCHAR, kind VARCHAR, command VARCHAR, text VARCHAR);
CREATE TABLE session_firsts (session_id VARCHAR, kind VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, value VARCHAR);
CREATE TABLE session_lasts (session_id VARCHAR, kind VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, value VARCHAR);
CREATE TABLE summaries (leaf_uuid VARCHAR, path VARCHAR, pos BIGINT, summary VARCHAR);
CREATE TABLE agents (agent_id VARCHAR, path VARCHAR, agent_type VARCHAR, description VARCHAR, tool_use_id VARCHAR);
CREATE TABLE events (id VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN, session_id VARCHAR, kind
    VARCHAR, text VARCHAR, amount BIGINT);
CREATE TABLE accesses (id VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN, seen_in VARCHAR, call_id
    VARCHAR, session_id VARCHAR, username VARCHAR, workspace VARCHAR, action VARCHAR, resource VARCHAR, command
    VARCHAR, sql VARCHAR, tables_read VARCHAR[], tables_written VARCHAR[], statement VARCHAR, dialect VARCHAR,
    client_kind VARCHAR, result VARCHAR, error VARCHAR, duration_ms BIGINT, rows_returned BIGINT, bytes_scanned
    BIGINT);
CREATE TABLE sync_actions (id VARCHAR, ts TIMESTAMP, path VARCHAR, pos BIGINT, is_copy BOOLEAN, action VARCHAR,
    resource VARCHAR, source VARCHAR, result VARCHAR, detail VARCHAR, workspace VARCHAR, username VARCHAR, session_id
    VARCHAR, call_id VARCHAR, duration_ms BIGINT, tables BIGINT, sessions BIGINT);
CREATE TABLE activity (session_id VARCHAR, started_at TIMESTAMP, ended_at TIMESTAMP);
CREATE TABLE files (path VARCHAR, source VARCHAR, root VARCHAR, username VARCHAR, session_id VARCHAR, is_main BOOLEAN,
    device BIGINT, inode UBIGINT, size BIGINT, mtime_ns BIGINT, read_to BIGINT, head VARCHAR, tail VARCHAR, state
    VARCHAR, parser INTEGER, read_at TIMESTAMP, gone_at TIMESTAMP, error VARCHAR);
CREATE TABLE rejects (path VARCHAR, pos BIGINT, length BIGINT, reason VARCHAR, seen_at TIMESTAMP);
CREATE TABLE unknowns (path VARCHAR, pos BIGINT, what VARCHAR, count BIGINT);
CREATE TABLE rates (model VARCHAR, speed VARCHAR, tier VARCHAR, valid_from DATE, valid_to DATE, above BIGINT, input
    DOUBLE, output DOUBLE, cache_read DOUBLE, cache_write_5m DOUBLE, cache_write_1h DOUBLE, web_search DOUBLE,
    context_window BIGINT);
CREATE TABLE models (model VARCHAR, priced BOOLEAN, context_window BIGINT);
CREATE TABLE zones (zone VARCHAR, asked_at TIMESTAMP);
CREATE TABLE meta (name VARCHAR, value VARCHAR);
CREATE TABLE forgotten (session_id VARCHAR, before TIMESTAMP, noted_at TIMESTAMP);
CREATE TABLE workspaces (workspace VARCHAR, last_sync TIMESTAMP, server VARCHAR, seen_at TIMESTAMP);
CREATE TABLE accounts (workspace VARCHAR, server VARCHAR, token_expires_at TIMESTAMP);
CREATE TABLE sync_tables (workspace VARCHAR, table_id VARCHAR, row_count BIGINT, size_bytes BIGINT, parts BIGINT,
    changed_at TIMESTAMP);
CREATE TABLE uploads (workspace VARCHAR, session_id VARCHAR, status VARCHAR, ts TIMESTAMP, size BIGINT, http_status
    VARCHAR, path VARCHAR);
CREATE TABLE sessions (session_id VARCHAR, username VARCHAR, project VARCHAR, cwd VARCHAR, title VARCHAR, git_branch
    VARCHAR, version VARCHAR, started_at TIMESTAMP, ended_at TIMESTAMP, active_seconds DOUBLE, wall_seconds DOUBLE,
    user_messages BIGINT, assistant_messages BIGINT, tool_calls BIGINT, mcp_calls BIGINT, subagent_dispatches BIGINT,
    tool_calls_total BIGINT, tool_errors BIGINT, denied BIGINT, skill_invocations BIGINT, slash_commands BIGINT,
    distinct_tools BIGINT, distinct_skills BIGINT, input_tokens BIGINT, output_tokens BIGINT, cache_read_tokens
    BIGINT, cache_write_5m_tokens BIGINT, cache_write_1h_tokens BIGINT, web_searches BIGINT, cost_usd DOUBLE,
    unpriced_tokens BIGINT, undercounted BIGINT, primary_model VARCHAR, context_tokens BIGINT, context_model VARCHAR);
CREATE TABLE tokens_daily (zone VARCHAR, day DATE, session_id VARCHAR, username VARCHAR, project VARCHAR, model
    VARCHAR, agent_type VARCHAR, speed VARCHAR, service_tier VARCHAR, responses BIGINT, input_tokens BIGINT,
    output_tokens BIGINT, cache_read_tokens BIGINT, cache_write_5m_tokens BIGINT, cache_write_1h_tokens BIGINT,
    web_searches BIGINT, cost_usd DOUBLE, unpriced_tokens BIGINT, undercounted BIGINT);
CREATE TABLE tools_daily (zone VARCHAR, day DATE, session_id VARCHAR, username VARCHAR, project VARCHAR, tool VARCHAR,
    class VARCHAR, mcp_server VARCHAR, invocations BIGINT, errors BIGINT, denied BIGINT, finished BIGINT);
CREATE TABLE extensions_daily (zone VARCHAR, day DATE, session_id VARCHAR, username VARCHAR, project VARCHAR, source
    VARCHAR, type VARCHAR, plugin VARCHAR, name VARCHAR, invocations BIGINT, errors BIGINT);

INSERT INTO meta VALUES ('store_version', '2');
INSERT INTO zones VALUES ('UTC', '2026-03-10 09:00:00'), ('Asia/Tokyo', '2026-03-10 09:00:00');
INSERT INTO files (path, source, root, username, session_id, is_main, size, read_to, parser, state, gone_at) VALUES
    ('/gone/s1.jsonl', 'claude', '/gone', NULL, 's1', true, 100, 100, 1, '{}', '2026-03-11 00:00:00'),
    ('/gone/agent-a1.meta.json', 'claude', '/gone', NULL, 's1', false, 10, 10, 1, '{}', '2026-03-11 00:00:00'),
    ('/server/ann/s2.jsonl', 'agnes', '/server', 'ann', 's2', true, 100, 100, 1, '{}', '2026-03-11 00:00:00');
INSERT INTO responses (key, embedded, ts, path, pos, is_copy, session_id, username, agent_id, is_sidechain, model,
    output_tokens, total_tokens, usage_path, usage_pos, input_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, web_searches, speed, service_tier, stop_reason, output_undercounted, cost_usd) VALUES
    ('m1', false, '2026-03-10 20:00:00', '/gone/s1.jsonl', 1, false, 's1', NULL, NULL, false, 'claude-opus-4-6',
        20, 35, '/gone/s1.jsonl', 1, 10, 5, 0, 0, 0, 'standard', 'standard', 'end_turn', false, 0.5),
    ('m1:advisor:0', false, '2026-03-10 20:00:00', '/gone/s1.jsonl', 1, false, 's1', NULL, NULL, false, 'claude-haiku-4-5',
        1, 2, '/gone/s1.jsonl', 1, 1, 0, 0, 0, 0, 'standard', 'standard', 'advisor', false, 0.1),
    ('m2', false, '2026-03-10 20:01:00', '/gone/s1.jsonl', 2, false, 's1', NULL, 'a1', true, 'claude-opus-4-6',
        3, 3, '/gone/s1.jsonl', 2, 0, 0, 0, 0, 0, 'standard', 'standard', NULL, true, NULL),
    ('m3', false, '2026-03-10 21:00:00', '/server/ann/s2.jsonl', 1, false, 's2', 'ann', NULL, false, 'claude-opus-4-6',
        7, 7, '/server/ann/s2.jsonl', 1, 0, 0, 0, 0, 0, 'standard', 'standard', 'end_turn', false, 0.2);
INSERT INTO tool_calls (id, embedded, ts, path, pos, is_copy, session_id, is_sidechain, name, class, subagent_type, skill,
    result_embedded, result_is_copy, is_error, result_ts, result_path, result_pos, result_session_id) VALUES
    ('c1', false, '2026-03-10 20:00:00', '/gone/s1.jsonl', 1, false, 's1', false, 'mcp__shop__query', 'mcp_call', NULL, NULL,
        false, false, true, '2026-03-10 20:00:05', '/gone/s1.jsonl', 2, 's1'),
    ('c2', false, '2026-03-10 20:00:10', '/gone/s1.jsonl', 3, false, 's1', false, 'Task', 'subagent', 'Explore', NULL,
        false, false, false, '2026-03-10 20:02:00', '/gone/s1.jsonl', 4, 's1');
INSERT INTO prompts VALUES
    ('p1', '2026-03-10 19:59:00', '/gone/s1.jsonl', 0, false, 's1', NULL, 'prompt', NULL, 'count the orders'),
    ('p2', '2026-03-10 20:30:00', '/gone/s1.jsonl', 9, false, 's1', NULL, 'command', 'clear', NULL);
INSERT INTO session_firsts VALUES ('s1', 'project', '2026-03-10 19:59:00', '/gone/s1.jsonl', 0, '/home/dana/shop');
INSERT INTO session_lasts VALUES ('s1', 'custom_title', '2026-03-10 19:59:00', '/gone/s1.jsonl', 0, 'Orders');
INSERT INTO agents VALUES ('a1', '/gone/agent-a1.meta.json', 'Explore', 'look around', 'c2');
INSERT INTO events VALUES ('e1', '2026-03-10 20:02:00', '/gone/s1.jsonl', 5, false, 's1', 'compact', NULL, NULL);
INSERT INTO accesses (id, ts, path, pos, is_copy, seen_in, session_id, action) VALUES
    ('c1:0', '2026-03-10 20:00:00', '/gone/s1.jsonl', 1, false, 'transcript', 's1', 'query.local'),
    ('w1', '2026-03-10 20:00:00', '/shop/user/snapshots/a.meta.json', 0, false, 'workspace', NULL, 'snapshot.create');
INSERT INTO sync_actions (id, ts, path, pos, is_copy, action, source, session_id) VALUES
    ('call:c1', '2026-03-10 20:00:00', '/gone/s1.jsonl', 1, false, 'pull', 'transcript', 's1'),
    ('w2', '2026-03-10 20:00:00', '/shop/.claude/agnes/update.log', 0, false, 'sync', 'workspace', NULL);
INSERT INTO activity VALUES ('s1', '2026-03-10 19:59:00', '2026-03-10 20:02:00'), ('s2', '2026-03-10 21:00:00', '2026-03-10 21:00:00');
INSERT INTO sessions (session_id, username, project, title, started_at, ended_at, input_tokens, output_tokens, cost_usd)
    VALUES ('s1', NULL, '/home/dana/shop', 'Orders', '2026-03-10 19:59:00', '2026-03-10 20:02:00', 11, 24, 0.6),
    ('s2', 'ann', NULL, NULL, '2026-03-10 21:00:00', '2026-03-10 21:00:00', 0, 7, 0.2);
INSERT INTO tokens_daily (zone, day, session_id, model, agent_type, responses, output_tokens) VALUES
    ('UTC', '2026-03-10', 's1', 'claude-opus-4-6', 'main', 1, 20), ('UTC', '2026-03-10', 's1', 'claude-haiku-4-5', 'main', 1, 1),
    ('UTC', '2026-03-10', 's1', 'claude-opus-4-6', 'Explore', 1, 3), ('UTC', '2026-03-10', 's2', 'claude-opus-4-6', 'main', 1, 7),
    ('Asia/Tokyo', '2026-03-11', 's1', 'claude-opus-4-6', 'main', 1, 20);
