"""Decide files as a run does, without a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np

from rollsignal.config.request import Request
from rollsignal.config.settings import JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.decisions import ArrayDecided, Decided
from rollsignal.core.findings import Found
from rollsignal.core.listeners import Listener
from rollsignal.core.quality import Finding
from rollsignal.core.ticks import parse_closes
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.errors import DataError
from rollsignal.files.find import Input, input_of
from rollsignal.files.formats import Format
from rollsignal.messages import LogLevel, Tell
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.writer import Signals

# A report without any facts, for outputs that need none.
REPORT = RunReport(Request(), 0)


def ignore(level: LogLevel, text: str) -> None:
    """Ignore a message."""


def files(paths: Sequence[str | Path]) -> list[Input]:
    return [input_of(fspath(path)) for path in paths]


def inputs(paths: Sequence[str | Path], config: JobConfig, format: Format | None = None) -> Inputs:
    return Inputs(files(paths), config, format)


def decide(
    paths: Sequence[str | Path],
    config: JobConfig,
    tell: Tell = ignore,
    format: Format | None = None,
    listeners: Sequence[Listener[Any]] = (),
    engine: Callable[[], Engine] = ENGINES["local"],
) -> Found:
    """Decide files with an engine, that of a run unless another is given."""
    return engine().decide(Task(files(paths), config, format), listeners, tell)


class Kept:
    """A listener that keeps what it is given."""

    def __init__(self) -> None:
        self.bars: list[Decided] = []

    def part(self) -> Kept:
        return Kept()

    def take(self, bars: Decided) -> None:
        self.bars.append(bars)

    def end(self) -> list[Decided]:
        return self.bars

    def add(self, ended: list[Decided]) -> None:
        self.bars += ended


@contextmanager
def begun(signals: Signals) -> Iterator[Signals]:
    """Begin signals, and remove unfinished ones at the end."""
    try:
        signals.begin()
        yield signals
    finally:
        signals.abandon()


class FakeReader:
    """A reader of bars in memory, in the given batches."""

    path = name = "bars.csv"
    unit = "line"
    symbol: str | None = None
    zoned: bool | None = None

    def __init__(self, cells: Sequence[str], cuts: list[slice] | None = None) -> None:
        self.cells = cells
        self.cuts = [cut for cut in cuts or [slice(0, len(cells))] if cut.start < cut.stop]
        self.times_ns: Sequence[int] = []
        self.symbols: list[str] = []
        self.in_arrays = False

    def describe(self) -> str:
        return "memory"

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        lines = range(2, len(self.cells) + 2)
        for cut in self.cuts:
            closes = parse_closes(self.cells[cut])
            times_ns, symbols = self.times_ns[cut] or None, self.symbols[cut] or None
            batch = Batch(closes, self.cells[cut], times_ns, lines[cut], symbols)
            if self.in_arrays and None not in closes.values:
                ticks = TickArray(np.array(closes.values, np.int64), closes.scale)
                timestamps_ns = None if times_ns is None else np.array(times_ns, np.int64)
                yield ArrayBatch(ticks, timestamps_ns, None, partial(copy, batch))
            else:
                yield batch

    def bytes_read(self) -> int:
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        return DataError(f"{self.name} line {batch.lines[finding.place]}: {finding.what}")


def rows_of(
    ticks: list[int], scale: int, window: int = 1, sums: list[int] | None = None
) -> ArrayDecided:
    """Build rows of one series without timestamps, all with a signal."""
    closes = np.array(ticks, np.int64)
    margins = np.array(
        [window * tick - total for tick, total in zip(ticks, sums or ticks, strict=True)], np.int64
    )
    return ArrayDecided(
        "",
        [""],
        None,
        None,
        np.arange(len(ticks)) + 1,
        closes,
        margins,
        np.ones(len(ticks), np.bool_),
        scale,
    )
