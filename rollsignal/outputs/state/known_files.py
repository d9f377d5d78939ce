"""This module compares inputs with the files of a state: known, grown, changed or new."""

import os
from collections.abc import Sequence
from typing import BinaryIO, Literal, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.files.find import Input, input_of
from rollsignal.files.fingerprints import (
    Fingerprint,
    again,
    fingerprint,
    is_there,
    now_ns,
    sha256_of,
    stamp_of,
)
from rollsignal.files.formats import COLUMNAR_SUFFIXES, HEAD_BYTES, compression_of
from rollsignal.files.open import exists, identity, open_input
from rollsignal.messages import QUERY_LEFT_OUT, is_url, shown_path
from rollsignal.outputs.state.document import ReadFile, State
from rollsignal.readers.opening import symbol_of

SKIPPED_BYTES = 1 << 20
LINE_ENDS = (b"\n", b"\r")
# A line end and the character before it fit into this size in every text encoding.
END_BYTES = 8

_START_AGAIN = "bars may have been deleted or changed: start again with another state file"

Kind = Literal["known", "grown", "changed", "new"]


class KnownFile(NamedTuple):
    """How an input compares with a state.

    `kind` is grown if lines were added at its end. `taken` is its fingerprint and the time of it,
    None if it need not be checked again. `former` is its path in the state, if it is there.
    """

    kind: Kind
    file: ReadFile
    taken: tuple[int, Fingerprint] | None = None
    former: str | None = None

    def is_unchanged(self) -> bool:
        """Return whether the file still has the same bytes."""
        if self.taken is None:
            return True
        taken_ns, before = self.taken
        after, _ = again(self.file.path, before, taken_ns)
        return after is not None and after.sha256 == before.sha256


class KnownFiles:
    """The files that a state has read, by their paths and by their bytes."""

    def __init__(self, state: State, config: JobConfig) -> None:
        self._config = config
        self._by_identity = {identity(file.path): file for file in state.inputs}
        self._missing: dict[str, ReadFile] = {}
        for file in reversed(state.inputs):
            if file.sha256 and (is_url(file.path) or not exists(file.path)):
                self._missing[file.sha256] = file

    def found(self, path: str) -> KnownFile:
        """Compare an input with the state by its size and times, or else by its bytes.

        An object is compared by its size and ETag. A file that was just written gets no stamp: a
        change within the same step of the clock would not change its times, so the next run must
        read its bytes. Neither does an object without a strong ETag.
        """
        taken_ns, stamp = now_ns(), stamp_of(path)
        before = self._by_identity.get(identity(path))
        if before and stamp and before.stamp == stamp and self._has_same_symbol(path, before):
            return KnownFile("known", before._replace(path=path), None, before.path)
        taken = fingerprint(path)
        if taken is None:
            return KnownFile("new", ReadFile(path, 0, "", 0))
        size = taken.size
        file = ReadFile(path, size, taken.sha256, 0, taken.stamp(taken_ns))
        before = before or self._gone(file.sha256)
        if before is None or not self._has_same_symbol(path, before):
            return KnownFile("new", file, (taken_ns, taken))
        file = file._replace(rows=before.rows, left=before.left)
        if file.sha256 == before.sha256:
            return KnownFile("known", file, None, before.path)
        # What is added at the end of a file that stands newest first is older than all above, and
        # where rows are left out, all are looked at again.
        may_grow = not self._config.is_newest_first and self._config.duplicates == "keep"
        grown = may_grow and size > before.size and sha256_of(path, before.size) == before.sha256
        kind: Kind = "grown" if grown and lines_end(path, before.size) else "changed"
        return KnownFile(kind, file, (taken_ns, taken), before.path)

    def _gone(self, sha256: str) -> ReadFile | None:
        """Return the file of the state that had these bytes and is there no more."""
        file = self._missing.get(sha256)
        if file is None or not is_url(file.path):
            return file
        # A URL without its query cannot be asked for.
        return None if file.path.endswith(QUERY_LEFT_OUT) or is_there(file.path) else file

    def _has_same_symbol(self, path: str, before: ReadFile) -> bool:
        """Return whether a path gives the same symbol as the path of the file in the state."""
        new, old = (symbol_of(input_of(name), self._config) for name in (path, before.path))
        return new == old


def check_tables(state: State, inputs: Sequence[Input]) -> None:
    """Raise `DataError` if a Delta table has lost a file that the state has read.

    The bars of that file may be deleted, or changed, and the state would go on counting them. Of a
    table that was moved nobody knows.
    """
    tables = {file.table.root: file.table.version for file in inputs if file.table}
    given = {os.path.abspath(file.path) for file in inputs if file.table}
    for file in state.inputs if tables else ():
        path = os.path.abspath(file.path)
        if path in given or not file.path.lower().endswith(COLUMNAR_SUFFIXES):
            continue
        root = next((root for root in tables if path.startswith(os.path.join(root, ""))), None)
        if root is not None:
            what = f"version {tables[root]} of the table has no longer all files"
            raise DataError(f"{shown_path(root)}: {what} that the state has read", _START_AGAIN)
        if not is_url(file.path) and not exists(path):
            what = "a Parquet file that the state has read is gone, perhaps with its table"
            raise DataError(f"{shown_path(file.path)}: {what}", _START_AGAIN)


def lines_end(path: str, size: int) -> bool:
    """Return whether the first `size` bytes of a file end with a line, so that no cell goes on.

    For a compressed file this is always so: it was read as a whole.
    """
    with open_input(path) as file:
        if compression_of(file.read(HEAD_BYTES)):
            return True
        _skip(file, max(0, size - END_BYTES))
        before = file.read(min(size, END_BYTES)).rstrip(b"\0")
        after = file.read(END_BYTES).lstrip(b"\0")
    return before.endswith(LINE_ENDS) or after.startswith(LINE_ENDS)


def _skip(file: BinaryIO, offset: int) -> None:
    """Go to an offset in a file of which the first `HEAD_BYTES` are read."""
    if file.seekable():
        file.seek(offset)
        return
    left = max(0, offset - HEAD_BYTES)
    while left and (data := file.read(min(left, SKIPPED_BYTES))):
        left -= len(data)
