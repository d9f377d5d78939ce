"""This module reads plain blocks of a text table as arrays, and refuses all others.

It accepts only blocks that the careful parser would read the same way: ASCII without quotes, every
row as wide as the header, closes of digits with at most one point, timestamps of one usual shape.
"""

from collections.abc import Callable

from rollsignal.config.settings import JobConfig
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import ArrayBatch, Batch
from rollsignal.core.quality import is_sane
from rollsignal.core.symbols import Coded
from rollsignal.errors import BadCellError
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.fast.fields import Fields, Masks
from rollsignal.readers.fast.timestamps import timestamps_of
from rollsignal.readers.fast.words import NotPlainError


class FastParser:
    """Read blocks in place of the careful parser, after it has read the first ones."""

    def __init__(self, careful: CarefulParser, config: JobConfig) -> None:
        self._careful = careful
        self._window = config.window
        self._masks = Masks()
        closes_as = careful.cells.closes_as
        is_sign = len(careful.dialect.delimiter) == 1
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
            ticks = fields.numbers(dialect.close)
            if not (ticks.fits(self._window) and self._is_sane(fields, ticks)):
                return None
            closes_as = careful.cells.closes_as
            if closes_as and not closes_as.are_present(ticks):
                return None
            stamps, rule = careful.timestamp, careful.cells.symbols
            coded = None
            if rule:
                parts = [Coded(*fields.coded(column)) for column in dialect.symbols]
                coded = rule.joined_codes(parts)
                if coded is None or not rule.agree(coded.names):
                    return None
            return ArrayBatch(
                ticks,
                None if stamps is None else timestamps_of(fields, stamps, careful.cells.timestamps),
                coded,
                plain,
                careful.records.line,
                ticks.suspects(),
            )
        except (NotPlainError, BadCellError):
            return None

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
        plain = plain and dialect.clock is None and not refused
        plain = plain and not (careful.footer and careful.footer.line)
        return plain and careful.records.between_rows
