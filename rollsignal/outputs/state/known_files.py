"""This module tells what an input is to a state: known, grown by its end, changed or new."""

import os
from typing import Literal, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.errors import InputError
from rollsignal.files.find import input_of
from rollsignal.files.fingerprints import Fingerprint, again, now_ns, sha256_of, stat_of
from rollsignal.files.formats import HEAD_BYTES, compression_of
from rollsignal.files.open import identity, open_regular
from rollsignal.outputs.state.document import ReadFile, State
from rollsignal.readers.dialect import symbol_of

LINE_ENDS = (b"\n", b"\r")
# A line end and a sign before it take so many bytes in any encoding of text.
END_BYTES = 8

Kind = Literal["known", "grown", "changed", "new"]


class KnownFile(NamedTuple):
    """What an input is to a state, and what is known of it.

    taken: when its fingerprint was taken, and that; None for what is no regular file. former: the
    path by which the state knows it, if it does.
    """

    kind: Kind
    file: ReadFile
    taken: tuple[int, Fingerprint] | None = None
    former: str | None = None

    def is_unchanged(self) -> bool:
        """Tell whether the file still has the bytes that it had."""
        if self.taken is None:
            return True
        taken_ns, before = self.taken
        after, _ = again(self.file.path, before, taken_ns)
        return after is not None and after.sha256 == before.sha256


class KnownFiles:
    """The files that a state has read, by their paths and by their bytes."""

    def __init__(self, state: State, config: JobConfig) -> None:
        self._config = config
        self._by_place = {identity(file.path): file for file in state.inputs}
        self._gone: dict[str, ReadFile] = {}
        for file in reversed(state.inputs):
            if file.sha256 and not os.path.exists(file.path):
                self._gone[file.sha256] = file

    def found(self, path: str) -> KnownFile:
        """Tell what an input is to the state, by its size and times, else by its bytes.

        A file that was just written has no stamp: a change within the same step of the clock
        would leave all its times as they are, so the next run looks at its bytes.
        """
        taken_ns, stamp = now_ns(), stat_of(path)
        if stamp is None:
            return KnownFile("new", ReadFile(path, 0, "", 0))
        known = self._by_place.get(identity(path))
        if known and known.stamp == stamp and self._is_named_alike(path, known):
            return KnownFile("known", known._replace(path=path), None, known.path)
        size = stamp[0]
        taken = Fingerprint(*stamp, sha256_of(path, size))
        stamp_kept = stamp if taken.settled(taken_ns) else ()
        file = ReadFile(path, size, taken.sha256, 0, stamp_kept)
        known = known or self._gone.get(file.sha256)
        if known is None or not self._is_named_alike(path, known):
            return KnownFile("new", file, (taken_ns, taken))
        file = file._replace(rows=known.rows)
        if file.sha256 == known.sha256:
            return KnownFile("known", file, None, known.path)
        grown = size > known.size and sha256_of(path, known.size) == known.sha256
        kind: Kind = "grown" if grown and lines_end(path, known.size) else "changed"
        return KnownFile(kind, file, (taken_ns, taken), known.path)

    def _is_named_alike(self, path: str, known: ReadFile) -> bool:
        """Tell whether a path says the same symbol as the one by which a file is known."""
        paths = (path, known.path)
        one, other = (symbol_of(input_of(each), self._config) for each in paths)
        return one == other


def lines_end(path: str, size: int) -> bool:
    """Tell whether the first bytes of a file are whole lines: what follows goes on with no cell.

    What is compressed was whole when it was read.
    """
    with open_regular(path, "Input data file", InputError) as file:
        if compression_of(file.read(HEAD_BYTES)):
            return True
        file.seek(max(0, size - END_BYTES))
        before = file.read(min(size, END_BYTES)).rstrip(b"\0")
        after = file.read(END_BYTES).lstrip(b"\0")
    return before.endswith(LINE_ENDS) or after.startswith(LINE_ENDS)
