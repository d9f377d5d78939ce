"""This module keeps all bars that were decided beside a state, to tell what a vendor restates.

A bar is 25 bytes: the number of its series and of its file, its place (its timestamp in ns, or its
number), a number that identifies its close, and its signal. Runs only append; what follows the
segments that the state knows is of a run that did not end, and is cut off.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from rollsignal.digest import NO_SIGNAL
from rollsignal.engines.rows import ArrayRows, Rows, SignalRow
from rollsignal.errors import DataError, DiskError, shown_path
from rollsignal.files import abandon, cannot_create, cannot_write, drop
from rollsignal.sinks.state import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Decimals are counted in the low digits of a close's number; no close has so many.
PLACES = 8192
NO_CLOSE = PLACES - 1
_KINDS = [("series", "<i4"), ("file", "<i4"), ("place", "<i8"), ("close", "<u8"), ("signal", "i1")]
_BAR = struct.Struct("<iiqQb")


class History:
    """The bars beside a state file: append to them, or read them all.

    `symbols` numbers the series; it grows. `file` is the number of the file that is read.
    """

    def __init__(
        self, state_path: str, generation: int, symbols: Sequence[str], segments: Sequence[Segment]
    ) -> None:
        """Open the file and cut off what no state knows.

        Raises `DataError` if it has less than the state knows, `OutputError`, `DiskError`.
        """
        self._state_path = state_path
        self.path = self.path_of(state_path, generation)
        self.symbols = list(symbols)
        self.file = 0
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        self._segments = list(segments)
        self._hash = hashlib.sha256()
        self._known = sum(segment.size for segment in segments)
        self._size = 0
        self._out = self._opened()

    def _opened(self) -> BinaryIO:
        """Open the file, and cut off what follows what is known."""
        if self._known:
            self._check_size()
        try:
            # Open until `close`.
            file = open(self.path, "r+b" if self._known else "w+b")  # noqa: SIM115
        except OSError as problem:
            raise cannot_create(self.path, str(problem.strerror)) from problem
        try:
            file.truncate(self._known)
            file.seek(self._known)
        except OSError as problem:
            abandon(file)
            raise cannot_write(self.path, problem) from problem
        return file

    def _check_size(self) -> None:
        """Refuse a file that has lost bars; raises `DataError`."""
        try:
            size = os.path.getsize(self.path)
        except FileNotFoundError as problem:
            raise self._unsound("is gone") from problem
        except OSError as problem:
            raise cannot_create(self.path, str(problem.strerror)) from problem
        if size < self._known:
            raise self._unsound("is cut off")

    @staticmethod
    def path_of(state_path: str, generation: int) -> str:
        """Name the file: a state that is decided anew has another one."""
        return f"{state_path}.{generation}.bars"

    def __call__(self, rows: Rows) -> None:
        """Append rows; raises `DiskError`."""
        data = self._packed(rows)
        self._hash.update(data)
        self._size += len(data)
        try:
            self._out.write(data)
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem

    def finish(self) -> tuple[Segment, ...]:
        """Put everything on disk; return the segments for the state."""
        try:
            self._out.flush()
            os.fsync(self._out.fileno())
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem
        added = [Segment(self._size, self._hash.hexdigest())] if self._size else []
        return (*self._segments, *added)

    def close(self) -> None:
        """Close the file; what no state knows of it is nobody's."""
        abandon(self._out)

    def forget_others(self) -> None:
        """Remove what other generations of the state have left, or runs that did not end."""
        for path in bars_files(self._state_path):
            if path != self.path:
                drop(path)

    def bars(self, everything: bool = False) -> "NDArray[np.void]":
        """Read all bars that the state knows, or those of this run too.

        Raises `DataError` if they are not as they were written, `DiskError` if reading fails.
        """
        import numpy as np

        segments = self.finish() if everything else self._segments
        try:
            with open(self.path, "rb") as file:
                data = [file.read(segment.size) for segment in segments]
        except FileNotFoundError as problem:
            raise self._unsound("is gone") from problem
        except OSError as problem:
            name = shown_path(self.path)
            raise DiskError(f"{name}: reading failed: {problem.strerror}") from problem
        for part, segment in zip(data, segments, strict=True):
            if hashlib.sha256(part).hexdigest() != segment.sha256:
                raise self._unsound("is damaged")
        return np.frombuffer(b"".join(data), _KINDS)

    def number(self, symbol: str) -> int:
        """Return the number of a series."""
        if symbol not in self._numbers:
            self._numbers[symbol] = len(self.symbols)
            self.symbols.append(symbol)
        return self._numbers[symbol]

    def bars_of(self, rows: Rows) -> "NDArray[np.void]":
        """Return rows as bars."""
        import numpy as np

        return np.frombuffer(self._packed(rows), _KINDS)

    def _packed(self, rows: Rows) -> bytes:
        if isinstance(rows, ArrayRows):
            return self._packed_arrays(rows)
        try:
            return b"".join(map(self._packed_row, rows))
        except struct.error as problem:
            raise DataError("A state keeps no timestamps beyond 1678 to 2261") from problem

    def _packed_row(self, row: SignalRow) -> bytes:
        signal = NO_SIGNAL if row.signal is None else row.signal
        close = key_of_close(row.close)
        return _BAR.pack(self.number(row.symbol), self.file, row.place, close, signal)

    def _packed_arrays(self, rows: ArrayRows) -> bytes:
        import numpy as np

        bars = np.zeros(len(rows.closes), _KINDS)
        numbers = np.array([self.number(symbol) for symbol in rows.symbols])
        bars["series"] = numbers[0 if rows.codes is None else rows.codes]
        bars["file"] = self.file
        bars["place"], bars["signal"] = rows.places, rows.signals
        bars["close"] = _keys_of_ticks(rows.closes, rows.scale)
        return bars.tobytes()

    def _unsound(self, how: str) -> DataError:
        return DataError(
            f"{shown_path(self.path)} {how}, which belongs to {shown_path(self._state_path)}",
            f"put a copy in its place, or remove {shown_path(self._state_path)} and read all bars"
            " again",
        )


def bars_files(state_path: str) -> list[str]:
    """List the files of bars that are there beside a state, of any generation."""
    from glob import escape, glob

    found = glob(f"{escape(state_path)}.*.bars")
    return [path for path in found if path[len(state_path) + 1 : -len(".bars")].isdecimal()]


def key_of_close(close: str | None) -> int:
    """Return what identifies a close that is written without needless zeros."""
    if close is None:
        return NO_CLOSE
    whole, _, decimals = close.partition(".")
    return (int(whole + decimals) * PLACES + len(decimals)) % 2**64


def _keys_of_ticks(ticks: "NDArray[np.int64]", scale: int) -> "NDArray[np.uint64]":
    import numpy as np

    mantissas, decimals = ticks.copy(), np.full(len(ticks), scale)
    for _ in range(scale):
        tenths = (mantissas % 10 == 0) & (decimals > 0)
        if not tenths.any():
            break
        mantissas = np.where(tenths, mantissas // 10, mantissas)
        decimals -= tenths
    # Products of 64-bit numbers wrap around as the remainders of `key_of_close` do.
    return mantissas.view(np.uint64) * np.uint64(PLACES) + decimals.view(np.uint64)
