"""This module reads files out of the order of time, sorts their bars, and hands them on."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rollsignal.arrays import TickArray
from rollsignal.bars.batch import ArrayBatch, Batch, Coded, Reader
from rollsignal.bars.symbols import SymbolCodes
from rollsignal.engines.sorting import BarSorter, SortedBars, moments_ns
from rollsignal.errors import BadCellError, DataError
from rollsignal.prices import Ticks, decimal_text
from rollsignal.quality import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SortedReader:
    """Hand on the bars of several readers in the order of time, as those of one."""

    name = "the sorted bars"
    unit = "bar"
    symbol: str | None = None

    def __init__(self, sorter: BarSorter) -> None:
        self._sorter = sorter
        self._codes = SymbolCodes()
        self._places: list[str] = []
        self._files: NDArray[np.int64] | None = None

    def add(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Take a batch; raises `DataError` if it has no timestamps."""
        import numpy as np

        if not self._places or self._places[-1] != f"{reader.name} {reader.unit}":
            self._places.append(f"{reader.name} {reader.unit}")
        if batch.moments is None:
            raise DataError(f"{reader.name}: no timestamps to sort by", "set sort: false")
        if isinstance(batch, ArrayBatch):
            rows = np.arange(batch.row, batch.row + batch.rows)
            moments = batch.moments
        else:
            rows, moments = np.array(batch.lines), self._moments(batch, reader)
        closes = batch.ticks if isinstance(batch, ArrayBatch) else batch.closes
        codes = self._codes_of(batch, reader)
        self._sorter.add(codes, moments, closes, len(self._places) - 1, rows)

    def _moments(self, batch: Batch, reader: Reader) -> "NDArray[np.int64]":
        try:
            return moments_ns(batch.moments or [])
        except BadCellError as bad:
            finding = Finding("order", bad.index, f"is {bad.reason}")
            raise reader.order_problem(batch, finding) from None

    def _codes_of(self, batch: Batch | ArrayBatch, reader: Reader) -> "NDArray[np.int64] | None":
        import numpy as np

        if isinstance(batch, ArrayBatch) and batch.symbols is not None:
            codes = self._codes.of(batch.symbols)
            if codes.min() < 0:
                # Plain reading says where the symbol is empty.
                batch.plain()
            return codes
        if isinstance(batch, Batch) and batch.symbols is not None:
            return np.array([self._codes.number(symbol) for symbol in batch.symbols])
        if reader.symbol is not None:
            return np.full(batch.rows, self._codes.number(reader.symbol))
        return None

    def describe(self) -> str:
        """Say what the bars are."""
        return "sorted"

    def bytes_read(self) -> int:
        """Tell how many of the file's bytes are read: all are."""
        return 0

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        """Yield all bars in the order of time."""
        row = 1
        for bars in self._sorter.batches():
            self._files = bars.files
            plain = partial(self._plain, bars)
            if bars.missing is None and isinstance(bars.closes, TickArray):
                symbols = None if bars.codes is None else Coded(self._codes.names, bars.codes)
                yield ArrayBatch(bars.closes, bars.moments, symbols, plain, row)
            else:
                yield plain()
            row += len(bars.moments)

    def _plain(self, bars: SortedBars) -> Batch:
        values: Sequence[int | None] = [*bars.closes.values]
        if isinstance(bars.closes, TickArray):
            values = bars.closes.values.tolist()
        if bars.missing is not None:
            pairs = zip(values, bars.missing.tolist(), strict=True)
            values = [None if missing else value for value, missing in pairs]
        scale = bars.closes.scale
        cells = ["" if value is None else decimal_text(value, scale) for value in values]
        names = self._codes.names
        symbols = None if bars.codes is None else [names[code] for code in bars.codes.tolist()]
        moments, rows = bars.moments.tolist(), bars.rows.tolist()
        return Batch(Ticks([*values], scale), cells, moments, rows, symbols)

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Explain a bar that has the time of another."""
        assert self._files is not None
        place = f"{self._places[int(self._files[finding.place])]} {batch.lines[finding.place]}"
        hint = f"set checks: {{{finding.check}: warn}}"
        return DataError(f"{place}: the timestamp {finding.what}, once sorted ({hint})")
