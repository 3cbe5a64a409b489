"""Tokens that show by their beginning whose they are. The beginnings are those that their vendors document.

A rule is generous with the length: a token in an example, or one that was cut, is blotted out, too.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .spans import BREAKS, Spans

_WORD, _ALNUM, _HEX = "[A-Za-z0-9_-]", "[A-Za-z0-9]", "[a-f0-9]"

_ANYWHERE: dict[str, str] = {
    # Code and packages
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"{_ALNUM}{{16,}}"),
    "github_pat_": r"\w{16,}",
    **dict.fromkeys(
        ("glpat-", "gldt-", "glrt-", "glrtr-", "glptt-", "glcbt-", "glsoat-", "glft-", "glffct-", "glimt-", "glagent-"),
        r"[A-Za-z0-9_.-]{16,}",
    ),
    "gloas-": rf"{_WORD}{{16,}}",
    "GR1348941": rf"{_WORD}{{16,}}",
    "ATBB": rf"{_ALNUM}{{28,}}",
    **dict.fromkeys(("ATATT3", "ATCTT3"), r"[A-Za-z0-9_=-]{40,}"),
    "npm_": rf"{_ALNUM}{{20,}}",
    "pypi-Ag": rf"{_WORD}{{16,}}",
    "rubygems_": rf"{_HEX}{{16,}}",
    "CLOJARS_": rf"{_ALNUM}{{20,}}",
    **dict.fromkeys(("dckr_pat_", "dckr_oat_", "CCIPAT_", "CCIPRJ_"), rf"{_WORD}{{16,}}"),
    **dict.fromkeys(("bkua_", "bkct_"), rf"{_ALNUM}{{20,}}"),
    "packagist_": r"[a-z]{3}_[a-f0-9]{40,}",
    "sktsec_": rf"{_ALNUM}{{20,}}",
    **dict.fromkeys(("snyk_uat.", "snyk_sat."), r"[A-Za-z0-9_.-]{20,}"),
    "AKCp": rf"{_ALNUM}{{50,}}",
    "cmVmd": rf"{_ALNUM}{{40,}}",
    **dict.fromkeys(("squ_", "sqp_", "sqa_"), rf"{_HEX}{{30,}}"),
    "sgp_": rf"(?:{_ALNUM}{{1,16}}_)?{_HEX}{{30,}}",
    # Clouds and what runs in them
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "ABSK": r"[A-Za-z0-9+/]{60,}={0,2}",
    "bedrock-api-key-": r"[A-Za-z0-9+/=]{16,}",
    "AIza": rf"{_WORD}{{30,}}",
    "ya29.": r"[A-Za-z0-9_.-]{16,}",
    "GOCSPX-": rf"{_WORD}{{16,}}",
    "1//0": rf"{_WORD}{{24,}}",
    "AQ.Ab": rf"{_WORD}{{30,}}",
    "AKID": rf"{_ALNUM}{{32}}(?![A-Za-z0-9])",
    "AQVN": rf"{_WORD}{{35,}}",
    "bce-v3/": r"[A-Za-z0-9/_-]{30,}",
    "LTAI": rf"{_ALNUM}{{16,24}}(?![A-Za-z0-9])",
    **dict.fromkeys(("dop_v1_", "doo_v1_", "dor_v1_"), rf"{_HEX}{{16,}}"),
    "HRKU-": rf"{_WORD}{{20,}}",
    "fo1_": rf"{_WORD}{{30,}}",
    **dict.fromkeys(("fm1r_", "fm1a_", "fm2_"), r"[A-Za-z0-9+/=_,-]{40,}"),
    "v1.0-": rf"{_HEX}{{24}}-{_HEX}{{60,}}",
    **dict.fromkeys(("cfut_", "cfat_", "cfk_"), rf"{_WORD}{{30,}}"),
    **dict.fromkeys(("hvs.", "hvb.", "hvr."), r"[A-Za-z0-9_.-]{16,}"),
    ".atlasv1.": rf"{_WORD}{{40,}}",
    "dapi": rf"{_HEX}{{30,}}(?:-\d)?",
    "tskey-": rf"{_WORD}{{10,}}",
    "glsa_": rf"{_WORD}{{20,}}",
    "glc_": r"[A-Za-z0-9+/=]{30,}",
    "dt0": r"[a-z]\d\d\.[A-Z0-9]{16,}\.[A-Z0-9]{40,}",
    **dict.fromkeys(("NRAK-", "NRII-", "NRJS-"), rf"{_WORD}{{16,}}"),
    **dict.fromkeys(("sntrys_", "sntryu_"), r"[A-Za-z0-9+/=_-]{20,}"),
    "sbp_": rf"{_HEX}{{20,}}",
    "sb_secret_": rf"{_WORD}{{16,}}",
    "AVNS_": rf"{_WORD}{{16,}}",
    "npg_": rf"{_ALNUM}{{12,}}",
    "napi_": rf"{_ALNUM}{{40,}}",
    "mdb_sa_sk_": rf"{_WORD}{{20,}}",
    "CCDB1_": rf"{_ALNUM}{{20,}}_{_ALNUM}{{40,}}",
    "cflt": r"[A-Za-z0-9+/]{60}(?![A-Za-z0-9])",
    **dict.fromkeys(("dbtc_", "dbtu_"), rf"{_WORD}{{30,}}"),
    **dict.fromkeys(("ory_st_", "ory_at_", "ory_rt_", "ory_pat_"), rf"{_ALNUM}{{30,}}"),
    "SWMTKN-1-": r"[a-z0-9]{40,}-[a-z0-9]{20,}",
    "secret-token:": r"[\w.~%+/=-]{10,}",
    "akab-": r"[a-z0-9]{16}-[a-z0-9]{16}",
    "pscale_": r"(?:tkn|pw|oauth)_[\w=.-]{20,}",
    **dict.fromkeys(("nfp_", "vcp_", "pnu_"), rf"{_ALNUM}{{20,}}"),
    **dict.fromkeys(("hcaik_", "hcxik_", "hcamk_", "hcxmk_"), rf"{_ALNUM}{{30,}}"),
    **dict.fromkeys(("xaat-", "xapt-"), r"[a-f0-9-]{36}"),
    "pylf_v1_": rf"{_WORD}{{20,}}",
    "esecret_": rf"{_ALNUM}{{20,}}",
    "ops_ey": r"[A-Za-z0-9+/=_-]{40,}",
    "AGE-SECRET-KEY-1": r"[A-Za-z0-9]{20,}",
    "sha256~": rf"{_WORD}{{40,}}",
    "EZAK": rf"{_ALNUM}{{40,}}",
    "EZTK": rf"{_ALNUM}{{40,}}",
    # Models
    **dict.fromkeys(("gsk_", "pplx-", "hf_", "api_org_"), rf"{_ALNUM}{{20,}}"),
    **dict.fromkeys(("nvapi-", "tgp_v1_", "pcsk_", "lsv2_"), rf"{_WORD}{{20,}}"),
    "jina_": rf"{_ALNUM}{{30,}}",
    **dict.fromkeys(("llx-", "ctx7sk-"), rf"{_WORD}{{20,}}"),
    **dict.fromkeys(("crsr_", "e2b_", "rpa_"), rf"{_ALNUM}{{36,}}"),
    "bb_live_": rf"{_WORD}{{20,}}",
    "wandb_v1_": rf"{_WORD}{{40,}}",
    "sgamp_user_": rf"{_WORD}{{20,}}",
    # Messages and mail
    **dict.fromkeys(
        ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxe-", "xoxc-", "xoxd-"), r"[\w%.+/=-]{10,}"
    ),
    "xoxe.xox": r"[bp]-[A-Za-z0-9-]{10,}",
    **dict.fromkeys(("xapp-", "xwfp-"), r"[A-Za-z0-9-]{10,}"),
    "hooks.slack.com/": r"(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,}",
    "/api/webhooks/": rf"\d{{15,}}/{_WORD}{{30,}}",
    "webhookb2/": r"[A-Za-z0-9@/-]{40,}",
    "SG.": rf"{_WORD}{{16,}}\.{_WORD}{{16,}}",
    **dict.fromkeys(("xkeysib-", "xsmtpsib-"), rf"{_WORD}{{30,}}"),
    # Shops, payments, desks
    **dict.fromkeys(("shpat_", "shpss_", "shpca_", "shppa_", "shprt_"), rf"{_ALNUM}{{16,}}"),
    **dict.fromkeys(
        ("sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "whsec_"), r"[A-Za-z0-9+/=]{10,}"
    ),
    "sq0atp-": rf"{_WORD}{{20,}}",
    "sq0csp-": rf"{_WORD}{{30,}}",
    "EAAA": rf"{_WORD}{{56,}}",
    **dict.fromkeys(("EAAC", "EAAM"), rf"{_ALNUM}{{60,}}"),
    "FLWSECK": r"(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?",
    **dict.fromkeys(("lin_api_", "lin_oauth_"), rf"{_ALNUM}{{20,}}"),
    "ntn_": rf"{_ALNUM}{{30,}}",
    "secret_": r"(?=[A-Za-z]{0,60}\d)[A-Za-z0-9]{40,}",
    "PMAK-": rf"{_HEX}{{20,}}-{_HEX}{{30,}}",
    **dict.fromkeys(("PMAT-", "CFPAT-"), rf"{_WORD}{{20,}}"),
    **dict.fromkeys(("figd_", "figo_", "figor_"), rf"{_WORD}{{20,}}"),
    **dict.fromkeys(("pat-na", "pat-eu"), r"\d-[a-f0-9-]{36}"),
    "ATTA": rf"{_HEX}{{60,}}",
    "dG9rO": r"[A-Za-z0-9+/]{40,}={0,2}",
    **dict.fromkeys(("access-production-", "access-sandbox-"), r"[a-f0-9-]{36}"),
    "access_token$": r"(?:production|sandbox)\$[a-z0-9]{10,}\$[a-f0-9]{30,}",
    "RGAPI-": r"[a-f0-9-]{36}",
    "AAAAAAAAAAAAAAAAAAAAA": r"[\w%+/=-]{60,}",
    "phx_": rf"{_ALNUM}{{30,}}",
    "tfp_": r"[A-Za-z0-9_.-]{40,}",
    "rdme_": rf"{_ALNUM}{{40,}}",
    "duffel_": rf"(?:test|live)_{_WORD}{{30,}}",
    "shippo_": rf"(?:test|live)_{_HEX}{{30,}}",
    "dnkey-": rf"{_WORD}{{26}}-{_WORD}{{40,}}",
    # Hashes of passwords: what a short one hides is soon guessed
    **dict.fromkeys(("$2a$", "$2b$", "$2y$"), r"\d\d\$[./A-Za-z0-9]{40,}"),
    **dict.fromkeys(("$5$", "$6$", "$1$", "$apr1$"), r"(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{20,}"),
    "$argon2": r"i?d?\$v=\d+\$[\w=,]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+",
    **dict.fromkeys(
        ("{SSHA}", "{SHA}", "{SMD5}", "{MD5}", "{SSHA256}", "{SSHA512}", "{SHA256}", "{SHA512}", "{CRYPT}"),
        r"[A-Za-z0-9+/=$.]{12,}",
    ),
    **dict.fromkeys(("pbkdf2_sha256$", "pbkdf2_sha1$", "pbkdf2:sha256:"), r"\d+\$[A-Za-z0-9]+\$[A-Za-z0-9+/=]{20,}"),
    "scrypt:": r"\d+:\d+:\d+\$[A-Za-z0-9]+\$[a-f0-9]{40,}",
    "SCRAM-SHA-256$": r"\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+(?::[A-Za-z0-9+/=]+)?",
    # Azure: what tells of the token stands within it
    "JQQJ99": rf"{_ALNUM}{{26,}}",
    "AZDO": rf"{_ALNUM}{{4}}(?![A-Za-z0-9])",
    "AzFu": rf"{_WORD}{{5}}[AQgw]==",
    "Q~": r"[A-Za-z0-9_~.-]{31,}",
    # Telegram: the number of the bot stands before
    ":AA": rf"{_WORD}{{30,}}",
}
"""Beginning -> what follows it. These are found in any surroundings."""

_AFTER_BREAK: dict[str, str] = {
    "sk-ant-": rf"{_WORD}{{10,}}",
    "sk-": rf"(?=[A-Za-z_-]{{0,60}}\d|[a-z-]{{0,60}}[A-Z]){_WORD}{{16,}}",
    "eyJ": rf"{_WORD}{{6,1500}}\.{_WORD}+(?:\.{_WORD}*){{0,3}}",
    "r8_": rf"{_ALNUM}{{20,}}",
    "fw_": rf"{_ALNUM}{{22,}}",
    "rnd_": rf"{_ALNUM}{{20,}}",
    **dict.fromkeys(
        ("nfo_", "nfc_", "nfu_", "vci_", "vca_", "vcr_", "vck_", "pnb_", "ddp_", "ddw_"),
        rf"(?=[A-Za-z]{{0,40}}\d){_ALNUM}{{20,}}",
    ),
    "re_": rf"{_ALNUM}{{8}}_{_ALNUM}{{24}}(?![A-Za-z0-9])",
    "sk_": rf"(?=[a-z_]{{0,40}}\d){_HEX}{{40,}}",
    "csk-": rf"{_ALNUM}{{40,}}",
    "fc-": rf"{_HEX}{{32}}(?![A-Za-z0-9])",
    "pa-": rf"(?=[A-Za-z_-]{{0,60}}\d)(?=[a-z0-9_-]{{0,60}}[A-Z]){_WORD}{{43}}(?![A-Za-z0-9])",
    "BSA": rf"{_WORD}{{28}}(?![A-Za-z0-9])",
    "sl.": rf"{_WORD}{{100,}}",
    **dict.fromkeys(("sdk-", "mob-"), r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"),
    "xai-": rf"{_ALNUM}{{20,}}",
    "tvly-": rf"{_WORD}{{16,}}",
    "pul-": rf"{_HEX}{{30,}}",
    "ico-": rf"{_ALNUM}{{30,}}",
    "p8e-": rf"{_ALNUM}{{30,}}",
    "live_": rf"{_WORD}{{35,}}",
    "fio-u-": rf"{_WORD}{{40,}}",
    "tk-us-": rf"{_WORD}{{40,}}",
    "sm_": r"(?:aat|pat|sat)_[A-Za-z0-9]{16}",
    "bws_": r"[A-Za-z0-9=.:+/-]{20,}",
    "key-": rf"{_HEX}{{32}}(?![a-z0-9])",
    "SK": rf"{_HEX}{{32}}(?![A-Za-z0-9])",
    "A3-": r"[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){2,3}",
    "SCW": r"(?=[A-Z]{0,17}\d)[A-Z0-9]{17}(?![A-Za-z0-9])",
    "cio": rf"{_ALNUM}{{32}}(?![A-Za-z0-9])",
    "dp.": r"(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{30,}",
    "s.": r"(?=[A-Za-z]{0,24}\d)(?=[a-z0-9]{0,24}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9.])",
    "oy2": r"[a-z0-9]{43}(?![a-z0-9])",
    # A private key, encoded once more
    "LS0tLS1CRUdJTi": r"[A-Za-z0-9+/=\s]{16,}",
    "b3BlbnNzaC1rZXk": r"[A-Za-z0-9+/=\s]{16,}",
}
"""The same for what is also the end or the middle of words."""

_WITHIN = {"JQQJ99": 52, "AZDO": 76, "AzFu": 44}
"""What stands within a token -> how many of its characters stand before."""

_RULES = {begin.lower(): (begin, rest, begin in _AFTER_BREAK) for begin, rest in (_ANYWHERE | _AFTER_BREAK).items()}
ANCHORS = tuple(_RULES)
_compiled = lru_cache(maxsize=None)(re.compile)


def shaped(text: str, start: int, end: int, spans: Spans) -> None:
    """Find the token that begins with one of the beginnings, which stands from `start` to `end` in any case."""
    begin = text[start:end]
    written, rest, is_word = _RULES[begin.lower()]
    if begin != written:
        return
    if (
        is_word
        and text[start - 1 : start].isalnum()
        and text[start - 2 : start] not in BREAKS
        and text[start - 3 : start - 2] != "%"
    ):
        return
    found = _compiled(rest).match(text, end)
    if found is None:
        return
    if begin == ":AA":
        number = text[max(0, start - 12) : start]
        digits = len(number) - len(number.rstrip("0123456789"))
        if digits < 6:
            return
        start -= digits
    elif begin in _WITHIN:
        least = _WITHIN[begin]
        if start < least or not text[start - least : start].replace("_", "").replace("-", "").isalnum():
            return
        start -= least
    elif begin == "Q~":
        start = max(0, start - 4)
    spans.add(start, found.end())
