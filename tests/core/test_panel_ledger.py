"""Batches as arrays and plain ones, in any alternation: the same ledger as if all were plain."""

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
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import Account, Carry, LastBar, Tally, advance
from rollsignal.core.ledger import Ledger, Missing
from rollsignal.core.panel_ledger import PanelLedger
from rollsignal.core.quality import Finding
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import Ticks
from rollsignal.errors import DataError
from rollsignal.outputs.signals.writer import Signals
from rollsignal.readers.frame_symbols import SymbolColumn
from tests.support import oracle
from tests.support.deciding import REPORT
from tests.support.sweeps import examples, sweep
from tests.support.tables import CONFIG

POLICIES: list[Missing] = ["skip", "gap"]
LEVELS = ["error", "warn", "off"]


class Part(NamedTuple):
    """One batch: ticks of 10^-scale, None for a missing close, and its layout: how symbols come."""

    symbols: list[str] | None
    ticks: list[int | None]
    scale: int
    times_ns: list[int] | None
    layout: str = "plain"

    def batch(self) -> Batch:
        cells = ["" if tick is None else str(tick) for tick in self.ticks]
        lines = range(len(cells))
        return Batch(Ticks(list(self.ticks), self.scale), cells, self.times_ns, lines, self.symbols)

    def as_bars(self) -> Batch | ArrayBatch:
        if self.layout == "plain" or None in self.ticks:
            return self.batch()
        times_ns = None if self.times_ns is None else np.array(self.times_ns, np.int64)
        ticks = TickArray(np.array(self.ticks, np.int64), self.scale)
        return ArrayBatch(ticks, times_ns, self._symbols(), self.batch)

    def _symbols(self) -> Coded | None:
        if self.symbols is None:
            return None
        if self.layout == "series":
            return SymbolColumn().coded(pl.Series(self.symbols))
        names = sorted(set(self.symbols))
        return Coded(names, np.array([names.index(symbol) for symbol in self.symbols], np.int64))


class File:
    """A reader of batches in memory."""

    unit = "row"
    symbol: str | None = None
    zoned: bool | None = None

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        self.path = self.name = name
        self.parts = parts

    def describe(self) -> str:
        return "memory"

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        for part in self.parts:
            yield part.as_bars()

    def bytes_read(self) -> int:
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        return DataError(f"{self.name} row {batch.lines[finding.place]}: {finding.what}")


class Expected(NamedTuple):
    """The account of a series, independent of scale."""

    tally: Tally
    tail: list[Fraction]
    last: tuple[Fraction | None, Fraction | None, float | None] | None
    span: tuple[int | None, int | None]
    file: str


def exact(ticks: int | None, scale: int) -> Fraction | None:
    return None if ticks is None else Fraction(ticks, 10**scale)


def exact_account(series: Account) -> Expected:
    last, carry = series.last, series.carry
    return Expected(
        series.tally,
        [Fraction(tick, 10**carry.scale) for tick in carry.tail],
        last and (exact(last.close, last.scale), exact(last.margin, last.scale), last.mean),
        (series.first_ns, series.last_ns),
        series.last_file,
    )


class Outcome(NamedTuple):
    accounts: dict[str, Expected]
    signals: bytes
    warnings: list[str]
    problem: str


def outcome_of(config: JobConfig, files: Sequence[File]) -> Outcome:
    """Decide all batches of all files, up to the first that is refused."""
    warnings: list[str] = []
    problem = ""
    with TemporaryDirectory() as folder:
        signals = Signals(f"{folder}/out.csv", config.window)
        signals.begin()
        part = signals.part()
        findings = Findings(config.checks._asdict(), lambda _, text: warnings.append(text))
        ledger = Ledger(config.rules, findings, part.take)
        try:
            for file in files:
                for batch in file.batches():
                    ledger.take(batch, file)
        except DataError as error:
            problem = error.message
        ledger.close_panel()
        signals.add(part.end())
        signals.finish(REPORT)
        text = Path(folder, "out.csv").read_bytes()
    return Outcome(
        {name: exact_account(each) for name, each in ledger.accounts.items()},
        text,
        warnings,
        problem,
    )


