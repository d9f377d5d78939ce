"""This module reads the bars of a file that stands newest first, from its last bar to its first.

The bars are read as they stand, and held until all are read: first in memory, then in a temporary
file without a name, which the system removes however the process ends.
"""

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from typing import IO, cast

from rollsignal.core.bars import Batch
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.spill import on_disk
from rollsignal.errors import DataError
from rollsignal.files.replace import close_quietly

# Held in memory: about 10 MB of arrays, or 60 MB of plain bars.
STACK_ROWS = 1 << 18
# A plain bar takes about as much on disk.
STORED_BYTES = 64

_NEEDS_TIMES = "name the column in the config (columns: {timestamp: NAME}), or leave out order"
_OLDEST_FIRST = "set order: oldest_first if all files stand so, or sort: true in place of order"


class NewestFirstReader:
    """Read the bars of another reader from the last to the first."""

    def __init__(self, reader: Reader) -> None:
        self.path = reader.path
        self.name = reader.name
        self.unit = reader.unit
        self.symbol = reader.symbol
        self.describe = reader.describe
        self.bytes_read = reader.bytes_read
        self._reader = reader
        self._firsts: list[int] = []

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps are known in UTC."""
        return self._reader.zoned

    def batches(self) -> Iterator[Bars]:
        """Yield all bars; raises `DataError` for bars that cannot be trusted."""
        with closing(BatchStack()) as stored:
            for batch in self._reader.batches():
                self._refuse_oldest_first(batch)
                stored.push(batch.backwards())
            yield from stored.popped()

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a finding about a bar; the bar before it stands below it."""
        check = "newest_first" if finding.check == "order" else finding.check
        what = finding.what
        if finding.check in ("order", "duplicates"):
            what = what.replace("in the previous row", "in the row below")
        return self._reader.order_problem(batch, finding._replace(check=check, what=what))

    def _refuse_oldest_first(self, batch: Bars) -> None:
        """Refuse a file of one series whose first two bars stand the other way.

        The checks of the bars find all else, but not before everything is read.
        """
        if not batch.has_timestamps:
            what = "no timestamps, which must show that the bars stand newest first"
            raise DataError(f"{self.name}: {what}", _NEEDS_TIMES)
        if len(self._firsts) > 1 or batch.symbols is not None:
            return
        stamps, index = batch.timestamps_ns, 1 - len(self._firsts)
        assert stamps is not None
        self._firsts += map(int, stamps[: index + 1])
        first, second = self._firsts[0], self._firsts[-1]
        if first < second:
            where = f"{self.name} {self.unit} {batch.line_of(index)}"
            what = f"the timestamp {iso(second)} is later than {iso(first)} above it"
            raise DataError(f"{where}: {what}, but order is newest_first ({_OLDEST_FIRST})")


class BatchStack:
    """Take batches, and return them from the last to the first, in bounded memory."""

    def __init__(self, held_rows: int = STACK_ROWS) -> None:
        self._held_rows = held_rows
        self._held: list[Bars] = []
        self._rows = 0
        self._ends = [0]
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Discard the batches on disk."""
        if self._file:
            close_quietly(self._file)

    def push(self, batch: Bars) -> None:
        """Take a batch; raises `DiskError`."""
        if self._rows > self._held_rows:
            self._spill()
        self._held.append(batch)
        self._rows += batch.rows

    def popped(self) -> Iterator[Bars]:
        """Yield all batches from the last to the first; raises `DiskError`."""
        while self._held:
            yield self._held.pop()
        while len(self._ends) > 1:
            end = self._ends.pop()
            assert self._file is not None
            with _on_disk():
                self._file.seek(self._ends[-1])
                data = self._file.read(end - self._ends[-1])
            yield cast(Bars, pickle.loads(data))

    def _spill(self) -> None:
        with _on_disk():
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  # open until `close`
            for batch in self._held:
                data = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
                self._file.write(data)
                self._ends.append(self._ends[-1] + len(data))
            self._file.flush()
        self._held.clear()
        self._rows = 0


def _on_disk() -> AbstractContextManager[None]:
    return on_disk("Reversing a file on disk", STORED_BYTES)
