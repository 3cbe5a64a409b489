"""What stands behind a name without being assigned to it: arguments, values of options, words of a sentence."""

from __future__ import annotations

import re

from ..late import Late
from .judged import judged, second_of_two
from .judging import Said, Sureness, is_code, is_reference, is_secret, looks_secret
from .values import QUOTE, Value, value_at

_GIVEN = Late(rf"(?P<quotes>{QUOTE}?[\])]?{QUOTE}?)(?:::new)?[ \t]*+(?P<op>[,(])[ \t\n]*+(?=\w?{QUOTE})")
"""`("name", "value")`, `name("value")`."""
_SETTER = Late(
    r"(?:get|set|put|env|with|property|header|variable|fill|type|add|append|default|store|write|save|option|param|config"
    r"|auth|login)\w*(?:\([^()]*)?$",
    re.IGNORECASE,
)
_ENDS_ARGUMENT = Late(r"[ \t\n]*+[),\]]")
_QUOTED_SQL = Late(r"N?\\{0,8}['\"$]")
_SENTENCE = Late(
    r"(?:[ \t]++(?:(?:is|was|has been)[ \t]++)?(?:set|changed|reset|updated|rotated|generated|created|issued))?"
    r"(?:[ \t]++(?:(?:for|of|to|on|in|at|für|fuer|von|zu|zur|zum|pour|de|du|des|del|para|do|da|per|di|della|dla|do|od"
    r"|от|для|к)[ \t]++|d['’])(?:(?:the|la|le|el|der|die|das|den|dem)[ \t]++)?"
    r"[\w.@-]{1,60}+(?:[ \t]++[\w.@-]{1,60}+){0,3}?)?"
    r"(?:[ \t]*+(?:,[ \t]*+)?(?<=[ \t])(?:is|was|are|will be|should be|to|as|equals"
    r"|ist|war|lautet|est|es|era|[éè]|jest|to|это|[-–—→])(?:[ \t]*+:)?[ \t]++|[ \t]*+(?:：|:(?=[ \t]))[ \t]*+)",
    re.IGNORECASE,
)
_IN_ROW = Late(r"\|[ \t]++[*`]{0,3}$")
_NEXT_CELL = Late(r"[*`]{0,3}[ \t]++\|[ \t]++[*`]{0,3}(?=[^\s|])")
_OR_ELSE = Late(
    rf"(?P<quote>{QUOTE})?[\])]{{1,2}}"
    r"(?:[ \t\n]*+(?:\?\?=?|\|\|=?|\bor\b|\{)[ \t\n]*+"
    r"|\.(?:unwrap_or(?:_else)?|or_?[eE]lse|getOrElse|get_or|or)\((?:\|\w{0,9}\|[ \t]*+)?)"
    rf"(?=\w?{QUOTE})"
)
_OR_OTHER = Late(rf"[ \t]*+(?:\?\?=?|\|\|=?)[ \t]*+(?={QUOTE})")
_OF_ENVIRONMENT = Late(r"\b(?:env|process\.env|ENV)\.$")
_FILLED = Late(
    r"[^\s;()]{0,20}(?:\)\.(?:clear\(\)\.)?(?:fill|type|send_?[kK]eys|press_?[sS]equentially|set_?[vV]alue|input)\("
    rf"|/[a-z]{{0,3}}\),|{QUOTE},[ \t]*+with:)[ \t]*+(?={QUOTE})"
)
_DIRECTIVE = Late(r"(?:^|[\n\"'`]|\\n|config set)[ \t]*+$", re.IGNORECASE)
_AUTH = Late(r"[ \t]++(?:[\w.@-]{1,64}[ \t]++)?(?P<value>[^\s\"'`\\]{4,400}+)(?=[ \t]*(?:$|[\n\r\"'`]|\\+[rn]))")
_OF_REDIS = Late(r"redis|valkey|6379|\bnc\b", re.IGNORECASE)
_MECHANISM = Late(r"[ \t]++(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)[ \t]++[A-Za-z0-9+/=]{8,}")
_SLASHED = Late(
    r"(?:[ \t]*+(?::|are|is))?[ \t]++(?P<user>[\w.@+-]{1,64})[ \t]*+[/:|][ \t]*+(?P<value>[^\s\"'`|]{4,200})"
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
        if text[left] == "-":
            word = text[value.start : value.end]
            is_one = is_secret(word, kind, Said.OPTION, is_quoted=False, is_last=True)
            return value if is_one and value.is_quoted else None
        if text[value.after : value.after + 1] == "]":
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
    if (found := _directive(text, left, right)) is not None:
        return found
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


_DIRECTIVES = ("AUTH", "requirepass", "masterauth", "auth-pass")


def _directive(text: str, left: int, right: int) -> Value | None:
    """`AUTH value` and `AUTH user value` as they are sent to Redis or a mail server, `requirepass value` of a file."""
    name = text[left:right]
    if name not in _DIRECTIVES:
        return None
    before = text[max(0, left - 40) : left]
    if name == "auth-pass":
        if not before.lower().endswith("sentinel "):
            return None
        behind = _AUTH.match(text, right)
        return None if behind is None else Value(*behind.span("value"), behind.end(), False)
    if _DIRECTIVE.search(before) is None:
        return None
    if name != "AUTH":
        return judged(text, right + 1, Sureness.STRONG, Said.TOLD)
    found = _AUTH.match(text, right)
    if found is None or is_reference(found["value"]):
        return None
    is_sent = _OF_REDIS.search(text, max(0, left - 200), right + 200) is not None or _MECHANISM.match(text, right)
    if is_sent or looks_secret(found["value"], is_strict=False):
        return Value(*found.span("value"), found.end(), False)
    return None


def or_else(text: str, left: int, right: int, kind: Sureness) -> Value | None:
    """`os.getenv("name") or "value"`, `process.env.NAME ?? "value"`, `page.locator("#name").fill("value")`."""
    if kind is Sureness.WEAK:
        return None
    before = text[max(0, left - 16) : left]
    other = _OR_ELSE.match(text, right)
    if other is None:
        if _OF_ENVIRONMENT.search(before) is not None or text.startswith(("process.env.", "ENV."), left):
            other = _OR_OTHER.match(text, right)
        if other is None:
            other = _FILLED.match(text, right)
        if other is None:
            return None
    value = value_at(text, other.end())
    if value is None or not value.is_quoted:
        return None
    word = text[value.start : value.end]
    return None if is_reference(word) or (word.isalpha() and word.islower()) else value


def sentence(text: str, left: int, right: int, kind: Sureness) -> Value | None:
    """`the name is value`, and `password value` where the value looks like one."""
    if kind is Sureness.WEAK:
        return _two_words(text, left, right)
    said = _SENTENCE.match(text, right)
    if said is not None and text[right] != ":":
        return judged(text, said.end(), kind, Said.PROSE)
    if _IN_ROW.search(text, max(0, left - 20), left) is not None:
        cell = _NEXT_CELL.match(text, right)
        value = None if cell is None else judged(text, cell.end(), kind, Said.PROSE)
        return None if value is None or is_code(text[value.start : value.end + 1]) else value
    if text[right : right + 1] == " " and text[max(0, left - 1) : left] in ("", *" \n\"'(`"):
        value = value_at(text, right + 1)
        if value is not None and _CHOSEN[kind].fullmatch(text, value.start, value.end):
            return judged(text, right + 1, kind, Said.PROSE)
    return None


def _two_words(text: str, left: int, right: int) -> Value | None:
    """`creds: user / value`."""
    if text[left : left + 4].lower() != "cred":
        return None
    found = _SLASHED.match(text, right)
    if found is None or not looks_secret(found["value"], is_strict=False):
        return None
    return Value(*found.span("value"), found.end(), False)