def all_plain(files: Sequence[File]) -> list[File]:
    return [
        File(file.name, [part._replace(layout="plain") for part in file.parts]) for file in files
    ]


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
    layout = draw(st.sampled_from(["plain", "coded", "series", "coded"]))
    scale = draw(st.sampled_from([0, 0, 0, 1, 2, 25]))
    return Part(symbols, ticks, scale, times_ns if timed else None, layout)


@st.composite
def runs(draw: DrawFn) -> tuple[JobConfig, list[File]]:
    """Draw files, of one series each or of panels, and how the config treats findings."""
    named, at, files = draw(st.booleans()), 0, []
    for name in draw(st.sampled_from(["a", "ab", "abc"])):
        timed = bool(draw(st.integers(0, 5)))
        batches = []
        for _ in range(draw(st.integers(1, 4))):
            batches.append(draw(parts(at, named, timed)))
            at += draw(st.sampled_from([10, 10, 3, 0]))
        files.append(File(name, batches))
    checks = Checks(draw(st.sampled_from(LEVELS)), draw(st.sampled_from(LEVELS)))
    policy, window = draw(st.sampled_from(POLICIES)), draw(st.integers(1, 4))
    return CONFIG._replace(checks=checks, missing=policy, window=window), files


def untimed_after_timed(*symbols: str) -> tuple[JobConfig, list[File]]:
    named = list(symbols) or None
    part = Part(named, [1] * max(1, len(symbols)), 0, list(range(max(1, len(symbols)))), "coded")
    return CONFIG, [File("a", [part]), File("b", [part._replace(times_ns=None)])]


def a_finer_scale_after_a_margin() -> tuple[JobConfig, list[File]]:
    part = Part(["A", "A", "A"], [1, 2, 4], 0, [0, 1, 2], "coded")
    return CONFIG, [File("a", [part, Part(["B"], [5], 2, [3], "coded")])]


@sweep
@settings(max_examples=examples(200))
@given(runs())
@example(a_finer_scale_after_a_margin())
@example(untimed_after_timed())
@example(untimed_after_timed("A", "B"))
def test_any_alternation_of_arrays_and_plain_batches_gives_the_ledger_of_plain_ones(
    run: tuple[JobConfig, list[File]],
) -> None:
    config, files = run
    assert outcome_of(config, files) == outcome_of(config, all_plain(files))


def account_after(ticks: list[int | None], policy: Missing, window: int) -> Account:
    """Decide one series' ticks as plain numbers."""
    closes = [tick for tick in ticks if tick is not None or policy == "gap"]
    decided, carry = advance(Carry(window), Ticks(list(closes), 0))
    left_out = len(ticks) - len(closes)
    tally = decided.tally.plus(Tally(rows=left_out, missing=left_out))
    return Account(carry, tally, decided.last(window), 0, len(ticks) - 1, "a")


def took(ledger: PanelLedger, series: dict[str, Account], at: int, ticks: list[int]) -> bool:
    """Give a panel ticks of symbol A as arrays; return if it took them."""
    times_ns = list(range(at, at + len(ticks)))
    batch = Part(["A"] * len(ticks), list(ticks), 0, times_ns, "coded").as_bars()
    assert isinstance(batch, ArrayBatch)
    return ledger.take(batch, File("a", []), series) is not None


@pytest.mark.parametrize("policy", POLICIES)
@given(
    st.lists(st.integers(-3, 3) | st.none(), min_size=1, max_size=9),
    st.lists(st.integers(-3, 3), min_size=1, max_size=6),
    st.integers(1, 5),
)
def test_a_series_with_missing_closes_goes_on_in_a_panel_as_it_would_plainly(
    policy: Missing, before: list[int | None], after: list[int], window: int
) -> None:
    account = account_after(before, policy, window)
    ledger = PanelLedger(window)
    if not took(ledger, {"A": account}, len(before), after):
        assert account.last is None or account.last.close is None
        assert ledger.close() == {}
        return
    closes = [None if tick is None else Fraction(tick) for tick in [*before, *after]]
    kept = closes if policy == "gap" else [close for close in closes if close is not None]
    (after_all,) = ledger.close().values()
    rows, missing, *counts = oracle.counts(kept, window)
    skipped = len(closes) - len(kept)
    assert after_all.tally == (rows + skipped, missing + skipped, *counts)
    assert after_all.last is not None
    assert after_all.last.mean == oracle.means(kept, window)[-1]
    assert exact_account(after_all).span == (0, len(closes) - 1)


