"""This module continues a series from one piece of the bars to the next."""

from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.core.digest import SymbolKeys, digest_arrays
from rollsignal.core.edges import (
    Head,
    SeriesEdges,
    Terms,
    Unnumbered,
    head_of,
    packed_signals,
    unpacked_numbers,
    unpacked_signals,
)
from rollsignal.core.kernel import NO_SIGNAL, Account, Carry, LastBar, Tally, advance


class HeadDigests:
    """Digest the bars of heads again, with the signals that they turn out to have.

    All bars of a join are hashed at once, and the keys of symbols are kept for the next.
    """

    def __init__(self) -> None:
        self._keys = SymbolKeys()
        self._symbols: dict[str, int] = {}
        self._series: list[int] = []
        self._places: list[int] = []
        self._signals: list[int] = []

    def add(self, symbol: str, places: Sequence[int], signals: Sequence[int]) -> None:
        """Receive bars of a head: where they are, and their signals."""
        number = self._symbols.setdefault(symbol, len(self._symbols))
        self._series += [number] * len(places)
        self._places += places
        self._signals += signals

    def change(self) -> int:
        """Return by how much the bars received since the last call change the digest."""
        import numpy as np

        if not self._places:
            return 0
        keys = self._keys.of(list(self._symbols))
        places = np.array([place % 2**64 for place in self._places], np.uint64).view(np.int64)
        signals, series = np.array(self._signals, np.int8), np.array(self._series, np.int64)
        before = digest_arrays(keys, places, np.full_like(signals, NO_SIGNAL), series)
        after = digest_arrays(keys, places, signals, series)
        for column in (self._series, self._places, self._signals):
            column.clear()
        return (after - before) % 2**128


def continued(
    terms: Terms, symbol: str, former: SeriesEdges, later: SeriesEdges, digests: HeadDigests
) -> SeriesEdges:
    """Continue a series: decide the later piece's head again, with the carry of the earlier one.

    digests: receives the head, if its places are known.
    """
    margins, _ = advance(former.account.carry, later.head.ticks)
    places = unpacked_numbers(later.head.places)
    bars = _HeadBars(places, margins.closes, margins.margins, margins.scale)
    timed, most = later.account.last_ns is not None, terms.rules.window - 1
    counted = bars.within(terms) if timed else bars
    unnumbered = former.unnumbered
    if terms.digest and timed:
        digests.add(symbol, counted.places, counted.signals)
    elif terms.digest:
        unnumbered = bars.signalled(former.unnumbered, later.unnumbered)
    rows = 0 if timed else former.account.tally.rows
    return SeriesEdges(
        _joined_account(terms, former.account, later.account, bars),
        _joined_head(former.head, later.head, rows, most),
        _joined_in_span(terms, former, later, counted),
        unnumbered,
    )


class _HeadBars(NamedTuple):
    """The bars of a head, decided with the carry of the bars before them."""

    places: list[int]
    closes: list[int | None]
    margins: list[int | None]
    scale: int

    def within(self, terms: Terms) -> "_HeadBars":
        """Return the bars that count."""
        if terms.span is None:
            return self
        kept = [at for at, place in enumerate(self.places) if terms.counts(place)]
        return _HeadBars(
            [self.places[at] for at in kept],
            [self.closes[at] for at in kept],
            [self.margins[at] for at in kept],
            self.scale,
        )

    def tally(self) -> Tally:
        """Count what the bars have and had not when nothing came before them."""
        margins = [margin for margin in self.margins if margin is not None]
        ones = sum(margin > 0 for margin in margins)
        return Tally(signals=len(margins), ones=ones, ties=margins.count(0))

    @property
    def signals(self) -> list[int]:
        """Return the signals; `NO_SIGNAL` for a bar without one."""
        return [NO_SIGNAL if margin is None else int(margin > 0) for margin in self.margins]

    def signalled(self, earlier: Unnumbered, later: Unnumbered) -> Unnumbered:
        """Return the signals of both pieces, with those of the head."""
        signals = unpacked_signals(later)
        for number, signal in zip(self.places, self.signals, strict=True):
            signals[number - 1] = signal
        return packed_signals(bytes(unpacked_signals(earlier) + signals))


def _joined_account(terms: Terms, former: Account, later: Account, bars: _HeadBars) -> Account:
    tail = _tail_ticks(later.carry, former.carry)
    if terms.skips or not later.tally.missing:
        tail = _tail_ticks(former.carry, later.carry) + tail
    window, scale = terms.rules.window, max(former.carry.scale, later.carry.scale)
    return Account(
        Carry(window, scale, tuple(tail[max(0, len(tail) - window + 1) :])),
        former.tally.plus(later.tally).plus(bars.tally()),
        _joined_last(terms, former, later, bars) or former.last,
        later.first_ns if former.first_ns is None else former.first_ns,
        former.last_ns if later.last_ns is None else later.last_ns,
        later.last_file,
        later.zoned,
    )


def _joined_in_span(
    terms: Terms, former: SeriesEdges, later: SeriesEdges, bars: _HeadBars
) -> Account | None:
    if later.in_span is None:
        return former.in_span
    # The scale of the last bar is that of the series.
    carry = Carry(terms.rules.window, former.account.carry.scale)
    before = former.in_span._replace(carry=carry) if former.in_span else Account(carry)
    joined = _joined_account(terms, before, later.in_span, bars)
    return joined._replace(carry=Carry(terms.rules.window))


def _tail_ticks(carry: Carry, other: Carry) -> list[int]:
    """Return a carry's closes at the scale of both."""
    factor = 10 ** max(0, other.scale - carry.scale)
    return [close * factor for close in carry.tail]


def _joined_last(terms: Terms, former: Account, later: Account, bars: _HeadBars) -> LastBar | None:
    """Return the last bar of the later piece, with the margin that it has if it is in the head."""
    last, has_gap = later.last, later.tally.missing > 0 and not terms.skips
    if last is None:
        return None
    scale = max(former.carry.scale, last.scale)
    close, margin = (
        None if ticks is None else ticks * 10 ** (scale - last.scale)
        for ticks in (last.close, last.margin)
    )
    is_in_head = not has_gap and later.tally.rows - later.tally.missing == len(bars.margins)
    if is_in_head and bars.margins[-1] is not None:
        # A head has the least scale, so that of its margins is never greater.
        margin = bars.margins[-1] * 10 ** (scale - bars.scale)
    return LastBar(close, margin, scale, last.window)


def _joined_head(earlier: Head, later: Head, rows: int, most: int) -> Head:
    """Join two heads; `rows` is by how much the numbers of the later bars grow."""
    if not earlier.is_open:
        return earlier
    closes = unpacked_numbers(earlier.closes)
    places = unpacked_numbers(earlier.places)
    room, scale = most - len(closes), max(earlier.scale, later.scale)
    more = [place + rows for place in unpacked_numbers(later.places)]
    closes = [close * 10 ** (scale - earlier.scale) for close in closes]
    closes += [
        close * 10 ** (scale - later.scale) for close in unpacked_numbers(later.closes)[:room]
    ]
    is_open = later.is_open and len(more) < room
    return head_of(closes, scale, [*places, *more[:room]], is_open=is_open)
