"""Credentials never reach the store, and texts without any stay as they are."""

import re
import time

import pytest
from agnes_stats.ingest import redact
from agnes_stats.ingest.redact import redacted
from agnes_stats.ingest.redact.names import named as named_rule

from tests.ingest import credentials_elsewhere as elsewhere
from tests.ingest import credentials_mixed as mixed
from tests.ingest import credentials_named as named
from tests.ingest import credentials_placed as placed
from tests.ingest.no_credentials import TEXTS

SECRETS = ("hunter2Zq9XsecretTail", "correct-horse9-battery", "pA55w0rd!xQ", "S3cr3t+/aB==")

BEGIN = "-----BEGIN PRIVATE KEY-----"
STATIC = "-----BEGIN OpenVPN Static key V1-----"

CASES = {
    "json": named.JSON,
    "assignments": named.ASSIGNMENTS,
    "headers": named.HEADERS,
    "programs": placed.PROGRAMS,
    "statements": placed.STATEMENTS,
    "connections": placed.CONNECTIONS,
    "urls": placed.URLS,
    "sentences": placed.SENTENCES,
    "private keys": placed.PRIVATE_KEYS,
    "mixed": mixed.MIXED,
    "names in other languages": elsewhere.LANGUAGES,
    "forms": elsewhere.FORMS,
    "files": elsewhere.FILES,
    "escaped quotation marks": elsewhere.QUOTED,
    "other programs": elsewhere.COMMANDS,
    "other statements": elsewhere.STATEMENTS,
    "code": elsewhere.CODE,
    "other sentences": elsewhere.SENTENCES,
}


def cases(block: str) -> list[str]:
    """The cases of a block: lines up to one with the mark in it."""
    found, lines = [], []
    for line in block.strip("\n").split("\n"):
        lines.append(line)
        if "¤" in line:
            found.append("\n".join(lines))
            lines = []
    return found


@pytest.mark.parametrize("kind", CASES)
def test_no_part_of_a_credential_is_left(kind: str) -> None:
    left = []
    for case in cases(CASES[kind]):
        for secret in SECRETS:
            text = redacted(case.replace("¤", secret))
            if secret[:6] in text or secret[-6:] in text:
                left.append(text)
    assert not left


@pytest.mark.parametrize("kind", CASES)
def test_what_was_blotted_out_once_stays(kind: str) -> None:
    assert cases(CASES[kind])
    for case in cases(CASES[kind]):
        once = redacted(case.replace("¤", SECRETS[0]))
        assert redacted(once) == once


@pytest.mark.parametrize("kind", CASES)
def test_the_beginning_of_a_text_is_what_the_whole_text_begins_with(kind: str) -> None:
    assert cases(CASES[kind])
    for case in cases(CASES[kind]):
        text = case.replace("¤", SECRETS[0])
        whole = redacted(text)
        for limit in range(0, len(text) + 3, 3):
            assert whole.startswith(redacted(text, limit)), (limit, text)


FAR = " " * 360
"""Nearly as far as a rule looks back."""


