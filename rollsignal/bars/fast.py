"""This module reads large text tables with polars, and doubts whatever it does not fully know.

It only accepts what the careful reader would read the same way: plain ASCII without quotes, every
row as wide as the header, closes of at most 15 significant digits, ISO timestamps of one length
that only rise. At the first sign of anything else it raises `DoubtError`, and the careful reader
takes over from the start.
"""

from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

from rollsignal.arrays import ticks_of_array
from rollsignal.bars.batch import ArrayBatch
from rollsignal.bars.careful import CarefulReader
from rollsignal.bars.header import Dialect
from rollsignal.bars.iso import LENGTHS, as_bytes, is_iso, rises
from rollsignal.config import JobConfig
from rollsignal.errors import BadCellError
from rollsignal.timestamps import ISO, TimestampReader, to_ns

if TYPE_CHECKING:
    import polars as pl

SAFE_CHARS = 16
CHUNK_ROWS = 1 << 16
SLICE_BYTES = 1 << 18
LINE_FEED, CARRIAGE_RETURN = b"\n\r"


class DoubtError(Exception):
    """The fast reader is not sure; the careful one must read the file."""


def suits(careful: CarefulReader) -> bool:
    """Tell whether a table is plain, as far as the careful reader has seen it."""
    columns = careful.dialect.symbol, careful.dialect.clock
    return not careful.compression and careful.is_plain and columns == (None, None)


class FastReader:
    """Read one large, plain text table, in place of the careful reader that opened it."""

    def __init__(self, path: str, careful: CarefulReader, config: JobConfig) -> None:
        self.name = careful.name
        self.symbol = careful.symbol
        self.describe = careful.describe
        self.order_problem = careful.order_problem
        self._path = path
        self._dialect = dialect = careful.dialect
        self._config = config
        self._timestamp = dialect.timestamp if config.needs_timestamps else None
        self._header_delimiters = careful.header_text.count(dialect.delimiter)
        self._timestamps = TimestampReader(config.timestamp_format)
        self._length = 0 if self._timestamp is None else len(careful.first_row[self._timestamp])
        self._last_ns: int | None = None

    def batches(self) -> Iterator[ArrayBatch]:
        """Yield all bars; raises `DoubtError`, at the latest after the last one."""
        from polars.exceptions import PolarsError

        is_iso = self._length in LENGTHS and self._config.timestamp_format in (None, ISO)
        if self._timestamp is not None and not is_iso:
            raise DoubtError("timestamps beyond plain ISO 8601")
        checker = _PlainChecker(self._path, self._dialect)
        checker.start()
        rows = 0
        try:
            for frame in self._frames():
                if checker.doubt:
                    break
                rows += frame.height
                if frame.height:
                    yield self._batch(frame)
        except BaseException as error:
            checker.stop()
            if isinstance(error, PolarsError | BadCellError):
                raise DoubtError(str(error)) from error
            raise
        self._settle(checker, rows)

    def _settle(self, checker: "_PlainChecker", rows: int) -> None:
        """Wait until every byte is looked at; raises `DoubtError` for what was found."""
        checker.join()
        if checker.doubt:
            raise DoubtError(checker.doubt)
        # No row is short, so this many delimiters mean that none is long: polars would not tell.
        if checker.delimiters != rows * (self._dialect.width - 1) + self._header_delimiters:
            raise DoubtError("rows of several widths")

    def _frames(self) -> "Iterator[pl.DataFrame]":
        import polars as pl

        names = [f"c{place}" for place in range(self._dialect.width)]
        close = pl.col(names[self._dialect.close])
        columns = [
            close.cast(pl.Float64, strict=False).alias("close"),
            close.str.len_bytes().alias("chars"),
            pl.col(names[-1]).is_null().alias("short"),
        ]
        if self._timestamp is not None:
            timestamp = as_bytes(pl.col(names[self._timestamp]), self._length)
            columns.append(timestamp.alias("timestamp"))
        table = pl.scan_csv(
            self._path,
            has_header=False,
            skip_lines=self._dialect.line,
            separator=self._dialect.delimiter,
            quote_char=None,
            schema=dict.fromkeys(names, pl.String),
            glob=False,
        )
        return iter(
            table.select(columns).collect_batches(chunk_size=CHUNK_ROWS, engine="streaming")
        )

    def _batch(self, frame: "pl.DataFrame") -> ArrayBatch:
        closes = frame["close"]
        if closes.null_count() or frame["short"].any():
            raise DoubtError("a close is no plain number, or a last field is empty or not there")
        if int(frame["chars"].max() or 0) > SAFE_CHARS:  # type: ignore[arg-type]
            raise DoubtError("closes of many digits")
        values = closes.to_numpy()
        ticks = ticks_of_array(values, self._config.window)
        # A zero may be a number too small for a double.
        if ticks is None or not values.all():
            raise DoubtError("closes beyond plain decimals")
        first, last = self._checked_order(frame) if self._timestamp is not None else (None, None)
        return ArrayBatch(ticks, first, last)

    def _checked_order(self, frame: "pl.DataFrame") -> tuple[int, int]:
        """Make sure that timestamps are ISO 8601 of one length and rise; read first and last."""
        import numpy as np

        stamps = frame["timestamp"]
        if stamps.null_count():
            raise DoubtError("timestamps of several lengths")
        text = np.ascontiguousarray(stamps.to_numpy())
        if not is_iso(text):
            raise DoubtError("timestamps beyond plain ISO 8601")
        if not rises(text):
            raise DoubtError("timestamps that do not rise")
        ends = [text[row].tobytes().decode() for row in (0, -1)]
        first, last = (to_ns(moment) for moment in self._timestamps.read(ends))
        if self._last_ns is not None and first <= self._last_ns:
            raise DoubtError("timestamps that do not rise")
        self._last_ns = last
        return first, last


