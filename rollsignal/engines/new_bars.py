"""This module passes on only the bars that are new to their series."""

from functools import partial
from typing import TYPE_CHECKING

from rollsignal.core.ledger import Ledger
from rollsignal.core.listeners import Take
from rollsignal.core.reader import Bars, Reader, TakeBatch
from rollsignal.engines.interface import Seen

if TYPE_CHECKING:
    from rollsignal.core.bars import Places
    from rollsignal.engines.open_bars import OpenBars

BEFORE_ALL = -(2**63)


class NewBars:
    """Split the bars of a file: new ones go to the ledger, old ones to `take_old`, undecided.

    Old bars are those that are not later than their series was when the file began. open_bars: has
    new bars wait before they go to the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        seen: Seen,
        take_old: Take | None,
        open_bars: "OpenBars | None" = None,
    ) -> None:
        self._ledger = ledger
        self._seen = seen
        self._take_old = take_old
        self._open_bars = open_bars
        self._take_new: TakeBatch = open_bars.take if open_bars else ledger.take
        self._rows = 0
        self._reached: dict[str, int] = {}

    def take(self, batch: Bars, reader: Reader) -> None:
        """Receive the next batch of the file."""
        begin = min(batch.rows, max(0, self._seen.left_out - self._rows))
        new, old = self._parted(batch, begin, reader)
        if len(old) and self._take_old:
            self._take_old(batch.picked(old).undecided(reader.path, reader.symbol or ""))
        if len(old) and self._open_bars:
            self._open_bars.covers(batch, old, reader)
        if len(new):
            self._take_new(batch if len(new) == batch.rows else batch.picked(new), reader)
        self._rows += batch.rows

    def _parted(self, batch: Bars, begin: int, reader: Reader) -> "tuple[Places, Places]":
        if begin == batch.rows:
            return (), ()
        if batch.has_timestamps:
            return batch.parted(begin, partial(self._reached_by, reader), reader.symbol or "")
        bound = min(batch.rows, max(begin, self._seen.old - self._rows))
        return range(bound, batch.rows), range(begin, bound)

    def _reached_by(self, reader: Reader, symbol: str) -> int:
        """Return the last timestamp of a series before the file; raises `DataError`."""
        # The first call for a series comes before the ledger takes any of its bars from the file.
        if symbol not in self._reached:
            self._ledger.check_times(symbol, reader)
            reached = self._ledger.last_ns(symbol)
            self._reached[symbol] = BEFORE_ALL if reached is None else reached
        return self._reached[symbol]
