"""This module draws bars in memory with all that can be wrong with them, in files and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.digester import Digester
from rollsignal.core.edges import Edges, Terms
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import Account
from rollsignal.core.ledger import Ledger, Missing, Rules
from rollsignal.core.piece import Piece
from rollsignal.core.quality import Finding, value_findings
from rollsignal.core.reader import Bars
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import parse_closes
from rollsignal.engines.spans import Span, SpanFilter
from rollsignal.errors import DataError, JobError
from tests.support import oracle

CELLS = [
    "1",
    "1",
    "1",
    "2",
    "2.0",
    "1.5",
    "3.25",
    "-7",
    "0",
    "2147483647",
    "1234567890123456789.012",
]
LEVELS = ["warn", "warn", "off", "error"]
MISSING: list[Missing] = ["error", "gap", "skip"]


class Bar(NamedTuple):
    """A bar as it is written: an empty cell is a missing close; no time in a file without times."""

    symbol: str
    ns: int | None
    cell: str


class MemoryFile:
    """A reader of bars in memory."""

    unit = "row"
    zoned: bool | None = None

    def __init__(self, name: str, symbol: str | None = None) -> None:
        self.path = self.name = name
        self.symbol = symbol

    def describe(self) -> str:
        return "memory"

    def batches(self) -> Iterator[Bars]:
        return iter(())

    def bytes_read(self) -> int:
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        what = f"{finding.what} ({finding.check})"
        return DataError(f"{self.name} row {batch.lines[finding.place]}: {what}")


class Part(NamedTuple):
    """Consecutive bars of a file, with the row of the first, and how they come."""

    file: MemoryFile
    row: int
    bars: list[Bar]
    is_panel: bool
    in_arrays: bool

    def batch(self) -> Bars:
        plain = self.plain()
        values, scale = plain.closes
        fits = all(value is not None and abs(value) < 2**63 for value in values)
        times = plain.timestamps
        if not (self.in_arrays and fits):
            return plain
        names = sorted({bar.symbol for bar in self.bars})
        codes = np.array([names.index(bar.symbol) for bar in self.bars], np.int64)
        return ArrayBatch(
            TickArray(np.array(values, np.int64), scale),
            None if times is None else np.array(times, np.int64),
            Coded(names, codes) if self.is_panel else None,
            partial(Part.plain, self),
            self.row,
            len(plain.findings),
        )

    def plain(self) -> Batch:
        cells = [bar.cell for bar in self.bars]
        closes = parse_closes(cells)
        times = [bar.ns for bar in self.bars if bar.ns is not None]
        rows = range(self.row, self.row + len(cells))
        symbols = [bar.symbol for bar in self.bars] if self.is_panel else None
        return Batch(closes, cells, times or None, rows, symbols, value_findings(closes))


class Case(NamedTuple):
    """Batches in the order of reading, and how they are decided."""

    parts: list[Part]
    terms: Terms

    @property
    def bars(self) -> list[Bar]:
        return [bar for part in self.parts for bar in part.bars]


@st.composite
def cases(draw: DrawFn, *, clean: bool = False) -> Case:
    """Draw bars of one or several series; clean: without anything that ends a run."""
    names = draw(st.sampled_from([[""], ["A"], ["A", "B"], ["A"] * 5 + ["B", "C"]]))
    rules = Rules(
        draw(st.one_of(st.integers(1, 4), st.integers(1, 25))),
        draw(st.sampled_from(MISSING)),
        draw(st.booleans()),
    )
    level = st.sampled_from(LEVELS[:3] if clean else LEVELS)
    checks = ("order", "duplicates", "values", "gaps")
    levels = {check: draw(level) for check in checks}
    span = draw(
        st.none() | st.tuples(st.none() | st.integers(0, 30), st.none() | st.integers(5, 60))
    )
    terms = Terms(rules, levels, draw(st.booleans()), span)
    cells = st.sampled_from([*CELLS, "", "", "1"])
    steps = draw(st.sampled_from([[1], [1, 1, 1, 2, 5], [1, 1, 0, -3] if not clean else [1, 3]]))
    parts, row, ns, is_panel = list[Part](), 1, 0, False
    timed = draw(st.booleans()) or span is not None
    file, of_file = MemoryFile("0.csv"), names
    for number in range(draw(st.integers(1, 8))):
        if number == 0 or draw(st.integers(0, 3)) == 0:
            # A file has bars of several series, or those of one that its name tells.
            is_panel = names != [""] and draw(st.booleans())
            of_file = names if is_panel else [draw(st.sampled_from(names))]
            file, row = MemoryFile(f"{number}.csv", None if is_panel else of_file[0] or None), 1
            if not clean and span is None and draw(st.integers(0, 9)) == 0:
                timed = not timed
        bars = []
        for _ in range(draw(st.sampled_from([1, 1, 2, 3, 7, 12]))):
            bars.append(Bar(draw(st.sampled_from(of_file)), ns if timed else None, draw(cells)))
            ns += draw(st.sampled_from(steps))
        parts.append(Part(file, row, bars, is_panel, draw(st.booleans())))
        row += len(bars)
    return Case(parts, terms)


class Outcome(NamedTuple):
    """What came of a case; nothing but the error and the warnings if there is one."""

    error: str
    told: list[tuple[str, str]]
    counts: dict[str, int] | None = None
    shown: Sequence[Any] = ()
    accounts: Any = None
    counted: Any = None
    digest: int | None = None


class Tellings(Findings):
    """Findings that keep what they tell."""

    def __init__(self, terms: Terms) -> None:
        self.told: list[tuple[str, str]] = []
        super().__init__(
            terms.levels, lambda level, text: self.told.append((level, text)), terms.collect_errors
        )


def in_one_run(case: Case, known: dict[str, Account] | None = None) -> Outcome:
    """Decide all batches with one ledger, as a run does."""
    terms, findings, digester = case.terms, Tellings(case.terms), Digester()
    within = SpanFilter(Span(*terms.span), terms.rules, digester.take) if terms.span else None
    ledger = Ledger(terms.rules, findings, within.take if within else digester.take)
    ledger.accounts |= known or {}
    try:
        for part in case.parts:
            ledger.take(part.batch(), part.file)
        ledger.finish()
    except JobError as error:
        return Outcome(error.message, findings.told)
    counted = within.accounts if within else ledger.accounts
    return outcome(findings, ledger.accounts, counted, digester.digest)


def outcome(
    findings: Tellings, accounts: dict[str, Account], counted: dict[str, Account], digest: int
) -> Outcome:
    counts = {check: count for check, count in findings.counts.items() if count}
    return Outcome(
        "", findings.told, counts, findings.shown, exact(accounts), exact(counted), digest
    )


def exact(accounts: dict[str, Account]) -> dict[str, Any]:
    """Return accounts as numbers that do not depend on a scale."""
    return {symbol: _exact(account) for symbol, account in accounts.items()}


def _exact(account: Account) -> tuple[Any, ...]:
    last, unit = account.last, 10**account.carry.scale
    ticks = (last.close, last.margin) if last else ()
    return (
        account.tally,
        [Fraction(tick, unit) for tick in account.carry.tail],
        last and [tick if tick is None else Fraction(tick, 10**last.scale) for tick in ticks],
        last and last.mean,
        (account.first_ns, account.last_ns, account.last_file),
    )


def edges_of(terms: Terms, parts: Sequence[Part], *, arrays: bool = True) -> Edges:
    """Decide batches as a piece."""
    piece = Piece(terms, arrays=arrays)
    try:
        for part in parts:
            piece.take(part.batch(), part.file)
    except JobError as error:
        piece.refuse(error)
    return piece.edges()


def by_definition(case: Case, *, before: int = 0) -> tuple[dict[str, Any], int]:
    """Return the tally of each series and the digest, on fractions of the text.

    before: the number of bars that come first and do not count in the digest.
    """
    window, skips = case.terms.rules.window, case.terms.rules.missing == "skip"
    bars, hashed, tallies = case.bars, dict[int, tuple[str, int, int | None]](), dict[str, Any]()
    for symbol in {bar.symbol for bar in bars}:
        rows = [row for row, bar in enumerate(bars) if bar.symbol == symbol]
        closes = {row: oracle.price(bars[row].cell) if bars[row].cell else None for row in rows}
        kept = [row for row in rows if closes[row] is not None or not skips]
        signals = oracle.signals([closes[row] for row in kept], window)
        signal_of = dict(zip(kept, signals, strict=True))
        counts = oracle.counts([closes[row] for row in kept], window)
        tallies[symbol] = (
            len(rows),
            len([row for row in rows if closes[row] is None]),
            *counts[2:],
        )
        for number, row in enumerate(rows, start=1):
            ns = bars[row].ns
            hashed[row] = symbol, number if ns is None else ns, signal_of.get(row)
    return tallies, oracle.digest([bar for row, bar in hashed.items() if row >= before])
