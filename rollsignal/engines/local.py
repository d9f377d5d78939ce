"""This module runs readers and kernel in this process, file after file, batch after batch."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from rollsignal.bars.batch import Reader
from rollsignal.bars.source import columnar_format
from rollsignal.bars.tables import TextReader
from rollsignal.config import JobConfig
from rollsignal.engines.book import Book, Tell
from rollsignal.engines.ordering import in_time_order
from rollsignal.engines.rows import Emit
from rollsignal.engines.series import Series
from rollsignal.errors import DataError, plural
from rollsignal.kernel import Tally
from rollsignal.timestamps import to_ns

LARGE_BYTES = 4 << 20
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
    careful_bytes = _careful_bytes(paths)
    forms = {}
    for path in paths:
        with _opened(path, config, careful_bytes) as reader:
            for batch in reader.batches():
                book.take(batch, reader)
            forms[path] = reader.describe()
    book.close_panel()
    tally = book.tally()
    if not tally.signals:
        raise DataError(_no_signal(", ".join(forms), config, tally))
    return Result(book.series, tally, forms, dict(book.warnings))


@contextmanager
def _opened(path: str, config: JobConfig, careful_bytes: int) -> Iterator[Reader]:
    """Open a file by the reader that suits its content."""
    form = columnar_format(path)
    if form:
        from rollsignal.bars.frames import FrameReader

        yield FrameReader(path, form, config)
        return
    with closing(TextReader(path, config, careful_bytes)) as reader:
        yield reader


def _careful_bytes(paths: Sequence[str]) -> int:
    """Tell how much to read before the fast parser, which takes a while to load, pays."""
    known = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
    return 0 if known >= LARGE_BYTES else LARGE_BYTES


def describe(path: str, config: JobConfig) -> str:
    """Say in which form a file is; raises `JobError` if it cannot be opened as a table."""
    with _opened(path, config, LARGE_BYTES) as reader:
        return reader.describe()


def _first_ns(path: str, config: JobConfig) -> int | None:
    """Read a file's first timestamp, if timestamps are read at all."""
    with _opened(path, config, LARGE_BYTES) as reader:
        batch = next(iter(reader.batches()), None)
    if batch is None:
        # A file without rows does not matter to the order of the others.
        return NO_ROWS_NS
    return None if batch.moments is None else to_ns(batch.moments[0])


def _no_signal(name: str, config: JobConfig, tally: Tally) -> str:
    if not tally.rows:
        return f"{name}: no rows below the header"
    if tally.rows < config.window:
        rows = plural(tally.rows, "row")
        return f"{name}: {rows}, fewer than the window of {config.window:,} bars"
    return f"{name}: no window of {config.window:,} bars without a missing close"
