"""What an agent itself says that a session took, beside what its transcripts show, and the difference by name.

Claude Code's own total is cumulative. It counts what is in no transcript (side questions, compaction, calls of its own
helpers) and, after a fork, what the session was forked from had taken until then. It is told now and then, so it is
compared with what the transcripts show up to that moment.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .money import exact_sum, known_usd

if TYPE_CHECKING:
    from .store import Reader

CENT = 0.005
"""USD: money that differs by less is the same to the cent."""

_MOST_FORKS = 20
_WRAPPING = re.compile(r"\[[^]]*\]$|^(?:[a-z-]+\.)?anthropic\.|[-@]20\d{6}(?!\d).*$|-v\d+(?::\d+)?$")


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens of all kinds and USD; the cost is None where nothing of it has a price."""

    tokens: int = 0
    cost_usd: float | None = None

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, known_usd((self.cost_usd, other.cost_usd)))


@dataclass(frozen=True, slots=True)
class ModelDifference:
    """Of one model: what the transcripts show up to the moment of the own total, and what that says."""

    model: str
    shown: Amount
    before_fork: Amount
    """Shown in what the session was forked from, up to the fork."""
    own: Amount

    @property
    def missing_tokens(self) -> int:
        """In no transcript; negative where the transcripts show more."""
        return self.own.tokens - self.shown.tokens - self.before_fork.tokens

    @property
    def missing_usd(self) -> float:
        """The same in money, as far as it is known; prices that differ are in it."""
        known = [amount.cost_usd or 0.0 for amount in (self.own, self.shown, self.before_fork)]
        return known[0] - known[1] - known[2]

    @property
    def is_equal(self) -> bool:
        """Whether both say the same."""
        return self.missing_tokens == 0 and abs(self.missing_usd) < CENT


@dataclass(frozen=True, slots=True)
class SessionOwnTotal:
    """One session's own total, and where it differs."""

    session_id: str
    as_of: dt.datetime | None
    """UTC without a zone; None: at a time that is not known, compared with all that the transcripts show."""
    cost_usd: float | None
    """As the agent says it."""
    is_incomplete: bool
    """The agent had no price for some of it."""
    forked_from: str | None
    models: list[ModelDifference]
    """By name."""

    @property
    def shown(self) -> Amount:
        """What the transcripts show of the session, up to that moment."""
        return _sum(model.shown for model in self.models)

    @property
    def before_fork(self) -> Amount:
        """What it was forked from shows, up to the fork."""
        return _sum(model.before_fork for model in self.models)

    @property
    def own_tokens(self) -> int:
        """Tokens as the agent says them."""
        return sum(model.own.tokens for model in self.models)

    @property
    def unnamed_usd(self) -> float | None:
        """What the agent says of the whole beyond what it says of its models; None if that is less than a cent."""
        if self.cost_usd is None:
            return None
        rest = self.cost_usd - (known_usd(model.own.cost_usd for model in self.models) or 0.0)
        return rest if abs(rest) >= CENT else None

    @property
    def differences(self) -> list[ModelDifference]:
        """The models of which it says something else, the largest difference in tokens first."""
        found = [model for model in self.models if not model.is_equal]
        return sorted(found, key=lambda model: (-abs(model.missing_tokens), model.model))

    @property
    def missing_tokens(self) -> int:
        """In no transcript, all models together; negative where the transcripts show more."""
        return sum(model.missing_tokens for model in self.models)

    @property
    def is_equal(self) -> bool:
        """Whether the transcripts show all that it says."""
        return not self.differences and self.unnamed_usd is None


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total += amount
    return total


def plain_model(name: str) -> str:
    """A model's name without day, context window and cloud: an agent's own totals may name it otherwise."""
    before = ""
    while before != name:
        before, name = name, _WRAPPING.sub("", name)
    return name


@dataclass(frozen=True, slots=True)
class _OwnTold:
    session_id: str
    model: str
    as_of: dt.datetime | None
    tokens: int
    cost_usd: float | None
    is_incomplete: bool
    forked_from: str | None
    forked_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Shown:
    session_id: str
    model: str
    tokens: int
    cost_usd: float | None


