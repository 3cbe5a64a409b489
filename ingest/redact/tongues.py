"""The words for a password, a token, a key in other languages, and how they are joined to their values."""

from __future__ import annotations

import re

from ..late import Late
from .assigned import assigned
from .judged import NOTHING
from .judging import Said, Sureness, is_secret
from .spans import Spans

NAMES = (
    *("kennwort", "geheim", "zugangscode", "schluessel", "schlussel", "schlüssel"),
    *("mdp", "jeton", "cle_", "cle-", "clé"),
    *("contrase", "clave"),
    *("senha", "segredo", "chave"),
    *("parola", "segret", "chiave"),
    *("haslo", "hasło", "sekret", "klucz"),
    *("парол", "токен", "секрет", "ключ"),
    *("wachtwoord", "losenord", "lösenord", "passord", "adgangskode", "salasana", "şifre"),
    *("jelszo", "jelszó"),
)
"""Anchors of names that stand between blanks, as English ones do. What they mean `judging` knows."""

WORDS = (
    *("密码", "密碼", "口令", "令牌", "密钥", "密鑰", "秘钥", "私钥"),
    *("パスワード", "トークン", "シークレット", "秘密鍵", "暗証番号", "apiキー"),
    *("비밀번호", "암호", "토큰", "비밀키"),
)
"""Chinese, Japanese and Korean words, which may stand between others without a blank."""

_AFTER_KEY = Late(
    r"[ \t](?:d[eo] |da |d['’]|dell['’]|della |di |для )?"
    r"(?:api|secr[eèé]t\w*|segret\w*|priv\w+|acc[eè]s\w*|cifrado|tajny|prywatny|доступа|шифрования)\b",
    re.IGNORECASE,
)
_BEFORE_KEY = Late(r"(?:\bapi|\bgeheim\w*|\bprivat\w*|секретн\w*|закрыт\w*|приватн\w*)[ \t]$", re.IGNORECASE)
_KEY = Late(r"(?:cl[eé]|clave|chave|chiave|klucz|schl(?:ü|ue?)ssel|ключ)", re.IGNORECASE)
_BEFORE_PASS = Late(r"\b(?:mots?[ \t]de|palavras?|parola)[ \t]$", re.IGNORECASE)

_SAID = Late(r"[ \t]*+(?:は|是|为|為|[：＝]|[은는이가](?=[ \t「]))?[ \t]*+[「『“《]?")
_CHARS = Late(r"[!-~]{4,400}+")


def phrase(text: str, left: int, right: int, name: str) -> tuple[Sureness, int, int] | None:
    """How surely a name of several words, one of which stands from `left` to `right`, is one, and its place."""
    if name.lower() == "passe":
        before = _BEFORE_PASS.search(text, max(0, left - 20), left)
        return None if before is None else (Sureness.STRONG, before.start(), right)
    if _KEY.fullmatch(name) is None:
        return None
    after = _AFTER_KEY.match(text, right, right + 40)
    if after is not None:
        return Sureness.TOKEN, left, after.end()
    before = _BEFORE_KEY.search(text, max(0, left - 20), left)
    return None if before is None else (Sureness.TOKEN, before.start(), right)


def spoken(text: str, start: int, end: int, spans: Spans) -> None:
    """Find what is said of a word: `密码=x`, `密码：x`, `密码是x`, `パスワードは「x」です`."""
    found = assigned(text, start, end, Sureness.STRONG)
    if found is not None:
        if found is not NOTHING:
            spans.add(found.start, _ascii_end(text, found.start, found.end))
        return
    said = _SAID.match(text, end)
    value = _CHARS.match(text, said.end() if said is not None else end)
    if value is None or said is None:
        return
    word = value[0].rstrip(",;.)\"'`")
    has_colon = "：" in said[0] or "＝" in said[0]
    if is_secret(word, Sureness.STRONG, Said.TOLD if has_colon else Said.PROSE, is_quoted=False, is_last=True):
        spans.add(value.start(), value.start() + len(word))


def _ascii_end(text: str, start: int, end: int) -> int:
    """Where a value ends behind which other words follow without a blank."""
    value = _CHARS.match(text, start, end)
    is_told = value is not None and value.end() < end and ord(text[value.end()]) > 0x2FFF
    return value.end() if is_told and value is not None else end
