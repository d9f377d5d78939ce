"""Batches as arrays and plain ones, in any alternation: the same book as if all were plain."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.settings import Checks, JobConfig
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import ArrayBatch, Batch
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import Account, Carry, LastBar, Tally, advance
from rollsignal.core.ledger import Ledger, Missing
from rollsignal.core.panel_ledger import PanelLedger
from rollsignal.core.quality import Finding
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import Ticks
from rollsignal.errors import DataError
from rollsignal.outputs.signals.writer import Signals
from rollsignal.readers.columns import SymbolColumn
from tests.support import oracle
from tests.support.deciding import REPORT
from tests.support.tables import CONFIG

POLICIES: list[Missing] = ["skip", "gap"]
LEVELS = ["error", "warn", "off"]


class Part(NamedTuple):
    """One batch: ticks of 10^-scale, None where a close is missing, and the form it comes in."""

    symbols: list[str] | None
    ticks: list[int | None]
    scale: int
    times_ns: list[int] | None
    form: str = "plain"

    def batch(self) -> Batch:
        cells = ["" if tick is None else str(tick) for tick in self.ticks]
        lines = range(len(cells))
        return Batch(Ticks(list(self.ticks), self.scale), cells, self.times_ns, lines, self.symbols)

    def in_form(self) -> Batch | ArrayBatch:
        if self.form == "plain" or None in self.ticks:
            return self.batch()
        moments = None if self.times_ns is None else np.array(self.times_ns, np.int64)
        ticks = TickArray(np.array(self.ticks, np.int64), self.scale)
        return ArrayBatch(ticks, moments, self._symbols(), self.batch)

    def _symbols(self) -> Coded | None:
        if self.symbols is None:
            return None
        if self.form == "series":
            return SymbolColumn().coded(pl.Series(self.symbols))
        names = sorted(set(self.symbols))
        return Coded(names, np.array([names.index(symbol) for symbol in self.symbols], np.int64))


class File:
    """A reader of batches in memory."""

    unit = "row"
    symbol: str | None = None

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        self.path = self.name = name
        self.parts = parts

    def describe(self) -> str:
        return "memory"

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        for part in self.parts:
            yield part.in_form()

    def bytes_read(self) -> int:
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        return DataError(f"{self.name} row {batch.lines[finding.place]}: {finding.what}")


class Expected(NamedTuple):
    """What is known of a series, whatever scale it is kept in."""

    tally: Tally
    tail: list[Fraction]
    last: tuple[Fraction | None, Fraction | None, float | None] | None
    span: tuple[int | None, int | None]
    file: str


def exact(ticks: int | None, scale: int) -> Fraction | None:
    return None if ticks is None else Fraction(ticks, 10**scale)


def account(series: Account) -> Expected:
    last, carry = series.last, series.carry
    return Expected(
        series.tally,
        [Fraction(tick, 10**carry.scale) for tick in carry.tail],
        last and (exact(last.close, last.scale), exact(last.margin, last.scale), last.mean),
        (series.first_ns, series.last_ns),
        series.last_file,
    )


class Found(NamedTuple):
    accounts: dict[str, Expected]
    signals: bytes
    warnings: list[str]
    problem: str


def booked(config: JobConfig, files: Sequence[File]) -> Found:
    """Take all batches of all files, up to the first that is refused."""
    warnings: list[str] = []
    problem = ""
    with TemporaryDirectory() as folder:
        signals = Signals(f"{folder}/out.csv", config.window)
        signals.begin()
        part = signals.part()
        findings = Findings(config.checks._asdict(), lambda _, text: warnings.append(text))
        book = Ledger(config.rules, findings, part.take)
        try:
            for file in files:
                for batch in file.batches():
                    book.take(batch, file)
        except DataError as error:
            problem = error.message
        book.close_panel()
        signals.add(part.end())
        signals.finish(REPORT)
        text = Path(folder, "out.csv").read_bytes()
    return Found(
        {name: account(one) for name, one in book.accounts.items()}, text, warnings, problem
    )


def all_plain(files: Sequence[File]) -> list[File]:
    return [File(file.name, [part._replace(form="plain") for part in file.parts]) for file in files]


@st.composite
def parts(draw: DrawFn, start_ns: int, named: bool, timed: bool) -> Part:
    """Draw a batch: flat runs, ties and few symbols, timestamps that mostly rise."""
    count = draw(st.integers(1, 8))
    few = draw(st.lists(st.sampled_from([*range(-3, 4), 10**6, 10**17, 2**62]), min_size=1))
    gaps = draw(st.sampled_from([False, False, True]))
    tick = st.sampled_from([*few, *few, None]) if gaps else st.sampled_from(few)
    ticks = [draw(tick) for _ in range(count)]
    times_ns = [start_ns + row for row in range(count)]
    if not draw(st.integers(0, 5)):
        times_ns[draw(st.integers(0, count - 1))] -= draw(st.integers(0, 30))
    symbols = [draw(st.sampled_from("AAB")) for _ in range(count)] if named else None
    if named and not draw(st.integers(0, 3)):
        symbols = [draw(st.sampled_from("ABCDE")) for _ in range(count)]
    form = draw(st.sampled_from(["plain", "coded", "series", "coded"]))
    scale = draw(st.sampled_from([0, 0, 0, 1, 2, 25]))
    return Part(symbols, ticks, scale, times_ns if timed else None, form)


@st.composite
def runs(draw: DrawFn) -> tuple[JobConfig, list[File]]:
    """Draw files, of one series each or of panels, and what the config says of findings."""
    named, at, files = draw(st.booleans()), 0, []
    for name in draw(st.sampled_from(["a", "ab", "abc"])):
        timed = bool(draw(st.integers(0, 5)))
        found = []
        for _ in range(draw(st.integers(1, 4))):
            found.append(draw(parts(at, named, timed)))
            at += draw(st.sampled_from([10, 10, 3, 0]))
        files.append(File(name, found))
    checks = Checks(draw(st.sampled_from(LEVELS)), draw(st.sampled_from(LEVELS)))
    policy, window = draw(st.sampled_from(POLICIES)), draw(st.integers(1, 4))
    return CONFIG._replace(checks=checks, missing=policy, window=window), files


def untimed_after_timed(*symbols: str) -> tuple[JobConfig, list[File]]:
    named = list(symbols) or None
    one = Part(named, [1] * max(1, len(symbols)), 0, list(range(max(1, len(symbols)))), "coded")
    return CONFIG, [File("a", [one]), File("b", [one._replace(times_ns=None)])]


def a_finer_scale_after_a_margin() -> tuple[JobConfig, list[File]]:
    one = Part(["A", "A", "A"], [1, 2, 4], 0, [0, 1, 2], "coded")
    return CONFIG, [File("a", [one, Part(["B"], [5], 2, [3], "coded")])]


@settings(max_examples=200)
@given(runs())
@example(a_finer_scale_after_a_margin())
@example(untimed_after_timed())
@example(untimed_after_timed("A", "B"))
def test_any_alternation_of_arrays_and_plain_batches_gives_the_book_of_plain_ones(
    run: tuple[JobConfig, list[File]],
) -> None:
    config, files = run
    assert booked(config, files) == booked(config, all_plain(files))


def known_after(ticks: list[int | None], policy: Missing, window: int) -> Account:
    """Decide one series' ticks as plain numbers."""
    closes = [tick for tick in ticks if tick is not None or policy == "gap"]
    decided, carry = advance(Carry(window), Ticks(list(closes), 0))
    left_out = len(ticks) - len(closes)
    tally = decided.tally.plus(Tally(rows=left_out, missing=left_out))
    return Account(carry, tally, decided.last(window), 0, len(ticks) - 1, "a")


