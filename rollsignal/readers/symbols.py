"""This module holds what the symbols of one file must be, and finds them in paths by a pattern."""

import re
from collections.abc import Sequence

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.reader import plain_name
from rollsignal.errors import BadCellError, Choice, DataError
from rollsignal.files.find import Input, utf8_text
from rollsignal.messages import escaped, shown

# A column of these names parts the series. One of another usual name may hold something else.
PARTING_NAMES = ("symbol", "ticker")
SIGN = ":"
"""What stands between the parts of a symbol."""

# Blanks, ends of lines, controls and what only says how others are shown, as Unicode calls them.
_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")


class SymbolRule:
    """The rule for the symbols of a file: none is empty, and in some files all are the same.

    columns: the names of the columns whose cells make a symbol, which is checked and joined by
    `joined` if there are several. in_path: the symbol that all rows must have, if the file's path
    gives one. In a column that the config does not declare, and whose name does not part the
    series, the first row gives it.
    """

    def __init__(self, columns: Sequence[str], wanted: Columns, in_path: str | None) -> None:
        column = columns[0]
        self._column = escaped(column.strip(BLANKS))
        self._columns = [shown(name.strip(BLANKS)) for name in columns]
        self._in_path = in_path
        self._whole = in_path
        self._is_found = wanted.symbol is None
        self._parts = not self._is_found or plain_name(column) in PARTING_NAMES

    def agree(self, names: Sequence[str]) -> bool:
        """Return whether these are the symbols that the rows must have, as far as that is known."""
        if self._whole is None:
            return self._parts and not any(map(has_hidden_end, names))
        return all(name.strip(BLANKS) == self._whole for name in names)

    def whole_from(self, first: str) -> str | None:
        """Return the symbol that all rows must have, None if they may have any.

        first: the symbol of the first of the next rows.
        """
        if self._whole is None and not self._parts:
            self._whole = first
        return self._whole

    def joined(self, parts: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the symbols of rows; parts: the cells of each column.

        Raises `BadCellError` for a part that is empty, or that could be taken for two.
        """
        if len(parts) == 1:
            return parts[0]
        rows = [tuple(cell.strip(BLANKS) for cell in row) for row in zip(*parts, strict=True)]
        wrong = {row: what for row in dict.fromkeys(rows) if (what := self._wrong_part(row))}
        if wrong:
            index = next(at for at, row in enumerate(rows) if row in wrong)
            raise BadCellError(wrong[rows[index]], index)
        return list(map(SIGN.join, rows))

    def _wrong_part(self, row: Sequence[str]) -> str:
        """Return what is wrong with the parts of a symbol, "" if it can be taken apart again."""
        for name, part in zip(self._columns, row, strict=True):
            if not part:
                return f"the symbol is empty in column {name}"
            if has_hidden_end(part):
                return _with_hidden_end(part)
        for name, part in zip(self._columns[:-1], row, strict=False):
            if SIGN in part:
                return (
                    f"the symbol has {shown(part)} in column {name}, but {shown(SIGN)} stands"
                    " between its parts, and only the last part may have it (name that column"
                    " last in columns.symbol)"
                )
        return ""

    def joined_codes(self, parts: "Sequence[Coded]") -> "Coded | None":
        """Return the symbols of rows as `joined` does; None if one of them is wrong."""
        if len(parts) == 1:
            return parts[0]
        import numpy as np

        codes = parts[0].codes
        for part in parts[1:]:
            codes = codes * len(part.names) + part.codes
        different, firsts, codes = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(firsts)
        rows = [
            tuple(part.names[part.codes[row]].strip(BLANKS) for part in parts)
            for row in firsts[order].tolist()
        ]
        if any(map(self._wrong_part, rows)):
            return None
        numbers = np.empty(len(different), np.int64)
        numbers[order] = np.arange(len(different))
        return Coded(list(map(SIGN.join, rows)), numbers[codes])

    def wrong(self, symbols: Sequence[str]) -> tuple[int, str] | None:
        """Return the index of the first wrong symbol, and what is wrong with it; None without one.

        symbols: those of the next rows, without blanks around them.
        """
        if "" in symbols:
            return symbols.index(""), "the symbol is empty" + self.way_out
        different = set(symbols)
        if hidden := set(filter(has_hidden_end, different)):
            row = next(row for row, symbol in enumerate(symbols) if symbol in hidden)
            return row, _with_hidden_end(symbols[row])
        whole = self.whole_from(symbols[0])
        if whole is None or different == {whole}:
            return None
        row = next(row for row, symbol in enumerate(symbols) if symbol != whole)
        return row, self._contradiction(symbols[row])

    def _contradiction(self, symbol: str) -> str:
        if self._in_path is not None:
            return f"the symbol is {shown(symbol)}, but {shown(self._in_path)} in the path"
        name = self._column
        return (
            f"{name} is {shown(symbol)}, but {shown(self._whole or '')} above (set columns:"
            f" {{symbol: {name}}} if each {name} is a series, or {{symbol: none}} if all bars are"
            " one series)"
        )

    @property
    def choices(self) -> list[Choice]:
        """Return what the config may say of a column that it does not declare."""
        if not self._is_found:
            return []
        return [{"columns.symbol": self._column}, {"columns.symbol": "none"}]

    @property
    def way_out(self) -> str:
        """Return what to do if a column that the config does not declare holds no symbols."""
        if not self._is_found:
            return ""
        what = f"whatever {self._column} says"
        return f" (set columns: {{symbol: none}} if all bars are one series, {what})"


def has_hidden_end(name: str) -> bool:
    r"""Return whether a symbol begins or ends with a sign that nobody sees.

    >>> has_hidden_end("A"), has_hidden_end("A\u00a0")
    (False, True)
    """
    if name.isascii():
        return False
    from unicodedata import category

    plain = name.strip(BLANKS)
    return category(plain[0]) in _UNSEEN or category(plain[-1]) in _UNSEEN


def _with_hidden_end(symbol: str) -> str:
    return (
        f"the symbol is {shown(symbol)}, with a sign at its end or beginning that is not seen, so"
        " it would be another series than the symbol that looks like it (remove that sign)"
    )


def joined_in_path(file: Input, parts: Sequence[str | None]) -> str | None:
    """Return the symbol that folders make together; None if one of its parts is not in the path.

    Raises `DataError` if it could be taken for another one.
    """
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    for part in found[:-1]:
        if SIGN in part:
            what = f"{shown(part)} in the path has {shown(SIGN)}, which stands between the parts"
            raise DataError(f"{file.name}: {what} of a symbol", "name that folder last")
    return SIGN.join(found)


def symbol_in_path(file: Input, source: SymbolFrom) -> str:
    """Return the symbol that a file's folder is called, or that a pattern finds in its path.

    Raises `DataError` if there is none, or if the pattern finds several.
    """
    path = _path_as_given(file)
    if source.pattern is None:
        folder = path.rpartition("/")[0].rpartition("/")[2].strip(BLANKS)
        if folder in ("", ".", ".."):
            what = "no folder in the path as given"
            raise DataError(f"{file.name}: {what}", "give the path with the folder, as BTC/a.csv")
        return utf8_text(folder)
    return _found_in(file, source.pattern, "symbol")


def day_in(file: Input, pattern: str) -> str:
    """Return the day that a pattern finds in a file's path.

    Raises `DataError` if there is none, or if the pattern finds several.
    """
    return _found_in(file, pattern, "timestamp")


def _found_in(file: Input, pattern: str, setting: str) -> str:
    """Return what a pattern finds in a path; setting: which of the columns that is."""
    kind = {"symbol": "symbol", "timestamp": "date"}[setting]
    matches = (match[1] or "" for match in re.finditer(pattern, _path_as_given(file)))
    found = list(dict.fromkeys(utf8_text(text.strip(BLANKS)) for text in matches))
    if len(found) == 1 and found[0]:
        return found[0]
    what = f"columns.{setting}.pattern {shown(pattern)}"
    if not found:
        raise DataError(f"{file.name}: {what} does not match the path", _FITTING)
    if "" in found:
        raise DataError(f"{file.name}: {what} finds an empty {kind} in the path", _FITTING)
    listed = " and ".join(map(shown, found[:2]))
    raise DataError(f"{file.name}: {what} finds several {kind}s in the path: {listed}", _FITTING)


_FITTING = (
    "correct the pattern so that it matches each path once, or leave such files out of --input"
)


def _path_as_given(file: Input) -> str:
    """Return the path as it was given, of a URL without its query."""
    if file.kind != "url":
        return file.path
    from rollsignal.files.remote import WEB, location_of

    if location_of(file.path).scheme not in WEB:
        return file.path
    from urllib.parse import unquote

    return unquote(re.split("[?#]", file.path, maxsplit=1)[0])
