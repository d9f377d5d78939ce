"""This module looks at the first rows of files with the careful readers, and decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from rollsignal.config.reading import config_of
from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.findings import tell_nobody
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Bars, Reader
from rollsignal.engines.inputs import ALL_BYTES, Inputs, reader_of
from rollsignal.engines.interface import Task
from rollsignal.engines.local import PlainEngine
from rollsignal.errors import DataError
from rollsignal.files.find import Input
from rollsignal.files.formats import Format
from rollsignal.readers.blocks import text_of
from rollsignal.readers.opening import OpenedFile

FIRST_BLOCK_BYTES = 1 << 16
# How many bars of each file are kept.
KEPT_ROWS = 2_000
# A window of one bar is never longer than a table.
LOOKED_SETTINGS = {"seed": 42, "window": 1, "version": "v1"}


class LookedBar(NamedTuple):
    """A bar as it was read: its time, symbol and close, and the close as it is written.

    `ns` is None without a time; `tick` counts 10^-`scale`, and is None if the close is missing.
    """

    ns: int | None
    symbol: str | None
    tick: int | None
    scale: int
    cell: str


class Look(NamedTuple):
    """What the first rows of some files were read as.

    `parts` are the first bars of each file in the order of its rows, `descriptions` those of the
    files by their paths. rows: how many were read. is_whole: whether there are no further ones.
    zoned: whether all times are known in UTC.
    """

    parts: list[list[LookedBar]]
    descriptions: Mapping[str, str]
    rows: int = 0
    is_whole: bool = True
    zoned: bool = True

    @property
    def in_file(self) -> list[LookedBar]:
        """Return all bars in the order of their rows."""
        return [bar for part in self.parts for bar in part]

    @property
    def bars(self) -> list[LookedBar]:
        """Return all bars, in the order of time if all have one."""
        bars = self.in_file
        if any(bar.ns is None for bar in bars):
            return bars
        return sorted(bars, key=lambda bar: bar.ns or 0)


def look(files: Sequence[Input], settings: Mapping[str, object], rows: int) -> Look:
    """Read the first rows of each file with some settings, and check them as a run does.

    settings: by their dotted names, as JSON values; those that are required may be left out.
    Raises `DataError` for bars that a run refuses, `ConfigError` for wrong settings.
    """
    return look_with(files, config_of({**LOOKED_SETTINGS, **settings}), rows)


def look_with(files: Sequence[Input], config: JobConfig, rows: int) -> Look:
    """Read the first rows of each file with a config, as `look` does."""
    config = config._replace(window=1)
    inputs = _FirstRows(files, config, rows=rows)
    engine = _LookingEngine(inputs)
    found = engine.decide(Task(files, config), [], tell_nobody)
    readers = list(inputs.readers.values())
    parts = [reader.bars for reader in readers]
    descriptions = {path: file.description for path, file in found.files.items()}
    return Look(
        parts,
        descriptions,
        rows=found.tally.rows,
        is_whole=all(reader.is_whole for reader in readers),
        zoned=all(reader.was_zoned for reader in readers),
    )


def first_lines(file: Input) -> list[str]:
    """Return the first lines of a file, as far as they are read at once; [] if that fails."""
    try:
        with closing(OpenedFile(file)) as opened:
            return text_of(opened.beginning)[0].splitlines()
    except DataError:
        return []


class _FirstReader:
    """A reader of the first rows of a file, which keeps the first bars."""

    def __init__(self, reader: Reader, rows: int) -> None:
        self.path, self.name, self.unit = reader.path, reader.name, reader.unit
        self.symbol = reader.symbol
        self.bars: list[LookedBar] = []
        self.is_whole = False
        self.was_zoned = True
        self._reader = reader
        self._rows = rows

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps are known in UTC."""
        return self._reader.zoned

    def describe(self) -> str:
        """Describe the format of the file and the columns that are read."""
        return self._reader.describe()

    def bytes_read(self) -> int:
        """Return about how many bytes of the file are read."""
        return self._reader.bytes_read()

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a bar with a finding."""
        return self._reader.order_problem(batch, finding)

    def batches(self) -> Iterator[Bars]:
        """Yield the first bars."""
        room = self._rows
        for bars in self._reader.batches():
            batch = bars.plain()
            if batch.rows > room:
                batch = batch.picked(range(room))
            self._keep(batch)
            yield batch
            room -= batch.rows
            if not room:
                return
        self.is_whole = True

    def _keep(self, batch: Batch) -> None:
        times: Sequence[int | None] = batch.timestamps_ns or [None] * batch.rows
        symbols: Sequence[str | None] = batch.symbols or [self.symbol] * batch.rows
        ticks, scale = batch.closes
        self.was_zoned = self._reader.zoned is not False
        for ns, symbol, tick, cell in zip(times, symbols, ticks, batch.cells, strict=True):
            if len(self.bars) < KEPT_ROWS:
                self.bars.append(LookedBar(ns, symbol, tick, scale, cell))


class _FirstRows(Inputs):
    """Files of which only the first rows are read; `readers` are the last ones, by path."""

    def __init__(
        self,
        files: Sequence[Input],
        config: JobConfig,
        format: Format | None = None,
        *,
        rows: int,
    ) -> None:
        super().__init__(files, config, format, careful=True)
        self.readers: dict[str, _FirstReader] = {}
        self._rows = rows

    @contextmanager
    def opened_as_written(self, file: Input) -> Iterator[Reader]:
        """Open a file as `Inputs` does."""
        small = OpenedFile(file, block_bytes=FIRST_BLOCK_BYTES, table=self.config.table)
        with closing(small) as opened:
            # It is put behind those that were read before.
            self.readers.pop(file.path, None)
            reader = _FirstReader(reader_of(opened, self.config, ALL_BYTES), self._rows)
            self.readers[file.path] = reader
            yield reader


class _LookingEngine(PlainEngine):
    """The engine that reads the first rows."""

    name = "first rows"

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def inputs(self, task: Task) -> Inputs:
        """Return the files, and how they are read."""
        return self._inputs