class _PlainChecker(Thread):
    """Look at every byte of a file beside the reader.

    `doubt` says what is not plain about it, `delimiters` counts them, the header's included.
    """

    def __init__(self, path: str, dialect: Dialect) -> None:
        super().__init__(daemon=True)
        self.doubt = ""
        self.delimiters = 0
        self._delimiter = ord(dialect.delimiter)
        self._path = path
        self._ends_in_close = dialect.close == dialect.width - 1
        self._stopped = False

    def run(self) -> None:
        """Look until the end, a doubt, or `stop`."""
        buffer = bytearray(SLICE_BYTES)
        last = 0
        with open(self._path, "rb", buffering=0) as file:
            while (size := file.readinto(buffer)) and not self._stopped:
                self.doubt = _doubt_about(buffer, size, last)
                self.delimiters += self._count(buffer, size)
                if self.doubt:
                    return
                last = buffer[size - 1]
        if last == CARRIAGE_RETURN or (self._ends_in_close and last != LINE_FEED):
            self.doubt = "the last line does not end"

    def _count(self, buffer: bytearray, size: int) -> int:
        import numpy as np

        return int(np.count_nonzero(np.frombuffer(buffer, np.uint8, size) == self._delimiter))

    def stop(self) -> None:
        """End early."""
        self._stopped = True
        self.join()


def _doubt_about(buffer: bytearray, size: int, byte_before: int) -> str:
    import numpy as np

    # As signed numbers, bytes beyond ASCII are below zero.
    if np.frombuffer(buffer, np.int8, size).min() <= 0:
        return "bytes beyond ASCII"
    if buffer.find(b'"', 0, size) >= 0:
        return "quotes"
    if byte_before == CARRIAGE_RETURN and buffer[0] != LINE_FEED:
        return "line ends of several kinds"
    if buffer.find(b"\r", 0, size) >= 0:
        alone = buffer.count(b"\r", 0, size) - buffer.count(b"\r\n", 0, size)
        if alone - (buffer[size - 1] == CARRIAGE_RETURN):
            return "line ends of several kinds"
    return ""
