"""This module numbers the symbols of a panel, in the order in which they are first seen."""

from typing import TYPE_CHECKING

from rollsignal.bars.batch import Coded
from rollsignal.bars.header import BLANKS

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


class SymbolCodes:
    """Number symbols from 0; `names` holds them by their numbers."""

    def __init__(self) -> None:
        import numpy as np

        self.names: list[str] = []
        self._kind: pl.Categorical | None = None
        self._numbers: dict[str, int] = {}
        self._by_category = np.zeros(0, np.int64)

    def of(self, symbols: "Coded | pl.Series") -> "NDArray[np.int64]":
        """Return the number of each symbol, -1 for an empty one."""
        import numpy as np

        if isinstance(symbols, Coded):
            numbers = np.array([self.number(name) for name in symbols.names], np.int64)
            found: NDArray[np.int64] = numbers[symbols.codes]
            return found
        return self._of_series(symbols)

    def number(self, symbol: str) -> int:
        """Return the number of one symbol, -1 for an empty one."""
        name = symbol.strip(BLANKS)
        if not name:
            return -1
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def _of_series(self, symbols: "pl.Series") -> "NDArray[np.int64]":
        import numpy as np
        import polars as pl

        if self._kind is None:
            # polars forgets its numbers when no column of the kind is left, so one is kept.
            self._kind = pl.Categorical(pl.Categories.random())
            self._kept = pl.Series([""]).cast(self._kind)
        categories = symbols.cast(pl.String).cast(self._kind).to_physical().to_numpy()
        size = int(categories.max()) + 1
        if size > len(self._by_category):
            unknown = np.full(size - len(self._by_category), -2, np.int64)
            self._by_category = np.concatenate((self._by_category, unknown))
        new = np.flatnonzero(self._by_category[categories] == -2)
        if len(new):
            found, places = np.unique(categories[new], return_index=True)
            for category, place in sorted(
                zip(found, places, strict=True), key=lambda pair: pair[1]
            ):
                self._by_category[category] = self.number(str(symbols[int(new[place])]))
        codes: NDArray[np.int64] = self._by_category[categories]
        return codes
