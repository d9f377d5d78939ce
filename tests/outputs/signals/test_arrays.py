"""Rows decided on arrays are written with the same bytes as rows decided one by one."""

import csv
import io
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.decisions import ArrayDecided, Decided, PlainDecided
from rollsignal.core.kernel import INT64_MAX
from rollsignal.core.timestamps.reader import iso
from rollsignal.outputs.signals import forms
from rollsignal.outputs.signals import held as held_bars
from rollsignal.outputs.signals.forms import HEADER, SIGNAL_SUFFIXES, escape_formula
from rollsignal.outputs.signals.writer import Signals
from tests.support.deciding import REPORT, begun, rows_of
from tests.support.strategies import cuts_of, written
from tests.support.sweeps import examples, sweep

ODD_SYMBOLS = [
    *("", "=1+1", "+A", "-A", "@A", "\tA", "\rA", "=A,B", '"', 'a"b', '"A"', "a,b", "a;b", "'A"),
    *("a\nb", "a\r\nb", "a\rb", "\n", "é", " A ", "\x1b", "A\\nB", "null", "NaN", "0", "€𝄞", "#"),
]
SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
# Means that polars writes in another way: below a thousandth, from 10^15 on, and zero.
FEW = [0, 1, 2, 5, 10**15 - 1, 10**15, 10**16 - 1, 10**16, 2**53, 2**53 + 1, 10**17 + 1]


