"""This module reads rows of text with the standard library: the authority on what they mean.

What it cannot be sure of it refuses, naming the file, the physical line, the column and the
text found. It never guesses a value.
"""

from collections.abc import Sequence

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.messages import plural, shown
from rollsignal.readers.blocks import text_of
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import Dialect, find_ohlc, odd_bytes
from rollsignal.readers.records import Records, Row, is_blank


class CarefulParser:
    """Turn blocks of one table into batches, one after the other.

    symbol: what all symbols must be, where the file's path says so. `width` is that of the rows,
    `blank_line` the first blank line among them, 0 as long as there is none.
    """

    def __init__(
        self, name: str, dialect: Dialect, config: JobConfig, symbol: str | None = None
    ) -> None:
        self.dialect = dialect
        self.timestamp = dialect.timestamp if config.needs_timestamps else None
        stamp = None if self.timestamp is None else self._column(self.timestamp)
        if stamp is not None and dialect.clock is not None:
            stamp += f" and {self._column(dialect.clock)}"
        close, written = self._column(dialect.close), config.timestamp_format
        self.cells = Cells(name, "line", close, stamp, written)
        self.records = Records(dialect, self.cells.problem)
        self.width = 0
        self.others = {} if config.checks.ohlc == "off" else find_ohlc(dialect.header)
        self.symbol = symbol
        self._missing = config.missing
        self.blank_line = 0
        self._ending: list[str] = []

    def batch(self, block: bytes | bytearray) -> tuple[Batch | None, DataError | None]:
        """Read the rows of a block, and what is wrong after the last of them, if anything.

        Raises `DataError` for a cell that is not what its column holds.
        """
        text, odd = text_of(block)
        found, found_lines, open_problem = self.records.of(text)
        if odd:
            self._refuse_odd_bytes(found, found_lines)
        rows, lines, problem = self._checked(found, found_lines)
        problem = problem or open_problem
        if not rows:
            # No close is in a last line that is blank, so none is cut.
            self._ending = self._ending[-1:]
            return None, problem
        cells = [row[self.dialect.close] for row in rows]
        batch = self.cells.batch(cells, self._stamps(rows, lines), lines, self._missing)
        if self.dialect.symbol is not None:
            symbols = [row[self.dialect.symbol] for row in rows]
            batch = self.cells.with_symbols(batch, symbols, self.symbol)
        if self.others:
            others = {name: [row[at] for row in rows] for name, at in self.others.items()}
            batch = self.cells.checked(batch, others)
        self._ending = [*self._ending[-1:], *cells]
        return batch, problem

    def pass_over(self, rows: int, block: bytes | bytearray) -> None:
        """Count rows that another has read, whole lines without quotes, as wide as the header."""
        self.records.line += rows
        self.width = self.dialect.width
        last = block[block.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\r\n").decode()
        self._ending = [last.split(self.dialect.delimiter)[self.dialect.close]]

    def finish(self, cut: bool) -> None:
        """Refuse what the end of the text shows: an open quote, or a last close that is cut."""
        self.records.finish()
        if cut and self._ending and self.dialect.close == self.width - 1:
            self._refuse_cut_close(self._ending, self.records.line - 1)

    def _stamps(self, rows: list[Row], lines: Sequence[int]) -> Sequence[str] | None:
        """Take the timestamps of rows, each in one piece."""
        place, clock = self.timestamp, self.dialect.clock
        if place is None or clock is None:
            return None if place is None else [row[place] for row in rows]
        dates, times = ([row[column] for row in rows] for column in (place, clock))
        return self.cells.joined(dates, times, lines)

    def _checked(
        self, rows: list[Row], lines: Sequence[int]
    ) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Leave out blank lines, and what follows the first row in doubt, which is returned."""
        if not self.width:
            self.width = self._width_of(rows)
        as_header = self.width == self.dialect.width > 1
        if as_header and set(map(len, rows)) == {self.width}:
            return rows, lines, None
        kept: list[tuple[Row, int]] = []
        problem = None
        for row, line in zip(rows, lines, strict=True):
            if is_blank(row):
                self.blank_line = self.blank_line or line
                continue
            problem = self._misfit(row, line)
            if problem:
                break
            kept.append((row, line))
        return [row for row, _ in kept], [line for _, line in kept], problem

    def _width_of(self, rows: list[Row]) -> int:
        """Take the rows' width from the first: the header's, or more with empty fields after."""
        first = next((row for row in rows if not is_blank(row)), None)
        if first is None:
            return 0
        extra = first[self.dialect.width :]
        return self.dialect.width + (0 if any(extra) else len(extra))

    def _misfit(self, row: Row, line: int) -> DataError | None:
        """Explain what is wrong with a row's width, if anything."""
        if self.blank_line and self.dialect.width == 1:
            return self.cells.problem(
                self.blank_line, "a blank line among closes: is a close missing here?"
            )
        if len(row) == self.width and not "".join(row[self.dialect.width :]).strip(BLANKS):
            return None
        count, header = plural(len(row), "field"), self.dialect.width
        if len(row) == self.width:
            what = f"{count} where the header has {header:,}"
        elif self.width == header:
            what = f"{count} instead of {header:,} as the header has"
        else:
            what = f"{count} instead of {self.width:,} as the rows above"
        return self.cells.problem(line, f"{what}: {_start(row)}")

    def _refuse_odd_bytes(self, rows: list[Row], lines: Sequence[int]) -> None:
        for row, line in zip(rows, lines, strict=True):
            for place, cell in enumerate(row):
                problem = odd_bytes(cell)
                if problem:
                    raise self.cells.problem(
                        line, f"{self._column(place)} is {shown(cell)}, {problem}"
                    )

    def _refuse_cut_close(self, cells: list[str], line: int) -> None:
        """Refuse a last close without a line end that is shorter than those above it."""
        tails = [len(cell.partition(".")[2]) for cell in cells]
        sizes = [len(cell.strip(BLANKS)) for cell in cells]
        if len(cells) > 1 and (tails[-1] < max(tails[:-1]) or sizes[-1] < min(sizes[:-1])):
            reason = "shorter than those above and without a line end: is the file cut off?"
            hint = "if it is whole, end its last line"
            raise self.cells.close_problem(line, cells[-1], reason, hint)

    def _column(self, place: int) -> str:
        if place >= self.dialect.width:
            return f"field {place + 1}"
        name = self.dialect.header[place].strip(BLANKS)
        return name if name.isprintable() and 0 < len(name) <= 40 else f"column {place + 1}"


def _start(row: Row) -> str:
    return shown(" | ".join(row[:12]), limit=60)
