"""The fast reader: it yields what the careful reader yields, or it doubts; there is no third."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.arrays import TickArray
from rollsignal.bars.careful import CarefulReader
from rollsignal.bars.fast import DoubtError, FastReader, suits
from rollsignal.config import Checks, Columns, JobConfig, Missing
from rollsignal.errors import DataError
from rollsignal.settings import SymbolFrom
from rollsignal.timestamps import to_ns
from tests.oracle import prices
from tests.strategies import written
from tests.tables import CONFIG, read

UNCHECKED = CONFIG._replace(checks=Checks(order="off", duplicates="off"))
EPOCH = datetime(1970, 1, 1)
START = datetime(2024, 2, 28, 23, 50)
Price = Fraction | None


class Read(NamedTuple):
    """What a reader yields of a file: exact closes, and the first and last timestamp."""

    closes: list[Price]
    first_ns: int | None
    last_ns: int | None


@contextmanager
def fast_of(data: bytes, config: JobConfig = CONFIG) -> Iterator[FastReader | None]:
    """Open a file with the careful reader and put the fast one in its place, if it suits."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars.csv")
        path.write_bytes(data)
        with closing(CarefulReader(str(path), config)) as careful:
            yield FastReader(str(path), careful, config) if suits(careful) else None


def fast_read(data: bytes, config: JobConfig = CONFIG) -> tuple[Read, int] | str:
    """Read with the fast reader: what it yields and in how many batches, or its doubt."""
    ticks: list[TickArray] = []
    times: list[int | None] = []
    with fast_of(data, config) as fast:
        if not fast:
            return "does not suit"
        try:
            for batch in fast.batches():
                ticks.append(batch.ticks)
                times += [batch.first_ns, batch.last_ns]
        except DoubtError as doubt:
            return f"doubt: {doubt}"
    closes: list[Price] = []
    for values, scale in ticks:
        closes += [Fraction(tick, 10**scale) for tick in values.tolist()]
    return Read(closes, times[0] if times else None, times[-1] if times else None), len(ticks)


def careful_read(data: bytes, config: JobConfig = CONFIG) -> Read | None:
    """Read with the careful reader; None where it refuses, or the bars do not rise."""
    try:
        bars = read(data, config)
    except DataError:
        return None
    times = bars.times_ns
    rising = all(one < other for one, other in pairwise(times))
    if not rising:
        return None
    return Read(bars.closes, times[0] if times else None, times[-1] if times else None)


def agree(data: bytes, config: JobConfig = CONFIG) -> bool:
    """See that the fast reader doubts or reads as the careful one; tell if it reads."""
    try:
        fast = fast_read(data, config)
    except DataError:
        return False
    if isinstance(fast, str):
        return False
    assert fast[0] == careful_read(data, config)
    return True


def table(
    cells: Sequence[str],
    stamps: Sequence[str],
    order: str = "tcv",
    end: str = "\n",
    comma: str = ",",
) -> str:
    """Write a plain table of timestamps, closes and volumes, the columns in the order given."""
    names = {"t": "timestamp", "c": "close", "v": "volume"}
    rows = [{"t": stamp, "c": cell, "v": "7"} for stamp, cell in zip(stamps, cells, strict=True)]
    lines = [names, *rows]
    return "".join(comma.join(line[column] for column in order) + end for line in lines)


