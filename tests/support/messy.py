"""This module draws plain tables with a few odd cells and lines, and reads them for tests."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.bars import Batch
from rollsignal.core.ledger import Missing
from rollsignal.core.ticks import BLANKS
from tests.support.oracle import Price
from tests.support.tables import CONFIG, Cut

UNCHECKED = CONFIG._replace(checks=Checks(order="off", duplicates="off"))
WARNED = CONFIG._replace(checks=Checks(order="warn", duplicates="warn"))
BY_COLUMN = Columns(symbol=SymbolFrom("symbol"))
START = datetime(2024, 2, 28, 23, 50)
FAST = Cut(0, 1, 40)


class Read(NamedTuple):
    """All bars that are read from a text, and the error after them, if there is one."""

    closes: list[Price]
    times_ns: list[int]
    symbols: list[str]
    lines: list[int]
    problem: str = ""

    def plus(self, more: "Read") -> "Read":
        """Return these bars with `more` after them."""
        return Read(
            self.closes + more.closes,
            self.times_ns + more.times_ns,
            self.symbols + more.symbols,
            self.lines + more.lines,
        )


def of_plain(batch: Batch) -> Read:
    unit = 10**batch.closes.scale
    closes = [None if tick is None else Fraction(tick, unit) for tick in batch.closes.values]
    times_ns = batch.timestamps_ns or []
    return Read(closes, times_ns, list(batch.symbols or []), list(batch.lines))


def of_arrays(batch: ArrayBatch) -> Read:
    ticks, scale, _ = batch.closes
    closes: list[Price] = [Fraction(tick, 10**scale) for tick in ticks.tolist()]
    symbols: list[str] = []
    if batch.symbols is not None:
        symbols = [batch.symbols.names[code].strip(BLANKS) for code in batch.symbols.codes]
    times_ns = [] if batch.timestamps_ns is None else batch.timestamps_ns.tolist()
    return Read(closes, times_ns, symbols, [])


class Messy(NamedTuple):
    """A plain table with a few odd cells and lines, and how it is cut and read."""

    data: bytes
    config: JobConfig = CONFIG
    cut: Cut = FAST


ODD_CLOSES = [
    *("", " ", "NA", "nan", "NaN", "inf", "-inf", "Infinity", "null", "None", "-", ".", "+", "x"),
    *("1_000", "1;5", "0x10", "1e-400", "1e400", "1e-15", "0", "0.00", "-0", "0e0", " 1", "1 "),
    *("1.0000000000000001", "1234567890123456", "12345678901234567", "123456789012345"),
    *("0.1234567890123", ".123456789012345", "99999999999999.9", "9007199254740993", "1e22"),
    *("1e", "1e+", "e5", "--1", "+-1", "1.2.3", "1d5", "٣", "1\u00a0", "1\0", "1f", "(1)", "$1"),
    *("1e0000000001", "1e-014", "5e-324", "1.5\t", "true", "1e15", "1e14", "123456789e-9"),
    *("-7.25", "+7.25", "5.", ".5", "007.50", "9223372036854775807", "0." + "0" * 20, '"7.5"'),
]
ODD_STAMPS = [
    *("2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-00-10 00:00:00"),
    *("2024-03-00 00:00:00", "2024-03-01 24:00:00", "2024-03-01 23:60:00", "2024-03-01 00:00:60"),
    *("2024-03-01 0a:00:00", "2024-03-01 00:5x:00", "2024-03-01 00:00   ", "2024-03-01T00:00:00"),
    *("2024-03-01 00:00Z  ", "2024-03-01 00:00.50", "2024/03/01 00:00:00", "2024-03-01 00:00+00"),
    *("01/03/2024 00:00:00", "1709251200000000000", "2024-03-01 00-00-00", "2024-W09-5 00:00:00"),
    *("0000-01-01 00:00:00", "9999-12-31 23:59:59", "2024-03-01 00:00:٣", " 024-03-01 00:00:00"),
    *("2024-03-01\t00:00:00", "2024-03-01_00:00:00", "2023-01-01 00:00:00", "2024-02-28 23:50:00"),
    *("2024-03-01", "2024-03-01 00:00", "", " ", "x", "2024-03-01 00:00:00Z", "1709251200"),
    *("2024-03-01 00:00:00.5", '"2024-03-01 00:00:00"', "2024-03-01 12:00:00 AM", "20240301"),
]
ODD_TEXTS = ['"', '"7"', '7"', "é", "\0", "\r", "\n\n", "\ufeff", "\x1a", "\x85", "#", '"\n"', ""]
ODD_SYMBOLS = [
    "",
    " ",
    " A",
    "A ",
    "\t",
    "é",
    '"A"',
    '"A,B"',
    "=A",
    "A\r",
    "S" * 33,
    '"A\nB"',
    "\0",
]

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
    lambda line: [line + ",x", line.partition(",")[0]],
    lambda line: [line + "\r"],
    lambda line: [line.replace(",", ", ")],
    lambda line: ['"' + line + '"'],
    lambda line: ['"' + line.replace(",", '","') + '"'],
    lambda line: [line + '"'],
    lambda line: ["#" + line],
    lambda line: [line + "\r\n" + line.upper()],
    lambda line: ["time,timestamp,close,symbol", line],
]
FORMS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S.%f", "%Y-%m-%d %H:%M Z", "%s"]


def minutes(count: int, form: str = FORMS[0]) -> list[str]:
    """List timestamps a minute apart, across the end of a February that has 29 days."""
    stamps = [START + timedelta(minutes=row) for row in range(count)]
    if form == "%s":
        return [str(int((stamp - datetime(1970, 1, 1)).total_seconds())) for stamp in stamps]
    return [stamp.strftime(form) for stamp in stamps]


ORDERS = ["tcv", "ctv", "vtc", "tc", "ct", "vc", "c", "c", "tsc", "sct", "scv", "vstc"]


@st.composite
def messy(draw: DrawFn, odd: int = 2, orders: Sequence[str] = ORDERS) -> Messy:
    """Draw a plain table, and put at most `odd` odd cells and `odd` odd lines into it."""
    count = draw(st.integers(1, 12))
    order = draw(st.sampled_from(orders))
    plain = st.sampled_from(["100.10", "100.25", "99.5", "7", "100.1", "12345.678"])
    same = draw(st.booleans())
    columns = {
        "c": [f"{100 + draw(st.integers(0, 3))}.25" if same else draw(plain) for _ in range(count)],
        "t": minutes(count, draw(st.sampled_from(FORMS))),
        "v": ["7"] * count,
        "s": [draw(st.sampled_from(["A", "A", "B", "BTCUSDT", "A-1"])) for _ in range(count)],
    }
    odds = {"c": ODD_CLOSES, "t": ODD_STAMPS, "v": ODD_TEXTS, "s": ODD_SYMBOLS}
    for _ in range(draw(st.integers(0, odd))):
        place, kind = draw(st.integers(0, count - 1)), draw(st.sampled_from(order))
        columns[kind][place] = draw(st.sampled_from(odds[kind]))
    names = {"t": "timestamp", "c": "close", "v": "volume", "s": "symbol"}
    lines = [",".join(names[kind] for kind in order)]
    lines += [",".join(columns[kind][row] for kind in order) for row in range(count)]
    for _ in range(draw(st.integers(0, odd))):
        place = draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = draw(st.sampled_from(CHANGES))(lines[place])
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    text = end.join(lines) + draw(st.sampled_from([end, end, "", end * 2, "\r", end + " \t"]))
    return Messy(text.encode(), draw(configs("s" in order)), draw(cuts))


@st.composite
def configs(draw: DrawFn, with_symbols: bool) -> JobConfig:
    config = draw(st.sampled_from([CONFIG, CONFIG, UNCHECKED, WARNED]))
    policies: list[Missing] = ["error", "skip", "gap"]
    if with_symbols and draw(st.integers(0, 4)):
        config = config._replace(columns=BY_COLUMN)
    missing, window = draw(st.sampled_from(policies)), draw(st.integers(1, 4))
    return config._replace(missing=missing, window=window)


cuts = st.builds(
    Cut,
    st.sampled_from([0, 0, 0, 60, 150]),
    st.sampled_from([1, 1, 30, 60]),
    st.sampled_from([1, 20, 40, 64, 100, 200]) | st.integers(1, 200),
)


def table(
    cells: Sequence[str],
    stamps: Sequence[str] = (),
    order: str = "tcv",
    end: str = "\n",
    comma: str = ",",
    symbols: Sequence[str] = (),
) -> bytes:
    """Write a table, its columns in the order given."""
    names = {"t": "timestamp", "c": "close", "v": "volume", "s": "symbol"}
    count = len(cells)
    columns = zip(
        cells, stamps or minutes(count), ["7"] * count, symbols or ["A"] * count, strict=True
    )
    rows = [names, *(dict(zip("ctvs", row, strict=True)) for row in columns)]
    return "".join(comma.join(row[kind] for kind in order) + end for row in rows).encode()
