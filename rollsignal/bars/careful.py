"""This module reads bars from text with the standard library: the authority on what it means.

What it cannot be sure of it refuses, naming the file, the physical line, the column and the
text found. It never guesses a value.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from rollsignal.bars.batch import Batch
from rollsignal.bars.cells import Cells
from rollsignal.bars.header import BLANKS, DELIMITERS, find_dialect, odd_bytes
from rollsignal.bars.records import Records, Row, is_blank
from rollsignal.bars.source import open_input, symbol_of
from rollsignal.bars.text import TextPieces
from rollsignal.bars.unpack import unpacked
from rollsignal.config import JobConfig
from rollsignal.errors import DataError, escaped, plural, shown, shown_path

MAX_BLANK_CHARS = 1 << 20


class CarefulReader:
    """Read one file of delimited text, batch after batch."""

    def __init__(self, path: str, config: JobConfig) -> None:
        """Open the file and find its dialect; raises `InputError` or `DataError`."""
        self._file = open_input(path)
        try:
            self._begin(path, config)
        except BaseException:
            self.close()
            raise

    def _begin(self, path: str, config: JobConfig) -> None:
        self.name = shown_path(path)
        self.symbol = symbol_of(path, config)
        stream, self.compression = unpacked(self._file, self.name)
        self._pieces = TextPieces(stream, self.name)
        text = iter(self._pieces)
        beginning = next(text, "")
        while beginning.isspace() and (piece := next(text, "")):
            beginning += piece
            if len(beginning) > MAX_BLANK_CHARS:
                raise DataError(f"{self.name}: only blank lines in {MAX_BLANK_CHARS:,} characters")
        self.dialect = find_dialect(beginning, config.columns, self.name)
        self._beginning = beginning
        self._timestamp = self.dialect.timestamp if config.needs_timestamps else None
        stamp = None if self._timestamp is None else self._column(self._timestamp)
        if stamp is not None and self.dialect.clock is not None:
            stamp += f" and {self._column(self.dialect.clock)}"
        close, written = self._column(self.dialect.close), config.timestamp_format
        self._cells = Cells(self.name, "line", close, stamp, written)
        self.order_problem = self._cells.order_problem
        pieces = chain((beginning[self.dialect.start :],), text)
        self._records = Records(pieces, self.dialect, self._cells.problem)
        self._missing = config.missing
        self._width = 0
        self._blank_line = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def is_plain(self) -> bool:
        """Tell whether the beginning has nothing but ASCII, without quotes, and a whole row."""
        text, dialect = self._beginning, self.dialect
        plain = self._pieces.encoding == "utf-8" and text.isascii() and '"' not in text
        return plain and not dialect.spaced and len(self.first_row) == dialect.width

    @property
    def header_text(self) -> str:
        """Return the text up to the end of the header's line."""
        return "\n".join(self._beginning.split("\n", self.dialect.line)[: self.dialect.line])

    @property
    def first_row(self) -> Row:
        """Split the first line below the header, without regard to quotes."""
        lines = self._beginning.split("\n", self.dialect.line + 1)
        return lines[self.dialect.line].split(self.dialect.delimiter) if len(lines) > 1 else []

    def describe(self) -> str:
        """Say in which form the file is and which columns are read."""
        dialect, stamp = self.dialect, self.dialect.timestamp
        close = escaped(dialect.header[dialect.close].strip())
        timestamp = "none" if stamp is None else escaped(dialect.header[stamp].strip())
        timestamp += "" if dialect.clock is None else f" and {self._column(dialect.clock)}"
        form = [self.compression] if self.compression else []
        form += [self._pieces.encoding, DELIMITERS[dialect.delimiter]]
        return ", ".join([*form, f"close from {close}", f"timestamp from {timestamp}"])

    def batches(self) -> Iterator[Batch]:
        """Yield all bars; raises `DataError` where the text is in doubt."""
        ending: list[str] = []
        last_line = 0
        close, symbol = self.dialect.close, self.dialect.symbol
        for found, found_lines in self._records.blocks():
            rows, lines, problem = self._checked(found, found_lines)
            if rows:
                cells = [row[close] for row in rows]
                stamps = self._stamps(rows, lines)
                batch = self._cells.batch(cells, stamps, lines, self._missing)
                if symbol is not None:
                    batch = self._cells.with_symbols(batch, [row[symbol] for row in rows])
                ending = [*ending[-1:], *batch.cells]
                last_line = lines[-1]
                yield batch
            if problem:
                raise problem
        if self._pieces.cut and ending and self.dialect.close == self._width - 1:
            self._refuse_cut_close(ending, last_line)

    def _stamps(self, rows: list[Row], lines: Sequence[int]) -> Sequence[str] | None:
        """Take the timestamps of rows, each in one piece."""
        place, clock = self._timestamp, self.dialect.clock
        if place is None or clock is None:
            return None if place is None else [row[place] for row in rows]
        dates, times = ([row[column] for row in rows] for column in (place, clock))
        return self._cells.joined(dates, times, lines)

    def _checked(
        self, rows: list[Row], lines: Sequence[int]
    ) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Leave out blank lines, and what follows the first row in doubt, which is returned."""
        if self._pieces.suspect:
            self._refuse_odd_bytes(rows, lines)
        if not self._width:
            self._width = self._width_of(rows)
        as_header = self._width == self.dialect.width > 1
        if as_header and set(map(len, rows)) == {self._width}:
            return rows, lines, None
        kept: list[tuple[Row, int]] = []
        problem = None
        for row, line in zip(rows, lines, strict=True):
            if is_blank(row):
                self._blank_line = self._blank_line or line
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
        if self._blank_line and self.dialect.width == 1:
            return self._cells.problem(
                self._blank_line, "a blank line among closes: is one missing here?"
            )
        if len(row) == self._width and not "".join(row[self.dialect.width :]).strip(BLANKS):
            return None
        count, header = plural(len(row), "field"), self.dialect.width
        if len(row) == self._width:
            what = f"{count} where the header has {header:,}"
        elif self._width == header:
            what = f"{count} instead of {header:,} as the header has"
        else:
            what = f"{count} instead of {self._width:,} as the rows above"
        return self._cells.problem(line, f"{what}: {_start(row)}")

    def _refuse_odd_bytes(self, rows: list[Row], lines: Sequence[int]) -> None:
        for row, line in zip(rows, lines, strict=True):
            for place, cell in enumerate(row):
                problem = odd_bytes(cell)
                if problem:
                    raise self._cells.problem(
                        line, f"{self._column(place)} is {shown(cell)}, {problem}"
                    )

    def _refuse_cut_close(self, cells: list[str], line: int) -> None:
        """Refuse a last close without a line end that is shorter than those above it."""
        tails = [len(cell.partition(".")[2]) for cell in cells]
        sizes = [len(cell.strip(BLANKS)) for cell in cells]
        if len(cells) > 1 and (tails[-1] < max(tails[:-1]) or sizes[-1] < min(sizes[:-1])):
            reason = "shorter than those above and without a line end: is the file cut off?"
            hint = "if it is whole, end its last line"
            raise self._cells.close_problem(line, cells[-1], reason, hint)

    def _column(self, place: int) -> str:
        if place >= self.dialect.width:
            return f"field {place + 1}"
        name = self.dialect.header[place].strip(BLANKS)
        return name if name.isprintable() and 0 < len(name) <= 40 else f"column {place + 1}"


def _start(row: Row) -> str:
    return shown(" | ".join(row[:12]), limit=60)
