"""This module stores all decided bars in a file next to the state, to find what a vendor restates.

A bar is 25 bytes: the number of its series and of its file, its place (its timestamp in ns, or its
number), a number that identifies its close, and its signal. Runs only append. Bytes after the
segments in the state come from a run that did not finish, and are cut off.
"""

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from rollsignal.core.decisions import ArrayDecided, Decided, PlainDecided
from rollsignal.errors import DataError, DiskError
from rollsignal.files.replace import cannot_create, cannot_write, close_quietly, remove_quietly
from rollsignal.messages import shown_path
from rollsignal.outputs.state.document import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# The low digits of a close's number count its decimals, of which no close has this many.
CLOSE_PLACES = 8192
NO_CLOSE = CLOSE_PLACES - 1
_FIELDS = [("series", "<i4"), ("file", "<i4"), ("place", "<i8"), ("close", "<u8"), ("signal", "i1")]
_BAR = struct.Struct("<iiqQb")


class History:
    """The file of bars next to a state file, to append to or to read as a whole.

    The number of a series is its index in `symbols`, which grows. `files` are the numbers of the
    files that are read, by path.
    """

    def __init__(
        self, state_path: str, generation: int, symbols: Sequence[str], segments: Sequence[Segment]
    ) -> None:
        """Open the file, and cut off what is not in the segments of the state.

        Raises `DataError` if the file is shorter than them, `OutputError`, `DiskError`.
        """
        self._state_path = state_path
        self.path = self.path_of(state_path, generation)
        self.symbols = list(symbols)
        self.files: Mapping[str, int] = {}
        self._parts = 0
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        self._segments = list(segments)
        self._hash = hashlib.sha256()
        self._stored_size = sum(segment.size for segment in segments)
        self._added_size = 0
        self._out = self._opened()

    def _opened(self) -> BinaryIO:
        """Open the file, and cut off what follows the segments of the state."""
        if self._stored_size:
            self._check_size()
        try:
            # It stays open until `close`.
            file = open(self.path, "r+b" if self._stored_size else "w+b")  # noqa: SIM115
        except OSError as problem:
            raise cannot_create(self.path, str(problem.strerror)) from problem
        try:
            file.truncate(self._stored_size)
            file.seek(self._stored_size)
        except OSError as problem:
            close_quietly(file)
            raise cannot_write(self.path, problem) from problem
        return file

    def _check_size(self) -> None:
        """Raise `DataError` if the file has lost bars."""
        try:
            size = os.path.getsize(self.path)
        except FileNotFoundError as problem:
            raise self._damage("is gone") from problem
        except OSError as problem:
            raise cannot_create(self.path, str(problem.strerror)) from problem
        if size < self._stored_size:
            raise self._damage("is cut off")

    @staticmethod
    def path_of(state_path: str, generation: int) -> str:
        """Return the path of the file; each generation of a state has its own."""
        return f"{state_path}.{generation}.bars"

    def part(self) -> "_HistoryPart":
        """Return a listener for the next part; the first part writes directly, others to memory."""
        self._parts += 1
        return _HistoryPart(self, self if self._parts == 1 else _Buffer())

    def add(self, ended: "tuple[list[str], bytes]") -> None:
        """Append a part that was held in memory; raises `DiskError`."""
        symbols, data = ended
        if data:
            import numpy as np

            bars = np.frombuffer(data, _FIELDS).copy()
            bars["series"] = np.array([self.number(name) for name in symbols])[bars["series"]]
            self.append(bars.tobytes())

    def append(self, data: bytes) -> None:
        """Append bars; raises `DiskError`."""
        self._hash.update(data)
        self._added_size += len(data)
        try:
            self._out.write(data)
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem

    def finish(self) -> tuple[Segment, ...]:
        """Flush everything to disk; return the segments for the state."""
        try:
            self._out.flush()
            os.fsync(self._out.fileno())
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem
        added = [Segment(self._added_size, self._hash.hexdigest())] if self._added_size else []
        return (*self._segments, *added)

    def close(self) -> None:
        """Close the file; bars that are in no state will be cut off by the next run."""
        close_quietly(self._out)

    def forget_others(self) -> None:
        """Remove the files of other generations, and of runs that did not finish."""
        for path in bars_files(self._state_path):
            if path != self.path:
                remove_quietly(path)

    def bars(self, everything: bool = False) -> "NDArray[np.void]":
        """Read all bars of the state, and with `everything` those of this run too.

        Raises `DataError` if they have changed since, `DiskError` if reading fails.
        """
        import numpy as np

        segments = self.finish() if everything else self._segments
        try:
            with open(self.path, "rb") as file:
                data = [file.read(segment.size) for segment in segments]
        except FileNotFoundError as problem:
            raise self._damage("is gone") from problem
        except OSError as problem:
            name = shown_path(self.path)
            raise DiskError(f"{name}: reading failed: {problem.strerror}") from problem
        for part, segment in zip(data, segments, strict=True):
            if hashlib.sha256(part).hexdigest() != segment.sha256:
                raise self._damage("is damaged")
        return np.frombuffer(b"".join(data), _FIELDS)

    def number(self, symbol: str) -> int:
        """Return the number of a series."""
        if symbol not in self._numbers:
            self._numbers[symbol] = len(self.symbols)
            self.symbols.append(symbol)
        return self._numbers[symbol]

    def bars_of(self, bars: Decided) -> "NDArray[np.void]":
        """Return decided bars as they are stored."""
        import numpy as np

        return np.frombuffer(self.packed(bars, self), _FIELDS)

    def packed(self, bars: Decided, numbers: "_Numbering") -> bytes:
        """Return decided bars as they are stored, with series numbers from `numbers`."""
        file = self.files[bars.file]
        series = [numbers.number(symbol) for symbol in bars.symbols]
        if isinstance(bars, PlainDecided):
            return _packed(bars, series, file)
        return _packed_arrays(bars, series, file)

    def _damage(self, what: str) -> DataError:
        return DataError(
            f"{shown_path(self.path)}, which belongs to {shown_path(self._state_path)}, {what}",
            f"put a copy in its place, or remove {shown_path(self._state_path)} and read all bars"
            " again",
        )


