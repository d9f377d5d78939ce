"""This module puts bars in the order of time, exactly, whatever their closes, in bounded memory.

Every bar becomes a row of one size. A close that is no int64 stands aside, as text, and its row
holds the place.
"""

import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from rollsignal.core.arrays import TickArray
from rollsignal.core.kernel import INT64_MAX, greatest
from rollsignal.core.ticks import Ticks
from rollsignal.engines.spill import Spill, on_disk
from rollsignal.errors import BadCellError
from rollsignal.files.replace import close_quietly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


INT64 = range(-(2**63), 2**63)
MEMORY_BYTES = 64 << 20
# In the place of a scale: there is no close, or it stands aside, in the place that the tick says.
MISSING, ASIDE = -1, -2


class SortedBars(NamedTuple):
    """Bars in the order of time, as arrays of one length.

    Of each bar the series, the timestamp in ns since 1970 UTC, the close, the file and its line
    or row there. `codes` is None for one series. `ticks` are the closes, with 0 for a missing one;
    None where one needs more than int64. `missing` is None if every close is there.
    """

    codes: "NDArray[np.int64] | None"
    timestamps_ns: "NDArray[np.int64]"
    closes: TickArray | Ticks
    ticks: TickArray | None
    missing: "NDArray[np.bool_] | None"
    files: "NDArray[np.int64]"
    rows: "NDArray[np.int64]"


class BarSorter:
    """Take bars in any order and give them back by time; those of one time as they came.

    memory_bytes: about what is held beside the bars of one batch; what is more goes to disk, into
    unnamed files in TMPDIR. Every method raises `DiskError` where that fails.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._runs = Spill(memory_bytes)
        self._aside = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # open until the sorter is left
            max_size=max(1, memory_bytes // 8)
        )
        self._aside_end = 0
        self._coded = False

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
        """Take the next bars of a file: their series, timestamps in ns, closes and numbers."""
        ticks, scales = self._stored(closes)
        columns = {"ns": timestamps_ns, "tick": ticks, "scale": scales, "file": file, "row": rows}
        self._runs.add(columns | {"code": 0 if codes is None else codes}, len(timestamps_ns))
        self._coded |= codes is not None

    def batches(self, rows: int = 1 << 17) -> Iterator[SortedBars]:
        """Yield all bars in order, so many at once; add none after that."""
        for batch in self._runs.batches(rows):
            missing = batch["scale"] == MISSING
            ticks = _at_one_scale(batch)
            yield SortedBars(
                batch["code"].copy() if self._coded else None,
                batch["ns"].copy(),
                ticks or self._plain(batch),
                ticks,
                missing if missing.any() else None,
                batch["file"].astype("i8"),
                batch["row"].copy(),
            )

    def _stored(
        self, closes: TickArray | Ticks
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64] | int]":
        """Return a number and a scale for each close; put aside what is no int64."""
        import numpy as np

        try:
            return np.asarray(closes.values, np.int64), closes.scale
        except (TypeError, OverflowError):
            ticks, scales = np.array(self._put_aside(closes), np.int64).T
            return ticks, scales

    def _put_aside(self, closes: TickArray | Ticks) -> list[tuple[int, int]]:
        found, lines = [], []
        for tick in closes.values:
            if tick is None:
                found.append((0, MISSING))
            elif tick in INT64:
                found.append((tick, closes.scale))
            else:
                found.append((self._aside_end, ASIDE))
                lines.append(b"%x %d\n" % (tick, closes.scale))
                self._aside_end += len(lines[-1])
        with on_disk():
            self._aside.write(b"".join(lines))
        return found

    def _plain(self, batch: "NDArray[np.void]") -> Ticks:
        """Bring closes of any size to the finest of their scales."""
        ticks, scales = batch["tick"].tolist(), batch["scale"].tolist()
        aside = self._fetched(batch["tick"][batch["scale"] == ASIDE].tolist())
        found = [
            aside[tick] if scale == ASIDE else (tick, scale)
            for tick, scale in zip(ticks, scales, strict=True)
        ]
        finest = max(scale for _, scale in found)
        values = [
            None if scale == MISSING else tick * 10 ** (finest - scale) for tick, scale in found
        ]
        return Ticks(values, finest)

    def _fetched(self, places: list[int]) -> dict[int, tuple[int, int]]:
        """Read closes that stand aside, in the order of their places, which is faster."""
        found = {}
        with on_disk():
            for place in sorted(places):
                self._aside.seek(place)
                tick, scale = self._aside.readline().split()
                found[place] = int(tick, 16), int(scale)
        return found


def int64_times(timestamps_ns: "Sequence[int] | NDArray[np.int64]") -> "NDArray[np.int64]":
    """Convert timestamps to what a sorter takes; raises `BadCellError` for one that is too far."""
    import numpy as np

    try:
        return np.asarray(timestamps_ns, np.int64)
    except OverflowError:
        place = next(place for place, ns in enumerate(timestamps_ns) if ns not in INT64)
        raise BadCellError(
            "not within the years 1678 to 2261, as sort: true requires", place
        ) from None


def _at_one_scale(batch: "NDArray[np.void]") -> TickArray | None:
    """Bring closes to the finest of their scales, where all of them fit int64 then."""
    import numpy as np

    ticks, scales = batch["tick"].copy(), batch["scale"]
    if int(scales.min()) == ASIDE:
        return None
    finest = max(0, int(scales.max()))
    for scale in np.unique(scales[scales < finest]).tolist():
        own = scales == scale
        factor = 10 ** (finest - scale)
        if greatest(ticks[own]) * factor > INT64_MAX:
            return None
        # A factor beyond int64 is that of zeros.
        ticks[own] *= min(factor, INT64_MAX)
    return TickArray(ticks, finest)
