"""This module defines decided bars, with their closes, margins and signals.

Decided bars are columns of one length, as lists of Python integers of any size or as int64 arrays.
A listener uses what both have in common, and need not know which it has.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import reduce
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.digest import (
    SymbolKeys,
    digest_arrays,
    digest_of_sums,
    digest_rows,
    plus,
    sums,
)
from rollsignal.core.kernel import NO_SIGNAL, Account, Carry, LastBar, Tally
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]

_EPOCH = date(1970, 1, 1)

# A symbol or a day, the number of its bars, and their digest.
Counted = tuple[str | None, int, int]


class PlainDecided(NamedTuple):
    """Decided bars of one file as lists of Python integers, closes and margins in 10^-scale.

    `codes` are indexes into `symbols`, None if all bars have its only symbol, which is "" for one
    series. `timestamps_ns` are None if they are not read: then `numbers` count the bars of each
    series, from 1. A close is None if it is missing, a margin if the bar has no signal.
    """

    file: str
    symbols: Sequence[str]
    codes: Sequence[int] | None
    timestamps_ns: Sequence[int] | None
    numbers: Sequence[int] | None
    closes: Sequence[int | None]
    margins: Sequence[int | None]
    scale: int

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.closes)

    @property
    def names(self) -> Sequence[str]:
        """Return the symbol of each bar."""
        if self.codes is None:
            return [self.symbols[0]] * self.rows
        return [self.symbols[code] for code in self.codes]

    @property
    def places(self) -> Sequence[int]:
        """Return the bars' places in their series: timestamps in ns, or numbers."""
        return self.timestamps_ns or self.numbers or ()

    @property
    def signals(self) -> list[int]:
        """Return the signals; `NO_SIGNAL` for a bar without one."""
        return [NO_SIGNAL if margin is None else int(margin > 0) for margin in self.margins]

    def joinable(self) -> None:
        """Return None: lists are not joined."""

    def _ns(self, row: int) -> int | None:
        return None if self.timestamps_ns is None else self.timestamps_ns[row]

    def signal_bytes(self) -> bytes:
        """Return the signals, one byte each."""
        return bytes(self.signals)

    def digest(self, keys: SymbolKeys) -> int:
        """Digest the bars."""
        if self.codes is None:
            return digest_rows(self.symbols[0], self.places, self.signals)
        return reduce(plus, (digest for _, _, digest in self.counted(keys, by_day=False)), 0)

    def counted(self, keys: SymbolKeys, *, by_day: bool) -> Iterator[Counted]:
        """Count and digest the bars of each symbol, or of each day in UTC and symbol."""
        groups: dict[tuple[str | None, str], list[int]] = {}
        for row, name in enumerate(self.names):
            value = _day(self._ns(row)) if by_day else name
            groups.setdefault((value, name), []).append(row)
        places, signals = self.places, self.signals
        for (value, name), rows in groups.items():
            of = [places[row] for row in rows], [signals[row] for row in rows]
            yield value, len(rows), digest_rows(name, *of)

    def within(self, since_ns: int | None, until_ns: int | None) -> "PlainDecided":
        """Return the bars of a range of time; raises `DataError` if they have no timestamps."""
        if self.timestamps_ns is None:
            raise _untimed()
        kept = [
            (since_ns is None or ns >= since_ns) and (until_ns is None or ns < until_ns)
            for ns in self.timestamps_ns
        ]
        return self._replace(
            codes=None if self.codes is None else list(compress(self.codes, kept)),
            timestamps_ns=list(compress(self.timestamps_ns, kept)),
            closes=list(compress(self.closes, kept)),
            margins=list(compress(self.margins, kept)),
        )

    def accounts(self, window: int, *, skips: bool) -> Iterator[tuple[str, Account]]:
        """Yield an account of each series' bars, without a carry.

        skips: whether bars without a close are left out, so that they cannot be the last bar.
        """
        rows_of: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            rows_of.setdefault(name, []).append(row)
        for name, rows in rows_of.items():
            closes = [self.closes[row] for row in rows]
            margins = [self.margins[row] for row in rows]
            decided = [margin for margin in margins if margin is not None]
            ones = sum(margin > 0 for margin in decided)
            tally = Tally(len(rows), closes.count(None), len(decided), ones, decided.count(0))
            bars = [pair for pair in zip(closes, margins, strict=True) if pair[0] is not None]
            pairs = bars if skips else list(zip(closes, margins, strict=True))
            last = LastBar(*pairs[-1], self.scale, window) if pairs else None
            yield name, Account(Carry(window), tally, last, self._ns(rows[0]), self._ns(rows[-1]))


