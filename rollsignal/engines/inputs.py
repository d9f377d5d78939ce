"""This module opens the files of a task in the order of time, each with the right reader."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig
from rollsignal.errors import BadCellError, DataError
from rollsignal.files.find import Input
from rollsignal.files.formats import COLUMNAR, Format
from rollsignal.messages import shown_path
from rollsignal.readers.opening import OpenedFile, symbol_of
from rollsignal.readers.text import TextReader

if TYPE_CHECKING:
    from rollsignal.core.reader import Reader
    from rollsignal.readers.columnar import FrameReader
    from rollsignal.readers.ndjson import NdjsonReader

LARGE_BYTES = 4 << 20
ALL_BYTES = 2**63
NO_ROWS_NS = -(2**63)
# In these units today's counts of a coarser unit are times of January 1970.
FINE_UNITS = ("epoch_ms", "epoch_us", "epoch_ns")

FirstNs = Callable[[Input], int | None]
Opening = Generator[tuple[Input, AbstractContextManager["Reader"]], None, None]


class Inputs:
    """The files of a task, and how they are read.

    format: that of all files, None to find each out from its content. careful: whether only the
    careful readers are used. `total_bytes` is the size of all files, 0 if any is not a regular one.
    """

    def __init__(
        self,
        files: Sequence[Input],
        config: JobConfig,
        format: Format | None = None,
        *,
        careful: bool = False,
    ) -> None:
        self.files = files
        self.config = config
        self._format = format
        regular_bytes = sum(file.size or 0 for file in files)
        self.total_bytes = 0 if any(file.size is None for file in files) else regular_bytes
        # The fast parser takes a while to load, which only pays for large inputs.
        self._careful_bytes = 0 if regular_bytes >= LARGE_BYTES else LARGE_BYTES
        if careful:
            self._careful_bytes = ALL_BYTES

    def carefully(self) -> "Inputs":
        """Return the same files, read only by the careful readers."""
        return Inputs(self.files, self.config, self._format, careful=True)

    def fast(self) -> "Inputs":
        """Return the same files, read by the fast readers even if they are small."""
        inputs = Inputs(self.files, self.config, self._format)
        inputs._careful_bytes = 0
        return inputs

    @contextmanager
    def opened(self, file: Input) -> "Iterator[Reader]":
        """Open a file; raises `JobError` if it is not a table with the columns that are read."""
        with self.opened_as_written(file) as reader:
            yield self._in_order(reader)

    @contextmanager
    def opened_as_written(self, file: Input) -> "Iterator[Reader]":
        """Open a file whose bars come as they stand in it."""
        with closing(OpenedFile(file, self._format, table=self.config.table)) as opened:
            yield reader_of(opened, self.config, self._careful_bytes)

    def _in_order(self, reader: "Reader") -> "Reader":
        """Return a reader whose bars come from the oldest to the newest, as the config says."""
        if not self.config.is_newest_first:
            return reader
        from rollsignal.engines.newest_first import NewestFirstReader

        return NewestFirstReader(reader)

    def each(self, files: Sequence[Input]) -> Opening:
        """Yield each of these files with what opens it; small ones are read ahead, many at once."""
        if self._careful_bytes or len(files) == 1 or self._format not in (None, "csv"):
            yield from ((file, self.opened(file)) for file in files)
            return
        # Needs NumPy, like all fast reading.
        from rollsignal.readers.groups import Groups
        from rollsignal.readers.small_files import read_together

        groups = Groups(files, self.config, self._format)
        for file, reader in read_together(groups, self.config):
            yield file, nullcontext(self._in_order(reader)) if reader else self.opened(file)

    def describe(self, file: Input) -> str:
        """Describe the format of a file, and the columns that are read."""
        with self.opened(file) as reader:
            return reader.describe()

    def check_units(self) -> None:
        """Refuse files that are not all in the unit that is named, before they are sorted.

        Sorted bars do not show which file they are from.
        """
        if self.config.timestamp_format in FINE_UNITS and self.total_bytes:
            self.by_time()

    def by_time(self, *, in_doubt: bool = False, first_ns: FirstNs | None = None) -> list[Input]:
        """Put the files of each series in the order of time, by their first timestamps.

        in_doubt: whether a file whose first rows cannot be read is put first, and files without
        timestamps stay in the order given, without an error. first_ns: returns what `first_ns` of
        this class does, and may have looked at the files before.
        """
        look = first_ns or self.first_ns

        def first_or_least_ns(file: Input) -> int | None:
            with suppress(DataError) if in_doubt else nullcontext():
                return look(file)
            return NO_ROWS_NS

        return in_time_order(self.files, self.config, first_or_least_ns, in_doubt=in_doubt)

    def first_ns(self, file: Input) -> int | None:
        """Return a file's first timestamp, None if timestamps are not read; raises `JobError`.

        With `order: newest_first` it is that of the newest bar. It puts files into the same order:
        files of a series that overlap are refused, whichever comes first.
        """
        with self.opened_as_written(file) as reader:
            batch = next(iter(reader.batches()), None)
        if batch is None:
            # So a file without rows does not change the order of the others.
            return NO_ROWS_NS
        times = batch.timestamps_ns
        return None if times is None else int(times[0])


def reader_of(file: OpenedFile, config: JobConfig, careful_bytes: int) -> "Reader":
    """Make the reader of a whole file; raises `JobError` if it lacks a column that is read."""
    if file.format in COLUMNAR:
        return frame_reader_of(file, config)
    if file.format == "json":
        from rollsignal.readers.json_document import DocumentReader

        return DocumentReader(file, config)
    return text_reader_of(file, config, careful_bytes)


def text_reader_of(
    file: OpenedFile, config: JobConfig, careful_bytes: int
) -> "TextReader | NdjsonReader":
    """Make the reader of a text."""
    if file.format in ("csv", "xlsx"):
        return TextReader(file, config, careful_bytes)
    from rollsignal.readers.ndjson import NdjsonReader

    return NdjsonReader(file, config)


def frame_reader_of(file: OpenedFile, config: JobConfig) -> "FrameReader":
    """Make the reader of a columnar file."""
    from rollsignal.readers.columnar import FrameReader

    return FrameReader(file.input, file.format, config)


def in_time_order(
    files: Sequence[Input],
    config: JobConfig,
    first_ns: Callable[[Input], int | None],
    *,
    in_doubt: bool = False,
) -> list[Input]:
    """Order files by their first timestamp, or leave them as given if one of them has none.

    Each series' files are ordered by themselves. Raises `DataError` for several files of a series
    without timestamps, unless the config says that there are none, or in doubt.
    """
    return [
        file
        for group in files_of_series(files, config)
        for file in _by_first_time(group, config, first_ns, in_doubt)
    ]


def files_of_series(files: Sequence[Input], config: JobConfig) -> list[list[Input]]:
    """Return the files of each symbol that files have of themselves; all others are together."""
    groups: dict[str | None, list[Input]] = {}
    for file in files:
        groups.setdefault(symbol_of(file, config), []).append(file)
    return list(groups.values())


def _by_first_time(
    files: list[Input], config: JobConfig, first_ns: Callable[[Input], int | None], in_doubt: bool
) -> list[Input]:
    if len(files) == 1:
        return files
    begins = {file: first_ns(file) for file in files}
    timed = {file: begin for file, begin in begins.items() if begin is not None}
    untimed = [file for file in files if file not in timed]
    if untimed and not in_doubt:
        if config.needs_timestamps and len(untimed) > 1:
            raise no_order(untimed)
        _refuse_tables(untimed)
    if untimed:
        return files
    if config.timestamp_format in FINE_UNITS:
        _check_unit(timed, config.timestamp_format)
    return sorted(files, key=lambda file: timed[file])


def _refuse_tables(files: Sequence[Input]) -> None:
    """Refuse files of a Delta table without timestamps: their names say nothing of their order."""
    if tables := [file.table.root for file in files if file.table]:
        raise DataError(
            f"{shown_path(tables[0])}: the rows of a Delta table have no order, and timestamps are"
            " not read",
            "name their column in the config (columns: {timestamp: NAME}), with checks: {order:"
            " error}, or write the bars to one file",
        )


def no_order(files: Sequence[Input]) -> DataError:
    """Return the error for several files of one series that have no timestamps."""
    names = f"{files[0].name} and {files[1].name}"
    if len(files) > 2:
        names = f"{files[0].name} and {len(files) - 1:,} more files"
    error = DataError(
        f"{names} have no timestamps, so nothing tells the order in which to read them",
        "name the column in the config (columns: {timestamp: NAME}); if there is none, set columns:"
        " {symbol: {from: filename}} for files of a symbol each, or columns: {timestamp: none} for"
        " files of one series, given oldest first",
    )
    choices = ({"columns.symbol": {"from": "filename"}}, {"columns.timestamp": "none"})
    return error.choosing(*choices)


def _check_unit(begins: Mapping[Input, int], written: str) -> None:
    """Refuse files of which the named unit puts some into January 1970, and others not."""
    from rollsignal.core.timestamps.counts import Count

    files = [file for file, ns in begins.items() if ns != NO_ROWS_NS]
    try:
        Count(written).check([begins[file] for file in files])
    except BadCellError as bad:
        name = files[bad.index].name
        raise DataError(f"{name}: the first timestamp is {bad.reason} ({bad.hint})") from None
