"""Facts about what the scripts of a page compute: decimals, labels, and rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rollsignal.report.scripts import BROWSER
from tests.support.shell import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DAY = 86_400
NAMES = "closeText fixed newsAt nextTime priceLabels roundNumbers shown STEPS timeLabel timePlaces"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(browser: Browser) -> Iterator[Call]:
    """Return a function that calls one of the scripts by its name."""
    page = browser.new_page()
    folder = ROOT / "rollsignal/report/browser"
    parts = [(folder / f"{name}.js").read_text("utf-8") for name in BROWSER if name != "start"]
    returned = f"return {{{', '.join(NAMES.split())}}}"
    page.evaluate("code => { window.ours = new Function(code)(); }", "\n".join([*parts, returned]))

    def calls(name: str, *given: Any) -> Any:
        return page.evaluate("([name, given]) => ours[name](...given)", [name, list(given)])

    calls.steps = page.evaluate("ours.STEPS")  # type: ignore[attr-defined]
    yield calls
    page.close()


def seconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    passed = datetime(year, month, day, hour, minute, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return passed.days * DAY + passed.seconds


@pytest.mark.parametrize("scale", [0, 1, 2, 8])
def test_closes_are_the_decimals_of_their_ticks(call: Call, scale: int) -> None:
    for tick in (0, 1, -1, 9, 10, -105, 4_346_714, 2**51 - 1, -(2**51) + 1):
        text = call("closeText", {"values": [tick], "scale": scale}, 0)
        assert Decimal(text) == Decimal(tick).scaleb(-scale)
        assert len(text.partition(".")[2]) == scale


def test_numbers_have_commas_and_a_minus_sign(call: Call) -> None:
    texts = ["0", "999", "1000", "-1234567.8910", "1e+21", "1.5e-7"]
    shown = [call("shown", text) for text in texts]
    assert shown == ["0", "999", "1,000", "\u22121,234,567.8910", "1e+21", "1.5e\u22127"]


def test_cells_are_rounded_as_the_static_ones(call: Call) -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    values = [0.5, 1.5, 2.5, -0.5, -8000.25, 8000.75, 1.005, 0.125, 0.375, 4.35, 1e-9, 123456.5]
    for value in [*values, *(rng.standard_normal(300) * 1000).tolist()]:
        for digits in (0, 1, 2, 3):
            assert call("fixed", value, digits) == f"{value:.{digits}f}", (value, digits)


def test_prices_have_the_digits_that_tell_them_apart(call: Call) -> None:
    cents = {"scale": 2, "ticks": None}
    assert call("priceLabels", cents, [4_150_000, 4_200_000]) == ["41,500", "42,000"]
    assert call("priceLabels", cents, [-10, 0, 10]) == ["\u22120.1", "0.0", "0.1"]
    assert call("priceLabels", cents, [4_150_001, 4_150_002]) == ["41,500.01", "41,500.02"]
    assert call("priceLabels", {"scale": 0, "ticks": None}, [1e20, 2e20]) == [
        "1.000e+20",
        "2.000e+20",
    ]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (4_176_000, 4_397_000), (-7.5, 7.5), (1e-9, 3e-9), (1e20, 1.001e20)]
)
def test_round_numbers_are_few_even_and_between_the_ends(
    call: Call, low: float, high: float
) -> None:
    numbers = call("roundNumbers", low, high, 7, 0)
    assert 2 <= len(numbers) <= 8
    assert all(low <= number <= high for number in numbers)
    steps = {round((b - a) / (high - low), 6) for a, b in pairwise(numbers)}
    assert len(steps) == 1
    assert len(call("roundNumbers", 1, 4, 7, 1)) == 4


def test_each_step_leads_to_the_next_of_its_times(call: Call) -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    moments = rng.integers(seconds(1600, 1, 1), seconds(2400, 1, 1), 40).tolist()
    for step in call.steps:  # type: ignore[attr-defined]
        for moment in [*moments, 0, -1, seconds(2024, 2, 29)]:
            told = call("nextTime", moment, step)
            assert told == expected_next(moment, step), (moment, step)


def expected_next(moment: int, step: dict[str, int]) -> int:
    """Return the first time after a second that is the beginning of a step."""
    if "seconds" in step:
        monday = seconds(1970, 1, 5)
        return moment + step["seconds"] - (moment - monday) % step["seconds"]
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)
    month = date.year * 12 + date.month - 1
    month += step["months"] - month % step["months"]
    year, month = divmod(month, 12)
    return seconds(year, month + 1, 1)


def intraday(days: int) -> dict[str, Any]:
    """Return bars of five minutes, from 9:30 to 16:00 on weekdays from Monday, 1 January 2024."""
    starts = [seconds(2024, 1, 1) + DAY * (7 * (day // 5) + day % 5) for day in range(days)]
    times = [start + 9 * 3600 + 1800 + 300 * bar for start in starts for bar in range(78)]
    return {"seconds": times, "length": len(times), "minutes": True, "days": False, "parts": None}


@pytest.mark.parametrize("days", [1, 3, 20, 300])
def test_labels_stand_where_times_begin_and_nights_leave_no_holes(call: Call, days: int) -> None:
    one = intraday(days)
    places, step = call("timePlaces", one, 0, one["length"] - 1, 12)
    assert 2 <= len(places) <= 12
    assert places == sorted(set(places))
    for bar in places:
        before = one["seconds"][bar - 1] if bar else one["seconds"][0] - 1
        assert expected_next(before, step) <= one["seconds"][bar]


def test_a_label_says_what_is_new_and_the_first_one_the_date(call: Call) -> None:
    one = intraday(300)
    by_time = {time: bar for bar, time in enumerate(one["seconds"])}
    second_day = by_time[seconds(2024, 1, 2, 9, 30)]
    hours, days = {"seconds": 3600}, {"seconds": DAY}
    assert call("timeLabel", one, second_day, days, False) == "2 Jan"
    assert call("timeLabel", one, second_day, days, True) == "2 Jan\n2024"
    assert call("timeLabel", one, second_day + 6, hours, False) == "10:00"
    assert call("timeLabel", one, second_day + 6, hours, True) == "10:00\n2 Jan 2024"
    new_year = by_time[seconds(2025, 1, 1, 9, 30)]
    assert call("newsAt", one, new_year) == 4
    assert call("timeLabel", one, new_year, {"months": 3}, False) == "2025"
