"""This module writes signals to Parquet or Arrow IPC files while they are decided.

The types of the columns are those that the values so far need. When a value needs a wider type, the
file is ended and another one begun; such files are put together at the end. Most often there is
only one, which is the output.
"""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rollsignal.core.decisions import Decided
from rollsignal.files.replace import cannot_write, remove_quietly
from rollsignal.outputs.signals import forms
from rollsignal.outputs.signals.background import Background
from rollsignal.outputs.signals.column_types import column_types, fitted
from rollsignal.outputs.signals.forms import (
    canonical_groups,
    library_errors,
    scanned,
    sink,
    write_frame,
)
from rollsignal.outputs.signals.frames import frame_of, widths_of
from rollsignal.outputs.signals.held import HeldBars
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    import polars as pl

    from rollsignal.outputs.signals.column_types import Types


class SignalsTable:
    """A table of signals, in files whose names begin with `unfinished`; messages name `path`.

    partitioned: whether the table is one of many that are read together.
    """

    def __init__(
        self, path: str, unfinished: str, suffix: str, window: int, *, partitioned: bool
    ) -> None:
        self._path = path
        self._unfinished = unfinished
        self._suffix = suffix
        self._window = window
        self._partitioned = partitioned
        self._held = HeldBars(self._write_bars)
        self._names = 0
        self._sink: Background[pl.DataFrame] | None = None
        self._sink_file = ""
        self._start()

    def _start(self) -> None:
        self._widths = Widths()
        self._types = column_types(self._widths, partitioned=self._partitioned)
        self._files: list[str] = []
        self._wait([])

    def take(self, bars: Decided) -> None:
        """Write decided bars now or later; raises `DiskError`."""
        self._held.take(bars)

    def add(self, frame: "pl.DataFrame", widths: Widths) -> None:
        """Write rows that are already a table; raises `DiskError`."""
        self._held.flush()
        self._widen(widths)
        self._write(fitted(frame, self._types))

    def append(self, files: Sequence[str], widths: Widths) -> None:
        """Put the rows of other tables after those so far; raises `DiskError`."""
        self._held.flush()
        self._end_file()
        self._widen(widths)
        self._files += files

    def begin_again(self) -> None:
        """Discard what is written so far."""
        self.abandon()
        self._held.discard()
        self._start()

    def close(self) -> tuple[list[str], Widths]:
        """Write the rest; return the files and their widths. Raises `DiskError`."""
        self._held.flush()
        self._end_file()
        return self._files, self._widths

    def table(self) -> "pl.LazyFrame":
        """Return all rows after `close`, with their types."""
        import polars as pl

        tables = list(map(_scanned_again, self._files))
        return pl.concat(
            [
                fitted(table, self._types)
                for table in tables or [pl.LazyFrame(schema=_every_type(self._types))]
            ]
        )

    def file(self) -> str:
        """Return a file with all rows after `close`; raises `OSError` or `DiskError`."""
        import polars as pl

        if len(self._files) == 1 and self._files[0].endswith(self._suffix):
            types = _scanned_again(self._files[0]).collect_schema()
            if types == pl.Schema(_every_type(self._types)):
                return self._files[0]
        table, self._files = self.table(), []
        with library_errors():
            for frame in table.collect_batches(chunk_size=forms.GROUP_ROWS, maintain_order=True):
                self._write(frame)
        self._end_file()
        return self._files[0]

    def abandon(self) -> None:
        """Stop writing, and remove all files, without errors."""
        if self._sink:
            self._sink.abandon()
            self._sink = None
        for number in range(self._names):
            remove_quietly(self._name(number))
        for file in self._files:
            remove_quietly(file)

    def _write_bars(self, bars: Decided) -> None:
        self._widen(widths_of(bars, self._widths))
        self._write(frame_of(bars, self._window, self._types))

    def _widen(self, widths: Widths) -> None:
        """Choose types that also hold values of these widths."""
        self._widths = self._widths.joined(widths)
        types = column_types(self._widths, partitioned=self._partitioned)
        if types == self._types:
            return
        self._types = types
        if self._sink:
            self._end_file()
        self._wait([fitted(frame, types) for frame in self._waiting])

    def _write(self, frame: "pl.DataFrame") -> None:
        """Pass rows on; the first ones wait until they fill a group, which shows the types."""
        if self._sink:
            self._sink.put(frame)
            return
        self._wait([*self._waiting, frame])
        if self._waiting_rows >= forms.GROUP_ROWS:
            self._sink_file = self._next_name()
            to_file = partial(
                _sink_frames, file=self._sink_file, suffix=self._suffix, schema=frame.schema
            )
            self._sink = Background(self._path, to_file)
            for each in self._waiting:
                self._sink.put(each)
            self._wait([])

    def _wait(self, frames: "list[pl.DataFrame]") -> None:
        self._waiting = frames
        self._waiting_rows = sum(frame.height for frame in frames)

    def _end_file(self) -> None:
        """Write the rest to the file that was begun, or to another one."""
        import polars as pl

        if self._sink:
            sunk, self._sink = self._sink, None
            self._files.append(self._sink_file)
            sunk.close()
        elif self._waiting:
            rows = pl.concat(self._waiting)
            self._wait([])
            self._files.append(self._next_name())
            try:
                with library_errors():
                    write_frame(rows, self._suffix, self._files[-1])
            except OSError as problem:
                raise cannot_write(self._path, problem) from problem

    def _next_name(self) -> str:
        self._names += 1
        return self._name(self._names - 1)

    def _name(self, number: int) -> str:
        return f"{self._unfinished}.{number}{self._suffix}"


def _scanned_again(file: str) -> "pl.LazyFrame":
    """Scan a file of a table, whose name ends in its suffix."""
    return scanned(file, os.path.splitext(file)[1])


def _every_type(types: "Types") -> "Types":
    """Return the types of all columns, with these of timestamps and closes."""
    import polars as pl

    usual = {"symbol": pl.String(), "rolling_mean": pl.Float64(), "signal": pl.Int8()}
    return {name: (usual | dict(types))[name] for name in forms.HEADER}


def _sink_frames(
    frames: "Iterator[pl.DataFrame]", file: str, suffix: str, schema: "pl.Schema"
) -> None:
    """Write frames as they come; raises `OSError`."""
    from polars.io.plugins import register_io_source

    groups = canonical_groups(frames) if suffix == ".arrow" else frames
    with library_errors():
        sink(register_io_source(lambda *_: groups, schema=schema), suffix, file)
