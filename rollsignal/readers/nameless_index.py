"""This module finds an index without a name at the front of rows that are wider than the header.

Rows that end in an empty field more than the header has are either rows with a delimiter too many,
or rows of which the first field is such an index, and the last column is empty. The closes, the
times, and the relations of open, high, low and close decide; else the table is refused.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from rollsignal.config.settings import JobConfig
from rollsignal.core.quality import PRICES
from rollsignal.core.ticks import BLANKS, MISSING_WORDS, NUMBER
from rollsignal.errors import DataError
from rollsignal.messages import line_of, plural
from rollsignal.readers.close_cells import closes_as_of
from rollsignal.readers.dialect import Dialect, delimiter_name, find_ohlc
from rollsignal.readers.proof import SAMPLED_ROWS, numbered_rows, times_ns_of
from rollsignal.readers.records import Row


def with_index(text: str, dialect: Dialect, config: JobConfig, name: str) -> Dialect:
    """Return the dialect of a table, in which an index without a name is a column of its own.

    text: the beginning of the table, from its header on. Raises `DataError` if the rows do not tell
    whether there is such an index.
    """
    numbered = numbered_rows(text, dialect)
    first, line = numbered[0] if numbered else ([], 0)
    if len(first) <= dialect.width or any(first[dialect.width :]):
        return dialect
    sampled = [row for row, _ in numbered if len(row) == len(first)][:SAMPLED_ROWS]
    rows = list(map(closes_as_of(config.table).loosely, sampled))
    readings = [_shifted(dialect, by) for by in range(len(first) - dialect.width + 1)]
    with_closes = sum(_has_closes(rows, reading) for reading in readings)
    if not with_closes:
        return dialect
    fitting = readings
    has_times = partial(_has_times, written=config.timestamp_format)
    for fits in (_has_closes, has_times, _is_sane_table):
        # What no reading fulfils tells nothing.
        fulfilled = [reading for reading in readings if fits(rows, reading)] or readings
        fitting = [reading for reading in fitting if reading in fulfilled]
    if len(fitting) == 1 and with_closes > 1 and fitting[0].close == 0 and _are_row_numbers(rows):
        # The times of another column may have misled.
        fitting = []
    if len(fitting) != 1:
        raise _undecided(dialect, first, line_of(name, line))
    return fitting[0]


def _shifted(dialect: Dialect, by: int) -> Dialect:
    """Return the dialect with columns without a name before all others."""
    timestamp, symbol, clock = (
        None if index is None else index + by
        for index in (dialect.timestamp, dialect.symbol, dialect.clock)
    )
    return dialect._replace(
        header=("",) * by + dialect.header,
        close=dialect.close + by,
        timestamp=timestamp,
        symbol=symbol,
        clock=clock,
        rest=tuple(index + by for index in dialect.rest),
    )


def _are_row_numbers(rows: Sequence[Row]) -> bool:
    """Return whether the first fields, which would be closes, count the rows."""
    cells = [row[0].strip(BLANKS) for row in rows]
    return any(cells == [str(first + row) for row in range(len(rows))] for first in (0, 1))


def _has_closes(rows: Sequence[Row], reading: Dialect) -> bool:
    """Return whether at least half of the closes that are not missing are numbers."""
    cells = [row[reading.close].strip(BLANKS) for row in rows]
    given = [cell for cell in cells if cell.lower() not in MISSING_WORDS]
    return bool(given) and 2 * len([*filter(NUMBER.fullmatch, given)]) >= len(given)


def _has_times(rows: Sequence[Row], reading: Dialect, written: str | None) -> bool:
    """Return whether at least half of the cells of the column of timestamps are times."""
    if reading.timestamp is None:
        return False
    cells = [row[reading.timestamp] for row in rows]
    if reading.clock is not None:
        cells = [f"{cell} {row[reading.clock]}" for cell, row in zip(cells, rows, strict=True)]
    return any(cell.strip(BLANKS) for cell in cells) and bool(times_ns_of(cells, written))


def _is_sane_table(rows: Sequence[Row], reading: Dialect) -> bool:
    """Return whether in at least half of the rows no price is above the high or below the low."""
    others = find_ohlc(reading.header)
    columns = {name: others[name] for name in PRICES if name in others}
    if "high" not in columns and "low" not in columns:
        return False
    columns["close"] = reading.close
    return 2 * sum(_is_sane_row(row, columns) for row in rows) >= len(rows)


def _is_sane_row(row: Row, columns: Mapping[str, int]) -> bool:
    cells = {name: row[index].strip(BLANKS) for name, index in columns.items()}
    if not all(map(NUMBER.fullmatch, cells.values())):
        return False
    prices = {name: Decimal(cell) for name, cell in cells.items()}
    high, low = prices.get("high"), prices.get("low")
    is_below = high is None or max(prices.values()) <= high
    return is_below and (low is None or min(prices.values()) >= low)


def _undecided(dialect: Dialect, first: Row, where: str) -> DataError:
    sign = delimiter_name(dialect.delimiter)
    count = plural(len(first), "field")
    return DataError(
        f"{where}: {count} where the header has {dialect.width:,}, the last one empty: a {sign} too"
        " many at the end, or an index without a name at the front (if the first field is an index,"
        f" give it a name in the header; else remove the {sign} at the end of each row)"
    )
