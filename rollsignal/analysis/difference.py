"""This module finds where two tables of signals differ, and whether their closes say why.

Bars are paired by symbol and timestamp; those that share both, or have no timestamps, in their
order. Both tables are read side by side, and only bars that have no partner yet are held: few,
where both have about the same order.
"""

from typing import TYPE_CHECKING, NamedTuple

from rollsignal.outputs.signals.tables import guarded, signal_table

if TYPE_CHECKING:
    import polars as pl


STEP_ROWS = 1 << 17
PAIR_KEYS = ("symbol", "stamp")
VALUES = ("close", "mean", "signal")
PLACE_COLUMNS = ("row", "number")
SIDES = ("a", "b")


class SignalsSide(NamedTuple):
    """A table of signals: its path, how many bars it has, and the window that its run had.

    The window is None where no bar has a signal.
    """

    path: str
    bars: int
    window: int | None


class Difference(NamedTuple):
    """Where two tables differ.

    `rows` are all bars that differ, in the order of symbol and time, with the columns `symbol`
    and `stamp`, for each side `row`, `close`, `mean` and `signal` (`row_a` and so on, None where
    the bar is only in the other), and `by_data`: whether a close in the window differs.
    """

    a: SignalsSide
    b: SignalsSide
    rows: "pl.DataFrame"


def difference(a: str, b: str, windows: tuple[int | None, int | None]) -> Difference:
    """Compare two tables; raises `DataError` for a file that is no table of signals.

    windows: those of the two runs, as far as they are known; else the first signals tell.
    """
    import polars as pl

    sides = _Side(a, "a"), _Side(b, "b")
    found = []
    wanted = STEP_ROWS
    while sides[0].fill(wanted) | sides[1].fill(wanted):
        found.append(_paired(*sides))
        # Reading ever more at a time, tables in different orders are paired in few steps.
        wanted = max(STEP_ROWS, 2 * max(side.held.height for side in sides))
    found += [side.held for side in sides]
    rows = pl.concat(found, how="diagonal").sort(*PAIR_KEYS, "row_a", "row_b")
    one, two = (
        SignalsSide(side.path, side.bars, window or side.first)
        for side, window in zip(sides, windows, strict=True)
    )
    return Difference(one, two, _with_cause(rows, max(one.window or 1, two.window or 1)))


class _Side:
    """One of the two tables, and the bars of it that are `held`, because they have no partner."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.bars = 0
        self.first: int | None = None
        self._names = {column: f"{column}_{name}" for column in (*PLACE_COLUMNS, *VALUES)}
        self._closes: dict[str, int] = {}
        self._ended = False
        with guarded(path):
            self._batches = signal_table(path).collect_batches(
                chunk_size=STEP_ROWS, maintain_order=True
            )
            self.held = self._numbered(signal_table(path).head(0).collect())

    def fill(self, rows: int) -> bool:
        """Read until so many rows are held, or all are read; tell if any were."""
        import polars as pl

        read = []
        count = self.held.height
        while count < rows and not self._ended:
            with guarded(self.path):
                batch = next(self._batches, None)
            self._ended = batch is None
            if batch is not None and batch.height:
                read.append(self._numbered(batch))
                count += batch.height
        self.held = pl.concat([self.held, *read])
        return bool(read)

    def _numbered(self, batch: "pl.DataFrame") -> "pl.DataFrame":
        """Count the closes of each series up to every row; one without a close is in no window."""
        import polars as pl

        before = batch.get_column("symbol").replace_strict(
            self._closes, default=0, return_dtype=pl.Int64
        )
        has_close = pl.col("close").is_not_null().cast(pl.Int64)
        batch = batch.with_columns(number=has_close.cum_sum().over("symbol") + before)
        ends = batch.group_by("symbol").agg(pl.col("number").last())
        self._closes |= dict(ends.iter_rows())
        signed = batch.filter(pl.col("signal").is_not_null())
        lowest: int | None = signed.select(pl.col("number").min()).item()
        if lowest is not None:
            self.first = min(lowest, self.first or lowest)
        self.bars += batch.height
        return batch.rename(self._names)


def _paired(a: _Side, b: _Side) -> "pl.DataFrame":
    """Pair the bars that are held; return the pairs that differ, and hold those without partner."""
    import polars as pl

    count = min(a.held.height, b.held.height)
    heads = [_bare(side.held.head(count)) for side in (a, b)]
    if heads[0].equals(heads[1]):
        a.held, b.held = a.held.slice(count), b.held.slice(count)
        return a.held.head(0)
    nth = pl.int_range(pl.len()).over(PAIR_KEYS).alias("nth")
    held = [side.held.with_columns(nth) for side in (a, b)]
    pairs = held[0].join(held[1], on=[*PAIR_KEYS, "nth"], how="full", coalesce=True).drop("nth")
    for side, own, other in ((a, "row_a", "row_b"), (b, "row_b", "row_a")):
        alone = pairs.filter(pl.col(other).is_null()).sort(own)
        side.held = alone.select(side.held.columns)
    same = [pl.col(f"{name}_a").eq_missing(pl.col(f"{name}_b")) for name in VALUES]
    both = pl.col("row_a").is_not_null() & pl.col("row_b").is_not_null()
    return pairs.filter(both & ~pl.all_horizontal(same))


def _bare(held: "pl.DataFrame") -> "pl.DataFrame":
    """Leave out what the two tables need not share: places, and the names of columns."""
    bare = held.select(*PAIR_KEYS, *(name for name in held.columns if name[:-2] in VALUES))
    return bare.rename({name: name[:-2] for name in bare.columns if name not in PAIR_KEYS})


def _with_cause(rows: "pl.DataFrame", window: int) -> "pl.DataFrame":
    """Tell for each row whether a bar of its window has another close, or is only in one."""
    import polars as pl

    alone = pl.col("row_a").is_null() | pl.col("row_b").is_null()
    rows = rows.with_columns(other=alone | pl.col("close_a").ne_missing(pl.col("close_b")))
    near = pl.col("other")
    for side in SIDES:
        number = pl.col(f"number_{side}")
        last = pl.when("other").then(number).forward_fill()
        last = last.over("symbol", order_by=f"row_{side}")
        near |= (number - last < window).fill_null(False)
    return rows.with_columns(by_data=near).drop("other")
