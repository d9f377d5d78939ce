"""This module reads the signals that earlier runs on a state have left, and knows them again."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rollsignal.core.decisions import ArrayDecided
from rollsignal.core.digester import Digester
from rollsignal.errors import DataError, InputError
from rollsignal.messages import shown_path
from rollsignal.outputs.signals.arrays import longest, mean_texts, symbol_texts
from rollsignal.outputs.signals.counts import KnownSignals, PartitionCount
from rollsignal.outputs.signals.tables import guarded, signal_table
from rollsignal.outputs.signals.text import Widths

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


BATCH_ROWS = 1 << 17
STAMP = "%Y-%m-%dT%H:%M:%S%.fZ"


def former_csv(path: str, known: KnownSignals, escaped: bool) -> Iterator[tuple[bytes, Widths]]:
    """Yield the rows of the bars that a state knows, as `csv_of` writes them, part by part.

    path: the file that the run before left; what follows in it is of a run that did not end.
    Raises `DataError` at the end if these were not the rows of the bars that the state knows.
    """
    if not os.path.exists(path):
        raise _lacking(path)
    left = sum(series.tally.rows for series in known.series.values())
    table = _Table()
    with guarded(path):
        for batch in _batches(path, left):
            table.take(batch)
            yield _csv_of(batch, escaped)
    if table.part != PartitionCount(left, known.digest):
        raise _others(path)


class FormerParts:
    """The partitions of a folder that the run before left, as far as a state knows them."""

    def __init__(self, folder: str, key: str, form: str, known: KnownSignals) -> None:
        """Look for all of them; raises `DataError` if they are not what the state has written."""
        self._known = known
        written = known.written
        if written is None or (written.key, written.form) != (key, form):
            raise _lacking(folder)
        self.parts = written.parts
        for name in self.parts:
            if not os.path.exists(os.path.join(folder, name, f"signals{form}")):
                raise _lacking(os.path.join(folder, name))

    def known(self, path: str) -> "pl.Series":
        """Tell which rows of a partition the state knows; others are of a run that did not end.

        Raises `DataError` if these are not what the state has written.
        """
        import polars as pl

        table, masks = _Table(), []
        with guarded(path):
            for batch in _batches(path):
                mask = pl.Series(_ns(batch) <= self._reached(batch))
                table.take(batch.filter(mask))
                masks.append(mask)
        name = os.path.basename(os.path.dirname(path))
        if table.part != self.parts.get(name, PartitionCount()):
            raise _others(path)
        return pl.concat(masks) if masks else pl.Series([], dtype=pl.Boolean)

    def _reached(self, batch: "pl.DataFrame") -> "NDArray[np.int64]":
        """Tell the place that each row's series had reached."""
        import polars as pl

        series = self._known.series.items()
        places = {symbol: one.last_ns for symbol, one in series if one.last_ns is not None}
        before_all = -(2**63)
        symbols = batch["symbol"]
        return symbols.replace_strict(places, default=before_all, return_dtype=pl.Int64).to_numpy()


class _Table:
    """Count and digest rows that are read again."""

    def __init__(self) -> None:
        self._rows = 0
        self._digester = Digester()
        self._codes: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    @property
    def part(self) -> PartitionCount:
        """Tell how many rows there are, and their digest."""
        return PartitionCount(self._rows, self._digester.digest)

    def take(self, batch: "pl.DataFrame") -> None:
        """Take the next rows."""
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
        has_signal, nothing = signals.is_not_null().to_numpy(), np.zeros(batch.height, np.int64)
        timed = batch["stamp"][0] != ""
        times_ns = _ns(batch) if timed else None
        numbers = None if timed else self._numbers(batch)
        names = list(self._codes)
        columns = (names, codes, times_ns, numbers, nothing, margins, has_signal, 0)
        self._digester.take(ArrayDecided("", *columns))

    def _numbers(self, batch: "pl.DataFrame") -> "NDArray[np.int64]":
        """Count the rows of each series, from 1."""
        import polars as pl

        before = pl.col("symbol").replace_strict(self._counts, default=0, return_dtype=pl.Int64)
        numbered = batch.select("symbol", number=pl.int_range(pl.len()).over("symbol") + 1 + before)
        self._counts |= dict(numbered.group_by("symbol").agg(pl.col("number").max()).iter_rows())
        return numbered["number"].to_numpy()


def _batches(path: str, most: int | None = None) -> "Iterator[pl.DataFrame]":
    try:
        table = signal_table(path)
    except InputError as problem:
        raise _others(path) from problem
    table = table if most is None else table.head(most)
    return iter(table.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True))


def _ns(batch: "pl.DataFrame") -> "NDArray[np.int64]":
    import polars as pl

    stamps = batch["stamp"].str.to_datetime(STAMP, time_unit="ns")
    return stamps.to_physical().cast(pl.Int64).to_numpy()


def _csv_of(batch: "pl.DataFrame", escaped: bool) -> tuple[bytes, Widths]:
    import polars as pl

    names = batch["symbol"].unique().to_list()
    texts = symbol_texts(names, escaped)
    halves = batch["close"].str.strip_prefix("-").str.splitn(".", 2).struct.unnest()
    means = batch["mean"]
    table = batch.select(
        "stamp",
        pl.col("symbol").replace_strict(names, texts, return_dtype=pl.String),
        "close",
        mean_texts(means.fill_null(1.0).to_numpy()).set(means.is_null(), None).alias("mean"),
        "signal",
    )
    text = table.write_csv(include_header=False, quote_style="never").encode()
    whole, decimals = (longest(half) for half in halves.iter_columns())
    return text, Widths(whole, decimals)


def _others(path: str) -> DataError:
    what = "does not hold the signals of the bars that the state knows"
    return DataError(f"{shown_path(path)} {what}", _HINT)


def _lacking(path: str) -> DataError:
    what = "the signals of the bars that the state knows are not there"
    return DataError(f"{shown_path(path)}: {what}", _HINT)


_HINT = "put back what the run before wrote, or start anew with another state file"
