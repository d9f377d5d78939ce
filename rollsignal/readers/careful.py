"""This module reads rows of text with the standard library: the authority on what they mean.

It refuses whatever is unclear, naming the file, the physical line, the column and the text. It
never guesses a value.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.quality import Finding
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.messages import plural, shown, unit_of
from rollsignal.readers.blocks import text_of
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import ENCODINGS, Dialect, find_ohlc, odd_bytes
from rollsignal.readers.records import Records, Row, is_blank

if TYPE_CHECKING:
    from rollsignal.readers.footers import Footer


class CarefulParser:
    """Turn blocks of one table into batches, one after the other.

    symbol: the symbol that all rows must have, if the file's path gives one. `width` is the number
    of fields of the rows, `blank_line` the first blank line among them, 0 without one.
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
        self.cells = Cells(name, unit_of(name), close, stamp, written)
        self.cells.is_one_series = config.columns.are_one_series(symbol)
        self.cells.read_closes_as(config.table, has_signs=True)
        self.cells.set_day(config.columns.day)
        self.cells.timestamps.set_zone(config.local_zone)
        self.records = Records(dialect, self.cells.problem)
        self.footer = None if config.table.footer == "error" else self._new_footer()
        self.width = 0
        self._compares_rows = config.compares_rows
        is_compared = config.checks.ohlc != "off" and not dialect.closes
        self.others = find_ohlc(dialect.header) if is_compared else {}
        if dialect.closes:
            self.cells.close_of_each([dialect.header[index] for index in dialect.closes], config)
        if dialect.symbol is not None:
            from rollsignal.readers.symbols import SymbolRule

            names = [dialect.header[column] or self._column(column) for column in dialect.symbols]
            self.cells.symbols = SymbolRule(names, config.columns, symbol)
        self._missing = config.missing
        self.blank_line = 0
        self._first: list[Row] = []
        self._above: list[Row] = []
        self._cut: DataError | None = None

    def _new_footer(self) -> "Footer":
        from rollsignal.readers.footers import Footer

        return Footer(self.dialect, self.timestamp is not None, self.cells)

    @property
    def memory(self) -> object | None:
        """Return what the reading of further rows depends on; None if it is not settled yet."""
        records, times = self.records.memory, self.cells.timestamps.memory
        if not self.width or records is None:
            return None
        return self.width, bool(self.blank_line and self.dialect.width == 1), records, times

    def batch(self, block: bytes | bytearray) -> tuple[Batch | None, DataError | None]:
        """Return the rows of a block, and the problem that ended them early, if any.

        Raises `DataError` for a cell that is not what its column holds.
        """
        text, odd = text_of(block)
        all_rows, all_lines, open_problem = self.records.of(text)
        if odd:
            self._refuse_odd_bytes(all_rows, all_lines)
        is_whole = block.endswith((b"\n", b"\r")) or self.records.ends_in_comment
        if self.footer:
            all_rows, all_lines = self.footer.cut(all_rows, all_lines)
            is_whole |= bool(self.footer.line)
        rows, lines, problem = self._checked(all_rows, all_lines)
        problem = problem or open_problem
        if not rows:
            return None, problem
        stamps = self._stamps(rows, lines)
        if self.dialect.closes:
            closes = [[row[column] for row in rows] for column in self.dialect.closes]
            batch = self.cells.wide_batch(closes, stamps, lines, self._missing)
        else:
            cells = [row[self.dialect.close] for row in rows]
            batch = self.cells.batch(cells, stamps, lines, self._missing)
        if self.dialect.symbol is not None:
            parts = [[row[column] for row in rows] for column in self.dialect.symbols]
            batch = self.cells.with_symbols(batch, parts)
        if self.others:
            batch = self._compared(batch, rows)
        if not (problem or is_whole):
            batch = self._ended(batch, rows)
        self._first = self._first or rows
        # Only one row, as of a block that the fast parser has read.
        self._above = rows[-1:]
        return batch, problem

    def _compared(self, batch: Batch, rows: list[list[str]]) -> Batch:
        """Compare the closes with the other prices, and keep those where rows are compared."""
        others = {name: [row[index] for row in rows] for name, index in self.others.items()}
        batch = self.cells.checked(batch, others)
        if not self._compares_rows:
            return batch
        return batch._replace(others=list(zip(*others.values(), strict=True)))

    def pass_over(self, rows: int, block: bytes | bytearray) -> None:
        """Count the rows of a block that the fast parser has read."""
        self.records.line += rows
        self.width = self.dialect.width
        last = block[block.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\r\n").decode()
        self._above = [last.split(self.dialect.delimiter)]

    def finish(self, cut: bool) -> None:
        """Raise `DataError` for an open quote, a cell that is cut off, or an unproven time."""
        self.records.finish()
        self.cells.finish()
        if cut and self._cut:
            raise self._cut

    def _ended(self, batch: Batch, rows: list[Row]) -> Batch:
        """Judge the last cell of a last row without a line end; return the batch with a doubt."""
        from rollsignal.readers import endings

        column = self.width - 1
        closes = self.dialect.closes or (self.dialect.close,)
        *above, last = (row[column] for row in (*self._first, *self._above, *rows))
        if column in closes and self.cells.closes_as:
            *above, last = self.cells.closes_as.loosely([*above, last])
        signs: dict[int | None, Callable[[str, Sequence[str]], str]]
        signs = dict.fromkeys(self.dialect.symbols, endings.cut_symbol)
        signs |= dict.fromkeys(closes, endings.cut_close)
        if self.timestamp is not None:
            signs |= dict.fromkeys((self.timestamp, self.dialect.clock), endings.cut_time)
        sign = signs[column](last, above) if column in signs else ""
        if sign:
            what = f"{self._column(column)} is {shown(last)}, {sign} and {endings.CUT}"
            hint = "if it is whole, end its last line"
            self._cut = self.cells.problem(batch.lines[-1], f"{what} ({hint})")
        elif column in closes and endings.is_short_close(last, above):
            what = f"is {shown(last)}, shorter than others and {endings.CUT}"
            doubt = Finding("values", batch.rows - 1, what)
            return batch._replace(findings=[*batch.findings, doubt])
        return batch

    def _stamps(self, rows: list[Row], lines: Sequence[int]) -> Sequence[str] | None:
        """Return the timestamps of rows, with dates and times of day joined."""
        date, clock = self.timestamp, self.dialect.clock
        if date is None or clock is None:
            return None if date is None else [row[date] for row in rows]
        dates, times = ([row[column] for row in rows] for column in (date, clock))
        return self.cells.joined(dates, times, lines)

    def _checked(
        self, rows: list[Row], lines: Sequence[int]
    ) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Drop blank lines, and all rows from the first bad one on; return its problem."""
        if not self.width:
            self.width = self._width_of(rows)
        as_header = self.width == self.dialect.width > 1
        if as_header and set(map(len, rows)) == {self.width}:
            return rows, lines, None
        kept: list[tuple[Row, int]] = []
        problem = None
        for row, line in zip(rows, lines, strict=True):
            if is_blank(row):
                if line not in self.records.comments:
                    self.blank_line = self.blank_line or line
                continue
            problem = self._misfit(row, line, bool(kept or self._above))
            if problem:
                break
            kept.append((row, line))
        return [row for row, _ in kept], [line for _, line in kept], problem

    def _width_of(self, rows: list[Row]) -> int:
        """Return the first row's width: the header's, or more if all extra fields are empty."""
        first = next((row for row in rows if not is_blank(row)), None)
        if first is None:
            return 0
        if self.dialect.closes:
            # An index without a name would move every close to another symbol.
            return self.dialect.width
        extra = first[self.dialect.width :]
        return self.dialect.width + (0 if any(extra) else len(extra))

    def _misfit(self, row: Row, line: int, has_bars: bool) -> DataError | None:
        """Return the error for a row of the wrong width, None if it is right.

        has_bars: whether there are bars above it.
        """
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
        hint = " (is the file cut off here?)" if len(row) < self.width else ""
        if self.footer is None and has_bars and not self._new_footer().is_bar(row):
            hint = " (if it is a footer, set table: {footer: skip})"
        return self.cells.problem(line, f"{what}: {_start(row)}{hint}")

    def _refuse_odd_bytes(self, rows: list[Row], lines: Sequence[int]) -> None:
        dialect = self.dialect
        read = {dialect.close, self.timestamp, dialect.clock, *dialect.symbols, *dialect.closes}
        read |= set(self.others.values())
        for row, line in zip(rows, lines, strict=True):
            for column, cell in enumerate(row):
                # In other encodings a pipe may be a part of a character.
                is_read = column in read or dialect.delimiter == "|"
                problem = odd_bytes(cell)
                if problem and (is_read or "\0" in cell):
                    what = f"{self._column(column)} is {shown(cell)}, {problem}"
                    raise self.cells.problem(line, what).choosing(*ENCODINGS)

    def _column(self, index: int) -> str:
        if index >= self.dialect.width:
            return f"field {index + 1}"
        name = self.dialect.header[index].strip(BLANKS)
        return name if name.isprintable() and 0 < len(name) <= 40 else f"column {index + 1}"


def _start(row: Row) -> str:
    return shown(" | ".join(row[:12]), limit=60)
