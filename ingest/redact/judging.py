"""Whether a name is that of a credential, and whether a value is one: not a variable, a placeholder, code or prose."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from ..late import Late


class Sureness(IntEnum):
    """How surely a name is that of a credential."""

    NONE = 0
    WEAK = 1
    """Only if its value looks like one: `auth`, `pin`, `session`."""
    TOKEN = 2
    """Its value is one unless it is a plain word or number: `token`, `api_key`."""
    STRONG = 3
    """`password`, `secret`."""


class Said(IntEnum):
    """How a name and its value are joined."""

    SET = 0
    """`name=value`, also of an option or a parameter."""
    SPACED = 1
    """`name = value`, as code and configuration have it."""
    TOLD = 2
    """`name: value`, which may be prose."""
    OPTION = 3
    """`--name value`."""
    PROSE = 4
    """`the name is value`."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTS = Late(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\dA-Za-z_]+")

_STRONG = Late(
    r".*(?:password|passwd|passwort|passphrase|passcode|passkey|pwd|pswd|secret|credential)s?|(?!by|com|encom|sur|tres"
    r"|over|under)\w+pass|pw|psw|psk|masterauth"
    r"|.*kennwort|.*geheimnis|zugangscode|mdp|motdepasse|palavrapasse|contrasen\w*|senhas?|segred[oi]|segret[oi]"
    r"|parolachiave|hasl[oa]|sekrety?|парол\w*|секрет\w?|.*wachtwoord|losenord|passord|adgangskode|salasana"
    r"|sifre|jelszo"
)
_TOKEN = Late(
    r"pass|.*token|.*(?:api|access|secret|private|encryption|signing|account|shared|master|auth|subscription|license|storage"
    r")key|jwt|bearer|apikeys|(?:php|j|asp)sess(?:ion)?id"
    r"|jetons?|claves?|токен\w*|(?:api|zugriffs?|geheim)schlue?ssel"
)
_WEAK = words("auth authorization pin otp totp cookie cookies sid sig signature session sas hmac creds cred parola")
_KEYS = words("""
    api app application access secret private encryption encrypt encrypted decryption signing sign account
    shared master auth authorization admin storage service services session subscription function functions host
    license licence client consumer deploy deployment webhook web security hmac aes rsa gpg pgp crypto kms root
    user server write read personal integration developer dev production prod live test bot openai anthropic
    gemini groq mistral stripe sendgrid mailgun twilio datadog newrelic sentry github gitlab azure aws gcp
    google cloudflare heroku supabase firebase algolia pinecone cohere replicate elastic grafana honeycomb
    segment amplitude mixpanel rekey symmetric vault tsig wep wpa preshared pre activation wireguard vapid
    kaggle openrouter deepseek perplexity huggingface hf xai tavily serper serpapi exa firecrawl voyage jina weaviate
    qdrant langsmith langchain langfuse wandb comet replicate together fireworks elevenlabs deepgram assemblyai
    notion airtable trello zendesk intercom hubspot shopify paypal plaid razorpay coinbase binance etherscan infura
    alchemy moralis mapbox openweather newsapi giphy tmdb omdb rapidapi rapid contentful cloudinary fastly netlify
    vercel digitalocean linode vultr hetzner scaleway godaddy porkbun tailscale ngrok circleci buildkite codecov
    sonar snyk bugsnag rollbar splunk pagerduty opsgenie launchdarkly posthog mailchimp mailjet postmark brevo
    resend nexmo vonage plivo pusher ably pubnub onesignal recaptcha hcaptcha turnstile okta nuget pypi npm
    artifactory snowflake databricks clickhouse
""")
_KEYS_ELSEWHERE = words("cle clave chave chiave klucz klucza schlussel schluessel ключ ключи ключа")
_OF_KEYS_ELSEWHERE = _KEYS | words("""
    secrete secreta secreto segreta segreto privee privada privata acces acceso accesso tajny geheimer geheim privater
    d de
""")
"""Before `key`: `api_key`. Others are those of tables, caches and objects."""
_OTHER_KEYS = words("""
    public primary foreign cache sort partition row unique idempotency routing group object dict config map json
    hash column index lookup natural surrogate composite candidate bucket s3 translation i18n hot shortcut arrow
    enter escape tab foreignkey cluster dist join order parent
""")
_NOT_SECRETS = words("""
    name names count counts counter file files filename filepath path paths dir directory folder url uri urls
    endpoint host port type types kind arn ref refs reference length len size sizes limit limits budget usage
    used max min total expiry expires expire expiration expired expiring ttl age at policy policies rule rules
    field fields column columns input output prompt prompts store storage manager provider providers helper
    handler class version format regex regexp pattern index idx status state valid validity validation validator
    enabled disabled required optional rotation reset resets stdin fd hint hints strength source scope scopes
    algorithm iterations bits pair spec map exchange rate cost price per in out window ratio estimate estimates
    page model dialog form forms label title description docs doc error errors test tests util utils service
    request requests response responses callback location region fingerprint thumbprint mode ring chain ids id
    level changed changes generator length num number budgets throughput speed embedding embeddings env var vars
    variable
""")
"""The end of a name that speaks about a credential and is none."""
_SECRET_ENDS = (("key", "id"), ("secret", "id"))
_SECRET_NAMES = words("SAMLResponse samlresponse KEY_SOURCE")
"""Whose last word speaks about a credential elsewhere."""


