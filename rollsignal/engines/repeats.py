"""This module leaves out rows that repeat a bar, as the setting `duplicates` says.

It stands between the readers and the ledger, so that the checks judge what is left. Which row is
the last of a time is only known from rows that follow, perhaps in another file. So the files are
read twice: bars keep their order, and nothing but the numbers of the rows left out is held.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from typing import Protocol

from rollsignal.core.reader import Bars, Reader, TakeBatch
from rollsignal.core.ties import Ties
from rollsignal.engines.inputs import Inputs
from rollsignal.errors import ConfigError, DataError
from rollsignal.files.find import Input
from rollsignal.files.open import exists


class KeptRows(Protocol):
    """What leaves rows out; `dropped` counts them so far."""

    dropped: int

    def of(self, batch: Bars, reader: Reader) -> Bars | None:
        """Return the rows of the next batch that are kept, None if there are none."""


def kept_rows(inputs: Inputs, files: Sequence[Input], *, in_doubt: bool = False) -> KeptRows | None:
    """Return what leaves rows out of files in this order; None if all rows are kept.

    in_doubt: whether files that cannot be read are passed over. Raises `JobError`.
    """
    if inputs.config.duplicates == "keep":
        return None
    if inputs.config.duplicates == "same":
        return UnlikeRows()
    return LastRows(inputs, files, in_doubt=in_doubt)


def taking_kept(kept: KeptRows | None, take: TakeBatch) -> TakeBatch:
    """Return a function that passes on the rows that are kept."""
    if kept is None:
        return take

    def take_kept(batch: Bars, reader: Reader) -> None:
        if (left := kept.of(batch, reader)) is not None:
            take(left, reader)

    return take_kept


class UnlikeRows:
    """Keep each row that differs in what is read from the row above it in its series."""

    def __init__(self) -> None:
        self.dropped = 0
        self._ties = Ties()

    def of(self, batch: Bars, reader: Reader) -> Bars | None:
        """Return the rows that are kept, None if there are none."""
        _check_timed(batch, reader)
        dropped = self._ties.of(batch, reader, 0).equal(batch)
        self.dropped += len(dropped)
        return _without(batch, dropped)


class LastRows:
    """Keep of the rows of a series at the same time the last one, in the order of the files."""

    def __init__(self, inputs: Inputs, files: Sequence[Input], *, in_doubt: bool = False) -> None:
        """Read the files; raises `ConfigError` for one that cannot be read twice."""
        for file in files:
            _check_regular(file)
        self.dropped = 0
        self._in_doubt = in_doubt
        self._rows: dict[str, int] = {}
        self._superseded: dict[str, array[int]] = {}
        ties = Ties()
        with closing(inputs.each(files)) as each:
            for _, opened in each:
                self._read(opened, ties)
        self._sorted = {path: sorted(rows) for path, rows in self._superseded.items()}
        self._passed = dict.fromkeys(self._sorted, 0)

    def _read(self, opened: AbstractContextManager[Reader], ties: Ties) -> None:
        row = 0
        with suppress(DataError) if self._in_doubt else nullcontext(), opened as reader:
            for batch in reader.batches():
                _check_timed(batch, reader)
                tied = ties.of(batch, reader, row)
                above = [(reader.path, row + place) for place in tied.above.tolist()]
                above += [(each.path, each.row) for each, _ in tied.begun]
                for path, number in above:
                    self._superseded.setdefault(path, array("q")).append(number)
                row += batch.rows

    def of(self, batch: Bars, reader: Reader) -> Bars | None:
        """Return the rows that are kept, None if there are none."""
        _check_timed(batch, reader)
        begin = self._rows.get(reader.path, 0)
        self._rows[reader.path] = end = begin + batch.rows
        dropped = [row - begin for row in self._superseded_in(reader.path, end)]
        self.dropped += len(dropped)
        return _without(batch, dropped)

    def _superseded_in(self, path: str, end: int) -> Iterator[int]:
        """Yield the rows of a file that are left out, up to one, and pass them."""
        rows = self._sorted.get(path, ())
        while (at := self._passed.get(path, 0)) < len(rows) and rows[at] < end:
            self._passed[path] = at + 1
            yield rows[at]


def _without(batch: Bars, dropped: Sequence[int]) -> Bars | None:
    if not dropped:
        return batch
    import numpy as np

    kept = np.delete(np.arange(batch.rows), dropped)
    return batch.picked(kept) if len(kept) else None


def _check_timed(batch: Bars, reader: Reader) -> None:
    if not batch.has_timestamps:
        hint = "name the column in the config (columns: {timestamp: NAME}), or set duplicates: keep"
        raise DataError(f"{reader.name}: no timestamps by which a row repeats another", hint)


def _check_regular(file: Input) -> None:
    if file.kind == "stdin" or (file.kind == "other" and exists(file.path)):
        hint = "write it to a file first, or set duplicates: same if repeated rows are equal"
        raise ConfigError(
            f"duplicates: last reads every file twice, and {file.name} is a pipe", hint
        )