def minutes(count: int, form: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    """List timestamps a minute apart, across the end of a February that has 29 days."""
    return [(START + timedelta(minutes=row)).strftime(form) for row in range(count)]


def ns(stamp: str) -> int:
    return (datetime.fromisoformat(stamp) - EPOCH) // timedelta(microseconds=1) * 1000


plain_closes = st.one_of(
    st.tuples(st.integers(1, 10**9), st.integers(0, 4)).map(lambda drawn: written(*drawn)),
    st.integers(1, 10**9).map(str),
    st.sampled_from(["100.10", "+5", "-3.25", "007.50", "1e3", "25E-2", "5.", ".5", "1.5e+2"]),
)


@settings(max_examples=60)
@given(
    st.lists(plain_closes, min_size=1),
    st.sampled_from(["tcv", "ctv", "vtc", "tc", "ct", "cv", "c"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(",;\t|"),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]),
)
def test_a_plain_table_is_read_as_it_is_written(
    cells: list[str], order: str, end: str, comma: str, form: str
) -> None:
    stamps = minutes(len(cells), form)
    data = table(cells, stamps, order, end, comma).encode()
    times = [ns(stamps[0]), ns(stamps[-1])] if "t" in order else [None, None]
    assert fast_read(data) == (Read(prices(cells), *times), 1)


def test_days_are_read_as_midnights() -> None:
    days = ["2024-02-28", "2024-02-29", "2024-03-01"]
    data = table(["1", "2", "3"], days).encode()
    assert fast_read(data) == (Read(prices(["1", "2", "3"]), ns(days[0]), ns(days[2])), 1)


def test_a_date_and_a_time_in_two_columns_do_not_suit() -> None:
    assert fast_read(b"date,time,close\n2024-01-31,09:30,1\n") == "does not suit"


@pytest.mark.parametrize("form", ["%Y-%d-%m %H:%M:%S", "%Y-%m-%d %H:%M:%S", "epoch_s"])
def test_timestamps_that_are_to_be_read_by_a_pattern_are_in_doubt(form: str) -> None:
    data = table(["1", "2", "3"], minutes(3)).encode()
    doubt = "doubt: timestamps beyond plain ISO 8601"
    assert fast_read(data, CONFIG._replace(timestamp_format=form)) == doubt
    assert fast_read(data, CONFIG._replace(timestamp_format="iso")) == fast_read(data)


ODD_CLOSES = [
    *("", " ", "NA", "nan", "NaN", "inf", "-inf", "Infinity", "null", "None", "-", ".", "+", "x"),
    *("1_000", "1;5", "0x10", "1e-400", "1e400", "1e-15", "0", "0.00", "-0", "0e0", " 1", "1 "),
    *("1.0000000000000001", "1234567890123456", "12345678901234567", "123456789012345"),
    *("0.1234567890123", ".123456789012345", "99999999999999.9", "9007199254740993", "1e22"),
    *("1e", "1e+", "e5", "--1", "+-1", "1.2.3", "1d5", "٣", "1\u00a0", "1\0", "1f", "(1)", "$1"),
    *("1e0000000001", "1e-014", "5e-324", "1.5\t", "true", "1e15", "1e14", "123456789e-9"),
]
ODD_STAMPS = [
    *("2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-00-10 00:00:00"),
    *("2024-03-00 00:00:00", "2024-03-01 24:00:00", "2024-03-01 23:60:00", "2024-03-01 00:00:60"),
    *("2024-03-01 0a:00:00", "2024-03-01 00:5x:00", "2024-03-01 00:00   ", "2024-03-01T00:00:00"),
    *("2024-03-01 00:00Z  ", "2024-03-01 00:00.50", "2024/03/01 00:00:00", "2024-03-01 00:00+00"),
    *("01/03/2024 00:00:00", "1709251200000000000", "2024-03-01 00-00-00", "2024-W09-5 00:00:00"),
    *("0000-01-01 00:00:00", "9999-12-31 23:59:59", "2024-03-01 00:00:٣", " 024-03-01 00:00:00"),
    *("2024-03-01\t00:00:00", "2024-03-01_00:00:00", "2023-01-01 00:00:00", "2024-02-28 23:50:00"),
]
ODD_TEXTS = ['"', '"7"', '7"', "é", "\0", "\r", "\n\n", "\ufeff", "\x1a", "\x85", "#"]


class Messy(NamedTuple):
    """A plain table, with a few things in it that are not."""

    data: bytes
    config: JobConfig


@st.composite
def messy(draw: DrawFn) -> Messy:
    """Draw a plain table, then put odd cells, rows and line ends in."""
    count = draw(st.integers(1, 8))
    order = draw(st.sampled_from(["tcv", "ctv", "vtc", "tc", "ct", "vc", "c"]))
    plain = st.sampled_from(["100.10", "100.25", "99.5", "7", "1.5e2"])
    columns = {
        "c": [draw(plain) for _ in range(count)],
        "t": minutes(count, draw(st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M"]))),
        "v": ["7"] * count,
    }
    odd = {"c": ODD_CLOSES, "t": ODD_STAMPS, "v": ODD_TEXTS}
    for _ in range(draw(st.integers(0, 2))):
        place, kind = draw(st.integers(0, count - 1)), draw(st.sampled_from(order))
        columns[kind][place] = draw(st.sampled_from(odd[kind]))
    names = {"t": "timestamp", "c": "close", "v": "volume"}
    lines = [",".join(names[kind] for kind in order)]
    lines += [",".join(columns[kind][row] for kind in order) for row in range(count)]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        place = draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = draw(st.sampled_from(CHANGES))(lines[place])
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    text = end.join(lines) + draw(st.sampled_from([end, end, "", end * 2, "\r"]))
    config = draw(st.sampled_from([CONFIG, CONFIG, UNCHECKED]))
    policies: list[Missing] = ["error", "skip", "gap"]
    return Messy(text.encode(), config._replace(missing=draw(st.sampled_from(policies))))


CHANGES: list[Callable[[str], list[str]]] = [
    lambda line: [line, line],
    lambda line: [line, ""],
    lambda line: ["", line],
    lambda line: [line, "  "],
    lambda line: [line + " "],
    lambda line: [line + ","],
    lambda line: [line + ",x"],
    lambda line: ["," + line],
    lambda line: [line.rpartition(",")[0]],
    lambda line: [line[:-1]],
    lambda line: [line.partition(",")[0], line + ",x"],
    lambda line: [line + "\r"],
    lambda line: [line.replace(",", ", ")],
    lambda line: ['"' + line + '"'],
    lambda line: ["#" + line],
    lambda line: [line + "\r\n" + line.upper()],
]


@settings(max_examples=500)
@given(messy())
@example(Messy(b"close\n1\n\n2\n", CONFIG))
@example(Messy(b"volume,close\n7,12.25\n7,1", CONFIG))
@example(Messy(b"volume,close\n7,12.25\n7,1\r", CONFIG))
@example(Messy(b"close,volume\n1,7\n2,7\r\r\n3,7\n", CONFIG))
def test_a_messy_table_is_read_as_the_careful_reader_reads_it_or_is_doubted(case: Messy) -> None:
    agree(case.data, case.config)


@pytest.mark.parametrize("order", ["tcv", "vtc", "c"])
@pytest.mark.parametrize("cell", ODD_CLOSES)
def test_an_odd_close_is_read_as_the_careful_reader_reads_it_or_is_doubted(
    cell: str, order: str
) -> None:
    for place in range(3):
        cells = ["100.10", "100.25", "99.5"]
        cells[place] = cell
        agree(table(cells, minutes(3), order).encode(), CONFIG._replace(missing="gap"))


@pytest.mark.parametrize("order", ["tcv", "vct"])
@pytest.mark.parametrize("stamp", ODD_STAMPS)
def test_an_odd_timestamp_is_read_as_the_careful_reader_reads_it_or_is_doubted(
    stamp: str, order: str
) -> None:
    for place in range(3):
        stamps = minutes(3)
        stamps[place] = stamp
        agree(table(["1", "2", "3"], stamps, order).encode())


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-01 00:00:00", "2024-01-01 00:00:00"],
        ["2024-01-01 00:00:01", "2024-01-01 00:00:00"],
        ["2024-01-01 00:00:00", "2024-01-01T00:00:01"],
        ["2024-01-01 00:00:00", "2024-01-01 24:00:00"],
        ["2024-01-01 00:00:00", "2024-02-30 00:00:00"],
        ["1704067200", "1704067260"],
        ["1704067200000000", "1704067260000000"],
    ],
)
def test_timestamps_that_do_not_rise_in_one_plain_form_are_doubted(stamps: list[str]) -> None:
    assert isinstance(fast_read(table(["1", "2"], stamps).encode()), str)
    assert fast_read(table(["1", "2"], stamps).encode(), UNCHECKED) == (
        Read(prices(["1", "2"]), None, None),
        1,
    )


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    "stamp",
    [
        *("2024-03-01", "2024-03-01 00:00", "", " ", "x", "2024-03-01 00:00:00Z"),
        "2024-03-01 00:00:00.5",
    ],
)
def test_a_timestamp_of_another_length_is_doubted(stamp: str, place: int) -> None:
    stamps = minutes(3)
    stamps[place] = stamp
    assert isinstance(fast_read(table(["1", "2", "3"], stamps).encode()), str)


