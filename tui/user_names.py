"""How a person is called on the screen: by an alias of the config file, else by a short form of a long id.

A server's folder has a folder for each person, which is called by the server's id of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

ME = "(this machine)"
"""Who has no name: whoever uses this machine."""

_LONG_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{24,64}")

_SHORT = 8
_LEAST = 4
"""Characters of an id that are enough to name who has it; see `queries.filters.is_user`."""

_MOST = 10
"""People who are listed in a sentence."""

_aliases: dict[str, str] = {}
_short: dict[str, str] = {}


def set_aliases(aliases: Mapping[str, str]) -> None:
    """Name people, by id, or by the beginning of one, as the config file does under [users]."""
    _aliases.clear()
    _aliases.update(aliases)


def learn(users: Iterable[str]) -> None:
    """Take note of who there is: an id is shortened as far as nobody else's begins alike."""
    ids = sorted({user for user in users if _LONG_ID.fullmatch(user)})
    _short.clear()
    for user in ids:
        length = _SHORT
        while length < len(user) and any(other != user and other.startswith(user[:length]) for other in ids):
            length += 1
        _short[user] = user[:length]


def user_name(user: str | None) -> str:
    """How a person is shown."""
    if user is None:
        return ME
    alias = _alias_of(user)
    if alias is not None:
        return alias
    return _short.get(user) or (user[:_SHORT] if _LONG_ID.fullmatch(user) else user)


def _alias_of(user: str) -> str | None:
    if user in _aliases:
        return _aliases[user]
    return next((alias for start, alias in _aliases.items() if len(start) >= _LEAST and user.startswith(start)), None)


def asked_for(name: str) -> str:
    """Whom `--user` asks for: the id of an alias, else the name as it is."""
    return next((user for user, alias in _aliases.items() if alias.casefold() == name.casefold()), name)


def nobody(asked: str, users: Iterable[str]) -> str | None:
    """Why `--user` leaves nothing, in words: nobody is called so, or several are; None if it is one person."""
    known = sorted(set(users))
    wanted = asked_for(asked)
    if wanted in known:
        return None
    meant = [user for user in known if len(wanted) >= _LEAST and user.startswith(wanted) and _LONG_ID.fullmatch(user)]
    if len(meant) == 1:
        return None
    if meant:
        return f"--user: {asked} may be {_listed(meant)}; give more of the id"
    if not known:
        return f"--user: there is nobody called {asked}: no sessions with people's names are in the store"
    return f"--user: there is nobody called {asked}; there are {_listed(known)}"


def _listed(users: list[str]) -> str:
    told = [user if user_name(user) == user else f"{user_name(user)} ({user})" for user in users[:_MOST]]
    return ", ".join(told) + (f" and {len(users) - _MOST} more" if len(users) > _MOST else "")
