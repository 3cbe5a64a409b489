"""What stands behind a name without being assigned to it: arguments, values of options, words of a sentence."""

from __future__ import annotations

import re

from ..late import Late
from .judged import judged, second_of_two
from .judging import Said, Sureness, is_reference
from .values import QUOTE, Value, value_at

_GIVEN = Late(rf"(?P<quotes>{QUOTE}?[\])]?{QUOTE}?)(?:::new)?[ \t]*+(?P<op>[,(])[ \t\n]*+(?=\w?{QUOTE})")
"""`("name", "value")`, `name("value")`."""
_SETTER = Late(
    r"(?:get|set|put|env|with|property|header|variable|fill|type|add|append|default|store|write|save|option|param|config"
    r"|auth|login)\w*(?:\([^()]*)?$",
    re.IGNORECASE,
)
_ENDS_ARGUMENT = Late(r"[ \t\n]*+[),]")
_QUOTED_SQL = Late(r"N?\\{0,8}['\"$]")
_SENTENCE = Late(
    r"(?:[ \t]++(?:for|of|to|on|in|at)[ \t]++(?:the[ \t]++)?[\w.@-]{1,60}(?:[ \t]++[\w.@-]{1,60})?)?"
    r"[ \t]*+(?:,[ \t]*+)?(?<=[ \t])(?:is|was|are|will be|should be|to|as|equals)(?:[ \t]*+:)?[ \t]++",
    re.IGNORECASE,
)
_SET = Late(
    r"\b(?:setx?|setq|setenv|config:set|env:set|env|config(?:ure)?|export|arg|option|define)"
    r"(?:[ \t]++--?[\w-]+)*[ \t]++(?:\S*[:/])?$",
    re.IGNORECASE,
)
_LOGIN = Late(r"\b(?:login|user(?:name)?|connect|machine)[ \t]++\S{1,80}[ \t]++(?:and[ \t]++)?$", re.IGNORECASE)
_NETRC = Late(r"(?:^|[\n\"'])(?:machine[ \t]++\S{1,80}[ \t]++)?login[ \t]++\S{1,80}[ \t]++$", re.IGNORECASE)
_SQL = Late(
    r"\b(?:create|alter|attach|options|with|user|role|login|identified|credentials?|secret|set|copy|unload|encrypted"
    r"|subscription|server|type|provider|scope|storage)\b",
    re.IGNORECASE,
)
_CHOSEN = {
    Sureness.STRONG: Late(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])(?:[^\s_/.(]{6,}|(?=\S*[+=])[^\s_.(]{6,})"),
    Sureness.TOKEN: Late(r"(?=\D*\d)(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[^\s(]{10,}"),
}
"""What stands behind `password`, or `token`, and is no word of the sentence."""


def given(text: str, left: int, right: int, kind: Sureness) -> Value | None:
    """`f("name", "value")` and `name("value")`."""
    given = _GIVEN.match(text, right)
    if given is None:
        return None
    if given["op"] == "(":
        second = second_of_two(text, given.start("op"))
        if kind is Sureness.WEAK or (second is not None and "redential" in text[left:right]):
            return second
        value = value_at(text, given.end())
    elif not given["quotes"]:
        return None
    else:
        value = value_at(text, given.end())
        if value is None or not _ENDS_ARGUMENT.match(text, value.after):
            return None
    if value is None or not value.is_quoted:
        return None
    word = text[value.start : value.end]
    is_set = text[left:right].isupper() or _SETTER.search(text, max(0, left - 80), right) is not None
    if word.isalpha() and word.islower() and not is_set:
        return None  # a list of names
    return None if is_reference(word) else value


def followed(text: str, left: int, right: int, kind: Sureness) -> Value | None:
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
        return judged(text, pos, kind, Said.OPTION)
    if _SET.search(before) is not None and "\n" not in text[right:pos]:
        said = Said.OPTION if text[left:right].isupper() or "configure" in before or "config" in before else Said.PROSE
        return judged(text, pos, kind, said)
    is_keyword = text[left - 1 : left] == ":" and not text[max(0, left - 2) : left - 1].isalnum()
    if is_keyword and _QUOTED_SQL.match(text, pos):
        return judged(text, pos, kind, Said.SET)
    if kind is Sureness.STRONG and _NETRC.search(before) is not None:
        return judged(text, pos, kind, Said.OPTION)
    if kind is Sureness.STRONG and _LOGIN.search(before) is not None and "\n" not in text[right:pos]:
        return judged(text, pos, kind, Said.PROSE)
    if _QUOTED_SQL.match(text, pos) and _SQL.search(text[max(0, left - 300) : left]) is not None:
        value = value_at(text, pos)
        return (
            value if value is not None and value.is_quoted and not is_reference(text[value.start : value.end]) else None
        )
    return None


def sentence(text: str, left: int, right: int, kind: Sureness) -> Value | None:
    """`the name is value`, and `password value` where the value looks like one."""
    said = _SENTENCE.match(text, right)
    if said is not None and kind > Sureness.WEAK:
        return judged(text, said.end(), kind, Said.PROSE)
    if kind > Sureness.WEAK and text[right : right + 1] == " " and text[max(0, left - 1) : left] in ("", *" \n\"'(`"):
        value = value_at(text, right + 1)
        if value is not None and _CHOSEN[kind].fullmatch(text, value.start, value.end):
            return judged(text, right + 1, kind, Said.PROSE)
    return None
