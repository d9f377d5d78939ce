"""This module stores all decided bars in a file next to the state, to find what a vendor restates.

Runs only append. Bytes after the segments in the state come from a run that did not finish, and are
cut off. Parts of the bars that other processes decide are first written to files of their own.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from rollsignal.core.decisions import Decided
from rollsignal.errors import DataError, DiskError
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.replace import (
    cannot_create,
    cannot_write,
    close_quietly,
    remove_quietly,
    sync_folder,
)
from rollsignal.files.staged import Staging
from rollsignal.messages import shown_path
from rollsignal.outputs.state.document import Segment
from rollsignal.outputs.state.stored_bars import (
    STORED_BAR_BYTES,
    STORED_FIELDS,
    Numbering,
    packed,
    renumbered,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Bars that are copied at once from the file of a part.
COPIED_BARS = 1 << 16


class StoredPart(NamedTuple):
    """Stored bars that are not in the file of all bars yet, with numbers of their own symbols.

    They are in memory, or in a file.
    """

    symbols: Sequence[str] = ()
    data: bytes = b""
    path: str = ""


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
        self.files: Mapping[str, int] = {}
        self._parts = 0
        self._staging: Staging | None = None
        self._sent = 0
        self._numbering = Numbering(symbols)
        self._segments = list(segments)
        self._hash = hashlib.sha256()
        self._stored_size = sum(segment.size for segment in segments)
        self._added_size = 0
        self._out = self._opened()

    def _opened(self) -> BinaryIO:
        """Open the file, and cut off what follows the segments of the state."""
        if self._stored_size:
            self._check_size()
        else:
            # Bars of a run that did not finish, or what others have put there.
            remove_quietly(self.path)
        try:
            # It stays open until `close`.
            mode = "r+b" if self._stored_size else "x+b"
            file = cast(BinaryIO, open(self.path, mode, opener=_opened_itself))  # noqa: SIM115
        except OSError as problem:
            reason = "it is a link" if os.path.islink(self.path) else str(problem.strerror)
            raise cannot_create(self.path, reason) from problem
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

    @property
    def symbols(self) -> list[str]:
        """Return the symbols of all series."""
        return self._numbering.symbols

    def part(self) -> "_DirectPart | _PartInMemory":
        """Return a listener for the next part; the first part writes directly, others to memory."""
        self._parts += 1
        return _DirectPart(self) if self._parts == 1 else _PartInMemory(self.files)

    def sent_part(self) -> "_PartInFile":
        """Return a listener for the next part, for any process."""
        self._sent += 1
        return _PartInFile(self.path, self._sent_path(f"bars{self._sent}"), self.files)

    def _sent_path(self, name: str) -> str:
        """Return a path for a part, in a folder that is made when it is needed."""
        if self._staging is None:
            self._staging = Staging(self._state_path)
            self._staging.create()
        return self._staging.file(name)

    def add(self, ended: StoredPart) -> None:
        """Append a part that is not in the file yet; raises `DiskError`."""
        numbers = [self._numbering.number(symbol) for symbol in ended.symbols]
        if ended.data:
            self.append(renumbered(ended.data, numbers))
        if ended.path:
            try:
                with open(ended.path, "rb") as file:
                    while data := file.read(COPIED_BARS * STORED_BAR_BYTES):
                        self.append(renumbered(data, numbers))
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem
            remove_quietly(ended.path)

    def take(self, bars: Decided) -> None:
        """Append decided bars; raises `DiskError`."""
        self.append(packed(bars, self._numbering, self.files))

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
        return (*self._segments, *self._added())

    def _added(self) -> list[Segment]:
        """Flush the bars of this run to disk; return them as a segment, if there are any."""
        try:
            self._out.flush()
            os.fsync(self._out.fileno())
            if not self._stored_size:
                sync_folder(os.path.dirname(os.path.abspath(self.path)))
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem
        return [Segment(self._added_size, self._hash.hexdigest())] if self._added_size else []

    @property
    def delivered(self) -> Mapping[str, Fingerprint]:
        """Return the objects with the bars of the state after `finish`, by URL; none on disk."""
        return {}

    def close(self) -> None:
        """Close the file; bars that are in no state will be cut off by the next run."""
        close_quietly(self._out)
        if self._staging:
            self._staging.remove()

    def bars(self, everything: bool = False) -> "NDArray[np.void]":
        """Read all bars of the state, and with `everything` those of this run too.

        Raises `DataError` if they have changed since, `DiskError` if reading fails.
        """
        import numpy as np

        segments = [*self._segments, *(self._added() if everything else [])]
        return np.frombuffer(b"".join(self._read(segments)), STORED_FIELDS)

    def _read(self, segments: Sequence[Segment]) -> list[bytes]:
        """Read the bars of segments; raises `DataError` if they are others, or `DiskError`."""
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
        return data

    def bars_of(self, bars: Decided) -> "NDArray[np.void]":
        """Return decided bars as they are stored."""
        import numpy as np

        return np.frombuffer(packed(bars, self._numbering, self.files), STORED_FIELDS)

    def _damage(self, what: str) -> DataError:
        return DataError(
            f"{shown_path(self.path)}, which belongs to {shown_path(self._state_path)}, {what}",
            f"put a copy in its place, or remove {shown_path(self._state_path)} and read all bars"
            " again",
        )


def bars_files(state_path: str) -> list[str]:
    """List the existing files of bars of a state, of all generations."""
    from glob import escape

    from rollsignal.files.patterns import matching

    paths = matching(f"{escape(state_path)}.*.bars")
    return [path for path in paths if path[len(state_path) + 1 : -len(".bars")].isdecimal()]


def forget_others(state_path: str, generation: int) -> None:
    """Remove the bars of other generations of a state, and of runs that did not finish.

    What is not found or removed, nobody reads, and the next run removes it.
    """
    with suppress(OSError):
        for path in bars_files(state_path):
            if path != History.path_of(state_path, generation):
                remove_quietly(path)


def _opened_itself(path: str, flags: int) -> int:
    """Open a file, but none that a link leads to: it would be cut off."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


