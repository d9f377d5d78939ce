"""This module opens what a run reads: files, pipes and standard input."""

import sys
from typing import BinaryIO

from rollsignal.errors import InputError
from rollsignal.files import open_regular

STDIN = "-"
PIPE_SECONDS = 10


def open_input(path: str) -> BinaryIO:
    """Open an input's bytes; `-` is standard input. Raises `InputError`."""
    if path != STDIN:
        return open_regular(path, "Input data file", InputError, pipe_seconds=PIPE_SECONDS)
    if sys.stdin is None:
        raise InputError("Standard input is closed")
    return sys.stdin.buffer