def test_a_series_whose_last_bar_has_no_close_is_left_to_plain_numbers() -> None:
    other = account_after([1], "gap", 2)
    for account in (
        *(account_after([1, None], "gap", 2), account_after([None], "gap", 2)),
        account_after([None], "skip", 2),
    ):
        assert not took(PanelLedger(2), {"A": account, "B": other}, 9, [1])
        assert not took(PanelLedger(2), {"B": account}, 9, [1])
    assert took(PanelLedger(2), {"A": account_after([1, None], "skip", 2)}, 9, [1])


def test_series_that_are_not_in_the_batch_keep_their_accounts() -> None:
    series = {
        name: account_after([1, None, number, 2], "gap", 3) for number, name in enumerate("ABC")
    }
    ledger = PanelLedger(3)
    assert took(ledger, series, 9, [5])
    accounts = ledger.close()
    assert list(accounts) == ["A", "B", "C"]
    assert {name: exact_account(accounts[name]) for name in "BC"} == {
        name: exact_account(series[name]) for name in "BC"
    }


@given(st.data(), st.integers(1, 4))
def test_a_batch_that_is_refused_leaves_the_panel_as_it_was(
    data: st.DataObject, window: int
) -> None:
    ledger, series = PanelLedger(window), {"B": account_after([1, 2], "gap", window)}
    assert took(ledger, series, 10, [1, 2, 2])
    bad = data.draw(st.sampled_from(["time", "ticks", "symbol", "untimed", "scale"]))
    part = Part(["A", "C", "D"], [1, 2, 3], 0, [20, 21, 22], "coded")
    spoiled = {
        "time": part._replace(times_ns=[21, 22, 5], symbols=["C", "D", "A"]),
        "ticks": part._replace(ticks=[1, 2, 2**62]),
        "symbol": part._replace(symbols=["C", "D", " "]),
        "untimed": part._replace(times_ns=None),
        "scale": part._replace(scale=25),
    }[bad]
    batch = spoiled.as_bars()
    assert isinstance(batch, ArrayBatch)
    assert ledger.take(batch, File("b", []), series) is None
    assert took(ledger, series, 20, [5])
    expected = PanelLedger(window)
    assert took(expected, series, 10, [1, 2, 2])
    assert took(expected, series, 20, [5])
    assert {name: exact_account(each) for name, each in ledger.close().items()} == {
        name: exact_account(each) for name, each in expected.close().items()
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
    account = account_after([1, 2], "gap", 3)._replace(first_ns=0, last_ns=1)
    assert took(PanelLedger(3), {"B": account}, 9, [5])
    for series in ({"B": account, "C": other}, {"C": other, "B": account}):
        ledger = PanelLedger(3)
        assert not took(ledger, series, 9, [5])
        assert ledger.close() == {}


def test_rows_stand_in_the_order_in_which_they_were_read() -> None:
    part = Part(["B", "A", "B", "A"], [1, 5, 2, 3], 1, [0, 1, 2, 3], "coded")
    batch = part.as_bars()
    assert isinstance(batch, ArrayBatch)
    make = PanelLedger(2).take(batch, File("a", []), {})
    assert make is not None
    rows = make()
    assert rows.codes is not None
    assert [rows.symbols[code] for code in rows.codes.tolist()] == part.symbols
    assert rows.closes.tolist() == part.ticks
    assert rows.has_signal.tolist() == [False, False, True, True]
    assert rows.margins.tolist()[2:] == [2 * 2 - 3, 2 * 3 - 8]