class _DirectPart:
    """A listener that appends the bars of a part to the file."""

    def __init__(self, history: History) -> None:
        self.take = history.take

    def end(self) -> StoredPart:
        """Return no bars: they are in the file."""
        return StoredPart()


class _PartInMemory:
    """A listener that keeps the bars of a part in memory."""

    def __init__(self, files: Mapping[str, int]) -> None:
        self._files = files
        self._numbering = Numbering()
        self._data = bytearray()

    def take(self, bars: Decided) -> None:
        """Keep decided bars."""
        self._data += packed(bars, self._numbering, self._files)

    def end(self) -> StoredPart:
        """Return the bars."""
        return StoredPart(self._numbering.symbols, bytes(self._data))


class _PartInFile:
    """A listener that writes the bars of a part to a file, which it creates when it must.

    path: that of the file of all bars, for messages. unfinished: that of the file of the part.
    """

    def __init__(self, path: str, unfinished: str, files: Mapping[str, int]) -> None:
        self._path = path
        self._unfinished = unfinished
        self._files = files
        self._numbering = Numbering()
        self._out: BinaryIO | None = None

    def take(self, bars: Decided) -> None:
        """Write decided bars; raises `DiskError`."""
        data = packed(bars, self._numbering, self._files)
        try:
            if self._out is None:
                # It stays open until `end`, or until the process ends.
                self._out = open(self._unfinished, "wb")  # noqa: SIM115
            self._out.write(data)
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem

    def end(self) -> StoredPart:
        """Return where the bars are; raises `DiskError`."""
        if self._out is None:
            return StoredPart()
        try:
            self._out.close()
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem
        self._out = None
        return StoredPart(self._numbering.symbols, path=self._unfinished)