class ArrayDecided(NamedTuple):
    """Decided bars of one file as int64 arrays; all of them have a close.

    The columns are those of `PlainDecided`, except that every bar has a number as its margin:
    `has_signal` marks the bars where it counts.
    """

    file: str
    symbols: Sequence[str]
    codes: "Int64s | None"
    timestamps_ns: "Int64s | None"
    numbers: "Int64s | None"
    closes: "Int64s"
    margins: "Int64s"
    has_signal: "NDArray[np.bool_]"
    scale: int

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.closes)

    @property
    def places(self) -> "Int64s":
        """Return the bars' places in their series: timestamps in ns, or numbers."""
        places = self.numbers if self.timestamps_ns is None else self.timestamps_ns
        assert places is not None, "bars without timestamps are numbered"
        return places

    @property
    def signals(self) -> "NDArray[np.int8]":
        """Return the signals; `NO_SIGNAL` for a bar without one."""
        import numpy as np

        signals = (self.margins > 0).astype(np.int8)
        signals[~self.has_signal] = NO_SIGNAL
        return signals

    @property
    def every_code(self) -> "Int64s":
        """Return the index of each bar's symbol in `symbols`, also if there is only one."""
        import numpy as np

        return np.zeros(self.rows, np.int64) if self.codes is None else self.codes

    def signal_bytes(self) -> bytes:
        """Return the signals, one byte each."""
        return self.signals.tobytes()

    def digest(self, keys: SymbolKeys) -> int:
        """Digest the bars."""
        return digest_arrays(self._keys(keys), self.places, self.signals, self.codes)

    def _keys(self, keys: SymbolKeys) -> "NDArray[np.uint64]":
        # `keys` are a panel's, whose list of symbols only grows. A file's symbol is not in it.
        return (SymbolKeys() if self.codes is None else keys).of(self.symbols)

    def counted(self, keys: SymbolKeys, *, by_day: bool) -> Iterator[Counted]:
        """Count and digest the bars of each symbol, or of each day in UTC."""
        import numpy as np

        codes = groups = self.every_code
        if by_day:
            times = self.timestamps_ns
            groups = np.zeros_like(codes) if times is None else times // DAY_NS
        order, begins, counts = _grouped(groups)
        signals, places = self.signals[order], self.places[order]
        columns = sums(self._keys(keys), places, signals, begins, codes[order])
        numbers = groups[order[begins]].tolist()
        for number, count, four in zip(numbers, counts.tolist(), columns.T, strict=True):
            day = _day(None if self.timestamps_ns is None else number * DAY_NS)
            yield day if by_day else self.symbols[number], count, digest_of_sums(four.tolist())

    def within(self, since_ns: int | None, until_ns: int | None) -> "ArrayDecided":
        """Return the bars of a range of time; raises `DataError` if they have no timestamps."""
        import numpy as np

        if self.timestamps_ns is None:
            raise _untimed()
        kept = np.ones(self.rows, np.bool_)
        if since_ns is not None:
            kept &= self.timestamps_ns >= since_ns
        if until_ns is not None:
            kept &= self.timestamps_ns < until_ns
        return self._replace(
            codes=None if self.codes is None else self.codes[kept],
            timestamps_ns=self.timestamps_ns[kept],
            closes=self.closes[kept],
            margins=self.margins[kept],
            has_signal=self.has_signal[kept],
        )

    def accounts(self, window: int, *, skips: bool) -> Iterator[tuple[str, Account]]:
        """Yield an account of each series' bars, without a carry; no bar is left out."""
        import numpy as np

        codes, times = self.every_code, self.timestamps_ns
        order, begins, _ = _grouped(codes)
        for rows in np.split(order, begins[1:]):
            decided, margins = self.has_signal[rows], self.margins[rows]
            facts = (decided, decided & (margins > 0), decided & (margins == 0))
            tally = Tally(len(rows), 0, *(int(np.count_nonzero(fact)) for fact in facts))
            margin = int(margins[-1]) if decided[-1] else None
            last = LastBar(int(self.closes[rows[-1]]), margin, self.scale, window)
            first_ns = None if times is None else int(times[rows[0]])
            last_ns = None if times is None else int(times[rows[-1]])
            name = self.symbols[codes[rows[0]]]
            yield name, Account(Carry(window), tally, last, first_ns, last_ns)

    def joinable(self) -> "ArrayDecided | None":
        """Return bars of one series, which may be joined to others; None for those of a panel."""
        return self if self.codes is None else None

    def continues(self, earlier: "ArrayDecided") -> bool:
        """Return whether joinable bars can be joined to earlier ones."""
        has_times = self.timestamps_ns is not None
        return self.scale == earlier.scale and has_times == (earlier.timestamps_ns is not None)


Decided = PlainDecided | ArrayDecided


def joined(parts: Sequence[ArrayDecided]) -> ArrayDecided:
    """Join parts, each of which `continues` the one before."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    timed = parts[0].timestamps_ns is not None
    return ArrayDecided(
        parts[0].file,
        [part.symbols[0] for part in parts],
        np.repeat(np.arange(len(parts)), [part.rows for part in parts]),
        np.concatenate([part.places for part in parts]) if timed else None,
        None if timed else np.concatenate([part.places for part in parts]),
        np.concatenate([part.closes for part in parts]),
        np.concatenate([part.margins for part in parts]),
        np.concatenate([part.has_signal for part in parts]),
        parts[0].scale,
    )


def _grouped(groups: "Int64s") -> "tuple[Int64s, Int64s, Int64s]":
    """Return an order that groups equal numbers, where each group begins, and its size."""
    import numpy as np

    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return order, begins, np.diff(np.append(begins, len(groups)))


def _day(ns: int | None) -> str | None:
    """Write the day of a time in UTC."""
    return None if ns is None else (_EPOCH + timedelta(days=ns // DAY_NS)).isoformat()


def _untimed() -> DataError:
    return DataError("A range of time needs timestamps, but there are none, or they are not read")