def _parts(name: str) -> list[str]:
    return [found[0] for found in _PARTS.finditer(name if name.isascii() else _without_accents(name))]


def _without_accents(name: str) -> str:
    from unicodedata import combining, normalize

    letters = normalize("NFKD", name.translate({0x142: "l", 0x141: "L", 0xDF: "ss", 0x131: "i", 0xF8: "o"}))
    # Cyrillic й and ё stay: only marks on Latin letters are dropped.
    return normalize("NFC", "".join(c for at, c in enumerate(letters) if not combining(c) or letters[at - 1] > "\x7f"))


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Sureness:
    """How surely a name, as written anywhere, is that of a credential."""
    parts = [part.lower() for part in _parts(name) if not part.isdigit()]
    if not parts:
        return Sureness.NONE
    if tuple(parts[-2:]) in _SECRET_ENDS or name in _SECRET_NAMES:
        return Sureness.TOKEN
    if parts[-1] in _NOT_SECRETS:
        return Sureness.NONE
    if not _KEYS_ELSEWHERE.isdisjoint(parts) and not _OF_KEYS_ELSEWHERE.isdisjoint(parts):
        return Sureness.TOKEN
    kinds = [_kind_of_part(part, parts[at - 1] if at else "", name) for at, part in enumerate(parts)]
    return max(kinds)


def _kind_of_part(part: str, before: str, name: str) -> Sureness:
    if part in ("secret", "secrets") and not before:
        return Sureness.TOKEN
    if _STRONG.fullmatch(part):
        return Sureness.STRONG
    if _TOKEN.fullmatch(part):
        return Sureness.TOKEN
    if part in ("key", "keys"):
        if before in _KEYS:
            return Sureness.TOKEN
        return Sureness.WEAK if before and before not in _OTHER_KEYS and name.isupper() else Sureness.NONE
    if part == "passe":
        return Sureness.STRONG if before in ("de", "palavra") else Sureness.NONE
    if part == "assertion":
        return Sureness.TOKEN if before == "client" else Sureness.NONE
    if part == "pat":
        return Sureness.TOKEN if before and name.isupper() else Sureness.NONE
    if part in _WEAK or part == "tokens":
        return Sureness.TOKEN if name == "_auth" else Sureness.WEAK  # npm's
    return Sureness.NONE


# -- values ------------------------------------------------------------------------------------------------------

