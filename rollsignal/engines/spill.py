"""This module sorts rows of one size by time in bounded memory: an external merge sort.

Rows are held until they fill the memory, and then written to disk in order, as a run. At the end
all runs are merged at once; reading ahead, each uses its share of the memory. All runs are in one
file without a name, which the system removes however the process ends.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from rollsignal.core.kernel import INT64_MAX
from rollsignal.errors import DiskError
from rollsignal.files.replace import close_quietly
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


FIELDS = [
    ("ns", "i8"),
    ("tick", "i8"),
    ("row", "i8"),
    ("code", "i8"),
    ("file", "i4"),
    ("scale", "i4"),
]
ROW_BYTES = 40
# For each row while runs are merged: its bytes and its timestamp, twice, and its sort index.
HELD_BYTES = 2 * (ROW_BYTES + 8) + 8
MERGED_ROWS = 1 << 13


class Spill:
    """Take rows in any order, and return them by `ns`; equal ones keep their order."""

    def __init__(self, memory_bytes: int) -> None:
        import numpy as np

        self._capacity = max(1, memory_bytes // HELD_BYTES)
        self._held = np.empty(self._capacity, FIELDS)
        self._count = 0
        self._runs: list[range] = []
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Discard the rows on disk."""
        if self._file:
            close_quietly(self._file)

    def add(self, columns: "dict[str, NDArray[np.int64] | int]", count: int) -> None:
        """Take `count` rows; a column is an array, or one number for all. Raises `DiskError`."""
        import numpy as np

        whole = {name: np.broadcast_to(column, count) for name, column in columns.items()}
        start = 0
        while start < count:
            if self._count == self._capacity:
                self._spill()
            size = min(count - start, self._capacity - self._count)
            for name, column in whole.items():
                self._held[name][self._count : self._count + size] = column[start : start + size]
            self._count += size
            start += size

    def batches(self, rows: int) -> "Iterator[NDArray[np.void]]":
        """Yield all rows in order, `rows` at once, and take no more; raises `DiskError`."""
        import numpy as np

        blocks = _in_order(self._held[: self._count])
        if self._runs:
            self._spill()
            self._held = np.empty(0, FIELDS)
            blocks = self._merged()
        return regrouped(blocks, rows)

    def _spill(self) -> None:
        with on_disk():
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  # open until `close`
            for block in _in_order(self._held[: self._count]):
                self._file.write(block.data)
            self._file.flush()
        begin = self._runs[-1].stop if self._runs else 0
        self._runs.append(range(begin, begin + self._count))
        self._count = 0

    def _merged(self) -> "Iterator[NDArray[np.void]]":
        """Yield, again and again, all rows that no unread row can come before."""
        assert self._file is not None
        runs = [_Run(self._file, rows) for rows in self._runs]
        ahead = max(1, self._capacity // len(runs))
        while runs:
            for run in runs:
                run.read_on(ahead)
            limits = [run.limit for run in runs]
            limit = min(limits)
            # Rows of later runs at the limit come after unread rows of this run.
            first = limits.index(limit)
            yield from _in_order(
                _joined([run.take(limit, index <= first) for index, run in enumerate(runs)])
            )
            runs = [run for run in runs if len(run.rows) or run.unread]


class _Run:
    """The rows of a run that are read ahead, and the row numbers in the file of those unread."""

    def __init__(self, file: IO[bytes], unread: range) -> None:
        import numpy as np

        self.unread = unread
        self.rows: NDArray[np.void] = np.empty(0, FIELDS)
        self._times = np.empty(0, np.int64)
        self._file = file

    @property
    def limit(self) -> int:
        """Return a time before which all rows are read."""
        return int(self._times[-1]) if self.unread else INT64_MAX

    def read_on(self, ahead: int) -> None:
        """Read until `ahead` rows are held, unless more than half of them already are."""
        import numpy as np

        if len(self.rows) > ahead // 2 or not self.unread:
            return
        size = ahead - len(self.rows)
        new, self.unread = self.unread[:size], self.unread[size:]
        with on_disk():
            self._file.seek(new.start * ROW_BYTES)
            block = np.frombuffer(self._file.read(len(new) * ROW_BYTES), FIELDS)
        self.rows = _joined([self.rows, block])
        self._times = self.rows["ns"].copy()

    def take(self, limit: int, included: bool) -> "NDArray[np.void]":
        """Remove and return the rows before a time, or also those at it."""
        size = int(self._times.searchsorted(limit, "right" if included else "left"))
        taken, self.rows = self.rows[:size], self.rows[size:]
        self._times = self._times[size:]
        return taken


@contextmanager
def on_disk(what: str = "Sorting on disk", row_bytes: int = ROW_BYTES) -> Iterator[None]:
    """Turn an `OSError` of a temporary file into an error that says what to do."""
    try:
        yield
    except OSError as problem:
        folder = tempfile.tempdir
        where = f"temporary files go to {shown_path(folder)}; " if isinstance(folder, str) else ""
        hint = f"{where}set TMPDIR to a folder with room for at least {row_bytes} bytes per row"
        raise DiskError(f"{what} failed: {problem.strerror}", hint) from problem


def _in_order(rows: "NDArray[np.void]") -> "Iterator[NDArray[np.void]]":
    """Yield rows in the order of time, block by block; equal ones keep their order."""
    import numpy as np

    order = np.argsort(rows["ns"], kind="stable")
    for start in range(0, len(rows), MERGED_ROWS):
        yield np.take(rows, order[start : start + MERGED_ROWS])


def regrouped(blocks: "Iterable[NDArray[np.void]]", size: int) -> "Iterator[NDArray[np.void]]":
    """Cut blocks again: `size` rows in each except the last."""
    kept: list[NDArray[np.void]] = []
    count = 0
    for block in blocks:
        kept.append(block)
        count += len(block)
        if count < size:
            continue
        whole = _joined(kept)
        for end in range(size, count + 1, size):
            yield whole[end - size : end]
        kept, count = [whole[count - count % size :]], count % size
    if count:
        yield _joined(kept)


def _joined(parts: "list[NDArray[np.void]]") -> "NDArray[np.void]":
    """Concatenate rows as bytes, because NumPy would copy them field by field."""
    import numpy as np

    return np.concatenate([part.view(f"V{ROW_BYTES}") for part in parts]).view(FIELDS)
