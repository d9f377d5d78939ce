"""What polars cannot read is refused by name; zones that it does not know are read all the same."""

import base64
import os
import re
import zlib
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.timestamps.reader import to_ns
from rollsignal.errors import DataError, DiskError
from rollsignal.files.find import input_of
from rollsignal.readers.arrow_schema import UNREADABLE_TYPES, unreadable_columns
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.polars_calls import PolarsCalls
from tests.support.deciding import decide
from tests.support.frames import arrow, parquet
from tests.support.tables import CONFIG

FORMS = {"parquet": parquet, "arrow": arrow}
TIMES = [datetime(2024, 1, 1) + timedelta(minutes=row) for row in range(5)]
TABLE = pl.DataFrame({"timestamp": TIMES, "close": [1.0, 2.5, 2.5, 3.25, 3.0]})
CLOSES = [Fraction(text) for text in ("1", "2.5", "2.5", "3.25", "3")]

# Zones that polars does not know, each with one of the same length that it does know.
ZONES = {
    "+05:30": "Turkey",
    "-05:00": "Israel",
    "GMT+5": "Japan",
    "UTC+05:30": "Asia/Gaza",
    "Nowhere/Near": "Africa/Cairo",
    "Asia/Tokyo": "Asia/Tokyo",
}
# A column of the type run_end_encoded beside the closes, which polars panics at.
UNKNOWN_TYPE = zlib.decompress(
    base64.b85decode(
        "c-rMtJ5B>J5Pi;iKZ;zqh@un}Tcn^|Iy#b$4wQxl2}Q77lt`?CI06Mn;vgJ@8-zFZ1S|{00eI4QX6)yg*|)pP)"
        "#~cz3^)+20Xzg_I8-RnFd~d)4rUEkt1B>~y=i>Q`y@_hj8BsDYs8u?jc3|Bc`uP$`h+W}Xiw|Sz8_@IhJBAo=v"
        "Rjcyv~P__<3?yIFI}7UB7)8V(w^l*q8S0SFI|mWr}=`l6Jq@4L!NSuVTxvicSq5W};k&sVe0{RTLJYL5Cy8%w1"
        "4Tw0u=P3Vfr+@0evi-#^aWX6J39i{MnfNjNr}13%>Ek38bzLW6~NT@=}!wZ@0=?xO~dDpo-`AGPB|=Q^v^d!07"
        ")>btD-fBz;g`4G$S4}Sum9z$3"
    )
)


def zoned(form: str, column: pl.Series, zone: str) -> bytes:
    """Write the table with times in a zone that polars itself would not write."""
    known = ZONES[zone]
    table = TABLE.select("close", column.cast(pl.Datetime("us", known)))
    data = FORMS[form](table)

    def renamed(schema: re.Match[bytes]) -> bytes:
        text = base64.b64decode(schema[0])
        return base64.b64encode(text.replace(known.encode(), zone.encode()))

    # Parquet holds the schema of Arrow as base64.
    return re.sub(rb"/////[\w+/]+=*", renamed, data).replace(known.encode(), zone.encode())


def read(data: bytes, config: JobConfig = CONFIG) -> tuple[list[Fraction], list[int]]:
    """Read the closes and the timestamps of a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(data)
        form = "parquet" if data.startswith(b"PAR1") else "arrow"
        reader = FrameReader(input_of(str(path)), form, config)
        (batch,) = [batch.plain() for batch in reader.batches()]
    unit = Fraction(1, 10**batch.closes.scale)
    return [(tick or 0) * unit for tick in batch.closes.values], list(batch.timestamps_ns or [])


def refused(data: bytes) -> str:
    """Decide a file that is refused: the message, with the name of the file alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(data)
        with pytest.raises(DataError) as caught:
            decide([str(path)], CONFIG)
    return caught.value.message.replace(f"{folder}/", "")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", FORMS)
def test_times_are_read_in_every_zone_as_they_are_stored_in_utc(form: str, zone: str) -> None:
    data = zoned(form, TABLE["timestamp"], zone)
    assert read(data) == (CLOSES, list(map(to_ns, TIMES)))
    absent = pl.Series("timestamp", [*TIMES[:4], None])
    message = refused(zoned(form, absent, zone))
    assert message.startswith("bars row 5: timestamp is '', not a timestamp")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", FORMS)
def test_the_zone_of_a_column_that_is_not_read_does_not_matter(form: str, zone: str) -> None:
    data = zoned(form, TABLE["timestamp"].alias("other"), zone)
    untimed = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
    assert read(data, untimed) == (CLOSES, [])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [-(2**62), 2**62])
