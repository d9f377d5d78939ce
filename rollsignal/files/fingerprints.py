"""This module finds out whether a file has changed: by its size and times, else by its hash.

A remote object has no times to trust. It is known by its size and its ETag.
"""

import stat
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from rollsignal.errors import DiskError, InputError, JobError
from rollsignal.files.open import exists, open_regular, status_of
from rollsignal.messages import is_url, shown_path

# A change within one step of a file system's clock may leave all times as they are. FAT's step,
# the coarsest in use, is 2 seconds.
CLOCK_STEP_NS = 2 * 10**9
CHUNK_BYTES = 1 << 20
INPUT = "Input data file"

Stamp = tuple[int | str, ...]


class Fingerprint(NamedTuple):
    """A regular file or an object: what system or server say about it, and its SHA-256.

    An object has no `ctime_ns` and no inode; its `mtime_ns`, ETag and version are None where the
    server does not say them. A file has no ETag and no version.
    """

    size: int
    mtime_ns: int | None
    ctime_ns: int | None
    inode: int | None
    sha256: str
    etag: str | None = None
    version: str | None = None

    def settled(self, at_ns: int) -> bool:
        """Return whether any change after a time would certainly show in the file's times."""
        return max(self.mtime_ns or 0, self.ctime_ns or at_ns) + CLOCK_STEP_NS < at_ns

    def stamp(self, at_ns: int) -> Stamp:
        """Return what changes whenever the file does; empty if some change after a time may not.

        An object's stamp are its size and ETag. A weak ETag may outlive a change of the bytes.
        """
        if self.etag is None:
            return cast(Stamp, self[:4]) if self.settled(at_ns) else ()
        return object_stamp(self.size, self.etag)


def object_stamp(size: int, etag: str | None) -> Stamp:
    """Return an object's size and ETag; empty if it has no ETag, or only a weak one."""
    return (size, etag) if etag and not etag.startswith("W/") else ()


def fingerprint(
    path: str, what: str = INPUT, error: type[JobError] = InputError
) -> Fingerprint | None:
    """Take a file's fingerprint; None unless it is a regular file, or an object that is there.

    Size and times are read first: then a change during the hashing shows in the times, and bytes
    added meanwhile are not hashed. Raises `error` if the file cannot be opened, `DiskError` if
    reading fails. what: what messages call it.
    """
    if is_url(path):
        from rollsignal.files.stores import hashed_object

        if not (hashed := hashed_object(path)):
            return None
        (size, modified_ns, etag, version), sha256 = hashed
        return Fingerprint(size, modified_ns, None, None, sha256, etag, version)
    facts = stat_of(path, what, error)
    return facts and Fingerprint(*facts, sha256_of(path, facts[0], what, error))


def again(path: str, before: Fingerprint, taken_ns: int) -> tuple[Fingerprint | None, str]:
    """Take an input's fingerprint again; also return whether by "stat", "etag" or "sha256".

    The bytes are read only where size and times, or an object's size and ETag, are not enough.
    taken_ns: when the earlier fingerprint was taken.
    """
    if is_url(path):
        stamp = stamp_of(path)
        if stamp and stamp == object_stamp(before.size, before.etag):
            return before, "etag"
    elif stat_of(path) == before[:4] and before.settled(taken_ns):
        return before, "stat"
    return fingerprint(path), "sha256"


def stamp_of(path: str) -> Stamp | None:
    """Return a file's size, times and inode, or an object's size and ETag, if that is strong.

    None unless it is a regular file, or an object that is there. Raises `InputError`.
    """
    if not is_url(path):
        return stat_of(path)
    from rollsignal.files.stores import object_facts

    facts = object_facts(path)
    return facts and object_stamp(facts.size, facts.etag)


def is_there(path: str) -> bool:
    """Return whether there is a file or an object; raises `InputError` if a server does not say."""
    return stamp_of(path) is not None if is_url(path) else exists(path)


