"""This module makes sample data: one-minute BTC bars, the same to the byte on every platform.

It draws only the raw words of a PCG64 generator, a stream NumPy promises never to change for a
seed, and computes in integers. The close is a random walk in cents, reflected at two walls. Its
volatility is a Markov-switching multifractal (Calvet and Fisher, 2004): a product of levels, each
redrawn at its own pace, hence clusters and heavy tails; in still spells it hardly moves at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


SAMPLE_HEADER = "timestamp,open,high,low,close,volume_btc,volume_usd\n"
ROW = "%s:00" + ",%d.%02d" * 4 + ",%d.%08d,%d.%02d\n"
COLUMN_UNITS = (
    100,
    100,
    100,
    100,
    100_000_000,
    100,
)  # cents and satoshi, as the columns of ROW need them
START, FLOOR, CEILING = 42_000_00, 10_000_00, 200_000_00  # cents
# Which of the parallel streams of the seed. Chosen by search so that the shipped sample (10,000
# rows, seed 42, window 5) shows both published signal rates, 4,989 ones being 0.4991 of its 9,996
# windows and 0.4989 of its bars, and has ties that binary floats get wrong. It means nothing else.
STREAM = 32
PACES = (2, 4, 6, 8, 10)  # a level is redrawn once in 2**pace minutes, as 3/5 or 7/5
USUAL_SCALE, STILL_SCALE = 150_000, 60  # deviation of a minute's move, in hundredths of a cent
SHOCK_DEVIATION = 37_837  # of the sum of four uniform 16-bit numbers
OPEN_GAPS = (-2, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2)  # cents from the last close


def sample_csv(rows: int, seed: int, *, block_rows: int = 4096) -> Iterator[str]:
    """Yield the CSV text of `rows` bars: the header, then pieces of `block_rows` whole lines.

    A shorter sample is the beginning of a longer one; memory does not grow with `rows`.
    Raises ValueError if `rows` or `seed` is negative, or `block_rows` is not positive.

    >>> print("".join(sample_csv(rows=1, seed=42)), end="")
    timestamp,open,high,low,close,volume_btc,volume_usd
    2024-01-01 00:00:00,42000.00,42000.39,41999.41,42000.39,0.68460852,28753.82
    """
    from numpy.random import PCG64

    if rows < 0 or block_rows < 1:
        raise ValueError(f"cannot make {rows} rows in blocks of {block_rows}")
    return _pieces(rows, PCG64(seed).jumped(STREAM), block_rows)


def _pieces(rows: int, stream: np.random.PCG64, block_rows: int) -> Iterator[str]:
    yield SAMPLE_HEADER
    place, levels = START - FLOOR, [0] * (len(PACES) + 1)
    for first in range(0, rows, block_rows):
        bars = min(block_rows, rows - first)
        words = stream.random_raw(bars * 3).view("int64").reshape(bars, 3)
        scale, levels = _volatility(words[:, 0], levels)
        moves = _moves(words[:, 1], scale)
        places = place + moves.cumsum()
        place = int(places[-1])
        yield _csv_text(first, _bars(words[:, 2], scale, _price(places - moves), _price(places)))


def _volatility(words: Ints, levels: list[int]) -> tuple[Ints, list[int]]:
    """Return each bar's scale, and the levels after the last bar; the last level is 1 if still."""
    import numpy as np

    scale, at, after = np.full(len(words), USUAL_SCALE, dtype=np.int64), 0, []
    for pace, before in zip(PACES, levels, strict=False):
        level = _latest(_bits(words, at, pace) == 0, _bits(words, at + pace, 1), before)
        scale *= 3 + 4 * level
        at += pace + 1
        after.append(int(level[-1]))
    still = _latest(_bits(words, at, 4) == 0, _bits(words, at + 4, 3) // 7, levels[-1])
    after.append(int(still[-1]))
    return np.where(still == 1, STILL_SCALE, scale // 5 ** len(PACES)), after


def _latest(redrawn: NDArray[np.bool_], drawn: Ints, before: int) -> Ints:
    """Return for each bar the number drawn when it was last redrawn, `before` if it was not yet."""
    import numpy as np

    latest = np.maximum.accumulate(np.where(redrawn, np.arange(len(drawn)), -1))
    return np.where(latest < 0, before, drawn[latest])


def _moves(words: Ints, scale: Ints) -> Ints:
    """Return each bar's change of the walk, in cents, rounded to the nearest."""
    shock = sum(_bits(words, at, 16) for at in (0, 16, 32, 48)) - 2 * 65_535
    return (shock * scale + 50 * SHOCK_DEVIATION) // (100 * SHOCK_DEVIATION)


def _price(places: Ints) -> Ints:
    """Return the walk in cents: fold its places, counted from the floor, between the walls."""
    return CEILING - abs(places % (2 * (CEILING - FLOOR)) - (CEILING - FLOOR))


def _bars(words: Ints, scale: Ints, last: Ints, close: Ints) -> tuple[Ints, ...]:
    """Return open, high, low, close in cents, the volume in satoshi, and its worth in cents."""
    import numpy as np

    opened = last + np.array(OPEN_GAPS, dtype=np.int64)[_bits(words, 0, 4)]
    above, below = (_bits(words, at, 16) ** 2 * (scale // 100) >> 32 for at in (4, 20))
    high, low = np.maximum(opened, close) + above, np.minimum(opened, close) - below
    activity = 20_000 + scale + 100 * (high - low)  # below 6 million, so all that follows fits
    satoshi = activity * 50_000_000 // (1_024 + _bits(words, 36, 16))
    return opened, high, low, close, satoshi, (satoshi * close + 50_000_000) // 100_000_000


def _bits(words: Ints, at: int, count: int) -> Ints:
    return (words >> at) & ((1 << count) - 1)


def _csv_text(first: int, columns: tuple[Ints, ...]) -> str:
    import numpy as np

    minutes = np.arange(first, first + len(columns[0]), dtype=np.int64)
    stamps = np.datetime_as_string(np.datetime64("2024-01-01T00:00") + minutes, unit="m").tolist()
    halves = (half for pair in map(divmod, columns, COLUMN_UNITS) for half in pair)
    rows = zip(stamps, *(half.tolist() for half in halves), strict=True)
    return "".join([ROW % row for row in rows]).replace("T", " ")
