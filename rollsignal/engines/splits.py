"""This module cuts the files of a task into splits, which are read apart from each other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import Reader
from rollsignal.engines.inputs import Inputs
from rollsignal.files.find import Input
from rollsignal.files.formats import Format


class Split(NamedTuple):
    """Consecutive bars of a file: bytes of a text at line ends, or rows of a columnar file.

    number: which of the file's splits it is. end: None for the end of the file.
    """

    file: Input
    number: int = 0
    begin: int = 0
    end: int | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether it is the whole file."""
        return not self.begin and self.end is None


class ReadWholeError(Exception):
    """The file of a split must be read as one split."""


def splits_of(
    files: Sequence[Input], config: JobConfig, format: Format | None, bytes_each: int
) -> list[Split]:
    """Cut files into splits of about so many bytes; splits and files are in the same order."""
    return [Split(file) for file in files]


@contextmanager
def opened_split(
    split: Split, config: JobConfig, format: Format | None, first_row: int | None = None
) -> Iterator[Reader]:
    """Open a split; raises `JobError` if its file is not a table with the columns that are read.

    first_row: the number of the line or row before the split, if it is known: only then messages
    name the true lines.
    """
    with Inputs([split.file], config, format).opened(split.file) as reader:
        yield reader
