"""This module opens regular files to read, and tells when two paths are one file."""

import io
import os
import select
import stat
from typing import BinaryIO, cast

from rollsignal.errors import DiskError, JobError, is_url, shown_path, without_secrets

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(
    path: str, what: str, error: type[JobError], *, pipe_seconds: float = 0
) -> BinaryIO:
    """Open a regular file for reading; raises `error` at once for anything else.

    what: how messages call the file, for example "Input data file". A pipe is taken too if
    something comes out of it within `pipe_seconds`.
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
        _wait_for_pipe(descriptor, pipe_seconds, error(f"{what} is a pipe, and silent", where))
    elif not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((name for test, name in _KINDS if test(mode)), "special")
        raise error(f"{what} is {kind}, not a regular file", where)
    return checked(os.fdopen(descriptor, "rb"), what)


def checked(file: BinaryIO, what: str) -> BinaryIO:
    """Make sure that a file's first bytes can be read; raises `DiskError`."""
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
    """Return what two paths to one file share, also through links, whether or not it exists.

    `-` is what standard input reads. URLs that look alike in the log are one: only so can it tell
    which file is meant.
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