_STANDS_FOR = Late(
    r"""\s*(?:
      \$\(.* | \$\{\{.* | \{\{.* | `.*
    | \$\{{0,2}[A-Za-z_][\w.:]*(?:\[[^\]]*\])?\}{0,2} | \$\d | %[A-Za-z_]\w*% | [@\#]\{[\w.]+\}
    | \$\{\w+(?::?\?[^}]*|:?[-=+])?\}
    | \{[\w.\[\]"'()!:]*\} | <[^<>]*>? | \[[\w\ -]*\] | %[sdrqv] | \?+ | :\w+
    | !(?:vault|secret|ref|sub|getatt|env\w*)\b.* | (?:id|type|src|source|env)=[\w.,=/-]*
    | (?:pass:)?\*{2,} | \*{3}[@:/;,&].* | [xX]{3,} | [.…]{2,} | -+ | _+
    | (?:your|insert|enter|put)[-_\ ].* | your\w* | .*[-_\ ]here
    | (?:my|some|the|an?|new|old|this|user|db|database)[-_\ ](?:super[-_\ ])?
      (?:secret|password|token|key|api[-_\ ]key|value)[-_\ \w]*
    | (?:placeholder|redacted|hidden|masked|todo|tbd|changeme|none|null|nil|undefined|true|false|yes|no|on|off|empty
      |required|optional|include|omit|same-origin|string|str|int|integer|bool|boolean|bytes|text|any|object|number
      |erforderlich|falsch|leer|unbekannt|requis|vide|requerid[oa]|obligatori[oa]|obrigat[óo]ri[oa]|wymagan[ea]|puste
      |unknown|varchar|secretstr|never|default|password|passwd|secret|token|bearer|basic|hidden|submit)
      (?:[?!,;)\]].*)?
    | (?:/(?:dev|run|etc|var|tmp|vault|secrets)|~|\.\.?)/[\w./-]+
    | \(?(?:convert(?:to|from)-securestring|get-(?:credential|secret|content|azkeyvault\w+|item\w*|random)|read-host
      |import-clixml|new-object|new-guid)\b.*
    )\s*""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_DEFAULT = Late(r"\$\{\w+:?[-=+]([^}]+)\}")
_CALL = Late(r"(?:await\s|new\s|&|\*)?[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)*[(\[{]")
_ATTRIBUTE = Late(r"&?[A-Za-z_$]+[\w$]*(?:(?:\.|::|->)[A-Za-z_][A-Za-z_]*)+[!?,;:)]*")
_SECRET_WORD = Late(r"[a-z_]*(?:pass|pwd|secret|token|key|cred|auth)[a-z_]*", re.IGNORECASE)
_KEYWORD = Late(r"(?:await|new|if|not|lambda|in|is|and|or|for|the|from|await|async|async|return|else)")
_TYPE = Late(r"(?:Optional|Union|List|Dict|Mapping|Sequence|list|dict|Vec|Option|Maybe|Promise|SecretStr)\b.*")
_LOOKED_AT = 200
"""Characters of a value that tell whether it looks chosen at random."""
_NUMBER = Late(r"[-+]?[\d.,_]{1,12}(?:px|ms|s|k|m|g|b|kb|mb|gb|%|x|th|st|nd|rd)?|v?\d+(?:\.\d+)+\S{0,8}", re.IGNORECASE)
_PATH = Late(
    r"(?:[~.]{0,2}/|[A-Za-z]:[\\/]).*|[\w./\\-]+\.(?:json|ya?ml|pem|key|crt|cer|txt|env|py|js|ts|toml|ini|md|sh|sql|pub|p12|jks|csv|html?|go|rs|java|rb|conf|cfg)"
)
_DATE = Late(r"\d{4}-\d\d(?:-\d\d)?(?:[T ].*)?")
_TECHNICAL = Late(
    r"(?:sha|md|utf|base|oauth|http|es|ipv|aes|rsa|v|py|python|node|h|x|web|s|ec|b|k|i)-?\d{1,4}", re.IGNORECASE
)
_WORD_AND_NUMBER = Late(r"[A-Za-z]+[-_]?\d{1,2}")


def _is_count(value: str) -> bool:
    return len(value) < 8 and _NUMBER.fullmatch(value) is not None


def is_reference(value: str) -> bool:
    """Whether a value only stands for one: a variable, a placeholder, a type, nothing."""
    return len(value) < 400 and _STANDS_FOR.fullmatch(value) is not None


def default_in(value: str) -> tuple[int, int] | None:
    """Where in `${NAME:-value}` the value stands; None in anything else."""
    found = _DEFAULT.fullmatch(value)
    return None if found is None or is_reference(found[1]) else found.span(1)


def is_code(value: str) -> bool:
    """Whether a bare value is a piece of a program: a call, an attribute, the name of a variable."""
    return (
        _CALL.match(value) is not None
        or _ATTRIBUTE.fullmatch(value) is not None
        or _SECRET_WORD.fullmatch(value) is not None
        or _KEYWORD.fullmatch(value) is not None
        or _TYPE.fullmatch(value) is not None
    )


def looks_secret(value: str, *, is_strict: bool = True) -> bool:
    """Whether a word looks chosen at random or by somebody who was asked for a digit and a sign."""
    value = value[:_LOOKED_AT].rstrip(".,;:")
    if len(value) < 5 or _NUMBER.fullmatch(value) or _PATH.fullmatch(value) or _DATE.fullmatch(value):
        return False
    has_digit = any(char.isdigit() for char in value)
    has_letter = any(char.isalpha() for char in value)
    if has_digit and has_letter:
        if _TECHNICAL.fullmatch(value):
            return False
        return not (is_strict and _WORD_AND_NUMBER.fullmatch(value))
    if any(char in "!@#$%^&*+=~?" for char in value[:-1]) and has_letter:
        return True
    return len(value) >= 16 and value.isalnum() and value != value.lower() and not value[1:].islower()


def is_secret(value: str, kind: Sureness, said: Said, *, is_quoted: bool, is_last: bool) -> bool:
    """Whether a value that is said of a name is a credential. `is_last`: nothing follows it on its line."""
    if not value or is_reference(value):
        return False
    if is_quoted:
        return kind is Sureness.STRONG or (kind is Sureness.TOKEN and not _is_count(value)) or looks_secret(value)
    if said is Said.PROSE:
        is_pin = kind is Sureness.STRONG and len(value) >= 6 and value.isdigit()
        return is_pin or looks_secret(value, is_strict=kind < Sureness.STRONG)
    if said is Said.OPTION:
        return not value.startswith("-") and (
            kind > Sureness.WEAK or ":" in value or looks_secret(value, is_strict=False)
        )
    return _is_secret_bare(value, kind, said, is_last=is_last)


def _is_secret_bare(value: str, kind: Sureness, said: Said, *, is_last: bool) -> bool:
    if len(value) >= _LOOKED_AT and kind > Sureness.WEAK:
        return True
    if kind is Sureness.WEAK:
        return not is_code(value) and looks_secret(value, is_strict=said is not Said.SET)
    if is_code(value) or (kind is Sureness.TOKEN and (_is_count(value) or _PATH.fullmatch(value))):
        return False
    if said is Said.SET:
        return True
    if kind is Sureness.STRONG:
        return is_last or looks_secret(value, is_strict=False)
    is_long = len(value) >= 12 and "_" not in value
    return looks_secret(value, is_strict=False) or (is_last and (is_long or (len(value) >= 8 and value.isdigit())))
