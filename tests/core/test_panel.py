"""Many series at once on arrays: each decided as if it were alone, wherever its rows lie."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import INT64_MAX
from rollsignal.core.ledger import Ledger
from rollsignal.core.panel import Panel, PanelError
from rollsignal.core.quality import Finding
from rollsignal.core.ticks import Ticks
from rollsignal.errors import DataError
from rollsignal.readers.frame_symbols import SymbolColumn
from tests.support import oracle
from tests.support.tables import CONFIG


class Rows(NamedTuple):
    """Rows of several series in some order, in batches with a scale each."""

    codes: list[int]
    ticks: list[int]
    batches: list[tuple[slice, int]]

    def closes(self) -> list[Fraction]:
        """Write each row's close by the scale of its batch."""
        return [
            Fraction(tick, 10**scale) for cut, scale in self.batches for tick in self.ticks[cut]
        ]

    def of(self, code: int) -> list[Fraction | None]:
        """List one series' closes."""
        pairs = zip(self.codes, self.closes(), strict=True)
        return [close for series, close in pairs if series == code]


@st.composite
def rows(draw: DrawFn, most: int = 10**6) -> Rows:
    """Draw series that are numbered as they are first seen, flat runs and ties among them."""
    names = draw(st.lists(st.integers(0, 5), min_size=1, max_size=40))
    codes = list(map({name: code for code, name in enumerate(dict.fromkeys(names))}.get, names))
    few = draw(st.lists(st.integers(-most, most), min_size=1, max_size=3))
    tick = st.one_of(st.sampled_from(few), st.integers(-3, 3))
    edges = draw(st.lists(st.integers(1, len(names)), max_size=4))
    edges = sorted({0, *edges, len(names)})
    return Rows(
        [code for code in codes if code is not None],
        [draw(tick) for _ in names],
        [(slice(*pair), draw(st.integers(0, 3))) for pair in pairwise(edges)],
    )


