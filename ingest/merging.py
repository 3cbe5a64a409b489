"""The SQL that merges incoming rows of a fact with what the store knows of it. `queries/facts.py` says what wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..queries.facts import Fact, Half
from .strays import NAMED


class Rows(NamedTuple):
    """A SELECT of rows of a fact; `is_plain`: of those of a table as they are."""

    select: str
    is_plain: bool


def key_of(fact: Fact) -> str:
    """SQL of the key of a row of a fact, as one value."""
    if len(fact.key) == 1:
        return next(iter(fact.key))
    # DuckDB 1.5 makes no table of a struct without names.
    return f"struct_pack({', '.join(f'{column} := {column}' for column in fact.key)})"


def no_rows(told: Iterable[str], table: str) -> str:
    """SELECT of no row of a table, with the columns that a source tells."""
    columns = ", ".join(f'"{column}"' for column in told)
    return f"SELECT {columns} FROM {table} LIMIT 0"


def is_told(fact: Fact) -> str:
    """SQL condition for merged rows that any file tells anything of."""
    return " OR ".join(f"{half.prefix}path IS NOT NULL" for half in fact.halves)


def told_by(half: Half, files: str) -> str:
    """SQL condition for rows of which a file in the table `files` tells this group of columns, or tells it, too."""
    told = f"{half.prefix}path IN (FROM {files})"
    if half.rivals is None:
        return told
    return (
        f"{told} OR ({half.rivals} IS NOT NULL AND EXISTS (SELECT 1 FROM {files} WHERE contains({half.rivals}, path)))"
    )


def replaced_by(fact: Fact, incoming: str, *, taken_back: bool) -> dict[str, str]:
    """For each group of columns a flag -> the SQL condition under which a known row takes no part in it any more.

    Its file tells it anew, or, if there is a table of files that take back what they said, is one of those.
    """
    conditions = {}
    for number, half in enumerate(fact.halves):
        path = f"{half.prefix}path"
        told_again = (
            f"SELECT {key_of(fact)} FROM {incoming} WHERE {path} IN (FROM told_anew) AND {half.where or 'true'}"
        )
        is_taken_back = f" OR {path} IN (FROM taken_back)" if taken_back else ""
        conditions[f"replaced_{number}"] = (
            f"({path} IN (FROM told_anew) AND {key_of(fact)} IN ({told_again}){is_taken_back})"
        )
    return conditions


def known_rows(fact: Fact, rows: str, replaced: Mapping[str, str]) -> str:
    """SELECT of what the store knows in `rows`."""
    columns = ", ".join(f'"{column}"' for column in (*fact.loaded, *fact.rivals))
    flags = "".join(f", {condition} AS {name}" for name, condition in replaced.items())
    return f"SELECT {columns}, 0::TINYINT AS fresh{flags} FROM {rows}"


def rival_rows(fact: Fact, told: str, replaced: Mapping[str, str]) -> str:
    """SELECT of the lines of other files that are kept with the known rows of `told`."""
    keys = ", ".join(f'"{column}"' for column in fact.key)
    parts = []
    for number, half in enumerate(fact.halves):
        if half.rivals is not None:
            # Of the other groups it has nothing.
            flags = "".join(
                f", {condition if name == f'replaced_{number}' else 'true'} AS {name}"
                for name, condition in replaced.items()
            )
            listed = f"unnest(from_json({half.rivals}, '{half.shape_of_rivals}'))"
            rivals = f"SELECT {keys}, {listed} AS rival FROM {told} WHERE {half.rivals} IS NOT NULL"
            parts.append(f"SELECT *, 0::TINYINT AS fresh{flags} FROM (SELECT {keys}, unnest(rival) FROM ({rivals}))")
    return " UNION ALL BY NAME ".join(parts)


def open_keys(fact: Fact, told: str) -> str:
    """SELECT of the keys of `told` for which it is open which file's row wins: several tell them, or a copy does.

    They are few, and are decided apart, so that the many others need not be grouped by file.
    """
    conditions = []
    for half in fact.halves:
        if half.rivals is not None:
            # Numbers are compared faster than texts.
            path = f"hash({half.prefix}path)"
            only = f" FILTER ({half.prefix}path IS NOT NULL)"
            conditions.append(f"min({path}){only} <> max({path}){only} OR bool_or({half.prefix}is_copy)")
            conditions.append(f"count({half.rivals}) > 0")
    keys = ", ".join(f'"{column}"' for column in fact.key)
    return f"SELECT {key_of(fact)} AS open FROM {told} GROUP BY {keys} HAVING {' OR '.join(conditions)}"


def keys_told_again(fact: Fact, told: str) -> str:
    """SELECT of the keys of `told` of which there are several rows."""
    keys = ", ".join(f'"{column}"' for column in fact.key)
    return f"SELECT {key_of(fact)} AS again FROM {told} GROUP BY {keys} HAVING count(*) > 1"


def rows_told_once(fact: Fact, told: str, again: str | None) -> str:
    """SELECT of the rows of `told` whose keys are not in the table `again`: what `merged_rows` makes of one row.

    Without `again`: of all rows, each of which has a key of its own.
    """
    shown = {column: f'"{column}"' for column in (*fact.key, *fact.sums)}
    for half in fact.halves:
        for column in half.columns:
            taken = f'CASE WHEN {half.where} THEN "{column}" END AS "{column}"'
            shown[column] = f'"{column}"' if half.where is None else taken
        if half.rivals is not None:
            shown[half.rivals] = f'NULL::VARCHAR AS "{half.rivals}"'
    computed = "".join(f', {sql} AS "{column}"' for column, (_, sql) in fact.computed.items())
    which = "" if again is None else f" WHERE {key_of(fact)} NOT IN (FROM {again})"
    rows = f"SELECT {', '.join(shown.values())} FROM {told}{which}"
    return f"SELECT *{computed} FROM ({rows})"


def few_rows_merged(fact: Fact, told: str, again: str) -> str:
    """SELECT of one row for each key of `told`, which has no rows that the store knows, and few at all.

    Those of one row are decided as the others are. `again`: a table of the keys that have several.
    """
    apart = _decided_apart(fact)
    deciding = [_decided(fact, number, told, _taking_part(fact, number, []), again) for number in apart]
    decided = _merged(fact, told, [], f"FROM {told}", apart)
    return f"WITH {', '.join(deciding)} {decided}" if deciding else decided


def _decided_apart(fact: Fact) -> list[int]:
    """The groups of columns of which it is kept what other files say."""
    return [number for number, half in enumerate(fact.halves) if half.rivals is not None]


def merged_rows(
    fact: Fact, told: str, replaced: Sequence[str], opened: str | None = None, *, all_are_open: bool = False
) -> str:
    """SELECT of one row for each key of `told`. `replaced` names the flags of known rows by group, if there are any.

    `opened`: a table of the `open_keys`; None if there are none. `all_are_open`: `told` has no others.
    """
    if opened is None:
        return _merged(fact, told, replaced, f"FROM {told}", [])
    apart = _decided_apart(fact)
    # To plan a condition that holds for all rows takes time, too.
    are_open = "" if all_are_open else f"{key_of(fact)} IN (FROM {opened})"
    rows = f"FROM {told} WHERE {are_open}" if are_open else f"FROM {told}"
    decided = _merged(fact, told, replaced, rows, apart)
    conditions = {
        number: " AND ".join(filter(None, (_taking_part(fact, number, replaced), are_open))) for number in apart
    }
    deciding = ", ".join(_decided(fact, number, told, conditions[number]) for number in apart)
    if all_are_open:
        return f"WITH {deciding} {decided}"
    closed = _merged(fact, told, replaced, f"FROM {told} WHERE {key_of(fact)} NOT IN (FROM {opened})", [])
    return f"WITH {deciding} ({closed}) UNION ALL BY NAME ({decided})"


def _taking_part(fact: Fact, number: int, replaced: Sequence[str]) -> str:
    """The SQL condition for rows to take part in a group of columns."""
    where = fact.halves[number].where
    return " AND ".join([*([where] if where else []), *(f"NOT {flag}" for flag in replaced[number : number + 1])])


def _merged(fact: Fact, told: str, replaced: Sequence[str], rows: str, apart: Sequence[int]) -> str:
    """SELECT of one row for each key of `rows`. The winners of the groups `apart` are in `decided_<number>`.

    For each group the row that wins is found first, by its number, and its columns are fetched then: to carry them
    all along the way costs three times as much.
    """
    picks: list[str] = []
    shown: list[str] = []
    joins = ""
    for number, half in enumerate(fact.halves):
        columns = {name: f'h{number}."{name}"' for name in half.columns}
        if number in apart:
            joins += f" LEFT JOIN decided_{number} d{number} USING ({', '.join(fact.key)})"
            winner, is_copy = f"d{number}.best", f"{half.prefix}is_copy"
            columns[is_copy] = f'd{number}.copied AS "{is_copy}"'
            columns[str(half.rivals)] = f'd{number}.rivals AS "{half.rivals}"'
        else:
            taking_part = _taking_part(fact, number, replaced)
            only = f" FILTER ({taking_part})" if taking_part else ""
            order = (*half.order, "fresh" if half.pick == "max" else "-fresh")
            picks.append(f"arg_{half.pick}(rowid, ({', '.join(order)})){only} AS half_{number}")
            winner = f"w.half_{number}"
        joins += f" LEFT JOIN {told} h{number} ON h{number}.rowid = {winner}"
        shown += columns.values()
    keys = [f'"{column}"' for column in fact.key]
    only = f" FILTER (NOT {replaced[0]})" if replaced else ""
    singles = [f'{aggregate}("{column}"){only} AS "{column}"' for column, (_, aggregate) in fact.sums.items()]
    winners = f"SELECT {', '.join([*keys, *picks, *singles])} {rows} GROUP BY {', '.join(keys)}"
    columns_of_all = ", ".join([*(f'w."{column}"' for column in (*fact.key, *fact.sums)), *shown])
    computed = "".join(f', {sql} AS "{column}"' for column, (_, sql) in fact.computed.items())
    return f"SELECT *{computed} FROM (SELECT {columns_of_all} FROM ({winners}) w{joins})"


def _decided(fact: Fact, number: int, told: str, which: str, again: str | None = None) -> str:
    """Common table `decided_<number>`: of open keys the row that wins in a group of columns.

    With it whether its file says that it is a copy, and the lines of the other files, the best of each. `which` is the
    SQL condition for rows that take part, `again` a table of the keys that have several rows, where others have one: to
    list the columns of those takes longer than all the rest. To rank the lines by a window, and to have a list made in
    an order, takes DuckDB twice as long.
    """
    half = fact.halves[number]
    keys, own_keys = ", ".join(fact.key), ", ".join(f"l.{key}" for key in fact.key)
    path, said = f"{half.prefix}path", f"coalesce({half.prefix}is_copy, false)"
    in_file = ", ".join([*(part for part in half.order if part != said), "-fresh"])
    between = ", ".join("copied" if part == said else part for part in half.order)
    own_copied = f"{half.prefix}is_copy"
    told_by_file = {name: "copied" if name == own_copied else f'l."{name}"' for name in half.columns}
    if (named := f"{half.prefix}{NAMED}") in half.columns:
        # Of a row that the store knows it says whose that is by now (`strays`), which may become another one's again.
        session = f"{half.prefix}session_id"
        told_by_file[session] = f'coalesce(l."{named}", l."{session}")'
    listed = "" if again is None else f" FILTER ({key_of(fact)} IN (FROM {again}))"
    rival = ", ".join(f'"{name}" := {value}' for name, value in told_by_file.items())
    return f"""
        tellers_{number} AS (
            SELECT bool_or({said}) AS copied, arg_min(rowid, ({in_file})) AS best FROM {told}
            WHERE {which or "true"}
            GROUP BY {keys}, {path}
        ),
        decided_{number} AS (
            SELECT {keys}, won.best AS best, won.copied AS copied,
                CASE WHEN tellers > 1 THEN to_json(list_transform(
                    list_filter(list_sort(told, 'ASC', 'NULLS LAST'), lambda one: one.best <> won.best),
                    lambda one: one.rival))::VARCHAR END AS rivals
            FROM (
                SELECT {own_keys}, count(*) AS tellers,
                    arg_min(struct_pack(best := best, copied := copied), ({between})) AS won,
                    list(struct_pack(file := l.{path}, best := best, rival := struct_pack({rival}))){listed} AS told
                FROM tellers_{number} JOIN {told} l ON l.rowid = best GROUP BY {own_keys}
            )
        )"""
