"""Formatting: harmless text, and numbers that read right at every boundary."""

import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from agnes_stats.tui import format as fmt
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)


# -- clean, block, cell


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("plain", "plain"),
        ("[/foo]\x1b[2J", "[/foo]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;own the title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jeight bit", "eight bit"),
        ("\x1b]never ends", "never ends"),
        ("\x1b\x1b[0m[2Jnested", "[2Jnested"),
        ("a\r\nb\tc\u2028d\x0be", "a b c d e"),
        ("  spaced   out \n", "spaced out"),
        ("nul\x00bell\x07del\x7f", "nulbelldel"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("iso\u2066late\u2069d", "isolated"),
        ("zero\u200bwidth\u200d\ufeff\u00ad", "zerowidth"),
        ("half \ud800 surrogate", "half surrogate"),
        ("filler\u3164\u115f", "filler"),
        ("heart\ufe0f", "heart"),
        ("日本語 é ñ", "日本語 é ñ"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        (b"caf\xc3\xa9\xff", "café\ufffd"),
        (12, "12"),
    ],
)
def test_clean_leaves_one_harmless_line(value: object, expected: str) -> None:
    assert fmt.clean(value) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("hello", 5, "hello"),
        ("hello!", 5, "hell…"),
        ("hello", 1, "…"),
        ("hello", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("two words", 5, "two…"),
        ("", 0, ""),
    ],
)
def test_clean_cuts_to_display_cells(text: str, width: int, expected: str) -> None:
    assert fmt.clean(text, width) == expected


@given(ANY_TEXT, st.one_of(st.none(), st.integers(0, 60)))
def test_clean_is_safe_narrow_and_stable(text: str, width: int | None) -> None:
    shown = fmt.clean(text, width)
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
    assert cell_len(shown) <= (fmt.MAX_CELLS if width is None else width)
    assert fmt.clean(shown, width) == shown
    shown.encode()


@given(ANY_TEXT)
def test_block_is_safe_on_every_line(text: str) -> None:
    shown = fmt.block(text, max_lines=5, width=20)
    assert shown.count("\n") <= 5
    for line in shown.split("\n"):
        assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in line)
        assert cell_len(line) <= 20


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000_000, "\x1b[0m" * 2_500_000, "\u202e" * 10_000_000, "\x9d" * 10_000_000, b"y" * 10_000_000],
)
def test_a_huge_value_costs_no_more_than_its_cell(value: object) -> None:
    began = time.thread_time()
    shown = fmt.clean(value, 40)
    assert time.thread_time() - began < 0.25
    assert shown.endswith("…")
    assert cell_len(shown) <= 40


def test_block_keeps_lines_and_indentation() -> None:
    assert fmt.block("select *\r\n\tfrom x  \n\n  where \x1b[1my\n\n") == "select *\n    from x\n\n  where y"
    assert fmt.block("a\nb\nc", max_lines=2) == "a\nb\n…"
    assert fmt.block("a\nb", max_lines=2) == "a\nb"
    assert fmt.block(None) == ""


def test_cell_is_plain_text_not_markup() -> None:
    text = fmt.cell("[red]x[/red] [/foo]\x1b[2J", style="bold", justify="right")
    assert text.plain == "[red]x[/red] [/foo]"
    assert text.spans == []
    assert (text.style, text.justify, text.no_wrap) == ("bold", "right", True)
    assert fmt.cell(None).plain == "–"
    assert cell_len(fmt.cell("x" * 5000).plain) == 512


# -- numbers


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (10**400, "–"),
        (0, "0"),
        (-0.4, "0"),
        (999, "999"),
        (999.5, "1.0k"),
        (1_000, "1.0k"),
        (1_250, "1.2k"),
        (9_949, "9.9k"),
        (9_951, "10k"),
        (9_999, "10k"),
        (10_000, "10k"),
        (14_600, "15k"),
        (999_499, "999k"),
        (999_501, "1.0M"),
        (18_400_000, "18.4M"),
        (402_000_000, "402.0M"),
        (999_949_999, "999.9M"),
        (999_950_001, "1.0B"),
        (1_200_000_000, "1.2B"),
        (2_500_000_000_000, "2.5T"),
        (-1_234, "−1.2k"),
        (Decimal(1500), "1.5k"),
    ],
)
def test_count(n: float | None, expected: str) -> None:
    assert fmt.count(n) == expected


def test_a_number_and_what_it_counts_are_told_together() -> None:
    root = Path(fmt.__file__).parent
    for path in root.rglob("*.py"):
        if path != Path(fmt.__file__):
            # "1 tokens" comes of a number beside a word in the plural.
            found = re.search(r"\bcount\([^{}]*\)\} (?!queries|people|of\b)[a-z]+s\b", path.read_text("utf-8"))
            assert found is None, (path, found)
    assert (fmt.plural(1, "token"), fmt.plural(0, "token"), fmt.plural(1200, "token")) == (
        "1 token",
        "0 tokens",
        "1.2k tokens",
    )


