"""The column of timestamps is found by its name or proved by its cells, in every format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_TIMESTAMPS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.timestamps.reader import NAMES, plain_name
from rollsignal.engines.inputs import LARGE_BYTES
from rollsignal.errors import DataError
from rollsignal.files.formats import numbered
from tests.support.configs import ON_ONE_FILE
from tests.support.deciding import decide

CONFIG = JobConfig(seed=1, window=3, version="t")
NONE = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
UNCHECKED = CONFIG._replace(checks=Checks("off", "off"))
# Read from the first to the last every close is above its mean, read backwards none is.
CLOSES = [10, 11, 12, 13, 14, 15]
DAYS = [f"2024-01-0{day}" for day in range(1, 7)]
START_MS = 1_735_689_600_000
COUNTS = [str(START_MS + 60_000 * row) for row in range(6)]
FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow"]
LARGE = 200_000


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write a table in the format of the path's suffix, as text wherever that can be."""
    rows = list(zip(*columns.values(), strict=True))
    if path.suffix == ".ndjson":
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    elif path.suffix in (".csv", ".tsv"):
        lines = [columns, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
        delimiter = "," if path.suffix == ".csv" else "\t"
        path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    else:
        frame = pl.DataFrame(dict(columns))
        (frame.write_parquet if path.suffix == ".parquet" else frame.write_ipc)(path)
    return path


def rate(*paths: Path, config: JobConfig = CONFIG) -> tuple[int, int]:
    tally = decide(paths, config).tally
    return tally.ones, tally.signals


def refusal(*paths: Path, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        decide(paths, config)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name",
    [
        *("trade_date", "tradedate", "exchange date", "snapped_at", "time_period_start", "Data"),
        *("candle_date_time_utc", "begins_at", "start", "start_time", "startTime", "bar_time"),
        *("observation_date", "quote_date", "unix timestamp", "dt", "day", "t", "timeOpen"),
        *("Time (EET)", "Trade Date", "Datum", "日期", "<DATE>", "Gmt time", "my own", ""),
    ],
)
def test_bars_whose_newest_is_first_are_refused_whatever_their_times_are_called(
    tmp_path: Path, name: str, form: str
) -> None:
    path = tmp_path / f"bars.{form}"
    assert rate(write(path, {name: DAYS, "close": CLOSES})) == (4, 4)
    assert "earlier than" in refusal(write(path, {name: DAYS[::-1], "close": CLOSES}))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("times", [DAYS, COUNTS, [day.replace("-", "") for day in DAYS]])
def test_the_only_column_of_times_beside_prices_and_notes_is_found(
    tmp_path: Path, form: str, times: list[str]
) -> None:
    others: dict[str, list[str]] = {
        "note": list("abcdef"),
        "volume": COUNTS,
        "trades": list("012345"),
        "open": COUNTS,
    }
    path = tmp_path / f"bars.{form}"
    assert rate(write(path, {"when": times, "close": CLOSES, **others})) == (4, 4)
    write(path, {"when": times[::-1], "close": CLOSES, **others})
    assert "when is earlier than" in refusal(path)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("name", ["", "__index_level_0__"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_column_whose_type_is_a_time_is_found(
    tmp_path: Path, form: str, name: str, zone: str | None
) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC if zone else None)
    times = [start + timedelta(days=day) for day in range(6)]
    path = tmp_path / f"bars.{form}"
    assert rate(write(path, {name: times, "close": CLOSES, "x": range(6)})) == (4, 4)
    message = refusal(write(path, {name: times[::-1], "close": CLOSES, "x": range(6)}))
    assert message.startswith(f"{path} row 2: {name or 'column 1'} is earlier")


@pytest.mark.parametrize("form", FORMS)
def test_two_columns_of_times_are_refused_with_both_names_and_the_setting(
    tmp_path: Path, form: str
) -> None:
    path = write(tmp_path / f"bars.{form}", {"opens": DAYS, "closes": DAYS, "close": CLOSES})
    message = refusal(path)
    assert "the columns 'opens' and 'closes' may each be the timestamps" in message
    settings = "{timestamp: opens} or {timestamp: closes}"
    assert f"(set columns: {settings}, whichever is the time of the bars)" in message
    for name in ("opens", "closes"):
        assert rate(path, config=CONFIG._replace(columns=Columns(timestamp=name))) == (4, 4)


def test_of_two_columns_of_times_one_without_a_name_has_a_place(tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", {"": DAYS, "opens": DAYS, "close": CLOSES})
    hint = "set columns: {timestamp: 1} or {timestamp: 2}, whichever is the time of the bars"
    assert refusal(path).endswith(f"({hint})")


def test_two_columns_of_one_usual_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", {"Open Time": DAYS, "open_time": DAYS, "close": CLOSES})
    assert "'Open Time' and 'open_time' may each be the timestamps" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_counts_that_are_not_in_order_are_asked_about(tmp_path: Path, form: str) -> None:
    times = [COUNTS[1], COUNTS[0], *COUNTS[2:]]
    path = write(tmp_path / f"bars.{form}", {"when": times, "close": CLOSES})
    message = refusal(path)
    assert "'when' may be the timestamps" in message
    assert "columns: {timestamp: when}, or none" in message
    assert rate(path, config=NONE) == (4, 4)
    assert "earlier" in refusal(path, config=CONFIG._replace(columns=Columns(timestamp="when")))


@pytest.mark.parametrize("form", FORMS)
def test_times_of_an_unknown_zone_are_asked_about_whatever_they_are_called(
    tmp_path: Path, form: str
) -> None:
    stamps = [f"{day} 16:00:00 EST" for day in DAYS]
    path = write(tmp_path / f"a.{form}", {"closed": stamps[::-1], "close": CLOSES})
    assert "EST is an ambiguous or unknown time zone" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_that_are_dates_are_times_in_any_year_of_two_centuries(
    tmp_path: Path, form: str
) -> None:
    days = [f"19671{row}01" for row in range(3)] + [f"20991{row}01" for row in range(3)]
    path = write(tmp_path / f"a.{form}", {"closed": days, "close": CLOSES})
    assert rate(path) == (4, 4)
    path = write(tmp_path / f"b.{form}", {"closed": days[::-1], "close": CLOSES})
    assert "for one series set order: newest_first" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "cells", [["0", "1", "2", "3", "4", "5"], ["1.5"] * 6, ["a"] * 6, [*DAYS[:2], *"abcd"]]
)
def test_what_is_no_time_is_never_taken_for_one(
    tmp_path: Path, form: str, cells: list[str]
) -> None:
    found = decide([write(tmp_path / f"b.{form}", {"x": cells, "close": CLOSES})], CONFIG)
    assert found.untimed == [""]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["day", "when", ""])
@pytest.mark.parametrize("stamp", ["Average", "", "day"])
@pytest.mark.parametrize("place", [0, 6])
def test_a_row_whose_time_is_no_time_is_refused(
    tmp_path: Path, form: str, name: str, stamp: str, place: int
) -> None:
    times, closes = [*DAYS], [*map(str, CLOSES)]
    times.insert(place, stamp)
    closes.insert(place, "12.5")
    path = write(tmp_path / f"bars.{form}", {name: times, "close": closes})
    message = refusal(path)
    assert f" is {stamp!r}, not a timestamp" in message
    assert message.endswith("else correct its time)")


def test_a_footer_is_refused_far_below_in_a_large_file(tmp_path: Path) -> None:
    start = datetime(2024, 1, 1)
    times = [start + timedelta(minutes=row) for row in range(LARGE)]
    lines = [f"{time},10.5\n" for time in times]
    path = tmp_path / "bars.csv"
    path.write_text("when,close\n" + "".join(lines))
    assert path.stat().st_size > LARGE_BYTES
    assert decide([path], CONFIG).tally.rows == LARGE
    path.write_text("when,close\n" + "".join(lines) + "Average,12.5\n")
    assert f"line {LARGE + 2:}: when is 'Average'" in refusal(path)


def test_a_column_is_proved_by_the_rows_below_a_very_long_header(tmp_path: Path) -> None:
    notes = {f"a note on the bar, number {row}": ["x"] * 6 for row in range(400)}
    columns = {f'"{name}"': cells for name, cells in notes.items()}
    path = write(tmp_path / "bars.csv", {"when": DAYS[::-1], "close": CLOSES, **columns})
    assert "when is earlier than" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_where_no_check_needs_times_none_are_sought(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"bars.{form}"
    write(path, {"opens": DAYS[::-1], "closes": DAYS, "close": CLOSES})
    assert rate(path, config=UNCHECKED) == (4, 4)
    assert rate(path, config=NONE) == (4, 4)


@pytest.mark.parametrize("form", FORMS)
def test_a_column_called_none_is_written_in_capitals(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {"none": DAYS, "close": CLOSES})
    assert "set columns: {timestamp: NONE} for that column" in refusal(path, config=NONE)
    declared = CONFIG._replace(columns=Columns(timestamp="NONE"))
    assert decide([path], declared).untimed == []


def parts(folder: Path, form: str = "csv") -> list[Path]:
    pieces = {1: [10, 11, 12], 2: [13, 9], 10: [20, 21]}
    return [
        write(folder / f"part{number}.{form}", {"close": closes, "x": ["a"] * len(closes)})
        for number, closes in pieces.items()
    ]


@pytest.mark.parametrize("form", FORMS)
def test_several_files_of_a_series_without_times_need_a_setting(tmp_path: Path, form: str) -> None:
    paths = parts(tmp_path, form)
    message = refusal(*paths)
    assert message.startswith(f"{paths[0]} and 2 more files have no timestamps, so nothing tells")
    assert refusal(*paths[:2]).startswith(f"{paths[0]} and {paths[1]} have no timestamps")
    assert "columns: {timestamp: none}" in message


@pytest.mark.parametrize("config", [NONE, UNCHECKED])
def test_files_without_times_are_read_in_the_order_given(tmp_path: Path, config: JobConfig) -> None:
    one, two, ten = parts(tmp_path)
    assert rate(one, two, ten, config=config) == (4, 5)
    assert rate(one, ten, two, config=config) == (3, 5)


@given(st.lists(st.integers(0, 10**30), unique=True))
def test_numbers_in_names_are_compared_as_numbers(numbers: list[int]) -> None:
    names = [f"part{number}.csv" for number in sorted(numbers)]
    assert sorted(sorted(names), key=numbered) == names


@pytest.mark.parametrize("form", FORMS)
def test_a_column_without_a_usual_name_may_have_counts_that_are_also_dates(
    tmp_path: Path, form: str
) -> None:
    seconds = [str(1_704_240_000 + 86_400 * row) for row in range(6)]
    path = write(tmp_path / f"seconds.{form}", {"x": seconds[::-1], "close": CLOSES})
    assert "x is earlier than 2024-01-08T00:00:00Z" in refusal(path)
    digits = [f"24010215{30 + row}" for row in range(6)]
    path = write(tmp_path / f"digits.{form}", {"x": digits, "close": CLOSES})
    assert "x is '2401021530', ambiguous (set timestamp_format: epoch_s or" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("turned", [False, True])
def test_files_of_a_series_of_which_one_has_no_times_are_refused(
    tmp_path: Path, form: str, turned: bool
) -> None:
    timed = write(tmp_path / f"timed.{form}", {"date": DAYS[3:], "close": CLOSES[3:]})
    untimed = write(tmp_path / f"untimed.{form}", {"x": list("abc"), "close": CLOSES[:3]})
    message = refusal(*([untimed, timed] if turned else [timed, untimed]))
    assert message.startswith(f"{timed} has timestamps, but {untimed}, of the same series, has")


def test_files_of_different_series_may_differ_in_having_times(tmp_path: Path) -> None:
    write(tmp_path / "A.csv", {"date": DAYS, "symbol": ["A"] * 6, "close": CLOSES})
    write(tmp_path / "B.csv", {"x": ["x"] * 6, "symbol": ["B"] * 6, "close": CLOSES})
    for source in (SymbolFrom("symbol"), SymbolFrom(filename=True)):
        config = CONFIG._replace(columns=Columns(symbol=source))
        found = decide([tmp_path / "A.csv", tmp_path / "B.csv"], config)
        assert (found.untimed, found.tally.ones) == (["B"], 8)


@ON_ONE_FILE
@given(st.sampled_from(NAMES), st.data())
def test_a_usual_name_counts_in_any_spelling(name: str, data: st.DataObject) -> None:
    spelled = "".join(
        data.draw(st.sampled_from([sign, sign.upper(), f"{sign}_", f"{sign.upper()} "]))
        for sign in name
    )
    suffix = data.draw(st.sampled_from(["", "(UTC)", " (Europe/Berlin)"]))
    assert plain_name(f"<{spelled}>") == plain_name(f" {spelled}{suffix} ") == name


def test_usual_names_are_plain() -> None:
    assert list(map(plain_name, NAMES)) == list(NAMES)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("form", "name"), [("csv", "column 1"), ("parquet", "column 1"), ("ndjson", "''")]
)
def test_a_column_without_a_name_is_described(tmp_path: Path, form: str, name: str) -> None:
    path = write(tmp_path / f"bars.{form}", {"": DAYS, "close": CLOSES})
    (file,) = decide([path], CONFIG).files.values()
    assert file.description.endswith(f"timestamp from {name}")
