"""This module opens regular files, pipes and remote files to read, and identifies files."""

import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING, BinaryIO, cast

from rollsignal.errors import DiskError, InputError, JobError
from rollsignal.files.formats import HEAD_BYTES, compression_of
from rollsignal.messages import is_url, shown_path, without_secrets

if TYPE_CHECKING:
    from rollsignal.files.unpack import WorkbookOpener

STDIN = "-"
PIPE_SECONDS = 10

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
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        hint = "" if os.path.isabs(path) else ", looked for in the working directory"
        raise error(f"{what} not found", where + hint) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error(f"{what} cannot be opened: {reason}", where) from problem
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) and pipe_seconds:
        silent = f"{what} is a pipe, and nothing came out of it within {pipe_seconds:g} seconds"
        _wait_for_pipe(descriptor, pipe_seconds, error(silent, where))
    elif not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((name for test, name in _KINDS if test(mode)), "special")
        raise error(f"{what} is {kind}, not a regular file", where)
    return checked(os.fdopen(descriptor, "rb"), what)


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
        os.close(descriptor)
        raise silent
    os.set_blocking(descriptor, True)


def identity(path: str) -> object:
    """Return a value that is equal for two paths to the same file, even if it does not exist.

    Links are followed, and `-` is the file that standard input reads. URLs that look the same in
    the log count as the same, because otherwise the log could not say which one is meant.
    """
    if is_url(path):
        return without_secrets(path)
    try:
        status = os.fstat(0) if path == "-" else os.stat(path)
    except (OSError, ValueError):
        return _real(path)
    return status.st_dev, status.st_ino


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path