def taken(book: PanelLedger, series: dict[str, Account], at: int, ticks: list[int]) -> bool:
    """Take ticks of symbol A as arrays; tell if the panel could."""
    times_ns = list(range(at, at + len(ticks)))
    batch = Part(["A"] * len(ticks), list(ticks), 0, times_ns, "coded").in_form()
    assert isinstance(batch, ArrayBatch)
    return book.take(batch, File("a", []), series) is not None


@pytest.mark.parametrize("policy", POLICIES)
@given(
    st.lists(st.integers(-3, 3) | st.none(), min_size=1, max_size=9),
    st.lists(st.integers(-3, 3), min_size=1, max_size=6),
    st.integers(1, 5),
)
def test_a_series_with_missing_closes_goes_on_in_a_panel_as_it_would_plainly(
    policy: Missing, before: list[int | None], after: list[int], window: int
) -> None:
    known = known_after(before, policy, window)
    book = PanelLedger(window)
    if not taken(book, {"A": known}, len(before), after):
        assert known.last is None or known.last.close is None
        assert book.close() == {}
        return
    closes = [None if tick is None else Fraction(tick) for tick in [*before, *after]]
    kept = closes if policy == "gap" else [close for close in closes if close is not None]
    (found,) = book.close().values()
    rows, missing, *counts = oracle.counts(kept, window)
    skipped = len(closes) - len(kept)
    assert found.tally == (rows + skipped, missing + skipped, *counts)
    assert found.last is not None
    assert found.last.mean == oracle.means(kept, window)[-1]
    assert account(found).span == (0, len(closes) - 1)


