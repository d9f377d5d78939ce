"""This module numbers the symbols of a panel in the order of their first bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.ticks import BLANKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Coded(NamedTuple):
    """A column of symbols: the distinct ones, and each row's index among them."""

    names: Sequence[str]
    codes: "NDArray[np.int64]"


class SymbolCodes:
    """Number symbols from 0; `names` lists them in that order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, symbols: Coded) -> "NDArray[np.int64]":
        """Return the number of each symbol, -1 for an empty one."""
        import numpy as np

        numbers = [self.number(name) for name in symbols.names]
        if numbers == list(range(len(numbers))):
            return symbols.codes
        codes: NDArray[np.int64] = np.array(numbers, np.int64)[symbols.codes]
        return codes

    def number(self, symbol: str) -> int:
        """Return the number of one symbol, -1 for an empty one."""
        name = symbol.strip(BLANKS)
        if not name:
            return -1
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]
