"""This module keeps two runs from writing the same files at the same time.

A run locks an empty `.NAME.lock` beside each output with `flock`; when the process ends, however
it ends, the system releases the lock. A run removes the lock file before it releases the lock; a
run that gets a lock on a file that was removed meanwhile starts again. So no two runs hold a lock
of one name, and only killed runs leave lock files, which block nobody. Locks are advisory: they
keep runs of rollsignal apart, but stop no other program.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import ETIMEDOUT
from time import monotonic, sleep

from rollsignal.errors import BusyError
from rollsignal.files.open import lexists, status_of
from rollsignal.files.replace import cannot_create, checked_target, hidden_sibling
from rollsignal.messages import is_url, shown_path

POLL_SECONDS = 0.1
TRIES = 1000
# It answers at once: it is not asked to wait for the lock.
FLOCK_SECONDS = 5
# Once more for a call that failed by chance, as over a network.
LOCKINGS = 2
RELEASES = 2


@contextmanager
def held(paths: Iterable[str], wait_seconds: float = 0) -> Iterator[list[str]]:
    """Hold the lock of every output; yields a warning for each that cannot be locked.

    An output may be named twice, or by links; its folder is created. Some file systems and
    platforms have no locks, and objects in a store have none. All runs take locks in the same
    order, so that no two runs wait for each other. Raises `BusyError` if another run still holds
    one of them after `wait_seconds`, `OutputError` if an output or its lock cannot be created.
    """
    with suppress(ImportError):
        # Before a lock file is created: where no file can be opened, it could not be locked.
        import fcntl  # noqa: F401  # only loaded
    deadline = monotonic() + wait_seconds
    # Long names that are the same after the cut share a lock: stricter than necessary, but safe.
    files = [path for path in paths if not is_url(path)]
    locks = {hidden_sibling(checked_target(path), ".lock"): path for path in files}
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
    """Return whether a run holds the lock of an output; no file is created."""
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
    """Files cannot be locked here."""


def _waited_for(lock: str, path: str, deadline: float) -> int:
    """Take a lock, retrying until the deadline if another run holds it; return its descriptor.

    A wait inside `flock` itself could not be ended at a deadline.
    """
    while (descriptor := _taken(lock, path)) is None:
        left_seconds = deadline - monotonic()
        if left_seconds <= 0:
            raise BusyError(
                "Another run is writing the same file",
                f"path: {shown_path(path)}, lock: {shown_path(lock)}; try again when it has ended",
            )
        sleep(min(left_seconds, POLL_SECONDS))
    return descriptor


def _taken(lock: str, path: str) -> int | None:
    """Take an output's lock; None if another run holds it.

    Raises `_NoLockError` and `OutputError`.
    """
    for _ in range(TRIES):
        with ExitStack() as stack:
            descriptor = _open_lock(lock, path)
            stack.callback(_close_lock, descriptor)
            if not _locked(descriptor):
                return None
            try:
                is_at = _is_at(lock, descriptor)
            except OSError as problem:
                # It is held, so it is ours to remove.
                stack.pop_all()
                _release(lock, descriptor)
                raise cannot_create(lock, str(problem.strerror)) from problem
            if is_at:
                stack.pop_all()
                return descriptor
    raise _NoLockError("inode numbers there are not stable")


def _open_lock(lock: str, path: str) -> int:
    # Without O_NONBLOCK, opening a pipe with that name could wait for ever.
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(lock, flags | os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        # The lock file of another user can often be read, and then it can be locked.
        with suppress(OSError):
            return os.open(lock, flags | os.O_RDONLY)
        if lexists(lock):
            raise cannot_create(lock, str(problem.strerror)) from problem
        # Name the output, not its lock, which the user does not know of: neither can be written.
        reason = f"its folder cannot be written to: {problem.strerror}"
        raise cannot_create(path, reason) from problem


def _locked(descriptor: int) -> bool:
    """Lock an open file; return False if another run holds it. Raises `_NoLockError`."""
    try:
        import fcntl
    except ImportError as problem:
        raise _NoLockError(problem) from problem
    left = LOCKINGS
    while True:
        left -= 1
        try:
            with _at_most(FLOCK_SECONDS):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as problem:
            if left and problem.errno != ETIMEDOUT:
                continue
            raise _NoLockError(problem.strerror or problem) from problem
        return True


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End a call that a file system interrupts for ever: Python calls it again each time.

    Only the main thread can do so, and a timer that runs already is left alone. Raises
    `TimeoutError`. A stop of the run that comes meanwhile takes the timer over.
    """

    def end(*_: object) -> None:
        raise TimeoutError(ETIMEDOUT, os.strerror(ETIMEDOUT))

    try:
        is_free = not signal.getitimer(signal.ITIMER_REAL)[0]
        former = signal.signal(signal.SIGALRM, end) if is_free else None
    except ValueError:
        is_free = False
    if not is_free:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGALRM) is end:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)


def _is_at(lock: str, descriptor: int) -> bool:
    """Return whether a path still leads to this open file."""
    status = status_of(lock, follow=False)
    return status is not None and os.path.samestat(status, os.fstat(descriptor))


def _release(lock: str, descriptor: int) -> None:
    """Remove a lock file and release the lock; a failure must not change how a run ended."""
    for _ in range(RELEASES):
        # Leave a file that is not an empty lock file of ours, or that may not be removed.
        with suppress(OSError):
            if _is_at(lock, descriptor) and not os.fstat(descriptor).st_size:
                os.unlink(lock)
            break
    _close_lock(descriptor)


def _close_lock(descriptor: int) -> None:
    # A descriptor is closed even where its file system answers with an error.
    with suppress(OSError):
        os.close(descriptor)