@pytest.mark.parametrize(
    "text",
    [
        f"echo ann:hunter2Zq9X{FAR}| base64",
        f"echo ann:hunter2Zq9X{FAR}| chpasswd",
        f"echo hunter2Zq9X{FAR}| sudo -S ls",
        f"db:5432:shop:ann:hunter2Zq9X{FAR} > .pgpass",
        f"echo hunter2Zq9X{FAR[:280]}> token",
    ],
)
def test_what_tells_of_a_credential_may_stand_far_behind_what_is_wanted(text: str) -> None:
    assert "hunter2Zq9X" not in redacted(text)
    for limit in range(40):
        assert redacted(text).startswith(redacted(text, limit)), limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PGPASSWORD=hunter2 psql -h db -c 'select 1'", "PGPASSWORD=*** psql -h db -c 'select 1'"),
        ("export API_KEY='very secret'; ls", "export API_KEY='***'; ls"),
        ("psql postgresql://ann:hunter2@db/shop", "psql postgresql://ann:***@db/shop"),
        ("mysql -u root -phunter2 shop", "mysql -u root -p*** shop"),
        ("curl -u ann:hunter2 https://x | jq .", "curl -u ann:*** https://x | jq ."),
        ("curl -H 'Authorization: Bearer abcdefgh12345678' https://x", "curl -H 'Authorization: Bearer ***' https://x"),
        ("agnes auth --token eyJhbGciOi.eyJzdWIi.sig", "agnes auth --token ***"),
        ("tool --password=hunter2 --user ann", "tool --password=*** --user ann"),
        ("echo eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "echo ***"),
        ("git clone https://ghp_abcdefghij0123456789abcd@github.com/x/y", "git clone https://***@github.com/x/y"),
        ('{"password": "a\\"b", "user": "ann"}', '{"password": "***", "user": "ann"}'),
        ('{\\"password\\": \\"a\\\\\\"b\\", \\"user\\": 1}', '{\\"password\\": \\"***\\", \\"user\\": 1}'),
        ("Server=h;Password=a b;Database=d;", "Server=h;Password=***;Database=d;"),
        ("'PASSWORD=hunter2' 'OTHER=1'", "'PASSWORD=***' 'OTHER=1'"),
        (
            "r=https%3A%2F%2Fann%3Aa%21b%2523%40git%2Fx and s=redis%3A%2F%2F%3Ahunter2%40[::1]",
            "r=https%3A%2F%2Fann%3A***%40git%2Fx and s=redis%3A%2F%2F%3A***%40[::1]",
        ),
        ("u=https%3A%2F%2FaB3dE6gH9jK2mN5p%40git", "u=https%3A%2F%2F***%40git"),
        ("https://x/y?token=hunter2&page=2#top", "https://x/y?token=***&page=2#top"),
        ("${DB_PASSWORD:-hunter2}/x", "${DB_PASSWORD:-***}/x"),
        (f"{BEGIN}\nMIIE\n-----END PRIVATE KEY-----\nls", f"{BEGIN}***-----END PRIVATE KEY-----\nls"),
        (f'a = "{BEGIN}\\n" +\n"MIIEvQIBADANBgkqhkiG9w0BAQ\\n" + b', f'a = "{BEGIN}***" + b'),
        ("İ password=hunter2 İ", "İ password=*** İ"),
        ("userPassword:: aHVudGVyMg==\nmail: a", "userPassword:: ***\nmail: a"),
        ("userPassword: {SSHA}aHVudGVyMkh1bnRlcg==", "userPassword: ***"),
        ("数据库密码是hunter2Zq，请连接", "数据库密码是***，请连接"),
        ("パスワードは「hunter2Zq」です", "パスワードは「***」です"),
        ("le mot de passe de la base est hunter2 !", "le mot de passe de la base est *** !"),
        ("user%5Bpassword%5D=hunter2&user%5Bname%5D=ann", "user%5Bpassword%5D=***&user%5Bname%5D=ann"),
        ("ann on >hunter2 <old2pass ~* # user", "ann on >hunter2 <old2pass ~* # user"),
        ("user ann on >hunter2 <old2pass ~* +@all", "user ann on >*** <*** ~* +@all"),
        ("$pw = ConvertTo-SecureString 'hunter2' -Force", "$pw = ConvertTo-SecureString '***' -Force"),
        ('["curl", "-u", "ann:hunter2", "https://x"]', '["curl", "-u", "ann:***", "https://x"]'),
        ('"command": "curl", "args": ["-u", "ann:hunter2"]', '"command": "curl", "args": ["-u", "ann:***"]'),
        ("curl -x ann:hunter2@proxy:8080 https://x", "curl -x ann:***@proxy:8080 https://x"),
        ("stringData:\n  a: hunter2\n  b: x1y2z3\nkind: Secret", "stringData:\n  a: ***\n  b: ***\nkind: Secret"),
        ('{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko"}', '{"kty":"oct","k":"***"}'),
        (f"seed phrase: {'apple river ' * 6}stone", "seed phrase: ***"),
        ("Private-Lines: 1\nAAAAIQDhunter2Zq9XsecretTail=\nPrivate-MAC: x", "Private-Lines: 1\n***Private-MAC: x"),
        (f"{STATIC}\na1\n-----END OpenVPN Static key V1-----", f"{STATIC}***-----END OpenVPN Static key V1-----"),
    ],
)  # fmt: skip
def test_the_rest_of_a_text_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "token",
    [
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghij_KLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwx",
        "glpat-abcdefghij0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "ya29.a0AfH6SMBabcdefghijklmnop",
        "sk-abcdefghijklmnopqrstuvwxyz012345",
        "sk-proj-abc_DEF-0123456789abcdef",
        "sk-ant-api03-abcdefghijklmnop",
        "sk_live_abcdefghijklmnopqrstuvwx",
        "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "pypi-AgEIcHlwaS5vcmcCJGFiY2RlZmdo",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEF",
        "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz",
        "SK0123456789abcdef0123456789abcdef",
        "dapi0123456789abcdef0123456789abcdef",
        "dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "shpat_0123456789abcdef0123456789abcdef",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk",
        "AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE",
        "hvs.CAESIJabcdefghijklmnopqrstuv",
        "lin_api_abcdefghijklmnopqrstuvwxyz0123456789ABCD",
        "ntn_12345678901abcdefghijklmnopqrstuvwxyzABCDEFGHI",
        "secret_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "dp.pt.abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "glsa_abcdefghijklmnopqrstuvwxyz012345_0a1b2c3d",
        "PMAK-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01",
        "sntrys_eyJpYXQiOjE2OTAwMDAwMDB9_abcdefghijklmnop",
        "sbp_0123456789abcdef0123456789abcdef01234567",
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A01234567-123-abcdefabcdef",
        "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx",
        "abc8Q~abcdefghijklmnopqrstuvwxyz0123456",
        "cioabcdefghijklmnopqrstuvwxyz012345",
        "CCIPAT_ULUhR6rJLxYbyzyrP19iMZ_0123456789abcdef0123456789abcdef01234567",
        "re_AbCdEf12_abcdefghijklmnopqrst1234",
        "sk_0123456789abcdef0123456789abcdef0123456789abcdef",
        "vck_abcdefghijklmnopqrst0123",
        "napi_abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01",
        "AVNS_abcdefghijklmnopqrs",
        "AQ.Ab8RN6abcdefghijklmnopqrstuvwxyz0123456",
        "SWMTKN-1-0123456789abcdefghijklmnopqrstuvwxyz0123456789abcd-abcdefghijklmnopqrstuvwxy",
        "secret-token:mercury_production_abcdefgh",
        "access-production-01234567-89ab-cdef-0123-456789abcdef",
        "pbkdf2_sha256$600000$abcdefgh$abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG=",
        f"{'aB3' * 18}JQQJ99{'aB3d' * 8}",
        f"{'aB3d' * 19}AZDOaB3d",
        "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234",
    ],
)
def test_a_token_is_known_by_its_shape(token: str) -> None:
    tail = token[-12:]
    for around in ("{}", "use {} now", "'{}'", '"{}"', "x={};", "({})", "a\\n{}\\nb", "q%20{}", "https://h/?q={}&b=1"):
        assert tail not in redacted(around.format(token)), around


