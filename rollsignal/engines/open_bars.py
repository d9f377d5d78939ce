"""This module has the newest bars of every series wait until they have a successor.

A bar is passed on when the bar comes that ends its waiting, so the order of the bars depends
neither on the batches, nor on the files or nights in which they come. Where an earlier run or file
has left bars that wait, a later file may bring them again, with another close.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rollsignal.core.ledger import ONE_SERIES
from rollsignal.core.reader import Bars, Reader, TakeBatch
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.timestamps.reader import iso
from rollsignal.core.waiting import WaitingBar
from rollsignal.engines.held_bars import Held, held_again
from rollsignal.engines.held_rows import HeldBar, HeldRows, held_bars_of, held_rows_of
from rollsignal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rollsignal.core.bars import Places

    Int64s = NDArray[np.int64]
    Bools = NDArray[np.bool_]

NEVER = 2**63 - 1


class OpenBars:
    """Receive all bars, hold the last `count` of each series, and pass the others on.

    left: bars that an earlier run has left. replaces: whether a file may bring the bars again that
    wait when it begins. `unread` are those of them that were passed on as they were left.
    """

    def __init__(
        self, count: int, take: TakeBatch, left: Sequence[WaitingBar] = (), *, replaces: bool
    ) -> None:
        self._count = count
        self._pass_on = take
        self._replaces = replaces
        self.unread: list[WaitingBar] = []
        self._codes = SymbolCodes()
        self._sources = dict[int, Held]()
        self._next_source = 0
        self._held = held_rows_of([])
        for held, bars in held_again(left):
            self._hold_again(held, bars)
        self._held = self._held.at(np.argsort(self._held.times, kind="stable"))
        # Sources with lower numbers are what an earlier run has left.
        self._left = self._next_source
        # Those of them that are bars of the file that is read, written again since.
        self._rewritten: set[int] = set()

    def _hold_again(self, held: Held, bars: Sequence[WaitingBar]) -> None:
        """Hold bars that an earlier run has left."""
        source = self._add(held)
        rows = [
            HeldBar(self._code(bar.symbol), source, row, bar.ns or 0, True, bar.disputed)
            for row, bar in enumerate(bars)
        ]
        self._held = self._held.plus(held_rows_of(rows))

    def _add(self, held: Held) -> int:
        self._sources[self._next_source] = held
        self._next_source += 1
        return self._next_source - 1

    def begin(self, path: str, *, has_grown: bool) -> None:
        """Begin a file; has_grown: whether its bars that an earlier run has left stand in it."""
        own = [
            number
            for number, source in self._sources.items()
            if number < self._left and source.reader.path == path
        ]
        self._rewritten = set() if has_grown else set(own)
        is_own = np.isin(self._held.sources, own)
        self._held = self._held._replace(foreign=~is_own if has_grown else np.ones_like(is_own))

    def take(self, batch: Bars, reader: Reader) -> None:
        """Receive the next bars of the file."""
        source = self._add(Held(batch, reader))
        new, rest = self._new_rows(batch, reader, source), np.arange(batch.rows)
        ended, keys = held_rows_of([]), np.zeros(0, np.int64)
        if self._replaces and self._held.foreign.any():
            ended, keys, rest = self._merged(new)
        every = self._held.plus(new.at(rest))
        order = np.argsort(every.codes, kind="stable")
        ends = np.zeros(len(order), np.bool_)
        codes, enders = every.codes[order], order[self._count :]
        ends[: len(enders)] = codes[self._count :] == codes[: len(enders)]
        # What ends the waiting of a bar is always new, as no more than `count` bars of it wait.
        enders = enders[ends[: len(enders)]]
        keys = np.concatenate((keys, rest[enders - len(self._held.codes)]))
        ended = ended.plus(every.at(order[ends]))
        self._held = every.at(order[~ends])
        self._hand_on(ended.at(np.argsort(keys)), reader)
        self._detach(source)
        for number in set(ended.sources.tolist()) - set(self._held.sources.tolist()):
            self._sources.pop(number, None)

    def covers(self, batch: Bars, places: "Places", reader: Reader) -> None:
        """Receive bars of the file that are decided.

        If it was written again, the bars after them that it had are not there unless they come.
        """
        if not (self._rewritten and len(self._held.codes)):
            return
        codes = self._codes_of(batch, reader)[np.asarray(places, np.int64)]
        is_gone = np.isin(self._held.sources, list(self._rewritten))
        is_gone &= np.isin(self._held.codes, codes) & self._held.foreign
        self._held = self._held.at(~is_gone)

    def rest(self) -> Iterator[tuple[Bars, Reader]]:
        """Yield the bars that wait."""
        for held, _ in self._runs(self._waiting()):
            yield held

    def waiting(self) -> list[WaitingBar]:
        """Return the bars that wait."""
        return [
            bar
            for held, rows in self._runs(self._waiting())
            for bar in held.waiting(rows.disputed.tolist())
        ]

    def _waiting(self) -> HeldRows:
        """Return the bars that wait: the first of each series, then the second ones."""
        held = self._held
        order = np.argsort(held.codes, kind="stable")
        codes = held.codes[order]
        begins = np.flatnonzero(np.diff(codes, prepend=-1))
        ranks = np.empty_like(order)
        ranks[order] = np.arange(len(order)) - np.repeat(
            begins, np.diff(np.append(begins, len(order)))
        )
        return held.at(np.lexsort((held.rows, held.sources, ranks)))

    def _code(self, symbol: str | None) -> int:
        return self._codes.number(symbol or ONE_SERIES) + 1

    def _codes_of(self, batch: Bars, reader: Reader) -> "Int64s":
        """Return the number of each bar's series: 0 without a symbol."""
        codes = batch.codes_by(self._codes)
        if codes is None:
            return np.full(batch.rows, self._code(reader.symbol))
        return codes + 1

    def _new_rows(self, batch: Bars, reader: Reader, source: int) -> HeldRows:
        count = batch.rows
        times = np.zeros(count, np.int64)
        if self._replaces and batch.has_timestamps:
            try:
                times = np.array(batch.timestamps_ns, np.int64)
            except OverflowError:
                what = "A state cannot hold timestamps outside 1678 to 2261"
                raise DataError(what) from None
        no = np.zeros(count, np.bool_)
        sources = np.full(count, source)
        return HeldRows(self._codes_of(batch, reader), sources, np.arange(count), times, no, no)

    def _merged(self, new: HeldRows) -> "tuple[HeldRows, Int64s, Int64s]":
        """Put new bars among those of other files that wait, up to the first that follows them.

        Return the bars whose waiting they end, with the rows of those that end it, and the rows of
        the new bars that are left.
        """
        early, is_last = self._among_foreign(new)
        codes = np.unique(new.codes[early])
        is_touched = np.isin(self._held.codes, codes)
        series: dict[int, list[HeldBar]] = {code: [] for code in codes.tolist()}
        for bar in held_bars_of(self._held.at(is_touched)):
            series[bar.code].append(bar)
        ended, keys = list[HeldBar](), list[int]()
        for bar, place, ends in zip(held_bars_of(new.at(early)), early, is_last, strict=True):
            bars = series[bar.code]
            self._put(bar, bars)
            if len(bars) > self._count:
                ended.append(bars.pop(0))
                keys.append(int(place))
            if ends:
                bars[:] = [each._replace(foreign=False) for each in bars]
        touched = held_rows_of([bar for bars in series.values() for bar in bars])
        self._held = self._held.at(~is_touched).plus(touched)
        rest = np.delete(np.arange(len(new.codes)), early)
        return held_rows_of(ended), np.array(keys, np.int64), rest

    def _among_foreign(self, new: HeldRows) -> "tuple[Int64s, Bools]":
        """Return the rows of the new bars to be put among those of other files.

        Of each series these are the bars up to the first that is later; return which these are.
        """
        foreign = self._held.at(self._held.foreign)
        latest = np.full(len(self._codes.names) + 1, -NEVER - 1)
        np.maximum.at(latest, foreign.codes, foreign.times)
        limits = np.where(np.isin(np.arange(len(latest)), foreign.codes), NEVER, -1)
        later = np.flatnonzero((limits[new.codes] > 0) & (new.times > latest[new.codes]))
        codes, firsts = np.unique(new.codes[later], return_index=True)
        limits[codes] = later[firsts]
        rows = np.arange(len(new.codes))
        early = rows[rows <= limits[new.codes]]
        return early, early == limits[new.codes[early]]

    def _put(self, bar: HeldBar, bars: list[HeldBar]) -> None:
        """Put a bar of the file that is read among those of its series that wait."""
        own = [place for place, each in enumerate(bars) if not each.foreign]
        if own and bar.time <= bars[own[-1]].time:
            # It is out of order in its file, which the ledger reports.
            bars.append(bar)
            return
        bars[:] = [
            each
            for each in bars
            if not (each.foreign and each.source in self._rewritten and each.time >= bar.time)
        ]
        place = next((at for at, each in enumerate(bars) if each.time >= bar.time), len(bars))
        if place < len(bars) and bars[place].time == bar.time:
            bars[place] = bar._replace(disputed=self._is_disputed(bars[place], bar))
        else:
            bars.insert(place, bar)

    def _is_disputed(self, former: HeldBar, bar: HeldBar) -> bool:
        """Return whether two files of this run do not agree on a bar that was the last of one."""
        if former.source < self._left:
            return False
        (first, scale), (second, other) = self._close(former), self._close(bar)
        if first is None or second is None:
            return former.disputed or first is not second
        return former.disputed or first * 10**other != second * 10**scale

    def _close(self, bar: HeldBar) -> tuple[int | None, int]:
        return self._sources[bar.source].close(bar.row)

    def _hand_on(self, ended: HeldRows, reader: Reader) -> None:
        """Pass bars on in their order; raises `DataError` for one on which files disagree.

        If the file that ends the waiting of such a bar has the bar too, it was not the last there.
        """
        for held, rows in self._runs(ended):
            if rows.disputed.any() and held.reader.path != reader.path:
                bars = held.waiting(rows.disputed.tolist())
                raise _last_bars_disagree(next(bar for bar in bars if bar.disputed))
            if rows.sources[0] < self._left:
                self.unread += held.waiting(rows.disputed.tolist())
            self._pass_on(*held)

    def _runs(self, rows: HeldRows) -> Iterator[tuple[Held, HeldRows]]:
        """Yield neighbours from the same source together."""
        if not len(rows.codes):
            return
        cuts = np.flatnonzero(np.diff(rows.sources)) + 1
        for places in np.split(np.arange(len(rows.codes)), cuts):
            run = rows.at(places)
            yield self._sources[int(run.sources[0])].picked(run.rows), run

    def _detach(self, source: int) -> None:
        """Keep of a batch only the bars that wait."""
        is_new = self._held.sources == source
        batch = self._sources.pop(source)
        if is_new.any():
            self._sources[source] = batch.picked(self._held.rows[is_new]).detached()
            rows = self._held.rows.copy()
            rows[is_new] = np.arange(np.count_nonzero(is_new))
            self._held = self._held._replace(rows=rows)


def _last_bars_disagree(bar: WaitingBar) -> DataError:
    of = f" of {bar.symbol}" if bar.symbol else ""
    at = "" if bar.ns is None else f" from {iso(bar.ns)} on"
    return DataError(
        f"Input files disagree on bars that several of them have: 1 bar{of}{at}",
        "it is the last one of each, so none of them tells how it ended: leave out the wrong one",
    )