@pytest.mark.parametrize(
    "cell",
    [
        *("1e-400", "0", "0.00", "inf", "nan", "", "1234567890123456", "0.12345678901234567"),
        *("1_000", " 1", "x"),
    ],
)
def test_a_close_that_a_double_may_not_hold_is_doubted(cell: str) -> None:
    assert isinstance(fast_read(table(["1.5", cell, "2"], minutes(3)).encode()), str)


@pytest.mark.parametrize(
    "text",
    [
        "volume,close\n7,12.25\n7,13.25",
        "volume,close\n7,12.25\n7,1",
        "close,volume\n1,7\n2,7\r3,7\n",
        "close,volume\n1,7\n2,7\r",
        'close,volume\n1,7\n2,"7"\n',
        "close,volume\n1,7\n2,\0\n",
        "close,volume\n1,7\n2,é\n",
        "close\n1\n\n2\n",
        "close,volume\n1,7\n2\n",
        "close,volume\n12.5,1\n13.25,2\n1",
        "close,volume,note\n1,7,x\n2,7\n",
        "close,volume\n1,7\n2,7,8\n",
        "volume,close\n7,1\n7,2,5\n7,3\n",
        "volume,close\n7,1\n7,2,\n7,3\n",
        "a,close,b\n7,1,1\n7,2\n7,2,2,5\n",
        "volume,close\n7,1\n7\n7,2,5\n",
    ],
)
def test_what_is_not_plain_is_doubted(text: str) -> None:
    assert isinstance(fast_read(text.encode()), str)


