"""Spark sorts the bars of many series into even pieces, whatever the series have."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rollsignal.engines.spark.file_rows import place_of
from rollsignal.engines.spark.panels import SeriesCounts, most_series

PIECES = [{"A": 900, "B": 100}, {"B": 10, "A": 980, "C": 10}, {"C": 1000}]


def place_in_order(code: int, place: int) -> float:
    """Return how many bars are before a place of a series, if pieces have its bars evenly."""
    before = 0.0
    for name in "ABC"[: code + 1]:
        for number, piece in enumerate(PIECES):
            passed = min(max(place - place_of(number, 0), 0), 1000) / 1000
            before += piece.get(name, 0) * (1.0 if name != "ABC"[code] else passed)
    return before


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_pieces_of_sorted_bars_are_even(count: int) -> None:
    counts = SeriesCounts()
    for piece in PIECES:
        counts.add(piece)
    cuts = counts.cuts(count)
    places = [(int(cut.symbol), int(cut.stamp)) for cut in cuts]
    assert places == sorted(set(places))
    begins = [0.0, *(place_in_order(*place) for place in places), 3000.0]
    sizes = [after - before for before, after in pairwise(begins)]
    assert len(sizes) == count
    # A bar of a series that is rare in a piece stands for many places.
    assert max(sizes) <= 3000 / count + 1


def test_edges_of_all_pieces_have_256_mb_together() -> None:
    assert most_series(100, 20) * 100 * 20 * 24 <= 256 << 20
    assert (most_series(100, 20) + 1) * 100 * 20 * 24 > 256 << 20
    assert most_series(10**6, 10**6) == 0
