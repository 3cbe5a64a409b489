"""The configuration of the agnes command, its token, and where workspaces are found."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import pickle
from pathlib import Path

import pytest
from agnes_stats.ingest.agnes.account import DEFAULT_SERVER, Token, config_folder, read_account, read_config
from agnes_stats.ingest.agnes.discovery import discover_workspaces, is_shaped

EXPIRY = dt.datetime(2026, 9, 30, 12, 0, tzinfo=dt.UTC)


def jwt(claims: object, subject: str = "secret") -> str:
    """A token as the server makes them; nobody here checks its signature."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'sub': subject})}.{part(claims)}.c2lnbmF0dXJl"


def configure(home: Path, config: str = "", token: object = None) -> Path:
    """A home folder with the configuration of the agnes command."""
    folder = home / ".config" / "agnes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    if token is not None:
        (folder / "token.json").write_text(json.dumps(token), encoding="utf-8")
    return folder


def shape(folder: Path) -> Path:
    (folder / ".claude").mkdir(parents=True)
    (folder / ".claude" / "init-complete").write_text("completed_at: 2026-05-01T00:00:00Z\n")
    return folder


# --- config.yaml ---


@pytest.mark.parametrize(
    ("text", "server", "root"),
    [
        ("server: https://a.example\nworkspace_root: /home/me/ws\n", "https://a.example", "/home/me/ws"),
        ("server: 'https://a.example'   # ours\n", "https://a.example", None),
        ("workspace_root: 'it''s here'\n", None, "it's here"),
        ('workspace_root: "/home/Ren\\xE9e/\\u017Elut\\xFD"\n', None, "/home/Renée/žlutý"),
        ("workspace_root: /home/me/a folder whose name is long enough to be\n  folded\nserver: x\n", "x",
         "/home/me/a folder whose name is long enough to be folded"),
        ('workspace_root: "/home/me/\\\n  folded"\n', None, "/home/me/folded"),
        ("# server: https://old.example\nserver: ~\nother:\n  server: nested\n", None, None),
        ("workspace_root: C:\\Users\\me\n", None, "C:\\Users\\me"),
        ("just text\n", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_config_is_read_as_the_command_writes_it(
    tmp_path: Path, text: str, server: str | None, root: str | None
) -> None:
    config = read_config(configure(tmp_path, text))
    assert (config.server, config.workspace_root, config.problems) == (server, root, ())


def test_a_wanted_value_in_an_unknown_form_is_a_problem_and_costs_only_itself(tmp_path: Path) -> None:
    config = read_config(configure(tmp_path, "server: https://a.example\nworkspace_root: [a, b]\n"))
    assert (config.server, config.workspace_root) == ("https://a.example", None)
    (problem,) = config.problems
    assert problem.line == 2
    assert "workspace_root" in problem.reason


def test_the_config_folder_can_be_named(tmp_path: Path) -> None:
    assert config_folder({"AGNES_CONFIG_DIR": "/etc/agnes"}, tmp_path) == Path("/etc/agnes")
    assert config_folder({"AGNES_CONFIG_DIR": ""}, tmp_path) == tmp_path / ".config" / "agnes"


# --- server and token ---


def test_server_is_that_of_the_environment_then_of_the_config_then_the_default(tmp_path: Path) -> None:
    configure(tmp_path, "server: https://configured.example/\n")
    account = read_account({"AGNES_SERVER": "https://env.example/"}, tmp_path)
    assert (account.server, account.server_from) == ("https://env.example", "AGNES_SERVER")
    account = read_account({}, tmp_path)
    assert (account.server, account.server_from) == ("https://configured.example", "config.yaml")
    account = read_account({}, tmp_path / "nobody")
    assert (account.server, account.server_from) == (DEFAULT_SERVER, "default")


def test_token_is_that_of_the_file_unless_a_hosted_session_brings_one(tmp_path: Path) -> None:
    configure(tmp_path, token={"access_token": "from-file", "email": "me@example.com"})
    hosted = {"AGNES_SESSION_ID": "s1", "AGNES_TOKEN": "from-env"}
    assert header(read_account(hosted, tmp_path).token) == "Bearer from-env"
    assert header(read_account({"AGNES_TOKEN": "from-env"}, tmp_path).token) == "Bearer from-file"
    assert header(read_account({"AGNES_SESSION_ID": "s1", "AGNES_TOKEN": ""}, tmp_path).token) == "Bearer from-file"
    assert header(read_account({"AGNES_TOKEN": "from-env"}, tmp_path / "nobody").token) == "Bearer from-env"
    assert read_account({}, tmp_path / "nobody").token is None


def header(token: Token | None) -> str:
    assert token is not None
    return token.header()


def test_expiry_is_read_from_the_token_without_keeping_it(tmp_path: Path) -> None:
    secret = jwt({"exp": EXPIRY.timestamp()})
    configure(tmp_path, token={"access_token": secret})
    account = read_account({}, tmp_path)
    assert account.token_expires_at == EXPIRY
    assert secret not in repr(account)
    assert secret not in str(account.token)


@pytest.mark.parametrize("length", range(4))
def test_a_token_may_have_any_length(length: int) -> None:
    assert Token(jwt({"exp": EXPIRY.timestamp(), "sub": "x" * length})).expires_at() == EXPIRY


@pytest.mark.parametrize(
    "secret",
    [
        "opaque",
        "a.b",
        "a.!!!.c",
        jwt([]),
        jwt({}),
        jwt({"exp": "soon"}),
        jwt({"exp": True}),
        jwt({"exp": 1e300}),
    ],
)
def test_a_token_without_a_readable_end_has_none(secret: str) -> None:
    assert Token(secret).expires_at() is None


def test_a_token_cannot_be_shown_stored_or_smuggled_into_a_header() -> None:
    token = Token("s3cret")
    assert "s3cret" not in f"{token} {token!r}"
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not stored"):
            leak(token)
    with pytest.raises(ValueError, match="no token has") as caught:
        Token("s3cret\r\nX-Evil: 1")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"access_token": 5}', "\udcff", '{"access_token": "two words"}'])
def test_a_broken_token_file_is_no_token(tmp_path: Path, content: str) -> None:
    folder = configure(tmp_path)
    (folder / "token.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    account = read_account({}, tmp_path)
    assert account.token is None
    assert all("two words" not in problem.reason for problem in account.problems)


def test_the_installers_certificates_are_used_where_they_exist(tmp_path: Path) -> None:
    assert read_account({}, tmp_path).ca_bundle is None
    (tmp_path / ".agnes").mkdir()
    (tmp_path / ".agnes" / "ca-bundle.pem").write_text("")
    assert read_account({}, tmp_path).ca_bundle == tmp_path / ".agnes" / "ca-bundle.pem"


# --- workspaces ---


def test_each_of_the_three_signs_makes_a_workspace(tmp_path: Path) -> None:
    shape(tmp_path / "a")
    (tmp_path / "b" / "user" / "duckdb").mkdir(parents=True)
    (tmp_path / "b" / "user" / "duckdb" / "analytics.duckdb").touch()
    (tmp_path / "c" / "server" / "parquet").mkdir(parents=True)
    (tmp_path / "d" / "server").mkdir(parents=True)
    (tmp_path / "d" / "server" / "parquet").touch()
    assert [is_shaped(tmp_path / name) for name in "abcd"] == [True, True, True, False]


def test_workspaces_are_found_everywhere_and_listed_once(tmp_path: Path) -> None:
    named, anchor = tmp_path / "named", tmp_path / "anchor"
    named.mkdir()
    anchor.mkdir()
    around = shape(tmp_path / "around")
    project = shape(tmp_path / "project")
    for folder in (around / "deep" / "er", project / "notebooks", tmp_path / "plain"):
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(project)
    configure(tmp_path, f"workspace_root: {anchor}\n")
    found = discover_workspaces(
        {"AGNES_LOCAL_DIR": str(named)},
        tmp_path,
        around / "deep" / "er",
        [
            tmp_path / "link",
            str(project / "notebooks"),
            str(tmp_path / "plain"),
            str(around),
            "C:\\ws",
            "/no/such",
        ],
    )
    assert [(workspace.path, workspace.found_by) for workspace in found] == [
        (named, "AGNES_LOCAL_DIR"),
        (anchor, "workspace_root"),
        (around, "cwd"),
        (project, "session"),
    ]


def test_names_that_lead_nowhere_are_no_workspaces(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    configure(tmp_path, f"workspace_root: {tmp_path / 'gone'}\n")
    projects: list[str | Path] = [tmp_path / "loop", "/a\0b", "/\ud800", str(tmp_path / "x") * 200]
    for named in ("", str(tmp_path / "loop"), str(tmp_path / "gone")):
        assert discover_workspaces({"AGNES_LOCAL_DIR": named}, tmp_path, tmp_path, projects) == []


def test_a_relative_or_home_name_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    for named, cwd in (("ws", tmp_path), ("~/ws", Path("/"))):
        (found,) = discover_workspaces({"AGNES_LOCAL_DIR": named}, tmp_path, cwd)
        assert found.path == tmp_path / "ws"
