"""This module tells whether a file is the same as before: by what the system says, else by hash."""

import os
import stat
import sys
import time
from typing import NamedTuple

from rollsignal.errors import DiskError, shown_path

# A change within one step of a file system's clock may leave all times as they are. FAT's step,
# the coarsest in use, is 2 seconds.
CLOCK_STEP_NS = 2 * 10**9
CHUNK_BYTES = 1 << 20


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


def fingerprint(path: str) -> Fingerprint | None:
    """Take a file's fingerprint; None if it is no regular file. Raises `DiskError`.

    The system is asked first: a change during the hashing then shows in the times.
    """
    told = stat_of(path)
    if told is None:
        return None
    try:
        digest = sha256_of(path)
    except OSError as problem:
        where = f"path: {shown_path(path)}"
        raise DiskError(f"Hashing failed: {problem.strerror}", where) from problem
    return Fingerprint(*told, digest)


def again(path: str, before: Fingerprint, taken_ns: int) -> tuple[Fingerprint | None, str]:
    """Take a file's fingerprint once more; tell too if by "stat" or by "sha256".

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


def sha256_of(path: str, size: int | None = None) -> str:
    """Hash a file, or so many of its first bytes; raises `OSError`."""
    import hashlib

    found = hashlib.sha256()
    left = sys.maxsize if size is None else size
    with open(path, "rb", buffering=0) as file:
        while data := file.read(min(left, CHUNK_BYTES)):
            found.update(data)
            left -= len(data)
    return found.hexdigest()


def stat_of(path: str) -> tuple[int, int, int, int] | None:
    """Ask the system for a file's size, times and inode; None if it is no regular file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
