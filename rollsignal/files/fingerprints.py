"""This module tells whether a file is the same as before: by its size and times, else by hash."""

import os
import stat
import time
from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.errors import DiskError, InputError, JobError
from rollsignal.files.open import open_regular
from rollsignal.messages import shown_path

# A change within one step of a file system's clock may leave all times as they are. FAT's step,
# the coarsest in use, is 2 seconds.
CLOCK_STEP_NS = 2 * 10**9
CHUNK_BYTES = 1 << 20
INPUT = "Input data file"


class Fingerprint(NamedTuple):
    """A regular file: what the system says about it, and the SHA-256 of its bytes."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str

    def settled(self, at_ns: int) -> bool:
        """Tell whether a change after a moment could not go unnoticed in the file's times."""
        return max(self.mtime_ns, self.ctime_ns) + CLOCK_STEP_NS < at_ns


def fingerprint(
    path: str, what: str = INPUT, error: type[JobError] = InputError
) -> Fingerprint | None:
    """Take a file's fingerprint; None if it is no regular file.

    The system is asked first: a change during the hashing then shows in the times, and what is
    added meanwhile is not hashed. Raises `error` if the file cannot be opened, `DiskError` if
    reading fails; what: how messages call it.
    """
    told = stat_of(path)
    return told and Fingerprint(*told, sha256_of(path, told[0], what, error))


def again(path: str, before: Fingerprint, taken_ns: int) -> tuple[Fingerprint | None, str]:
    """Take an input's fingerprint once more; tell too if by "stat" or by "sha256".

    The bytes are read only where the system's word is not enough. taken_ns: when the fingerprint
    before was taken.
    """
    told = stat_of(path)
    if told == before[:4] and before.settled(taken_ns):
        return before, "stat"
    return fingerprint(path), "sha256"


def now_ns() -> int:
    """Tell the time in nanoseconds since 1970, as the times of files do."""
    return time.time_ns()


def changed(path: str) -> DiskError:
    """Say that an input is not what it was before it was read."""
    where = f"path: {shown_path(path)}"
    hint = "run again when nobody writes to it"
    return DiskError("Input data file changed while it was read", f"{where}; {hint}")


def sha256_of(path: str, size: int, what: str = INPUT, error: type[JobError] = InputError) -> str:
    """Hash so many of a file's first bytes; raises `error`, or `DiskError` if reading fails."""
    import hashlib

    found = hashlib.sha256()
    with open_regular(path, what, error) as file:
        try:
            while data := file.read(min(size, CHUNK_BYTES)):
                found.update(data)
                size -= len(data)
        except OSError as problem:
            where = f"path: {shown_path(path)}"
            raise DiskError(f"{what} cannot be read: {problem.strerror}", where) from problem
    return found.hexdigest()


def stat_of(path: str) -> tuple[int, int, int, int] | None:
    """Ask the system for a file's size, times and inode; None if it is no regular file.

    `-` is standard input, also where a file has this name.
    """
    if path == "-":
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class ReadInput(NamedTuple):
    """An input: what was known of it before it was read, and its hash afterwards.

    All but the path is None where it is no regular file, or nothing was hashed. `compared_by` says
    how `sha256_after` is known: "stat", because the file's size and times are what they were,
    "sha256", or "state", because a run before read the file and this one did not. `rows` are those
    of a file that a state knows.
    """

    path: str
    size: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    sha256: str | None = None
    sha256_after: str | None = None
    compared_by: str | None = None
    rows: int | None = None


class InputWatch:
    """Look at inputs before they are read and afterwards, by what the system says of them.

    hashed: whether their bytes are hashed too. `inputs` is what is known of each.
    """

    def __init__(self, paths: Sequence[str], *, hashed: bool) -> None:
        """Look at the inputs; raises `InputError` or `DiskError`."""
        self._taken: dict[str, tuple[int, Fingerprint]] = {}
        self._facts: dict[str, tuple[int, ...]] = {}
        self.inputs: list[ReadInput] = []
        if hashed:
            self.inputs = [self._looked_at(path) for path in paths]
        else:
            self._facts = {path: _facts(path) for path in paths}

    def compared(self) -> list[ReadInput]:
        """Look at those that are hashed again, and return what is known of them."""
        self.inputs = list(map(self._compared, self.inputs))
        return self.inputs

    def check(self) -> None:
        """Raise `DiskError` if an input has changed since."""
        for path, before in self._facts.items():
            if _facts(path) != before:
                raise changed(path)
        for read in self.inputs:
            if read.sha256 != read.sha256_after:
                raise changed(read.path)

    def _looked_at(self, path: str) -> ReadInput:
        taken_ns, taken = now_ns(), fingerprint(path)
        if taken is None:
            return ReadInput(path)
        self._taken[path] = taken_ns, taken
        return ReadInput(path, *taken)

    def _compared(self, read: ReadInput) -> ReadInput:
        if read.path not in self._taken:
            return read
        taken_ns, before = self._taken[read.path]
        after, by = again(read.path, before, taken_ns)
        return read._replace(sha256_after=after and after.sha256, compared_by=by)


def _facts(path: str) -> tuple[int, ...]:
    """Return a regular file's size, time of change and inode, nothing for anything else."""
    told = stat_of(path)
    # The other time also changes when somebody links to the file.
    return (told[0], told[1], told[3]) if told else ()
