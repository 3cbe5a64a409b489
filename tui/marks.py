"""The two marks of an amount that is not the whole truth, and what they mean. Nothing else writes them.

≥ stands before what is a lower bound, because the source logged one: tokens, and what they cost. +? stands behind money
of which some tokens have no known price.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from . import format as words

AT_LEAST, UNPRICED = "≥", "+?"

MEANING = (
    f"{AT_LEAST} is a lower bound: that version of the agent logged no final output. {UNPRICED} leaves out what "
    "has no known price."
)
"""What both marks mean, for the help."""

PROVISIONAL = "provisional"
"""What stands beside sums that are told ahead of the store (`tui/soon.py`)."""

STILL_READ = "Provisional: the store is still being filled"
"""The same in a line of notes."""

_MOST_NAMED = 3
"""Models without a price that are named; the rest are counted."""


class Marked(Protocol):
    """Tokens, some of which may have no price, of responses, some of which may be undercounted."""

    @property
    def unpriced_tokens(self) -> int: ...
    @property
    def undercounted(self) -> int: ...


class Used(Marked, Protocol):
    """The same with what they cost."""

    @property
    def cost_usd(self) -> float | None: ...


def tokens(count: words.Number | None, undercounted: int = 0) -> str:
    """A number of tokens: "1.2M", "≥1.2M" if some of the responses are undercounted; "–" if it is not known."""
    told = words.count(count)
    return f"{AT_LEAST}{told}" if undercounted and told != words.NONE else told


def money(usd: words.Number | None, *, unpriced: int = 0, undercounted: int = 0) -> str:
    """US dollars: "$3.12", "≥$3.12", "$3.12+?", "≥$3.12+?"; "+?" if nothing of it has a price, "–" for nothing.

    `unpriced` is the number of tokens without a price, `undercounted` that of responses.
    """
    told = words.usd(usd)
    if told == words.NONE:
        return UNPRICED if unpriced else told
    if undercounted:
        # A bound that is less than a cent is none.
        told = AT_LEAST + (words.usd(0) if told.startswith("<") else told)
    return f"{told}{UNPRICED}" if unpriced else told


def cost(used: Used) -> str:
    """What it cost."""
    return money_of(used.cost_usd, used)


def tokens_of(count: words.Number | None, used: Marked) -> str:
    """A number of tokens that comes from those of `used`: a rate, an average, a projection."""
    return tokens(count, used.undercounted)


def money_of(usd: words.Number | None, used: Marked) -> str:
    """US dollars that come from what `used` cost: a rate, an average, a projection."""
    return money(usd, unpriced=used.unpriced_tokens, undercounted=used.undercounted)


def cost_of(row: dict[str, Any]) -> str:
    """The cost of a row of an answer."""
    return money(row["cost_usd"], unpriced=row["unpriced_tokens"], undercounted=row["undercounted"])


def legends(
    *,
    undercounted: int,
    responses: int,
    unpriced: int,
    tokens: int,
    unpriced_models: Sequence[tuple[str, int]] = (),
    elsewhere: int = 0,
    brief: bool = False,
) -> list[str]:
    """What the marks of a page mean, each with its share; none for a mark that is not there.

    `unpriced` of `tokens` have no price, `undercounted` of `responses` are a lower bound, and a subscription
    pays for `elsewhere` of the tokens, which is said wherever money is shown. `brief` is for narrow lines.
    """
    told = []
    if undercounted:
        share = words.percent(undercounted / responses if responses else None, 0)
        counted = f"{words.count(undercounted)} of {words.plural(responses, 'response')} ({share})"
        told.append(f"{AT_LEAST} in {share}" if brief else f"{AT_LEAST} lower bound: {counted}")
    if unpriced:
        share = words.percent(unpriced / tokens if tokens else None, 0)
        counted = f"{words.plural(unpriced, 'token')} ({share}){_named(unpriced_models)}"
        told.append(f"{UNPRICED} in {share}" if brief else f"{UNPRICED} no known price: {counted}")
    if elsewhere:
        told.append(
            f"{words.count(elsewhere)} elsewhere" if brief else f"billed elsewhere: {words.plural(elsewhere, 'token')}"
        )
    return told


def _named(models: Sequence[tuple[str, int]]) -> str:
    if not models:
        return ""
    more = len(models) - _MOST_NAMED
    named = ", ".join(f"{words.model(name)} {words.count(count)}" for name, count in models[:_MOST_NAMED])
    return f": {named}{f' and {more} more' if more > 0 else ''}"
