"""This module cuts a table into pieces by symbol and time.

The cuts are keys of a sample, which depends only on the rows of the table: those with the least
hashes. They stand as literals in the plan that computes the piece of each row, so every job that
runs this plan makes the same pieces.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.engines.spark.session import version_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LEAST_PIECE_ROWS = 1_000_000
LEAST_PIECE_WINDOWS = 4
# How many rows of a sample stand for a piece, and bounds of the sample.
SAMPLED_OF_PIECE = 200
LEAST_SAMPLE, MOST_SAMPLE = 10_000, 200_000
# A sample is first looked for among one in so many hashes, so that Spark orders no others.
_SHARE = 64

# The first version with `repartitionById`.
SINCE_BY_ID = (4, 1)

SYMBOL, STAMP, PIECE = "symbol", "stamp", "piece"
FILE, ROW = "file", "row"
"""The columns of a table that is cut; all others are called otherwise.

Where there are some, file and row put the bars of a series at one time into order.
"""


class Cut(NamedTuple):
    """The key of the first row of a piece: its symbol and time, both as text or number."""

    symbol: str | int
    stamp: str | int


def cuts_of(table: "DataFrame", window: int, most: int, least_rows: int | None = None) -> list[Cut]:
    """Return where all pieces but the first begin; `most` is how many pieces there may be.

    least_rows: how many rows a piece has at least; None for what is usual.
    """
    return spread(*_sample_of(table, most), window, most, least_rows)


def spread(
    sample: Sequence[Cut], rows: int, window: int, most: int, least_rows: int | None = None
) -> list[Cut]:
    """Return those keys of a sample that cut all rows evenly; the sample must be in order."""
    count = pieces_for(rows, window, most, least_rows)
    cuts = (sample[len(sample) * number // count] for number in range(1, count))
    return list(dict.fromkeys(cuts))


def pieces_for(rows: int, window: int, most: int, least_rows: int | None = None) -> int:
    """Return into how many pieces rows are cut, at most `most`."""
    least = max(least_rows or LEAST_PIECE_ROWS, LEAST_PIECE_WINDOWS * window)
    return min(most, rows // least)


def _sample_of(table: "DataFrame", most: int) -> tuple[list[Cut], int]:
    """Return the keys of the rows with the least hashes in order, and about how many rows it has.

    Hashes are spread evenly, so the greatest of them tells of how many rows they are the least.
    """
    from pyspark.sql import functions as F

    size = sample_size(most)
    names = keys_of(table)
    hashed = table.select(*names).dropna().withColumn("hash", F.xxhash64(*names))
    symbol = F.col(SYMBOL) if SYMBOL in names else F.lit("")
    wanted = "hash", symbol.alias(SYMBOL), _plain_key(F.col(STAMP), table).alias("plain")
    for rows in (hashed.where(F.col("hash") < 2**64 // _SHARE - 2**63), hashed):
        sampled = rows.orderBy("hash").limit(size).orderBy(*names).select(*wanted).collect()
        if len(sampled) == size:
            break
    count = len(sampled)
    if count == size:
        greatest = max(row["hash"] for row in sampled) + 2**63 + 1
        count = count * 2**64 // greatest
    return [Cut(row[SYMBOL], row["plain"]) for row in sampled], count


def sample_size(most: int) -> int:
    """Return how many keys a sample has for at most so many pieces."""
    return min(MOST_SAMPLE, max(LEAST_SAMPLE, SAMPLED_OF_PIECE * most))


def keys_of(table: "DataFrame") -> list[str]:
    """Return the columns by which a table is sorted: a table of one series has no symbols."""
    return [name for name in (SYMBOL, STAMP) if name in table.columns]


def piece_of(table: "DataFrame", cuts: Sequence[Cut]) -> "Column":
    """Return the number of the piece of each row, from 0, as an expression."""
    from pyspark.sql import functions as F

    return _piece_between(table, cuts, 0, len(cuts)).cast("int") if cuts else F.lit(0)


def _piece_between(table: "DataFrame", cuts: Sequence[Cut], first: int, last: int) -> "Column":
    """Return the number of the piece of a row that is not before `first` or after `last`."""
    from pyspark.sql import functions as F

    if first == last:
        return F.lit(first)
    middle = (first + last) // 2
    before = _piece_between(table, cuts, first, middle)
    after = _piece_between(table, cuts, middle + 1, last)
    return F.when(_is_before(table, cuts[middle]), before).otherwise(after)


def _is_before(table: "DataFrame", cut: Cut) -> "Column":
    from pyspark.sql import functions as F

    # What has no time comes first where Spark sorts.
    is_earlier = F.isnull(STAMP) | (F.col(STAMP) < _as_stamp(cut.stamp, table))
    if SYMBOL not in keys_of(table):
        return is_earlier
    symbol = F.col(SYMBOL)
    return (symbol < cut.symbol) | ((symbol == cut.symbol) & is_earlier)


def _plain_key(stamp: "Column", table: "DataFrame") -> "Column":
    """Return times as plain values from which `_as_stamp` makes the same times again."""
    from pyspark.sql import functions as F

    # As text, a time in a zone may mean two when clocks are set back.
    is_zoned = dict(table.dtypes)[STAMP] == "timestamp"
    return F.unix_micros(stamp) if is_zoned else stamp.cast("string")


def _as_stamp(plain: str | int, table: "DataFrame") -> "Column":
    from pyspark.sql import functions as F

    kind = dict(table.dtypes)[STAMP]
    if kind == "timestamp":
        return F.timestamp_micros(F.lit(plain))
    return F.lit(plain).cast(kind)


def in_pieces(table: "DataFrame", cuts: Sequence[Cut]) -> "DataFrame":
    """Return the rows so that each piece is in one partition, and all in a partition are sorted.

    They are sorted by what `keys_of` returns alone, of which the pieces are spans: where that is
    one number or time, Spark has a sort of its own for it. `PIECE` is twice the number of a row's
    piece and one. Each piece has one row more, with twice its number and without values, which
    comes before all bars: so a piece is seen even if it has lost its bars.
    """
    from pyspark.sql import functions as F

    count = len(cuts) + 1
    numbered = table.withColumn(PIECE, piece_of(table, cuts) * 2 + 1)
    whole = numbered.unionAll(_begins(numbered, count))
    number = F.shiftright(PIECE, 1)
    version = version_of(table.sparkSession)
    if version >= SINCE_BY_ID and hasattr(whole, "repartitionById"):
        parted = whole.repartitionById(count, number)
    else:
        parted = whole.repartitionByRange(count, number)
    ties = (name for name in (FILE, ROW) if name in table.columns)
    return parted.sortWithinPartitions(*keys_of(table), *ties)


def _begins(numbered: "DataFrame", count: int) -> "DataFrame":
    """Return the first row of each piece."""
    from pyspark.sql import functions as F

    *others, _ = numbered.schema.fields
    nothing = (F.lit(None).cast(field.dataType).alias(field.name) for field in others)
    pieces = numbered.sparkSession.range(0, count, 1, 1)
    return pieces.select(*nothing, (F.col("id") * 2).cast("int").alias(PIECE))
