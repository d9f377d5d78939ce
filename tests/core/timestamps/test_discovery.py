"""Discovery of timestamp formats: those of the usual sources, and ambiguous ones."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.timestamps.discovery import discover_format
from rollsignal.core.timestamps.reader import TimestampReader, to_ns
from rollsignal.errors import BadCellError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
MIDNIGHT = datetime(2024, 1, 31, tzinfo=UTC)
OPEN = datetime(2024, 1, 31, 9, 30, tzinfo=UTC)
CENTRAL_EUROPE = timezone(timedelta(hours=1))
NEW_YORK = timezone(timedelta(hours=-5))

# Where a date and a time stand in two columns, they are joined by a blank.
USUAL = [
    ("Binance, milliseconds", "1704067200000", NEW_YEAR),
    ("Binance, microseconds", "1704067200000000", NEW_YEAR),
    ("Kraken, TradingView, Coinbase", "1704067200", NEW_YEAR),
    ("Coinbase, ISO", "2024-01-31T09:30:00Z", OPEN),
    ("Bitstamp", "2024-01-31 09:30:00", OPEN),
    ("Bitfinex, as a float", "1704067200000.0", NEW_YEAR),
    ("pandas, seconds as a float", "1704067200.0", NEW_YEAR),
    ("Yahoo, days", "2024-01-31", MIDNIGHT),
    ("Yahoo, with a zone", "2024-01-31 09:30:00-05:00", OPEN.replace(tzinfo=NEW_YORK)),
    ("Yahoo, before 1970", "-1325583000", datetime(1927, 12, 30, 14, 30, tzinfo=UTC)),
    ("Yahoo's page", "Jan 31, 2024", MIDNIGHT),
    ("Stooq, days", "20240131", MIDNIGHT),
    ("Stooq, two columns", "20240131 093000", OPEN),
    ("Stooq, two columns with signs", "2024-01-31 09:30:00", OPEN),
    ("MetaTrader, two columns", "2024.01.31 09:30", OPEN),
    ("MetaTrader, with seconds", "2024.01.31 09:30:00", OPEN),
    ("Dukascopy", "31.01.2024 09:30:00.000 GMT+0100", OPEN.replace(tzinfo=CENTRAL_EUROPE)),
    ("Dukascopy, local", "31.01.2024 09:30:00.000", OPEN),
    ("HistData", "20240131 093000", OPEN),
    ("HistData, ticks", "20240131 093000000", OPEN),
    ("Alpha Vantage", "2024-01-31 09:30:00", OPEN),
    ("Polygon", "1706693400000000000", OPEN),
    ("Tiingo", "2024-01-31T00:00:00.000Z", MIDNIGHT),
    ("Tiingo, with an offset", "2024-01-31T00:00:00+00:00", MIDNIGHT),
    ("IEX, two columns", "2024-01-31 09:30", OPEN),
    ("Databento", "2024-01-31T09:30:00.000000000Z", OPEN),
    ("CryptoDataDownload, hours", "2024-01-31 09-AM", OPEN.replace(minute=0)),
    ("Interactive Brokers", "20240131  09:30:00", OPEN),
    ("Interactive Brokers, UTC", "20240131-09:30:00", OPEN),
    ("Interactive Brokers, zone", "20240131-09:30:00 US/Eastern", OPEN.replace(tzinfo=NEW_YORK)),
    (
        "Interactive Brokers, place",
        "20240131 09:30:00 America/New_York",
        OPEN.replace(tzinfo=NEW_YORK),
    ),
    ("Kibot, two columns", "01/31/2024 09:30", OPEN),
    ("Excel", "1/31/2024 9:30", OPEN),
    ("Excel, halves of the day", "1/31/2024 9:30:00 AM", OPEN),
    ("Excel in Japan", "2024/1/31 9:30", OPEN),
    ("National Stock Exchange of India", "31-Jan-2024", MIDNIGHT),
    ("kdb+", "2024.01.31D09:30:00.000000000", OPEN),
    ("SAS", "31JAN2024:09:30:00", OPEN),
    ("ISO 8601, basic", "20240131T093000Z", OPEN),
    ("digits", "20240131093000", OPEN),
    ("digits with milliseconds", "20240131093000000", OPEN),
    ("words", "January 31, 2024 9:30 am UTC", OPEN),
]
TWICE = [
    ("01.02.2024 00:00:00.000", '"%d.%m.%Y %H:%M:%S.%f" or "%m.%d.%Y %H:%M:%S.%f"'),
    ("01.02.2024 00:00:00.000 GMT+0100", '"%d.%m.%Y %H:%M:%S.%f %z" or "%m.%d.%Y %H:%M:%S.%f %z"'),
    ("1/2/2024 9:30 PM", '"%d/%m/%Y %I:%M %p" or "%m/%d/%Y %I:%M %p"'),
    ("01-02-2024", '"%d-%m-%Y" or "%m-%d-%Y"'),
    ("02/02/2024", '"%d/%m/%Y" or "%m/%d/%Y"'),
    ("01/02/03", '"%y/%m/%d" or "%d/%m/%y" or "%m/%d/%y"'),
    ("31-Jan-99 09:30", '"%d-%b-%y %H:%M"'),
    ("31-Jan-24", '"%y-%b-%d" or "%d-%b-%y"'),
    ("2024013109", 'epoch_s or "%Y%m%d%H"'),
    ("197602011230", 'epoch_ms or "%Y%m%d%H%M"'),
    ("3101202409", 'epoch_s or "%d%m%Y%H"'),
    ("010220240930", '"%d%m%Y%H%M" or "%m%d%Y%H%M"'),
    ("240131093000", 'epoch_ms or "%y%m%d%H%M%S" or "%d%m%y%H%M%S"'),
    ("310124093000", 'epoch_ms or "%y%m%d%H%M%S" or "%d%m%y%H%M%S"'),
    ("093000", '"%m%d%y"'),
    ("2401021530", 'epoch_s or "%y%m%d%H%M" or "%d%m%y%H%M"'),
    ("1223241530", 'epoch_s or "%m%d%y%H%M"'),
    ("240131", 'epoch_s or epoch_ms or epoch_us or epoch_ns or "%y%m%d" or "%d%m%y"'),
    ("31012024", 'epoch_s or epoch_ms or epoch_us or epoch_ns or "%d%m%Y"'),
    ("202401", 'epoch_s or epoch_ms or epoch_us or epoch_ns or "%Y%m"'),
]


def ns_of(time: datetime) -> int:
    """Count nanoseconds by definition."""
    return int(Fraction((time - EPOCH) // timedelta(microseconds=1), 10**6) * 10**9)


def read(cells: list[str], written: str | None = None) -> list[int]:
    return [to_ns(time) for time in TimestampReader(written).read(cells)]


@pytest.mark.parametrize(("source", "cell", "time"), USUAL)
def test_the_formats_of_the_usual_sources_are_discovered(
    source: str, cell: str, time: datetime
) -> None:
    assert read([cell]) == [ns_of(time)]


@pytest.mark.parametrize(("source", "cell", "time"), USUAL)
def test_the_setting_of_a_discovered_format_reads_the_same(
    source: str, cell: str, time: datetime
) -> None:
    setting = discover_format([cell], iso_only=False).setting(cell)
    assert read([cell], setting.strip('"')) == [ns_of(time)]


@pytest.mark.parametrize(("cell", "settings"), TWICE)
def test_an_ambiguous_cell_is_refused_with_the_settings_to_choose_from(
    cell: str, settings: str
) -> None:
    with pytest.raises(BadCellError) as caught:
        read([cell])
    assert caught.value.reason == "ambiguous"
    assert caught.value.hint == f"set timestamp_format: {settings}"


@pytest.mark.parametrize(("cell", "settings"), TWICE)
def test_each_setting_that_is_offered_reads_the_cell(cell: str, settings: str) -> None:
    offered = [setting.strip('"') for setting in settings.split(" or ")]
    readings = {read([cell], written)[0] for written in offered}
    same_either_way = cell == "02/02/2024"
    assert len(readings) == (1 if same_either_way else len(offered))


@given(st.dates(date(1900, 1, 1)), st.sampled_from("/-."))
def test_a_date_with_its_year_last_is_clear_only_beyond_the_twelfth(day: date, sign: str) -> None:
    midnight = [ns_of(datetime(day.year, day.month, day.day, tzinfo=UTC))]
    for pattern in (f"%d{sign}%m{sign}%Y", f"%m{sign}%d{sign}%Y"):
        cell = day.strftime(pattern)
        assert read([cell], pattern) == midnight
        if day.day > 12:
            assert read([cell]) == midnight
        else:
            with pytest.raises(BadCellError, match="ambiguous"):
                read([cell])


def test_one_clear_cell_of_a_batch_decides_the_reading_of_all() -> None:
    days = ["01/02/2024", "02/02/2024", "13/02/2024", "01/03/2024"]
    assert read(days) == read(days, "%d/%m/%Y")
    hours = [f"20330131{hour:02d}" for hour in range(24)]
    with pytest.raises(BadCellError, match="ambiguous"):
        read(hours)
    epochs = [str(1_990_000_000 + 60 * row) for row in range(60)]
    assert read(epochs) == [int(cell) * 10**9 for cell in epochs]


def test_a_cell_that_fits_no_reading_is_the_one_refused() -> None:
    with pytest.raises(BadCellError) as caught:
        read(["01/02/2024", "02/02/2024", "Total", "13/02/2024"])
    assert (caught.value.index, caught.value.reason) == (2, "not a timestamp like those above")
    with pytest.raises(BadCellError) as caught:
        read(["01/02/2024", "13/13/2024"])
    assert (caught.value.index, caught.value.reason[:16]) == (1, "not a valid date")


UNKNOWN = [
    *("", "2024-W05", "2024-W05-3", "2024-031", "2024-01", "31/01-2024", "Foo 31, 2024", "31 Jan"),
    *(
        "2024.01.31 09:30 in New York",
        "Wed Wed Jan 31 2024",
        "09:30",
        "1.70407E-12",
        "9" * 20,
        "--1",
    ),
]


@pytest.mark.parametrize("cell", UNKNOWN)
def test_a_cell_in_an_unknown_format_is_refused(cell: str) -> None:
    with pytest.raises(BadCellError, match=r"^not a timestamp$"):
        read([cell])
