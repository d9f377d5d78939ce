"""This module decides the signals of some bars a second time, slowly and by definition.

It shares no arithmetic with the job: closes are fractions of the text of their cells, read
carefully, and a window is summed anew for every bar.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import repeat
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch, Reader
from rollsignal.core.decisions import Decided
from rollsignal.core.kernel import NO_SIGNAL
from rollsignal.engines.inputs import Inputs
from rollsignal.files.find import Input


class KeptSignals:
    """Keep the signal of every bar, a byte each: 0, 1 or `NO_SIGNAL`."""

    def __init__(self) -> None:
        self.found = bytearray()

    def part(self) -> "_SignalsPart":
        """Return what keeps the signals of the next part of the bars."""
        return _SignalsPart()

    def add(self, ended: bytes) -> None:
        """Receive the signals of a part, in the order of the bars."""
        self.found += ended


class _SignalsPart:
    def __init__(self) -> None:
        self._found = bytearray()

    def take(self, bars: Decided) -> None:
        """Receive decided bars."""
        self._found += bars.signal_bytes()

    def end(self) -> bytes:
        """Return the signals."""
        return bytes(self._found)


class WrittenBar(NamedTuple):
    """A bar as it is written."""

    ns: int | None
    symbol: str
    cell: str


class SpotCheck(NamedTuple):
    """How many windows were decided again, and the bars whose signal is another."""

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
    """Decide that many windows of every symbol again, drawn by the config's seed.

    signals: of all rows in their order. rows: how many each symbol has. once_each: leave out what
    a file repeats of those before it. Raises `DataError`.
    """
    drawn = draw(rows, windows, inputs.config.seed)
    wrong: list[str] = []
    seen: dict[str, int] = {}
    closes: dict[str, deque[Fraction | None]] = {}
    found = bars(inputs, once_each=once_each)
    for at, bar in enumerate(_ordered(found, inputs.config)):
        number = seen[bar.symbol] = seen.get(bar.symbol, 0) + 1
        last = closes.setdefault(bar.symbol, deque(maxlen=inputs.config.window))
        expected = _signal(bar, last, inputs.config)
        if number in drawn[bar.symbol] and signals[at] != expected:
            wrong.append(f"bar {number}" + (f" of {bar.symbol}" if bar.symbol else ""))
    return SpotCheck(sum(map(len, drawn.values())), wrong)


def draw(rows: dict[str, int], windows: int, seed: int) -> dict[str, set[int]]:
    """Draw the numbers of bars, from 1, of every symbol; of a short one, all."""
    import numpy as np

    generator = np.random.default_rng(seed)
    drawn = {}
    for symbol in sorted(rows):
        chosen = generator.choice(rows[symbol], min(windows, rows[symbol]), replace=False)
        drawn[symbol] = {number + 1 for number in chosen.tolist()}
    return drawn


def bars(inputs: Inputs, *, once_each: bool = False) -> Iterator[WrittenBar]:
    """Read all bars carefully, in the order in which the job reads them."""
    careful = inputs.carefully()
    places: dict[str, int] = {}
    for file in careful.files if inputs.config.sort else careful.by_time():
        reached = places.copy()
        for bar in _bars_in(file, careful):
            if once_each and bar.ns is not None:
                if bar.ns <= reached.get(bar.symbol, bar.ns - 1):
                    continue
                places[bar.symbol] = bar.ns
            yield bar


def _bars_in(file: Input, careful: Inputs) -> Iterator[WrittenBar]:
    with careful.opened(file) as reader:
        for batch in reader.batches():
            yield from _bars_of(batch.plain(), reader)


def _bars_of(batch: Batch, reader: Reader) -> Iterator[WrittenBar]:
    times_ns = batch.timestamps_ns or repeat(None, batch.rows)
    symbols = batch.symbols or [reader.symbol or ""] * batch.rows
    yield from map(WrittenBar, times_ns, symbols, batch.cells)


def _ordered(found: Iterable[WrittenBar], config: JobConfig) -> Iterable[WrittenBar]:
    if not config.sort:
        return found
    # Sorting keeps the order of bars at the same time.
    return sorted(found, key=_ns)


def _ns(bar: WrittenBar) -> int:
    assert bar.ns is not None, "bars that are sorted have timestamps"
    return bar.ns


def _signal(bar: WrittenBar, last: "deque[Fraction | None]", config: JobConfig) -> int:
    """Decide a bar's signal; `last` are the closes of its symbol so far, a window at most."""
    close = _close(bar.cell)
    if close is None and config.missing == "skip":
        return NO_SIGNAL
    last.append(close)
    known = [one for one in last if one is not None]
    if close is None or len(known) < config.window:
        return NO_SIGNAL
    return int(close > sum(known) / config.window)


def _close(cell: str) -> Fraction | None:
    """Read a cell that the careful reader has taken; None where it has no close."""
    try:
        return Fraction(cell.strip(" \t"))
    except ValueError:
        return None
