"""This module keeps the book of a run: what is known of every series so far."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from rollsignal.bars.batch import ArrayBatch, Batch, Reader
from rollsignal.config import JobConfig
from rollsignal.engines.rows import ArrayRows, Emit, SignalRow, rows_of
from rollsignal.engines.series import Series
from rollsignal.errors import DataError
from rollsignal.kernel import Carry, Decided, Tally, advance
from rollsignal.prices import Ticks
from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import iso, to_ns

if TYPE_CHECKING:
    from rollsignal.engines.panel_book import PanelBook

SHOWN_WARNINGS = 5
ONE_SERIES = ""

Tell = Callable[[Literal["INFO", "WARNING"], str], None]


class Book:
    """Take batches of any reader, and keep each series' account.

    emit: takes the rows of all bars in the order in which they are read.
    """

    def __init__(self, config: JobConfig, tell: Tell, emit: Emit | None = None) -> None:
        self.series: dict[str, Series] = {}
        self.warnings: Counter[str] = Counter()
        self._emit = emit
        self._many: PanelBook | None = None
        self._config = config
        self._tell = tell

    def tally(self) -> Tally:
        """Add the tallies of all series up."""
        return Tally(
            *map(sum, zip(*(series.tally for series in self.series.values()), strict=True))
        )

    def take(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Decide a batch's bars; raises `DataError` for a bar that a check refuses."""
        if isinstance(batch, ArrayBatch):
            if self._take_arrays(batch, reader):
                return
            batch = batch.plain()
        self.close_panel()
        if batch.symbols is None:
            symbol = reader.symbol or ONE_SERIES
            decided = self._take_series(symbol, batch, reader)
            if self._emit:
                self._emit(rows_of(symbol, batch, decided, self._config.window))
        else:
            self._take_symbols(batch, reader)

    def _take_symbols(self, batch: Batch, reader: Reader) -> None:
        rows: list[SignalRow | None] = [None] * len(batch.lines)
        for symbol, part, places in _by_symbol(batch):
            decided = self._take_series(symbol, part, reader)
            if self._emit:
                for place, row in zip(
                    places, rows_of(symbol, part, decided, self._config.window), strict=True
                ):
                    rows[place] = row
        if self._emit:
            self._emit([row for row in rows if row is not None])

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
        if rows and self._emit:
            self._emit(rows())
        return rows is not None

    def _take_one(self, batch: ArrayBatch, reader: Reader) -> Callable[[], ArrayRows] | None:
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
        return lambda: ArrayRows(moments, [symbol], None, *decided.padded(), decided.scale)

    def _take_series(self, symbol: str, batch: Batch, reader: Reader) -> Decided:
        series = self._series(symbol)
        first_ns, last_ns = series.first_ns, series.last_ns
        if batch.moments is not None:
            if self._check_files(series, to_ns(batch.moments[0]), reader):
                last_ns = None
            for finding in order_findings(batch.moments, last_ns):
                self._heed(finding, reader.order_problem(batch, finding))
            first_ns = to_ns(batch.moments[0]) if first_ns is None else first_ns
            last_ns = to_ns(batch.moments[-1])
        closes = batch.closes
        left_out = closes.values.count(None) if self._config.missing == "skip" else 0
        if left_out:
            closes = Ticks([tick for tick in closes.values if tick is not None], closes.scale)
        decided, carry = advance(series.carry, closes)
        tally = series.tally.plus(decided.tally).plus(Tally(rows=left_out, missing=left_out))
        last = decided.last(carry.window) or series.last
        self.series[symbol] = Series(carry, tally, last, first_ns, last_ns, reader.name)
        return decided

    def _series(self, symbol: str) -> Series:
        return self.series.get(symbol) or Series(Carry(self._config.window))

    def _check_files(self, series: Series, first_ns: int | None, reader: Reader) -> bool:
        """Heed a file that begins before the file that it continues ends; tell if it does."""
        if first_ns is None or series.last_ns is None or series.last_file == reader.name:
            return False
        if first_ns > series.last_ns:
            return False
        check = "order" if first_ns < series.last_ns else "duplicates"
        begin = f"{reader.name} begins at {iso(first_ns)}"
        end = f"{series.last_file}, which comes before it, ends at {iso(series.last_ns)}"
        self._heed(Finding(check, 0, "overlap"), DataError(f"{begin}, but {end}: do they overlap?"))
        return True

    def _heed(self, finding: Finding, error: DataError) -> None:
        level = getattr(self._config.checks, finding.check)
        if level == "error":
            raise error
        if level == "warn":
            self.warnings[finding.check] += 1
            if self.warnings[finding.check] <= SHOWN_WARNINGS:
                self._tell("WARNING", error.message)


def _by_symbol(batch: Batch) -> list[tuple[str, Batch, list[int]]]:
    """Part a batch by symbol, each part in the order of its rows, with their places."""
    assert batch.symbols is not None
    places: dict[str, list[int]] = {}
    for place, symbol in enumerate(batch.symbols):
        places.setdefault(symbol, []).append(place)
    return [(symbol, _picked(batch, rows), rows) for symbol, rows in places.items()]


def _picked(batch: Batch, rows: list[int]) -> Batch:
    moments = batch.moments
    return Batch(
        Ticks([batch.closes.values[row] for row in rows], batch.closes.scale),
        [batch.cells[row] for row in rows],
        None if moments is None else [moments[row] for row in rows],
        [batch.lines[row] for row in rows],
    )