def test_a_time_that_no_calendar_holds_is_refused_with_its_row(form: str, count: int) -> None:
    for kind in (pl.Datetime("us"), pl.Datetime("us", "UTC")):
        stamps = pl.Series("timestamp", [0, 10**6, count, count, 10**7]).cast(kind)
        message = refused(FORMS[form](TABLE.with_columns(stamps)))
        assert message.startswith("bars row 3: timestamp is not within the years 1 to 9999")


def test_a_type_that_polars_panics_at_is_bad_data_without_a_backtrace(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert refused(UNKNOWN_TYPE) == (
        "bars: cannot be read as arrow: the column 'x' (run-end encoded) has a type that polars"
        " does not know; write the file without it"
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("code", "kind"), UNREADABLE_TYPES.items())
def test_every_type_that_polars_does_not_know_is_named_with_its_column(
    tmp_path: Path, code: int, kind: str
) -> None:
    path = tmp_path / "bars"
    places = [place for place, byte in enumerate(UNKNOWN_TYPE[:400]) if byte == 22]
    found = set()
    for place in places:
        path.write_bytes(UNKNOWN_TYPE[:place] + bytes([code]) + UNKNOWN_TYPE[place + 1 :])
        found |= set(unreadable_columns(str(path)))
    assert ("x", kind) in found


@pytest.mark.parametrize("nested", [False, True])
def test_types_that_polars_knows_are_not_named(tmp_path: Path, nested: bool) -> None:
    column = pl.struct("close", pl.concat_list("close").alias("list")).alias("x")
    table = TABLE.with_columns(column) if nested else TABLE
    path = tmp_path / "bars"
    for write in (table.write_ipc, table.write_ipc_stream):
        write(path)
        assert unreadable_columns(str(path)) == []


@given(st.data())
def test_a_damaged_schema_names_no_column_and_ends(data: st.DataObject) -> None:
    damaged = bytearray(UNKNOWN_TYPE[: data.draw(st.integers(0, len(UNKNOWN_TYPE)))])
    for place in data.draw(st.lists(st.integers(0, 400), max_size=9)):
        if place < len(damaged):
            damaged[place] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        path.write_bytes(damaged)
        assert {kind for _, kind in unreadable_columns(str(path))} <= {*UNREADABLE_TYPES.values()}


def test_a_type_is_refused_too_where_stderr_is_closed(tmp_path: Path) -> None:
    (tmp_path / "bars").write_bytes(UNKNOWN_TYPE)
    kept = os.dup(2)
    os.close(2)
    try:
        with pytest.raises(DataError, match="has a type that polars does not know"):
            FrameReader(input_of(str(tmp_path / "bars")), "arrow", CONFIG)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_fewer_rows_than_the_file_has_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_bytes(parquet(pl.DataFrame({"close": [1.0, 2.0, 3.0]})))
    calls = PolarsCalls(input_of(str(path)), "parquet")
    table, _ = calls.scan()
    calls.check_count(table, 3)
    with pytest.raises(DataError, match="polars stopped after 2 of 3 rows; is the file damaged"):
        calls.check_count(table, 2)


def test_a_value_that_python_cannot_hold_is_refused() -> None:
    calls = PolarsCalls(input_of("bars.parquet"), "parquet")
    times = pl.Series([-1_157_000_000_000_000_000]).cast(pl.Datetime("us", "Asia/Tokyo"))
    with pytest.raises(DataError, match=r"bars\.parquet: cannot be read as parquet: "):
        calls.guarded(times.to_list)


def test_a_failing_call_in_polars_is_no_bad_data_and_a_bug_of_ours_is_none() -> None:
    def fail() -> None:
        raise pl.exceptions.ComputeError("Input/output error (os error 5)")

    calls = PolarsCalls(input_of("bars.parquet"), "parquet")
    with pytest.raises(DiskError, match=r"^bars\.parquet: reading failed: Input/output error$"):
        calls.guarded(fail)
    with pytest.raises(ValueError, match="invalid literal"):
        calls.guarded(lambda: int("x"))


def test_a_file_that_ends_too_early_once_is_no_bad_data_and_one_that_always_does_is(
    tmp_path: Path,
) -> None:
    def cut_short() -> None:
        raise pl.exceptions.ComputeError("failed to fill whole buffer")

    path = tmp_path / "bars.parquet"
    path.write_bytes(parquet(pl.DataFrame({"close": [1.0, 2.0]})))
    calls = PolarsCalls(input_of(str(path)), "parquet")
    with pytest.raises(DiskError, match="reading failed: less came than there is"):
        calls.guarded(cut_short)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read as parquet: failed to fill whole buffer"):
        calls.guarded(cut_short)
