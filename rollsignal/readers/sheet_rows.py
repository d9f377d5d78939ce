"""This module reads the rows of a sheet, each cell as the text that a table would have there.

A number is a double: it is written as the shortest decimal that identifies it, as in Parquet. What
a cell does not tell, such as the value of a formula that was never calculated, is refused.
"""

import re
from collections.abc import Iterator

from rollsignal.core.ticks import NUMBER
from rollsignal.errors import DataError
from rollsignal.messages import shown
from rollsignal.readers.sheet_dates import date_text
from rollsignal.readers.workbook import (
    MOST_CELL_CHARS,
    LocalNames,
    Tab,
    Workbook,
    XmlFeed,
    plain_text,
)

MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14
MOST_WHOLE = 1 << 53
CALCULATE = "open the workbook in Excel or LibreOffice, and save it"
_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")

SheetRow = tuple[int, list[str]]
"""The number of a row, counted from 1, and its cells up to the last one that is not empty."""


class SheetRows:
    """The rows of one sheet; decimal: the sign before the decimals of numbers."""

    def __init__(self, workbook: Workbook, tab: Tab, name: str, decimal: str) -> None:
        self._workbook = workbook
        self._part = tab.part
        self._name = name
        self._decimal = decimal
        self._shared = workbook.shared_texts()
        self._dates = workbook.date_styles()
        self._local = LocalNames()
        self._letters = _ColumnLetters()
        self._done: list[SheetRow] = []
        self._row = self._column = 0
        self._row_digits = ""
        self._cells: list[str] = []
        self._given: dict[str, str] = {}
        self._texts: list[str] = []
        self._value = self._inline = ""
        self._formula: str | None = None
        self._is_spoken = False

    def __iter__(self) -> Iterator[SheetRow]:
        """Yield the rows that have cells, from the top; raises `DataError`."""
        xml = XmlFeed(self._broken)
        xml.parser.StartElementHandler = self._start
        xml.parser.EndElementHandler = self._end
        # All text is taken, and what is not that of a cell is cleared where one begins.
        xml.parser.CharacterDataHandler = self._texts.append
        for piece in self._workbook.pieces(self._part):
            xml.feed(piece)
            if sum(map(len, self._texts)) > MOST_CELL_CHARS:
                raise self._problem(f"more than {MOST_CELL_CHARS:,} characters")
            yield from self._done
            self._done.clear()

    def _broken(self, what: str) -> DataError:
        return DataError(f"{self._name}: a damaged sheet: {what}")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        tag = self._local[tag]
        if tag == "c":
            self._given = given
            self._value = self._inline = ""
            self._formula = None
            self._column = self._column_of(given.get("r"))
        elif tag == "row":
            self._begin_row(given.get("r"))
        elif tag == "rPh":
            self._is_spoken = True
        self._texts.clear()

    def _end(self, tag: str) -> None:
        tag = self._local[tag]
        if tag == "v":
            self._value = "".join(self._texts)
        elif tag == "c":
            if text := self._cell():
                if missing := self._column - 1 - len(self._cells):
                    self._cells += [""] * missing
                self._cells.append(text)
        elif tag == "row":
            self._done.append((self._row, self._cells))
        else:
            self._end_rare(tag)

    def _end_rare(self, tag: str) -> None:
        if tag == "f":
            self._formula = "".join(self._texts)
        elif tag == "t" and not self._is_spoken:
            self._inline += "".join(self._texts)
        elif tag == "rPh":
            self._is_spoken = False

    def _begin_row(self, number: str | None) -> None:
        before = self._row
        self._row = before + 1 if number is None else _counted(number, MOST_ROWS)
        if not before < self._row <= MOST_ROWS:
            raise self._broken(f"row {shown(number or '')} follows row {before:,}")
        self._row_digits = str(self._row)
        self._column, self._cells = 0, []

    def _column_of(self, place: str | None) -> int:
        """Return the column of a cell, counted from 1; without a place it follows the last one."""
        column = self._column + 1
        if place is not None and place != self._letters[column] + self._row_digits:
            match = _PLACE.fullmatch(place)
            column = _column_number(match[1]) if match and match[2] == self._row_digits else 0
        if not self._column < column <= MOST_COLUMNS:
            raise self._broken(f"a cell {shown(place or '')} in row {self._row:,}, out of order")
        return column

    def _cell(self) -> str:
        """Return a cell as text; raises `DataError` for one that does not tell its value."""
        value, kind = self._value, self._given.get("t", "n")
        if self._formula is not None:
            self._refuse_uncalculated(self._formula, value or kind == "str")
        if kind == "inlineStr":
            return plain_text(self._inline)
        if kind in ("str", "e", "d"):
            return plain_text(value)
        value = value.strip()
        if not value:
            return ""
        if kind == "n":
            return self._number(value)
        if kind == "s":
            return self._shared_text(value)
        if kind == "b":
            return "TRUE" if value in ("1", "true") else "FALSE"
        raise self._problem(f"a cell of type {shown(kind)}, which is not known")

    def _refuse_uncalculated(self, formula: str, has_value: object) -> None:
        if has_value and not self._workbook.is_uncalculated:
            return
        written = shown("=" + formula)
        what = f"the formula {written} has no value"
        if has_value:
            what = f"the value of the formula {written} is still to be calculated"
        raise self._problem(f"{what} ({CALCULATE})")

    def _shared_text(self, value: str) -> str:
        index = 0 if value == "0" else _counted(value, len(self._shared))
        if not 0 <= index < len(self._shared):
            raise self._problem(f"text number {shown(value)} is missing")
        return self._shared[index]

    def _number(self, value: str) -> str:
        number = float(value) if NUMBER.fullmatch(value) else float("inf")
        if abs(number) == float("inf"):
            raise self._problem(f"{shown(value)}, not a number that a cell can have")
        style = self._given.get("s", "0")
        if style in self._dates:
            from_1904 = self._workbook.counts_from_1904
            return date_text(number, self._dates[style], from_1904=from_1904)
        if number.is_integer() and abs(number) <= MOST_WHOLE:
            return str(int(number))
        return repr(number).replace(".", self._decimal)

    def _problem(self, what: str) -> DataError:
        return DataError(f"{self._name} cell {self._letters[self._column]}{self._row}: {what}")


def _counted(text: str, most: int) -> int:
    """Return a whole number from 1 on; -1 for anything else, or more than `most`."""
    is_whole = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if is_whole and 1 <= int(text) <= most else -1


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class _ColumnLetters(dict[int, str]):
    """The letters of the columns by their numbers, counted from 1."""

    def __missing__(self, column: int) -> str:
        letters, rest = "", column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        self[column] = letters
        return letters
