"""Values that a name gives away: assignments, fields, options, headers, parameters, statements of SQL, sentences."""

from __future__ import annotations

import re

from .judging import Kind, Said, default_in, is_reference, is_secret, kind_of, looks_secret, words
from .late import Late
from .spans import Spans
from .values import LONGEST, QUOTE, Value, closing, parameter_end, to_its_end, value_at

_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-$"
_WIDEST = 64
"""Characters of a name before and after the word in it that was found."""
_NAME_END = Late(rf"(?:[\w-]|\.(?=\w)){{0,{_WIDEST}}}+")

_TYPE = r"(?::[ \t]*+(?:[A-Za-z_][\w.]*(?:\[[^\]\n]{0,60}\])?(?:[ \t]*+\|[ \t]*+\w+)?)?(?=[ \t]*+=))?"
_CLOSED = rf"(?P<quote>{QUOTE})?[\])]{{0,2}}"
_JOINED = Late(
    rf"{_CLOSED}(?P<before>[ \t]*+){_TYPE}[ \t]*+"
    r"(?P<op>=>|:=|:[-=+]|\?=|[=!]==?|\+=|->|[=:]|%3[AaDd])(?P<after>[ \t]*+)"
)
_GIVEN = Late(rf"(?P<quotes>{QUOTE}?[\])]?{QUOTE}?)[ \t]*+(?P<op>[,(])[ \t\n]*+(?=\w?{QUOTE})")
"""`("name", "value")`, `name("value")`."""
_PAIRED = Late(
    rf"{QUOTE}?[ \t]*+,?\s*+-?[ \t]*+{QUOTE}?(?i:value|default|content|secretstring){QUOTE}?[ \t]*+[:=][ \t]*+"
)
"""`{"name": "token", "value": "…"}`, and as YAML and XML have it."""
_ELEMENT = Late(r"[^<>\n]{0,200}>\s*+")
_BLOCK = Late(r"[ \t]*+[|>][-+]?\d?[ \t]*+\n(?P<first>[ \t]++)\S[^\n]*(?:\n(?:(?P=first)[^\n]*|[ \t]*+(?=\n)))*")
_NEXT_LINE = Late(r"[ \t]*+\r?\n[ \t]*+(\S+)[ \t]*+(?=\r?\n|$)")
_SENTENCE = Late(
    r"(?:[ \t]++(?:for|of|to|on|in|at)[ \t]++(?:the[ \t]++)?[\w.@-]{1,60}(?:[ \t]++[\w.@-]{1,60})?)?"
    r"[ \t]*+(?:,[ \t]*+)?(?<=[ \t])(?:is|was|are|will be|should be|to|as|equals)(?:[ \t]*+:)?[ \t]++",
    re.IGNORECASE,
)
_TO_SEMICOLON = Late(r"[^;\"'\n]{1,500}+(?=[;\"'])")
_TO_BRACE = Late(r"[^}\n]{1,1000}(?=\})")
_ENDS_ARGUMENT = Late(r"[ \t\n]*+[),]")
_QUOTED_SQL = Late(r"N?\\{0,8}['\"$]")
_OF_HEADER = Late(rf"(?:{QUOTE})?[\])]?[ \t]*+(?:=>|[:=,])[ \t]*+")
_OPENS_HEADER = Late(rf"[fFrRbBuU]?({QUOTE})")
_AROUND_HEADER = Late(rf"({QUOTE})(?:-H[ \t]*+)?$")
_FOR_USER = Late(r"[ \t]++for[ \t]++[^=\s]{1,100}[ \t]*+=[ \t]*+", re.IGNORECASE)
_WORD = Late(r"\S*")
_LAST = Late(r"[ \t]*+(?:\\{0,8}[\"'`]|[\r\n#}\])<]|,|;|\\[nr]|$)")
_IN_URL = Late(r"(?:[?&#]|&amp;|%26|%3[Ff]|\\u0026)(?:[\w.\-\[\]]{0,60})$")
_SET = Late(
    r"\b(?:setx?|setenv|config:set|env:set|env|config(?:ure)?|export|arg|option|define)"
    r"(?:[ \t]++--?[\w-]+)*[ \t]++(?:\S*[:/])?$",
    re.IGNORECASE,
)
_LOGIN = Late(r"\b(?:login|user(?:name)?|connect|machine)[ \t]++\S{1,80}[ \t]++$", re.IGNORECASE)
_SQL = Late(
    r"\b(?:create|alter|attach|options|with|user|role|login|identified|credentials?|secret|set|copy|unload|encrypted"
    r"|subscription|server|type|provider|scope|storage)\b",
    re.IGNORECASE,
)
_BEFORE_KEY = Late(
    r"\b(api|secret|private|access|encryption|licen[cs]e|auth|account|signing|master|pragma)[ \t]++(?:re)?$",
    re.IGNORECASE,
)
_CHOSEN = {
    Kind.STRONG: Late(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])(?:[^\s_/.(]{6,}|(?=\S*[+=])[^\s_.(]{6,})"),
    Kind.TOKEN: Late(r"(?=\D*\d)(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[^\s(]{10,}"),
}
"""What stands behind `password`, or `token`, and is no word of the sentence."""
_SCHEME = Late(r"[A-Za-z][\w-]{1,30}[ \t]++(?=\S)")
_PAIRS = Late(r"[\w.$-]+=[^\s;\"'`]*(?:;[ \t]*+[\w.$-]+=[^\s;\"'`]*)*")
_JOINED_ON = Late(r"[A-Za-z0-9$][^\s\"'`;&|,)\]}<>]*")
_HEADERS = Late(r"(?:proxy-)?authorization|(?:set-)?cookie2?", re.IGNORECASE)
_PARAMETERS = words("key code state sig signature auth pass pw pwd s sid session ticket otp pin hash hmac policy")
_STRING = Late(r"(?:\\{0,8})(\"[^\"\n]{1,200}\"|'[^'\n]{1,200}')")


_NOTHING = Value(0, 0, 0, False)
"""There is a value, and it is no credential."""


def named(text: str, start: int, end: int, spans: Spans) -> None:
    """Find what is said of the name around a word, if it is that of a credential."""
    while end > start and text[end - 1] in "=:\"' ":
        end -= 1  # some anchors are a name with what follows it
    left = start - _WIDEST if start > _WIDEST else 0
    left += len(text[left:start].rstrip(_NAME))
    right = _NAME_END.match(text, end).end()  # type: ignore[union-attr]
    name = text[left:right]
    if _HEADERS.fullmatch(name.lstrip("-$.")) and _header(text, left, right, spans):
        return
    kind = kind_of(name)
    in_url = _IN_URL.search(text, max(0, left - 80), left) is not None or text[left - 1 : left] in ("?", "&")
    if in_url and text[right : right + 1] == "=":
        _parameter(text, name, right + 1, kind, spans)
        return
    if kind is Kind.NONE:
        if name[-3:].lower() != "key" or (before := _BEFORE_KEY.search(text, max(0, left - 20), left)) is None:
            return
        kind, left = Kind.TOKEN, before.start()
    if name.startswith("--secret") and (name == "--secret-id" or "gcloud" in text[max(0, left - 200) : left]):
        return  # these name one
    for rule in (_block, _assigned, _for_user, _element, _paired, _given, _followed, _sentence):
        found = rule(text, left, right, kind)
        if found is not None:
            if found is not _NOTHING:
                _add(text, found, spans)
            return


def _add(text: str, found: Value, spans: Spans) -> None:
    default = default_in(text[found.start : found.end])
    if default is not None:
        spans.add(found.start + default[0], found.start + default[1])
    else:
        spans.add(found.start, found.end)


def _judged(text: str, pos: int, kind: Kind, said: Said) -> Value | None:
    """The value at a place, if it is a credential."""
    value = value_at(text, pos)
    if value is None:
        return None
    word = text[value.start : value.end]
    if value.is_quoted and text[value.start - 1] == "`" and " " in word:
        return None  # what a command prints
    if default_in(word) is not None:
        return value
    is_last = _LAST.match(text, value.after) is not None
    if "'" in word or '"' in word:
        word = word.strip("\"'")  # '{"a": "'"$A"'"}'
    if not is_secret(word, kind, said, is_quoted=value.is_quoted, is_last=is_last):
        return None
    return to_its_end(text, value)


def _assigned(text: str, left: int, right: int, kind: Kind) -> Value | None:
    """`name=value`, `"name": "value"`, `name := value` and the like."""
    joined = _JOINED.match(text, right)
    if joined is None:
        return None
    pos = joined.end()
    if text[pos : pos + 1] in ("{", "(", "["):
        inner = text[pos + 1 : pos + 2]
        if inner in ('"', "'", "\\") and kind is Kind.WEAK and (text[pos] == "(" or "ookie" in text[left:right]):
            return _second_of_two(text, pos)
        # What is in it has names of its own.
        return None if is_reference(_WORD.match(text, pos)[0]) else _NOTHING  # type: ignore[index]
    spaced = bool(joined["before"] or joined["after"])
    if joined["op"] == ":":
        said = Said.TOLD if spaced or text[left : left + 1] != "/" else Said.SET
        if text[joined.end("op") : pos + 2].startswith(("//", "?")):
            return _NOTHING
    else:
        said = Said.SPACED if spaced else Said.SET
        if joined["after"] and not joined["before"] and text[left:right].isupper():
            return _NOTHING  # of a shell: the variable is empty
    if joined["op"][0] == ":" and len(joined["op"]) == 2 and text[left - 1 : left] == "{":
        default = _TO_BRACE.match(text, pos)  # ${NAME:-value}
        is_one = default is not None and not is_reference(default[0])
        return Value(pos, default.end(), default.end(), False) if default is not None and is_one else _NOTHING
    if _is_connection(text, left) and said is Said.SET and text[pos : pos + 1] not in ('"', "'", "{", "\\"):
        stop = _TO_SEMICOLON.match(text, pos)
        if stop is not None and not is_reference(stop[0]):
            return Value(pos, stop.end(), stop.end(), False)
    if text[left:right].lstrip("$").lower() in ("pwd", "oldpwd") and text[pos : pos + 1] in ("/", "~", "."):
        return _NOTHING
    found = _judged(text, pos, kind, said)
    return _NOTHING if found is None and joined["op"] != ":" else found


def _for_user(text: str, left: int, right: int, kind: Kind) -> Value | None:  # noqa: ARG001
    """`SET PASSWORD FOR user = 'value'`."""
    said = _FOR_USER.match(text, right)
    return None if said is None else _judged(text, said.end(), kind, Said.SET) or _NOTHING


def _is_connection(text: str, left: int) -> bool:
    """Whether a name stands in a connection string: `Server=x;Password=y z;`."""
    return text[left - 1 : left] == ";"


def _second_of_two(text: str, pos: int) -> Value | None:
    """The second text in `("user", "password")`."""
    first = _STRING.search(text, pos, pos + 200)
    second = None if first is None else _STRING.search(text, first.end(), first.end() + 210)
    if second is None or ")" in text[first.end() : second.start()]:  # type: ignore[union-attr]
        return None
    start, end = second.start(1) + 1, second.end(1) - 1
    end = start + len(text[start:end].rstrip("\\"))
    return None if is_reference(text[start:end]) else Value(start, end, second.end(), True)


def _block(text: str, left: int, right: int, kind: Kind) -> Value | None:  # noqa: ARG001
    """`name: |` of YAML with the value below, or the value alone on the next line."""
    if text[right : right + 1] != ":":
        return None
    block = _BLOCK.match(text, right + 1)
    if block is not None:
        start = block.end("first")
        return _NOTHING if is_reference(text[start : block.end()]) else Value(start, block.end(), block.end(), False)
    below = _NEXT_LINE.match(text, right + 1)
    if below is not None and looks_secret(below[1]):
        return Value(below.start(1), below.end(1), below.end(), False)
    return None


def _element(text: str, left: int, right: int, kind: Kind) -> Value | None:  # noqa: ARG001
    """`<name>value</name>`."""
    if text[left - 1 : left] != "<":
        return None
    opened = _ELEMENT.match(text, right)
    if opened is None:
        return None
    end = text.find("<", opened.end(), opened.end() + 4096)
    value = text[opened.end() : end].rstrip() if end > 0 else ""
    if not value or is_reference(value):
        return None
    return Value(opened.end(), opened.end() + len(value), end, False)


def _paired(text: str, left: int, right: int, kind: Kind) -> Value | None:  # noqa: ARG001
    paired = _PAIRED.match(text, right)
    return None if paired is None else _judged(text, paired.end(), kind, Said.SET)


def _given(text: str, left: int, right: int, kind: Kind) -> Value | None:  # noqa: ARG001
    """`f("name", "value")` and `name("value")`."""
    given = _GIVEN.match(text, right)
    if given is None:
        return None
    if given["op"] == "(":
        second = _second_of_two(text, given.start("op")) if kind is Kind.WEAK else None
        value = second or value_at(text, given.end())
    elif not given["quotes"]:
        return None
    else:
        value = value_at(text, given.end())
        if value is None or not _ENDS_ARGUMENT.match(text, value.after):
            return None
    if value is None or not value.is_quoted or text[value.start : value.end].isalpha():
        return None
    return None if is_reference(text[value.start : value.end]) else value


def _followed(text: str, left: int, right: int, kind: Kind) -> Value | None:
    """`--name value`, `set name value`, `name 'value'` of SQL, `password value` after a login."""
    if "$" in text[left:right]:
        return None  # the name of a variable, which stands for its value
    pos = right
    while text[pos : pos + 1] in (" ", "\t", "\\", "\n") and pos < right + 20:
        pos += 1
    if pos == right or text[right:pos].strip(" \t\n\\"):
        return None
    before = text[max(0, left - 120) : left]
    if (text[left] == "-" and before.endswith("config set ")) or text[left : left + 4] == "set-":
        return None
    if text[left : left + 1] == "-" and text[right : right + 1] in (" ", "\t", "\\"):
        return _judged(text, pos, kind, Said.OPTION)
    if _SET.search(before) is not None and "\n" not in text[right:pos]:
        said = Said.OPTION if text[left:right].isupper() or "configure" in before or "config" in before else Said.PROSE
        return _judged(text, pos, kind, said)
    if kind is Kind.STRONG and _LOGIN.search(before) is not None and "\n" not in text[right:pos]:
        return _judged(text, pos, kind, Said.PROSE)
    if _QUOTED_SQL.match(text, pos) and _SQL.search(text[max(0, left - 300) : left]) is not None:
        value = value_at(text, pos)
        return (
            value if value is not None and value.is_quoted and not is_reference(text[value.start : value.end]) else None
        )
    return None


def _sentence(text: str, left: int, right: int, kind: Kind) -> Value | None:
    """`the name is value`, and `password value` where the value looks like one."""
    said = _SENTENCE.match(text, right)
    if said is not None and kind > Kind.WEAK:
        return _judged(text, said.end(), kind, Said.PROSE)
    if kind > Kind.WEAK and text[right : right + 1] == " " and text[max(0, left - 1) : left] in ("", *" \n\"'(`"):
        value = value_at(text, right + 1)
        if value is not None and _CHOSEN[kind].fullmatch(text, value.start, value.end):
            return _judged(text, right + 1, kind, Said.PROSE)
    return None


def _parameter(text: str, name: str, pos: int, kind: Kind, spans: Spans) -> None:
    """The value of a parameter of a URL."""
    word = name.lower().lstrip("$.-")
    if kind is Kind.NONE and word not in _PARAMETERS and not word.endswith(("key", "signature", "credential")):
        return
    end = parameter_end(text, pos)
    value = text[pos : min(end, pos + LONGEST)]
    if not value or is_reference(value):
        return
    if kind > Kind.WEAK or looks_secret(value, is_strict=False) or (word != "state" and len(value) >= 16):
        spans.add(pos, end)


def _header(text: str, left: int, right: int, spans: Spans) -> bool:
    """Blot out the value of `Authorization: …` and `Cookie: …`, which may be several words; whether there is one."""
    joined = _OF_HEADER.match(text, right)
    if joined is None:
        return False
    pos = joined.end()
    opened = _OPENS_HEADER.match(text, pos)
    mark = None
    if opened is not None:
        mark, pos = opened[1], opened.end()
    else:
        around = _AROUND_HEADER.search(text, max(0, left - 20), left)
        mark = around[1] if around is not None else None
    is_cookie = "ookie" in text[left:right].lower()
    if mark is not None:
        closed = closing(text, pos, mark)
        end = closed[0] if closed is not None else _line_end(text, pos)
        joined_on = _JOINED_ON.match(text, closed[1]) if closed is not None else None
        if joined_on is not None and not is_reference(joined_on[0]):
            spans.add(*joined_on.span())
    else:
        end = _bare_header_end(text, pos, is_cookie=is_cookie)
    if not is_cookie:
        scheme = _SCHEME.match(text, pos, end)
        pos = scheme.end() if scheme is not None else pos
    value = text[pos:end].strip()
    if not value or is_reference(value) or value.lower() in ("required", "bearer", "basic", "token"):
        return True
    if mark is None and not is_cookie and not looks_secret(value.split()[0], is_strict=False):
        return True
    spans.add(pos, end)
    return True


def _bare_header_end(text: str, pos: int, *, is_cookie: bool) -> int:
    if is_cookie:
        pairs = _PAIRS.match(text, pos)
        return pairs.end() if pairs is not None else pos
    scheme = _SCHEME.match(text, pos)
    value = value_at(text, scheme.end() if scheme is not None else pos)
    return pos if value is None else value.after


def _line_end(text: str, pos: int) -> int:
    end = text.find("\n", pos)
    return len(text) if end < 0 else end
