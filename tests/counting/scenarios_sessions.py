"""What a session is: who typed, which tools ran, how long it took, where it belongs."""

from __future__ import annotations

from agnes_stats.tests.counting.rows import HAIKU, OPUS, again, answer, call, later, person, result, row, said
from agnes_stats.tests.counting.table import MAIN, OTHER, WITHOUT_SESSION, case

AGENT = "s1/subagents/agent-a1.jsonl"

one = answer("msg_1", "10:00")
typed = person("hello", uuid="u1")
tool_row = answer("msg_1", "10:00", call("t1"))
mcp, skill = call("t1", "mcp__agnes__query", sql="select 1"), call("t2", "Skill", skill="shop:invoice")
REFUSED = "The user doesn't want to proceed with this tool use. The tool use was rejected."

# fmt: off
SESSIONS = [
    # -- what a person typed
    case("typed", "prompts",
         [typed, person([said("look at "), said("this")]), person([{"type": "image", "source": {}}]),
          person("/etc/hosts is a file")], prompts=4,
         also={"prompt texts": {"hello": "s1", "look at this": "s1", "": "s1", "/etc/hosts is a file": "s1"}}),
    case("typed-once-per-uuid", "prompts", {MAIN: [typed, typed], OTHER: [again(typed, sessionId="s2")]}, prompts=1,
         sessions=2, also={"prompts by session": {"s1": 1}}),
    # The result belongs to a call that no row shows.
    case("not-typed", "prompts",
         [person("a note", isMeta=True), person("a task", isSidechain=True),
          person("the story so far", isCompactSummary=True),
          person([{"type": "tool_result", "tool_use_id": "t1", "content": "done"}, said("and a reminder")]),
          person(""), person([]), person("[Request interrupted by user]"),
          person("<local-command-stdout>ok</local-command-stdout>"), person("<bash-input>ls</bash-input>"),
          person("<bash-stdout>a</bash-stdout>"), person("<bash-stderr>b</bash-stderr>"),
          person("  <task-notification>ready</task-notification>"), person("<command-message>init</command-message>")],
         prompts=0),
    case("slash-commands", "prompts",
         [person("<command-message>x</command-message> <command-name>/init</command-name>", uuid="u1"),
          person([said("<command-name>/review</command-name>")], uuid="u2"),
          row("system", "09:01", subtype="local_command", content="<command-name>/cost</command-name>", uuid="u3"),
          row("system", "09:01", subtype="local_command", content="<command-name>/cost</command-name>", uuid="u3"),
          person("<command-name>/hidden</command-name>", isMeta=True),
          row("system", "09:01", subtype="local_command", content="<command-name>/h</command-name>", isMeta=True),
          person("/compact is a command, this is prose")], commands=3, prompts=1,
         also={"commands by name": {"init": 1, "review": 1, "cost": 1}}),
    # -- tools
    case("tool-classes", "tools",
         [answer("msg_1", "10:00", mcp, skill, call("t3", "Bash", command="ls")),
          answer("msg_2", "10:01", call("t4", "Task", subagent_type="Explore"), call("t5", "Agent"),
                 call("t6", "New"))], responses=2, inp=20, out=200, calls=6, mcp=1, dispatches=2, skills=1,
         also={"calls by class": {"mcp_call": 1, "tool_use": 3, "subagent": 2},
               "extensions": {"skill shop:invoice": "curated", "agent Explore": "builtin", "agent Agent": "builtin"}}),
    case("call-told-twice", "tools",
         {MAIN: [tool_row, later(tool_row)], OTHER: [again(tool_row, sessionId="s2")]}, responses=1, inp=10, out=100,
         calls=1, sessions=2, also={"calls by session": {"s1": 1}}),
    case("result-later", "tools",
         [answer("msg_1", "10:00", call("t1", "Bash"), call("t2", "Edit")), typed, result("t1", "10:05", error=True)],
         responses=1, inp=10, out=100, prompts=1, calls=2, errors=1,
         also={"finished by tool": {"Bash": 1, "Edit": 0}, "errors by tool": {"Bash": 1, "Edit": 0}}),
    case("error-told-twice", "tools",
         [tool_row, result("t1", error=True), result("t1", "10:02", error=True), result("t1", "10:03")], responses=1,
         inp=10, out=100, calls=1, errors=1),
    case("only-true-is-an-error", "tools",
         [answer("msg_1", "10:00", call("t1"), call("t2"), call("t3")), result("t1", error=False),
          result("t2", error="true"), result("t3", text="Error: no")], responses=1, inp=10, out=100, calls=3),
    case("denied", "tools",
         [answer("msg_1", "10:00", call("t1"), call("t2"), call("t3")),
          result("t1", error=True, toolDenialKind="user-rejected"), result("t2", error=True, text=REFUSED),
          result("t3", error=True, text="exit 1")], responses=1, inp=10, out=100, calls=3, errors=3, denied=2),
    case("result-in-another-file", "tools", {AGENT: [result("t1", error=True)], MAIN: [tool_row]}, responses=1,
         inp=10, out=100, calls=1, errors=1),
    # -- time
    case("active-time", "times",
         [typed, answer("msg_1", "09:10:00"), person("more", "09:20:01"), answer("msg_2", "09:20:31")], responses=2,
         inp=20, out=200, prompts=2, also={"active seconds": {"s1": 630.0}, "wall seconds": {"s1": 1231.0}}),
    case("time-of-sub-agents", "times",
         {MAIN: [typed, row("system", "08:00")],
          AGENT: [answer("msg_2", "09:08", isSidechain=True), person("x", "09:16", isSidechain=True)]}, responses=1,
         inp=10, out=100, prompts=1, also={"active seconds": {"s1": 960.0}, "wall seconds": {"s1": 960.0}}),
    case("clock-jumps-back", "times",
         [person("a", "10:00"), answer("msg_1", "09:55"), person("b", "2020-01-01T00:00:00Z"),
          answer("msg_2", "10:05")], responses=2, inp=20, out=200, prompts=2,
         also={"active seconds": {"s1": 600.0}, "output by day": {"2026-03-02": 200}}),
    case("times-nobody-has", "times",
         [person("a", "10:00"), answer("msg_1", "0001-01-01T00:00:00+14:00"),
          answer("msg_2", "9999-12-31T23:59:59-12:00"), answer("msg_3", "yesterday"),
          answer("msg_4", "2026-03-02 11:30"), answer("msg_5", "2026-03-02T23:30:00-02:00")], responses=5, inp=50,
         out=500, prompts=1,
         also={"output by day": {"2026-03-02": 400, "2026-03-03": 100},
               "times": {"msg_1": "10:00", "msg_2": "10:00", "msg_3": "10:00", "msg_4": "11:30", "msg_5": "01:30"}}),
    case("no-timestamp", "R20",
         [answer("msg_1", None, call("t1")), person("first", None), answer("msg_2", "2026-03-04T10:00:00Z"),
          answer("msg_3", None), answer("msg_4", "2026-03-05T10:00:00Z")], responses=4, inp=40, out=400, prompts=1,
         calls=1, also={"output by day": {"2026-03-04": 300, "2026-03-05": 100}, "calls by day": {"2026-03-04": 1}}),
    case("no-timestamp-in-the-file", "R20", [answer("msg_1", None), answer("msg_2", None)], responses=2, inp=20,
         out=200, also={"output by day": {"none": 200}}),
    case("no-type", "R20", [again(one, type=None), typed], prompts=1, unknown=1,
         also={"unknown": {"row type None": 1}}),
    # -- where it belongs
    case(WITHOUT_SESSION, "sessions",
         [again(one, sessionId=None), again(typed, sessionId=None), answer("msg_2", out=7, sessionId=4)], responses=2,
         inp=20, out=107, sessions=0),
    case("session-of-the-row", "sessions", {"s9.jsonl": [one, answer("msg_2", "10:01", sessionId="s2")]},
         responses=2, inp=20, out=200, sessions=2, also={"responses by session": {"s1": 1, "s2": 1}}),
    case("first-folder", "R18",
         {AGENT: [answer("msg_9", "2026-03-01T08:00:00Z", isSidechain=True, cwd="/w/shop/elsewhere")],
          MAIN: [again(one, cwd="/w/my-shop"), answer("msg_2", "10:01", cwd="/w/my-shop/src")]}, responses=3, inp=30,
         out=300, also={"project": {"s1": "/w/my-shop"}}),
    case("first-folder-before-any-time", "R18",
         [row("mode", None, cwd="/w/first"), answer("msg_1", "10:00", cwd="/w/second")], responses=1, inp=10, out=100,
         also={"project": {"s1": "/w/first"}}),
    case("worktree", "R18", [again(one, cwd="/w/shop/.claude/worktrees/fix-1/src")], responses=1, inp=10, out=100,
         also={"project": {"s1": "/w/shop"}}),
    case("primary-model", "models",
         [one, answer("msg_2", out=1, model=HAIKU), answer("msg_3", out=1, model=HAIKU)]
         + [answer(f"msg_{n}", model="<synthetic>") for n in range(4, 9)], responses=3, inp=30, out=102, api_errors=5,
         also={"primary model": {"s1": HAIKU}, "output by model": {OPUS: 100, HAIKU: 2}}),
    case("no-model", "models", [typed, answer("msg_1", model="<synthetic>")], prompts=1, api_errors=1,
         also={"primary model": {"s1": None}}),
    case("model-not-told", "models", [answer("msg_1", model=None)], responses=1, inp=10, out=100,
         also={"primary model": {"s1": "unknown"}}),
    # -- titles
    case("title-by-hand", "titles",
         [typed, row("custom-title", None, customTitle="Old"), row("ai-title", None, aiTitle="Guess"),
          row("custom-title", None, customTitle="Mine")], prompts=1, also={"title": {"s1": "Mine"}}),
    case("title-guessed", "titles",
         {MAIN: [typed, row("ai-title", None, aiTitle="Guess")],
          OTHER: [row("summary", None, None, summary="S", leafUuid="u1")]}, prompts=1,
         also={"title": {"s1": "Guess"}}),
    case("title-from-summary", "titles",
         {OTHER: [row("summary", None, None, summary="A summary", leafUuid="u1")], MAIN: [typed]}, prompts=1,
         also={"title": {"s1": "A summary"}}),
    case("title-from-prompt", "titles", [person("\n first line\nsecond", "09:30"), person("earlier", "09:00")],
         prompts=2, also={"title": {"s1": "earlier"}}),
]
# fmt: on
