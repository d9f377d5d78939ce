"""This module decides the signals of some bars a second time, slowly and by definition.

It shares no arithmetic with the job: closes are fractions of the text of their cells, read
carefully, and a window is summed anew for every bar.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from rollsignal.bars.batch import ArrayBatch, Batch, Reader
from rollsignal.config import JobConfig
from rollsignal.digest import NO_SIGNAL
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.rows import ArrayRows, Rows
from rollsignal.timestamps import to_ns


class Signals:
    """Keep the signal of every row that it hears, a byte each: 0, 1 or `NO_SIGNAL`."""

    def __init__(self) -> None:
        self.found = bytearray()

    def __call__(self, rows: Rows) -> None:
        """Take rows."""
        if isinstance(rows, ArrayRows):
            self.found += rows.signals.tobytes()
        else:
            self.found += bytes(NO_SIGNAL if row.signal is None else row.signal for row in rows)


class Bar(NamedTuple):
    """A bar as it is written."""

    ns: int | None
    symbol: str
    cell: str


class Compared(NamedTuple):
    """How many windows were decided again, and the bars whose signal is another."""

    windows: int
    wrong: list[str]


def compare(
    inputs: Inputs,
    signals: bytes | bytearray,
    rows: dict[str, int],
    windows: int,
    *,
    once_each: bool = False,
) -> Compared:
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
    return Compared(sum(map(len, drawn.values())), wrong)


def draw(rows: dict[str, int], windows: int, seed: int) -> dict[str, set[int]]:
    """Draw the numbers of bars, from 1, of every symbol; of a short one, all."""
    import numpy as np

    generator = np.random.default_rng(seed)
    drawn = {}
    for symbol in sorted(rows):
        chosen = generator.choice(rows[symbol], min(windows, rows[symbol]), replace=False)
        drawn[symbol] = {number + 1 for number in chosen.tolist()}
    return drawn


def bars(inputs: Inputs, *, once_each: bool = False) -> Iterator[Bar]:
    """Read all bars carefully, in the order in which the job reads them."""
    careful = inputs.carefully()
    places: dict[str, int] = {}
    for path in careful.paths if inputs.config.sort else careful.by_time():
        reached = places.copy()
        for bar in _bars_in(path, careful):
            if once_each and bar.ns is not None:
                if bar.ns <= reached.get(bar.symbol, bar.ns - 1):
                    continue
                places[bar.symbol] = bar.ns
            yield bar


def _bars_in(path: str, careful: Inputs) -> Iterator[Bar]:
    with careful.opened(path) as reader:
        for batch in reader.batches():
            plain = batch.plain() if isinstance(batch, ArrayBatch) else batch
            yield from _bars_of(plain, reader)


def _bars_of(batch: Batch, reader: Reader) -> Iterator[Bar]:
    for at, cell in enumerate(batch.cells):
        symbol = batch.symbols[at] if batch.symbols else reader.symbol or ""
        ns = None if batch.moments is None else to_ns(batch.moments[at])
        yield Bar(ns, symbol, cell)


def _ordered(found: Iterable[Bar], config: JobConfig) -> Iterable[Bar]:
    if not config.sort:
        return found
    # Sorting keeps the order of bars at the same time.
    return sorted(found, key=_ns)


def _ns(bar: Bar) -> int:
    assert bar.ns is not None, "bars that are sorted have timestamps"
    return bar.ns


def _signal(bar: Bar, last: "deque[Fraction | None]", config: JobConfig) -> int:
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
