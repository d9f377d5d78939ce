"""Parquet and Arrow IPC files: the same words, findings and refusals as text tables have."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.findings import Found
from rollsignal.core.ledger import Missing
from rollsignal.core.timestamps.reader import to_ns
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.readers.columnar import FrameReader
from tests.support import oracle
from tests.support.deciding import decide
from tests.support.frames import arrow, parquet
from tests.support.tables import CONFIG, Bars

Price = Fraction | None
Write = Callable[[pl.DataFrame], bytes]
FORMS: dict[str, Write] = {"parquet": parquet, "arrow": arrow}
BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
GAP = CONFIG._replace(missing="gap")
TIMES = [datetime(2024, 1, 1) + timedelta(minutes=row) for row in range(5)]
TABLE = pl.DataFrame({"timestamp": TIMES, "close": [1.0, 2.5, 2.5, 3.25, 3.0]})


def bars_of(table: pl.DataFrame, config: JobConfig = CONFIG, form: str = "parquet") -> Bars:
    """Read a table's bars through a file."""
    closes: list[Price] = []
    times_ns: list[int] = []
    lines: list[int] = []
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(FORMS[form](table))
        for batch in FrameReader(input_of(str(path)), form, config).batches():
            plain = batch.plain()
            ticks, scale = plain.closes.values, plain.closes.scale
            times_ns += plain.timestamps_ns or []
            lines += plain.lines
            if isinstance(batch, ArrayBatch):
                values, array_scale, _ = batch.closes
                factor = Fraction(10**scale, 10**array_scale)
                assert ticks == [tick * factor for tick in values.tolist()]
                assert (
                    batch.timestamps_ns is None or [*batch.timestamps_ns] == times_ns[-len(ticks) :]
                )
            closes += [None if tick is None else Fraction(tick, 10**scale) for tick in ticks]
    return Bars(closes, times_ns, lines)


