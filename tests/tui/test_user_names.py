"""What people are called: by an alias, by a short form of a long id, by their name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.sessions import list_sessions
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli, user_names
from agnes_stats.tui.factories import filter_of
from agnes_stats.tui.settings import BadSetting, settings_from

from tests.queries.accesses import NOW
from tests.queries.test_operator import ANN, BOB, store

__all__ = ["store"]

OTHER = "3f2a9c1e-77aa-4000-8000-00000000000b"


@pytest.fixture(autouse=True)
def no_names() -> Iterator[None]:
    yield
    user_names.set_aliases({})
    user_names.learn([])


def test_a_long_id_is_as_short_as_it_can_be() -> None:
    assert user_names.user_name(ANN) == "3f2a9c1e"
    user_names.learn([ANN, OTHER, "bob", "a" * 40])
    assert [user_names.user_name(user) for user in (ANN, OTHER, "bob", "a" * 40)] == [
        *("3f2a9c1e-0", "3f2a9c1e-7", "bob", "a" * 8)
    ]
    assert user_names.user_name(None) == "(this machine)"


def test_an_alias_wins_also_by_the_beginning_of_an_id() -> None:
    user_names.set_aliases({"3f2a9c1e-00": "Dana", "bob": "Robert"})
    assert [user_names.user_name(user) for user in (ANN, OTHER, "bob")] == ["Dana", "3f2a9c1e", "Robert"]
    assert (user_names.asked_for("dana"), user_names.asked_for("eva")) == ("3f2a9c1e-00", "eva")


def test_who_is_unknown_or_may_be_several_is_told() -> None:
    assert user_names.nobody("bob", ["bob", "bobby"]) is None
    assert user_names.nobody("3f2a9c1e-7", [ANN, OTHER]) is None
    user_names.learn([ANN, OTHER])
    several = user_names.nobody("3f2a", [ANN, OTHER])
    assert several is not None and "may be 3f2a9c1e-0" in several and OTHER in several
    assert "nobody called bo; there are bob" in (user_names.nobody("bo", ["bob"]) or "")
    assert "no sessions with people's names" in (user_names.nobody("bo", []) or "")


def test_the_filter_takes_the_beginning_of_an_id_and_of_nothing_else(store: Store) -> None:
    def found(user: str) -> set[str | None]:
        with store.read() as connection:
            rows = list_sessions(connection, Filter(user=user), now=NOW, limit=50, offset=0).rows
        return {row.username for row in rows}

    assert (found(ANN), found("3f2a9c1e"), found("3f2")) == ({ANN}, {ANN}, set())
    assert (found(BOB), found("bo"), found("bobb")) == ({BOB}, set(), set())


def test_a_command_says_that_there_is_nobody(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--store", str(store.path), "--no-ingest"]
    assert cli.main(["sessions", "--user", "eva", *places]) == 2
    assert "nobody called eva; there are 3f2a9c1e" in capsys.readouterr().err
    assert cli.main(["sessions", "--user", "3f2a9c1e", "--json", *places]) == 0
    assert ANN in capsys.readouterr().out


def test_names_come_from_the_config_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[users]\n"3f2a9c1e" = "Dana"\n', "utf-8")
    settings = settings_from({"user": "Dana"}, {}, config)
    user_names.set_aliases(settings.users or {})
    assert filter_of(settings).user == "3f2a9c1e"
    config.write_text('[users]\n"3f2a9c1e" = 7\n', "utf-8")
    with pytest.raises(BadSetting, match="names people"):
        settings_from({}, {}, config)
