"""What the console keeps: the history and the saved queries."""

from pathlib import Path

import pytest
from agnes_stats.queries.console_book import MOST, Book, BookPages, Panel
from agnes_stats.queries.store import StoreError


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "new folder" / "store.duckdb")


def test_the_newest_query_is_first_and_each_is_there_once(book: Book) -> None:
    assert book.read() == BookPages()
    for sql in ("one", "two", " one ", "one", "", "x" * 30_000):
        book.note(sql)
    assert book.read().history == ("one", "two")
    for number in range(MOST):
        book.note(f"q{number}")
    history = book.read().history
    assert (len(history), history[0], history[-1]) == (MOST, f"q{MOST - 1}", "q0")


def test_saved_queries_come_by_name_and_can_be_replaced_and_deleted(book: Book) -> None:
    book.note("asked")
    for name, sql in (("b", "1"), ("A", "2"), ("b", "3\n")):
        book.save(name, sql)
    assert list(book.read().saved.items()) == [("A", "2"), ("b", "3")]
    book.delete("A")
    book.delete("never there")
    assert Book(book.path.with_name("store.duckdb")).read() == BookPages(("asked",), {"b": "3"})


def test_the_file_is_for_its_owner_only(book: Book) -> None:
    book.note("one")
    assert book.path.stat().st_mode & 0o777 == 0o600
    assert book.path.parent.stat().st_mode & 0o777 == 0o700
    assert list(book.path.parent.iterdir()) == [book.path]


@pytest.mark.parametrize("broken", ["{", "[]", "\x00", "[" * 100_000])
def test_a_file_that_cannot_be_used_says_so_and_is_put_aside_by_the_next_writing(book: Book, broken: str) -> None:
    book.path.parent.mkdir()
    book.path.write_text(broken)
    pages = book.read()
    assert "console.json cannot be read" in pages.fault
    assert (pages.history, pages.saved, pages.panels) == ((), {}, ())
    assert book.path.read_text() == broken
    book.save("a", "SELECT 1")
    assert book.read() == BookPages((), {"a": "SELECT 1"})
    assert book.path.with_name("console.broken.json").read_text() == broken


def test_a_panel_is_a_saved_query_wherever_that_goes(book: Book) -> None:
    for name in ("b", "a", "c"):
        book.save(name, f"SELECT '{name}'")
    for name in ("b", "a"):
        book.pin(name)
    book.pin("b", "lines")
    assert book.read().panels == (Panel("b", "SELECT 'b'", "lines"), Panel("a", "SELECT 'a'", "auto"))
    book.save("a", "SELECT 2")
    book.rename("b", "z")
    assert book.read().panels == (Panel("z", "SELECT 'b'", "lines"), Panel("a", "SELECT 2", "auto"))
    book.rename("never there", "y")
    book.rename("a", "z")
    assert book.read().panels == (Panel("z", "SELECT 2", "auto"),)
    assert book.read().saved == {"c": "SELECT 'c'", "z": "SELECT 2"}
    book.note("SELECT 9")
    book.unpin("z")
    assert (book.read().panels, list(book.read().saved)) == ((), ["c", "z"])
    book.pin("c")
    book.delete("c")
    assert book.read() == BookPages(("SELECT 9",), {"z": "SELECT 2"})
    with pytest.raises(StoreError, match="no query is saved as 'c'"):
        book.pin("c")


def test_entries_of_another_shape_are_passed_over(book: Book) -> None:
    book.path.parent.mkdir()
    panels = '[7, {}, {"name": "x", "form": "pie"}, {"name": "x"}, {"name": "y"}, {"name": [1]}, {"name": "gone"}]'
    book.path.write_text('{"history": ["a", 7], "saved": {"x": "1", "y": [2]}, "more": 1, "panels": ' + panels + "}")
    assert book.read() == BookPages(("a",), {"x": "1"}, (Panel("x", "1", "auto"),))
    book.path.write_text('{"history": 1, "saved": "x", "panels": {"name": "x"}}')
    assert book.read() == BookPages()
