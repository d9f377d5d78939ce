"""This module looks at files before they are cut into pieces, in any process."""

import pickle
from typing import NamedTuple

from rollsignal.engines.inputs import Inputs, files_of_series
from rollsignal.engines.passes import Reading, Splits
from rollsignal.errors import JobError
from rollsignal.files.find import Input

# Files that are looked at together: each takes a millisecond.
FILES_TOGETHER = 100


class FileLook(NamedTuple):
    """What a look at a file has found: its splits, and its first timestamp or an error."""

    splits: Splits
    first_ns: int | None
    error: JobError | None = None

    def first(self) -> int | None:
        """Return the first timestamp; raises the error."""
        if self.error:
            raise self.error
        return self.first_ns


class Looking:
    """The work of looking at files, for each group of them by its number.

    A first timestamp is only looked for where the files of a series must be put in order. Messages
    come when the order is made, so the first error in that order is the one that is told.
    """

    def __init__(self, inputs: Inputs, reading: Reading, bytes_each: int) -> None:
        self._inputs = inputs
        self._reading = reading
        self._bytes_each = bytes_each
        series = files_of_series(inputs.files, inputs.config)
        self._in_order = {file.path for files in series if len(files) > 1 for file in files}

    @property
    def groups(self) -> int:
        """Return how many groups of files there are."""
        return -(-len(self._inputs.files) // FILES_TOGETHER)

    def run(self, number: int) -> bytes:
        """Return the pickled list of a `FileLook` for each file of a group."""
        begin = number * FILES_TOGETHER
        files = self._inputs.files[begin : begin + FILES_TOGETHER]
        return pickle.dumps(list(map(self._look, files)))

    def _look(self, file: Input) -> FileLook:
        splits = self._reading.splits([file], self._bytes_each)
        if file.path not in self._in_order:
            return FileLook(splits, None)
        try:
            return FileLook(splits, self._inputs.first_ns(file))
        except JobError as error:
            return FileLook(splits, None, error)
