"""What is one response, which of its lines tells its tokens, and whose it is."""

from __future__ import annotations

from agnes_stats.tests.counting.rows import (
    HAIKU,
    OPUS,
    again,
    answer,
    attached,
    call,
    later,
    person,
    progress,
    result,
    row,
    said,
    usage,
)
from agnes_stats.tests.counting.table import MAIN, OTHER, case

FLAT_AGENT = "agent-a1.jsonl"
AGENT = "s1/subagents/agent-a1.jsonl"
NOTE = "s1/subagents/agent-a1.meta.json"
WORKFLOW = "s1/subagents/workflows/w1/agent-a1.jsonl"
JOURNAL = "s1/subagents/journal.jsonl"

one = answer("msg_1", "10:00", said("let me see"))
start = answer("msg_1", "10:00", said("a"), out=1, stop=None)
agents = answer("msg_2", "10:02", out=7, isSidechain=True, agentId="a1")
next_day = again(agents, timestamp="2026-03-03T10:00:00Z")
task = answer("msg_1", "10:00", call("t1", "Task", subagent_type="Explore"))
forked = again(one, sessionId="s2")
gateway = answer("gen-1", "10:00", request=None)


def relayed(at: str, inp: int, out: int, *blocks: dict[str, object], **fields: object) -> dict[str, object]:
    """A line of a relay that gives all its answers the same id."""
    return answer("gen-1", at, *blocks, inp=inp, out=out, request=None, **fields)  # type: ignore[arg-type]


def notice(agent: str, tokens: object, status: str = "running") -> str:
    """A notification of a sub-agent in the background."""
    return (
        f"<task-notification>\n<task-id>{agent}</task-id>\n<tool-use-id>t1</tool-use-id>\n<status>{status}</status>\n"
        f"<result>it said <status>no</result>\n<usage><subagent_tokens>{tokens}</subagent_tokens>"
        "<duration_ms>1200</duration_ms></usage>\n</task-notification>"
    )


def notified(agent: str, tokens: int, status: str = "running") -> dict[str, object]:
    """A user row that is such a notification."""
    return person(notice(agent, tokens, status), "10:00", origin={"kind": "task-notification"})


def part(inp: int, out: int, kind: str = "message", **fields: object) -> dict[str, object]:
    """An entry of `usage.iterations`."""
    return {"type": kind} | usage(inp, out, **fields)


declined = answer("msg_1", used=usage(12, 5, iterations=[part(10, 3, model="fable"), part(12, 5, "fallback_message")]))

