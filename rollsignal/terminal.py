"""This module writes to the terminal: results on stdout, messages for people on stderr."""

import os
import sys
from typing import TextIO

from rollsignal.errors import DiskError, escaped
from rollsignal.sinks.log import LEVELS, Level, Say


def print_result(text: str) -> None:
    """Write to stdout, in UTF-8 whatever the terminal's encoding is."""
    if sys.stdout is None:
        raise BrokenPipeError
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def drop(stream: TextIO | None) -> None:
    """Let Python's own last flush go nowhere, so that it does not change the exit code."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def voice(least: Level) -> Say:
    """Make the function that tells people on stderr what is at least this important."""
    heard = LEVELS[LEVELS.index(least) :]
    colour = (
        bool(sys.stderr and sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        and os.environ.get("TERM") != "dumb"
    )

    def say(level: Level, text: str) -> None:
        if level not in heard or sys.stderr is None:
            return
        label = level.lower()
        if colour and level != "INFO":
            label = f"\x1b[{31 if level == 'ERROR' else 33}m{label}\x1b[0m"
        try:
            print(f"rollsignal: {label}: {escaped(text)}", file=sys.stderr, flush=True)
        except OSError:
            drop(sys.stderr)

    return say


def flushed(code: int) -> int:
    """Print what is left to print: an exit code must not change after it is decided."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as problem:
        code = unprinted(problem)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        drop(sys.stderr)
    return code


def unprinted(problem: OSError) -> int:
    """Say that stdout cannot be written; return the exit code."""
    error = stdout_error(problem)
    voice("ERROR")("ERROR", str(error))
    return error.exit_code


def stdout_error(problem: OSError) -> DiskError:
    """Give stdout up; return the error that says so."""
    drop(sys.stdout)
    return DiskError(f"stdout could not be written: {problem.strerror}")
