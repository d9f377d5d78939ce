"""This module finds the header and the first row of a text table, by what the config declares.

It also finds a header below other lines. Whether a line is a bar is told by its cells in the
columns that are read: the close is a number, and the timestamp a time.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rollsignal.config.rules import AUTO, NO_HEADER
from rollsignal.config.settings import JobConfig
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.messages import line_of, plural, shown, unit_of
from rollsignal.readers.bar_lines import BarLine, Verdict, are_numbered, columns_by_place
from rollsignal.readers.dialect import (
    Dialect,
    HeaderPlace,
    before_header,
    columns_named,
    delimiter_name,
    dialect_at,
    is_spaced,
    split_header,
)
from rollsignal.readers.wrong_headers import several_splits

COMPARED_ROWS = 5


class TextLine(NamedTuple):
    """A line of the beginning of a text, its number in an editor, and its offset."""

    text: str
    number: int
    start: int

    def cells(self, delimiter: str) -> tuple[str, ...]:
        """Return its fields."""
        return split_header(self.text, delimiter)


def declared_dialect(text: str, config: JobConfig, name: str, in_path: Sequence[str]) -> Dialect:
    """Find the dialect of a table as the config declares it; raises `DataError`.

    text: the table's beginning, with all lines that the config names. in_path: the names of the
    columns that the file's path stands for.
    """
    return _Layout(text, config, name, in_path).dialect()


def header_below_others(
    text: str, config: JobConfig, name: str, in_path: Sequence[str]
) -> Dialect | None:
    """Find the dialect of a table whose header is not its first line; None if none may be it."""
    layout = _Layout(text, config, name, in_path)
    header = layout.lines and layout.named_header(layout.lines)
    if not header or header == layout.lines[0]:
        return None
    return layout.checked(layout.headed(header), None)


class _Layout:
    """The lines of a table's beginning that are not blank, and what the config says of them."""

    def __init__(self, text: str, config: JobConfig, name: str, in_path: Sequence[str]) -> None:
        self._text = text
        self._config = config
        self._table = config.table
        self._name = name
        self._unit = unit_of(name)
        self._in_path = in_path
        self._bars = BarLine(config, in_path, name)
        _, first, found = before_header(text)
        self._delimiters = _declared_delimiters(self._table.delimiter) or found
        if len(found) == 1 and found[0] != self._delimiters[0]:
            what = f"sep={found[0]}, but table.delimiter is {self._table.delimiter}"
            raise DataError(f"{line_of(name, first - 1)}: {what}")
        self._every = list(_text_lines(text))
        below = (line for line in self._every if line.number >= first and line.text.strip())
        self.lines = [line for line in below if not self._is_comment(line)]

    def dialect(self) -> Dialect:
        """Find the dialect; raises `DataError`."""
        if not self.lines:
            raise DataError(f"{self._name}: no rows: the file is empty or blank")
        row = self._line_at("first_row", self._table.first_row)
        header = self._header(row)
        if header is None:
            first = row or self.lines[0]
            return self.checked(self._unheaded(first), first)
        if row and row.number <= header.number:
            what = f"the header, and so table.first_row, {row.number:,}, must be below it"
            raise self._problem(header, what, "set table: {first_row: null}")
        return self.checked(self.headed(header), row)

    def headed(self, header: TextLine) -> Dialect:
        """Return the dialect of a table with this header."""
        place = HeaderPlace(header.start, header.number, self._delimiters)
        columns = self._config.columns
        dialect = dialect_at(self._text, place, columns, self._name, self._in_path)
        is_first = header.number == self.lines[0].number
        note = "" if is_first else f"header in {self._unit} {header.number:,}"
        return dialect._replace(note=note)

    def named_header(self, lines: Sequence[TextLine]) -> TextLine | None:
        """Return the header: the first line, or the one line with the names and rows below.

        lines: those at the beginning.
        """
        if not lines or any(self._is_named(lines[0], sign) for sign in self._delimiters):
            return lines[0] if lines else None
        found = [line for at, line in enumerate(lines) if self._heads_rows(at)]
        if len(found) > 1:
            numbers = " and ".join(f"{line.number:,}" for line in found[:2])
            hint = f"set table: {{header: {found[0].number}}} or the like"
            error = DataError(
                f"{self._name}: {self._unit}s {numbers} may each be the header ({hint})"
            )
            raise error.choosing(*({"table.header": line.number} for line in found))
        return found[0] if found else lines[0]

    def checked(self, dialect: Dialect, row: TextLine | None) -> Dialect:
        """Return the dialect with its first row; raises `DataError` for bars above it."""
        first = row.number if row else dialect.line
        for line in self.lines:
            if line.number >= first:
                break
            cells = line.cells(dialect.delimiter)
            if line.number != dialect.line and self._bars.is_bar(cells, dialect):
                where = "first bar" if row else "header"
                what = f"a bar, above {self._unit} {first:,}, which would be that of the {where}"
                hint = "remove the lines above the header, if they are not of its table"
                if row:
                    hint = f"set table: {{first_row: {line.number}}}, or remove the line"
                raise self._problem(line, what, hint)
        dialect = dialect._replace(comment=self._table.comment or "")
        if row is None:
            return self._below_comments(dialect)
        note = dialect.note or ("" if any(dialect.header) else "no header")
        if row.number != self.lines[0].number:
            note = ", ".join(filter(None, (note, f"first bar in {self._unit} {row.number:,}")))
        return dialect._replace(start=row.start, line=row.number, headed=False, note=note)

    def _below_comments(self, dialect: Dialect) -> Dialect:
        """Return the dialect of a table that begins below its header, if there may be comments."""
        if not dialect.comment or not dialect.headed:
            return dialect
        header = self._every[dialect.line - 1]
        start = min(header.start + len(header.text) + 1, len(self._text))
        return dialect._replace(start=start, line=dialect.line + 1, headed=False)

    def _is_comment(self, line: TextLine) -> bool:
        return bool(self._table.comment) and line.text.startswith(self._table.comment or "")

    def _line_at(self, setting: str, number: int | None) -> TextLine | None:
        """Return a line that the config names; raises `DataError` if it is blank or missing."""
        if number is None:
            return None
        if number > len(self._every):
            count = plural(len(self._every), self._unit)
            raise DataError(f"{self._name}: {count}, but table.{setting} is {number:,}")
        line = self._every[number - 1]
        if not line.text.strip():
            raise self._problem(line, f"blank, but table.{setting} names it")
        return line

    def _header(self, row: TextLine | None) -> TextLine | None:
        """Return the header; None if there is none."""
        wanted, first = self._table.header, self.lines[0]
        if wanted == NO_HEADER:
            return None
        if isinstance(wanted, int):
            header = self._line_at("header", wanted)
            if header and self._verdict(header) == "bar":
                what = "a bar, but table.header says that it is the header"
                raise self._problem(header, what, "set table: {header: none}")
            return header
        if row and row.number <= first.number:
            self._refuse_names(row)
            return None
        if isinstance(self._config.columns.close, int):
            verdict = self._verdict(first)
            if verdict == "unclear":
                hint = f"set table: {{header: none}} if it is a bar, or {{header: {first.number}}}"
                what = f"{shown(first.text, limit=60)} may be the header, or a bar"
                problem = self._problem(first, what, hint)
                raise problem.choosing({"table.header": "none"}, {"table.header": first.number})
            return None if verdict == "bar" else first
        above = [line for line in self.lines if row is None or line.number < row.number]
        return self.named_header(above)

    def _refuse_names(self, row: TextLine) -> None:
        """Refuse a first row without a header above it, if the config names columns."""
        named = [name for name in ("close", "timestamp") if self._config.columns.is_named(name)]
        if named:
            what = f"the first row, and so no header is above it, but columns.{named[0]} is a name"
            hint = "write under columns the places of the columns, counted from 1"
            raise self._problem(row, what, hint)

    def _verdict(self, line: TextLine) -> Verdict:
        """Return what a line is by the columns with a place, for the delimiter that fits best."""
        record = self._text[line.start :]
        verdicts = {self._bars.verdict(split_header(record, sign)) for sign in self._delimiters}
        order: tuple[Verdict, ...] = ("bar", "unclear", "header")
        return next(verdict for verdict in order if verdict in verdicts)

    def _is_named(self, line: TextLine, delimiter: str) -> bool:
        cells = line.cells(delimiter)
        if self._config.columns.is_wide:
            return len(cells) > 1
        return bool(columns_named(cells, self._config.columns.close))

    def _heads_rows(self, at: int) -> bool:
        """Return whether a line has the column of closes, and the rows below have its width."""
        line, *below = self.lines[at : at + 1 + COMPARED_ROWS]
        for sign in self._delimiters:
            width = len(line.cells(sign))
            if width > 1 and below and self._is_named(line, sign):
                return all(len(row.cells(sign)) == width for row in below)
        return False

    def _unheaded(self, row: TextLine) -> Dialect:
        """Return the dialect of a table without a header; raises `DataError`."""
        # A quoted field may go on in the next line.
        record = self._text[row.start :]
        rows = {sign: split_header(record, sign) for sign in self._delimiters}
        fitting = [sign for sign, cells in rows.items() if self._bars.verdict(cells) == "bar"]
        if len({rows[sign] for sign in fitting}) > 1:
            names = list(map(delimiter_name, fitting))
            raise several_splits(names, line_of(self._name, row.number))
        sign = fitting[0] if fitting else max(rows, key=lambda sign: len(rows[sign]))
        where = line_of(self._name, row.number)
        if len(rows[sign]) > 2 and are_numbered(rows[sign]):
            hint = f"set table: {{header: {row.number}}}, or leave out the line"
            raise DataError(f"{where}: the numbers of the columns, and not a bar ({hint})")
        if self._table.delimiter == AUTO and sign in (self._table.decimal, self._table.thousands):
            what = f"{delimiter_name(sign)} between fields, which table has in numbers"
            hint = "say with table.delimiter what is between fields"
            raise DataError(f"{where}: {what} ({hint})")
        columns = self._config.columns
        places = columns_by_place(rows[sign], columns, self._in_path, where)
        width = len(rows[sign])
        spaced = is_spaced(row.text, sign)
        place, header = (row.start, row.number), ("",) * width
        close, timestamp, clock, symbols = places
        symbol = symbols[0] if symbols else None
        dialect = Dialect(*place, sign, spaced, header, close, timestamp, symbol, clock, False)
        dialect = dialect._replace(rest=symbols[1:])
        self._bars.refuse_unsaid_clock(rows[sign], dialect, where)
        self._bars.refuse_unsaid_symbols(rows[sign], dialect, where)
        return dialect

    def _problem(self, line: TextLine, what: str, hint: str = "") -> DataError:
        hint = f" ({hint})" if hint else ""
        return DataError(f"{line_of(self._name, line.number)}: {what}{hint}")


def _declared_delimiters(delimiter: str) -> list[str]:
    """Return the one delimiter that the config declares, as a list."""
    if delimiter == AUTO:
        return []
    return [{"tab": "\t", "blanks": BLANKS}.get(delimiter, delimiter)]


def _text_lines(text: str) -> Iterator[TextLine]:
    start = 0
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        yield TextLine(line, number, start)
        start += len(line) + 1
