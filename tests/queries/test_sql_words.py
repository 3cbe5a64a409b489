"""What may come next in a query, and what its words are."""

import pytest
from agnes_stats.queries.console import PARAMETERS
from agnes_stats.queries.schema import FACTS, TABLES
from agnes_stats.queries.sql_words import beginning, candidates, tables
from agnes_stats.queries.store.parsing import tokens_of


def words(query: str) -> list[str]:
    """The candidates where `|` stands."""
    before, _, after = query.partition("|")
    return [found.word for found in candidates(before + after, len(before))]


def test_after_from_come_tables() -> None:
    assert words("SELECT * FROM |") == tables() == sorted({fact.name for fact in FACTS} | set(TABLES))
    assert words("SELECT * FROM tokens_d|") == ["tokens_daily"]
    assert words("select * from a join SESSIONS_|") == []
    assert words("select * from a join TASK|") == ["task_changes"]
    assert words("DESCRIBE task|") == ["task_changes"]
    assert words("SELECT 1 FROM sessions s, resp|") == ["responses"]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("SELECT cost_| FROM tokens_daily", ["cost_usd"]),
        ("SELECT d.cost_| FROM tokens_daily d", ["cost_usd"]),
        ("SELECT d.cost_| FROM tokens_daily AS d", ["cost_usd"]),
        ("SELECT 1 FROM sessions, tokens_daily WHERE tokens_daily.cost_|", ["cost_usd"]),
        ("SELECT s.titl| FROM responses r JOIN sessions s USING (session_id)", ["title"]),
        ("SELECT 1, titl| FROM sessions", ["title"]),
        ("SELECT é, titl| FROM sessions", ["title"]),
        ("SELECT titl|", ["title"]),
        ("SELECT 1 FROM sessions ORDER BY titl|", ["title"]),
        ("SELECT 1 FROM sessions ORDE|", ["ORDER BY", "ORDER BY ALL"]),
        ("SELECT 1 FROM tokens_daily WHERE {{fi|", ["{{filters}}"]),
        ("SELECT 1 FROM tokens_daily WHERE day >= $si|", ["$since"]),
        ("SELECT 1 WHERE $|", [f"${name}" for name in PARAMETERS]),
        ("SELECT 'titl|' FROM sessions", []),
        ("SELECT 1 -- titl|", []),
        ("SELECT x.day| FROM nowhere x", []),
        ("SELECT title| FROM sessions", []),
    ],
)
def test_columns_of_the_tables_that_are_named_come_first(query: str, first: list[str]) -> None:
    assert words(query)[: max(len(first), 1)] == first


def test_only_the_part_after_the_dot_is_gone_on_with() -> None:
    assert [beginning(text) for text in ("select s.da", "a b", "{{ fi", "x = $si", "a ", "")] == [
        *("da", "b", "{{ fi", "$si", "", ""),
    ]


def test_words_are_told_by_characters_also_where_the_text_is_no_query() -> None:
    sql = "SELECT 'é''ü' AS x, 1.5 -- ø\nFROM \"t\""
    found = [(sql[start:end], kind) for start, end, kind in tokens_of(sql)]
    assert found == [
        *(("SELECT", "keyword"), ("'é''ü'", "string_const"), ("AS", "keyword"), ("x", "identifier")),
        *((",", "operator"), ("1.5", "numeric_const"), ("-- ø", "comment"), ("FROM", "keyword"), ('"t"', "identifier")),
    ]
    for text in ("", "SELECT 'open", "\0", "a\ud800b", "/*", "$$x", '"', "🙂 select"):
        assert all(0 <= start <= end <= len(text) for start, end, _ in tokens_of(text)), text
