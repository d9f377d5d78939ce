"""This module writes signals as text while they are decided: a row of CSV for every bar.

The rows are in the order in which the bars were read, in one canonical format, so that equal bars
give equal bytes, whatever files they came from.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rollsignal.core.decisions import Decided
from rollsignal.errors import OutputError
from rollsignal.files.find import path_of_characters
from rollsignal.files.replace import cannot_write, close_quietly, remove_quietly
from rollsignal.outputs.signals import held
from rollsignal.outputs.signals.forms import HEADER
from rollsignal.outputs.signals.frames import csv_bytes, write_csv
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    import polars as pl

    from rollsignal.outputs.signals.background import Background

COPIED_BYTES = 1 << 20


class SignalsText:
    """A CSV file of signals, written at `unfinished`; messages name `path` instead.

    In it, symbols are protected from being run as formulas by a spreadsheet.
    """

    def __init__(self, path: str, unfinished: str, window: int) -> None:
        """Create the file; raises `OSError` or `DiskError`."""
        self._path = path
        self._unfinished = unfinished
        self._window = window
        self._held = held.HeldBars(self._write_bars)
        self._behind: Background[Decided | bytes] | None = None
        self._file = open(unfinished, "wb")  # noqa: SIM115  # open until closed
        self._write(csv_bytes([HEADER]))

    def take(self, bars: Decided) -> None:
        """Write decided bars now or later; raises `DiskError`."""
        self._held.take(bars)

    def add(self, text: bytes) -> None:
        """Write rows that are already text; raises `DiskError`."""
        self._held.flush()
        if self._behind:
            self._behind.put(text)
        else:
            self._write(text)

    def append(self, files: Sequence[str], _: Widths) -> None:
        """Move the rows of other texts to this one; raises `OSError` or `DiskError`."""
        for path in files:
            try:
                for block in _row_blocks(path):
                    self.add(block)
            finally:
                remove_quietly(path)

    def begin_again(self) -> None:
        """Discard what is written so far; raises `DiskError`."""
        self._held.discard()
        self._leave_thread()
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem
        self._write(csv_bytes([HEADER]))

    def close(self) -> tuple[list[str], Widths]:
        """Write the rest; return the file, without any widths. Raises `OSError`, `DiskError`."""
        self._held.flush()
        if self._behind:
            self._behind.close()
        self._file.close()
        return [self._unfinished], Widths()

    def table(self) -> "pl.LazyFrame":
        """Return all rows after `close`, as text."""
        import polars as pl

        path = path_of_characters(self._unfinished, OutputError)
        return pl.scan_csv(path, schema=dict.fromkeys(HEADER, pl.String), glob=False)

    def file(self) -> str:
        """Return the file with all rows after `close`."""
        return self._unfinished

    def abandon(self) -> None:
        """Remove the file, without errors."""
        self._leave_thread()
        close_quietly(self._file)
        remove_quietly(self._unfinished)

    def _write_bars(self, bars: Decided) -> None:
        if self._behind is None and bars.rows < held.HELD_ROWS:
            write_csv(bars, self._window, self._write)
            return
        if self._behind is None:
            from rollsignal.outputs.signals.background import Background

            self._behind = Background(self._path, self._write_each)
        self._behind.put(bars)

    def _write_each(self, items: Iterator[Decided | bytes]) -> None:
        """Write bars, or rows that are already text; raises `OSError`."""
        for item in items:
            if isinstance(item, bytes):
                self._file.write(item)
            else:
                write_csv(item, self._window, self._file.write)

    def _leave_thread(self) -> None:
        """End the thread, if there is one."""
        if self._behind:
            self._behind.abandon()
            self._behind = None

    def _write(self, text: bytes) -> None:
        try:
            self._file.write(text)
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem


def _row_blocks(path: str) -> Iterator[bytes]:
    """Yield the rows of a text, without its header."""
    with open(path, "rb") as text:
        text.readline()
        while block := text.read(COPIED_BYTES):
            yield block
