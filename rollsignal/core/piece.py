"""This module decides a piece of the bars as if nothing came before it, and finds its edges.

A ledger decides, as in a run over everything. The piece listens to it: it keeps the head of each
series, and adds up the digest. Findings are kept with their places, so that those of the first bar
of a series, which only the bars before the piece can tell, are later put between them.
"""

from typing import TYPE_CHECKING

from rollsignal.core.bars import Batch
from rollsignal.core.digester import Digester
from rollsignal.core.edges import (
    UNTOLD,
    Edges,
    Event,
    FirstFile,
    Refusal,
    SeriesEdges,
    Start,
    Terms,
    Undecided,
    first_shown,
    packed_signals,
)
from rollsignal.core.findings import Findings, LocatedFinding, tell_nobody, times_misfit
from rollsignal.core.gaps import StepsSeen
from rollsignal.core.heads import GrowingHead, HeadRows
from rollsignal.core.kernel import Account, Carry
from rollsignal.core.ledger import ONE_SERIES, Ledger, have_symbols
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.ticks import Ticks
from rollsignal.errors import JobError
from rollsignal.messages import shown

if TYPE_CHECKING:
    from rollsignal.core.decisions import Decided

ORDER_CHECKS = ("order", "duplicates")
# Where a batch fails as a whole: by its symbols, by its cells, by its times, or after all checks.
_SYMBOLS, _CELLS, _TIMES, _END = -3, -2, -1, 2**63


