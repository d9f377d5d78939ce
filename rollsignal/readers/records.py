"""This module splits text into rows of fields, each with the physical line it begins on."""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.readers.blocks import MAX_LINE_BYTES
from rollsignal.readers.dialect import Dialect

MAX_OPEN_CHARS = 1 << 22

Row = list[str]

_CSV_PROBLEMS = (
    ("expected after", "text follows a closing quote, or a quote opened here is never closed"),
    ("field larger", f"a field of more than {MAX_LINE_BYTES:,} characters"),
    ("new-line", "a line end inside a line that is wrapped in quotes"),
)
_NEVER_CLOSED = "a quote opened here is never closed"
_UNFINISHED = "unexpected end of data"


class Records:
    """Split text of whole lines, piece after piece, into rows and the lines they begin on.

    problem: makes the error for a line and what is wrong there. `line` is the line that the next
    piece begins on, where no row is left unfinished (`between_rows`).
    """

    def __init__(self, dialect: Dialect, problem: Callable[[int, str], DataError]) -> None:
        self.line = dialect.line
        self._dialect = dialect
        self._problem = problem
        self._header = 1
        self._wrapped: bool | None = None
        self._text = ""
        csv.field_size_limit(MAX_LINE_BYTES)

    @property
    def between_rows(self) -> bool:
        """Tell whether all rows so far are whole, and rows are split as they stand."""
        return not (self._text or self._header or self._wrapped)

    def of(self, piece: str) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Return the rows that end in a piece, without the header, and the bad quote after them."""
        text = self._text + piece
        rows, problem = self._split(text)
        lines = self._number(rows, self.line, text, bool(problem))
        begin, header = self.line, min(self._header, len(rows))
        self.line = lines[-1] + _lines_of(rows[-1]) if rows else begin
        self._header -= header
        self._text = text.split("\n", self.line - begin)[-1] if problem else ""
        found = self._unwrapped(rows[header:], lines[header:])
        return *found, self._open_problem(problem)

    def _open_problem(self, problem: str) -> DataError | None:
        """Explain what ended the rows before the text did, unless it may go on."""
        if problem and problem != _UNFINISHED:
            return self._problem(self.line, problem)
        if len(self._text) > MAX_OPEN_CHARS and self._text.count("\n") > 1:
            return self._problem(self.line, _NEVER_CLOSED)
        return None

    def finish(self) -> None:
        """Raise `DataError` if a row is left unfinished."""
        if self._text:
            raise self._problem(self.line, _NEVER_CLOSED)

    def _split(self, text: str) -> tuple[list[Row], str]:
        """Split whole records off the text's beginning; say what ended that before its end."""
        delimiter = self._dialect.delimiter
        if '"' not in text and not self._dialect.spaced:
            lines = text.removesuffix("\n").split("\n")
            if "" in lines:
                return [line.split(delimiter) if line else [] for line in lines], ""
            return [line.split(delimiter) for line in lines], ""
        rows, problem = _parse(StringIO(text), delimiter, self._dialect.spaced)
        if self._dialect.spaced:
            # A line of blanks only has lost them as the blanks after a delimiter.
            rows = [[] if row == [""] else row for row in rows]
        return rows, problem

    def _number(self, rows: list[Row], line: int, text: str, partly: bool) -> Sequence[int]:
        """Find the line that each row begins on; refuse a field that holds a whole row."""
        if not partly and len(rows) == text.count("\n") + (not text.endswith("\n")):
            return range(line, line + len(rows))
        lines = []
        for row in rows:
            lines.append(line)
            line += _lines_of(row)
            if any("\n" in cell and self._could_be_row(cell) for cell in row):
                raise self._problem(lines[-1], "a quoted field holds a row: is a quote missing?")
        return lines

    def _could_be_row(self, cell: str) -> bool:
        return cell.count(self._dialect.delimiter) >= self._dialect.width - 1

    def _unwrapped(self, rows: list[Row], lines: Sequence[int]) -> tuple[list[Row], Sequence[int]]:
        """Take rows out of the quotes around every line, if the first is quoted like that."""
        if self._wrapped is None:
            first = next((row for row in rows if not is_blank(row)), None)
            self._wrapped = None if first is None else self._is_wrapped(first)
        if not self._wrapped:
            return rows, lines
        for row, line in zip(rows, lines, strict=True):
            if not (is_blank(row) or self._is_wrapped(row)):
                raise self._problem(line, "not wrapped in quotes as a whole, as the rows above are")
        inner, problem = _parse(("".join(row) for row in rows), self._dialect.delimiter, False)
        if problem or len(inner) != len(rows):
            raise self._inner_problem(rows, lines)
        return inner, lines

    def _inner_problem(self, rows: list[Row], lines: Sequence[int]) -> DataError:
        """Explain the first wrapped line that is not one whole row in itself."""
        for row, line in zip(rows, lines, strict=True):
            problem = _parse(row, self._dialect.delimiter, False)[1]
            if problem:
                return self._problem(line, _NEVER_CLOSED if problem == _UNFINISHED else problem)
        return self._problem(lines[0], "lines wrapped in quotes that do not hold a row each")

    def _is_wrapped(self, row: Row) -> bool:
        return len(row) == 1 < self._dialect.width and self._dialect.delimiter in row[0]


def _parse(lines: Iterable[str], delimiter: str, spaced: bool) -> tuple[list[Row], str]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True)
    rows: list[Row] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        text = str(error)
        return rows, next((ours for theirs, ours in _CSV_PROBLEMS if theirs in text), text)
    return rows, ""


def _lines_of(row: Row) -> int:
    return 1 + sum(cell.count("\n") for cell in row)


def is_blank(row: Row) -> bool:
    """Tell a blank line, or one of blanks only, from a row with an empty field."""
    return not row or (len(row) == 1 and row[0] != "" and not row[0].strip(BLANKS))
