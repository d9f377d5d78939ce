"""Tasks for worker processes, and a look at processes from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


def slow_if_even(number: int) -> bytes:
    """Return a number as text, later than the one after it."""
    time.sleep(0.02 * (number % 2 == 0))
    return str(number).encode()


def own_id(number: int) -> bytes:
    """Return the id of the process."""
    time.sleep(0.01)
    return str(os.getpid()).encode()


def asleep(number: int) -> bytes:
    """Never return."""
    time.sleep(600)
    raise AssertionError


def printing(number: int) -> bytes:
    """Print as a compiled library does."""
    os.write(1, b"printed\n")
    return b"done"


class Failing(NamedTuple):
    """Raise an error at some numbers."""

    error: BaseException
    numbers: tuple[int, ...]

    def run(self, number: int) -> bytes:
        if number in self.numbers:
            raise self.error
        return bytes(number)


class Sized(NamedTuple):
    """Return so many bytes more than the number; `ballast` makes the task itself large."""

    size: int
    ballast: bytes

    def run(self, number: int) -> bytes:
        return bytes(self.size + number)


def panic() -> BaseException:
    """Return an error that cannot be pickled, as a panic of a compiled library."""

    class PanicException(BaseException):
        pass

    return PanicException("unwrap on None")


def panicking(number: int) -> bytes:
    """Raise an error that cannot be pickled."""
    raise panic()


def is_running(process: int) -> bool:
    """Return whether a process runs; one that is dead and not waited for does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def children_of(process: int, program: bytes = b"") -> list[int]:
    """List the processes that a process has started and that run a program with these words."""
    children = map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return [
        child
        for child in filter(is_running, children)
        if program in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def until(condition: Callable[[], object], seconds: float = 20) -> bool:
    """Wait until something is so; return whether it is."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class OutOfMemory(NamedTuple):
    """A pass over the pieces for which there is no memory."""

    pieces: object
    reading: object
    terms: object

    def run(self, number: int) -> bytes:
        raise MemoryError("no room")