class PieceFindings(Findings):
    """The findings of a piece, in the order of its bars, with the undecided checks among them."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms.levels, tell_nobody, terms.collect_errors)
        self.events: list[Event] = []
        self.has_refused = False
        # Each event of a batch: its bar, the stage of the checks of this bar, and the event.
        self._of_batch: list[tuple[int, int, Event]] = []

    def add(self, place: int, stage: int, event: Event) -> None:
        """Add an event of the batch; stage: 0 before the findings of its bar, 1 with, 2 after."""
        self._of_batch.append((place, stage, event))

    def report(self, finding: LocatedFinding, count: int = 1) -> None:
        """Record a finding; raises `DataError` if it is an error."""
        before = len(self.shown)
        try:
            super().report(finding, count)
        except JobError as error:
            self.refuse(self.place, 1, error)
            raise
        if len(self.shown) > before:
            self.add(self.place, 1, finding)

    def refuse(self, place: int, stage: int, error: JobError) -> None:
        """Record the error that ends the piece, unless one has been recorded."""
        if not self.has_refused:
            self.has_refused = True
            self.add(place, stage, Refusal(type(error), error.message, error.detail))

    def end_batch(self) -> None:
        """Put the events of the batch into order; nothing follows a refusal."""
        for _, _, event in sorted(self._of_batch, key=lambda each: each[:2]):
            if not (self.events and isinstance(self.events[-1], Refusal)):
                self.events.append(event)
        self._of_batch.clear()


class Piece:
    """Decide consecutive batches as if nothing came before them.

    arrays: whether bars may be decided on arrays. `findings` also receives what an engine finds.
    The lines of a batch must be those of its file; those of sorted bars on arrays are not.
    """

    def __init__(self, terms: Terms, *, arrays: bool = True) -> None:
        self.findings = PieceFindings(terms)
        self._terms = terms
        self._ledger = Ledger(terms.rules, self.findings, self._take, arrays=arrays)
        self._first: FirstFile | None = None
        self._starts: dict[str, Start] = {}
        self._heads: dict[str, GrowingHead] = {}
        self._in_span: dict[str, Account] = {}
        self._unnumbered: dict[str, bytearray] = {}
        self._digester = Digester()
        self._codes = SymbolCodes()
        self._rows = HeadRows([ONE_SERIES], None, 0)

    @property
    def series(self) -> int:
        """Count the series so far."""
        return len(self._heads)

    def take(self, batch: Bars, reader: Reader) -> None:
        """Decide a batch; raises `JobError` as a ledger does, which ends the piece.

        So it is also where errors are collected: the ledger may have taken a part of the batch.
        """
        try:
            codes = batch.codes_by(self._codes)
            names = self._codes.names if codes is not None else [reader.symbol or ONE_SERIES]
            self._rows = HeadRows(names, codes, batch.rows)
            self._begin(batch, reader, self._rows.begins(self._starts))
            self._ledger.take(batch, reader)
        except JobError as error:
            self.findings.refuse(*self._end_of(batch, reader), error)
            raise
        finally:
            self.findings.end_batch()

    def refuse(self, error: JobError) -> None:
        """Record an error that ends the piece, unless it is one that `take` raised."""
        self.findings.refuse(_END, 0, error)
        self.findings.end_batch()

    def edges(self) -> Edges:
        """Return the edges of all bars so far."""
        self._ledger.close_panel()
        self.findings.end_batch()
        steps = self._ledger.steps
        edges = Edges(
            {symbol: self._series(symbol) for symbol in self._ledger.accounts},
            dict(self._starts),
            first_shown(self.findings.events),
            dict(self.findings.counts),
            self._digester.digest,
            steps.seen() if steps else StepsSeen({}, {}),
            self._first,
        )
        return edges.refused() if edges.refusal else edges

    def _series(self, symbol: str) -> SeriesEdges:
        return SeriesEdges(
            self._ledger.accounts[symbol],
            self._heads[symbol].head(),
            self._in_span.get(symbol),
            packed_signals(bytes(self._unnumbered.get(symbol, b""))),
        )

    def _begin(self, batch: Bars, reader: Reader, begins: list[tuple[int, str]]) -> None:
        """Record the first bars of series, and the checks that depend on the bars before them."""
        if self._first is None:
            has_symbols = have_symbols(batch, reader)
            self._first = FirstFile(has_symbols, reader.name)
            self.findings.add(_SYMBOLS, 0, Undecided("symbols", ONE_SERIES))
        times = batch.timestamps_ns if begins else None
        for place, symbol in begins:
            ns, line = None if times is None else int(times[place]), batch.line_of(place)
            messages = self._messages(batch, reader, place, symbol) if ns is not None else {}
            if messages:
                self.findings.add(place, 0, Undecided("overlap", symbol))
                self.findings.add(place, 2, Undecided("order", symbol))
            self.findings.add(_TIMES, place, Undecided("times", symbol))
            where = reader.name, reader.unit, line
            self._starts[symbol] = Start(ns, *where, messages, reader.zoned)
            most = self._terms.rules.window - 1
            self._heads[symbol] = GrowingHead(most, skips=self._terms.skips)

    def _messages(self, batch: Bars, reader: Reader, place: int, symbol: str) -> dict[str, str]:
        """Return what to say if a bar is wrong by each check of the order of bars."""
        line, of = batch.line_of(place), ""
        stub = Batch(Ticks([], 0), (), None, range(line - place, line + 1))
        if batch.symbols is not None:
            of = f" of {shown(symbol)}"
        return {
            check: reader.order_problem(stub, Finding(check, place, UNTOLD + of)).message
            for check in ORDER_CHECKS
            if self._terms.levels[check] != "off"
        }

    def _end_of(self, batch: Bars, reader: Reader) -> tuple[int, int]:
        """Return where a batch failed that has no finding: before its checks, or after them."""
        has_symbols = have_symbols(batch, reader)
        if self._first and self._first.has_symbols != has_symbols:
            return _SYMBOLS, 0
        try:
            symbols = batch.plain().symbols or [reader.symbol or ONE_SERIES]
        except JobError:
            return _CELLS, 0
        for place, symbol in enumerate(symbols):
            account = self._ledger.accounts.get(symbol)
            times = batch.has_timestamps, reader.zoned
            if account and times_misfit(account, reader.name, *times):
                return _TIMES, place
        return _END, batch.rows

    def _take(self, bars: "Decided") -> None:
        """Receive the bars of the batch, decided."""
        terms = self._terms
        counted = bars.within(*terms.span) if terms.span else bars
        if terms.span and counted.rows:
            self._add_in_span(counted)
        if terms.digest and bars.timestamps_ns is not None:
            if counted.rows:
                self._digester.take(counted)
        elif terms.digest:
            signals = bars.signal_bytes()
            for symbol, part in self._rows.by_series(signals):
                self._unnumbered.setdefault(symbol, bytearray()).extend(part)
        for symbol, rows in self._rows.of_open(self._heads):
            self._heads[symbol].take(rows, bars)

    def _add_in_span(self, bars: "Decided") -> None:
        window = self._terms.rules.window
        for symbol, more in bars.accounts(window, skips=self._terms.skips):
            before = self._in_span.get(symbol) or Account(Carry(window), first_ns=more.first_ns)
            self._in_span[symbol] = before._replace(
                tally=before.tally.plus(more.tally),
                last=more.last or before.last,
                last_ns=more.last_ns,
            )
