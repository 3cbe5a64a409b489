"""Passwords and tokens in commands and messages, blotted out before anything is stored.

A transcript holds command lines as they were typed. What the store keeps of them must not be a second place to steal
credentials from, so the usual ways of writing one are replaced by `***`; the rest of the text stays readable.
"""

from __future__ import annotations

import re

BLOT = "***"

_HINTS = (
    *("pass", "pwd", "token", "secret", "key", "bearer", "basic", "://", "eyj", "-p"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "sk-", "xox", "akia"),
)
"""Without any of these, in any case, none of the rules applies."""

_VALUE = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';&|]+)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # PGPASSWORD=…, API_KEY="…", token: …
    (
        re.compile(
            rf"\b(\w*(?:password|passwd|pwd|secret|token|api_?key|access_?key)\w*\s*[=:]\s*)(?!\s)(?!\$){_VALUE}",
            re.IGNORECASE,
        ),
        rf"\1{BLOT}",
    ),
    # --password …, --token=…
    (re.compile(rf"(--(?:password|passwd|token|secret|api-key)[= ]\s*)(?!\$){_VALUE}", re.IGNORECASE), rf"\1{BLOT}"),
    # mysql -psecret: the client takes it only without a space
    (re.compile(r"(\b(?:mysql|mariadb|mysqldump)\b[^\n|;&]*?\s-p)(?=[^\s$])[^\s]+"), rf"\1{BLOT}"),
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+@", re.IGNORECASE), rf"\1{BLOT}@"),
    # Authorization: Bearer …
    (re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1{BLOT}"),
    # Tokens that show what they are
    (
        re.compile(
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\bgh[pousr]_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{16,}"
            r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAKIA[0-9A-Z]{16}\b"
        ),
        BLOT,
    ),
)


def redacted(text: str) -> str:
    """The text with the credentials that can be recognised replaced by `***`; variables such as `$TOKEN` stay."""
    lower = text.lower()
    for hint in _HINTS:
        if hint in lower:
            break
    else:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
