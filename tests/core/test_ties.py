"""Rows at one time are found exactly, whatever the size of closes and times."""

from __future__ import annotations

from typing import Any

import pytest

from rollsignal.core.bars import Batch
from rollsignal.core.ticks import Ticks
from rollsignal.core.ties import Ties


class FakeReader:
    path = "bars.csv"
    symbol = None


READER: Any = FakeReader()


def batch(closes: list[int | None], times: list[int], scale: int = 0) -> Batch:
    return Batch(Ticks(closes, scale), [*map(str, closes)], times, range(len(times)))


@pytest.mark.parametrize("great", [5, 2**53, 2**63, 2**64, 10**30])
def test_neighbours_of_any_size_are_told_apart(great: int) -> None:
    bars = batch([great, great + 1, great + 1, -1, None, None], [1, 1, 1, 2, 3, 3])
    tied = Ties().of(bars, READER, 0)
    assert tied.places.tolist() == [1, 2, 5]
    assert tied.equal(bars) == [2, 5]
    times = batch([7, 7, 7, 7], [-1, great, great + 1, great + 1])
    assert Ties().of(times, READER, 0).places.tolist() == [3]


def test_rows_are_compared_over_batches_at_any_scale() -> None:
    ties = Ties()
    assert ties.of(batch([1, 150], [1, 2], 2), READER, 0).begun == []
    second = batch([15, 16], [2, 2], 1)
    tied = ties.of(second, READER, 2)
    assert [(above.row, place) for above, place in tied.begun] == [(1, 0)]
    assert tied.equal(second) == [0]
    third = batch([17], [2], 1)
    assert ties.of(third, READER, 4).equal(third) == []
