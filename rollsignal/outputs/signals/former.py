"""This module reads the signals that earlier runs on a state have written, and checks them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rollsignal.core.decisions import ArrayDecided
from rollsignal.core.digester import Digester
from rollsignal.errors import DataError, DiskError, InputError
from rollsignal.files.fingerprints import stat_of
from rollsignal.files.open import exists
from rollsignal.files.staged import FileContent, content_of
from rollsignal.messages import shown_path
from rollsignal.outputs.signals.arrays import mean_texts, symbol_texts
from rollsignal.outputs.signals.column_types import STAMP
from rollsignal.outputs.signals.counts import KnownSignals, PartitionCount
from rollsignal.outputs.signals.table_file import SignalsTable
from rollsignal.outputs.signals.tables import guarded, stored_signals
from rollsignal.outputs.signals.text import SignalsText
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


BATCH_ROWS = 1 << 17


def follow(path: str, known: KnownSignals, rows: SignalsText | SignalsTable) -> None:
    """Write the rows of the bars in a state again.

    path: the file that the previous run wrote; rows after those of the state are from a run that
    did not finish. Raises `DataError` at the end if the rows were not those of the state.
    """
    for stored, batch in _known_batches(path, known):
        if isinstance(rows, SignalsText):
            rows.add(_csv_of(batch))
        else:
            rows.add(stored, _widths_of(stored, batch))


def _known_batches(path: str, known: KnownSignals) -> "Iterator[tuple[pl.DataFrame, pl.DataFrame]]":
    """Yield the rows of the bars in a state, as they are stored and as `signal_table` has them."""
    if not exists(path):
        raise _missing_signals(path)
    for content in known.files.values():
        _check_content(path, content)
    count = sum(account.tally.rows for account in known.accounts.values())
    table = _Table()
    with _read_again(path, is_right=bool(known.files)):
        for stored, batch in _row_batches(path, count):
            table.take(batch)
            yield stored, batch
    if table.part != PartitionCount(count, known.digest):
        raise _other_signals(path)


class FormerParts:
    """The partitions that a state has written to a folder."""

    def __init__(self, folder: str, key: str, suffix: str, known: KnownSignals) -> None:
        """Check that they all exist; raises `DataError` if not, or for another key or suffix."""
        self._known = known
        written = known.written
        if written is None or (written.key, written.suffix) != (key, suffix):
            raise _missing_signals(folder)
        self.parts = written.parts
        self.files = known.files
        for name in self.parts:
            facts = stat_of(path := os.path.join(folder, name, f"signals{suffix}"))
            if facts is None:
                raise _missing_signals(os.path.join(folder, name))
            content = self._content(path)
            if content and content.size != facts[0]:
                raise changed_signals(path)

    def check(self, path: str) -> None:
        """Raise `DataError` if a partition has other bytes than the runs before have written."""
        if content := self._content(path):
            _check_content(path, content)

    def _content(self, path: str) -> FileContent | None:
        folder, name = os.path.split(path)
        return self.files.get(f"{os.path.basename(folder)}/{name}")

    def known_rows(self, path: str) -> "pl.Series":
        """Return a mask of the rows that are in the state; others are of a run that did not finish.

        Raises `DataError` if these rows are not those that the state has written.
        """
        import polars as pl

        table, masks = _Table(), []
        with _read_again(path, is_right=self._content(path) is not None):
            for _, batch in _row_batches(path):
                mask = pl.Series(_row_ns(batch) <= self._last_ns(batch))
                table.take(batch.filter(mask))
                masks.append(mask)
        name = os.path.basename(os.path.dirname(path))
        if table.part != self.parts.get(name, PartitionCount()):
            raise _other_signals(path)
        return pl.concat(masks) if masks else pl.Series([], dtype=pl.Boolean)

    def _last_ns(self, batch: "pl.DataFrame") -> "NDArray[np.int64]":
        """Return the last timestamp of the series of each row in the state."""
        import polars as pl

        accounts = self._known.accounts.items()
        last_ns = {name: item.last_ns for name, item in accounts if item.last_ns is not None}
        before_all = -(2**63)
        symbols = batch["symbol"]
        return symbols.replace_strict(last_ns, default=before_all, return_dtype=pl.Int64).to_numpy()


class _Table:
    """A counter and digester of rows that are read again."""

    def __init__(self) -> None:
        self._rows = 0
        self._digester = Digester()
        self._codes: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    @property
    def part(self) -> PartitionCount:
        """Return the number of rows so far, and their digest."""
        return PartitionCount(self._rows, self._digester.digest)

    def take(self, batch: "pl.DataFrame") -> None:
        """Receive the next rows."""
        import numpy as np
        import polars as pl

        if not batch.height:
            return
        self._rows += batch.height
        for symbol in batch["symbol"].unique(maintain_order=True):
            self._codes.setdefault(symbol, len(self._codes))
        codes = batch["symbol"].replace_strict(self._codes, return_dtype=pl.Int64).to_numpy()
        signals = batch["signal"]
        margins = signals.fill_null(0).cast(pl.Int64).to_numpy()
        has_signal, zeros = signals.is_not_null().to_numpy(), np.zeros(batch.height, np.int64)
        has_times = batch["stamp"][0] != ""
        times_ns = _row_ns(batch) if has_times else None
        numbers = None if has_times else self._numbers(batch)
        names = list(self._codes)
        columns = (names, codes, times_ns, numbers, zeros, margins, has_signal, 0)
        self._digester.take(ArrayDecided("", *columns))

    def _numbers(self, batch: "pl.DataFrame") -> "NDArray[np.int64]":
        """Number the rows of each series from 1."""
        import polars as pl

        count = pl.col("symbol").replace_strict(self._counts, default=0, return_dtype=pl.Int64)
        numbered = batch.select("symbol", number=pl.int_range(pl.len()).over("symbol") + 1 + count)
        self._counts |= dict(numbered.group_by("symbol").agg(pl.col("number").max()).iter_rows())
        return numbered["number"].to_numpy()


@contextmanager
def _read_again(path: str, *, is_right: bool) -> Iterator[None]:
    """Name the file that polars cannot read.

    is_right: whether its bytes were compared with those that were written. Then it holds signals,
    and the disk does not answer, which polars may take for the end of the file.
    """
    try:
        with guarded(path):
            yield
    except DataError as problem:
        if not is_right:
            raise
        what = f"{shown_path(path)} was not read again as it was written"
        raise DiskError(what, problem.message) from problem


def _row_batches(
    path: str, max_rows: int | None = None
) -> "Iterator[tuple[pl.DataFrame, pl.DataFrame]]":
    try:
        with guarded(path):
            stored, columns = stored_signals(path)
    except InputError as problem:
        if isinstance(problem.__cause__, OSError):
            # It is there, and nobody knows what it holds.
            raise
        raise _other_signals(path) from problem
    stored = stored if max_rows is None else stored.head(max_rows)
    for batch in stored.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        yield batch, batch.select(columns)


def _row_ns(batch: "pl.DataFrame") -> "NDArray[np.int64]":
    import polars as pl

    stamps = batch["stamp"].str.to_datetime(STAMP, time_unit="ns")
    return stamps.to_physical().cast(pl.Int64).to_numpy()


def _csv_of(batch: "pl.DataFrame") -> bytes:
    import polars as pl

    names = batch["symbol"].unique().to_list()
    means = batch["mean"]
    table = batch.select(
        "stamp",
        pl.col("symbol").replace_strict(names, symbol_texts(names), return_dtype=pl.String),
        "close",
        mean_texts(means.fill_null(1.0).to_numpy()).set(means.is_null(), None).alias("mean"),
        "signal",
    )
    return table.write_csv(include_header=False, quote_style="never").encode()


def _widths_of(stored: "pl.DataFrame", batch: "pl.DataFrame") -> Widths:
    """Return what rows of an earlier run need of their types."""
    import polars as pl

    stamps = stored["timestamp"]
    fits_ns = stamps.dtype != pl.String
    fits_us = fits_ns and not (stamps.dt.nanosecond() % 1000 != 0).any()
    halves = batch["close"].str.strip_prefix("-").str.splitn(".", 2).struct.unnest()
    lengths = halves.select(pl.all().str.len_bytes().max().fill_null(0))
    whole, decimals = lengths.row(0)
    return Widths(whole, decimals, fits_us, fits_ns)


def _check_content(path: str, content: FileContent) -> None:
    """Raise `DataError` if a file does not hold this: bytes that no digest knows may be changed."""
    if content_of(path) != content:
        raise changed_signals(path)


def changed_signals(path: str) -> DataError:
    """Return the error for signals that are not what the runs before have written."""
    problem = "was changed after the run before had written it"
    return DataError(f"{shown_path(path)} {problem}", _HINT)


def _other_signals(path: str) -> DataError:
    problem = "does not hold the signals of the bars in the state"
    return DataError(f"{shown_path(path)} {problem}", _HINT)


def _missing_signals(path: str) -> DataError:
    problem = "the signals of the bars in the state are missing"
    return DataError(f"{shown_path(path)}: {problem}", _HINT)


_HINT = "put back what the previous run wrote, or start again with another state file"
