"""This module opens regular files, pipes and remote files to read, and identifies files.

Nothing here takes "the system did not say" for "there is nothing": `os.path.exists` and `isdir`
return False for both.
"""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, cast

from rollsignal.errors import DiskError, InputError, JobError, scarcity
from rollsignal.files.formats import HEAD_BYTES, compression_of
from rollsignal.messages import is_url, shown_path, without_secrets

if TYPE_CHECKING:
    from rollsignal.files.unpack import WorkbookOpener

STDIN = "-"
PIPE_SECONDS = 10
RESERVED_BYTES = 1 << 20
# A lock and the file that is written.
RESERVED_FILES = 2

# Nothing can be at such a path, or a link leads nowhere.
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_input(path: str) -> BinaryIO:
    """Open an input's bytes; `-` is standard input. Raises `InputError`."""
    if is_url(path):
        from rollsignal.files.stores import open_object

        return open_object(path)
    if path != STDIN:
        return open_regular(path, "Input data file", InputError, pipe_seconds=PIPE_SECONDS)
    if sys.stdin is None:
        raise InputError("Standard input is closed")
    return checked(open(sys.stdin.fileno(), "rb", closefd=False), "Standard input")


def unpacked(
    file: BinaryIO, name: str, workbook: "WorkbookOpener | None" = None
) -> tuple[BinaryIO, str]:
    """Return a stream of the file's content, and how it was compressed ("" if it was not).

    The first bytes decide which compression it is, never the name. workbook: opens the archive of a
    workbook, None if workbooks are refused. Raises `DataError` if the file is corrupt or ends
    early, now or while it is read.
    """
    head = file.peek(HEAD_BYTES)[:HEAD_BYTES] if isinstance(file, io.BufferedReader) else b""
    compression = compression_of(head)
    if not compression:
        return file, ""
    from rollsignal.files.unpack import unpack

    return unpack(file, compression, name, workbook), compression


def open_regular(
    path: str, what: str, error: type[JobError], *, pipe_seconds: float = 0
) -> BinaryIO:
    """Open a regular file for reading; raises `error` at once for anything else.

    what: what messages call the file, for example "Input data file". A pipe is accepted too if
    data arrives within `pipe_seconds`.
    """
    where = f"path: {shown_path(path)}"
    if is_url(path):
        raise error(f"{what} is a URL, but must be a local file", where)
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        hint = "" if os.path.isabs(path) else ", looked for in the working directory"
        raise error(f"{what} not found", where + hint) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error(f"{what} cannot be opened: {reason}", where) from problem
    try:
        _check_kind(descriptor, what, error, pipe_seconds, where)
        file = os.fdopen(descriptor, "rb")
    except BaseException as problem:
        os.close(descriptor)
        if isinstance(problem, OSError):
            raise error(f"{what} cannot be opened: {problem.strerror}", where) from problem
        raise
    return checked(file, what)


def _check_kind(
    descriptor: int, what: str, error: type[JobError], pipe_seconds: float, where: str
) -> None:
    """Raise `error` unless a file is a regular one, or a pipe that data comes out of."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) and pipe_seconds:
        silent = f"{what} is a pipe, and nothing came out of it within {pipe_seconds:g} seconds"
        _wait_for_pipe(descriptor, pipe_seconds, error(silent, where))
    elif not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "special")
        raise error(f"{what} is {kind}, not a regular file", where)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Name the file of which a call failed; raises `DiskError`."""
    try:
        yield
    except OSError as problem:
        what = f"{name}: reading failed: {problem.strerror or problem}"
        raise scarcity(problem) or DiskError(what) from problem


def open_output(path: str, what: str, error: type[JobError]) -> BinaryIO:
    """Open what a run has written, a regular file or an object in a store; raises `error`."""
    if not is_url(path):
        return open_regular(path, what, error)
    from rollsignal.files.stores import open_object

    try:
        return open_object(path)
    except InputError as problem:
        raise error(problem.message.replace("Input data file", what), problem.detail) from None


def checked(file: BinaryIO, what: str) -> BinaryIO:
    """Check that a file's first bytes can be read, and return it; raises `DiskError`."""
    try:
        cast(io.BufferedReader, file).peek(1)
    except OSError as problem:
        file.close()
        raise DiskError(f"{what} cannot be read: {problem.strerror}") from problem
    return file


def _wait_for_pipe(descriptor: int, seconds: float, silent: JobError) -> None:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if not waiting.poll(seconds * 1000):
        raise silent
    os.set_blocking(descriptor, True)


def identity(path: str, *, sure: bool = False) -> object:
    """Return a value that is equal for two paths to the same file, even if it does not exist.

    Links are followed, and `-` is the file that standard input reads. URLs that look the same in
    the log count as the same, because otherwise the log could not say which one is meant. Raises
    `OSError` if the system does not say what is there. A path that we may not look up is itself,
    unless it has to be sure: whoever opens it will be told.
    """
    if is_url(path):
        return without_secrets(path)
    try:
        status = _status_of_stdin() if path == STDIN else status_of(path)
    except PermissionError:
        if sure:
            raise
        status = None
    return _real(path) if status is None else (status.st_dev, status.st_ino)


def status_of(path: str, *, follow: bool = True) -> os.stat_result | None:
    """Return what is at a path; None if nothing is. Raises `OSError` if the system does not say.

    follow: whether it is what a link leads to, or the link.
    """
    try:
        return os.stat(path, follow_symlinks=follow)
    except ValueError:
        # No file can have such a name.
        return None
    except OSError as problem:
        if problem.errno in ABSENT:
            return None
        raise


def exists(path: str) -> bool:
    """Return whether something is at a path; raises `OSError` if the system does not say."""
    return status_of(path) is not None


def lexists(path: str) -> bool:
    """Return whether something is at a path, even a link that leads nowhere, as `exists` does."""
    return status_of(path, follow=False) is not None


def is_file(path: str) -> bool:
    """Return whether a regular file is at a path; raises `OSError` as `is_folder` does."""
    status = status_of(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(path: str) -> bool:
    """Return whether a folder is at a path; raises `OSError` if the system does not say."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def _status_of_stdin() -> os.stat_result | None:
    try:
        return os.fstat(0)
    except OSError:
        # It is closed, which is told when it is opened.
        return None


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


class Reserve:
    """Memory and open files that are kept back for telling how a run ended.

    What takes all of them must not keep its own error from being written.
    """

    def __init__(self) -> None:
        # Nothing writes to it, so it takes no more than address space.
        self._memory: bytes | None = bytes(RESERVED_BYTES)
        self._files: list[int] = []
        with suppress(OSError):
            for _ in range(RESERVED_FILES):
                self._files.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def release(self) -> None:
        """Give everything back."""
        self._memory = None
        while self._files:
            with suppress(OSError):
                os.close(self._files.pop())
