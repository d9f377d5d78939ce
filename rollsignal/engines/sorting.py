"""This module sorts bars by time in bounded memory, with exact closes of any size.

Every bar becomes a row of one size. A close that does not fit int64 is kept aside in a file, as
text, and its row has the offset there.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Self

from rollsignal.core.arrays import TickArray
from rollsignal.core.kernel import INT64_MAX, greatest
from rollsignal.core.ticks import Ticks
from rollsignal.engines.sorted_repeats import SortedRepeats
from rollsignal.engines.spill import Spill, on_disk, regrouped
from rollsignal.errors import BadCellError
from rollsignal.files.replace import close_quietly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


INT64 = range(-(2**63), 2**63)
MEMORY_BYTES = 64 << 20
# Instead of a scale: the close is missing, or it is kept aside, at the offset in its tick.
MISSING, ASIDE = -1, -2


class SortedBars(NamedTuple):
    """Bars in the order of time, as arrays of one length.

    Each bar has a series, a timestamp in ns since 1970 UTC, a close, a file and its line or row
    there. `codes` is None for one series. `ticks` are the closes, with 0 for a missing one; None if
    any needs more than int64. `missing` is None if no close is missing.
    """

    codes: "NDArray[np.int64] | None"
    timestamps_ns: "NDArray[np.int64]"
    closes: TickArray | Ticks
    ticks: TickArray | None
    missing: "NDArray[np.bool_] | None"
    files: "NDArray[np.int64]"
    rows: "NDArray[np.int64]"


class BarSorter:
    """Take bars in any order, and return them by time; bars of the same time keep their order.

    memory_bytes: about how much is held in memory besides the bars of one batch; the rest goes to
    disk, into unnamed files in TMPDIR. Every method raises `DiskError` if that fails. duplicates:
    which rows of a series at one time are returned: all for keep.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, duplicates: str = "keep") -> None:
        self._runs = Spill(memory_bytes)
        self._aside = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # open until the sorter is left
            max_size=max(1, memory_bytes // 8)
        )
        self._aside_end = 0
        self._coded = False
        self._repeats: SortedRepeats | None = None
        if duplicates != "keep":
            self._repeats = SortedRepeats(duplicates == "last", self._canonical)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._runs.close()
        close_quietly(self._aside)

    def add(
        self,
        codes: "NDArray[np.int64] | None",
        timestamps_ns: "NDArray[np.int64]",
        closes: TickArray | Ticks,
        file: int,
        rows: "NDArray[np.int64]",
    ) -> None:
        """Take the next bars of a file: their series, timestamps in ns, closes, lines or rows."""
        ticks, scales = self._stored(closes)
        columns = {"ns": timestamps_ns, "tick": ticks, "scale": scales, "file": file, "row": rows}
        self._runs.add(columns | {"code": 0 if codes is None else codes}, len(timestamps_ns))
        self._coded |= codes is not None

    @property
    def dropped(self) -> int:
        """Count the rows left out so far."""
        return self._repeats.dropped if self._repeats else 0

    def batches(self, rows: int = 1 << 17) -> Iterator[SortedBars]:
        """Yield all bars in order, `rows` at once; no bars may be added after that."""
        blocks = self._runs.batches(rows)
        if self._repeats:
            blocks = regrouped(self._repeats.left(blocks), rows)
        for batch in blocks:
            yield bars_of_rows(batch, self._plain, is_coded=self._coded)

    def _stored(
        self, closes: TickArray | Ticks
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64] | int]":
        """Return a number and a scale for each close; put aside what does not fit int64."""
        import numpy as np

        try:
            return np.asarray(closes.values, np.int64), closes.scale
        except (TypeError, OverflowError):
            ticks, scales = np.array(self._put_aside(closes), np.int64).T
            return ticks, scales

    def _put_aside(self, closes: TickArray | Ticks) -> list[tuple[int, int]]:
        stored, lines = [], []
        for tick in closes.values:
            if tick is None:
                stored.append((0, MISSING))
            elif tick in INT64:
                stored.append((tick, closes.scale))
            else:
                stored.append((self._aside_end, ASIDE))
                lines.append(b"%x %d\n" % (tick, closes.scale))
                self._aside_end += len(lines[-1])
        with on_disk():
            self._aside.write(b"".join(lines))
        return stored

    def _canonical(self, batch: "NDArray[np.void]") -> list[object]:
        """Return closes so that equal ones compare equal, whatever their scales."""
        return comparable(self._plain(batch)) if len(batch) else []

    def _plain(self, batch: "NDArray[np.void]") -> Ticks:
        aside = self._fetched(batch["tick"][batch["scale"] == ASIDE].tolist())
        return plain_closes(batch["tick"], batch["scale"], aside)

    def _fetched(self, offsets: list[int]) -> dict[int, tuple[int, int]]:
        """Read the closes that are kept aside, in the order of their offsets, which is faster."""
        closes = {}
        with on_disk():
            for offset in sorted(offsets):
                self._aside.seek(offset)
                tick, scale = self._aside.readline().split()
                closes[offset] = int(tick, 16), int(scale)
        return closes


