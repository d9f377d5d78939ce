"""This module reads one file of text, block after block: plain ones fast, all others carefully.

The careful parser is the authority: it reads the first block, so that the table's form is known,
and whatever the fast one doubts.
"""

import os
import stat
from collections.abc import Iterator
from functools import partial

from rollsignal.bars.batch import ArrayBatch, Batch
from rollsignal.bars.careful import CarefulParser
from rollsignal.bars.header import DELIMITERS, compared, find_dialect
from rollsignal.bars.source import open_input, symbol_of
from rollsignal.bars.text import FIRST_BYTES, Blocks, text_of
from rollsignal.bars.unpack import unpacked
from rollsignal.config import JobConfig
from rollsignal.errors import DataError, escaped, shown_path

MAX_BLANK_BYTES = 1 << 20


class TextReader:
    """Read one file of delimited text.

    careful_bytes: how much is read carefully before the fast parser, which takes a while to
    load, may begin.
    """

    unit = "line"

    def __init__(
        self, path: str, config: JobConfig, careful_bytes: int, first_bytes: int = FIRST_BYTES
    ) -> None:
        """Open the file and find its dialect; raises `InputError` or `DataError`."""
        self.name = shown_path(path)
        self.symbol = symbol_of(path, config)
        self._config = config
        self._careful_bytes = careful_bytes
        self._file = open_input(path)
        self._is_regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        try:
            stream, self._compression = unpacked(self._file, self.name)
            self._blocks = Blocks(stream, self.name, first_bytes)
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Find the dialect at the beginning; `_beginning` is the first block from the header on."""
        blocks = iter(self._blocks)
        block = next(blocks, b"")
        # Excel's `sep=` line may stand alone in it.
        while (block.isspace() or len(block.split()) < 2) and (more := next(blocks, b"")):
            block += more
            if len(block) > MAX_BLANK_BYTES and block.isspace():
                raise DataError(f"{self.name}: only blank lines in {MAX_BLANK_BYTES:,} bytes")
        text, _ = text_of(block)
        self.dialect = find_dialect(text, self._config.columns, self.name)
        self._beginning = text[self.dialect.start :].encode("utf-8", "surrogateescape")
        self._careful = CarefulParser(self.name, self.dialect, self._config)
        self.order_problem = self._careful.cells.order_problem

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def describe(self) -> str:
        """Say in which form the file is and which columns are read."""
        dialect, stamp = self.dialect, self.dialect.timestamp
        close = escaped(dialect.header[dialect.close].strip())
        timestamp = "none" if stamp is None else escaped(dialect.header[stamp].strip())
        form = [self._compression] if self._compression else []
        form += [self._blocks.encoding, DELIMITERS[dialect.delimiter]]
        form += [f"close from {close}", f"timestamp from {timestamp}"]
        return ", ".join(form) + compared(self._config.checks.ohlc, self._careful.others)

    def bytes_read(self) -> int:
        """Tell how many of the file's bytes are read, about."""
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) if self._is_regular else 0

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        """Yield all bars; raises `DataError` where the text is in doubt."""
        yield from self._carefully(self._beginning)
        read = len(self._beginning)
        blocks = iter(self._blocks)
        while read < self._careful_bytes and (block := next(blocks, None)):
            read += len(block)
            yield from self._carefully(block)
        if read >= self._careful_bytes:
            yield from self._fast()
        self._careful.finish(self._blocks.cut)

    def _fast(self) -> Iterator[Batch | ArrayBatch]:
        """Yield what is left, the blocks that are plain as arrays."""
        from rollsignal.bars.fast import FastParser

        fast = FastParser(self._careful, self._config)
        # A thread that waits for a pipe could not be ended.
        for block in self._blocks.ahead() if self._is_regular else self._blocks:
            batch = fast.batch(block, partial(self._again, block, self._careful.records.line))
            if batch is None:
                yield from self._carefully(block)
                continue
            self._careful.pass_over(batch.rows, block)
            yield batch

    def _carefully(self, block: bytes) -> Iterator[Batch]:
        batch, problem = self._careful.batch(block)
        if batch:
            yield batch
        if problem:
            raise problem

    def _again(self, block: bytes, line: int) -> Batch:
        """Read a block carefully that was read fast."""
        self._careful.records.line = line
        (batch,) = self._carefully(block)
        return batch