def refused(data: bytes, config: JobConfig = CONFIG) -> str:
    """Decide a file that is refused: the message, with the name of the file alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(data)
        with pytest.raises(DataError) as caught:
            decide([str(path)], config)
    return caught.value.message.replace(f"{folder}/", "")


def series(closes: list[Any], kind: Any) -> pl.DataFrame:
    return pl.DataFrame({"close": pl.Series(closes, dtype=kind)})


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(st.lists(st.none() | st.decimals(-(10**9), 10**9, places=4), min_size=1, max_size=9))
def test_decimals_are_the_values_they_are(form: str, closes: list[Decimal | None]) -> None:
    expected = [None if close is None else Fraction(close) for close in closes]
    for kind in (pl.Decimal(20, 4), pl.Decimal(38, 20)):
        assert bars_of(series(closes, kind), GAP, form).closes == expected


@settings(max_examples=40)
@given(st.lists(st.none() | st.floats(-1e300, 1e300), min_size=1, max_size=9))
def test_a_double_stands_for_the_shortest_decimal_that_identifies_it(
    closes: list[float | None],
) -> None:
    expected = oracle.prices([None if close is None else repr(close) for close in closes])
    assert bars_of(series(closes, pl.Float64), GAP).closes == expected


def shortest_of_half(close: float) -> Fraction:
    """Return the decimal of fewest digits that rounds to a half float, the nearest of those."""
    for digits in range(1, 6):
        text = f"{close:.{digits - 1}e}"
        if np.float16(text) == close:
            return Fraction(text)
    raise AssertionError("five digits identify every half float")


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=50)
@given(st.lists(st.floats(-60_000, 60_000, width=16), min_size=1, max_size=20))
def test_a_float16_stands_for_the_shortest_decimal_of_its_own_width(
    form: str, closes: list[float]
) -> None:
    table = series(closes, pl.Float16)
    assert bars_of(table, form=form).closes == list(map(shortest_of_half, closes))


@settings(max_examples=40)
@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=9))
def test_a_float32_stands_for_the_shortest_decimal_of_its_own_width(closes: list[float]) -> None:
    table = series(closes, pl.Float32)
    expected = oracle.prices(list(map(str, table["close"].to_numpy())))
    assert bars_of(table).closes == expected


@settings(max_examples=25)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_whole_numbers_of_any_size_are_themselves(closes: list[int | None]) -> None:
    assert bars_of(series(closes, pl.Int64), GAP).closes == closes
    assert bars_of(series(closes, pl.Int128), GAP).closes == closes


def test_whole_numbers_beyond_int64_are_themselves() -> None:
    assert bars_of(series([2**64 - 1, 2**63], pl.UInt64)).closes == [2**64 - 1, 2**63]
    assert bars_of(series([2**100, -(2**100)], pl.Int128)).closes == [2**100, -(2**100)]


@pytest.mark.parametrize("missing", [None, float("nan")])
@pytest.mark.parametrize("form", FORMS)
def test_a_close_that_is_missing_is_treated_as_the_config_says(form: str, missing: Any) -> None:
    table = series([1.5, missing, 2.0, 3.0, 4.0], pl.Float64)
    shown = "''" if missing is None else "'nan'"
    assert refused(FORMS[form](table)) == (
        f"bars row 2: close is {shown}, not a number"
        " (set missing: skip to leave such rows out, or gap for no signal near them)"
    )
    policies: list[Missing] = ["skip", "gap"]
    for policy in policies:
        bars = bars_of(table, CONFIG._replace(missing=policy), form)
        assert bars == Bars(oracle.prices(["1.5", None, "2", "3", "4"]), [], [1, 2, 3, 4, 5])


@pytest.mark.parametrize("cell", ["x", "1,5", "1_000", "1e401"])
def test_a_close_written_as_text_has_the_grammar_of_text(cell: str) -> None:
    message = refused(parquet(series(["1.10", cell, "2"], pl.String)))
    assert message.startswith(f"bars row 2: close is '{cell}', ")


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Float32, pl.String])
def test_an_infinite_close_is_missing(dtype: Any) -> None:
    table = series([1.0, float("inf"), 2.0, float("-inf")], pl.Float64).with_columns(
        pl.col("close").cast(dtype)
    )
    assert refused(parquet(table)) == (
        "bars row 2: close is 'inf', not a number"
        " (set missing: skip to leave such rows out, or gap for no signal near them)"
    )
    bars = bars_of(table, CONFIG._replace(missing="skip"))
    assert bars == Bars(oracle.prices(["1", None, "2", None]), [], [1, 2, 3, 4])


@pytest.mark.parametrize("closes", [[True, False], [TIMES[0]], [[1.0]], [{"a": 1}], [b"1"]])
def test_a_column_without_numbers_is_refused_as_close(closes: list[Any]) -> None:
    message = refused(parquet(pl.DataFrame({"close": closes})))
    assert message.startswith("bars: close is a column of ")


@pytest.mark.parametrize(
    ("stamps", "what"),
    [
        ([TIMES[0], TIMES[1], TIMES[1]], "row 3: timestamp is the same as in the previous row"),
        (
            [TIMES[0], TIMES[2], TIMES[1]],
            "row 3: timestamp is earlier than 2024-01-01T00:02:00Z in the previous row",
        ),
        ([TIMES[0], None, TIMES[1]], "row 2: timestamp is '', not a timestamp"),
        (
            [date(2024, 1, 2), date(2024, 1, 1), date(2024, 1, 3)],
            "row 2: timestamp is earlier than",
        ),
        (
            ["2024-01-01", "2024-02-30", "2024-03-01"],
            "row 2: timestamp is '2024-02-30', not a valid date",
        ),
        (
            [1704067200, 1704067200, 1704067260],
            "row 2: timestamp is the same as in the previous row",
        ),
        ([True, False, True], "row 1: timestamp is 'True', not a timestamp"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_bad_timestamp_is_reported_with_its_row(form: str, stamps: list[Any], what: str) -> None:
    table = pl.DataFrame({"timestamp": stamps, "close": [1.0, 2.0, 3.0]})
    assert refused(FORMS[form](table)).startswith(f"bars {what}")
    unchecked = CONFIG._replace(checks=Checks("off", "off"))
    assert bars_of(table, unchecked, form).closes == [1, 2, 3]


@pytest.mark.parametrize("form", FORMS)
def test_timestamps_are_exact_to_the_unit(form: str) -> None:
    counts = [-1, 0, 2**62 // 10**6]
    for unit, size in (("ms", 10**6), ("us", 10**3), ("ns", 1)):
        stamps = pl.Series(counts).cast(pl.Datetime(unit))  # type: ignore[arg-type]  # drawn
        table = pl.DataFrame({"timestamp": stamps, "close": [1.0, 2.0, 3.0]})
        assert bars_of(table, form=form).times_ns == [count * size for count in counts]


def test_times_beyond_nanoseconds_of_64_bits_are_read_too() -> None:
    stamps = [datetime(1, 1, 1), datetime(2024, 1, 1), datetime(9999, 12, 31, 23, 59)]
    table = pl.DataFrame({"timestamp": stamps, "close": [1.0, 2.0, 3.0]})
    assert bars_of(table).times_ns == list(map(to_ns, stamps))


def test_the_config_says_how_text_and_numbers_are_written_but_not_how_times_are() -> None:
    days = [date(2024, 2, 1), date(2024, 2, 2), date(2024, 2, 3)]
    ambiguous = pl.DataFrame({"timestamp": days, "close": [1.0, 2.0, 3.0]})
    expected = [to_ns(datetime(2024, 2, day)) for day in (1, 2, 3)]
    text = pl.col("timestamp").dt.to_string("%d/%m/%Y")
    day_first = CONFIG._replace(timestamp_format="%d/%m/%Y")
    assert bars_of(ambiguous.with_columns(text), day_first).times_ns == expected
    assert refused(parquet(ambiguous.with_columns(text))).startswith(
        "bars row 1: timestamp is '01/02/2024', ambiguous"
    )
    number = pl.col("timestamp").dt.to_string("%Y%m%d").cast(pl.Int32)
    packed = CONFIG._replace(timestamp_format="%Y%m%d")
    assert bars_of(ambiguous.with_columns(number), packed).times_ns == expected
    assert bars_of(ambiguous, day_first).times_ns == expected
    null = ambiguous.with_columns(timestamp=pl.Series([days[0], None, days[2]]))
    assert refused(parquet(null), day_first).startswith("bars row 2: timestamp is '', not")


@pytest.mark.parametrize("form", FORMS)
def test_a_date_and_a_time_of_day_are_one_timestamp(form: str) -> None:
    at = pl.col("timestamp") + timedelta(microseconds=1)
    typed = TABLE.select(Date=at.dt.date(), Time=at.dt.time(), close="close")
    text = typed.with_columns(pl.col("Date", "Time").dt.to_string("iso"))
    numbers = TABLE.select(
        date=at.dt.to_string("%Y%m%d").cast(pl.Int64),
        time=at.dt.to_string("%H:%M:%S%.f"),
        close="close",
    )
    expected = [to_ns(time) + 1000 for time in TIMES]
    for table in (typed, text, numbers):
        assert bars_of(table, form=form).times_ns == expected
    assert bars_of(typed, CONFIG._replace(timestamp_format="%d/%m/%Y")).times_ns == expected
    late = typed.with_columns(Time=pl.Series([*typed["Time"][:4], None]))
    assert refused(FORMS[form](late)).startswith("bars row 5: Date and Time is '', not a timestamp")
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(FORMS[form](typed))
        assert (
            FrameReader(input_of(str(path)), form, CONFIG).describe().endswith("from Date and Time")
        )
    unchecked = CONFIG._replace(checks=Checks("off", "off"))
    assert bars_of(typed, unchecked, form).times_ns == []


def test_a_time_that_has_its_date_is_read_alone() -> None:
    table = TABLE.select(date=pl.col("timestamp").dt.date(), time="timestamp", close="close")
    assert bars_of(table).times_ns == list(map(to_ns, TIMES))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_whole_doubles_are_counts_since_1970(unit: Any) -> None:
    counts = pl.col("timestamp").dt.epoch(unit).cast(pl.Float64)
    times_ns = bars_of(TABLE.with_columns(counts)).times_ns
    assert times_ns == list(map(to_ns, TIMES))


@pytest.mark.parametrize("form", FORMS)
def test_a_column_is_found_as_in_a_text_table(form: str) -> None:
    table = TABLE.rename({"close": " CLOSE ", "timestamp": "Open Time"})
    assert bars_of(table, form=form).closes == bars_of(TABLE, form=form).closes
    assert refused(FORMS[form](TABLE.rename({"close": "Close Price"}))).startswith(
        "bars: no 'close' column in the header: 'timestamp', 'Close Price'"
    )
    two = TABLE.with_columns(pl.col("close").alias("Close "), pl.col("close").alias("CLOSE"))
    for several in (two.drop("close"), two):
        message = refused(FORMS[form](several))
        assert message.startswith(f"bars: {len(several.columns) - 1} columns are named 'close'; ")
    exact = CONFIG._replace(columns=Columns(close="CLOSE"))
    assert bars_of(two, exact, form).closes == bars_of(TABLE, form=form).closes


def test_a_file_is_described_by_its_format_and_columns(tmp_path: Path) -> None:
    for form, write in FORMS.items():
        path = tmp_path / form
        path.write_bytes(write(TABLE))
        description = FrameReader(input_of(str(path)), form, CONFIG).describe()
        assert description == f"{form}, close from close, timestamp from timestamp"
        path.write_bytes(write(TABLE.drop("timestamp")))
        assert (
            FrameReader(input_of(str(path)), form, CONFIG)
            .describe()
            .endswith("timestamp from none")
        )


@pytest.mark.parametrize("symbols", [["A", None, "A"], ["A", "", "A"], ["A", " \t", "A"]])
@pytest.mark.parametrize("form", FORMS)
def test_an_empty_symbol_is_refused(form: str, symbols: list[str | None]) -> None:
    table = pl.DataFrame({"symbol": symbols, "close": [1.0, 2.0, 3.0]})
    assert refused(FORMS[form](table), BY_COLUMN) == "bars row 2: the symbol is empty"


@pytest.mark.parametrize("form", FORMS)
def test_a_file_without_rows_has_no_signal(form: str) -> None:
    for table in (TABLE.clear(), TABLE.clear().with_columns(symbol=pl.lit("A"))):
        config = BY_COLUMN if "symbol" in table.columns else CONFIG
        assert refused(FORMS[form](table), config) == "bars: no rows below the header"


LONG = pl.DataFrame(
    {
        "timestamp": pl.datetime_range(TIMES[0], TIMES[0] + timedelta(299), "1d", eager=True),
        "close": [random.Random(row).randrange(10**6) / 100 for row in range(300)],
    }
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(st.data())
def test_a_file_cut_off_anywhere_is_refused_by_name(form: str, data: st.DataObject) -> None:
    whole = FORMS[form](LONG)
    cut = data.draw(
        st.one_of(st.integers(64, len(whole) - 1), st.integers(1, 12).map(len(whole).__sub__))
    )
    assert refused(whole[:cut]).startswith(f"bars: cannot be read as {form}: ")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("junk", [b"x", b"PAR1", b"\0" * 64, b"close\n1\n"])
def test_a_file_with_something_after_its_end_is_refused_or_read_whole(
    form: str, junk: bytes
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(FORMS[form](LONG) + junk)
        try:
            answer: Found | str = decide([str(path)], CONFIG)
        except DataError as error:
            answer = error.message.replace(f"{folder}/", "")
    assert isinstance(answer, Found) or answer.startswith(f"bars: cannot be read as {form}: ")
    assert isinstance(answer, str) or answer.tally.rows == 300


def test_nothing_but_the_first_bytes_is_refused() -> None:
    for data in (b"PAR1", b"PAR1" * 2, parquet(LONG)[:8]):
        assert refused(data).startswith("bars: cannot be read as parquet: ")


BEYOND = [
    *[(pl.Datetime(unit), count) for unit in ("us", "ms") for count in (-(2**63), 2**63 - 1)],
    (pl.Datetime("us", "UTC"), -1_157_000_000_000_000_000),
    (pl.Datetime("us", "Asia/Tokyo"), 2**62),
    (pl.Datetime("us"), -62_135_596_800_000_001),
    (pl.Datetime("ms"), 253_402_300_800_000),
    *[(pl.Date, day) for day in (-(2**31), -719_163, 2_932_897, 2**31 - 1)],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "count"), BEYOND)
def test_a_time_beyond_any_calendar_is_refused_by_its_row(
    form: str, kind: Any, count: int, capfd: pytest.CaptureFixture[str]
) -> None:
    integers = pl.Int32 if kind == pl.Date else pl.Int64
    times = pl.Series([0, count], dtype=integers).cast(kind)
    table = pl.DataFrame({"timestamp": times, "close": [1.0, 2.0]})
    what = "bars row 2: timestamp is not within the years 1 to 9999"
    assert refused(FORMS[form](table)) == what
    # A panic of polars would write its backtrace.
    assert capfd.readouterr().err == ""
