"""Counts since 1970 are read alike in every format, and by the careful and the fast readers."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

import rollsignal.engines.inputs as inputs_module
from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from tests.support.deciding import decide, inputs
from tests.support.tables import CONFIG

NEW_YEAR = 1_735_689_600
CLOSES = (10, 11, 12, 13, 14, 15)
Cells = list[str]


def text(comma: str) -> Callable[[Path, Cells, list[int]], None]:
    def write(path: Path, cells: Cells, closes: list[int]) -> None:
        rows = [f"{cell}{comma}{close}\n" for cell, close in zip(cells, closes, strict=True)]
        path.write_text(f"open_time{comma}close\n" + "".join(rows))

    return write


def ndjson(path: Path, cells: Cells, closes: list[int]) -> None:
    rows = [
        f'{{"open_time": {cell}, "close": {close}}}\n'
        for cell, close in zip(cells, closes, strict=True)
    ]
    path.write_text("".join(rows))


def parquet(path: Path, cells: Cells, closes: list[int]) -> None:
    pl.DataFrame({"open_time": list(map(json.loads, cells)), "close": closes}).write_parquet(path)


FORMATS = {"csv": text(","), "tsv": text("\t"), "ndjson": ndjson, "parquet": parquet}


def decided(paths: list[Path], config: JobConfig, least_bytes: int) -> tuple[int, int, int]:
    """Decide files of one series: its first and last second, and how many signals are 1.

    least_bytes: the size from which on the fast readers are used.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs_module, "LARGE_BYTES", least_bytes)
        found = decide(paths, config)
    (account,) = found.accounts.values()
    assert account.first_ns is not None
    assert account.last_ns is not None
    return account.first_ns // 10**9, account.last_ns // 10**9, found.tally.ones


def decided_alike(paths: list[Path], config: JobConfig = CONFIG) -> tuple[int, int, int]:
    carefully = decided(paths, config, 1 << 30)
    assert decided(paths, config, 1) == carefully
    return carefully


def refused_alike(paths: list[Path], config: JobConfig = CONFIG) -> str:
    messages = set()
    for least_bytes in (1, 1 << 30):
        with pytest.raises(DataError) as caught:
            decided(paths, config, least_bytes)
        messages.add(caught.value.message)
    (message,) = messages
    return message


def minutes(*zeros: int, first: int = 0) -> Cells:
    """Write one count a minute, in the unit with so many more digits than seconds."""
    return [f"{NEW_YEAR + 60 * (first + row)}{'0' * more}" for row, more in enumerate(zeros)]


def ones_of(closes: list[int], window: int = CONFIG.window) -> int:
    """Count the signals that are 1 by definition."""
    spans = [closes[end - window : end] for end in range(window, len(closes) + 1)]
    return sum(span[-1] > Fraction(sum(span), window) for span in spans)


@pytest.mark.parametrize("form", FORMATS)
def test_whole_numbers_that_are_times_in_two_ways_are_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"bars.{form}"
    FORMATS[form](path, [f"24010215{30 + row}" for row in range(6)], [*CLOSES])
    message = refused_alike([path])
    assert "open_time is '2401021530', ambiguous" in message
    assert 'set timestamp_format: epoch_s or "%y%m%d%H%M" or "%d%m%y%H%M"' in message
    day = 1_704_209_400
    for written, first in (("%y%m%d%H%M", day), ("epoch_s", 2_401_021_530)):
        config = CONFIG._replace(timestamp_format=written)
        assert decided_alike([path], config)[0] == first


