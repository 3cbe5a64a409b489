"""Credentials never reach the store."""

import pytest
from agnes_stats.ingest.redact import redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PGPASSWORD=hunter2 psql -h db -c 'select 1'", "PGPASSWORD=*** psql -h db -c 'select 1'"),
        ("export API_KEY='very secret'; ls", "export API_KEY=***; ls"),
        ("psql postgresql://ann:hunter2@db/shop", "psql postgresql://ann:***@db/shop"),
        ("mysql -u root -phunter2 shop", "mysql -u root -p*** shop"),
        ("curl -H 'Authorization: Bearer abcdefgh12345678' https://x", "curl -H 'Authorization: Bearer ***' https://x"),
        ("agnes auth --token eyJhbGciOi.eyJzdWIi.sig", "agnes auth --token ***"),
        ("tool --password=hunter2 --user ann", "tool --password=*** --user ann"),
        ("echo eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "echo ***"),
        ("git clone https://ghp_abcdefghij0123456789abcd@github.com/x/y", "git clone https://***@github.com/x/y"),
    ],
)
def test_a_credential_is_blotted_out_and_the_rest_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "select token_count, password_resets from users",
        "PGPASSWORD=$PGPASSWORD psql -c 'select 1'",
        "ls -p /tmp",
        "mkdir -p a/b/c",
        "cat keys.md",
        "curl https://example.com/a:b@c",
        "docker run -p 8080:80 nginx",
        "explain what a bearer token is",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert redacted(text) == text
