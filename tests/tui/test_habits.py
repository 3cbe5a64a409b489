"""When the work is done, in words, without a screen."""

from agnes_stats.queries.rhythm import WeekHour
from agnes_stats.tui.tokens.habits import PARTS, habits, panel, sentence

# Monday 18:00 twice as much as Tuesday 23:00; Sunday 04:00 has no price.
ROWS = (
    WeekHour(0, 18, 600, 6.0, 0, 0),
    WeekHour(1, 23, 300, 3.0, 0, 2),
    WeekHour(6, 4, 100, None, 100, 0),
)


def test_the_peak_hour_the_busiest_day_and_every_time_of_the_day() -> None:
    assert sentence(habits(ROWS, money=True), cost=True) == (
        "Peak hour 18:00 to 19:00: 67 %, $6.00, 600 tokens · most on Mon (67 %) · "
        "morning 0 % · afternoon 0 % · evening 67 % · night 33 %"
    )


def test_shares_are_of_tokens_where_money_is_hidden_and_bounds_are_marked() -> None:
    told = sentence(habits(ROWS[1:], money=False), cost=False)
    assert told.startswith("Peak hour 23:00 to 00:00: 75 %, ≥300 tokens · most on Tue (75 %)")
    assert "$" not in told
    assert told.endswith("night 100 %"), "the night goes past midnight"


def test_an_hour_of_several_days_is_one() -> None:
    rows = [WeekHour(0, 9, 10, 0.1, 0, 0), WeekHour(1, 9, 10, 0.1, 5, 0), WeekHour(2, 8, 15, 0.15, 0, 0)]
    assert sentence(habits(rows, money=True), cost=True).startswith("Peak hour 09:00 to 10:00: 57 %, $0.20+?, 20 tok")


def test_shares_add_up_and_every_hour_is_in_one_time_of_the_day() -> None:
    rows = [WeekHour(hour % 7, hour, 1, 0.0, 0, 0) for hour in range(24)]
    told = habits(rows, money=False)
    assert told is not None
    assert abs(sum(told.parts) - 1) < 1e-9
    assert abs(sum(told.weekdays) - 1) < 1e-9
    assert [round(share * 24) for share in told.parts] == [7, 5, 5, 7]


def test_bars_fit_their_panel_and_each_ends_in_its_share() -> None:
    lines = panel(habits(ROWS, money=True), cost=True, style="").plain.splitlines()
    assert len(lines) == 8
    assert max(map(len, lines)) <= 70, "the box is 74 wide, with its border and padding"
    assert lines[0].startswith("Mon ██████████▋ ")
    assert "67 %   morning   05 to 12 " in lines[0]
    assert lines[2].split() == ["Wed", "0", "%", "evening", "17", "to", "22", "██████████▋", "67", "%"]
    assert len(PARTS) == 4


def test_nothing_has_no_habits() -> None:
    assert habits([], money=True) is None
    assert habits([WeekHour(0, 1, 0, None, 0, 0)], money=False) is None
    assert (sentence(None, cost=True), panel(None, cost=True, style="").plain) == (
        "",
        "Nothing was used in these days.",
    )
