"""This module opens what a run reads: files, pipes and standard input."""

import os
import sys
from typing import BinaryIO

from rollsignal.errors import InputError
from rollsignal.files import open_regular

STDIN = "-"
PIPE_SECONDS = 10
COLUMNAR = {b"PAR1": "parquet", b"ARROW1": "arrow"}


def open_input(path: str) -> BinaryIO:
    """Open an input's bytes; `-` is standard input. Raises `InputError`."""
    if path != STDIN:
        return open_regular(path, "Input data file", InputError, pipe_seconds=PIPE_SECONDS)
    if sys.stdin is None:
        raise InputError("Standard input is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def columnar_format(path: str) -> str | None:
    """Tell a Parquet or Arrow IPC file by its first bytes; None for anything else."""
    if not os.path.isfile(path):
        return None
    with open_input(path) as file:
        head = file.read(8)
    return next((name for magic, name in COLUMNAR.items() if head.startswith(magic)), None)
