"""This module decides the signals of some bars a second time, slowly and by definition.

It shares no arithmetic with the job: closes are fractions made from the text of their cells, as
the careful reader reads them, and the sum of a window is computed again for every bar.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import repeat
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.decisions import Decided
from rollsignal.core.kernel import NO_SIGNAL
from rollsignal.core.reader import Reader
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.repeats import KeptRows, kept_rows
from rollsignal.files.find import Input


class KeptSignals:
    """A listener that keeps the signal of every bar as a byte: 0, 1 or `NO_SIGNAL`."""

    def __init__(self) -> None:
        self.found = bytearray()

    def part(self) -> "_SampledPart":
        """Return a listener for the next part of the bars."""
        return _SampledPart()

    def add(self, ended: bytes) -> None:
        """Receive the signals of a part, in the order of the bars."""
        self.found += ended


class _SampledPart:
    def __init__(self) -> None:
        self._signals = bytearray()

    def take(self, bars: Decided) -> None:
        """Receive decided bars."""
        self._signals += bars.signal_bytes()

    def end(self) -> bytes:
        """Return the signals."""
        return bytes(self._signals)


class WrittenBar(NamedTuple):
    """A bar as it is written in its file; `cell` is the text of its close."""

    ns: int | None
    symbol: str
    cell: str


class SpotCheck(NamedTuple):
    """The number of windows that were decided again, and the bars with a wrong signal."""

    windows: int
    wrong: list[str]


def spot_check(
    inputs: Inputs,
    signals: bytes | bytearray,
    rows: dict[str, int],
    windows: int,
    *,
    once_each: bool = False,
) -> SpotCheck:
    """Decide `windows` windows of every symbol again, drawn with the seed of the config.

    signals: those of all rows, in order. rows: the number of rows of each symbol. once_each: skip
    bars of a file that files before it have. Raises `DataError`.
    """
    drawn = draw(rows, windows, inputs.config.seed)
    wrong: list[str] = []
    counts: dict[str, int] = {}
    closes: dict[str, deque[Fraction | None]] = {}
    read = _ordered(bars(inputs, once_each=once_each), inputs.config)
    if inputs.config.open_bars:
        read = _without_open(read, inputs.config.open_bars, once_each=once_each)
    for index, bar in enumerate(read):
        number = counts[bar.symbol] = counts.get(bar.symbol, 0) + 1
        window = closes.setdefault(bar.symbol, deque(maxlen=inputs.config.window))
        expected = _signal(bar, window, inputs.config)
        if number in drawn[bar.symbol] and signals[index] != expected:
            wrong.append(f"bar {number}" + (f" of {bar.symbol}" if bar.symbol else ""))
    return SpotCheck(sum(map(len, drawn.values())), wrong)


def draw(rows: dict[str, int], windows: int, seed: int) -> dict[str, set[int]]:
    """Draw bars of every symbol, as numbers from 1: all of them if there are at most `windows`."""
    import numpy as np

    generator = np.random.default_rng(seed)
    drawn = {}
    for symbol in sorted(rows):
        chosen = generator.choice(rows[symbol], min(windows, rows[symbol]), replace=False)
        drawn[symbol] = {number + 1 for number in chosen.tolist()}
    return drawn


def bars(inputs: Inputs, *, once_each: bool = False) -> Iterator[WrittenBar]:
    """Read all bars carefully, in the order in which the job reads them.

    once_each: skip bars that files before have. The newest bars of a file may be open, so a bar of
    a later file at their time stands for them.
    """
    careful, count = inputs.carefully(), inputs.config.open_bars
    newest: dict[str, list[int]] = {}
    is_sorted = inputs.config.sort
    files = careful.files if is_sorted else careful.by_time()
    kept = None if is_sorted else kept_rows(careful, files)
    for file in files:
        before = {symbol: times[0] for symbol, times in newest.items() if len(times) > count}
        for bar in _bars_in(file, careful, kept):
            if once_each and bar.ns is not None:
                if bar.ns <= before.get(bar.symbol, bar.ns - 1):
                    continue
                times = sorted({*newest.get(bar.symbol, ()), bar.ns})
                newest[bar.symbol] = times[-1 - count :]
            yield bar


def _without_open(
    read: Iterable[WrittenBar], count: int, *, once_each: bool
) -> Iterator[WrittenBar]:
    """Yield each bar when the bar comes that ends its waiting."""
    waiting: dict[str, list[WrittenBar]] = {}
    for bar in read:
        bars = waiting.setdefault(bar.symbol, [])
        if once_each and bar.ns is not None:
            bars[:] = sorted([*(each for each in bars if each.ns != bar.ns), bar], key=_ns)
        else:
            bars.append(bar)
        if len(bars) > count:
            yield bars.pop(0)


def _bars_in(file: Input, careful: Inputs, kept: KeptRows | None) -> Iterator[WrittenBar]:
    with careful.opened(file) as reader:
        for batch in reader.batches():
            left = kept.of(batch.plain(), reader) if kept else batch.plain()
            if left is not None:
                yield from _bars_of(left.plain(), reader)


def _bars_of(batch: Batch, reader: Reader) -> Iterator[WrittenBar]:
    times_ns = batch.timestamps_ns or repeat(None, batch.rows)
    symbols = batch.symbols or [reader.symbol or ""] * batch.rows
    yield from map(WrittenBar, times_ns, symbols, batch.cells)


def _ordered(read: Iterable[WrittenBar], config: JobConfig) -> Iterable[WrittenBar]:
    if not config.sort:
        return read
    # Sorting keeps the order of bars at the same time.
    return _without_repeats(sorted(read, key=_ns), config.duplicates)


def _without_repeats(read: list[WrittenBar], duplicates: str) -> Iterator[WrittenBar]:
    """Leave out sorted bars as the setting says."""
    above: dict[str, WrittenBar] = {}
    last = {(bar.ns, bar.symbol): index for index, bar in enumerate(read)}
    for index, bar in enumerate(read):
        before = above.get(bar.symbol)
        above[bar.symbol] = bar
        is_tied = before is not None and before.ns == bar.ns
        if duplicates == "same" and before and is_tied and _close(before.cell) == _close(bar.cell):
            continue
        if duplicates == "last" and last[bar.ns, bar.symbol] != index:
            continue
        yield bar


def _ns(bar: WrittenBar) -> int:
    assert bar.ns is not None, "bars that are sorted have timestamps"
    return bar.ns


def _signal(bar: WrittenBar, window: "deque[Fraction | None]", config: JobConfig) -> int:
    """Decide the signal of a bar; `window` has the closes before it and takes its own."""
    close = _close(bar.cell)
    if close is None and config.missing == "skip":
        return NO_SIGNAL
    window.append(close)
    present = [price for price in window if price is not None]
    if close is None or len(present) < config.window:
        return NO_SIGNAL
    return int(close > sum(present) / config.window)


def _close(cell: str) -> Fraction | None:
    """Read a cell that the careful reader accepted; None if it has no close."""
    try:
        return Fraction(cell.strip(" \t"))
    except ValueError:
        return None