@pytest.mark.parametrize("form", FORMATS)
def test_one_count_that_is_no_date_proves_the_seconds_of_a_column(
    tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"bars.{form}"
    # The third of January 2024 as digits is the 24th of April 2017, the fourth is no date.
    cells = [str(1_704_240_000 + 86_400 * row) for row in range(6)]
    FORMATS[form](path, cells, [*CLOSES])
    assert decided_alike([path])[:2] == (int(cells[0]), int(cells[-1]))


CHANGES = {
    "milliseconds, then seconds": (3, 0),
    "milliseconds, then microseconds": (3, 6),
    "seconds, then nanoseconds": (0, 9),
    "microseconds, then milliseconds": (6, 3),
}


@pytest.mark.parametrize("rows", [6, 1000])
@pytest.mark.parametrize("units", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_column_of_two_units_is_read_by_the_size_of_each_count(
    tmp_path: Path, form: str, units: tuple[int, int], rows: int
) -> None:
    closes = [10 + row % 7 for row in range(rows)]
    path = tmp_path / f"bars.{form}"
    for zeros in (
        [units[0]] * (rows // 2) + [units[1]] * (rows // 2),
        [*units] * (rows // 2),
    ):
        FORMATS[form](path, minutes(*zeros), closes)
        last = NEW_YEAR + 60 * (rows - 1)
        assert decided_alike([path]) == (NEW_YEAR, last, ones_of(closes))


UNCLEAR = {
    "years": ["2019", "2020", "2021", "2022", "2023", "2024"],
    "numbers of rows": ["0", "1", "2", "3", "4", "5"],
    "times of day": ["930", "931", "932", "933", "934", "935"],
    "days of a spreadsheet": [f"{45292 + row}.5" for row in range(6)],
    "years with months": ["1871.01", "1871.02", "1871.03", "1871.04", "1871.05", "1871.06"],
    "minutes": [str(28_401_120 + row) for row in range(6)],
    ".NET": [str(638_396_640_000_000_000 + 600_000_000 * row) for row in range(6)],
    "the far future": [str(99_999_999_990 + row) for row in range(6)],
}


@pytest.mark.parametrize("cells", UNCLEAR.values(), ids=UNCLEAR)
@pytest.mark.parametrize("form", FORMATS)
def test_numbers_that_may_be_anything_are_refused_with_the_setting(
    tmp_path: Path, form: str, cells: Cells
) -> None:
    path = tmp_path / f"bars.{form}"
    FORMATS[form](path, cells, list(CLOSES))
    message = refused_alike([path])
    first = "row 1" if form == "parquet" else "line 1" if form == "ndjson" else "line 2"
    assert f"bars.{form} {first}: open_time is '{cells[0]}', " in message
    assert "timestamp_format" in message


@pytest.mark.parametrize("form", FORMATS)
def test_years_are_read_as_the_setting_in_the_hint_says(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"bars.{form}"
    FORMATS[form](path, UNCLEAR["years"], list(CLOSES))
    assert refused_alike([path]).endswith('(if these are years, set timestamp_format: "%Y")')
    years = CONFIG._replace(timestamp_format="%Y")
    assert decided_alike([path], years) == (1_546_300_800, 1_704_067_200, 4)


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_of_many_rows_are_refused_where_they_begin(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"bars.{form}"
    FORMATS[form](path, list(map(str, range(2000))), [10] * 2000)
    assert " 1: open_time is '0', not clearly a time" in refused_alike([path]).replace(" 2:", " 1:")


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("form", FORMATS)
def test_daily_seconds_from_before_1970_to_now_are_times(
    tmp_path: Path, form: str, newest_first: bool
) -> None:
    days = [86_400 * day for day in range(-2000, 8000)]
    closes = [10 + day % 7 for day in range(10_000)]
    path = tmp_path / f"bars.{form}"
    step = -1 if newest_first else 1
    FORMATS[form](path, list(map(str, days))[::step], closes[::step])
    config = CONFIG._replace(sort=newest_first)
    assert decided_alike([path], config) == (days[0], days[-1], ones_of(closes))


@pytest.mark.parametrize("rows", [6, 1000])
@pytest.mark.parametrize("form", FORMATS)
def test_a_named_unit_does_not_put_half_a_file_into_january_1970(
    tmp_path: Path, form: str, rows: int
) -> None:
    half = rows // 2
    path = tmp_path / f"bars.{form}"
    FORMATS[form](path, minutes(*[3] * half, *[0] * half), [10 + row % 7 for row in range(rows)])
    for sort in (False, True):
        named = CONFIG._replace(timestamp_format="epoch_ms", sort=sort)
        message = refused_alike([path], named)
        assert "in January 1970 as milliseconds, where other rows are not" in message
        # The hint is followed.
        last = NEW_YEAR + 60 * (rows - 1)
        right = (NEW_YEAR, last, ones_of([10 + row % 7 for row in range(rows)]))
        assert decided_alike([path], named._replace(timestamp_format=None)) == right


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("form", FORMATS)
def test_a_named_unit_does_not_put_one_of_two_files_into_january_1970(
    tmp_path: Path, form: str, sort: bool
) -> None:
    paths = [tmp_path / f"a.{form}", tmp_path / f"b.{form}"]
    FORMATS[form](paths[0], minutes(3, 3, 3), [10, 11, 12])
    FORMATS[form](paths[1], minutes(0, 0, 0, first=3), [13, 9, 15])
    named = CONFIG._replace(timestamp_format="epoch_ms", sort=sort)
    message = refused_alike(paths, named)
    start = "the first timestamp is in January 1970 as milliseconds, where other rows are not"
    assert f"b.{form}: {start} (" in message
    right = (NEW_YEAR, NEW_YEAR + 300, ones_of([10, 11, 12, 13, 9, 15]))
    assert decided_alike(paths, named._replace(timestamp_format=None)) == right


@pytest.mark.parametrize("zeros", [0, 3, 6, 9])
def test_counts_of_one_unit_are_read_as_arrays(tmp_path: Path, zeros: int) -> None:
    """The careful reader need not see them again after it has found the format."""
    path = tmp_path / "bars.csv"
    FORMATS["csv"](path, minutes(*[zeros] * 2000), [10] * 2000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs_module, "LARGE_BYTES", 1)
        with inputs([path], CONFIG).opened(input_of(str(path))) as reader:
            kinds = [type(batch).__name__ for batch in reader.batches()]
    assert kinds == ["Batch", "ArrayBatch"]
