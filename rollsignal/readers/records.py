"""This module splits text into rows of fields, each with the physical line where it begins."""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.readers.blocks import MAX_LINE_BYTES
from rollsignal.readers.dialect import Dialect, split_at_blanks

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
    """Split text of whole lines, piece by piece, into rows and the lines where they begin.

    problem: makes the error for a line from what is wrong there. `line` is the line where the next
    row begins, which is the next piece's first line if no row is unfinished (`between_rows`).
    """

    def __init__(self, dialect: Dialect, problem: Callable[[int, str], DataError]) -> None:
        self.line = dialect.line
        self._dialect = dialect
        self._problem = problem
        self._header = int(dialect.headed)
        self._wrapped: bool | None = None
        self._text = ""
        self.comments: set[int] = set()
        self.ends_in_comment = False
        csv.field_size_limit(MAX_LINE_BYTES)

    @property
    def between_rows(self) -> bool:
        """Whether the header and all rows so far are complete, and not wrapped in quotes."""
        return not (self._text or self._header or self._wrapped)

    @property
    def memory(self) -> tuple[bool, bool | None] | None:
        """Return how further rows are split, None while the header or a row is unfinished."""
        return None if self._text or self._header else (self._dialect.spaced, self._wrapped)

    def of(self, piece: str) -> tuple[list[Row], Sequence[int], DataError | None]:
        """Return the rows that end in a piece, their lines, and the problem after them, if any."""
        text = self._text + piece
        if self._dialect.comment:
            text = self._without_comments(text)
        rows, problem = self._split(text)
        lines = self._number(rows, self.line, text, bool(problem))
        start, header = self.line, min(self._header, len(rows))
        self.line = lines[-1] + _lines_of(rows[-1]) if rows else start
        self._header -= header
        self._text = text.split("\n", self.line - start)[-1] if problem else ""
        unwrapped = self._unwrapped(rows[header:], lines[header:])
        return *unwrapped, self._open_problem(problem)

    def _open_problem(self, problem: str) -> DataError | None:
        """Return the error that ended the rows early; None if the next piece may end the row."""
        if problem and problem != _UNFINISHED:
            return self._problem(self.line, problem)
        if len(self._text) > MAX_OPEN_CHARS and self._text.count("\n") > 1:
            return self._problem(self.line, _NEVER_CLOSED)
        return None

    def finish(self) -> None:
        """Raise `DataError` if a row is left unfinished."""
        if self._text:
            raise self._problem(self.line, _NEVER_CLOSED)

    def _without_comments(self, text: str) -> str:
        """Make comments blank lines; those inside an open quote stay."""
        kept: list[str] = []
        self.comments = set()
        quotes = 0
        for number, line in enumerate(text.split("\n"), start=self.line):
            if line.startswith(self._dialect.comment) and not quotes % 2:
                self.comments.add(number)
                kept.append("")
                continue
            quotes += line.count('"')
            kept.append(line)
        self.ends_in_comment = self.line + len(kept) - 1 in self.comments
        return "\n".join(kept)

    def _split(self, text: str) -> tuple[list[Row], str]:
        """Split the text into whole rows; also return the problem that ended them early, or ""."""
        delimiter = self._dialect.delimiter
        if delimiter == BLANKS:
            return _parted(text)
        if '"' not in text and not self._dialect.spaced:
            lines = text.removesuffix("\n").split("\n")
            if "" in lines:
                return [line.split(delimiter) if line else [] for line in lines], ""
            return [line.split(delimiter) for line in lines], ""
        rows, problem = _parse(StringIO(text), delimiter, self._dialect.spaced)
        if self._dialect.spaced:
            # Of a line of blanks only, csv has skipped them as blanks after a delimiter.
            rows = [[] if row == [""] else row for row in rows]
        return rows, problem

    def _number(self, rows: list[Row], line: int, text: str, partly: bool) -> Sequence[int]:
        """Find the line where each row begins; refuse a field that holds a whole row."""
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
        """Take rows out of quotes around whole lines, if the first row is quoted like that."""
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
        """Return the error for the first wrapped line that does not hold exactly one row."""
        for row, line in zip(rows, lines, strict=True):
            problem = _parse(row, self._dialect.delimiter, False)[1]
            if problem:
                return self._problem(line, _NEVER_CLOSED if problem == _UNFINISHED else problem)
        return self._problem(lines[0], "lines wrapped in quotes that do not hold a row each")

    def _is_wrapped(self, row: Row) -> bool:
        return len(row) == 1 < self._dialect.width and self._dialect.delimiter in row[0]


def _parted(text: str) -> tuple[list[Row], str]:
    """Split lines at blanks, up to one with a quote, which has no meaning there."""
    rows: list[Row] = []
    for line in text.removesuffix("\n").split("\n"):
        if '"' in line:
            return rows, "a quote, where blanks are between fields"
        rows.append(split_at_blanks(line))
    return rows, ""


def _parse(lines: Iterable[str], delimiter: str, spaced: bool) -> tuple[list[Row], str]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True)
    rows: list[Row] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        text = str(error)
        return rows, next((reason for pattern, reason in _CSV_PROBLEMS if pattern in text), text)
    return rows, ""


def _lines_of(row: Row) -> int:
    return 1 + sum(cell.count("\n") for cell in row)


def is_blank(row: Row) -> bool:
    """Return whether a row is a blank line, rather than a row with an empty field."""
    return not row or (len(row) == 1 and row[0] != "" and not row[0].strip(BLANKS))
