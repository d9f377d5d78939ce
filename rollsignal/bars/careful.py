"""This module reads bars from text with the standard library: the authority on what it means.

What it cannot be sure of it refuses, naming the file, the physical line, the column and the
text found. It never guesses a value.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from rollsignal.bars.batch import Batch
from rollsignal.bars.header import BLANKS, DELIMITERS, find_dialect, odd_bytes
from rollsignal.bars.records import Records, Row, is_blank
from rollsignal.bars.source import open_input
from rollsignal.bars.text import TextPieces
from rollsignal.bars.unpack import unpacked
from rollsignal.config import JobConfig
from rollsignal.errors import BadCellError, DataError, escaped, plural, shown, shown_path
from rollsignal.prices import MISSING_WORDS, parse_closes
from rollsignal.quality import Finding
from rollsignal.timestamps import TimestampReader

TIMESTAMP_HINT = "name the right column in the config under columns, or switch its checks off"


class CarefulReader:
    """Read one file of delimited text, batch after batch."""

    def __init__(self, path: str, config: JobConfig) -> None:
        """Open the file and find its dialect; raises `InputError` or `DataError`."""
        file = open_input(path)
        stream, self.compression = unpacked(file, shown_path(path))
        self._pieces = TextPieces(stream, path)
        self.name = self._pieces.name
        text = iter(self._pieces)
        beginning = next(text, "")
        self.dialect = find_dialect(beginning, config.columns, self.name)
        self._beginning = beginning
        pieces = chain((beginning[self.dialect.start :],), text)
        self._records = Records(pieces, self.dialect, self._error)
        self._missing = config.missing
        self._timestamp = self.dialect.timestamp if config.needs_timestamps else None
        self._timestamps = TimestampReader()
        self._width = 0
        self._blank_line = 0

    @property
    def is_plain(self) -> bool:
        """Tell whether the beginning has nothing but ASCII, without quotes, and a whole row."""
        text, dialect = self._beginning, self.dialect
        plain = self._pieces.encoding == "utf-8" and text.isascii() and '"' not in text
        return plain and not dialect.spaced and len(self.first_row) == dialect.width

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
        form = [self.compression] if self.compression else []
        form += [self._pieces.encoding, DELIMITERS[dialect.delimiter]]
        return ", ".join([*form, f"close from {close}", f"timestamp from {timestamp}"])

    def batches(self) -> Iterator[Batch]:
        """Yield all bars; raises `DataError` where the text is in doubt."""
        ending: list[str] = []
        last_line = 0
        for found, found_lines in self._records.blocks():
            rows, lines, problem = self._checked(found, found_lines)
            if rows:
                batch = self._batch(rows, lines)
                ending = [*ending[-1:], *batch.cells]
                last_line = lines[-1]
                yield batch
            if problem:
                raise problem
        if self._pieces.cut and ending and self.dialect.close == self._width - 1:
            self._refuse_cut_close(ending, last_line)

    def _checked(
        self, rows: list[Row], lines: Sequence[int]
    ) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Leave out blank lines, and what follows the first row in doubt, which is returned."""
        if self._pieces.suspect:
            self._refuse_odd_bytes(rows, lines)
        if not self._width:
            self._width = self._width_of(rows)
        if set(map(len, rows)) == {self._width} and self._width == self.dialect.width:
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
        first = next((row for row in rows if not is_blank(row)), [])
        extra = first[self.dialect.width :]
        return (
            0
            if not first
            else self.dialect.width
            if any(extra)
            else self.dialect.width + len(extra)
        )

    def _misfit(self, row: Row, line: int) -> DataError | None:
        """Explain what is wrong with a row's width, if anything."""
        if self._blank_line and self.dialect.width == 1:
            return self._error(self._blank_line, "a blank line among closes: is one missing here?")
        if len(row) == self._width and not "".join(row[self.dialect.width :]).strip(BLANKS):
            return None
        expected = "as the header has" if self._width == self.dialect.width else "as the rows above"
        what = f"{plural(len(row), 'field')} instead of {self._width:,} {expected}: {_start(row)}"
        return self._error(line, what)

    def _refuse_odd_bytes(self, rows: list[Row], lines: Sequence[int]) -> None:
        for row, line in zip(rows, lines, strict=True):
            for place, cell in enumerate(row):
                problem = odd_bytes(cell)
                if problem:
                    raise self._error(line, f"{self._column(place)} is {shown(cell)}, {problem}")

    def _batch(self, rows: list[Row], lines: Sequence[int]) -> Batch:
        place, moments = self.dialect.close, None
        cells = [row[place] for row in rows]
        try:
            closes = parse_closes(cells)
            if self._missing == "error" and None in closes.values:
                raise BadCellError("not a number", closes.values.index(None))
            if self._timestamp is not None:
                place = self._timestamp
                moments = self._timestamps.read([row[place] for row in rows])
        except BadCellError as bad:
            cell = rows[bad.index][place]
            hint = self._close_hint(cell) if place == self.dialect.close else TIMESTAMP_HINT
            raise self._cell_error(lines[bad.index], place, cell, bad.reason, hint) from None
        return Batch(closes, cells, moments, lines)

    def _close_hint(self, cell: str) -> str:
        """Say what to do about a close that is no number."""
        if cell.strip(BLANKS).lower() in MISSING_WORDS:
            return "set missing: skip to leave such rows out, or gap for no signal near them"
        if cell == self.dialect.header[self.dialect.close]:
            return "the header again: are two tables in one file?"
        if any(sign in cell for sign in ",' \u00a0"):
            return "write a point before decimals, and nothing between thousands"
        return ""

    def _refuse_cut_close(self, cells: list[str], line: int) -> None:
        """Refuse a last close without a line end that is shorter than those above it."""
        tails = [len(cell.partition(".")[2]) for cell in cells]
        sizes = [len(cell.strip(BLANKS)) for cell in cells]
        if len(cells) > 1 and (tails[-1] < max(tails[:-1]) or sizes[-1] < min(sizes[:-1])):
            raise self._cell_error(
                line,
                self.dialect.close,
                cells[-1],
                "shorter than those above and without a line end: is the file cut off?",
                "if it is whole, end its last line",
            )

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Explain that a bar is not later than the one before it."""
        assert self.dialect.timestamp is not None
        column = self._column(self.dialect.timestamp)
        return self._error(
            batch.lines[finding.place],
            f"{column} {finding.what} (sort the bars, or set checks: {{{finding.check}: warn}})",
        )

    def _column(self, place: int) -> str:
        if place >= self.dialect.width:
            return f"field {place + 1}"
        name = self.dialect.header[place].strip(BLANKS)
        return name if name.isprintable() and 0 < len(name) <= 40 else f"column {place + 1}"

    def _error(self, line: int, what: str) -> DataError:
        return DataError(f"{self.name} line {line}: {what}")

    def _cell_error(self, line: int, place: int, cell: str, reason: str, hint: str) -> DataError:
        hint = f" ({hint})" if hint else ""
        return self._error(line, f"{self._column(place)} is {shown(cell)}, {reason}{hint}")


def _start(row: Row) -> str:
    return shown(" | ".join(row[:12]), limit=60)
