"""This module keeps two runs from writing the same files at the same time.

The lock of a file is held on an empty `.NAME.lock` beside it, by `flock`, which the system itself
ends with the process that holds it, however that ends. Whoever holds a lock removes its file
before letting go; whoever gets a lock on a file that has been removed meanwhile begins again. So
no two hold a lock of one name, and no lock files are left but those of killed runs, which hinder
nobody. Locks are advisory: they keep runs from each other, and nobody else.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep

from rollsignal.errors import BusyError
from rollsignal.files.replace import cannot_create, checked_target, hidden_sibling
from rollsignal.messages import shown_path

POLL_SECONDS = 0.1
TRIES = 1000


@contextmanager
def held(paths: Iterable[str], wait_seconds: float = 0) -> Iterator[list[str]]:
    """Hold the lock of every output; yields a warning for each that has no lock.

    An output may be named twice, or by links, and its folder is made. It has no lock where the
    file system or the platform knows none. Locks are taken in one order by all runs, so that no
    two runs wait for each other. Raises `BusyError` if another run still holds one of them after
    `wait_seconds`, `OutputError` if an output or its lock cannot be created.
    """
    deadline = monotonic() + wait_seconds
    # Long names that are alike where they are cut share a lock: more is kept apart than must be.
    locks = {hidden_sibling(checked_target(path), ".lock"): path for path in paths}
    warnings: list[str] = []
    with ExitStack() as stack:
        for lock, path in sorted(locks.items()):
            try:
                stack.callback(_release, lock, _waited_for(lock, path, deadline))
            except _NoLockError as problem:
                warnings.append(
                    f"{shown_path(path)} cannot be locked ({problem}):"
                    " another run that writes it at the same time would not be noticed"
                )
        yield warnings


def is_held(path: str) -> bool:
    """Tell whether a run holds the lock of an output; nothing is made."""
    try:
        lock = hidden_sibling(os.path.realpath(path), ".lock")
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not _locked(descriptor)
    except _NoLockError:
        return False
    finally:
        os.close(descriptor)


class _NoLockError(Exception):
    """There are no locks here."""


def _waited_for(lock: str, path: str, deadline: float) -> int:
    """Take a lock, and look again and again if another run holds it; return its descriptor.

    Waiting in `flock` itself could not be given up at a certain time.
    """
    while (descriptor := _taken(lock, path)) is None:
        left = deadline - monotonic()
        if left <= 0:
            raise BusyError(
                "Another run is writing the same file",
                f"path: {shown_path(path)}, lock: {shown_path(lock)}; try again when it has ended",
            )
        sleep(min(left, POLL_SECONDS))
    return descriptor


def _taken(lock: str, path: str) -> int | None:
    """Take an output's lock, unless another run holds it.

    Raises `_NoLockError` and `OutputError`.
    """
    for _ in range(TRIES):
        with ExitStack() as stack:
            descriptor = _opened(lock, path)
            stack.callback(os.close, descriptor)
            if not _locked(descriptor):
                return None
            if _is_at(lock, descriptor):
                stack.pop_all()
                return descriptor
    raise _NoLockError("inode numbers there are not stable")


def _opened(lock: str, path: str) -> int:
    # O_NONBLOCK keeps a pipe of that name from being waited for.
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(lock, flags | os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        # What another user has made can often be read, and so be locked.
        with suppress(OSError):
            return os.open(lock, flags | os.O_RDONLY)
        if os.path.lexists(lock):
            raise cannot_create(lock, str(problem.strerror)) from problem
        # Whoever asked for the output knows nothing of locks, and it could not be written either.
        reason = f"its folder cannot be written to: {problem.strerror}"
        raise cannot_create(path, reason) from problem


def _locked(descriptor: int) -> bool:
    """Lock an open file, unless another run has; raises `_NoLockError`."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except (OSError, ImportError) as problem:
        raise _NoLockError(getattr(problem, "strerror", None) or problem) from problem
    return True


def _is_at(lock: str, descriptor: int) -> bool:
    """Tell whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.lstat(lock), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _release(lock: str, descriptor: int) -> None:
    try:
        # What somebody else keeps under that name is left, and what may not be removed.
        with suppress(OSError):
            if _is_at(lock, descriptor) and not os.fstat(descriptor).st_size:
                os.unlink(lock)
    finally:
        os.close(descriptor)