def test_texts_without_credentials_stay() -> None:
    changed = {text: read for text in TEXTS.strip("\n").split("\n") if (read := redacted(text)) != text}
    assert not changed


NASTY = (
    *("password=", "password ", 'token"', '\\"token', 'key: "', "://", "://a@", "a:b@", "Bearer '", "Cookie: ", "eyJ-"),
    *("mysql -p ", '"openssl ', "curl -u ", "vault put x=", "sk-sk-", "secret_:", "SG.", "s3(", "crypt(", "token=f("),
    *("-----BEGIN PRIVATE KEY-----", "{", "\\", "'", '"', " ", "a", "=", f"token{' ' * 20}", "${KEY:-", "%22token"),
    *("密码是", "密码: ", '"kty', '"kty"k":"', "mnemonic abc ", "jwt.sign(", 'curl", "', 'send "', "acl setuser "),
    *("stringData: {a: ", "stringData:\n a: b", "%5Fkey=", "token%5F", "Passwort von ", "| token | ", "user a on >"),
    *('password") or ', "password').fill(", "AUTH ", "openrowset('", ":5432:", "aJQQJ99", "clé ", "ключ "),
    *("creds: a / ", "password from 'a' to "),
    *("pgpass", "echo ", "name: token\n  ", "password: |\n  ", "create secret ", "auth=('a',", ":AA", "IDENTIFIED BY "),
)  # fmt: skip