_TOLD = """
    SELECT o.session_id, o.model, o.ts AS as_of, coalesce(o.total_tokens, 0) AS tokens, o.cost_usd,
        coalesce(o.is_incomplete, false) AS is_incomplete, f.value AS forked_from, f.ts AS forked_at
    FROM own_totals o JOIN own_totals w ON w.session_id = o.session_id AND w.model = ''
        AND w.path = o.path AND w.pos = o.pos
    LEFT JOIN session_lasts f ON f.session_id = o.session_id AND f.kind = 'forked_from'
    WHERE {which} ORDER BY o.session_id, o.model
"""

_SHOWN = f"""
    SELECT w.session_id, r.model, sum(r.total_tokens)::BIGINT AS tokens, {exact_sum("r.cost_usd")} AS cost_usd
    FROM own_totals w JOIN responses r ON r.session_id = w.session_id
        AND (w.ts IS NULL OR r.ts IS NULL OR r.ts <= w.ts)
    WHERE w.model = '' AND {{which}} GROUP BY w.session_id, r.model
"""

_BEFORE = f"""
    SELECT $id AS session_id, model, sum(total_tokens)::BIGINT AS tokens, {exact_sum("cost_usd")} AS cost_usd
    FROM responses WHERE session_id = $id AND ($until::TIMESTAMP IS NULL OR ts IS NULL OR ts <= $until) GROUP BY model
"""

_FORK = "SELECT value, ts FROM session_lasts WHERE session_id = $id AND kind = 'forked_from'"


def own_total(connection: Reader, session_id: str) -> SessionOwnTotal | None:
    """The own total of one session; None if its agent told none."""
    found = _totals(connection, "w.session_id = $session", {"session": session_id})
    return found[0] if found else None


def own_totals(connection: Reader) -> list[SessionOwnTotal]:
    """The own totals of all sessions that have one, by id."""
    return _totals(connection, "true", {})


def _totals(connection: Reader, which: str, parameters: Mapping[str, object]) -> list[SessionOwnTotal]:
    told = connection.ask(_OwnTold, _TOLD.format(which=which), parameters)
    shown = connection.ask(_Shown, _SHOWN.format(which=which), parameters) if told else []
    by_session: dict[str, list[_Shown]] = {}
    for row in shown:
        by_session.setdefault(row.session_id, []).append(row)
    return [
        _total(connection, list(rows), by_session.get(session_id, []))
        for session_id, rows in itertools.groupby(told, key=lambda row: row.session_id)
    ]


def _total(connection: Reader, told: Sequence[_OwnTold], rows: Sequence[_Shown]) -> SessionOwnTotal:
    whole = next(row for row in told if row.model == "")
    own = _by_model(row for row in told if row.model != "")
    shown, before = _by_model(rows), _before_fork(connection, whole)
    nothing = Amount()
    return SessionOwnTotal(
        whole.session_id,
        whole.as_of,
        whole.cost_usd,
        whole.is_incomplete,
        whole.forked_from,
        [
            ModelDifference(model, shown.get(model, nothing), before.get(model, nothing), own.get(model, nothing))
            for model in sorted({*shown, *before, *own})
        ],
    )


def _by_model(rows: Iterable[_OwnTold | _Shown]) -> dict[str, Amount]:
    amounts: dict[str, Amount] = {}
    for row in rows:
        model = plain_model(row.model)
        amounts[model] = amounts.get(model, Amount()) + Amount(row.tokens, row.cost_usd)
    return amounts


def _before_fork(connection: Reader, whole: _OwnTold) -> dict[str, Amount]:
    """What the sessions show that this one was forked from, each up to the fork, by model."""
    rows: list[_Shown] = []
    seen = {whole.session_id}
    parent, until = whole.forked_from, whole.forked_at
    while parent is not None and parent not in seen and len(seen) <= _MOST_FORKS:
        seen.add(parent)
        rows += connection.ask(_Shown, _BEFORE, {"id": parent, "until": until})
        found = connection.row(_FORK, {"id": parent})
        parent, until = found or (None, None)
    return _by_model(rows)