@given(st.integers(0, 10**13))
def test_count_never_shows_a_number_its_next_unit_should_tell(n: int) -> None:
    shown = fmt.count(n)
    assert shown not in ("1000", "10.0k", "1000k", "1,000k", "1,000.0M", "1,000.0B")
    digits = shown.rstrip("kMBT")
    value = float(digits.replace(",", "")) * {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[shown[len(digits) :]]
    assert value == pytest.approx(n, rel=0.06)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (None, "–"),
        (0, "$0.00"),
        (0.0099, "<$0.01"),
        (0.01, "$0.01"),
        (3.12, "$3.12"),
        (1234.56, "$1,234.56"),
        (9_999.99, "$9,999.99"),
        (9_999.996, "$10.0k"),
        (12_345, "$12.3k"),
        (999_949, "$999.9k"),
        (999_951, "$1.0M"),
        (Decimal("77.734"), "$77.73"),
        (-4.5, "−$4.50"),
    ],
)
def test_usd(x: float | Decimal | None, expected: str) -> None:
    assert fmt.usd(x) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (-3, "0 s"),
        (0.8, "1 s"),
        (14, "14 s"),
        (59.99, "1m"),
        (60, "1m"),
        (2_520, "42m"),
        (3_599, "59m"),
        (3_600, "1h"),
        (4_320, "1h 12m"),
        (86_399, "23h 59m"),
        (86_400, "1d"),
        (3 * 86_400 + 4 * 3_600, "3d 4h"),
    ],
)
def test_duration(seconds: float | None, expected: str) -> None:
    assert fmt.duration(seconds) == expected


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.2, "<1 ms"),
        (123, "123 ms"),
        (999.6, "1.0 s"),
        (1_200, "1.2 s"),
        (9_960, "10 s"),
        (12_000, "12 s"),
        (59_600, "1m"),
        (72_000, "1m 12s"),
        (599_400, "9m 59s"),
        (600_000, "10m"),
        (817_000, "13m"),
        (3_599_000, "59m"),
        (4_320_000, "1h 12m"),
        (-5, "0 ms"),
    ],
)
def test_millis(ms: float | None, expected: str) -> None:
    assert fmt.millis(ms) == expected


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1_200, "1.2 kB"),
        (9_960, "10 kB"),
        (999_600, "1.0 MB"),
        (88_000_000, "88 MB"),
        (1_230_000_000, "1.2 GB"),
        (4.2e12, "4.2 TB"),
    ],
)
def test_size(n: float | None, expected: str) -> None:
    assert fmt.size(n) == expected


@pytest.mark.parametrize(
    ("ratio", "digits", "expected"),
    [
        (None, 1, "–"),
        (0, 1, "0.0 %"),
        (0.913, 1, "91.3 %"),
        (0.61, 0, "61 %"),
        (0.0001, 1, "<0.1 %"),
        (0.9999, 1, ">99.9 %"),
        (1, 1, "100.0 %"),
        (0.997, 0, ">99 %"),
        (-0.04, 0, "−4 %"),
    ],
)
def test_percent(ratio: float | None, digits: int, expected: str) -> None:
    assert fmt.percent(ratio, digits) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (112, 100, "+12 %"),
        (96, 100, "−4 %"),
        (100, 100, "±0 %"),
        (2_000, 100, "+1,900 %"),
        (0, 100, "−100 %"),
        (5, 0, ""),
        (None, 5, ""),
        (5, None, ""),
    ],
)
def test_change(now: float | None, before: float | None, expected: str) -> None:
    assert fmt.change(now, before) == expected


# -- time


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(seconds=-90), "now"),
        (timedelta(seconds=0.4), "now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(minutes=3), "3m ago"),
        (timedelta(hours=2, minutes=59), "2h ago"),
        (timedelta(days=4, hours=3), "4d ago"),
    ],
)
def test_relative(ago: timedelta, expected: str) -> None:
    assert fmt.relative(NOW - ago, NOW) == expected
    assert fmt.relative((NOW - ago).replace(tzinfo=None), NOW) == expected  # naive is UTC


def test_relative_never() -> None:
    assert fmt.relative(None, NOW) == "never"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 22, 14, 2, tzinfo=UTC), "14:02"),
        (datetime(2026, 11, 21, 19, 20, tzinfo=UTC), "yesterday 19:20"),
        (datetime(2026, 11, 18, 9, 15, tzinfo=UTC), "Nov 18 09:15"),
        (datetime(2025, 12, 23, 9, 15, tzinfo=UTC), "Dec 23 2025"),
        (datetime(2025, 11, 18, 9, 15, tzinfo=UTC), "Nov 18 2025"),
        (datetime(1, 1, 1, tzinfo=UTC), "Jan 01 0001"),
        (None, "–"),
    ],
)
def test_when(moment: datetime | None, expected: str) -> None:
    assert fmt.when(moment, NOW, UTC) == expected


