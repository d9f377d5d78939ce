"""This module finds the column of timestamps by what its cells hold, if no usual name tells it.

Such a column is the only one whose cells read as times, or whose stored type is a time. Numbers
are times only if all of them are counts or dates of plausible years, in order.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.counts import COUNT
from rollsignal.errors import DataError
from rollsignal.messages import escaped, line_of, shown
from rollsignal.readers.dialect import Dialect, find_ohlc
from rollsignal.readers.records import Records, Row, is_blank
from rollsignal.readers.wrong_headers import (
    bar_as_header,
    is_time,
    plausible_counts_ns,
    several_timestamps,
)

if TYPE_CHECKING:
    import polars as pl

SAMPLED_ROWS = 200


def numbered_rows(text: str, dialect: Dialect) -> list[tuple[Row, int]]:
    """Return the rows that are not blank, each with the line where it begins.

    There are none if one cannot be split: the careful parser reports it.
    """
    try:
        rows, lines, _ = Records(dialect, lambda line, what: DataError(what)).of(text)
    except DataError:
        return []
    return [pair for pair in zip(rows, lines, strict=True) if not is_blank(pair[0])]


def timestamps_in_text(text: str, dialect: Dialect, config: JobConfig, name: str) -> int | None:
    """Return the index of the timestamps in a text table, None if no column is proved to be it.

    text: the beginning of the table, from its header on. Raises `DataError` for several columns.
    """
    try:
        rows, _, _ = Records(dialect, lambda line, what: DataError(what)).of(text)
    except DataError:
        # The careful parser reports it.
        return None
    taken = () if config.columns.is_wide else (dialect.close, *dialect.symbols)
    columns = {
        index: [row[index] for row in rows if index < len(row)]
        for index in _others(dialect.header, taken)
    }
    where = line_of(name, dialect.line)
    return _proved(dialect.header, columns, config.timestamp_format, where)


def timestamps_in_records(
    records: Sequence[Mapping[str, object]],
    taken: Collection[str | None],
    config: JobConfig,
    where: str,
) -> str | None:
    """Return the key of the timestamps in JSON objects, None if no key is proved to be it.

    taken: the keys that are something else. Raises `DataError` for several keys.
    """
    header = list(records[0])
    indexes = [header.index(key) for key in taken if key in header]
    columns = {
        index: [value for record in records if isinstance(value := record.get(header[index]), str)]
        for index in _others(header, indexes)
    }
    index = _proved(header, columns, config.timestamp_format, where)
    return None if index is None else header[index]


def timestamps_in_frame(
    table: "pl.LazyFrame", taken: Collection[int | None], config: JobConfig, where: str
) -> int | None:
    """Return the index of the timestamps in a columnar file, None if no column is proved to be it.

    taken: the columns that are something else. Raises `DataError` for several columns.
    """
    import polars as pl

    from rollsignal.readers.columns import stamp_text

    schema = table.collect_schema()
    names = schema.names()
    others = _others(names, taken)
    stored = [index for index in others if schema[names[index]] in (pl.Date, pl.Datetime)]
    read = [
        index
        for index in others
        if schema[names[index]].is_integer() or schema[names[index]] in (pl.String, pl.Float64)
    ]
    columns: dict[int, list[str]] = {}
    if read:
        head = table.select(pl.nth(read)).head(SAMPLED_ROWS).collect()
        for index in read:
            columns[index] = list(map(stamp_text, head[names[index]].to_list()))
    return _proved(names, columns, config.timestamp_format, where, stored)


def _others(header: Sequence[str], taken: Collection[int | None]) -> list[int]:
    """List the columns that may hold timestamps: not closes, symbols, other prices and volumes."""
    known = {*taken, *find_ohlc(header).values()}
    return [index for index in range(len(header)) if index not in known]


def _proved(
    header: Sequence[str],
    columns: Mapping[int, Sequence[str]],
    written: str | None,
    where: str,
    stored: Sequence[int] = (),
) -> int | None:
    proved, in_doubt = [*stored], list[int]()
    for index, cells in columns.items():
        times_ns = times_ns_of(cells, written)
        if times_ns:
            is_in_order = sorted(times_ns) in (times_ns, times_ns[::-1])
            (proved if is_in_order else in_doubt).append(index)
    if len(proved) > 1:
        proved.sort()
        raise several_timestamps([header[index] for index in proved], where, proved)
    if not proved and in_doubt:
        name = escaped(header[in_doubt[0]].strip(BLANKS))
        column = shown(name) if name else f"column {in_doubt[0] + 1}"
        wanted = name or in_doubt[0] + 1
        error = DataError(
            f"{where}: {column} may be the timestamps: its numbers are counts since 1970 or"
            f" dates, but not in order (set columns: {{timestamp: {wanted}}}, or none if there are"
            " no timestamps)"
        )
        raise error.choosing({"columns.timestamp": wanted}, {"columns.timestamp": "none"})
    if proved and (problem := bar_as_header(header[proved[0]], where)):
        raise problem
    return proved[0] if proved else None


def times_ns_of(cells: Sequence[str], written: str | None) -> list[int]:
    """Read the cells of a column that holds times, [] if it does not hold any.

    At least half of the cells must be times: so footers and second headers do not hide a column.
    Calendar times are returned as zeros, because their order proves nothing.
    """
    filled = [cell for cell in (cell.strip(BLANKS) for cell in cells) if cell]
    if len(filled) > SAMPLED_ROWS:
        filled = filled[: SAMPLED_ROWS // 2] + filled[-SAMPLED_ROWS // 2 :]
    numbers = [cell for cell in filled if COUNT.fullmatch(cell)]
    if 2 * len(numbers) >= len(filled):
        return plausible_counts_ns(numbers, written)
    times = [cell for cell in filled if is_time(cell, written)]
    return [0] * len(times) if 2 * len(times) >= len(filled) else []
