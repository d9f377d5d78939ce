"""This module reads a table of signals as columns of whole numbers, without any loss.

Closes are whole ticks, timestamps nanoseconds since 1970: int64 where all of them fit, else Python
integers in an array of objects, which NumPy computes with in the same way.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.kernel import INT64_MAX, NO_SIGNAL, greatest
from rollsignal.core.ticks import parse_closes
from rollsignal.errors import BadCellError, DataError
from rollsignal.messages import shown, shown_path
from rollsignal.outputs.signals.forms import iso_stamps
from rollsignal.outputs.signals.tables import guarded, signal_files, stored_signals

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Wholes = NDArray[Any]

READ_ROWS = 1 << 17
# Stands for a timestamp that is not there: no table holds it.
NO_TIME = -INT64_MAX - 1
# Every time with a year from 1678 to 2261 fits into an int64 of nanoseconds.
FIRST_YEAR, END_YEAR = "1678", "2262"
WHOLE_SECONDS, ANY_SECONDS = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ"
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z|(-?\d+) ns since 1970")
_MAX_FACTOR_DIGITS = 18


class SignalColumns(NamedTuple):
    """Rows of a table of signals, in their order.

    `closes` are ticks of 10^-scale, and `has_close` tells which of them are there. `codes` are
    places in the list of symbols. `signals` are 0, 1 or `NO_SIGNAL`; `times_ns` may be `NO_TIME`.
    """

    codes: "NDArray[np.int32]"
    times_ns: "Wholes"
    closes: "Wholes"
    has_close: "NDArray[np.bool_]"
    scale: int
    signals: "NDArray[np.uint8]"


def signal_columns(path: str, symbols: list[str]) -> Iterator[SignalColumns]:
    """Read a table of signals, or a folder of them, in batches; add new symbols to the list.

    Raises `InputError` where there is none, `DataError` for what is not a table of signals.
    """
    import polars as pl

    codes = {symbol: code for code, symbol in enumerate(symbols)}
    for file in signal_files(path):
        with guarded(file):
            stored, columns = stored_signals(file)
            # A time stays a time here: to write it as text and to read it again takes long.
            times = pl.col("timestamp").alias("time")
            table = stored.select(*columns, times)
            batches = table.collect_batches(chunk_size=READ_ROWS, maintain_order=True)
        while True:
            with guarded(file):
                batch = next(batches, None)
            if batch is None:
                break
            if batch.height:
                yield _columns_of(batch, codes, symbols, file)


def _columns_of(
    batch: "pl.DataFrame", codes: dict[str, int], symbols: list[str], file: str
) -> SignalColumns:
    import polars as pl

    names = batch.get_column("symbol")
    for name in names.unique(maintain_order=True):
        if name not in codes:
            codes[name] = len(symbols)
            symbols.append(name)
    numbers = names.replace_strict(codes, return_dtype=pl.Int32).to_numpy()
    signals = batch.get_column("signal").fill_null(NO_SIGNAL)
    if not signals.is_between(0, NO_SIGNAL).all():
        raise _not_signals(file, "a signal is neither 0 nor 1")
    closes, scale = _ticks_of(batch.get_column("close"), file)
    return SignalColumns(
        numbers,
        _nanoseconds(batch.get_column("time"), file),
        closes,
        batch.get_column("close").is_not_null().to_numpy(),
        scale,
        signals.cast(pl.UInt8).to_numpy(),
    )


def _ticks_of(texts: "pl.Series", file: str) -> "tuple[Wholes, int]":
    """Turn the texts of closes into ticks of one scale; a missing close is 0."""
    import numpy as np
    import polars as pl

    digits = texts.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
    places = texts.str.len_bytes() - texts.str.find(".", literal=True) - 1
    decimals = places.fill_null(0).cast(pl.Int64).to_numpy()
    scale = int(decimals.max(initial=0))
    ints = digits.fill_null(0).to_numpy()
    size = greatest(ints)
    factor = scale - int(decimals.min(initial=scale))
    is_plain = digits.null_count() == texts.null_count()
    if is_plain and factor <= _MAX_FACTOR_DIGITS and size * 10**factor <= INT64_MAX:
        factors = np.array([10**power for power in range(factor + 1)], dtype=np.int64)
        return ints * factors[scale - decimals], scale
    try:
        ticks, scale = parse_closes(texts.fill_null("").to_list())
    except BadCellError as problem:
        cell = shown(str(texts[problem.index]))
        raise _not_signals(file, f"close is {cell}, {problem.reason}") from problem
    return as_wholes([tick or 0 for tick in ticks]), scale


def as_wholes(numbers: list[int]) -> "Wholes":
    """Return whole numbers as int64 where all of them fit, else as Python integers.

    >>> as_wholes([1, 2]).dtype, as_wholes([1, 2**64]).dtype
    (dtype('int64'), dtype('O'))
    """
    import numpy as np

    fits = min(numbers, default=0) >= -INT64_MAX and max(numbers, default=0) <= INT64_MAX
    return np.array(numbers, dtype=np.int64 if fits else object)


def _nanoseconds(times: "pl.Series", file: str) -> "Wholes":
    """Return times as nanoseconds since 1970; `NO_TIME` where there is none."""
    import polars as pl

    if isinstance(times.dtype, pl.Datetime):
        years = times.dt.year()
        if times.dtype.time_unit == "ns" or years.is_between(1678, 2261).all():
            return times.dt.timestamp("ns").fill_null(NO_TIME).to_numpy()
        times = times.to_frame("time").select(iso_stamps(pl.col("time"))).to_series()
    texts = times.cast(pl.String).replace("", None)
    if texts.null_count() == len(texts):
        return as_wholes([NO_TIME]).repeat(len(texts))
    least, most = str(texts.min()), str(texts.max())
    if least >= FIRST_YEAR and most < END_YEAR:
        short = texts.str.len_bytes().max() == len("2024-01-01T00:00:00Z")
        form = WHOLE_SECONDS if short else ANY_SECONDS
        parsed = texts.str.to_datetime(form, time_unit="ns", strict=False)
        if parsed.null_count() == texts.null_count():
            return parsed.dt.timestamp("ns").fill_null(NO_TIME).to_numpy()
    return as_wholes([NO_TIME if text is None else _time_ns(text, file) for text in texts])


def _time_ns(text: str, file: str) -> int:
    """Read a time as a run writes it, of any year."""
    match = _STAMP.fullmatch(text)
    if match is None:
        raise _not_signals(file, f"timestamp is {shown(text)}")
    if match[3]:
        return int(match[3])
    try:
        passed = datetime.fromisoformat(match[1]) - datetime(1970, 1, 1)
    except ValueError as problem:
        raise _not_signals(file, f"timestamp is {shown(text)}") from problem
    return (passed.days * 86_400 + passed.seconds) * 10**9 + int((match[2] or "0").ljust(9, "0"))


def _not_signals(file: str, problem: str) -> DataError:
    what = f"{shown_path(file)}: not a table of signals: {problem}"
    return DataError(what, "name the file that --signals wrote, as it was written")
