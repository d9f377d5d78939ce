"""This module writes to the terminal: results on stdout, messages for people on stderr."""

import os
import sys
from typing import TextIO

from rollsignal.errors import DiskError
from rollsignal.messages import LEVELS, LogLevel, escaped


def print_result(text: str) -> None:
    """Write to stdout, in UTF-8 whatever the terminal's encoding is.

    Bytes of file names that are no characters there are written as escapes, which JSON reads back.
    Raises `BrokenPipeError` if nobody reads it, `DiskError` if it cannot be written.
    """
    if sys.stdout is None:
        raise BrokenPipeError
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise stdout_error(problem) from problem


def discard(stream: TextIO | None) -> None:
    """Discard what Python flushes to a stream at its end: that could change the exit code."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Console:
    """Print messages of at least a level on stderr, and draw a line of progress on a terminal."""

    def __init__(self, least: LogLevel) -> None:
        self._levels = LEVELS[LEVELS.index(least) :]
        self.is_terminal = bool(sys.stderr and sys.stderr.isatty())
        self.is_terminal = self.is_terminal and os.environ.get("TERM") != "dumb"
        self._coloured = self.is_terminal and not os.environ.get("NO_COLOR")
        self._drawn = False

    def __call__(self, level: LogLevel, text: str) -> None:
        """Print a message on a line of its own."""
        if level not in self._levels:
            return
        label = level.lower()
        if self._coloured and level != "INFO":
            label = f"\x1b[{31 if level == 'ERROR' else 33}m{label}\x1b[0m"
        self.draw("")
        self._print(f"rollsignal: {label}: {escaped(text)}\n")

    def draw(self, line: str) -> None:
        """Replace the line that was drawn last; "" clears it."""
        if line:
            # A wrapped line could not be replaced: have the terminal cut a long line (DECAWM).
            self._print(f"\r\x1b[K\x1b[?7l{line}\x1b[?7h")
        elif self._drawn:
            self._print("\r\x1b[K")
        self._drawn = bool(line)

    def _print(self, text: str) -> None:
        if sys.stderr is None:
            return
        try:
            print(text, end="", file=sys.stderr, flush=True)
        except OSError:
            discard(sys.stderr)


def flushed(code: int) -> int:
    """Flush stdout and stderr, so that nothing can fail later; return the final exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as problem:
        code = unprinted(problem)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        discard(sys.stderr)
    return code


def unprinted(problem: OSError) -> int:
    """Report that stdout cannot be written; return the exit code."""
    error = stdout_error(problem)
    Console("ERROR")("ERROR", str(error))
    return error.exit_code


def stdout_error(problem: OSError) -> DiskError:
    """Discard the rest of stdout; return the error that reports it."""
    discard(sys.stdout)
    return DiskError(f"stdout could not be written: {problem.strerror}")