@pytest.mark.parametrize("unit", NASTY)
def test_the_time_it_takes_is_proportional_to_the_length(unit: str) -> None:
    def cost(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        begun = time.process_time()
        redacted(text)
        return (time.process_time() - begun) / length

    redacted(unit)
    small = min(cost(2_000) for _ in range(3))
    large = min(cost(20_000) for _ in range(2))
    # Twenty microseconds for a character are ten times what the worst takes.
    assert large < max(4 * small, 2e-7) and large < 2e-5


def test_the_first_texts_are_looked_through_as_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the pattern of all anchors is compiled, and in the moment in which it is."""
    secret = SECRETS[0]
    texts = [*(case.replace("¤", secret) for block in CASES.values() for case in cases(block)), *TEXTS.splitlines()]
    texts = texts[::23]
    expected = [redacted(text) for text in texts]
    before = []
    for text in texts:
        monkeypatch.setattr(redact, "_pattern", None)
        monkeypatch.setattr(redact, "_texts", 0)
        before.append(redacted(text))
        if redact._pattern is None:
            assert before[-1] == text
    assert before == expected and any(secret not in text for text in before)


def test_a_few_names_compile_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_pattern", None)
    monkeypatch.setattr(redact, "_texts", 0)
    for number in range(redact._BY_ITSELF + 1):
        assert redact._pattern is None
        assert redacted(f"claude-opus-{number}") == f"claude-opus-{number}"
    assert redact._pattern is not None


def test_every_anchor_is_found_from_its_rarest_character() -> None:
    for anchor in redact._RULES.keys() - redact._ONLY.keys():
        assert not anchor.isascii() or anchor[redact._pivot(anchor)] in redact._PIVOTS, anchor
        text = f" {anchor} "
        redact._pattern = redact._pattern or re.compile(redact._searched(filter(str.isascii, redact._RULES)))
        places = [(at, other) for at in range(len(text)) for other in redact._RULES if text.startswith(other, at)]
        first = min(places, key=lambda place: (place[0], -len(place[1])))
        assert next(iter(redact._anchors_in(text))) == first


def test_at_an_anchor_all_those_are_looked_for_that_begin_within_it() -> None:
    anchors = [*redact._RULES][::3]
    assert len(anchors) > 100
    for anchor in anchors:
        within, steps, _ = redact._steps(anchor)
        expected = {
            (at, other)
            for at in range(len(anchor))
            for other in redact._RULES
            if anchor.startswith(other, at) or (at and other.startswith(anchor[at:]))
        }
        found = {(at, other) for at, other, _ in steps}
        # Of names one is enough, which is read from its beginning to its end.
        assert all(redact._RULES[other] == (named_rule,) for _, other in expected - found)
        assert found <= expected
        ends = [(at, at + len(other), rule) for at, other, rules in steps for rule in rules]
        assert [*within] == [step for step in ends if step[1] <= len(anchor)]