def now_ns() -> int:
    """Return the time in nanoseconds since 1970, as the times of files are."""
    return time.time_ns()


def changed(path: str) -> DiskError:
    """Return the error for an input that changed while it was read."""
    where = f"path: {shown_path(path)}"
    hint = "run again when nobody writes to it"
    return DiskError("Input data file changed while it was read", f"{where}; {hint}")


def sha256_of(path: str, size: int, what: str = INPUT, error: type[JobError] = InputError) -> str:
    """Hash the first `size` bytes of a file; raises `error`, or `DiskError` if reading fails.

    Returns "" for an object that is not there.
    """
    if is_url(path):
        from rollsignal.files.stores import hashed_object

        hashed = hashed_object(path, size)
        return hashed[1] if hashed else ""
    import hashlib

    digest = hashlib.sha256()
    with open_regular(path, what, error) as file:
        try:
            while data := file.read(min(size, CHUNK_BYTES)):
                digest.update(data)
                size -= len(data)
        except OSError as problem:
            where = f"path: {shown_path(path)}"
            raise DiskError(f"{what} cannot be read: {problem.strerror}", where) from problem
    return digest.hexdigest()


def stat_of(
    path: str, what: str = INPUT, error: type[JobError] = InputError
) -> tuple[int, int, int, int] | None:
    """Return a file's size, times and inode; None unless it is a regular file.

    `-` is always standard input, even if there is a file with this name. Raises `error` if the
    system does not say what is there. what: what messages call it.
    """
    if path == "-":
        return None
    try:
        status = status_of(path)
    except OSError as problem:
        where = f"path: {shown_path(path)}"
        raise error(f"{what} cannot be opened: {problem.strerror}", where) from problem
    if status is None or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class ReadInput(NamedTuple):
    """An input: its fingerprint before it was read, and its hash afterwards.

    All but the path is None unless it is a file or object that was hashed. `compared_by` says how
    `sha256_after` was obtained: "stat", because the file's size and times have not changed, "etag",
    because the object's size and ETag have not, "sha256", or "state", because an earlier run read
    the file and this one did not. `rows` is the row count of a file that a state lists, `left`
    counts the bars that have left it.
    """

    path: str
    size: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    sha256: str | None = None
    etag: str | None = None
    version: str | None = None
    sha256_after: str | None = None
    compared_by: str | None = None
    rows: int | None = None
    left: int = 0


class InputWatch:
    """Compare inputs before and after they are read, by their sizes and times.

    hashed: whether to hash their bytes too. `inputs` has the facts of each hashed input. versions:
    which version of a table the inputs are of.
    """

    def __init__(
        self, paths: Sequence[str], *, hashed: bool, versions: Mapping[str, str] | None = None
    ) -> None:
        """Look up the facts of the inputs; raises `InputError` or `DiskError`."""
        self._versions = versions or {}
        self._taken: dict[str, tuple[int, Fingerprint]] = {}
        self._facts: dict[str, tuple[int, ...]] = {}
        self.inputs: list[ReadInput] = []
        if hashed:
            self.inputs = [self._looked_at(path) for path in paths]
        else:
            self._facts = {path: _facts(path) for path in paths}

    def compared(self) -> list[ReadInput]:
        """Compare the hashed inputs with how they were before, and return the facts of each."""
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
        version = self._versions.get(path, taken.version)
        return ReadInput(path, *taken)._replace(version=version)

    def _compared(self, read: ReadInput) -> ReadInput:
        if read.path not in self._taken:
            return read
        taken_ns, before = self._taken[read.path]
        after, by = again(read.path, before, taken_ns)
        return read._replace(sha256_after=after and after.sha256, compared_by=by)


def _facts(path: str) -> tuple[int, ...]:
    """Return a regular file's size, modification time and inode; empty for anything else."""
    facts = stat_of(path)
    # The other time also changes when somebody links to the file.
    return (facts[0], facts[1], facts[3]) if facts else ()
