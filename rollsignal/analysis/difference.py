"""This module finds where two tables of signals differ, and whether their closes explain it.

Bars are paired by symbol and timestamp. Bars that share both, or have no timestamps, are paired in
their order. Both tables are read side by side, and only bars without a partner yet are held: few
of them, if both tables have about the same order.
"""

from typing import TYPE_CHECKING, NamedTuple

from rollsignal.outputs.signals.tables import guarded, signal_table

if TYPE_CHECKING:
    import polars as pl


STEP_ROWS = 1 << 17
PAIR_KEYS = ("symbol", "stamp")
VALUES = ("close", "mean", "signal")
POSITION_COLUMNS = ("row", "number")
SIDES = ("a", "b")


class SignalsSide(NamedTuple):
    """A table of signals: its path, its number of bars, and the window of its run.

    The window is None where no bar has a signal.
    """

    path: str
    bars: int
    window: int | None


class Difference(NamedTuple):
    """Where two tables differ.

    `rows` are all bars that differ, sorted by symbol and time. Their columns are `symbol`, `stamp`,
    for each side `row`, `close`, `mean` and `signal` (`row_a` and so on, None if the bar is only in
    the other table), and `by_data`: whether a close in the window differs.
    """

    a: SignalsSide
    b: SignalsSide
    rows: "pl.DataFrame"


def difference(a: str, b: str, windows: tuple[int | None, int | None]) -> Difference:
    """Compare two tables; raises `DataError` for a file that is not a table of signals.

    windows: those of the two runs; None for one to be found from the first signal.
    """
    import polars as pl

    sides = _Side(a, "a"), _Side(b, "b")
    differing = []
    wanted = STEP_ROWS
    while sides[0].fill(wanted) | sides[1].fill(wanted):
        differing.append(_differing_pairs(*sides))
        # Each step is larger, so that tables in different orders are paired in few steps.
        wanted = max(STEP_ROWS, 2 * max(side.held.height for side in sides))
    differing += [side.held for side in sides]
    rows = pl.concat(differing, how="diagonal").sort(*PAIR_KEYS, "row_a", "row_b")
    side_a, side_b = (
        SignalsSide(side.path, side.bars, window or side.first_signal)
        for side, window in zip(sides, windows, strict=True)
    )
    window = max(side_a.window or 1, side_b.window or 1)
    return Difference(side_a, side_b, _with_cause(rows, window))


class _Side:
    """One of the two tables, and its bars without a partner yet (`held`)."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.bars = 0
        self.first_signal: int | None = None
        self._names = {column: f"{column}_{name}" for column in (*POSITION_COLUMNS, *VALUES)}
        self._closes: dict[str, int] = {}
        self._ended = False
        with guarded(path):
            self._batches = signal_table(path).collect_batches(
                chunk_size=STEP_ROWS, maintain_order=True
            )
            self.held = self._numbered(signal_table(path).head(0).collect())

    def fill(self, rows: int) -> bool:
        """Read until `rows` rows are held or the table ends; return whether any row was read."""
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
        """Number the closes of each series; a bar without a close has the number of the last."""
        import polars as pl

        closes_before = batch.get_column("symbol").replace_strict(
            self._closes, default=0, return_dtype=pl.Int64
        )
        has_close = pl.col("close").is_not_null().cast(pl.Int64)
        batch = batch.with_columns(number=has_close.cum_sum().over("symbol") + closes_before)
        last_numbers = batch.group_by("symbol").agg(pl.col("number").last())
        self._closes |= dict(last_numbers.iter_rows())
        with_signal = batch.filter(pl.col("signal").is_not_null())
        lowest: int | None = with_signal.select(pl.col("number").min()).item()
        if lowest is not None:
            self.first_signal = min(lowest, self.first_signal or lowest)
        self.bars += batch.height
        return batch.rename(self._names)


def _differing_pairs(a: _Side, b: _Side) -> "pl.DataFrame":
    """Pair the bars that are held; return pairs that differ, and hold bars without a partner."""
    import polars as pl

    count = min(a.held.height, b.held.height)
    heads = [_comparable(side.held.head(count)) for side in (a, b)]
    if heads[0].equals(heads[1]):
        a.held, b.held = a.held.slice(count), b.held.slice(count)
        return a.held.head(0)
    nth = pl.int_range(pl.len()).over(PAIR_KEYS).alias("nth")
    held = [side.held.with_columns(nth) for side in (a, b)]
    pairs = held[0].join(held[1], on=[*PAIR_KEYS, "nth"], how="full", coalesce=True).drop("nth")
    for side, row, partner_row in ((a, "row_a", "row_b"), (b, "row_b", "row_a")):
        unpaired = pairs.filter(pl.col(partner_row).is_null()).sort(row)
        side.held = unpaired.select(side.held.columns)
    same = [pl.col(f"{name}_a").eq_missing(pl.col(f"{name}_b")) for name in VALUES]
    both = pl.col("row_a").is_not_null() & pl.col("row_b").is_not_null()
    return pairs.filter(both & ~pl.all_horizontal(same))


def _comparable(held: "pl.DataFrame") -> "pl.DataFrame":
    """Return what equal tables share: keys and values, without row numbers and column suffixes."""
    values = held.select(*PAIR_KEYS, *(name for name in held.columns if name[:-2] in VALUES))
    return values.rename({name: name[:-2] for name in values.columns if name not in PAIR_KEYS})


def _with_cause(rows: "pl.DataFrame", window: int) -> "pl.DataFrame":
    """Add `by_data`: whether a bar in the window has another close, or is only in one table."""
    import polars as pl

    unpaired = pl.col("row_a").is_null() | pl.col("row_b").is_null()
    rows = rows.with_columns(changed=unpaired | pl.col("close_a").ne_missing(pl.col("close_b")))
    by_data = pl.col("changed")
    for side in SIDES:
        number = pl.col(f"number_{side}")
        last = pl.when("changed").then(number).forward_fill()
        last = last.over("symbol", order_by=f"row_{side}")
        by_data |= (number - last < window).fill_null(False)
    return rows.with_columns(by_data=by_data).drop("changed")
