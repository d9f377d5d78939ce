"""Rows wider than their header begin with an index without a name, or end in a delimiter more."""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES
from rollsignal.errors import DataError
from tests.support.configs import ON_ONE_FILE
from tests.support.deciding import decide

CONFIG = JobConfig(seed=1, window=3, version="t")
OHLCV = ["timestamp", "open", "high", "low", "close", "volume"]
DAYS = [f"2024-01-{day:02d}" for day in range(1, 31)]
# Falling closes below rising opens: read one column off, the signals are others.
BARS = [["1", "4", "0.5", close] for close in ("1.5", "1.4", "1.3", "1.2")]
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
IDS = list(DELIMITERS.values())

Rows = list[list[str]]


def table(path: Path, header: list[str], rows: Rows, delimiter: str = ",") -> Path:
    path.write_text("".join(delimiter.join(row) + "\n" for row in [header, *rows]))
    return path


def indexed(rows: Rows) -> Rows:
    """Put an index before rows that lack their last column."""
    return [[str(number), *row, ""] for number, row in enumerate(rows)]


def read(path: Path, config: JobConfig = CONFIG) -> Found:
    """Decide a file, on both engines that the program has."""
    found, plain = (decide([path], config, engine=ENGINES[name]) for name in ("local", "plain"))
    assert found.accounts == plain.accounts
    return found


def ones_of(closes: list[str]) -> int:
    exact = list(map(Fraction, closes))
    windows = (exact[end - 3 : end] for end in range(3, len(exact) + 1))
    return sum(window[-1] > sum(window) / 3 for window in windows)