def int64_times(timestamps_ns: "Sequence[int] | NDArray[np.int64]") -> "NDArray[np.int64]":
    """Convert timestamps to int64; raises `BadCellError` for one that does not fit."""
    import numpy as np

    try:
        return np.asarray(timestamps_ns, np.int64)
    except OverflowError:
        index = next(index for index, ns in enumerate(timestamps_ns) if ns not in INT64)
        raise BadCellError(
            "not within the years 1678 to 2261, as sort: true requires", index
        ) from None


def bars_of_rows(
    rows: "NDArray[np.void]", plain: "Callable[[NDArray[np.void]], Ticks]", *, is_coded: bool
) -> SortedBars:
    """Return the bars of stored rows.

    plain: returns closes of any size. is_coded: whether the bars have symbols.
    """
    missing = rows["scale"] == MISSING
    ticks = closes_at_one_scale(rows["tick"], rows["scale"])
    return SortedBars(
        rows["code"].copy() if is_coded else None,
        rows["ns"].copy(),
        ticks or plain(rows),
        ticks,
        missing if missing.any() else None,
        rows["file"].astype("i8"),
        rows["row"].copy(),
    )


def plain_closes(
    ticks: "NDArray[np.int64]", scales: "NDArray[np.int64]", aside: Mapping[int, tuple[int, int]]
) -> Ticks:
    """Bring closes of any size to the finest of their scales.

    aside: ticks and scale of those that are kept aside, by the number that stands for their ticks.
    """
    pairs = [
        aside[tick] if scale == ASIDE else (tick, scale)
        for tick, scale in zip(ticks.tolist(), scales.tolist(), strict=True)
    ]
    finest = max(scale for _, scale in pairs)
    values = [None if scale == MISSING else tick * 10 ** (finest - scale) for tick, scale in pairs]
    return Ticks(values, finest)


def comparable(closes: Ticks) -> list[object]:
    """Return closes so that equal ones compare equal, whatever their scales."""
    unit = 10**closes.scale
    return [None if tick is None else Fraction(tick, unit) for tick in closes.values]


def closes_at_one_scale(
    ticks: "NDArray[np.int64]", scales: "NDArray[np.int64]"
) -> TickArray | None:
    """Bring closes to the finest of their scales, if all of them fit int64 there."""
    import numpy as np

    ticks = ticks.copy()
    if int(scales.min()) == ASIDE:
        return None
    finest = max(0, int(scales.max()))
    for scale in np.unique(scales[scales < finest]).tolist():
        own = scales == scale
        factor = 10 ** (finest - scale)
        if greatest(ticks[own]) * factor > INT64_MAX:
            return None
        # A factor beyond int64 only occurs if all these ticks are 0.
        ticks[own] *= min(factor, INT64_MAX)
    return TickArray(ticks, finest)
