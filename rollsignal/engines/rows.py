"""This module says what is handed on about every bar: its close, rolling mean and signal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.bars.batch import Batch
from rollsignal.kernel import Decided, Last
from rollsignal.prices import decimal_text
from rollsignal.timestamps import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SignalRow(NamedTuple):
    """What was decided about one bar; None where there is no answer, symbol "" for one series."""

    ns: int | None
    symbol: str
    close: str | None
    mean: float | None
    signal: int | None


class ArrayRows(NamedTuple):
    """The same about many bars: closes and margins in ticks of 10^-scale, all of one length.

    `codes` are places in `symbols`, None where all rows are of the only one; `signed` tells which
    rows have a margin, hence a mean and a signal.
    """

    moments: "NDArray[np.int64] | None"
    symbols: Sequence[str]
    codes: "NDArray[np.int64] | None"
    closes: "NDArray[np.int64]"
    margins: "NDArray[np.int64]"
    signed: "NDArray[np.bool_]"
    scale: int


Rows = Sequence[SignalRow] | ArrayRows
Emit = Callable[[Rows], None]


def rows_of(symbol: str, batch: Batch, decided: Decided, window: int) -> list[SignalRow]:
    """Make the rows of one series' batch; a bar that was left out has no answers."""
    pairs = zip(decided.closes, decided.margins, strict=True)
    left_out = len(decided.closes) < len(batch.closes.values)
    rows = []
    for place, value in enumerate(batch.closes.values):
        close, margin = (None, None) if left_out and value is None else next(pairs)
        last = Last(close, margin, decided.scale, window)
        text = None if close is None else decimal_text(close, decided.scale)
        ns = None if batch.moments is None else to_ns(batch.moments[place])
        rows.append(SignalRow(ns, symbol, text, last.mean, last.signal))
    return rows