def refusal(path: Path, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        decide([path], config)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", DELIMITERS, ids=IDS)
@pytest.mark.parametrize("checks", [Checks(), Checks(ohlc="error"), Checks("off", "off")])
def test_an_index_without_a_name_is_seen_by_the_times_and_prices(
    tmp_path: Path, delimiter: str, checks: Checks
) -> None:
    rows = indexed([[day, *bar] for day, bar in zip(DAYS, BARS, strict=False)])
    found = read(table(tmp_path / "a.csv", OHLCV, rows, delimiter), CONFIG._replace(checks=checks))
    assert (found.tally.ones, found.tally.signals) == (0, 2)


@pytest.mark.parametrize("delimiter", DELIMITERS, ids=IDS)
@pytest.mark.parametrize("checks", [Checks(), Checks(ohlc="error"), Checks("off", "off")])
def test_a_delimiter_too_many_at_the_end_is_seen_by_the_times_and_prices(
    tmp_path: Path, delimiter: str, checks: Checks
) -> None:
    rows = [[day, *bar, "7", ""] for day, bar in zip(DAYS, BARS, strict=False)]
    found = read(table(tmp_path / "a.csv", OHLCV, rows, delimiter), CONFIG._replace(checks=checks))
    assert (found.tally.ones, found.tally.signals) == (0, 2)


def test_the_prices_alone_tell_an_index(tmp_path: Path) -> None:
    config = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
    assert read(table(tmp_path / "a.csv", OHLCV[1:], indexed(BARS)), config).tally.ones == 0
    rows = [[*bar, "7", ""] for bar in BARS]
    assert read(table(tmp_path / "b.csv", OHLCV[1:], rows), config).tally.ones == 0


def test_an_index_without_a_name_may_be_the_timestamps(tmp_path: Path) -> None:
    rows = [[day, *bar, ""] for day, bar in zip(DAYS, BARS[::-1], strict=False)]
    newest_first = table(tmp_path / "a.csv", OHLCV[1:], rows[::-1])
    assert "column 1 is earlier than" in refusal(newest_first)
    found = read(newest_first, CONFIG._replace(sort=True))
    assert (found.untimed, found.tally.ones) == ([], 2)


def test_a_table_that_ends_in_closes_has_no_index(tmp_path: Path) -> None:
    rows = [[close, ""] for close in ("1", "2", "3")]
    config = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
    assert read(table(tmp_path / "a.csv", ["close"], rows), config).tally.ones == 1


@pytest.mark.parametrize("delimiter", DELIMITERS, ids=IDS)
def test_rows_that_may_be_either_are_refused(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path / "a.csv", ["close", "volume"], [["0", "10", ""]] * 3, delimiter)
    sign = DELIMITERS[delimiter]
    assert refusal(path) == (
        f"{path} line 2: 3 fields where the header has 2, the last one empty: a {sign} too many at"
        " the end, or an index without a name at the front (if the first field is an index, give it"
        f" a name in the header; else remove the {sign} at the end of each row)"
    )


def test_what_the_refusal_says_to_do_leads_to_the_right_value(tmp_path: Path) -> None:
    config = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
    rows = [[str(9 - row), str(row), ""] for row in range(5)]
    named = table(tmp_path / "a.csv", ["index", "close", "volume"], rows)
    assert read(named, config).tally.ones == 3
    without = table(tmp_path / "b.csv", ["close", "volume"], [row[:2] for row in rows])
    assert read(without, config).tally.ones == 0


def test_contradicting_signs_are_refused(tmp_path: Path) -> None:
    # The times are right where all closes are missing, the closes only where the times are not.
    rows = [[day, "n/a", "5", ""] for day in DAYS[:5]]
    path = table(tmp_path / "a.csv", ["time", "close", "volume"], rows)
    assert "an index without a name at the front" in refusal(path)


def test_rows_in_quotes_and_below_blank_lines_are_the_same(tmp_path: Path) -> None:
    rows = indexed([[day, *bar] for day, bar in zip(DAYS, BARS, strict=False)])
    for name, change in (("quoted", '"{}"'.format), ("blanks", " {}".format)):
        path = table(tmp_path / f"{name}.csv", OHLCV, [list(map(change, row)) for row in rows])
        if name == "blanks":
            path.write_text(path.read_text().replace(",", ", ").replace(",  ", ", "))
        assert read(path).tally.ones == 0
    path = table(tmp_path / "blank.csv", OHLCV, [[], [], *rows])
    assert read(path).tally.ones == 0


def test_a_large_table_with_an_index_is_read_fast(tmp_path: Path) -> None:
    times = [
        f"{day} {hour:02d}:{minute:02d}"
        for day in DAYS
        for hour in range(24)
        for minute in range(60)
    ]
    closes = [str(1 + (row * 7919) % 1000) for row in range(len(times))]
    rows = indexed(
        [
            [time, "1", "1001", "0.5", close + "." + "0" * 80]
            for time, close in zip(times, closes, strict=True)
        ]
    )
    path = table(tmp_path / "a.csv", OHLCV, rows)
    assert path.stat().st_size > 4 << 20
    found = read(path)
    assert (found.tally.rows, found.tally.ones) == (len(times), ones_of(closes))


def test_small_files_with_an_index_are_right_also_several_at_once(tmp_path: Path) -> None:
    paths = []
    for day, bar in zip(DAYS, BARS, strict=False):
        rows = indexed([[f"{day} 10:{minute:02d}", *bar] for minute in range(60)])
        paths.append(table(tmp_path / f"{day}.csv", OHLCV, rows))
    found = decide(paths, CONFIG)
    assert (found.tally.rows, found.tally.ones) == (240, 0)


PRICES = st.integers(1, 99_999).map(lambda ticks: f"{ticks / 100:.2f}")


@ON_ONE_FILE
@given(st.lists(st.lists(PRICES, min_size=4, max_size=4), min_size=3, max_size=30), st.booleans())
def test_the_right_reading_is_found_or_none(
    tmp_path: Path, drawn: list[list[str]], is_indexed: bool
) -> None:
    days = (f"2024-{1 + number // 28:02d}-{1 + number % 28:02d}" for number in count())
    rows = []
    for day, prices in zip(days, drawn, strict=False):
        low, first, last, high = sorted(prices, key=Fraction)
        rows.append([day, first, high, low, last])
    closes = [row[-1] for row in rows]
    wide = indexed(rows) if is_indexed else [[*row, "5", ""] for row in rows]
    found = read(table(tmp_path / "a.csv", OHLCV, wide))
    assert found.tally.ones == ones_of(closes)


def test_prices_that_are_no_numbers_prove_nothing_and_end_no_run(tmp_path: Path) -> None:
    rows = [[str(1972 + number), "9", "11", "10", "10"] for number in range(6)]
    rows[2][3] = "nan"
    path = table(tmp_path / "a.csv", ["year", "low", "high", "close", "open", "n"], indexed(rows))
    with pytest.raises(DataError, match=r"close is 'nan', not a number"):
        read(path, CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS)))


def test_numbers_of_rows_are_no_closes_even_if_the_times_of_a_neighbour_would_fit(
    tmp_path: Path,
) -> None:
    # The times of the bars have no dates; read one column off, the times of their ends do.
    rows = [[str(15 - n), str(1_707_004_680_000 + n * 60_000), f"23:0{n}"] for n in range(6)]
    path = table(tmp_path / "a.csv", ["close", "close_time", "open_time", "n"], indexed(rows))
    with pytest.raises(DataError, match="an index without a name at the front"):
        read(path)
