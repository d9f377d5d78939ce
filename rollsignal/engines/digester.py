"""This module digests the rows of a run as they are decided."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollsignal.digest import digest_arrays, digest_rows, key_table, plus
from rollsignal.engines.rows import ArrayRows, Rows, SignalRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Digester:
    """Add up the digest of all rows that it hears; `digest` is that so far."""

    def __init__(self, digest: int = 0) -> None:
        self.digest = digest
        self._keys = KeyTable()

    def __call__(self, rows: Rows) -> None:
        """Take rows."""
        of = self._of_arrays(rows) if isinstance(rows, ArrayRows) else self._of_rows(rows)
        self.digest = plus(self.digest, of)

    def _of_rows(self, rows: Sequence[SignalRow]) -> int:
        by_symbol: dict[str, list[SignalRow]] = {}
        for row in rows:
            by_symbol.setdefault(row.symbol, []).append(row)
        total = 0
        for symbol, of_symbol in by_symbol.items():
            places = [row.place for row in of_symbol]
            total = plus(total, digest_rows(symbol, places, [row.signal for row in of_symbol]))
        return total

    def _of_arrays(self, rows: ArrayRows) -> int:
        return digest_arrays(self._keys.of(rows), rows.places, rows.signals, rows.codes)


class KeyTable:
    """Keep what hashes need to know of the symbols of a panel, whose list only grows."""

    def __init__(self) -> None:
        self._symbols = 0
        self._keys: NDArray[np.uint64] | None = None

    def of(self, rows: ArrayRows) -> "NDArray[np.uint64]":
        """Return the `key_table` of the symbols of rows."""
        import numpy as np

        if rows.codes is None:
            return key_table(rows.symbols)
        if self._keys is None or self._symbols < len(rows.symbols):
            more = key_table(rows.symbols[self._symbols :])
            self._keys = more if self._keys is None else np.concatenate((self._keys, more), axis=1)
            self._symbols = len(rows.symbols)
        return self._keys