def codes_of(codes: Sequence[int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(codes, np.int64)


def decided(drawn: Rows, window: int, times: list[int] | None = None) -> Panel:
    panel = Panel(window)
    for cut, scale in drawn.batches:
        times_ns = None if times is None else np.array(times[cut], np.int64)
        ticks = TickArray(np.array(drawn.ticks[cut], np.int64), scale)
        panel.advance(codes_of(drawn.codes[cut]), ticks, times_ns)
    return panel


@given(rows(), st.integers(1, 6))
def test_each_series_has_the_tally_and_the_last_bar_of_its_own_rows(
    drawn: Rows, window: int
) -> None:
    panel = decided(drawn, window)
    for code in set(drawn.codes):
        closes, last = drawn.of(code), panel.last_of(code)
        assert panel.tally_of(code) == oracle.counts(closes, window)
        assert last.close is not None
        assert Fraction(last.close, 10**last.scale) == closes[-1]
        assert last.signal == oracle.signals(closes, window)[-1]
        assert last.mean == oracle.means(closes, window)[-1]


@given(rows(), st.integers(1, 6))
def test_the_carry_of_a_series_is_its_last_closes(drawn: Rows, window: int) -> None:
    panel = decided(drawn, window)
    for code in set(drawn.codes):
        carry = panel.carry_of(code)
        tail = [Fraction(tick, 10**carry.scale) for tick in carry.tail]
        assert tail == drawn.of(code)[-(window - 1) :][: window - 1]
        assert carry.window == window


@given(rows(), st.integers(1, 4), st.data())
def test_the_order_in_which_series_are_first_seen_is_irrelevant(
    drawn: Rows, window: int, data: st.DataObject
) -> None:
    numbers = data.draw(st.permutations(range(len(set(drawn.codes)))))
    renumbered = drawn._replace(codes=[numbers[code] for code in drawn.codes])
    first, second = decided(drawn, window), decided(renumbered, window)
    for code in set(drawn.codes):
        assert first.tally_of(code) == second.tally_of(numbers[code])
        assert first.last_of(code) == second.last_of(numbers[code])
        assert first.carry_of(code) == second.carry_of(numbers[code])


@given(rows(), st.data())
def test_the_span_of_a_series_is_its_first_and_last_timestamp(
    drawn: Rows, data: st.DataObject
) -> None:
    sizes = {code: drawn.codes.count(code) for code in drawn.codes}
    least = -(2**62)
    left = {
        code: iter(sorted(data.draw(st.sets(st.integers(least, 2**62), min_size=size))))
        for code, size in sizes.items()
    }
    times = [next(left[code]) for code in drawn.codes]
    panel = decided(drawn, 2, times)
    for code in sizes:
        own = [at for at, series in zip(times, drawn.codes, strict=True) if series == code]
        assert panel.span_of(code) == (own[0], own[-1])
    assert decided(drawn, 2).span_of(0) == (None, None)


@given(rows(), st.data(), st.booleans())
def test_a_timestamp_that_does_not_rise_within_a_series_is_found_though_others_interleave(
    drawn: Rows, data: st.DataObject, equal: bool
) -> None:
    again = [
        row_at for row_at in range(len(drawn.codes)) if drawn.codes[row_at] in drawn.codes[:row_at]
    ]
    assume(again)
    row_at = data.draw(st.sampled_from(again))
    times = [row * 10 for row in range(len(drawn.codes))]
    before = max(row for row in range(row_at) if drawn.codes[row] == drawn.codes[row_at])
    times[row_at] = times[before] - (0 if equal else 5)
    with pytest.raises(PanelError):
        decided(drawn, 2, times)


def test_timestamps_may_fall_from_one_series_to_the_next() -> None:
    drawn = Rows([0, 1, 0, 1], [1, 2, 3, 4], [(slice(0, 2), 0), (slice(2, 4), 0)])
    panel = decided(drawn, 2, [100, 5, 101, 6])
    assert [panel.span_of(code) for code in (0, 1)] == [(100, 101), (5, 6)]


def test_warm_up_never_crosses_series() -> None:
    panel = decided(Rows([0, 1, 2] * 2, [9, 1, 1, 8, 2, 2], [(slice(0, 6), 0)]), 3)
    assert [panel.tally_of(code).signals for code in range(3)] == [0, 0, 0]
    assert [panel.last_of(code).signal for code in range(3)] == [None, None, None]


@pytest.mark.parametrize("window", [1, 2, 7])
def test_ticks_that_a_sum_or_product_would_carry_beyond_int64_are_refused(window: int) -> None:
    most = INT64_MAX // (2 * window)
    for tick in (most, -most):
        panel = decided(Rows([0], [tick], [(slice(0, 1), 0)]), window)
        assert panel.tally_of(0).rows == 1
    for tick in (most + 1, -most - 1):
        with pytest.raises(PanelError):
            decided(Rows([0], [tick], [(slice(0, 1), 0)]), window)


def test_a_finer_scale_that_carries_earlier_closes_beyond_int64_is_refused_and_forgotten() -> None:
    panel = decided(Rows([0, 0], [10**18, 10**18 + 1], [(slice(0, 2), 0)]), 2)
    kept = panel.carry_of(0), panel.tally_of(0), panel.last_of(0)
    with pytest.raises(PanelError):
        panel.advance(codes_of([0]), TickArray(np.array([5], np.int64), 3), None)
    assert (panel.carry_of(0), panel.tally_of(0), panel.last_of(0)) == kept


@pytest.mark.parametrize("count", [70_000])
def test_more_series_than_16_bits_can_number_are_kept_apart(count: int) -> None:
    panel = Panel(2)
    codes = np.arange(count, dtype=np.int64)
    for step in (0, 1):
        panel.advance(codes[::-1].copy(), TickArray(codes[::-1] * (1 + step), 0), None)
    assert panel.tally_of(0) == (2, 0, 1, 0, 1)
    assert {panel.tally_of(code) for code in (1, 65_535, 65_536, count - 1)} == {(2, 0, 1, 1, 0)}
    assert panel.last_of(65_536).mean == 65_536 * 1.5


class Panels:
    """A reader of panels in memory: a batch for each cut, as arrays and as plain bars."""

    path = name = "panel"
    unit = "row"
    symbol: str | None = None
    zoned: bool | None = None

    def __init__(self, drawn: Rows, times: list[int]) -> None:
        self.drawn, self.times = drawn, times

    def describe(self) -> str:
        return "memory"

    def batches(self) -> Iterator[ArrayBatch]:
        for cut, scale in self.drawn.batches:
            yield self.batch(cut, scale)

    def batch(self, cut: slice, scale: int) -> ArrayBatch:
        names, ticks = [f"S{code}" for code in self.drawn.codes[cut]], self.drawn.ticks[cut]
        times, lines = self.times[cut], range(cut.start, cut.stop)
        return ArrayBatch(
            TickArray(np.array(ticks, np.int64), scale),
            np.array(times, np.int64),
            SymbolColumn().coded(pl.Series(names)),
            lambda: Batch(Ticks(list(ticks), scale), list(map(str, ticks)), times, lines, names),
        )

    def bytes_read(self) -> int:
        return 0

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        return DataError(f"row {batch.lines[finding.place]}: {finding.what}")


@pytest.mark.parametrize("most", [10**6, 10**18, INT64_MAX])
@given(st.data(), st.integers(1, 5))
def test_a_ledger_gives_each_symbol_its_own_account_though_ticks_leave_the_arrays(
    most: int, data: st.DataObject, window: int
) -> None:
    drawn = data.draw(rows(most))
    config = CONFIG._replace(window=window)
    reader = Panels(drawn, list(range(len(drawn.codes))))
    ledger = Ledger(config.rules, Findings(config.checks._asdict(), lambda level, text: None))
    for batch in reader.batches():
        ledger.take(batch, reader)
    ledger.close_panel()
    assert list(ledger.accounts) == [f"S{code}" for code in dict.fromkeys(drawn.codes)]
    for code in set(drawn.codes):
        account, closes = ledger.accounts[f"S{code}"], drawn.of(code)
        assert account.tally == oracle.counts(closes, window)
        last = account.last
        assert last is not None
        assert last.close is not None
        assert Fraction(last.close, 10**last.scale) == closes[-1]
        assert account.last_ns == max(
            row_at for row_at, series in enumerate(drawn.codes) if series == code
        )


@given(rows(), st.data())
def test_a_ledger_finds_the_row_that_does_not_rise_within_its_symbol(
    drawn: Rows, data: st.DataObject
) -> None:
    drawn = drawn._replace(batches=[(slice(0, len(drawn.codes)), 0)])
    again = [row for row in range(len(drawn.codes)) if drawn.codes[row] in drawn.codes[:row]]
    assume(again)
    row_at = data.draw(st.sampled_from(again))
    times = [10**18 + row for row in range(len(drawn.codes))]
    times[row_at] = times[drawn.codes.index(drawn.codes[row_at])]
    reader = Panels(drawn, times)
    (batch,) = reader.batches()
    with pytest.raises(DataError, match=f"^row {row_at}: is "):
        Ledger(CONFIG.rules, Findings(CONFIG.checks._asdict(), lambda level, text: None)).take(
            batch, reader
        )
