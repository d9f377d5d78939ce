"""This module writes the signals of earlier runs out once more, ahead of those of a later run."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rollsignal.engines.series import Series
from rollsignal.errors import DataError, InputError, shown_path
from rollsignal.sinks.signal_arrays import longest, mean_texts, symbol_texts
from rollsignal.sinks.signal_tables import guarded, signal_table
from rollsignal.timestamps import iso

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 1 << 17


def former_csv(
    path: str, known: Mapping[str, Series], harmless_in: bool
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the rows of the series that a state knows, as `csv_of` writes them, part by part.

    path: the file that the run before left; what follows in it is of a run that did not end.
    Raises `DataError` at the end if these were not the rows of the bars that the state knows.
    """
    left = sum(series.tally.rows for series in known.values())
    found: dict[str, tuple[int, str]] = {}
    with guarded(path):
        try:
            table = signal_table(path).head(left)
        except InputError as problem:
            raise _others(path) from problem
        for batch in table.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            for symbol, rows, stamp in _counted(batch):
                found[symbol] = found.get(symbol, (0, ""))[0] + rows, stamp
            yield _csv_of(batch, harmless_in)
    if found != {symbol: _place(series) for symbol, series in known.items()}:
        raise _others(path)


def _place(series: Series) -> tuple[int, str]:
    """Tell how many rows a series has, and its last timestamp."""
    return series.tally.rows, "" if series.last_ns is None else iso(series.last_ns)


def _counted(batch: "pl.DataFrame") -> list[tuple[str, int, str]]:
    import polars as pl

    return batch.group_by("symbol").agg(pl.len(), pl.col("stamp").last()).rows()


def _csv_of(batch: "pl.DataFrame", harmless_in: bool) -> tuple[bytes, int, int]:
    import polars as pl

    names = batch["symbol"].unique().to_list()
    texts = symbol_texts(names, harmless_in)
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
    return text, whole, decimals


def _others(path: str) -> DataError:
    return DataError(
        f"{shown_path(path)} does not begin with the signals of the bars that the state knows",
        "name the file that the run before wrote, or write a folder with --partition-by, or start"
        " anew with another state file",
    )
