"""This module takes the bars of one series out of a batch, as arrays."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.arrays import float_means
from rollsignal.bars.batch import ArrayBatch, Batch, Coded, Reader
from rollsignal.bars.header import BLANKS
from rollsignal.timestamps import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Part(NamedTuple):
    """Bars of one series: their places in their batch, times in ns since 1970 UTC, and closes.

    `doubles` are the doubles nearest to the closes, NaN for a missing one.
    """

    places: "NDArray[np.int64]"
    moments: "NDArray[Any] | None"
    doubles: "NDArray[np.float64]"


def part_of(batch: Batch | ArrayBatch, reader: Reader, symbol: str) -> Part:
    """Take the bars of `symbol`, which is "" where there is only one series."""
    if isinstance(batch, ArrayBatch):
        return _of_arrays(batch, reader, symbol)
    return _of_plain(batch, reader, symbol)


def line_of(batch: Batch | ArrayBatch, place: int) -> int:
    """Tell the line or row of the bar at a place."""
    return batch.row + place if isinstance(batch, ArrayBatch) else batch.lines[place]


def _of_arrays(batch: ArrayBatch, reader: Reader, symbol: str) -> Part:
    import numpy as np
    import polars as pl

    symbols = batch.symbols
    if symbols is None:
        places = np.arange(batch.rows if (reader.symbol or "") == symbol else 0)
    elif isinstance(symbols, Coded):
        names = [name.strip(BLANKS) for name in symbols.names]
        wanted = [code for code, name in enumerate(names) if name == symbol]
        places = np.isin(symbols.codes, wanted).nonzero()[0]
    else:
        found = symbols.cast(pl.String).str.strip_chars(BLANKS) == symbol
        places = found.to_numpy().nonzero()[0]
    moments = None if batch.moments is None else batch.moments[places]
    return Part(places, moments, float_means(batch.ticks.values[places], 1, batch.ticks.scale))


def _of_plain(batch: Batch, reader: Reader, symbol: str) -> Part:
    import numpy as np

    if batch.symbols is None:
        found = list(range(batch.rows if (reader.symbol or "") == symbol else 0))
    else:
        found = [place for place, name in enumerate(batch.symbols) if name == symbol]
    unit = 10**batch.closes.scale
    ticks = [batch.closes.values[place] for place in found]
    doubles = [np.nan if tick is None else tick / unit for tick in ticks]
    moments = None
    if batch.moments is not None:
        # As Python numbers, because they may be beyond 64 bits.
        moments = np.array([to_ns(batch.moments[place]) for place in found], object)
    return Part(np.array(found, np.int64), moments, np.array(doubles, np.float64))
