"""This module runs a command whose memory is limited, so that a lack of it has words.

A compiled library that gets no memory ends the process at once, or waits for ever for threads that
could not be started. So polars is not loaded where it could not work, and the command goes on in a
child process, whose end this one reports.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

from rollsignal.errors import ScarcityError

# What polars was measured to map, most of it never used: for itself, and for each of its threads.
POLARS_BYTES = 1250 << 20
THREAD_BYTES = 32 << 20
MB = 1 << 20
_DIE_WITH_PARENT = 1
_ENDED_BY_LIBRARY = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP)


def ended_child() -> int | None:
    """Start a process that goes on with the command, and wait for it.

    Returns its exit code, or the negative number of the signal that ended it; None in that process,
    and where none can be started.
    """
    parent = os.getpid()
    try:
        process = os.fork()
    except OSError:
        process = 0
    if not process:
        if os.getpid() != parent:
            _die_with_parent()
        sys.meta_path.insert(0, _Guard())
        return None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(process, number))
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def error_of(ended: int) -> ScarcityError:
    """Return the error for a process that a signal ended; the same signal may end this one."""
    number = signal.Signals(-ended)
    if number not in _ENDED_BY_LIBRARY:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    limit = f"its limit is {_limit() // MB:,} MB (ulimit -v)"
    return ScarcityError(f"not enough memory: {number.name} ended the process", limit)


def check_polars(left: int, threads: int) -> None:
    """Raise `ScarcityError` if polars cannot work with the address space that is left."""
    needed = POLARS_BYTES + threads * THREAD_BYTES
    if left < needed:
        what = f"polars takes {needed // MB:,} MB of address space, the limit leaves {left // MB:,}"
        raise ScarcityError(f"not enough memory: {what}", "raise the limit (ulimit -v)")


class _Guard:
    """A finder of modules that finds none, and refuses polars where it could not work."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        if name == "polars":
            threads = os.environ.get("POLARS_MAX_THREADS", "")
            count = int(threads) if threads.isdecimal() else len(os.sched_getaffinity(0))
            check_polars(_limit() - _taken_bytes(), count)


def _limit() -> int:
    import resource

    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return min((each for each in limits if each != resource.RLIM_INFINITY), default=sys.maxsize)


def _taken_bytes() -> int:
    with open("/proc/self/statm", "rb") as sizes:
        return int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _die_with_parent() -> None:
    """Have the system end this process with its parent, which alone is known to a scheduler."""
    with suppress(ImportError, OSError, AttributeError, MemoryError):
        import ctypes

        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
