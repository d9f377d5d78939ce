"""The other prices and volumes of a table: which columns are looked at, and what is found there."""

import pytest

from rollsignal.core.quality import Finding
from rollsignal.readers.cells import Cells, compared
from rollsignal.readers.dialect import find_ohlc


@pytest.mark.parametrize(
    ("header", "places"),
    [
        (["open", "high", "low", "close", "volume"], {"open": 0, "high": 1, "low": 2, "volume": 4}),
        ([" Open ", "HIGH", "close"], {"open": 0, "high": 1}),
        (
            ["close", "Volume BTC", "Volume USD", "vol"],
            {"Volume BTC": 1, "Volume USD": 2, "vol": 3},
        ),
        (["close", "quote_asset_volume"], {"quote_asset_volume": 1}),
        (["open", "Open", "close"], {"open": 0}),
        (["OPEN", "Open", "close"], {}),
        (["open", "open", "volume", "volume", "close"], {}),
        (["close", "opening", "low price", "volatility"], {}),
    ],
)
def test_columns_are_found_by_their_usual_names_where_there_is_one(
    header: list[str], places: dict[str, int]
) -> None:
    assert find_ohlc(header) == places


def test_the_description_of_a_file_says_what_is_compared() -> None:
    assert compared("off", {}) == ""
    assert compared("warn", {}) == ", compared with no other column"
    assert compared("error", {"open": 1, "volume\n": 0}) == r", compared with open, volume\n"


def findings(closes: list[str], **others: list[str]) -> list[tuple[int, str]]:
    cells = Cells("bars.csv", "line", "close", None, None)
    batch = cells.batch(closes, None, range(2, len(closes) + 2), "gap")
    all_findings = cells.checked(batch, others).findings
    assert {finding.check for finding in all_findings} <= {"ohlc"}
    return [(finding.place, finding.what) for finding in all_findings]


def test_each_bar_has_one_finding_with_all_problems() -> None:
    assert findings(["5", "5", "5"], open=["x", "4", "6"], high=["4", "6", "5.5"]) == [
        (0, "open is 'x', not a number, high 4 is below close 5"),
        (2, "high 5.5 is below open 6"),
    ]


@pytest.mark.parametrize("word", ["", "NaN", "n/a"])
def test_a_price_that_is_missing_is_not_compared(word: str) -> None:
    assert findings(["5", "7"], high=[word, "6"]) == [(1, "high 6 is below close 7")]
    assert findings(["5", word], high=["6", "6"]) == []


def test_a_column_without_any_number_is_a_finding_in_every_bar() -> None:
    """There are too many bars to read the column again for each of them."""
    count = 50_000
    all_findings = findings(["5"] * count, volume=["1.5K"] * count)
    assert all_findings == [(row, "volume is '1.5K', not a number") for row in range(count)]


def test_the_message_names_the_line_and_what_to_do() -> None:
    cells = Cells("bars.csv", "line", "close", None, None)
    batch = cells.batch(["5"], None, [7], "error")
    problem = cells.order_problem(batch, Finding("ohlc", 0, "high 4 is below close 5"))
    assert problem.message == (
        "bars.csv line 7: high 4 is below close 5 (set checks: {ohlc: warn})"
    )
