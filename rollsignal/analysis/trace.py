"""This module finds one bar of a series, the bars of its window, and all closes before it.

The bars are read twice: first to find the bar, then to keep its window as it is written. So memory
holds only the closes of one series, as doubles.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import SeriesBars
from rollsignal.core.kernel import Carry, LastBar, advance
from rollsignal.core.ledger import Ledger, have_symbols
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import asked_ns, iso
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.repeats import kept_rows
from rollsignal.errors import UsageError
from rollsignal.messages import did_you_mean, shown, shown_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


SHOWN_SYMBOLS = 20
_ROW = re.compile(r"row:([1-9][0-9]{0,17})")


class Wanted(NamedTuple):
    """The bar to find: by its timestamp in ns, or by its number in its series, from 1."""

    ns: int | None
    number: int | None
    symbol: str

    def __str__(self) -> str:
        suffix = f" of {shown(self.symbol)}" if self.symbol else ""
        return f"row {self.number}{suffix}" if self.ns is None else f"bar at {iso(self.ns)}{suffix}"


class TracedBar(NamedTuple):
    """A bar as it is read: its close as written and in ticks of 10^-scale, None if missing."""

    file: str
    unit: str
    line: int
    ns: int | None
    cell: str
    tick: int | None
    scale: int


class Trace(NamedTuple):
    """A bar, its number in its series, and the bars of its window, with itself as the last.

    `doubles` are all closes of the series up to it, each the nearest double, NaN if missing. waits:
    whether it is among the newest bars, which a run does not decide.
    """

    symbol: str
    number: int
    window: int
    bars: list[TracedBar]
    doubles: "NDArray[np.float64]"
    waits: bool = False

    @property
    def closes(self) -> Ticks:
        """Return the closes of the window in one scale."""
        scale = max(bar.scale for bar in self.bars)
        factors = [10 ** (scale - bar.scale) for bar in self.bars]
        pairs = zip(self.bars, factors, strict=True)
        return Ticks([bar.tick and bar.tick * factor for bar, factor in pairs], scale)

    @property
    def last(self) -> LastBar:
        """Decide the bar from its window alone."""
        last = advance(Carry(self.window), self.closes)[0].last(self.window)
        assert last is not None, "the window has at least the bar itself"
        return last._replace(margin=None) if self.waits else last

    @property
    def reason(self) -> str | None:
        """Return why the bar has no signal, None if it has one."""
        if self.waits:
            return "it waits for later bars (open_bars)"
        if self.bars[-1].tick is None:
            return "its close is missing"
        if len(self.bars) < self.window:
            return "warm-up"
        missing = any(bar.tick is None for bar in self.bars)
        return "a close in its window is missing" if missing else None


def wanted(at: str, symbol: str | None) -> Wanted:
    """Read `row:N`, or a timestamp as it may be written in a table; raises `UsageError`.

    >>> wanted("2024-01-31", None)
    Wanted(ns=1706659200000000000, number=None, symbol='')
    """
    row = _ROW.fullmatch(at)
    if row:
        return Wanted(None, int(row[1]), symbol or "")
    hint = "write 2024-01-31T09:30:00, or row:120 for the 120th bar"
    return Wanted(asked_ns("--at", at, hint), None, symbol or "")


def trace(inputs: Inputs, bar: Wanted, ledger: Ledger) -> Trace:
    """Find a bar and its window.

    ledger: receives all bars up to this one, so that the checks are the same as in a run. Raises
    `UsageError` if the bar does not exist, `DataError` as a run does.
    """
    search, waiting = _Search(bar, inputs.config), inputs.config.open_bars
    for batch, reader in _batches(inputs):
        if search.later is None:
            ledger.take(batch, reader)
            _check_symbol(bar, batch, reader, ledger)
        search.take(batch, reader)
        if search.later is not None and search.later >= waiting:
            break
    if search.later is None:
        raise UsageError(search.nearest(ledger))
    return _gathered(inputs, bar.symbol, search)._replace(waits=search.later < waiting)


def _check_symbol(bar: Wanted, batch: Bars, reader: Reader, ledger: Ledger) -> None:
    """Raise `UsageError` for a symbol of bars without, or none for bars with symbols."""
    has_symbols = have_symbols(batch, reader)
    if has_symbols and not bar.symbol:
        raise UsageError("the bars have symbols: name one with --symbol", _examples(ledger))
    if bar.symbol and not has_symbols:
        hint = "leave it out, or name the column of symbols in the config under columns"
        raise UsageError(f"--symbol is given, but {reader.name} has no symbols", hint)


def _batches(inputs: Inputs) -> Iterator[tuple[Bars, Reader]]:
    kept = kept_rows(inputs, inputs.files)
    for file in inputs.files:
        with inputs.opened(file) as reader:
            for batch in reader.batches():
                left = kept.of(batch, reader) if kept else batch
                if left is not None:
                    yield left, reader


def _examples(ledger: Ledger) -> str:
    ledger.close_panel()
    more = ", …" if len(ledger.accounts) > SHOWN_SYMBOLS else ""
    return "for example " + ", ".join(map(shown_path, list(ledger.accounts)[:SHOWN_SYMBOLS])) + more


class _Search:
    """A search for a bar and for the bars of its window; `rows` are their numbers, once found.

    later: how many bars of the series come after the bar, None until it is found.
    """

    def __init__(self, bar: Wanted, config: JobConfig) -> None:
        import numpy as np

        self.rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self.later: int | None = None
        self._bar = bar
        self._config = config
        self._read = 0
        self._before: tuple[int, str] | None = None
        self._after: tuple[int, str] | None = None

    def take(self, batch: Bars, reader: Reader) -> None:
        """Search a batch, or count what comes later; raises `UsageError` without timestamps."""
        import numpy as np

        part = batch.of_series(self._bar.symbol, reader.symbol or "")
        if self.later is not None:
            self.later += len(part.places)
            return
        if not len(part.places):
            return
        hit = self._hit(part, batch, reader)
        numbers = self._read + 1 + np.arange(len(part.places) if hit is None else hit + 1)
        self._read += len(part.places)
        kept = numbers
        if self._config.missing == "skip":
            kept = numbers[~np.isnan(part.doubles[: len(numbers)])]
        rows = np.concatenate((self.rows, kept))
        self.rows = rows[-self._config.window :]
        if hit is not None and (not len(kept) or kept[-1] != numbers[-1]):
            # A bar without a close is skipped, so no window ends with it.
            self.rows = numbers[-1:]
        if hit is not None:
            self.later = len(part.places) - hit - 1

    def _hit(self, part: SeriesBars, batch: Bars, reader: Reader) -> int | None:
        """Return the index of the bar in a part; without it, note the bars nearest to its time."""
        if self._bar.ns is None:
            index = (self._bar.number or 0) - self._read - 1
            return index if index < len(part.places) else None
        if part.timestamps_ns is None:
            hint = "name its column in the config under columns, or ask for row:N"
            raise UsageError(f"{reader.name} has no timestamps to find a bar by", hint)
        hits = (part.timestamps_ns == self._bar.ns).nonzero()[0]
        if len(hits):
            return int(hits[0])
        self._note_nearest(part.timestamps_ns, part, batch, reader)
        return None

    def _note_nearest(
        self, times_ns: "NDArray[Any]", part: SeriesBars, batch: Bars, reader: Reader
    ) -> None:
        earlier = (times_ns < self._bar.ns).nonzero()[0]
        later = (times_ns > self._bar.ns).nonzero()[0]

        def time_and_place(index: int) -> tuple[int, str]:
            line = batch.line_of(int(part.places[index]))
            return int(times_ns[index]), f"{reader.name} {reader.unit} {line}"

        if len(earlier):
            bar = time_and_place(int(earlier[times_ns[earlier].argmax()]))
            self._before = max(bar, self._before or bar)
        if len(later):
            bar = time_and_place(int(later[times_ns[later].argmin()]))
            self._after = min(bar, self._after or bar)

    def nearest(self, ledger: Ledger) -> str:
        """Return a message that the bar does not exist, with what exists instead."""
        symbol = self._bar.symbol
        if not self._read:
            ledger.close_panel()
            hint = did_you_mean(symbol, sorted(ledger.accounts)[:SHOWN_SYMBOLS])
            return f"no bars of {shown(symbol)} ({hint})" if symbol else "no bars at all"
        if self._bar.ns is None:
            return f"no {self._bar}: there are {self._read:,}"
        sides = (("before", self._before), ("after", self._after))
        near = [f"{iso(bar[0])} ({bar[1]}) {side} it" for side, bar in sides if bar]
        return f"no {self._bar}; there is {' and '.join(near)}"


def _gathered(inputs: Inputs, symbol: str, search: _Search) -> Trace:
    """Read again, and keep the closes up to the bar and the bars of its window."""
    import numpy as np

    doubles = array("d")
    bars: list[TracedBar] = []
    last, read = int(search.rows[-1]), 0
    for batch, reader in _batches(inputs):
        part = batch.of_series(symbol, reader.symbol or "")
        numbers = read + 1 + np.arange(len(part.places))
        read += len(part.places)
        kept = numbers <= last
        if inputs.config.missing == "skip":
            kept &= ~np.isnan(part.doubles)
        doubles.frombytes(part.doubles[kept].tobytes())
        bars += _traced_bars(batch, reader, part.places[np.isin(numbers, search.rows)].tolist())
        if read >= last:
            break
    return Trace(symbol, last, inputs.config.window, bars, np.frombuffer(doubles))


def _traced_bars(batch: Bars, reader: Reader, places: Sequence[int]) -> list[TracedBar]:
    if not places:
        return []
    plain, times_ns = batch.plain(), batch.plain().timestamps_ns
    return [
        TracedBar(
            reader.name,
            reader.unit,
            plain.lines[place],
            None if times_ns is None else times_ns[place],
            plain.cells[place],
            plain.closes.values[place],
            plain.closes.scale,
        )
        for place in places
    ]
