"""This module keeps the book of a run: what is known of every series so far."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from rollsignal.bars.batch import ArrayBatch, Batch, Reader
from rollsignal.config import JobConfig
from rollsignal.engines.doubts import Doubt, Doubts
from rollsignal.engines.gaps import Steps
from rollsignal.engines.rows import ArrayRows, Emit, SignalRow, rows_of
from rollsignal.engines.series import Series
from rollsignal.errors import shown
from rollsignal.kernel import Carry, Tally, advance, total
from rollsignal.prices import Ticks
from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import iso, to_ns

if TYPE_CHECKING:
    from rollsignal.engines.panel_book import PanelBook

ONE_SERIES = ""

# A symbol, its bars of a batch, and their places in it.
Part = tuple[str, Batch, Sequence[int]]


class Book:
    """Take batches of any reader, and keep each series' account.

    emit: takes the rows of all bars in the order in which they are read. arrays: whether bars may
    be decided on arrays.
    """

    def __init__(
        self, config: JobConfig, doubts: Doubts, emit: Emit | None = None, *, arrays: bool = True
    ) -> None:
        self.series: dict[str, Series] = {}
        self.doubts = doubts
        self._emit = emit
        self._arrays = arrays
        self._many: PanelBook | None = None
        self._config = config
        self._steps = None if config.checks.gaps == "off" else Steps()

    def tally(self) -> Tally:
        """Add the tallies of all series up."""
        return total(series.tally for series in self.series.values())

    def take(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Decide a batch's bars; raises `DataError` for a bar that a check refuses."""
        if isinstance(batch, ArrayBatch):
            if self._arrays and self._take_arrays(batch, reader):
                return
            batch = batch.plain()
        self.close_panel()
        if batch.symbols is None:
            symbol = reader.symbol or ONE_SERIES
            self._check(batch, [(symbol, batch, range(batch.rows))], reader)
            rows = self._take_series(symbol, batch, reader)
            if self._emit:
                self._emit(rows())
        else:
            self._take_symbols(batch, reader)

    def _take_symbols(self, batch: Batch, reader: Reader) -> None:
        rows: list[SignalRow | None] = [None] * len(batch.lines)
        parts = _by_symbol(batch)
        self._check(batch, parts, reader)
        for symbol, part, places in parts:
            of_symbol = self._take_series(symbol, part, reader)
            if self._emit:
                for place, row in zip(places, of_symbol(), strict=True):
                    rows[place] = row
        if self._emit:
            self._emit([row for row in rows if row is not None])

    def last_ns(self, symbol: str) -> int | None:
        """Tell the place that a series has reached, if it has timestamps."""
        place = self._many.last_ns(symbol) if self._many else None
        if place is not None:
            return place
        series = self.series.get(symbol)
        return series.last_ns if series else None

    def finish(self) -> None:
        """Enter what is known on arrays, and heed what only the end shows."""
        self.close_panel()
        if self._steps:
            self._steps.report(self.doubts)

    def close_panel(self) -> None:
        """Enter what is known on arrays into the book."""
        if self._many:
            self.series |= self._many.close()

    def _take_arrays(self, batch: ArrayBatch, reader: Reader) -> bool:
        """Decide a batch on arrays; tell if that was possible."""
        if batch.symbols is not None:
            if self._many is None:
                from rollsignal.engines.panel_book import PanelBook

                self._many = PanelBook(self._config.window)
            rows = self._many.take(batch, reader.name, self.series)
        else:
            self.close_panel()
            rows = self._take_one(batch, reader)
        if rows and (self._emit or self._steps):
            self._tell_rows(rows(), batch, reader)
        return rows is not None

    def _tell_rows(self, rows: ArrayRows, batch: ArrayBatch, reader: Reader) -> None:
        from numpy import zeros_like

        if self._emit:
            self._emit(rows)
        if self._steps and rows.moments is not None:
            codes = zeros_like(rows.closes) if rows.codes is None else rows.codes
            self._steps.take_arrays(rows.symbols, codes, rows.moments, batch.row, reader)

    def _take_one(self, batch: ArrayBatch, reader: Reader) -> Callable[[], ArrayRows] | None:
        from numpy import arange

        from rollsignal.arrays import advance_array

        symbol = reader.symbol or ONE_SERIES
        series, moments = self._series(symbol), batch.moments
        first_ns, last_ns = series.first_ns, series.last_ns
        if moments is not None:
            follows = last_ns is None or int(moments[0]) > last_ns
            if not (follows and (moments[1:] > moments[:-1]).all()):
                return None
            first_ns = int(moments[0]) if first_ns is None else first_ns
            last_ns = int(moments[-1])
        found = advance_array(series.carry, batch.ticks)
        if found is None:
            return None
        decided, carry = found
        self.series[symbol] = Series(
            carry,
            series.tally.plus(decided.tally),
            decided.last(carry.window),
            first_ns,
            last_ns,
            reader.name,
        )

        def rows() -> ArrayRows:
            numbers = None if moments is not None else series.tally.rows + 1 + arange(batch.rows)
            return ArrayRows(moments, [symbol], None, *decided.padded(), decided.scale, numbers)

        return rows

    def _take_series(
        self, symbol: str, batch: Batch, reader: Reader
    ) -> Callable[[], list[SignalRow]]:
        series = self._series(symbol)
        first_ns, last_ns = series.first_ns, series.last_ns
        if batch.moments is not None:
            first_ns = to_ns(batch.moments[0]) if first_ns is None else first_ns
            last_ns = to_ns(batch.moments[-1])
            if self._steps:
                times = list(map(to_ns, batch.moments))
                self._steps.take(symbol, times, batch.lines, reader)
        closes = batch.closes
        left_out = closes.values.count(None) if self._config.missing == "skip" else 0
        if left_out:
            closes = Ticks([tick for tick in closes.values if tick is not None], closes.scale)
        decided, carry = advance(series.carry, closes)
        tally = series.tally.plus(decided.tally).plus(Tally(rows=left_out, missing=left_out))
        last = decided.last(carry.window) or series.last
        self.series[symbol] = Series(carry, tally, last, first_ns, last_ns, reader.name)
        window, before = self._config.window, series.tally.rows
        return lambda: rows_of(symbol, batch, decided, window, before)

    def _series(self, symbol: str) -> Series:
        return self.series.get(symbol) or Series(Carry(self._config.window))

    def _check(self, batch: Batch, parts: Sequence[Part], reader: Reader) -> None:
        """Heed what is wrong with a batch, in the order of its rows."""
        findings = [*batch.findings, *self._missing(batch)]
        for symbol, part, places in parts:
            of = f" of {shown(symbol)}" if batch.symbols else ""
            for check, place, what in self._out_of_order(symbol, part, reader):
                findings.append(Finding(check, places[place], what + of))
        for finding in sorted(findings, key=attrgetter("place")):
            self._heed(batch, finding, reader)

    def _out_of_order(self, symbol: str, batch: Batch, reader: Reader) -> list[Finding]:
        if batch.moments is None:
            return []
        overlaps = self._check_files(symbol, to_ns(batch.moments[0]), reader)
        return order_findings(batch.moments, None if overlaps else self._series(symbol).last_ns)

    def _check_files(self, symbol: str, first_ns: int, reader: Reader) -> bool:
        """Heed a file that begins before the file that it continues ends; tell if it does."""
        series = self._series(symbol)
        if series.last_ns is None or series.last_file == reader.name:
            return False
        if first_ns > series.last_ns:
            return False
        check = "order" if first_ns < series.last_ns else "duplicates"
        of = f" for {shown(symbol)}" if symbol else ""
        begin = f"{reader.name} begins at {iso(first_ns)}{of}"
        end = f"{series.last_file}, which comes before it, ends at {iso(series.last_ns)}"
        message = f"{begin}, but {end}: do they overlap?"
        self.doubts.heed(Doubt(check, reader.name, None, symbol, iso(first_ns), message))
        return True

    def heed(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Heed what the bars of a batch show, each by itself."""
        if isinstance(batch, Batch):
            for finding in (*batch.findings, *self._missing(batch)):
                self._heed(batch, finding, reader)

    def _missing(self, batch: Batch) -> list[Finding]:
        """Find the bars without a close, if that is to be told of each."""
        if "missing" not in self.doubts.levels:
            return []
        values = enumerate(batch.closes.values)
        return [Finding("missing", at, batch.cells[at]) for at, tick in values if tick is None]

    def _heed(self, batch: Batch, finding: Finding, reader: Reader) -> None:
        if self.doubts.passed_over(finding.check):
            return
        place = finding.place
        symbol = batch.symbols[place] if batch.symbols else reader.symbol or ONE_SERIES
        stamp = None if batch.moments is None else iso(to_ns(batch.moments[place]))
        message = reader.order_problem(batch, finding).message
        row = batch.lines[place]
        self.doubts.heed(Doubt(finding.check, reader.name, row, symbol, stamp, message))


def _by_symbol(batch: Batch) -> list[Part]:
    """Part a batch by symbol, each part in the order of its rows."""
    assert batch.symbols is not None
    places: dict[str, list[int]] = {}
    for place, symbol in enumerate(batch.symbols):
        places.setdefault(symbol, []).append(place)
    return [(symbol, batch.picked(rows), rows) for symbol, rows in places.items()]
