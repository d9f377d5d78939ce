"""This module declares what engines need of the reader of a file."""

from collections.abc import Callable, Iterator
from typing import Protocol

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.bars import Batch
from rollsignal.core.quality import Finding
from rollsignal.errors import DataError

Bars = Batch | ArrayBatch


class Reader(Protocol):
    """What an engine needs of the reader of a file.

    `path` is the file's path, `name` its name in messages; `symbol` is that of the whole file, if
    it has one; `unit` is what a row is called: line or row. `zoned` is whether the timestamps read
    so far are known in UTC, as counts or with their zone; None if nothing tells it.
    """

    path: str
    name: str
    unit: str
    symbol: str | None

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps are known in UTC."""

    def describe(self) -> str:
        """Describe the format of the file and the columns that are read."""

    def batches(self) -> Iterator[Bars]:
        """Yield all bars; raises `DataError` for bars that cannot be trusted."""

    def bytes_read(self) -> int:
        """Return about how many bytes of the file are read."""

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a bar with a finding, such as one not later than the bar before."""


TakeBatch = Callable[[Bars, Reader], None]