def bars_files(state_path: str) -> list[str]:
    """List the existing files of bars of a state, of all generations."""
    from glob import escape, glob

    paths = glob(f"{escape(state_path)}.*.bars")
    return [path for path in paths if path[len(state_path) + 1 : -len(".bars")].isdecimal()]


class _Numbering(Protocol):
    """Something that numbers series by their symbols."""

    def number(self, symbol: str) -> int:
        """Return the number of a series."""


class _Buffer:
    """Bars in memory, with their own numbers of series."""

    def __init__(self) -> None:
        self.symbols: list[str] = []
        self.data = bytearray()
        self._numbers: dict[str, int] = {}

    def number(self, symbol: str) -> int:
        """Return the number of a series."""
        if symbol not in self._numbers:
            self._numbers[symbol] = len(self.symbols)
            self.symbols.append(symbol)
        return self._numbers[symbol]

    def append(self, data: bytes) -> None:
        """Append bars."""
        self.data += data


class _HistoryPart:
    """A listener that appends the bars of a part to the file or to a buffer."""

    def __init__(self, history: History, target: "History | _Buffer") -> None:
        self._history = history
        self._target = target

    def take(self, bars: Decided) -> None:
        """Receive decided bars; raises `DiskError`."""
        self._target.append(self._history.packed(bars, self._target))

    def end(self) -> tuple[list[str], bytes]:
        """Return the series and bars that are not in the file yet."""
        if isinstance(self._target, History):
            return [], b""
        return self._target.symbols, bytes(self._target.data)


def _packed(bars: PlainDecided, series: Sequence[int], file: int) -> bytes:
    codes = [0] * bars.rows if bars.codes is None else bars.codes
    columns = zip(codes, bars.places, bars.closes, bars.signals, strict=True)
    try:
        return b"".join(
            _BAR.pack(series[code], file, place, key_of_close(close, bars.scale), signal)
            for code, place, close, signal in columns
        )
    except struct.error as problem:
        raise DataError("A state cannot hold timestamps outside 1678 to 2261") from problem


def _packed_arrays(bars: ArrayDecided, series: Sequence[int], file: int) -> bytes:
    import numpy as np

    packed = np.zeros(bars.rows, _FIELDS)
    packed["series"] = np.array(series)[0 if bars.codes is None else bars.codes]
    packed["file"] = file
    packed["place"], packed["signal"] = bars.places, bars.signals
    packed["close"] = _keys_of_ticks(bars.closes, bars.scale)
    return packed.tobytes()


def key_of_close(tick: int | None, scale: int) -> int:
    """Return a number that identifies a close, the same for every scale of its ticks."""
    if tick is None:
        return NO_CLOSE
    while scale and not tick % 10:
        tick, scale = tick // 10, scale - 1
    return (tick * CLOSE_PLACES + scale) % 2**64


def _keys_of_ticks(ticks: "NDArray[np.int64]", scale: int) -> "NDArray[np.uint64]":
    import numpy as np

    mantissas, decimals = ticks.copy(), np.full(len(ticks), scale)
    for _ in range(scale):
        has_zero = (mantissas % 10 == 0) & (decimals > 0)
        if not has_zero.any():
            break
        mantissas = np.where(has_zero, mantissas // 10, mantissas)
        decimals -= has_zero
    # Products of 64-bit numbers wrap around as the remainders of `key_of_close` do.
    return mantissas.view(np.uint64) * np.uint64(CLOSE_PLACES) + decimals.view(np.uint64)
