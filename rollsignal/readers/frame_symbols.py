"""This module reads the symbols of a columnar table: numbered where that is sure, or as cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.readers.columns import cell_text
from rollsignal.readers.frame_columns import FrameColumns
from rollsignal.readers.symbols import SymbolRule, has_hidden_end

if TYPE_CHECKING:
    import polars as pl


class FrameSymbols:
    """The symbols of the frames of a file, one after the other, as the rule wants them."""

    def __init__(self, columns: FrameColumns, rule: SymbolRule, where: str) -> None:
        """Raise `DataError` for a column that holds neither text nor whole numbers."""
        for name in columns.symbol_names:
            _check_type(name, columns.schema[name], rule, where)
        self._rule = rule
        self._codes = [SymbolColumn() for _ in columns.symbols]

    @property
    def has_empty(self) -> bool:
        """Return whether one of the symbols so far is empty."""
        return any(codes.has_empty for codes in self._codes)

    def coded(self, frame: "pl.DataFrame") -> Coded | None:
        """Return the symbols of rows; None if one is missing, or not that of the whole file."""
        rule, columns = self._rule, self._of(frame)
        if any(symbols.null_count() for symbols in columns):
            return None
        if len(columns) == 1 and not _agree(columns[0], rule):
            return None
        parts = [codes.coded(each) for codes, each in zip(self._codes, columns, strict=True)]
        if any(codes.has_hidden_end for codes in self._codes):
            return None
        coded = rule.joined_codes(parts)
        return coded if len(columns) == 1 or (coded and rule.agree(coded.names)) else None

    def cells(self, frame: "pl.DataFrame") -> Sequence[Sequence[str]]:
        """Return the cells of each column that makes the symbols."""
        return [list(map(cell_text, symbols.to_list())) for symbols in self._of(frame)]

    def _of(self, frame: "pl.DataFrame") -> "list[pl.Series]":
        return [frame[f"symbol {number}"] for number in range(len(self._codes))]


def _check_type(name: str, dtype: "pl.DataType", rule: SymbolRule, where: str) -> None:
    import polars as pl

    if not (dtype.is_integer() or dtype in (pl.String, pl.Categorical, pl.Enum)):
        raise DataError(
            f"{where}: the symbol column {name} holds {dtype}, not text or whole numbers"
            + rule.way_out
        )


def _agree(symbols: "pl.Series", rule: SymbolRule) -> bool:
    """Return whether all rows have the symbol of the whole file, if it has one."""
    import polars as pl

    whole = rule.whole_from(cell_text(symbols[0]).strip(BLANKS))
    if whole is None:
        return True
    return bool((symbols.cast(pl.String).str.strip_chars(BLANKS) == whole).all())


class SymbolColumn:
    """Number the symbols of a file, batch by batch, in the order in which they first appear.

    polars keeps the same number for a text in all batches, so each text is looked up once.
    `has_empty` is whether one of the symbols is empty, `has_hidden_end` whether one begins or ends
    with a sign that nobody sees.
    """

    def __init__(self) -> None:
        import numpy as np
        import polars as pl

        self.has_empty = False
        self.has_hidden_end = False
        self._names: list[str] = []
        self._type = pl.Categorical(pl.Categories.random())
        # polars forgets the numbers when no column of this type is left, so keep one.
        self._kept = pl.Series([""]).cast(self._type)
        self._codes = np.zeros(0, np.int64)

    def coded(self, symbols: "pl.Series") -> Coded:
        """Return the symbols seen so far, and the index of each row's symbol among them."""
        import numpy as np
        import polars as pl

        numbers = symbols.cast(pl.String).cast(self._type).to_physical().to_numpy()
        more = int(numbers.max()) + 1 - len(self._codes)
        if more > 0:
            self._codes = np.concatenate((self._codes, np.full(more, -1, np.int64)))
        new = np.flatnonzero(self._codes[numbers] < 0)
        if len(new):
            added, firsts = np.unique(numbers[new], return_index=True)
            in_order = np.argsort(firsts)
            for number, first in zip(added[in_order], firsts[in_order], strict=True):
                self._codes[number] = len(self._names)
                self._names.append(str(symbols[int(new[first])]))
                self.has_empty |= not self._names[-1].strip(BLANKS)
                self.has_hidden_end |= has_hidden_end(self._names[-1])
        return Coded(self._names, self._codes[numbers])
