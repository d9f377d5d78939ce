"""This module finds the fields of plain rows in a block of bytes, and turns them into numbers.

Everything is done for all rows at once. A number's characters are put right-aligned into one or
two 64-bit words, eight in a word. A plain number is digits with at most one point; any other cell
raises `NotPlainError`.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from rollsignal.core.arrays import TickArray
from rollsignal.core.kernel import INT64_MAX
from rollsignal.readers.fast.words import (
    ALL,
    HIGH_BITS,
    ONES,
    POINTS,
    WORD,
    ZEROS,
    NotPlainError,
    squeezed,
    value,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Offsets = NDArray[np.int64]
    Words = NDArray[np.uint64]


MAX_CHARS = 2 * WORD
MAX_WHOLE = 19
MAX_UPPER = 2**63 // 10**MAX_CHARS
PAD = b"\n" * 32


class Masks:
    """Memory for two marks of every byte of a block, used again for the next block.

    To allocate and free megabytes for every block would cost as much as to fill them.
    """

    def __init__(self) -> None:
        import numpy as np

        self._masks = np.empty((2, 0), np.bool_)

    def of(self, size: int) -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
        """Return both masks for `size` bytes, not initialized."""
        import numpy as np

        if size > self._masks.shape[1]:
            self._masks = np.empty((2, size), np.bool_)
        return self._masks[0, :size], self._masks[1, :size]


class Fields:
    """The offsets at which all fields of a block of whole rows begin and end.

    block: the bytes of the rows. Raises `NotPlainError` unless they are ASCII without quotes, and
    every row has `width` fields.
    """

    def __init__(
        self, block: bytes | bytearray, delimiter: str, width: int, masks: "Masks"
    ) -> None:
        import numpy as np

        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        text = np.frombuffer(block, np.uint8)
        # NumPy finds a byte beyond ASCII faster than `isascii`, and lets other threads run.
        if not block or text.max() > 127 or any(byte in block for byte in (b'"', b"\0", b"\r")):
            raise NotPlainError("bytes beyond plain text")
        self.bytes = block
        self.width = width
        line_ends, ends = masks.of(len(block))
        np.equal(text, 0x0A, out=line_ends)
        np.equal(text, ord(delimiter), out=ends)
        ends |= line_ends
        every = np.flatnonzero(ends)
        self.rows = int(np.count_nonzero(line_ends))
        if not block.endswith(b"\n") or len(every) != self.rows * width:
            raise NotPlainError("rows of several widths")
        self._ends = every.reshape(self.rows, width)
        # As many line ends as rows, and one at each row's end: so all rows have this width.
        if not line_ends[self._ends[:, -1]].all():
            raise NotPlainError("rows of several widths")

    def span(self, column: int) -> "tuple[Offsets, Offsets]":
        """Return where the fields of a column begin and end in `bytes`."""
        import numpy as np

        if column:
            return self._ends[:, column - 1] + 1, self._ends[:, column]
        begins = np.empty(self.rows, np.int64)
        begins[0] = 0
        np.add(self._ends[:-1, -1], 1, out=begins[1:])
        return begins, self._ends[:, 0]

    def texts(self, column: int) -> "NDArray[np.uint8]":
        """Return a column whose cells all have the same length, as one row of bytes per cell."""
        import numpy as np

        begins, ends = self.span(column)
        length = int(ends[0] - begins[0])
        if not length or not (ends - begins == length).all():
            raise NotPlainError("cells of several lengths")
        count = len(self.bytes) - length + 1
        windows = np.ndarray((count,), f"V{length}", self.bytes, 0, (1,))
        return windows[begins].view(np.uint8).reshape(-1, length)

    def numbers(self, column: int) -> TickArray:
        """Return a column of plain decimals as ticks; raises `NotPlainError`."""
        import numpy as np

        begins, ends = self.span(column)
        lengths = ends - begins
        if lengths.max() > MAX_CHARS:
            raise NotPlainError("numbers of many digits")
        scale = self._decimals(int(begins[0]), int(ends[0]))
        ticks = self._ticks(ends, lengths, scale)
        if ticks is not None:
            return TickArray(ticks, max(scale, 0), 10 ** int(lengths.max()))
        decimals = self._points(ends, lengths)
        scale = max(0, int(decimals.max()))
        values = np.empty(self.rows, np.int64)
        for count in np.unique(decimals).tolist():
            rows = np.flatnonzero(decimals == count)
            ticks = self._ticks(ends[rows], lengths[rows], count)
            if ticks is None:
                raise NotPlainError("a cell that is not a plain number")
            factor = 10 ** (scale - max(count, 0))
            if int(ticks.max()) * factor > INT64_MAX:
                raise NotPlainError("numbers of many digits")
            values[rows] = ticks * factor
        return TickArray(values, scale)

    def whole_numbers(self, column: int) -> "NDArray[np.int64]":
        """Return a column of 1 to 19 digits that fit into an int64; raises `NotPlainError`."""
        begins, ends = self.span(column)
        lengths = ends - begins
        upper: NDArray[np.int64] | int | None = 0
        if lengths.max() > MAX_CHARS:
            if lengths.max() > MAX_WHOLE:
                raise NotPlainError("whole numbers of many digits")
            upper = self._ticks(ends - MAX_CHARS, lengths - MAX_CHARS, -1)
            if upper is not None and upper.max() >= MAX_UPPER:
                raise NotPlainError("whole numbers beyond 64 bits")
            lengths = lengths * 0 + MAX_CHARS
        lower = self._ticks(ends, lengths, -1)
        if lower is None or upper is None:
            raise NotPlainError("a cell that is not a plain whole number")
        whole: NDArray[np.int64] = upper * 10**MAX_CHARS + lower
        return whole

    def coded(self, column: int) -> "tuple[list[str], NDArray[np.int64]]":
        """Return the different cells of a column, and the index of each row's cell among them.

        Raises `NotPlainError` for an empty cell, or one of more than 32 characters.
        """
        import numpy as np

        begins, ends = self.span(column)
        lengths = ends - begins
        if lengths.min() < 1 or lengths.max() > len(PAD):
            raise NotPlainError("cells that are empty or long")
        codes = np.zeros(self.rows, np.int64)
        for from_end in range(WORD, int(lengths.max()) + WORD, WORD):
            words, _ = self._masked(ends, lengths, from_end)
            _, more = np.unique(words, return_inverse=True)
            _, codes = np.unique(codes * self.rows + more, return_inverse=True)
        _, rows = np.unique(codes, return_index=True)
        return [self.bytes[begins[row] : ends[row]].decode() for row in rows.tolist()], codes

    def _decimals(self, begin: int, end: int) -> int:
        """Count the decimals of one cell, -1 without a point."""
        cell = self.bytes[begin:end]
        return len(cell) - 1 - cell.index(b".") if b"." in cell else -1

    def _points(self, ends: "Offsets", lengths: "Offsets") -> "NDArray[np.int64]":
        """Count the decimals of each cell, -1 without a point in its last 16 characters."""
        import numpy as np

        decimals = np.full(len(ends), -1, np.int64)
        for word in (1, 0):
            odd = self._aligned(ends, lengths, word) ^ np.uint64(POINTS)
            hits = (odd - np.uint64(ONES)) & ~odd & np.uint64(HIGH_BITS)
            # The lowest hit is a point; the number of bytes below it is its position.
            lowest = np.bitwise_count((hits & (~hits + np.uint64(1))) - np.uint64(1)) // WORD
            here = WORD * (2 - word) - 1 - lowest.astype(np.int64)
            decimals = np.where(hits != 0, here, decimals)
        return decimals

    def _aligned(self, ends: "Offsets", lengths: "Offsets", word: int) -> "Words":
        """Return the last eight characters (word 1) or the eight before, filled up with `0`."""
        import numpy as np

        words, mask = self._masked(ends, lengths, WORD * (2 - word))
        return words | (~mask & np.uint64(ZEROS))

    def _masked(
        self, ends: "Offsets", lengths: "Offsets", from_end: int
    ) -> "tuple[Words, Words | np.uint64]":
        """Return eight characters of every cell, 0 before its first, and a mask of those it has."""
        import numpy as np

        mask: Words | np.uint64
        if (least := int(lengths.min())) == lengths.max():
            mask = np.uint64(ALL << 8 * min(max(from_end - least, 0), WORD) & ALL)
        else:
            missing = np.clip(from_end - lengths, 0, WORD)
            mask = np.uint64(ALL) << (missing << 3).astype(np.uint64)
        return self._words(ends - from_end) & mask, mask

    def _words(self, begins: "Offsets") -> "Words":
        """Return the eight bytes from each begin on, the first of them the lowest."""
        import numpy as np

        data: bytes | bytearray = self.bytes
        if int(begins[0]) < 0:
            # Only for the first rows, eight bytes may begin before the block.
            data, begins = self._padded, begins + len(PAD)
        return np.ndarray((len(data) - WORD + 1,), "<u8", data, 0, (1,))[begins]

    @cached_property
    def _padded(self) -> bytes:
        return PAD + self.bytes

    def _ticks(
        self, ends: "Offsets", lengths: "Offsets", decimals: int
    ) -> "NDArray[np.int64] | None":
        """Return cells that all have `decimals` decimals as whole numbers, None if one has not."""
        if lengths.min() <= (decimals >= 0):
            return None
        low = self._aligned(ends, lengths, 1)
        high = self._aligned(ends, lengths, 0) if lengths.max() > WORD else None
        try:
            if decimals >= 0:
                low, high = squeezed(low, high, decimals)
            lower = value(low)
            return lower if high is None else value(high) * 10**WORD + lower
        except NotPlainError:
            return None
