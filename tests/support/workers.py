"""Engines that decide small pieces, in this process or in workers started once for all tests."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress

from rollsignal.core.reader import Reader
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.engines.local import LocalEngine
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.pieces import PiecesEngine
from rollsignal.engines.runner import InProcess, Processes, Work
from rollsignal.engines.splits import (
    ReadWholeError,
    Split,
    may_be_cut,
    part_of,
    row_cuts,
    text_cuts,
)
from rollsignal.errors import JobError
from rollsignal.files.find import Input
from rollsignal.files.formats import COLUMNAR
from rollsignal.readers.opening import OpenedFile

# Bytes of the first block of a text and of the others, and rows of columnar files: cuts are there.
BLOCKS = 60, 150
ROWS = 4


class SmallReading(Reading):
    """Cut files that are much too small to be cut, and read them in small blocks."""

    def splits(self, files: Sequence[Input], bytes_each: int) -> Splits:
        return [split for file in files for split in self._cut(file, bytes_each)]

    def open(self, split: Split, first_row: int | None) -> AbstractContextManager[Reader]:
        return self._opened(split, first_row)

    @contextmanager
    def _opened(self, split: Split, first_row: int | None) -> Iterator[Reader]:
        with closing(
            OpenedFile(split.file, self.format, *BLOCKS, table=self.config.table)
        ) as opened:
            yield part_of(opened, split, self.config, first_row or 0)

    def _cut(self, file: Input, bytes_each: int) -> list[Split]:
        count, cuts = (file.size or 0) // bytes_each, list[int]()
        table = self.config.table
        if count > 1 and may_be_cut(self.config):
            whole = OpenedFile(file, self.format, *BLOCKS, table=table)
            # What cannot be read is one split.
            with suppress(JobError), closing(whole) as opened:
                if opened.format in COLUMNAR:
                    cuts = row_cuts(file.path, opened.format, count, ROWS)
                else:
                    cuts = text_cuts(opened, count)
        edges = zip([0, *cuts], [*cuts, None], strict=True)
        return [Split(file, number, *edge) for number, edge in enumerate(edges)]


class SmallInputs(Inputs):
    """Files that are read whole, in the same small blocks."""

    @contextmanager
    def opened_as_written(self, file: Input) -> Iterator[Reader]:
        with closing(OpenedFile(file, self._format, *BLOCKS, table=self.config.table)) as opened:
            yield part_of(opened, Split(file), self.config, 0)


class SmallLocalEngine(LocalEngine):
    """The local engine, which reads in the same small blocks, so it meets the same error first."""

    def inputs(self, task: Task) -> Inputs:
        return SmallInputs(task.inputs, task.config, task.format)


class CountingRunner(InProcess):
    """A runner in this process that keeps how many pieces each of its runs has."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        self.counts.append(count)
        return super().run(count, task)


class CountingProcesses(Processes):
    """A pool that keeps how many pieces each of its runs has."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.counts: list[int] = []

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        self.counts.append(count)
        return super().run(count, task)


class SmallPiecesEngine(PiecesEngine):
    """The engine of pieces, with small pieces; `counts` are those of its runner."""

    local = SmallLocalEngine()

    def __init__(
        self,
        runner: CountingRunner | CountingProcesses,
        piece_bytes: int,
        reading: type[SmallReading] = SmallReading,
    ) -> None:
        super().__init__(2, lambda: nullcontext(runner), piece_bytes, reading)
        self.counts = runner.counts


class WholeReading(SmallReading):
    """Read as if most files could not be read in splits, which is only seen at the end of one."""

    @contextmanager
    def _opened(self, split: Split, first_row: int | None) -> Iterator[Reader]:
        with super()._opened(split, first_row) as reader:
            yield reader
            if not split.is_whole and split.number == 1 and not split.file.path.endswith("/0.csv"):
                raise ReadWholeError


def engine_here(
    piece_bytes: int,
    runner: CountingRunner | None = None,
    reading: type[SmallReading] = SmallReading,
) -> Engine:
    """Make an engine that decides small pieces in this process."""
    return SmallPiecesEngine(runner or CountingRunner(), piece_bytes, reading)


def engine_on(workers: int, piece_bytes: int) -> Callable[[], Engine]:
    """Return a function that makes engines, all on the same processes."""
    pool = CountingProcesses(workers)
    atexit.register(pool.close)
    return lambda: SmallPiecesEngine(pool, piece_bytes)
