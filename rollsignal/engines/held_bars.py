"""This module holds bars that were read, without the rest of the file that they are from."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.bars import Batch
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.ticks import Ticks, decimal_text
from rollsignal.core.waiting import WaitingBar
from rollsignal.engines.sorted_bars import SortedReader
from rollsignal.errors import DataError
from rollsignal.files.find import input_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FormerFile:
    """A file that was read before, with what its bars need of it.

    problems: the reader that names its bars in messages, None where nothing can be wrong with them.
    """

    def __init__(  # noqa: PLR0913  # what a reader says of its file
        self,
        path: str,
        name: str,
        unit: str,
        symbol: str | None,
        zoned: bool | None,
        problems: Reader | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self.unit = unit
        self.symbol = symbol
        self.zoned = zoned
        if problems:
            # The reader itself may hold all that it has read.
            self.order_problem = problems.order_problem  # type: ignore[method-assign]

    def describe(self) -> str:
        """Return nothing: the file is described by its reader."""
        return ""

    def batches(self) -> Iterator[Bars]:
        """Yield nothing: the bars are held beside it."""
        return iter(())

    def bytes_read(self) -> int:
        """Return 0: the reader of the file counts the bytes."""
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a bar with a finding."""
        return DataError(f"{self.name}: the timestamp {finding.what}")


class Held(NamedTuple):
    """Bars, and the reader that they are from."""

    bars: Bars
    reader: Reader

    def picked(self, rows: "NDArray[np.int64]") -> "Held":
        """Return some of the bars, at least one."""
        reader = self.reader.picked(rows) if isinstance(self.reader, SortedReader) else self.reader
        return Held(self.bars.picked(rows), reader)

    def detached(self) -> "Held":
        """Return the same bars without reference to the batch that they were picked from."""
        reader = self.reader
        if not isinstance(reader, FormerFile | SortedReader):
            about = reader.path, reader.name, reader.unit, reader.symbol, reader.zoned
            reader = FormerFile(*about, reader)
        return Held(self.bars.detached(), reader)

    def close(self, row: int) -> tuple[int | None, int]:
        """Return a bar's close in ticks, and their scale."""
        tick = self.bars.closes.values[row]
        return None if tick is None else int(tick), self.bars.closes.scale

    def waiting(self, disputed: Sequence[bool]) -> Iterator[WaitingBar]:
        """Yield the bars as bars that wait."""
        bars, reader = self.bars.plain(), self.reader
        times: Sequence[int | None] = bars.timestamps_ns or [None] * bars.rows
        symbols = bars.symbols or [reader.symbol or ""] * bars.rows
        columns = zip(symbols, times, bars.closes.values, disputed, strict=True)
        for symbol, ns, tick, is_disputed in columns:
            of = bars.closes.scale, reader.path, reader.zoned, is_disputed
            yield WaitingBar(symbol, ns, tick, *of)


def held_again(waiting: Sequence[WaitingBar]) -> Iterator[tuple[Held, Sequence[WaitingBar]]]:
    """Yield the bars that an earlier run has left, those of each file together."""

    def of_file(bar: WaitingBar) -> tuple[object, ...]:
        return bar.file, bool(bar.symbol), bar.zoned is None, bar.zoned

    for _, group in groupby(sorted(waiting, key=of_file), of_file):
        bars = list(group)
        scale = max(bar.scale for bar in bars)
        ticks: list[int | None] = [
            None if b.close is None else b.close * 10 ** (scale - b.scale) for b in bars
        ]
        cells = ["" if tick is None else decimal_text(tick, scale) for tick in ticks]
        times = [bar.ns for bar in bars if bar.ns is not None]
        symbols = [bar.symbol for bar in bars] if bars[0].symbol else None
        batch = Batch(Ticks(ticks, scale), cells, times, range(1, len(bars) + 1), symbols)
        path = bars[0].file
        yield Held(batch, FormerFile(path, input_of(path).name, "bar", None, bars[0].zoned)), bars
