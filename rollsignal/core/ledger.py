"""This module keeps the ledger of a run: the account of every series so far."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from rollsignal.core.bars import Batch
from rollsignal.core.findings import (
    Findings,
    LocatedFinding,
    mixed_symbols,
    overlap_of,
    times_misfit,
)
from rollsignal.core.kernel import Account, Carry, SeriesMargins, Tally, advance, tally_of
from rollsignal.core.quality import Finding, order_findings
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import iso, to_ns
from rollsignal.messages import shown

if TYPE_CHECKING:
    from rollsignal.core.array_bars import ArrayBatch
    from rollsignal.core.decisions import ArrayDecided
    from rollsignal.core.gaps import Steps
    from rollsignal.core.jumps import Jumps
    from rollsignal.core.listeners import Take
    from rollsignal.core.panel_ledger import PanelLedger
    from rollsignal.core.reader import Bars, Reader

ONE_SERIES = ""

Missing = Literal["error", "skip", "gap"]


class Rules(NamedTuple):
    """What decides the signals of a run: the window in bars, and the rule for a missing close.

    gaps: whether steps in time are checked. doubts: whether closes that jump and times that are
    off the grid of their series are looked for, as only a check does.
    """

    window: int
    missing: Missing = "error"
    gaps: bool = False
    doubts: bool = False


class _SeriesPart(NamedTuple):
    """The bars of one symbol in a batch, and their indexes there."""

    symbol: str
    batch: Batch
    places: Sequence[int]


class Ledger:
    """Decide batches from any reader, and keep each series' account.

    take: receives all decided bars, in the order of reading. arrays: whether bars may be decided
    on arrays.
    """

    def __init__(
        self, rules: Rules, findings: Findings, take: "Take | None" = None, *, arrays: bool = True
    ) -> None:
        self.accounts: dict[str, Account] = {}
        self.findings = findings
        self.steps = _steps() if rules.gaps else None
        self.jumps = _jumps() if rules.doubts else None
        self._take = take
        self._arrays = arrays
        self._panel: PanelLedger | None = None
        self._rules = rules
        self._first: tuple[bool, str] | None = None

    def tally(self) -> Tally:
        """Add up the tallies of all series."""
        return tally_of(self.accounts)

    def take(self, batch: "Bars", reader: "Reader") -> None:
        """Decide a batch's bars; raises `DataError` for a bar that fails a check."""
        self._check_symbols(batch, reader)
        if not isinstance(batch, Batch):
            if self._arrays and self._take_arrays(batch, reader):
                return
            batch = batch.plain()
        self.close_panel()
        parts = _by_symbol(batch, reader.symbol or ONE_SERIES)
        self._check(batch, parts, reader)
        decided = [self._take_series(part, reader) for part in parts]
        if self._take:
            from rollsignal.core.plain_series import plain_decided

            self._take(plain_decided(batch, decided, reader.path))

    def look_at(self, batches: "Iterable[tuple[Bars, Reader]]") -> None:
        """Check bars as `take` does, but decide none of them; they follow all others."""
        self.close_panel()
        accounts, take = dict(self.accounts), self._take
        self._take = None
        for batch, reader in batches:
            self.take(batch, reader)
        self.close_panel()
        self.accounts, self._take = accounts, take

    def last_ns(self, symbol: str) -> int | None:
        """Return the last timestamp of a series so far, if it has timestamps."""
        reached = self._panel.last_ns(symbol) if self._panel else None
        if reached is not None:
            return reached
        account = self.accounts.get(symbol)
        return account.last_ns if account else None

    def check_times(self, symbol: str, reader: "Reader") -> None:
        """Raise `DataError` if the times of a file are not like those of a series so far."""
        if self._panel and not self._panel.is_alike(reader.zoned):
            self.close_panel()
        account = self._account(symbol)
        if misfit := times_misfit(account, reader.name, account.last_ns is not None, reader.zoned):
            raise misfit

    def finish(self) -> None:
        """Close the panel, and report the gaps and doubts, which are only known at the end."""
        self.close_panel()
        if self.steps:
            self.steps.report(self.findings)
        if self.jumps:
            self.jumps.report(self.findings)
        if self.steps and self._rules.doubts:
            self.steps.report_strays(self.findings)

    def close_panel(self) -> None:
        """Move the accounts of an open panel into the ledger."""
        if self._panel:
            self.accounts |= self._panel.close()

    def _take_arrays(self, batch: "ArrayBatch", reader: "Reader") -> bool:
        """Decide a batch on arrays, if possible; return whether it was."""
        if batch.symbols is not None:
            if self._panel is None:
                from rollsignal.core.panel_ledger import PanelLedger

                self._panel = PanelLedger(self._rules.window)
            decided = self._panel.take(batch, reader, self.accounts)
        else:
            self.close_panel()
            decided = self._take_one(batch, reader)
        if decided and batch.suspects:
            self._report_arrays(batch, reader)
        if decided and (self._take or self.steps or self.jumps):
            self._hand_on(decided(), batch, reader)
        return decided is not None

    def _hand_on(self, bars: "ArrayDecided", batch: "ArrayBatch", reader: "Reader") -> None:
        if self._take:
            self._take(bars)
        if self.steps and bars.timestamps_ns is not None:
            times, codes = bars.timestamps_ns, bars.every_code
            self.steps.take_arrays(bars.symbols, codes, times, batch.line_of, reader)
        if self.jumps:
            self.jumps.take_arrays(bars, batch.line_of, reader)

    def _take_one(
        self, batch: "ArrayBatch", reader: "Reader"
    ) -> "Callable[[], ArrayDecided] | None":
        from rollsignal.core.array_series import advance_series

        symbol = reader.symbol or ONE_SERIES
        advanced = advance_series(self._account(symbol), symbol, batch, reader)
        if advanced is None:
            return None
        self.accounts[symbol], decided = advanced
        return decided

    def _take_series(self, part: _SeriesPart, reader: "Reader") -> SeriesMargins:
        symbol, batch, places = part
        account, times = self._account(symbol), batch.timestamps
        first_ns, last_ns = account.first_ns, account.last_ns
        if times is not None:
            first_ns = to_ns(times[0]) if first_ns is None else first_ns
            last_ns = to_ns(times[-1])
            if self.steps:
                self.steps.take(symbol, list(map(to_ns, times)), batch.lines, reader)
        if self.jumps:
            self.jumps.take(symbol, batch.closes, batch.timestamps_ns, batch.lines, reader)
        closes = batch.closes
        left_out = closes.values.count(None) if self._rules.missing == "skip" else 0
        if left_out:
            closes = Ticks([tick for tick in closes.values if tick is not None], closes.scale)
        margins, carry = advance(account.carry, closes)
        tally = account.tally.plus(margins.tally).plus(Tally(rows=left_out, missing=left_out))
        last = margins.last(carry.window) or account.last
        end = last_ns, reader.name, reader.zoned
        self.accounts[symbol] = Account(carry, tally, last, first_ns, *end)
        return SeriesMargins(symbol, places, margins, account.tally.rows)

    def _check_symbols(self, batch: "Bars", reader: "Reader") -> None:
        """Refuse bars with symbols beside bars without, which may be of any of their series."""
        has_symbols = have_symbols(batch, reader)
        if self._first is None:
            last_files = [account.last_file for account in self.accounts.values()]
            before = (ONE_SERIES not in self.accounts, last_files[-1]) if last_files else None
            self._first = before or (has_symbols, reader.name)
        if has_symbols != self._first[0]:
            raise mixed_symbols(self._first[1], has_symbols, reader.name)

    def _account(self, symbol: str) -> Account:
        return self.accounts.get(symbol) or Account(Carry(self._rules.window))

    def _check(self, batch: Batch, parts: Sequence[_SeriesPart], reader: "Reader") -> None:
        """Report all findings in a batch, in the order of its rows."""
        overlaps, findings = dict[int, LocatedFinding](), [*batch.findings, *self._missing(batch)]
        for symbol, part, places in parts:
            account = self._account(symbol)
            if misfit := times_misfit(account, reader.name, part.has_timestamps, reader.zoned):
                raise misfit
            if part.timestamps is None:
                continue
            overlap = overlap_of(account, symbol, to_ns(part.timestamps[0]), reader.name)
            if overlap:
                overlaps[places[0]] = overlap
            of = f" of {shown(symbol)}" if batch.symbols else ""
            last_ns = None if overlap else account.last_ns
            for check, index, what in order_findings(part.timestamps, last_ns):
                findings.append(Finding(check, places[index], what + of))
        reports = [(place, partial(self.findings.report, each)) for place, each in overlaps.items()]
        reports += [(each.place, partial(self._report, batch, each, reader)) for each in findings]
        for place, report in sorted(reports, key=itemgetter(0)):
            self.findings.place = place
            report()

    def _report_arrays(self, batch: "ArrayBatch", reader: "Reader") -> None:
        """Report the closes that can hardly be prices; make the bars plain only to show them."""
        if not self.findings.is_muted("values", batch.suspects):
            plain = batch.plain()
            for finding in plain.findings:
                self.findings.place = finding.place
                self._report(plain, finding, reader)

    def report(self, batch: "Bars", reader: "Reader") -> None:
        """Report the findings of a batch that do not depend on the order of bars."""
        self._check_symbols(batch, reader)
        if isinstance(batch, Batch):
            for finding in (*batch.findings, *self._missing(batch)):
                self._report(batch, finding, reader)
        elif batch.suspects:
            self._report_arrays(batch, reader)

    def _missing(self, batch: Batch) -> list[Finding]:
        """Find the bars without a close, if that is a check."""
        if "missing" not in self.findings.levels:
            return []
        return [Finding("missing", index, batch.cells[index]) for index in batch.missing()]

    def _report(self, batch: Batch, finding: Finding, reader: "Reader") -> None:
        if self.findings.is_muted(finding.check):
            return
        index, times = finding.place, batch.timestamps
        symbol = batch.symbols[index] if batch.symbols else reader.symbol or ONE_SERIES
        stamp = None if times is None else iso(to_ns(times[index]))
        message = reader.order_problem(batch, finding).message
        where = finding.check, reader.name, batch.lines[index], symbol, stamp
        self.findings.report(LocatedFinding(*where, message))


def _steps() -> "Steps":
    from rollsignal.core.gaps import Steps

    return Steps()


def _jumps() -> "Jumps":
    from rollsignal.core.jumps import Jumps

    return Jumps()


def _by_symbol(batch: Batch, symbol: str) -> list[_SeriesPart]:
    """Split a batch by symbol, each part in the order of its rows; `symbol` is the file's."""
    if batch.symbols is None:
        return [_SeriesPart(symbol, batch, range(batch.rows))]
    places: dict[str, list[int]] = {}
    for index, name in enumerate(batch.symbols):
        places.setdefault(name, []).append(index)
    return [_SeriesPart(name, batch.picked(rows), rows) for name, rows in places.items()]


def have_symbols(batch: "Bars", reader: "Reader") -> bool:
    """Return whether bars have symbols, each its own or that of their file."""
    return batch.symbols is not None or reader.symbol is not None
