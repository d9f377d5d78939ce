"""This module says what is handed on about every bar: its close, rolling mean and signal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.bars.batch import Batch
from rollsignal.digest import NO_SIGNAL
from rollsignal.kernel import Decided, Last
from rollsignal.prices import decimal_text
from rollsignal.timestamps import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SignalRow(NamedTuple):
    """What was decided about one bar; None where there is no answer, symbol "" for one series.

    `number` counts the bars of its series, from 1; `last` is what was decided, if it was not left
    out.
    """

    ns: int | None
    symbol: str
    close: str | None
    mean: float | None
    signal: int | None
    number: int = 0
    last: Last | None = None

    @property
    def place(self) -> int:
        """Tell the bar's place in its series: its timestamp in ns, or its number."""
        return self.number if self.ns is None else self.ns


class ArrayRows(NamedTuple):
    """The same about many bars: closes and margins in ticks of 10^-scale, all of one length.

    `codes` are places in `symbols`, None where all rows are of the only one; `signed` tells which
    rows have a margin, hence a mean and a signal. `numbers` count the bars of each series, from 1;
    they are only there where timestamps are not.
    """

    moments: "NDArray[np.int64] | None"
    symbols: Sequence[str]
    codes: "NDArray[np.int64] | None"
    closes: "NDArray[np.int64]"
    margins: "NDArray[np.int64]"
    signed: "NDArray[np.bool_]"
    scale: int
    numbers: "NDArray[np.int64] | None" = None

    def continues(self, other: "ArrayRows") -> bool:
        """Tell whether these rows can be joined to others, each of one series."""
        return (
            self.codes is None
            and other.codes is None
            and self.scale == other.scale
            and (self.moments is None) == (other.moments is None)
        )

    @property
    def places(self) -> "NDArray[np.int64]":
        """Tell the bars' places in their series: timestamps in ns, or numbers."""
        found = self.numbers if self.moments is None else self.moments
        assert found is not None, "rows without timestamps are numbered"
        return found

    @property
    def signals(self) -> "NDArray[np.int8]":
        """Tell the signals, and `NO_SIGNAL` where there is none."""
        import numpy as np

        signals = (self.margins > 0).astype(np.int8)
        signals[~self.signed] = NO_SIGNAL
        return signals


def joined(parts: Sequence[ArrayRows]) -> ArrayRows:
    """Join rows of which each `continues` those before it."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    timed = parts[0].moments is not None
    return ArrayRows(
        np.concatenate([part.moments for part in parts]) if timed else None,
        [part.symbols[0] for part in parts],
        np.repeat(np.arange(len(parts)), [len(part.closes) for part in parts]),
        np.concatenate([part.closes for part in parts]),
        np.concatenate([part.margins for part in parts]),
        np.concatenate([part.signed for part in parts]),
        parts[0].scale,
        None if timed else np.concatenate([part.places for part in parts]),
    )


Rows = Sequence[SignalRow] | ArrayRows
Emit = Callable[[Rows], None]


def rows_of(
    symbol: str, batch: Batch, decided: Decided, window: int, before: int
) -> list[SignalRow]:
    """Make the rows of one series' batch; a bar that was left out has no answers.

    before: how many bars of the series came before.
    """
    pairs = zip(decided.closes, decided.margins, strict=True)
    left_out = len(decided.closes) < len(batch.closes.values)
    rows = []
    for place, value in enumerate(batch.closes.values):
        ns = None if batch.moments is None else to_ns(batch.moments[place])
        number = before + place + 1
        if left_out and value is None:
            rows.append(SignalRow(ns, symbol, None, None, None, number))
            continue
        last = Last(*next(pairs), decided.scale, window)
        text = None if last.close is None else decimal_text(last.close, decided.scale)
        rows.append(SignalRow(ns, symbol, text, last.mean, last.signal, number, last))
    return rows
