"""This module runs readers and kernel in this process, file after file, batch after batch."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple

from rollsignal.bars.batch import Reader
from rollsignal.bars.source import columnar_format
from rollsignal.bars.tables import TextReader
from rollsignal.config import JobConfig
from rollsignal.engines.book import Book
from rollsignal.engines.doubts import Doubt, Doubts, Tell
from rollsignal.engines.ordering import in_time_order
from rollsignal.engines.rows import Emit
from rollsignal.engines.series import Series
from rollsignal.errors import DataError, plural, shown_path
from rollsignal.kernel import Tally
from rollsignal.timestamps import to_ns

LARGE_BYTES = 4 << 20
SHOWN_FILES = 10
NO_ROWS_NS = -(2**63)

Watch = Callable[[int, int], None]


class Result(NamedTuple):
    """What a run found: every series, their tally, what was read, how often each check warned."""

    series: dict[str, Series]
    tally: Tally
    forms: dict[str, str]
    warnings: dict[str, int]


def decide(
    paths: Sequence[str],
    config: JobConfig,
    tell: Tell,
    emit: Emit | None = None,
    watch: Watch | None = None,
) -> Result:
    """Decide the signals of all files; raises `DataError` if there cannot be any.

    tell: hears what is worth a line in the log. emit: takes a row for every bar. watch: hears how
    many bytes and rows are read.
    """
    doubts = Doubts(config.checks._asdict(), tell)
    book = Book(config, doubts, emit)
    paths = in_time_order(paths, config, lambda path: _first_ns(path, config))
    files = Files(paths, config, watch)
    forms = {path: files.read(path, book) for path in paths}
    book.finish()
    tally = book.tally()
    if not tally.signals:
        raise DataError(_no_signal(paths, config, tally))
    return Result(book.series, tally, forms, dict(doubts.counts))


def inspect(
    paths: Sequence[str], config: JobConfig, doubts: Doubts, watch: Watch | None = None
) -> Result:
    """Read all files to find what is wrong with them; one that cannot be read to its end too."""

    def first_ns(path: str) -> int | None:
        # A file in doubt from its first rows on must not disturb the order of the others.
        with suppress(DataError):
            return _first_ns(path, config)
        return NO_ROWS_NS

    book = Book(config, doubts)
    paths = in_time_order(paths, config, first_ns)
    files = Files(paths, config, watch)
    forms = {}
    for path in paths:
        try:
            forms[path] = files.read(path, book)
        except DataError as error:
            doubts.heed(_unreadable(shown_path(path), error.message))
    book.finish()
    tally = book.tally()
    if forms and not tally.rows:
        doubts.heed(_unreadable(_names(paths), _no_signal(paths, config, tally)))
    return Result(book.series, tally, forms, dict(doubts.counts))


def _unreadable(name: str, message: str) -> Doubt:
    return Doubt("unreadable", name, None, "", None, message)


class Files:
    """Read files into a book, one after the other, and tell how far it is."""

    def __init__(self, paths: Sequence[str], config: JobConfig, watch: Watch | None) -> None:
        known = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
        # The fast parser takes a while to load, and does not pay at once.
        self._careful_bytes = 0 if known >= LARGE_BYTES else LARGE_BYTES
        self._config = config
        self._watch = watch
        self._bytes = self._rows = 0

    def read(self, path: str, book: Book) -> str:
        """Read one file; return its form."""
        with _opened(path, self._config, self._careful_bytes) as reader:
            for batch in reader.batches():
                book.take(batch, reader)
                self._rows += batch.rows
                if self._watch:
                    self._watch(self._bytes + reader.bytes_read(), self._rows)
            self._bytes += reader.bytes_read()
            return reader.describe()


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


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN_FILES:,} more" if len(paths) > SHOWN_FILES else ""
    return ", ".join(map(shown_path, paths[:SHOWN_FILES])) + more


def _no_signal(paths: Sequence[str], config: JobConfig, tally: Tally) -> str:
    name = _names(paths)
    if not tally.rows:
        return f"{name}: no rows below the header"
    if tally.rows < config.window:
        rows = plural(tally.rows, "row")
        return f"{name}: {rows}, fewer than the window of {config.window:,} bars"
    return f"{name}: no window of {config.window:,} bars without a missing close"
