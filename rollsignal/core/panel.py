"""This module decides many series at once on arrays.

Rows of different series may be interleaved in any way. Memory grows with series times window,
not with rows.
"""

from typing import TYPE_CHECKING

from rollsignal.core.arrays import TickArray
from rollsignal.core.kernel import INT64_MAX, Carry, LastBar, Tally, greatest, margin_blocks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


MAX_KEPT = 1 << 27


class PanelError(Exception):
    """These rows need more than arrays: ticks beyond int64, or timestamps that do not rise."""


class Panel:
    """The carries and tallies of series that are numbered from 0, as arrays.

    `timed` is whether rows have timestamps, None before the first rows. `closes` and `margins` are
    those of each series' last bar; its margin only counts if `has_signal`.
    """

    timed: bool | None = None

    def __init__(self, window: int) -> None:
        import numpy as np

        self.window = window
        self.scale = 0
        self.tails = np.zeros((0, min(window - 1, MAX_KEPT)), np.int64)
        self.kept = np.zeros(0, np.int64)
        self.tallies = np.zeros((5, 0), np.int64)
        self.closes = np.zeros(0, np.int64)
        self.margins = np.zeros(0, np.int64)
        self.has_signal = np.zeros(0, np.int64)
        self.first_ns = np.zeros(0, np.int64)
        self.last_ns = np.zeros(0, np.int64)
        self.files = np.zeros(0, np.int64)

    def advance(
        self,
        codes: "NDArray[np.int64]",
        ticks: TickArray,
        timestamps_ns: "NDArray[np.int64] | None",
        file: int = 0,
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]":
        """Decide the next rows of a file: the series, close and timestamp in ns of each.

        Returns the order in which they were decided, and in this order each row's margin in ticks
        of 10^-`scale`, and whether it has one. Raises `PanelError` before anything is decided.
        """
        import numpy as np

        self._grow(int(codes.max()) + 1)
        closes = self._at_scale(ticks)
        narrow = codes.astype(np.uint16) if len(self.kept) < 1 << 16 else codes
        order = np.argsort(narrow, kind="stable")
        groups = _Groups(codes[order], self.kept, self.window)
        self._check_order(None if timestamps_ns is None else timestamps_ns[order], groups)
        laid = self._laid_out(closes[order], groups)
        margins, has_signal = self._margins(laid, groups)
        self._count(margins, has_signal, groups)
        self._keep(laid, groups)
        last = groups.begins_in_rows + groups.counts - 1
        self.files[groups.series] = file
        self.closes[groups.series] = closes[order[last]]
        self.margins[groups.series] = margins[last]
        self.has_signal[groups.series] = has_signal[last]
        return order, margins, has_signal

    def _check_order(self, timestamps_ns: "NDArray[np.int64] | None", groups: "_Groups") -> None:
        """Check that each series' timestamps rise, also from its last one before these."""
        if self.timed not in (None, timestamps_ns is not None):
            raise PanelError("timestamps in some files only")
        if timestamps_ns is not None:
            rises = timestamps_ns[1:] > timestamps_ns[:-1]
            rises[groups.begins_in_rows[1:] - 1] = True
            firsts = timestamps_ns[groups.begins_in_rows]
            has_rows = self.tallies[0, groups.series] > 0
            if not rises.all() or (has_rows & (firsts <= self.last_ns[groups.series])).any():
                raise PanelError("timestamps that do not rise")
            self.first_ns[groups.series[~has_rows]] = firsts[~has_rows]
            self.last_ns[groups.series] = timestamps_ns[groups.begins_in_rows + groups.counts - 1]
        self.timed = timestamps_ns is not None

    def enter(self, code: int, carry: Carry, tally: Tally, last: LastBar) -> None:
        """Add a series that was decided elsewhere; raises `PanelError` if arrays cannot hold it."""
        if last.close is None:
            raise PanelError("a last bar without a close")
        self._grow(code + 1)
        self._raise_scale(max(carry.scale, last.scale), 0)
        kept = [tick * 10 ** (self.scale - carry.scale) for tick in carry.tail]
        factor = 10 ** (self.scale - last.scale)
        facts = [last.close * factor, (last.margin or 0) * factor]
        if max(map(abs, [*kept, *facts])) * 2 * self.window > INT64_MAX:
            raise PanelError("ticks beyond int64")
        if kept:
            self.tails[code, -len(kept) :] = kept
        self.kept[code] = len(kept)
        self.tallies[:, code] = tally
        self.closes[code], self.margins[code] = facts
        self.has_signal[code] = last.margin is not None

    def numbers(self, codes: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Number the rows of each series from 1, for the codes decided last, in their order."""
        import numpy as np

        begins = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
        counts = np.diff(np.append(begins, len(codes)))
        before = self.tallies[0, codes[begins]] - counts
        return np.repeat(before + 1 - begins, counts) + np.arange(len(codes))

    def has(self, code: int) -> bool:
        """Return whether a series has rows."""
        return code < self.tallies.shape[1] and bool(self.tallies[0, code])

    def codes_with_rows(self) -> list[int]:
        """List the numbers of the series that have rows."""
        return [code for code, rows in enumerate(self.tallies[0].tolist()) if rows]

    def carry_of(self, code: int) -> Carry:
        """Return one series' carry."""
        tail = self.tails[code, self.window - 1 - self.kept[code] :].tolist()
        return Carry(self.window, self.scale, tuple(tail))

    def tally_of(self, code: int) -> Tally:
        """Return one series' tally."""
        return Tally(*self.tallies[:, code].tolist())

    def span_of(self, code: int) -> tuple[int | None, int | None]:
        """Return one series' first and last timestamp in ns, if timestamps are read."""
        if not self.timed:
            return None, None
        return int(self.first_ns[code]), int(self.last_ns[code])

    def last_of(self, code: int) -> LastBar:
        """Return one series' last bar."""
        margin = int(self.margins[code]) if self.has_signal[code] else None
        return LastBar(int(self.closes[code]), margin, self.scale, self.window)

    def _grow(self, count: int) -> None:
        import numpy as np

        more = count - len(self.kept)
        if more <= 0:
            return
        if count * self.window > MAX_KEPT:
            raise PanelError("windows too long to keep on arrays")
        self.tails = np.concatenate((self.tails, np.zeros((more, self.window - 1), np.int64)))
        for name in ("kept", "closes", "margins", "has_signal", "first_ns", "last_ns", "files"):
            setattr(self, name, np.concatenate((getattr(self, name), np.zeros(more, np.int64))))
        self.tallies = np.concatenate((self.tallies, np.zeros((5, more), np.int64)), axis=1)

    def _at_scale(self, ticks: TickArray) -> "NDArray[np.int64]":
        """Bring these ticks, and all kept ones, to one scale."""
        scale = max(self.scale, ticks.scale)
        factor = 10 ** (scale - ticks.scale)
        if factor > INT64_MAX:
            raise PanelError("ticks beyond int64")
        self._raise_scale(scale, greatest(ticks.values) * factor)
        return ticks.values * factor if factor > 1 else ticks.values

    def _raise_scale(self, scale: int, most: int) -> None:
        """Bring all kept ticks to a scale, if they and new ticks up to `most` fit int64."""
        factor = 10 ** max(0, scale - self.scale)
        kept = max(map(greatest, (self.tails.reshape(-1), self.closes))) * factor
        margins = greatest(self.margins) * factor
        if max(factor, 2 * self.window * max(kept, most), margins) > INT64_MAX:
            raise PanelError("ticks beyond int64")
        if factor > 1:
            self.tails *= factor
            self.closes *= factor
            self.margins *= factor
            self.scale = scale

    def _laid_out(self, closes: "NDArray[np.int64]", groups: "_Groups") -> "NDArray[np.int64]":
        """Concatenate each series' tail and new closes, series after series."""
        import numpy as np

        laid = np.empty(groups.size, np.int64)
        laid[groups.row_places] = closes
        at, rank = _series_runs(groups.begins, groups.have)
        column = np.repeat(self.window - 1 - groups.have, groups.have) + rank
        laid[at] = self.tails[np.repeat(groups.series, groups.have), column]
        return laid

    def _margins(
        self, laid: "NDArray[np.int64]", groups: "_Groups"
    ) -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
        """Return each new row's margin, and whether it has one: no window crosses series."""
        import numpy as np

        every = np.zeros(len(laid), np.int64)
        start = min(self.window - 1, len(laid))
        for block in margin_blocks(laid, self.window):
            every[start : start + len(block)] = block
            start += len(block)
        return every[groups.row_places], groups.row_ranks >= self.window - 1

    def _count(
        self, margins: "NDArray[np.int64]", has_signal: "NDArray[np.bool_]", groups: "_Groups"
    ) -> None:
        import numpy as np

        facts = (has_signal, has_signal & (margins > 0), has_signal & (margins == 0))
        self.tallies[0, groups.series] += groups.counts
        for row, fact in enumerate(facts, start=2):
            counts = np.add.reduceat(fact.view(np.int8), groups.begins_in_rows, dtype=np.int64)
            self.tallies[row, groups.series] += counts

    def _keep(self, laid: "NDArray[np.int64]", groups: "_Groups") -> None:
        """Keep at most the last `window - 1` closes of each series."""
        import numpy as np

        keep = np.minimum(groups.have + groups.counts, self.window - 1)
        at, rank = _series_runs(groups.begins + groups.have + groups.counts - keep, keep)
        column = np.repeat(self.window - 1 - keep, keep) + rank
        self.tails[np.repeat(groups.series, keep), column] = laid[at]
        self.kept[groups.series] = keep


class _Groups:
    """Rows sorted by series, and their indexes in an array with each series' tail before them."""

    def __init__(self, codes: "NDArray[np.int64]", kept: "NDArray[np.int64]", window: int) -> None:
        import numpy as np

        first = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        self.begins_in_rows = np.concatenate((np.zeros(1, np.int64), first))
        self.series = codes[self.begins_in_rows]
        self.counts = np.diff(np.append(self.begins_in_rows, len(codes)))
        self.have = kept[self.series]
        ends = np.cumsum(self.have + self.counts)
        self.size = int(ends[-1])
        self.begins = ends - self.have - self.counts
        self.row_places, ranks = _series_runs(self.begins + self.have, self.counts)
        self.row_ranks = ranks + np.repeat(self.have, self.counts)


def _series_runs(
    begins: "NDArray[np.int64]", counts: "NDArray[np.int64]"
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Count up from each begin: return the indexes of all runs, and each one's rank in its run."""
    import numpy as np

    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    ranks = np.arange(total) - np.repeat(before, counts)
    return np.repeat(begins, counts) + ranks, ranks
