"""Lines that are not quite what they should be, and things nobody knows yet."""

from __future__ import annotations

import json

from agnes_stats.tests.counting.rows import Line, Row, again, answer, call, line, person, result, row, said, usage
from agnes_stats.tests.counting.table import MAIN, case

one, two = answer("msg_1", "10:00"), answer("msg_2", "10:01", out=7)
ONE, TWO = line(one), line(two)
BOTH = {"responses": 2, "inp": 20, "out": 107}
JUST_TWO = {"responses": 1, "inp": 10, "out": 7}
DEEP = b"[" * 100_000 + b"]" * 100_000


def odd(old: str, new: bytes, row: Row = one) -> bytes:
    """A line with a part of it replaced."""
    data = line(row)
    assert data.count(old.encode()) == 1, old
    return data.replace(old.encode(), new)


def used(**tokens: object) -> list[Line]:
    """A response with these token counts and 10 input tokens."""
    return [answer("msg_1", used=usage(out=None) | tokens)]


# fmt: off
LINES = [
    # -- how rows stand in a file
    case("spaced-json", "R16", [json.dumps(one, indent=None, separators=(" , ", " : ")), TWO], **BOTH),
    case("crlf", "R16", ONE + b"\r\n" + TWO + b"\r\n", **BOTH),
    case("only-cr", "R16", ONE + b"\r" + TWO + b"\r", **BOTH),
    case("blank-lines", "R16", b"\n  \n" + ONE + b"\n\r\n\n" + TWO + b"\n\n", **BOTH),
    case("two-on-a-line", "R16", [ONE + TWO], **BOTH),
    case("two-on-a-last-line", "R16", ONE + b" " + TWO, **BOTH),
    case("no-newline-at-the-end", "R2", ONE + b"\n" + TWO, **BOTH),
    case("no-newline-and-no-ids", "R2", line(again(answer(None), uuid=None)), responses=1, inp=10, out=100),
    case("torn-last-line", "R2", ONE + b"\n" + TWO[:-9], responses=1, inp=10, out=100),
    case("torn-in-the-middle", "R16", [ONE[:99], TWO], rejects=1, also={"rejects": {"not JSON": 1}}, **JUST_TWO),
    case("junk", "R16", ["hello", TWO, "{", "null", "[1]", "5", '"text"'], rejects=6,
         also={"rejects": {"not JSON": 2, "not a JSON object": 4}}, **JUST_TWO),
    case("junk-behind-a-row", "R16", [ONE + b" and then", TWO], rejects=1, **BOTH),
    case("nested-too-deeply", "R16", [odd('"ok"', DEEP), TWO], rejects=1, also={"rejects": {"nested too deeply": 1}},
         **JUST_TWO),
    case("byte-order-mark", "R16", b"\xef\xbb\xbf" + ONE + b"\n" + TWO + b"\n", **BOTH),
    case("nul-bytes-before-a-row", "R16", [b"\0" * 50 + ONE, TWO], **BOTH),
    case("nul-bytes-alone", "R16", [b"\0" * 50, ONE, TWO], rejects=1, **BOTH),
    # -- text that UTF-8 or JSON does not know
    case("bad-utf-8", "R16", [odd("/w/shop", b"/w/\xc3shop"), odd('"ok"', b'"\xff\xfe\xc3"', two)],
         also={"project": {"s1": "/w/�shop"}}, **BOTH),
    case("bad-utf-8-in-a-result", "R16",
         [answer("msg_1", "10:00", call("t1")), odd('"done"', b'"d\xffne \xe2\x82"', result("t1", error=True)), TWO],
         calls=1, errors=1, **BOTH),
    case("nul-byte-in-text", "R16", [odd('"ok"', b'"a\0b"'), odd('"ok"', rb'"a\u0000b"', two)], **BOTH),
    case("nul-byte-in-a-prompt", "R16", [line(person("a__b")).replace(b"__", rb"\u0000"), TWO], prompts=1,
         also={"prompt texts": {"a\0b": "s1"}}, **JUST_TWO),
    case("half-a-surrogate-pair", "R16",
         [odd("/w/shop", rb"/w/\ud83d"), odd('"ok"', rb'"\udc00\\ud800"', two),
          line(person("\\ __", "11:00")).replace(b"__", rb"\ud800 \ud83d\ude00")], prompts=1,
         also={"project": {"s1": "/w/�"}, "prompt texts": {"\\ � 😀": "s1"}}, **BOTH),
    case("half-a-surrogate-pair-in-a-call", "R16",
         [line(answer("msg_1", "10:00", call("t1", "Skill", skill="mine__"))).replace(b"__", rb"\udfff")],
         responses=1, inp=10, out=100, calls=1, skills=1, also={"extensions": {"skill mine�": "own"}}),
    case("control-characters", "R16", [odd('"ok"', b'"tab\tbell\x07"'), TWO], **BOTH),
    case("key-told-twice", "R16", [odd('"output_tokens": 100', b'"output_tokens": 1, "output_tokens": 100'), TWO],
         **BOTH),
    # -- fields of another kind
    case("nulls", "R16",
         [odd('"output_tokens": 100',
              b'"output_tokens": 100, "cache_read_input_tokens": null, "cache_creation": null, '
              b'"cache_creation_input_tokens": null, "server_tool_use": null, "iterations": null'),
          odd('"cwd": "/w/shop"', b'"cwd": null, "version": null, "requestId": null, "slug": null',
              again(two, requestId=None))], **BOTH),
    case("version-dev", "R16", [again(one, version="dev"), again(two, version=7)], **BOTH),
    case("count-is-a-float", "counts", used(output_tokens=1.0), responses=1, inp=10, unknown=1),
    case("count-is-a-bool", "counts", used(output_tokens=True), responses=1, inp=10, unknown=1),
    case("count-is-text", "counts", used(output_tokens="7"), responses=1, inp=10, unknown=1),
    case("count-is-negative", "counts", used(output_tokens=-7), responses=1, inp=10, unknown=1),
    case("count-is-huge", "counts", used(output_tokens=2**53), responses=1, inp=10, unknown=1),
    case("count-is-astronomic", "counts", [odd('"output_tokens": 100', b'"output_tokens": 1' + b"0" * 5000)],
         responses=1, inp=10, unknown=1, also={"unknown": {"token count that is no whole number": 1}}),
    case("count-is-nan", "counts",
         [odd('"output_tokens": 100', b'"output_tokens": NaN'),
          odd('"output_tokens": 7', b'"output_tokens": -Infinity', two)], responses=2, inp=20, unknown=2),
    case("cost-is-no-amount", "R15",
         [odd('"cwd"', b'"costUSD": Infinity, "cwd"'), odd('"cwd"', b'"costUSD": 1' + b"0" * 400 + b', "cwd"', two),
          answer("msg_3", "10:02", costUSD="1"), answer("msg_4", "10:03", costUSD=-1)], responses=4, inp=40, out=307,
         also={"logged cost": {"msg_1": None, "msg_2": None, "msg_3": None, "msg_4": None}}),
    case("sub-agent-numbers", "R16",
         [answer("msg_1", "10:00", call("t1", "Agent")),
          result("t1", toolUseResult={"agentId": "a1", "totalTokens": 10**30, "totalDurationMs": True})],
         responses=1, inp=10, out=100, calls=1, dispatches=1, also={"sub-agents": {"a1": None}}),
    case("usage-is-no-object", "R16", [answer("msg_1", used=[1, 2]), TWO], unknown=1, responses=2, inp=10, out=7,
         also={"unknown": {"field message.usage of another kind": 1}}),
    case("message-is-no-object", "R16", [again(one, message="hi"), again(person("x"), message=[1]), TWO], unknown=2,
         responses=2, inp=10, out=7),
    case("content-is-no-list", "R16", [again(one, message=one["message"] | {"content": {"a": 1}}), person(5), TWO],
         unknown=2, **BOTH),
    case("content-is-mixed", "R16",
         [again(one, message=one["message"] | {"content": ["x", 5, None, call("t1")]}), TWO], calls=1, **BOTH),
    case("ids-are-no-text", "R16",
         [answer(5, "10:00"), answer({"a": 1}, "10:01"), again(two, uuid=9, requestId=[1]), TWO,
          answer("msg_3", "10:02", {"type": "tool_use", "id": 7, "name": "Read", "input": {}})], responses=4, inp=40,
         out=307),
    case("type-is-no-text", "R16", [again(one, type=["assistant"]), again(one, type={"a": 1}), TWO], unknown=2,
         **JUST_TWO),
    case("model-is-no-text", "R16", [answer("msg_1", model={"name": "x"}), TWO],
         also={"output by model": {"unknown": 100, two["message"]["model"]: 7}}, **BOTH),
    # -- what nobody knows yet
    case("new-row-type", "unknown", [row("dream", "09:59", message=one["message"]), TWO], unknown=1,
         also={"unknown": {"row type dream": 1}}, **JUST_TWO),
    case("new-fields", "unknown",
         [again(one, mood={"good": True}, message=one["message"] | {"tone": "dry"}),
          answer("msg_2", "10:01", said("ok") | {"font": "serif"},
                 used=usage(10, 7, flat=5, w5=0, w1h=5) | {"carbon": 1}),
          answer("msg_3", "10:02", used=usage(1, 1, cache_creation={"ephemeral_24h_input_tokens": 9}))], responses=3,
         inp=21, out=108, w1h=5, unknown=5,
         also={"unknown": {"field mood": 1, "field message.tone": 1, "field message.content[].font": 1,
                           "field message.usage.carbon": 1,
                           "field message.usage.cache_creation.ephemeral_24h_input_tokens": 1}}),
    case("new-field-on-a-damaged-line", "unknown", [odd('"cwd"', b'"mood": "\xff", "cwd"'), TWO], unknown=1,
         also={"unknown": {"field mood": 1}}, **BOTH),
    case("new-block", "unknown", [answer("msg_1", "10:00", {"type": "hologram", "id": "t8"}, call("t1")), TWO],
         calls=1, unknown=1, also={"unknown": {"content block hologram": 1}}, **BOTH),
    case("new-tool", "unknown", [answer("msg_1", "10:00", call("t1", "Teleport", where="home")), TWO], calls=1,
         also={"calls by class": {"tool_use": 1}}, **BOTH),
    case("new-system-row", "unknown",
         [row("system", "09:59", subtype="earthquake", content="<command-name>/run</command-name>"), TWO], commands=1,
         unknown=1, also={"unknown": {"system row earthquake": 1}}, **JUST_TWO),
    case("new-iteration", "R14",
         [answer("msg_1",
                 used=usage(10, 100, iterations=[{"type": "rehearsal", "output_tokens": 5}, {"type": "message"}, 5]))],
         responses=1, inp=10, out=100, unknown=1, also={"unknown": {"usage iteration rehearsal": 1}}),
    case("known-and-unused", "unknown",
         {MAIN: [row("file-history-snapshot", None, snapshot={}),
                 row("queue-operation", "09:00", operation="enqueue"), TWO]}, **JUST_TWO),
]
# fmt: on