def test_when_counts_days_on_the_clock_of_its_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)
    assert fmt.when(moment, NOW + timedelta(hours=3), tokyo) == "yesterday 23:02"
    assert fmt.when(datetime.max, NOW, tokyo) == "Dec 31 9999"


# -- names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude-opus-4-6-20260101", "opus-4.6"),
        ("claude-sonnet-4-5-20250929", "sonnet-4.5"),
        ("claude-3-5-haiku-20241022", "haiku-3.5"),
        ("claude-3-opus-20240229", "opus-3"),
        ("claude-opus-4-20250514", "opus-4"),
        ("claude-sonnet-5", "sonnet-5"),
        ("claude-3-7-sonnet-latest", "sonnet-3.7"),
        ("claude-opus-4-6[1m]", "opus-4.6[1m]"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet-4.5"),
        ("claude-sonnet-4-5@20250929", "sonnet-4.5"),
        ("anthropic/claude-opus-4.5", "opus-4.5"),
        ("gpt-5.2", "gpt-5.2"),
        ("claude-2.1", "claude-2.1"),
        ("my\x1b[2J-model", "my-model"),
        (None, "(unknown)"),
        ("", "(unknown)"),
    ],
)
def test_model(name: str | None, expected: str) -> None:
    assert fmt.model(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (None, "–"),
        ("", "–"),
        ("/home/me/warehouse", "warehouse"),
        ("/home/me/warehouse/", "warehouse"),
        ("C:\\code\\infra", "infra"),
        ("/", "/"),
        ("/tmp/[bold]\x1b[0m", "[bold]"),
        ("/tmp/\x00", "–"),
    ],
)
def test_project(path: str | None, expected: str) -> None:
    assert fmt.project(path) == expected


@pytest.mark.parametrize(
    ("moment", "now", "expected"),
    [
        (datetime(2025, 12, 29, 9, 15), datetime(2026, 1, 2, 8), "Dec 29 09:15"),
        (datetime(2025, 11, 29, 9, 15), datetime(2026, 1, 2, 8), "Nov 29 2025"),
        (datetime(2026, 1, 1, 9, 15), datetime(2025, 12, 31, 8), "Jan 01 09:15"),
    ],
)
def test_a_year_stands_where_a_date_could_be_taken_for_another(moment: datetime, now: datetime, expected: str) -> None:
    assert fmt.moment(moment, now) == expected


def test_days_and_axes_tell_a_year_that_is_not_this_one() -> None:
    today = NOW.date()
    assert fmt.day(today, today) == "Nov 22"
    assert fmt.day(today.replace(year=2025), today) == "Nov 22 2025"
    hours = [NOW.replace(hour=3, minute=0), NOW.replace(hour=4, minute=0)]
    assert fmt.axis(hours, "hour", today) == ["Nov 22 03:00", "Nov 22 04:00"]
    assert fmt.axis([today], "day", today) == ["Nov 22"]
    assert fmt.axis([today.replace(year=2025), today], "week", today) == ["Nov 22 2025", "Nov 22 2026"]
    assert fmt.axis([today], "day") == ["Nov 22 2026"]
    assert fmt.axis([today.replace(year=2025), today], "month", today) == ["Nov 2025", "Nov 2026"]
    assert fmt.axis([], "day", today) == []


@pytest.mark.parametrize(
    ("title", "session_id", "path", "counted", "expected"),
    [
        ("Fix it", "s", None, {}, "Fix it"),
        (
            None,
            "0dfd5cae-5544-49ff",
            "/home/me/shop",
            {"tools": 2, "answers": 9},
            "(no prompt) 2 tools in shop, 0dfd5cae",
        ),
        ("", "0dfd5cae-5544-49ff", None, {"answers": 1}, "(no prompt) 1 answer, 0dfd5cae"),
        (None, "0dfd5cae-5544-49ff", "/home/me/shop", {}, "(no prompt) shop, 0dfd5cae"),
        (None, "0dfd5cae-5544-49ff", None, {}, "(no prompt) 0dfd5cae"),
        (None, None, None, {}, "without a session"),
    ],
)
def test_a_session_is_called_by_no_bare_id(
    title: str | None, session_id: str | None, path: str | None, counted: dict[str, int], expected: str
) -> None:
    assert fmt.session(title, session_id, path, **counted) == expected


def test_dates_are_told_in_one_place() -> None:
    root = Path(fmt.__file__).parent
    for path in root.rglob("*.py"):
        if path != Path(fmt.__file__):
            found = re.search(r"%b|%y|%B|%d\.|\.year(:04d)?\}", path.read_text("utf-8"))
            assert found is None, (path, found)


def test_shares_are_told_in_one_way() -> None:
    """A blank before the sign, as `percent` writes it; Python's own format has none."""
    folder = Path(fmt.__file__).parent
    plain = [path.name for path in folder.rglob("*.py") if re.search(r":[.\d]*%\}", path.read_text("utf-8"))]
    assert plain == []