def test_columns_after_the_close_may_lack_the_last_line_end() -> None:
    assert fast_read(b"close,volume\n1,7\n2,8") == (Read(prices(["1", "2"]), None, None), 1)


def test_blank_lines_and_a_delimiter_line_before_the_header_are_skipped() -> None:
    expected = (Read(prices(["1", "2"]), None, None), 1)
    assert fast_read(b"\n \nsep=;\nclose;volume\n1;7\n2;8\n") == expected


def test_only_a_plain_text_of_one_series_suits() -> None:
    by_column = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
    assert fast_read(b"close,symbol\n1,A\n", by_column) == "does not suit"
    assert fast_read("close,volume\n1,7\n".encode("utf-16")) == "does not suit"
    assert fast_read(b"close, volume\n1, 7\n") == "does not suit"
    assert fast_read(b"close,volume\n1,7,\n") == "does not suit"


MANY = 140_000


def many() -> tuple[list[str], list[str], bytes]:
    """Write a table of several batches and slices of bytes."""
    cells = [f"{100 + row % 997}.{row % 100:02d}" for row in range(MANY)]
    stamps = [str(START + timedelta(minutes=row)) for row in range(MANY)]
    return cells, stamps, table(cells, stamps).encode()


def test_a_table_of_many_batches_is_read_as_a_whole() -> None:
    cells, stamps, data = many()
    found = fast_read(data)
    assert not isinstance(found, str)
    (closes, first_ns, last_ns), count = found
    assert count > 1
    assert closes == prices(cells)
    assert (first_ns, last_ns) == (ns(stamps[0]), ns(stamps[-1]))


@pytest.mark.parametrize("row", [0, 65_535, 65_536, MANY - 1])
@pytest.mark.parametrize("change", ["duplicate", "back", "close", "quote", "letter"])
def test_a_doubt_anywhere_among_many_batches_is_raised(row: int, change: str) -> None:
    lines = MANY_LINES.copy()
    stamp, close, volume = lines[row + 1].split(b",")
    other = lines[row or 2].split(b",")[0] if change == "duplicate" else b"2000-01-01 00:00:00"
    changed = {
        "duplicate": [other, close, volume],
        "back": [other if row else b"2999-01-01 00:00:00", close, volume],
        "close": [stamp, b"1e-400", volume],
        "quote": [stamp, close, b'"7"'],
        "letter": [stamp, close, "é".encode()],
    }
    lines[row + 1] = b",".join(changed[change])
    assert isinstance(fast_read(b"\n".join(lines)), str)


MANY_LINES = many()[2].split(b"\n")


@pytest.mark.parametrize("offset", [-2, -1, 0, 1])
@pytest.mark.parametrize("sign", [b"\r", b'"', b"\0", b"\xff"])
def test_an_odd_byte_at_the_edge_of_a_slice_is_found(offset: int, sign: bytes) -> None:
    head = b"close,note\n"
    rows = b"1,abcdefgh\n" * 60_000
    data = bytearray(head + rows)
    place = (1 << 18) + offset
    while data[place : place + 1] not in b"abcdefg":
        data[: len(head)] = head[:-1] + b" \n"
        head = bytes(data[: data.index(b"\n") + 1])
    data[place : place + 1] = sign
    assert isinstance(fast_read(bytes(data)), str)


@pytest.mark.parametrize("padding", range(3))
def test_a_line_end_of_two_signs_may_lie_across_slices(padding: int) -> None:
    head = b"close,note" + b"x" * padding + b"\r\n"
    data = head + b"1,x\r\n" * 110_000
    found = fast_read(data)
    assert not isinstance(found, str)
    assert found[0] == Read([Fraction(1)] * 110_000, None, None)


def test_a_reader_that_is_left_early_ends() -> None:
    with fast_of(many()[2]) as fast:
        assert fast is not None
        batches = fast.batches()
        assert next(batches).first_ns == to_ns(START)
        assert isinstance(batches, Generator)
        batches.close()
        assert next(batches, None) is None