def by_definition(bars: ArrayDecided, window: int) -> bytes:
    """Write the rows of arrays one by one, with fractions."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for index, close in enumerate(bars.closes.tolist()):
        total = Fraction(window * close - bars.margins.tolist()[index], window * 10**bars.scale)
        decimal = written(close, bars.scale)
        decimal = decimal.rstrip("0").rstrip(".") if "." in decimal else decimal
        has_signal = bool(bars.has_signal[index])
        writer.writerow(
            [
                "" if bars.timestamps_ns is None else iso(int(bars.timestamps_ns[index])),
                escape_formula(bars.symbols[0 if bars.codes is None else int(bars.codes[index])]),
                "0" if decimal == "-0" else decimal,
                total.numerator / total.denominator if has_signal else None,
                int(bars.margins[index] > 0) if has_signal else None,
            ]
        )
    return text.getvalue().encode()


def one_by_one(bars: ArrayDecided) -> PlainDecided:
    """Return the same bars as Python numbers."""
    pairs = zip(bars.margins.tolist(), bars.has_signal.tolist(), strict=True)
    return PlainDecided(
        bars.file,
        bars.symbols,
        None if bars.codes is None else bars.codes.tolist(),
        None if bars.timestamps_ns is None else bars.timestamps_ns.tolist(),
        None if bars.timestamps_ns is not None else list(range(1, bars.rows + 1)),
        bars.closes.tolist(),
        [margin if has_signal else None for margin, has_signal in pairs],
        bars.scale,
    )


def written_file(rows: list[Decided], window: int, suffix: str) -> bytes:
    with TemporaryDirectory() as folder:
        with begun(Signals(f"{folder}/signals{suffix}", window)) as signals:
            part = signals.part()
            for batch in rows:
                part.take(batch)
            signals.add(part.end())
            signals.finish(REPORT)
        return Path(folder, f"signals{suffix}").read_bytes()


def agree(bars: ArrayDecided, window: int, suffix: str = ".csv") -> bytes:
    """Assert that both ways give the same bytes, and the defined ones as text; return them."""
    content = written_file([bars], window, suffix)
    assert content == written_file([one_by_one(bars)], window, suffix)
    assert suffix != ".csv" or content == by_definition(bars, window)
    return content


@st.composite
def cases(draw: DrawFn) -> tuple[ArrayDecided, int]:
    """Draw rows as a ledger may emit them, with any ticks and timestamps, and their window."""
    count, window = draw(st.integers(1, 8)), draw(st.integers(1, 5) | st.sampled_from([99, 10**6]))
    scale, most = draw(st.integers(0, 18)), INT64_MAX // (2 * window)
    sign = st.sampled_from([1, 1, -1])
    few = st.sampled_from([number for number in FEW if number <= most])
    size = st.one_of(few, st.integers(0, min(most, 10**6)), st.integers(0, most))
    tick = st.tuples(sign, size).map(lambda drawn: drawn[0] * drawn[1])
    ticks = [draw(tick) for _ in range(count)]
    sums = [window * draw(st.sampled_from(ticks)) + draw(st.integers(0, 3)) for _ in range(count)]
    sums = [total if abs(total) <= window * most else 0 for total in sums]
    rows = rows_of(ticks, scale, window, sums)
    if draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(ODD_SYMBOLS[1:]) | texts, min_size=1, unique=True))
        codes = [draw(st.integers(0, len(names) - 1)) for _ in ticks]
        rows = rows._replace(symbols=names, codes=np.array(codes, np.int64))
    if draw(st.booleans()):
        rows = rows._replace(
            numbers=None, timestamps_ns=np.array([draw(times) for _ in ticks], np.int64)
        )
    has_signal = [draw(st.sampled_from([True, True, False])) for _ in ticks]
    return rows._replace(has_signal=np.array(has_signal, np.bool_)), window


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
times = st.one_of(
    st.integers(-(10**5), 10**5).map(lambda minute: minute * 60 * SECOND_NS),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0, -1, 1, SECOND_NS // 2, -SECOND_NS, -(2**63) + 1, 2**63 - 1]),
)


@sweep
@settings(max_examples=examples(150))
@given(cases())
@example((rows_of([1, 2], 0)._replace(symbols=["a\nb"]), 1))
def test_rows_of_arrays_give_the_bytes_of_the_same_rows_one_by_one(
    case: tuple[ArrayDecided, int],
) -> None:
    agree(*case)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@settings(max_examples=25)
@given(case=cases())
def test_columns_are_the_same_too(case: tuple[ArrayDecided, int], suffix: str) -> None:
    agree(*case, suffix)


def in_files(rows: ArrayDecided, cuts: list[slice]) -> list[ArrayDecided]:
    """Cut rows into files, each with its own symbol."""
    times_ns, numbers = rows.timestamps_ns, rows.numbers
    return [
        ArrayDecided(
            "",
            [ODD_SYMBOLS[index]],
            None,
            None if times_ns is None else times_ns[cut],
            None if numbers is None else numbers[cut],
            rows.closes[cut],
            rows.margins[cut],
            rows.has_signal[cut],
            rows.scale,
        )
        for index, cut in enumerate(cuts)
    ]


@pytest.mark.parametrize("suffix", SIGNAL_SUFFIXES)
@sweep
@settings(max_examples=examples(60))
@given(
    data=st.data(),
    drawn=st.lists(cases(), min_size=1, max_size=3),
    held=st.integers(1, 9),
    group=st.integers(1, 9),
)
def test_batches_of_any_length_are_written_in_their_order(
    data: st.DataObject,
    drawn: list[tuple[ArrayDecided, int]],
    held: int,
    group: int,
    suffix: str,
) -> None:
    """Rows of several scales, with or without times, alternate between arrays and plain rows."""
    batches: list[Decided] = []
    expected: list[Decided] = []
    for rows, _ in drawn:
        for part in in_files(rows, data.draw(cuts_of(len(rows.closes)))):
            if len(part.closes):
                ways: list[Decided] = [one_by_one(part), part, part]
                expected.append(ways[0])
                batches.append(data.draw(st.sampled_from(ways)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "GROUP_ROWS", group)
        plain = written_file(expected, 1, suffix)
        patch.setattr(held_bars, "HELD_ROWS", held)
        assert written_file(batches, 1, suffix) == plain


def test_rows_that_are_held_are_discarded_when_the_output_begins_again(tmp_path: Path) -> None:
    rows = rows_of([1, 2], 0)
    with begun(Signals(str(tmp_path / "signals.csv"), 1)) as signals:
        signals.part().take(rows)
        signals.begin_again()
        part = signals.part()
        part.take(rows_of([3], 0))
        signals.add(part.end())
        signals.finish(REPORT)
    assert (tmp_path / "signals.csv").read_bytes() == written_file([rows_of([3], 0)], 1, ".csv")


@pytest.mark.parametrize("suffix", SIGNAL_SUFFIXES)
@pytest.mark.parametrize("symbol", ODD_SYMBOLS)
def test_an_odd_symbol_is_written_the_same(symbol: str, suffix: str) -> None:
    rows = rows_of([1, 2, 3], 0)
    agree(rows._replace(symbols=[symbol]), 1, suffix)
    codes = np.array([1, 0, 1], np.int64)
    agree(rows._replace(symbols=["A", symbol or "B"], codes=codes), 1, suffix)


@pytest.mark.parametrize("scale", [0, 1, 17, 18, 19, 38])
@pytest.mark.parametrize("window", [1, 1000])
def test_closes_of_any_scale_are_written_the_same(scale: int, window: int) -> None:
    most = INT64_MAX // (2 * window)
    ticks = [0, 1, -1, 10, -10, 100, 123456789, 10**15, -(10**15), most, -most]
    for single in ticks:
        agree(rows_of([single], scale, window, [window * single]), window)
    agree(rows_of(ticks, scale, window, [window * tick for tick in ticks[::-1]]), window)


@pytest.mark.parametrize("scale", range(19))
def test_means_of_any_size_are_the_shortest_decimals_of_their_doubles(scale: int) -> None:
    """Doubles from NumPy: hypothesis prefers round ones, which are written alike anyway."""
    random = np.random.default_rng(scale)
    for window, digits in ((3, 5), (7, 9), (20, 12), (9, 15), (3, 18)):
        sums = random.integers(1, 10**digits, 60).tolist()
        agree(rows_of([1] * 60, scale, window, sums), window)
        agree(rows_of([1] * 60, scale, window, [-total for total in sums]), window)


@pytest.mark.parametrize("mean", [1, 11, 999_999, 10**6, 10**6 + 1])
@pytest.mark.parametrize("zeros", [0, 9, 12])
def test_means_near_the_bounds_of_plain_notation_are_written_the_same(
    mean: int, zeros: int
) -> None:
    for near in (mean * 10**zeros, mean * 10**zeros - 1, mean * 10**zeros + 1):
        if abs(near) * 2 <= INT64_MAX:
            agree(rows_of([near], 3), 1)
            agree(rows_of([near], 0), 1)
            agree(rows_of([near, 5], 18), 1)


@pytest.mark.parametrize("unit", [1, 10, 1000, 10**6, 10**8, SECOND_NS, 60 * SECOND_NS, DAY_NS])
def test_each_timestamp_has_only_the_decimals_it_needs(unit: int) -> None:
    times_ns = [
        0,
        unit,
        -unit,
        10 * unit,
        1_709_251_199 * SECOND_NS,
        -SECOND_NS // 2,
        3 * unit + unit,
    ]
    rows = rows_of([1] * len(times_ns), 0)._replace(
        numbers=None, timestamps_ns=np.array(times_ns, np.int64)
    )
    lines = agree(rows, 1).decode().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == list(map(iso, times_ns))
    for index, ns in enumerate(times_ns):
        alone = rows_of([1], 0)._replace(numbers=None, timestamps_ns=np.array([ns], np.int64))
        assert agree(alone, 1).decode().splitlines()[1] == lines[index]


@pytest.mark.parametrize("suffix", SIGNAL_SUFFIXES)
def test_rows_of_both_kinds_may_alternate_in_one_file(suffix: str) -> None:
    """Either kind may have the close with the most digits, which decides the column type."""
    short, long = rows_of([125, 5], 2), rows_of([12345678, -1], 7)
    both: list[Decided] = [one_by_one(short), long, short, one_by_one(long)]
    expected: list[Decided] = [one_by_one(rows) for rows in (short, long, short, long)]
    content = written_file(both, 1, suffix)
    assert content == written_file(expected, 1, suffix)
    if suffix == ".parquet":
        with TemporaryDirectory() as folder:
            path = Path(folder, "signals.parquet")
            path.write_bytes(content)
            assert pl.read_parquet(path).schema["close"] == pl.Decimal(38, 7)


def test_rows_without_a_signal_have_neither_mean_nor_signal() -> None:
    rows = rows_of([1, 2, 3], 0, 2)._replace(has_signal=np.array([False, False, True]))
    assert agree(rows, 2) == (
        b"timestamp,symbol,close,rolling_mean,signal\n,,1,,\n,,2,,\n,,3,1.5,1\n"
    )
