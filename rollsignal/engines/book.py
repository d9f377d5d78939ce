"""This module keeps the book of a run: what is known of every series so far."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from rollsignal.bars.batch import ArrayBatch, Batch, PanelBatch, Reader
from rollsignal.config import JobConfig
from rollsignal.errors import DataError
from rollsignal.kernel import Carry, Decided, Last, Tally, advance
from rollsignal.prices import Ticks, decimal_text
from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import iso, to_ns

if TYPE_CHECKING:
    from rollsignal.bars.symbols import SymbolCodes
    from rollsignal.panel import Panel

SHOWN_WARNINGS = 5
ONE_SERIES = ""

Tell = Callable[[Literal["INFO", "WARNING"], str], None]


class Series(NamedTuple):
    """What is known of one series: its carry and tally, its last bar, its time span."""

    carry: Carry
    tally: Tally = Tally()
    last: Last | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    last_file: str = ""


class SignalRow(NamedTuple):
    """What was decided about one bar; None where there is no answer, symbol "" for one series."""

    ns: int | None
    symbol: str
    close: str | None
    mean: float | None
    signal: int | None


Emit = Callable[[Sequence[SignalRow]], None]


class Book:
    """Take batches of any reader, and keep each series' account.

    emit: takes the row of every bar in the order in which they are read; with it, bars are
    decided one by one.
    """

    def __init__(self, config: JobConfig, tell: Tell, emit: Emit | None = None) -> None:
        self.emit = emit
        self.series: dict[str, Series] = {}
        self.warnings: Counter[str] = Counter()
        self._panel: Panel | None = None
        self._codes: SymbolCodes | None = None
        self._files: list[str] = []
        self._config = config
        self._tell = tell

    def tally(self) -> Tally:
        """Add the tallies of all series up."""
        return Tally(
            *map(sum, zip(*(series.tally for series in self.series.values()), strict=True))
        )

    def take(self, batch: Batch | ArrayBatch | PanelBatch, reader: Reader) -> None:
        """Decide a batch's bars; raises `DataError` for a bar that a check refuses."""
        if isinstance(batch, PanelBatch):
            if self._take_panel(batch, reader):
                return
            batch = batch.plain()
        self.close_panel()
        if isinstance(batch, ArrayBatch) and self.emit:
            assert batch.plain is not None, "rows are wanted, and the reader has only arrays"
            batch = batch.plain()
        if isinstance(batch, ArrayBatch):
            self._take_array(batch, reader)
        elif batch.symbols is None:
            decided = self._take_series(reader.symbol or ONE_SERIES, batch, reader)
            if self.emit:
                self.emit(self._rows(reader.symbol or ONE_SERIES, batch, decided))
        else:
            self._take_symbols(batch, reader)

    def _take_symbols(self, batch: Batch, reader: Reader) -> None:
        rows: list[SignalRow | None] = [None] * len(batch.lines)
        for symbol, part, places in _by_symbol(batch):
            decided = self._take_series(symbol, part, reader)
            if self.emit:
                for place, row in zip(places, self._rows(symbol, part, decided), strict=True):
                    rows[place] = row
        if self.emit:
            self.emit([row for row in rows if row is not None])

    def close_panel(self) -> None:
        """Enter what the panel knows into the book; from then on rows are taken one by one."""
        if self._panel is None or self._codes is None:
            return
        for code in self._panel.known():
            self.series[self._codes.names[code]] = Series(
                self._panel.carry_of(code),
                self._panel.tally_of(code),
                self._panel.last_of(code),
                *self._panel.span_of(code),
                self._files[self._panel.files[code]],
            )
        self._panel = None

    def _take_panel(self, batch: PanelBatch, reader: Reader) -> bool:
        """Decide a batch on arrays; tell if that was possible."""
        from rollsignal.bars.symbols import SymbolCodes
        from rollsignal.panel import Panel, PanelError

        if self.series or self.emit:
            return False
        if self._panel is None or self._codes is None:
            self._panel, self._codes = Panel(self._config.window), SymbolCodes()
        codes = self._codes.of(batch.symbols)
        try:
            if codes.min() < 0:
                return False
            self._panel.advance(codes, batch.ticks, batch.moments, self._number_of(reader.name))
        except PanelError:
            return False
        return True

    def _number_of(self, file: str) -> int:
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        return len(self._files) - 1

    def _take_array(self, batch: ArrayBatch, reader: Reader) -> None:
        from rollsignal.arrays import advance_array

        symbol = reader.symbol or ONE_SERIES
        series = self._series(symbol)
        self._check_files(series, batch.first_ns, reader)
        tally, last, carry = advance_array(series.carry, batch.ticks)
        self.series[symbol] = Series(
            carry,
            series.tally.plus(tally),
            last,
            batch.first_ns if series.first_ns is None else series.first_ns,
            batch.last_ns,
            reader.name,
        )

    def _rows(self, symbol: str, batch: Batch, decided: Decided) -> list[SignalRow]:
        """Make the rows of a series' batch; a bar that is left out has no answers."""
        pairs = zip(decided.closes, decided.margins, strict=True)
        rows = []
        for place, value in enumerate(batch.closes.values):
            left_out = value is None and self._config.missing == "skip"
            close, margin = (None, None) if left_out else next(pairs)
            last = Last(close, margin, decided.scale, self._config.window)
            text = None if close is None else decimal_text(close, decided.scale)
            ns = None if batch.moments is None else to_ns(batch.moments[place])
            rows.append(SignalRow(ns, symbol, text, last.mean, last.signal))
        return rows

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
