"""Rows of responses told in short, as a reading of much hands them over.

Nearly all that a row says of whose a response is, many others say, too. That is told once, as a row of its own with a
number, and beside it by each of them only what is their own, under short names: a sixth of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..queries.facts import RESPONSES, Fact
from ..queries.quoting import quoted
from .batch import Row
from .merged_rows import told_by_merged
from .row_files import encoded_lines, write_each
from .text import keep

if TYPE_CHECKING:
    from .formats.events import Tokens


class ShortRow(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "key": "k",
        "said": "s",
        "ts": "t",
        "pos": "p",
        "output_tokens": "o",
        "total_tokens": "a",
        "input_tokens": "i",
        "cache_read_tokens": "r",
        "cache_write_5m_tokens": "m",
        "cache_write_1h_tokens": "h",
        "reasoning_tokens": "n",
        "least_output_tokens": "l",
        "ended_at": "e",
        "usage_ts": "u",
        "usage_pos": "q",
        "requested_at": "w",
        "prompt_id": "b",
    },
):
    """What is a response's own: columns of `responses`, and the number of the row that has the others."""

    key: str
    said: int
    ts: int
    pos: int
    output_tokens: int
    total_tokens: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int | None = None
    least_output_tokens: int | None = None
    ended_at: int | None = None
    """If it is another time than `ts`; so with the next two."""
    usage_ts: int | None = None
    usage_pos: int | None = None
    requested_at: int | None = None
    prompt_id: str | None = None


def own_row(
    key: str, said: int, ts: int, pos: int, tokens: Tokens, usage_ts: int, usage_pos: int, ended: int, least: int | None
) -> ShortRow:
    """What is a response's own; arguments have the names of columns, and cost less by their places."""
    is_same = usage_pos == pos and usage_ts == ts
    return ShortRow(
        key,
        said,
        ts,
        pos,
        tokens.output,
        tokens.total,
        tokens.input,
        tokens.cache_read,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.reasoning,
        least,
        None if ended == ts else ended,
        None if is_same else usage_ts,
        None if is_same else usage_pos,
    )


_OWN = {spec.name: spec.encode_name for spec in msgspec.structs.fields(ShortRow)}
_SAID = {
    column: kind for column, kind in told_by_merged(RESPONSES).items() if column not in _OWN and kind != "TIMESTAMP"
}
"""The columns that many may share."""

_ELSE = {"ended_at": "ts", "usage_ts": "ts", "usage_pos": "pos"}
"""Column -> the one that it is the same as where it is not told."""


class ShortFiles(NamedTuple):
    """Two files of JSON, a row a line."""

    own: str
    """Of what is each one's own."""
    said: str
    """Of what several say."""


@dataclass(slots=True)
class ShortRows:
    """Rows of responses by one process. Its numbers begin with `first` and go on by `step`: no two have the same."""

    first: int = 0
    step: int = 1
    rows: list[ShortRow] = field(default_factory=list)
    said: list[Row] = field(default_factory=list)

    def say(self, row: Row) -> int:
        """Take what several rows say, under the names of columns; the number for these."""
        keep(RESPONSES.name, row)
        number = self.first + len(self.said) * self.step
        told = {name: value for name, value in row.items() if value is not None and name not in _OWN}
        self.said.append({"s": number, **told})
        return number

    def write(self, folder: Path, name: str) -> ShortFiles | None:
        """Write them to `folder/name.*`; None if there are none. Raises OSError."""
        if not self.rows:
            return None
        return ShortFiles(*map(str, write_each(folder, name, self.encoded()).values()))

    def encoded(self) -> dict[str, Iterable[bytes]]:
        """Both parts as JSON, many lines at once; their names are those of `ShortFiles`."""
        return {"own": encoded_lines(self.rows), "said": encoded_lines(self.said)}


def own_rows(files: Iterable[ShortFiles]) -> str:
    """SELECT of what is each one's own, for `whole_rows`."""
    told = RESPONSES.loaded | {"said": "BIGINT"}
    kinds = {short: "VARCHAR" if told[column] == "VARCHAR" else "BIGINT" for column, short in _OWN.items()}
    filled = ", ".join(f"coalesce({_OWN[column]}, {_OWN[other]}) AS {_OWN[column]}" for column, other in _ELSE.items())
    return _read([pair.own for pair in files], kinds, f"* REPLACE ({filled})")


def said_rows(files: Iterable[ShortFiles], fact: Fact = RESPONSES) -> str:
    """SELECT of what several of them say, for `whole_rows` of the same columns."""
    # DuckDB knows the number of neither, and takes those that a condition holds for to be fewer: it looks these up for
    # each of the others, which stay in the order in which they were read. Mixed they cost more to keep and to ask.
    return f"{_read([pair.said for pair in files], {'s': 'BIGINT', **_said_of(fact)})} WHERE s IS NOT NULL"


def whole_rows(own: str, said: str, fact: Fact = RESPONSES) -> str:
    """SELECT of rows of `responses` with all columns that are told of them; `own` and `said` select the two parts.

    `fact`: with the columns of this one, which may have fewer.
    """
    shown = []
    for column, kind in told_by_merged(fact).items():
        if column in _OWN:
            value = f"own.{_OWN[column]}"
            shown.append(f'{f"make_timestamp({value})" if kind == "TIMESTAMP" else value} AS "{column}"')
        elif column in _SAID:
            shown.append(f'said."{column}"')
        else:
            shown.append(f'NULL::{kind} AS "{column}"')
    return f"SELECT {', '.join(shown)} FROM ({own}) own JOIN ({said}) said ON said.s = own.s"


def parts_of(table: str, fact: Fact) -> tuple[str, str]:
    """SELECTs of the two parts of the whole rows of a table. Each says all for itself, under a number below 0."""
    told = told_by_merged(fact)
    own = [
        f"{f'epoch_us({column})' if told[column] == 'TIMESTAMP' else column} AS {short}"
        for column, short in _OWN.items()
        if column in told
    ]
    number, said = "-1 - rowid AS s", [f'"{column}"' for column in _said_of(fact)]
    return f"SELECT {number}, {', '.join(own)} FROM {table}", f"SELECT {number}, {', '.join(said)} FROM {table}"


def _said_of(fact: Fact) -> dict[str, str]:
    return {column: kind for column, kind in _SAID.items() if column in fact.loaded}


def _read(paths: Sequence[str], columns: dict[str, str], shown: str = "*") -> str:
    names = ", ".join(map(quoted, paths))
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return f"SELECT {shown} FROM read_json([{names}], format = 'newline_delimited', columns = {{{kinds}}})"