# fmt: off
RESPONSES = [
    # -- lines of one response
    case("several-lines", "R1", [one, later(one), later(one)], responses=1, inp=10, out=100),
    case("placeholder-first", "R1", [start, later(start, out=5), later(start, out=100, stop_reason="end_turn")],
         responses=1, inp=10, out=100),
    case("stale-line-last", "R1", [one, later(one, "10:01", out=5)], responses=1, inp=10, out=100),
    case("line-is-taken-whole", "R1",
         [answer("msg_1", used=usage(50, 90, 900)), answer("msg_1", used=usage(10, 100, 20))], responses=1, inp=10,
         out=100, read=20),
    case("same-output-larger-total", "R1",
         [answer("msg_1", "10:00", used=usage(10, 100, 900)), answer("msg_1", "10:01", used=usage(10, 100, 20))],
         responses=1, inp=10, out=100, read=900),
    case("same-total-later-line", "R1",
         {MAIN: [answer("msg_1", "10:01", used=usage(10, 100, flat=30, w5=0, w1h=30))],
          OTHER: [answer("msg_1", "10:00", used=usage(10, 100, flat=30, w5=30, w1h=0))]}, responses=1, inp=10, out=100,
         w1h=30),
    case("calls-of-all-lines", "R1",
         [later(one, "10:00", call("t1")), later(one, "10:01", call("t2"), call("t3")),
          later(one, "10:02", call("t2"))], responses=1, inp=10, out=100, calls=3),
    case("past-midnight", "R1",
         [answer("msg_1", "2026-03-02T23:59:58Z", out=1, stop=None),
          answer("msg_1", "2026-03-03T00:00:02Z", call("t1"), out=100)], responses=1, inp=10, out=100, calls=1,
         also={"output by day": {"2026-03-02": 100}}),
    case("model-of-first-line", "R1", [one, later(one, "10:01", model=HAIKU, out=200)], responses=1, inp=10, out=200,
         also={"output by model": {OPUS: 200}}),
    # -- ids
    case("no-request-id", "R3", [answer("msg_1", at, request=None) for at in ("10:00", "10:01", "10:02")],
         responses=1, inp=10, out=100),
    case("no-request-id-copied", "R3",
         {MAIN: [answer("msg_bdrk_1", request=None)],
          OTHER: [answer("msg_bdrk_1", "10:05", request=None, sessionId="s2")]}, responses=1, inp=10, out=100,
         sessions=2, also={"responses by session": {"s1": 1}}),
    case("gateway-reuses-id", "R3, R7",
         [answer("gen-1", "10:00", request="req_1"), answer("gen-1", "10:01", request="req_2")], responses=2, inp=20,
         out=200),
    case("gateway-without-requests", "R3",
         {MAIN: [gateway, later(gateway, "10:01")], OTHER: [again(gateway, sessionId="s2")]}, responses=2, inp=20,
         out=200, sessions=2),
    case("one-id-for-all", "R3",
         [person("1", "10:01"), relayed("10:02", 100, 1), person("2", "10:03"), relayed("10:04", 100, 2),
          relayed("10:04", 100, 2, uuid="u1"), relayed("10:04", 100, 2, uuid="u1"), attached("3", "10:05"),
          relayed("10:06", 100, 3)], responses=3, inp=300, out=6, prompts=3),
    case("one-id-in-a-loop-of-tools", "R3",
         [person("1", "10:01"), relayed("10:02", 100, 1, call("t1")), result("t1", "10:03"),
          relayed("10:04", 150, 2, call("t2")), result("t2", "10:05"), relayed("10:06", 180, 4)], responses=3, inp=430,
         out=7, prompts=1, calls=2),
    case("one-id-and-tools-that-begin-early", "R3",
         [person("1", "10:01"), relayed("10:02", 100, 5, call("t1")), result("t1", "10:03"),
          relayed("10:03", 100, 7, call("t2")), result("t2", "10:04"), result("t3", "10:04"),
          relayed("10:04", 100, 9, call("t3")), relayed("10:05", 120, 2)], responses=2, inp=220, out=11, prompts=1,
         calls=3),
    case("one-id-without-usage", "R3",
         [person("1", "10:01"), relayed("10:02", 0, 0, call("t1")), result("t1", "10:03"), relayed("10:04", 0, 0),
          relayed("10:05", 0, 0)], responses=2, prompts=1, calls=1),
    case("one-id-of-several-who-answer", "R3",
         {MAIN: [person("1", "10:01"), again(person("task", "10:02"), isSidechain=True), relayed("10:03", 100, 1),
                 again(relayed("10:04", 100, 2), isSidechain=True), relayed("10:05", 100, 3)],
          AGENT: [again(person("task", "10:02"), isSidechain=True),
                  again(relayed("10:04", 100, 5), isSidechain=True)]}, responses=3, inp=300, out=10, prompts=1),
    case("one-id-and-a-copy", "R3, R4",
         {MAIN: [person("1", "10:01", uuid="u1"), relayed("10:02", 100, 1)],
          OTHER: [again(person("1", "10:01", uuid="u1"), sessionId="s2"),
                  again(relayed("10:02", 100, 1), sessionId="s2"), person("2", "10:03", sessionId="s2"),
                  again(relayed("10:04", 100, 2), sessionId="s2")]}, responses=2, inp=200, out=3, prompts=2, sessions=2,
         also={"output by session": {"s1": 1, "s2": 2}}),
    case("one-id-two-requests", "R7",
         [answer("msg_1", "10:00", request="req_1"), answer("msg_1", "10:01", request="req_2")], responses=1, inp=10,
         out=100),
    case("no-message-id", "R3",
         {MAIN: [answer(None, uuid="u1"), answer(None, uuid="u2")], OTHER: [answer(None, uuid="u1")]}, responses=2,
         inp=20, out=200),
    case("no-id-at-all", "R3", {MAIN: [again(answer(None), uuid=None)] * 2, OTHER: [again(answer(None), uuid=None)]},
         responses=2, inp=20, out=200),
    # -- history told again
    case("resumed", "R4",
         {MAIN: [person("hi", uuid="u1"), one],
          OTHER: [person("hi", uuid="u1", sessionId="s2"), forked, person("more", "11:00", sessionId="s2"),
                  answer("msg_2", "11:01", out=7, sessionId="s2")]}, responses=2, inp=20, out=107, prompts=2,
         sessions=2, also={"output by session": {"s1": 100, "s2": 7}, "prompts by session": {"s1": 1, "s2": 1}}),
    case("fork-says-so", "R4",
         {"a-fork.jsonl": [
              person("hi", uuid="u1", sessionId="s2", forkedFrom={"sessionId": "s1", "messageUuid": "u1"}),
              again(forked, forkedFrom={"sessionId": "s1", "messageUuid": "u2"})],
          MAIN: [person("hi", uuid="u1"), one]}, responses=1, inp=10, out=100, prompts=1, sessions=2,
         also={"responses by session": {"s1": 1}, "prompts by session": {"s1": 1}}),
    case("background-copy", "R4",
         {"a-copy.jsonl": [again(later(one, None, call("t1")), sessionId="s2", session_id="s1", sessionKind="bg")],
          MAIN: [again(later(one, None, call("t1")), session_id="s1")]}, responses=1, inp=10, out=100, calls=1,
         sessions=2, also={"responses by session": {"s1": 1}, "calls by session": {"s1": 1}}),
    case("error-belongs-to-original", "R4",
         {"a-fork.jsonl": [result("t1", error=True, sessionId="s2", forkedFrom={"sessionId": "s1"})],
          MAIN: [answer("msg_1", "10:00", call("t1")), result("t1", error=True)]}, responses=1, inp=10, out=100,
         calls=1, errors=1, sessions=2, also={"calls by session": {"s1": 1}, "errors by session": {"s1": 1, "s2": 0}}),
    # -- sub-agents
    case("sub-agent-file", "R5", {MAIN: [one], AGENT: [agents]}, responses=2, inp=20, out=107,
         also={"responses by session": {"s1": 2}, "responses by agent type": {"main": 1, "subagent": 1}}),
    case("sub-agent-in-workflow", "R5", {MAIN: [one], WORKFLOW: [agents]}, responses=2, inp=20, out=107),
    case("sub-agent-flat-file", "R5", {MAIN: [one], FLAT_AGENT: [again(agents, agentId=None, isSidechain=None)]},
         responses=2, inp=20, out=107,
         also={"responses by agent type": {"main": 1, "subagent": 1}, "responses in side chains": {False: 1, True: 1}}),
    case("sub-agent-inline", "R5", [one, again(agents, agentId=None)], responses=2, inp=20, out=107,
         also={"responses by agent type": {"main": 1, "subagent": 1}}),
    case("journal-is-no-transcript", "R5", {MAIN: [one], JOURNAL: [agents]}, responses=1, inp=10, out=100),
    case("type-from-note", "R5",
         {NOTE: b'{"agentType": "reviewer", "toolUseId": "t1"}', AGENT: [agents], MAIN: [task]}, responses=2, inp=20,
         out=107, calls=1, dispatches=1,
         also={"responses by agent type": {"main": 1, "reviewer": 1}, "extensions": {"agent Explore": "builtin"}}),
    case("type-of-call-from-note", "R5",
         {MAIN: [answer("msg_1", "10:00", call("t1", "Agent", prompt="look"))],
          NOTE: b'{"agentType": "reviewer", "toolUseId": "t1"}'}, responses=1, inp=10, out=100, calls=1, dispatches=1,
         also={"extensions": {"agent reviewer": "own"}}),
    case("type-from-call-in-note", "R5",
         {MAIN: [person("hi")], NOTE: b'{"toolUseId": "t1"}', AGENT: [next_day], OTHER: [task]}, responses=2, inp=20,
         out=107, prompts=1, calls=1, dispatches=1, also={"responses by agent type": {"main": 1, "Explore": 1}}),
    case("type-from-result", "R5",
         {AGENT: [agents],
          MAIN: [task, result("t1", "10:09", toolUseResult={"agentId": "a1", "status": "completed"})]}, responses=2,
         inp=20, out=107, calls=1, dispatches=1, also={"responses by agent type": {"main": 1, "Explore": 1}}),
    case("side-question", "R6",
         {FLAT_AGENT: [again(one, requestId="req_9", isSidechain=True, agentId="a1")], MAIN: [one]}, responses=1,
         inp=10, out=100, also={"responses by agent type": {"main": 1}}),
    # -- rows that are no responses, or only in part
    case("synthetic", "R8", [one, answer("msg_2", "10:01", model="<synthetic>", out=50)], responses=1, inp=10,
         out=100, api_errors=1),
    case("error-with-real-model", "R9", [one, answer("msg_2", "10:01", out=3, isApiErrorMessage=True)], responses=2,
         inp=20, out=103, api_errors=1),
    case("progress-only", "R10", [one, progress(later(agents, None, call("t9"))), progress(result("t9", error=True))],
         responses=2, inp=20, out=107, calls=1, errors=1,
         also={"responses by agent type": {"main": 1, "subagent": 1}}),
    case("progress-and-file", "R10", {MAIN: [one, progress(later(agents, "08:00", out=900))], AGENT: [agents]},
         responses=2, inp=20, out=107, also={"times": {"msg_1": "10:00", "msg_2": "10:02"}}),
    case("summary-of-sub-agent", "R11",
         [task,
          result("t1", "10:09", toolUseResult={"agentId": "a1", "totalTokens": 900, "usage": usage(1, 2, 3, 4)})],
         responses=1, inp=10, out=100, calls=1, dispatches=1, also={"sub-agents": {"a1": 900}}),
    # -- tokens
    case("writes-split", "R12", [answer("msg_1", used=usage(1, 2, flat=30, w5=10, w1h=20))], responses=1, inp=1,
         out=2, w5=10, w1h=20),
    case("writes-flat-only", "R12", [answer("msg_1", used=usage(1, 2, flat=30))], responses=1, inp=1, out=2, w5=30),
    case("writes-split-only", "R12", [answer("msg_1", used=usage(1, 2, w5=10, w1h=20))], responses=1, inp=1, out=2,
         w5=10, w1h=20),
    case("writes-half-split", "R12", [answer("msg_1", used=usage(1, 2, flat=30, w1h=20))], responses=1, inp=1, out=2,
         w5=10, w1h=20),
    case("writes-clamped", "R12", [answer("msg_1", used=usage(1, 2, flat=30, w5=0, w1h=99))], responses=1, inp=1,
         out=2, w1h=30),
    case("speed-and-searches", "R13",
         [answer("msg_1", used=usage(1, 2, speed="fast", server_tool_use={"web_search_requests": 3})),
          answer("msg_2", used=usage(1, 5, service_tier="batch"))], responses=2, inp=2, out=7,
         also={"output by speed": {"fast standard": 2, "standard batch": 5}, "web searches": {"s1": 3}}),
    case("advisor", "R14",
         [answer("msg_1",
                 used=usage(1, 2,
                            iterations=[{"type": "message", "input_tokens": 1, "output_tokens": 2},
                                        {"type": "advisor_message", "model": HAIKU, "input_tokens": 30,
                                         "output_tokens": 4}]))], responses=2, inp=31, out=6,
         also={"output by model": {OPUS: 2, HAIKU: 4}}),
    case("advisor-between-two-turns", "R14",
         [answer("msg_1",
                 used=usage(4, 9, flat=30, w5=0, w1h=10,
                            iterations=[part(2, 4, flat=10, w5=0, w1h=10), part(30, 4, "advisor_message", model=HAIKU),
                                        part(2, 5, flat=20, w5=20, w1h=0)]))], responses=2, inp=34, out=13, w5=20,
         w1h=10, also={"kinds": {"turn": 1, "advisor": 1}}),
    case("writes-of-parts-do-not-add-up", "R14",
         [answer("msg_1",
                 used=usage(4, 9, flat=30, w5=20, w1h=10, iterations=[part(2, 4), part(2, 5, flat=9, w5=9, w1h=0)]))],
         responses=1, inp=4, out=9, w5=20, w1h=10),
    case("compaction-inside", "R14",
         [answer("msg_1", used=usage(23, 10, service_tier="batch", iterations=[part(180, 35, "compaction"),
                                                                                part(23, 10)]))], responses=1, inp=203,
         out=45, also={"kinds": {"turn": 1, "compaction": 1}, "output by speed": {"standard batch": 45},
                       "primary model": {"s1": OPUS}}),
    case("only-compacted", "R14",
         [person("hi"), answer("msg_1", used=usage(2, 1, iterations=[part(180, 35, "compaction"), part(2, 1)])),
          answer("msg_2", "10:01", model=HAIKU, out=1), answer("msg_3", "10:02", model=HAIKU, out=1)], prompts=1,
         responses=3, inp=202, out=38, also={"primary model": {"s1": HAIKU}, "output by model": {OPUS: 36, HAIKU: 2}}),
    case("declined-in-mid-answer", "R14",
         [answer("msg_1",
                 used=usage(12, 5, iterations=[part(10, 3, model="fable"),
                                               part(12, 5, "fallback_message", model=OPUS)]))], responses=2, inp=22,
         out=8, also={"output by model": {"fable": 3, OPUS: 5}, "kinds": {"turn": 1, "fallback": 1}}),
    case("declined-before-a-word", "R14",
         [answer("msg_1",
                 used=usage(12, 5, iterations=[part(10, 0, model="fable"),
                                               part(12, 5, "fallback_message", model=OPUS)]))], responses=1, inp=12,
         out=5),
    case("declined-twice", "R14",
         [answer("msg_1",
                 used=usage(14, 9, iterations=[part(10, 3, model="fable"), part(10, 2, model="fable"),
                                               part(12, 4, "fallback_message", model=HAIKU),
                                               part(7, 4, "fallback_message", model=OPUS),
                                               part(7, 5, "fallback_message", model=OPUS)]))], responses=4, inp=46,
         out=18, also={"output by model": {"fable": 5, HAIKU: 4, OPUS: 9}}),
    case("declined-model-in-the-block", "R14",
         [answer("msg_1", "10:00", {"type": "fallback", "from": {"model": "fable"}, "to": {"model": OPUS}},
                 used=usage(12, 5, iterations=[part(10, 3), part(12, 5, "fallback_message")]))], responses=2, inp=22,
         out=8, also={"output by model": {"fable": 3, OPUS: 5}}),
    case("declined-told-twice", "R14",
         {MAIN: [declined, later(declined, "10:01")], OTHER: [again(declined, sessionId="s2")]}, responses=2, inp=22,
         out=8, sessions=2, also={"responses by session": {"s1": 2}}),
    case("logged-cost", "R15", [answer("msg_1", costUSD=0.25), answer("msg_2", costUSD=0), answer("msg_3")],
         responses=3, inp=30, out=300, also={"logged cost": {"msg_1": 0.25, "msg_2": 0.0, "msg_3": None}}),
    # -- what a response says besides
    case("kept-beside", "details",
         [answer("msg_1", effort="high", attributionSkill="invoice", attributionPlugin="shop",
                 used=usage(1, 9, output_tokens_details={"thinking_tokens": 4})),
          answer("msg_2", effort="high", perTurnEffort="max", attributionMcpServer="agnes", attributionMcpTool="query",
                 used=usage(1, 9, output_tokens_details={"thinking_tokens": True})),
          again(answer("msg_3"), message=answer("msg_3")["message"] | {
              "output_config": {"effort": "low"},
              "diagnostics": {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 70}}}),
          again(answer("msg_4"), message=answer("msg_4")["message"] | {"diagnostics": None, "output_config": None})],
         responses=4, inp=22, out=218,
         also={"kept": {"msg_1": "high, 4, shop, invoice", "msg_2": "max, agnes, query",
                        "msg_3": "low, tools_changed, 70", "msg_4": ""}}),
    case("agents-in-the-background", "details",
         [notified("a1", 500, status="completed"), notified("a1", 900), notified("a1", 900),
          row("queue-operation", "10:01", operation="enqueue", content=notice("a2", 70)),
          attached(notice("a3", 10), "10:02", commandMode="task-notification"), person(notice("a4", "lots")),
          person("<task-notification><task-id>a5</task-id><status>completed</status></task-notification>")],
         also={"agents in the background": {"a1": 900, "a2": 70, "a3": 10}}),
    # -- output counts that are only a lower bound
    case("placeholder-only", "lower bounds", [start], responses=1, inp=10, out=1, undercounted=1),
    case("short-but-finished", "lower bounds", [answer("msg_1", out=2)], responses=1, inp=10, out=2),
    case("more-text-than-tokens", "lower bounds",
         [answer("msg_1", "10:00", said("word " * 40), out=8, stop=None),
          answer("msg_1", "10:01", call("t1"), out=8, stop=None),
          answer("msg_2", "10:02", said("word " * 40), out=50, stop=None),
          answer("msg_3", "10:03", said("-" * 900), out=8)], responses=3, inp=30, out=66, calls=1, undercounted=1,
         also={"undercounted by day": {"2026-03-02": 1}}),
]
# fmt: on