def test_a_series_whose_last_bar_has_no_close_is_left_to_plain_numbers() -> None:
    other = known_after([1], "gap", 2)
    for known in (
        *(known_after([1, None], "gap", 2), known_after([None], "gap", 2)),
        known_after([None], "skip", 2),
    ):
        assert not taken(PanelLedger(2), {"A": known, "B": other}, 9, [1])
        assert not taken(PanelLedger(2), {"B": known}, 9, [1])
    assert taken(PanelLedger(2), {"A": known_after([1, None], "skip", 2)}, 9, [1])


def test_series_that_are_not_in_the_batch_keep_their_accounts() -> None:
    series = {name: known_after([1, None, place, 2], "gap", 3) for place, name in enumerate("ABC")}
    book = PanelLedger(3)
    assert taken(book, series, 9, [5])
    found = book.close()
    assert list(found) == ["A", "B", "C"]
    assert {name: account(found[name]) for name in "BC"} == {
        name: account(series[name]) for name in "BC"
    }


@given(st.data(), st.integers(1, 4))
def test_a_batch_that_is_refused_leaves_the_panel_as_it_was(
    data: st.DataObject, window: int
) -> None:
    book, series = PanelLedger(window), {"B": known_after([1, 2], "gap", window)}
    assert taken(book, series, 10, [1, 2, 2])
    bad = data.draw(st.sampled_from(["time", "ticks", "symbol", "untimed", "scale"]))
    part = Part(["A", "C", "D"], [1, 2, 3], 0, [20, 21, 22], "coded")
    spoiled = {
        "time": part._replace(times_ns=[21, 22, 5], symbols=["C", "D", "A"]),
        "ticks": part._replace(ticks=[1, 2, 2**62]),
        "symbol": part._replace(symbols=["C", "D", " "]),
        "untimed": part._replace(times_ns=None),
        "scale": part._replace(scale=25),
    }[bad]
    batch = spoiled.in_form()
    assert isinstance(batch, ArrayBatch)
    assert book.take(batch, File("b", []), series) is None
    assert taken(book, series, 20, [5])
    expected = PanelLedger(window)
    assert taken(expected, series, 10, [1, 2, 2])
    assert taken(expected, series, 20, [5])
    assert {name: account(one) for name, one in book.close().items()} == {
        name: account(one) for name, one in expected.close().items()
    }


@pytest.mark.parametrize(
    "other",
    [
        Account(Carry(3, 0, (1, 2)), Tally(2), LastBar(2, None, 0, 3)),
        Account(Carry(3, 0, (1, 2)), Tally(2), LastBar(2, None, 0, 3), 0, None),
        Account(Carry(3, 0, (2**62, 1)), Tally(2), LastBar(1, None, 0, 3), 0, 1),
        Account(Carry(3, 30, (0, 1)), Tally(2), LastBar(1, None, 30, 3), 0, 1),
        Account(Carry(3, 0, (1,)), Tally(9, 1), None, 0, 1),
    ],
)
def test_a_series_that_arrays_cannot_hold_keeps_the_panel_closed(other: Account) -> None:
    known = known_after([1, 2], "gap", 3)._replace(first_ns=0, last_ns=1)
    assert taken(PanelLedger(3), {"B": known}, 9, [5])
    for series in ({"B": known, "C": other}, {"C": other, "B": known}):
        book = PanelLedger(3)
        assert not taken(book, series, 9, [5])
        assert book.close() == {}


def test_rows_stand_in_the_order_in_which_they_were_read() -> None:
    part = Part(["B", "A", "B", "A"], [1, 5, 2, 3], 1, [0, 1, 2, 3], "coded")
    batch = part.in_form()
    assert isinstance(batch, ArrayBatch)
    make = PanelLedger(2).take(batch, File("a", []), {})
    assert make is not None
    rows = make()
    assert rows.codes is not None
    assert [rows.symbols[code] for code in rows.codes.tolist()] == part.symbols
    assert rows.closes.tolist() == part.ticks
    assert rows.has_signal.tolist() == [False, False, True, True]
    assert rows.margins.tolist()[2:] == [2 * 2 - 3, 2 * 3 - 8]
