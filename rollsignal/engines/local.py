"""This module runs readers and kernel in this process, file after file, batch after batch."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from rollsignal.bars.batch import Batch, PanelBatch, Reader
from rollsignal.bars.careful import CarefulReader
from rollsignal.bars.source import columnar_format
from rollsignal.config import JobConfig
from rollsignal.engines.book import Book, Emit, Series, Tell
from rollsignal.engines.ordering import in_time_order
from rollsignal.errors import DataError, plural, without_secrets
from rollsignal.kernel import Tally
from rollsignal.timestamps import to_ns

LARGE_BYTES = 16 << 20
NO_ROWS_NS = -(2**63)


class Result(NamedTuple):
    """What a run found: every series, their tally, what was read, how often each check warned."""

    series: dict[str, Series]
    tally: Tally
    forms: dict[str, str]
    warnings: dict[str, int]


def decide(paths: Sequence[str], config: JobConfig, tell: Tell, emit: Emit | None = None) -> Result:
    """Decide the signals of all files; raises `DataError` if there cannot be any.

    tell: hears what is worth a line in the log. emit: takes a row for every bar.
    """
    book = Book(config, tell, emit)
    paths = in_time_order(paths, config, lambda path: _first_ns(path, config))
    forms = {path: _read(path, book, config, tell) for path in paths}
    book.close_panel()
    tally = book.tally()
    if not tally.signals:
        raise DataError(_no_signal(", ".join(map(without_secrets, forms)), config, tally))
    return Result(book.series, tally, forms, dict(book.warnings))


@contextmanager
def _opened(path: str, config: JobConfig) -> Iterator[Reader]:
    """Open a file by the reader that suits its content."""
    form = columnar_format(path)
    if form:
        from rollsignal.bars.frames import FrameReader

        yield FrameReader(path, form, config)
        return
    with closing(CarefulReader(path, config)) as careful:
        yield careful


def _read(path: str, book: Book, config: JobConfig, tell: Tell) -> str:
    """Read one file, by the fast reader if it is a large and plain text; return its form."""
    with _opened(path, config) as reader:
        if isinstance(reader, CarefulReader) and _is_large(path) and not book.emit:
            from rollsignal.bars.fast import DoubtError, FastReader, suits

            if suits(reader):
                book.close_panel()
                series, warnings = dict(book.series), book.warnings.copy()
                try:
                    return _enter(FastReader(path, reader, config), book)
                except DoubtError as doubt:
                    book.series, book.warnings = series, warnings
                    tell("INFO", f"read carefully from the start: {doubt}")
        return _enter(reader, book)


def describe(path: str, config: JobConfig) -> str:
    """Say in which form a file is; raises `JobError` if it cannot be opened as a table."""
    with _opened(path, config) as reader:
        return reader.describe()


def _first_ns(path: str, config: JobConfig) -> int | None:
    """Read a file's first timestamp, if timestamps are read at all."""
    with _opened(path, config) as reader:
        batch = next(iter(reader.batches()), None)
    if batch is None:
        # A file without rows does not matter to the order of the others.
        return NO_ROWS_NS
    if isinstance(batch, Batch):
        return to_ns(batch.moments[0]) if batch.moments else None
    if isinstance(batch, PanelBatch):
        return None if batch.moments is None else int(batch.moments[0])
    return batch.first_ns


def _is_large(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) >= LARGE_BYTES


def _enter(reader: Reader, book: Book) -> str:
    for batch in reader.batches():
        book.take(batch, reader)
    return reader.describe()


def _no_signal(name: str, config: JobConfig, tally: Tally) -> str:
    if not tally.rows:
        return f"{name}: no rows below the header"
    if tally.rows < config.window:
        rows = plural(tally.rows, "row")
        return f"{name}: {rows}, fewer than the window of {config.window:,} bars"
    return f"{name}: no window of {config.window:,} bars without a missing close"
