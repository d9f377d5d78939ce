"""This module reads plain blocks of a text table as arrays, and refuses all others.

It accepts only blocks that the careful parser would read the same way: ASCII without quotes, every
row as wide as the header, closes of digits with at most one point, timestamps of one usual shape.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.quality import is_sane
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import BadCellError
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.fast.fields import Fields, Masks
from rollsignal.readers.fast.timestamps import timestamps_of
from rollsignal.readers.fast.words import NotPlainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FastParser:
    """Read blocks in place of the careful parser, after it has read the first ones."""

    def __init__(self, careful: CarefulParser, config: JobConfig) -> None:
        self._careful = careful
        self._window = config.window
        self._masks = Masks()
        closes_as = careful.cells.closes_as
        is_sign = len(careful.dialect.delimiter) == 1
        self._has_day = config.columns.day is not None
        is_sign &= not config.compares_rows
        self._may_be_plain = is_sign and (closes_as is None or closes_as.is_plain)

    def fields(self, block: bytes | bytearray) -> Fields | None:
        """Find the fields of a block of whole lines; None if they are not plain.

        It does not depend on earlier rows, so it may be called before these are read.
        """
        dialect = self._careful.dialect
        if not self._may_be_plain or self._has_comments(block):
            return None
        try:
            return Fields(block, dialect.delimiter, dialect.width, self._masks)
        except NotPlainError:
            return None

    def batch(self, fields: Fields | None, plain: Callable[[], Batch]) -> ArrayBatch | None:
        """Read a block's fields; None if they must be read carefully."""
        careful, dialect = self._careful, self._careful.dialect
        if fields is None or not self._expects_plain_rows():
            return None
        try:
            ticks = self._ticks(fields)
            if ticks is None or not (ticks.fits(self._window) and self._is_sane(fields, ticks)):
                return None
            closes_as = careful.cells.closes_as
            if closes_as and not closes_as.are_present(ticks):
                return None
            stamps, times_ns = careful.timestamp, None
            if stamps is not None:
                times_ns = timestamps_of(fields, stamps, careful.cells.timestamps)
            if dialect.closes:
                return self._wide(fields, ticks, times_ns, plain)
            return ArrayBatch(
                ticks,
                times_ns,
                self._coded(fields),
                plain,
                careful.records.line,
                ticks.suspects(),
            )
        except (NotPlainError, BadCellError):
            return None

    def _ticks(self, fields: Fields) -> TickArray | None:
        """Return the closes; None if those of a wide table do not fit into int64 together."""
        dialect = self._careful.dialect
        if not dialect.closes:
            return fields.numbers(dialect.close)
        from rollsignal.readers.wide import melted_ticks

        return melted_ticks([fields.numbers(at) for at in dialect.closes], self._window)

    def _coded(self, fields: Fields) -> Coded | None:
        """Return the symbols, None if there are none; raises `NotPlainError` for wrong ones."""
        rule = self._careful.cells.symbols
        if rule is None:
            return None
        columns = self._careful.dialect.symbols
        coded = rule.joined_codes([Coded(*fields.coded(column)) for column in columns])
        if coded is None or not rule.agree(coded.names):
            raise NotPlainError("symbols that are empty or others than expected")
        return coded

    def _wide(
        self,
        fields: Fields,
        ticks: TickArray,
        times_ns: "NDArray[np.int64] | None",
        plain: Callable[[], Batch],
    ) -> ArrayBatch:
        """Return the bars of wide rows, row by row."""
        from rollsignal.readers.wide import WideRows

        header, first = self._careful.dialect, self._careful.records.line
        names = [header.header[at].strip(BLANKS) for at in header.closes]
        return WideRows(names, first, fields.rows).batch(ticks, times_ns, plain)

    def _has_comments(self, block: bytes | bytearray) -> bool:
        """Return whether a line of the block is to be passed over."""
        comment = self._careful.dialect.comment.encode()
        return bool(comment) and (block.startswith(comment) or b"\n" + comment in block)

    def _is_sane(self, fields: Fields, closes: TickArray) -> bool:
        """Return whether the other prices agree with the closes, if they are checked."""
        others = self._careful.others
        if not others:
            return True
        columns = {name: fields.numbers(column)[:2] for name, column in others.items()}
        return is_sane({**columns, "close": closes[:2]})

    def _expects_plain_rows(self) -> bool:
        """Return whether the rows so far are plain, and none is unfinished."""
        careful, dialect = self._careful, self._careful.dialect
        # In a table of closes only, a row below a blank line is an error.
        refused = dialect.width == 1 and careful.blank_line
        plain = careful.width in (0, dialect.width) and not dialect.spaced
        plain = plain and dialect.clock is None and not (refused or self._has_day)
        plain = plain and not (careful.footer and careful.footer.line)
        return plain and careful.records.between_rows
