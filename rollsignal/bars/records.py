"""This module splits text into rows of fields, each with the physical line it begins on."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO

from rollsignal.bars.header import BLANKS, Dialect
from rollsignal.bars.text import MAX_LINE_CHARS
from rollsignal.errors import DataError

MAX_OPEN_CHARS = 1 << 22

Row = list[str]

_CSV_PROBLEMS = (
    ("expected after", "text follows a closing quote, or a quote opened here is never closed"),
    ("field larger", f"a field of more than {MAX_LINE_CHARS:,} characters"),
    ("new-line", "a line end inside a line that is wrapped in quotes"),
)
_NEVER_CLOSED = "a quote opened here is never closed"
_UNFINISHED = "unexpected end of data"


class Records:
    """Split pieces of whole lines, the header first, into blocks of rows.

    problem: makes the error for a line and what is wrong there.
    """

    def __init__(
        self, pieces: Iterable[str], dialect: Dialect, problem: Callable[[int, str], DataError]
    ) -> None:
        self._pieces = pieces
        self._dialect = dialect
        self._problem = problem
        self._wrapped: bool | None = None
        csv.field_size_limit(MAX_LINE_CHARS)

    def blocks(self) -> Iterator[tuple[list[Row], Sequence[int]]]:
        """Yield rows below the header and their lines; raises `DataError` for a bad quote."""
        text, line, header = "", self._dialect.line, 1
        for piece in self._pieces:
            text += piece
            rows, problem = self._split(text)
            lines = self._number(rows, line, text, bool(problem))
            yield self._unwrapped(rows[header:], lines[header:])
            header -= min(header, len(rows))
            after = lines[-1] + _lines_of(rows[-1]) if rows else line
            if problem and problem != _UNFINISHED:
                raise self._problem(after, problem)
            text = text.split("\n", after - line)[-1] if problem else ""
            line = after
            if len(text) > MAX_OPEN_CHARS and text.count("\n") > 1:
                break
        if text:
            raise self._problem(line, _NEVER_CLOSED)

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
